// SPDX-License-Identifier: Apache-2.0
#include "control/remote/wire.hpp"

#include <nlohmann/json.hpp>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse_url(const std::string& why) {
  throw Error(ErrorKind::configuration,
              {"invalid value for '--rest-api-url'", why, "the control service was not asked",
               "give an address such as https://host:8092 with --rest-api-url, in VDK_CONTROL_SERVICE_REST_API_URL or "
               "with `vdk set-default -u`"});
}

/// The address without a slash at its end and without /data-jobs, which every path brings.
std::string base_address(std::string_view given) {
  std::string url(text::trim(given));
  const std::string lower = text::lower(url);
  const std::size_t host = lower.starts_with("https://") ? 8 : lower.starts_with("http://") ? 7 : 0;
  if (host == 0) {
    const std::size_t login = url.rfind('@');  // what stands before it may be a password
    refuse_url("'" + (login == std::string::npos ? url : "..." + url.substr(login)) +
               "' does not start with http:// or https://");
  }
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '<' || c == '>' || c == '\\') {
      refuse_url("it contains a space or another character that no address has");
    }
  }
  const std::size_t path = std::min(url.find('/', host), url.size());
  const std::string authority = url.substr(host, path - host);
  if (authority.find('@') != std::string::npos) {
    refuse_url("it contains a user name or a password, which would be stored and shown with it");
  }
  if (authority.empty() || authority.front() == ':') {
    refuse_url("'" + url + "' names no host");
  }
  if (url.find_first_of("?#") != std::string::npos) {
    refuse_url("'" + url.substr(0, url.find_first_of("?#")) + "' is followed by a query or a fragment");
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  constexpr std::string_view prefix = "/data-jobs";
  if (url.ends_with(prefix)) {
    url.resize(url.size() - prefix.size());
  }
  return url;
}

ErrorKind kind_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::login;
    case 404:
    case 410:
      return ErrorKind::not_found;
    case 408:
      return ErrorKind::timeout;
    case 409:
      return ErrorKind::conflict;
    case 413:
      return ErrorKind::too_large;
    case 501:
      return ErrorKind::unsupported;
    default:
      return status >= 400 && status < 500 && status != 429 ? ErrorKind::usage : ErrorKind::platform;
  }
}

std::string countermeasure(int status) {
  switch (status) {
    case 401:
      return "log in with `vdk login`, or set VDK_API_TOKEN";
    case 403:
      return "ask the owner of the team for access, or give another team with --team";
    case 404:
      return "check the name with --name and the team with --team; `vdk list --all` shows all jobs";
    case 409:
      return "look at the present state with `vdk show`";
    case 503:
      return "try again later";
    default:
      return status >= 500 ? "try again, and tell the administrators of the service" : "";
  }
}

std::string reason(int status, const Call& call, const std::string& body) {
  constexpr std::size_t longest = 500;
  switch (status) {
    case 401:
      return "the control service wants a login, and there is none or it has expired (status 401)";
    case 404:
      return call.subject.empty() ? "the control service does not have what was asked for (status 404)"
                                  : "the control service does not know " + call.subject + " (status 404)";
    case 409:
      if (body.empty() && !call.subject.empty()) {
        return call.subject + " exists already, or its state does not allow this (status 409)";
      }
      break;
    default:
      break;
  }
  const std::string shown = body.size() <= longest ? body : body.substr(0, longest) + " ...";
  return "Http error: status: " + std::to_string(status) + " - " + (text::is_valid_utf8(shown) ? shown : "");
}

/// The texts of the service where it sends them, else the built-in ones.
ErrorText read_texts(const http::Response& response, const Call& call) {
  const Json body = Json::parse(response.body, nullptr, false);
  const auto part = [&](const char* key) {
    const auto found = body.is_object() ? body.find(key) : body.end();
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  ErrorText texts{part("what"), part("why"), part("consequences"), part("countermeasures")};
  const bool own = !texts.what.empty() || !texts.why.empty();
  if (texts.what.empty()) {
    texts.what = "Control Service Error";
  }
  if (texts.why.empty()) {
    texts.why = reason(response.status, call, response.body);
  }
  if (texts.consequences.empty()) {
    texts.consequences = "Operation cannot complete.";
  }
  if (texts.countermeasures.empty() && !own) {
    texts.countermeasures = countermeasure(response.status);
  }
  return texts;
}

}  // namespace

Wire::Wire(RemoteOptions options)
    : m_options(std::move(options)), m_base(base_address(m_options.url)), m_client(http::make_client(m_options.http)) {}

http::Response Wire::transfer(const http::Request& request) {
  try {
    return m_client->send(request);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unreachable && error.kind() != ErrorKind::configuration) {
      throw;
    }
    const bool tls = error.text().what.find("trusted") != std::string::npos;
    throw Error(error.kind(),
                {"cannot reach the control service at " + m_base, error.text().why, error.text().consequences,
                 error.text().countermeasures +
                     (tls ? " or VDK_CONTROL_HTTP_CA_FILE; VDK_CONTROL_HTTP_VERIFY_SSL=false trusts anybody"
                          : "; the address comes from --rest-api-url, VDK_CONTROL_SERVICE_REST_API_URL or "
                            "`vdk set-default -u`")});
  }
}

http::Response Wire::send(const Call& call) {
  http::Request request;
  request.method = call.method;
  request.url = m_base + call.path;
  request.body = call.body;
  request.headers = {{"Accept", call.accept}};
  if (!m_options.op_id.empty()) {
    request.headers.emplace_back("X-OPID", m_options.op_id);
  }
  if (!call.body.empty()) {
    request.headers.emplace_back("Content-Type", call.content_type);
  }
  const std::string token = m_options.bearer ? m_options.bearer() : std::string();
  if (!token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  http::Response response = transfer(request);
  if (response.status == 401 && !token.empty() && m_options.renew_bearer) {
    if (const std::string other = m_options.renew_bearer(token); !other.empty()) {
      request.headers.back().second = "Bearer " + other;
      response = transfer(request);
    }
  }
  if (response.status >= 300 && response.status < 400) {
    throw Error(ErrorKind::configuration,
                {"cannot use the control service at " + m_base,
                 "it redirects to " + response.header("Location").value_or("another address") + " (status " +
                     std::to_string(response.status) + ")",
                 "nothing was done", "give the address that it redirects to with --rest-api-url"});
  }
  if (response.status < 200 || response.status >= 300) {
    throw Error(kind_of(response.status), read_texts(response, call));
  }
  return response;
}

void Wire::fail_strange(const Call& call, std::string_view why) const {
  throw Error(ErrorKind::platform,
              {"the answer of " + m_base + " is not that of a control service",
               call.method + " " + call.path.substr(0, call.path.find('?')) + ": " + std::string(why),
               "the operation may not be complete", "check the address given with --rest-api-url"});
}

}  // namespace vdk::control
