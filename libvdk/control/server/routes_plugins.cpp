// SPDX-License-Identifier: Apache-2.0
#include "control/server/routes.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using Document = PluginCatalogue::Document;

ApiAnswer document_answer(const std::optional<Document>& document, const ApiRequest& request) {
  if (!document) {
    return error_answer(404, {"There are no such plugins.", "the service publishes nothing at " + request.path,
                              "The request was not executed; nothing has changed.",
                              "Ask the administrator of the service to set plugins.plugin_dir and to install plugins "
                              "there with `vdk plugin install`."});
  }
  ApiAnswer answer{200, document->content_type, document->body, {}};
  if (matches_etag(request.if_none_match, document->etag)) {
    answer = {304, "", "", {}};
  }
  answer.headers = {{"ETag", document->etag}, {"Cache-Control", "no-cache"}};
  return answer;
}

}  // namespace

std::vector<Route> plugin_routes(const std::shared_ptr<PluginCatalogue>& plugins) {
  const auto index = [plugins](const ApiRequest& request) {
    return document_answer(plugins ? plugins->index() : std::nullopt, request);
  };
  const auto blob = [plugins](const ApiRequest& request) {
    return document_answer(plugins ? plugins->blob(request.segments.find("sha256")->second) : std::nullopt, request);
  };
  const auto archive = [plugins](const ApiRequest& request) {
    return document_answer(plugins ? plugins->archive() : std::nullopt, request);
  };
  return {{"GET", "/plugins/v1/index", {}, index},
          {"GET", "/plugins/v1/blob/sha256/{sha256}", {}, blob},
          {"GET", "/plugins", {}, archive}};
}

}  // namespace vdk::control::rest
