// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "plugin/fetch/address.hpp"
#include "plugin/fetch/auth_headers.hpp"
#include "plugin/fetch/providers.hpp"
#include "plugin/fetch/version_pattern.hpp"
#include "plugin/fetch/web.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

class HttpProvider final : public Provider {
 public:
  explicit HttpProvider(ProviderConfig config)
      : m_config(std::move(config)), m_base(parse_address(m_config.url)), m_web(m_config) {
    require_safe_scheme(m_base, m_config);
  }

  Fetched fetch(const FetchRequest& wanted) override {
    const std::string file = wanted.path.empty() ? m_base.path : wanted.path;
    const std::string name = text::lower(file.substr(0, file.find('?')));
    Web::File got = m_web.download(request(wanted.path), wanted, name.ends_with(".html") || name.ends_with(".htm"));
    got.fetched.pin = strong_etag(got.head);
    return got.fetched;
  }

  std::vector<std::string> versions(const std::string& path) override {
    const std::string list = VersionPattern(path).folder() + "versions.json";
    const http::Request asked = request(list);
    const http::Response answer = m_web.send(asked);
    if (answer.status == 404 || answer.status == 410) {
      throw Error(ErrorKind::unsupported,
                  {.what = "the plugin provider '" + m_config.name + "' cannot list versions",
                   .why = "there is no " + redact_url(asked.url) + ", an array of version strings",
                   .consequences = "It is not known which versions of '" + path + "' exist.",
                   .countermeasures = "Put that file there, or write an exact version into the configuration."});
    }
    m_web.require_ok(answer, asked.url);
    return read_versions(answer.body, asked.url);
  }

 private:
  [[nodiscard]] http::Request request(const std::string& path) {
    require_clean_path(path);
    if (!m_authenticated) {
      m_secrets = auth_headers(m_config, m_base);
      m_authenticated = true;
    }
    return {.url = address_of(path), .secret_headers = m_secrets};
  }

  /// The query of a path goes where queries go; the provider's own stays.
  [[nodiscard]] std::string address_of(const std::string& path) const {
    Address address = m_base;
    const std::size_t question = std::min(path.find('?'), path.size());
    std::string file = path.substr(0, question);
    file.erase(0, std::min(file.find_first_not_of('/'), file.size()));
    if (!file.empty()) {
      address.path += (address.path.ends_with('/') ? "" : "/") + encode_path(file);
    }
    if (question < path.size()) {
      address.query += (address.query.empty() ? "" : "&") + path.substr(question + 1);
    }
    return parse_address(address.without_login()).without_login();
  }

  static std::vector<std::string> read_versions(const std::string& body, const std::string& url) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    std::vector<std::string> versions;
    bool good = json.is_array();
    for (const auto& item : good ? json : nlohmann::json::array()) {
      good = good && item.is_string() && is_version_text(item.get_ref<const std::string&>());
      if (good) {
        versions.push_back(item.get<std::string>());
      }
    }
    if (!good) {
      throw Error(ErrorKind::platform, {.what = redact_url(url) + " cannot be read",
                                        .why = "it is no JSON array of version strings",
                                        .consequences = "It is not known which versions exist.",
                                        .countermeasures = "Mend the file at the source."});
    }
    return versions;
  }

  ProviderConfig m_config;
  Address m_base;
  Web m_web;
  http::Headers m_secrets;
  bool m_authenticated = false;
};

}  // namespace

std::unique_ptr<Provider> make_http_provider(const ProviderConfig& config) {
  return std::make_unique<HttpProvider>(config);
}

}  // namespace vdk::plugin
