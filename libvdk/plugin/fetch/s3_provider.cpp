// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/address.hpp"
#include "plugin/fetch/bucket.hpp"
#include "plugin/fetch/providers.hpp"
#include "plugin/fetch/s3_credentials.hpp"
#include "plugin/fetch/version_pattern.hpp"
#include "plugin/fetch/web.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/s3.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

std::string first(const std::vector<std::string>& texts) { return texts.empty() ? std::string() : texts.front(); }

class S3Provider final : public Provider {
 public:
  explicit S3Provider(ProviderConfig config) : m_config(std::move(config)), m_web(m_config, s3::explain) {
    require_bucket(m_config);
    m_endpoint = parse_address(m_config.endpoint.empty() ? s3::amazon_endpoint(m_config.region) : m_config.endpoint);
    require_safe_scheme(m_endpoint, m_config);
    const bool in_path = m_config.path_style || s3::bucket_in_path(m_endpoint.host, m_config.bucket);
    if (in_path) {
      m_endpoint.path += (m_endpoint.path.ends_with('/') ? "" : "/") + http::encode(m_config.bucket);
    } else {
      m_endpoint.origin = m_config.bucket + "." + m_endpoint.origin;
    }
  }

  Fetched fetch(const FetchRequest& wanted) override {
    require_clean_path(wanted.path);
    const std::string key = m_config.prefix + wanted.path;
    Web::File got = m_web.download(
        request("/" + encode_path(key), wanted.pin.empty() ? "" : "versionId=" + http::encode(wanted.pin)), wanted);
    const std::string version = got.head.header("x-amz-version-id").value_or("");
    got.fetched.pin = version == "null" ? "" : version;
    got.fetched.resolved = "s3://" + m_config.bucket + "/" + key;
    return got.fetched;
  }

  std::vector<std::string> versions(const std::string& path) override {
    require_clean_path(path);
    VersionPattern pattern(m_config.prefix + path);
    std::string token;
    for (int page = 0; page < k_max_list_pages; ++page) {
      const std::string list = list_page(pattern.prefix(), token);
      for (const std::string& key : s3::elements(list, "Key")) {
        pattern.see(percent_decoded(text::replace_all(key, "+", " ")));
      }
      token = first(s3::elements(list, "NextContinuationToken"));
      if (first(s3::elements(list, "IsTruncated")) != "true" || token.empty()) {
        return pattern.versions();
      }
    }
    throw list_too_long(m_config);
  }

 private:
  std::string list_page(const std::string& prefix, const std::string& token) {
    // Sorted by name: that is what is signed.
    const std::string query = (token.empty() ? "" : "continuation-token=" + http::encode(token) + "&") +
                              "encoding-type=url&list-type=2&prefix=" + http::encode(prefix);
    const http::Request asked = request("/", query);
    const http::Response answer = m_web.send(asked);
    m_web.require_ok(answer, asked.url);
    return answer.body;
  }

  http::Request request(const std::string& path, const std::string& query) {
    if (!m_asked_for_credentials) {
      m_credentials = s3_credentials(m_config);
      m_asked_for_credentials = true;
    }
    Address address = m_endpoint;
    address.path += path;
    address.query = query;
    http::Request made{.url = address.without_login()};
    if (m_credentials) {
      made.headers = {{"x-amz-content-sha256", sha256_hex("")}};
      if (!m_credentials->session_token.empty()) {
        made.secret_headers = {{"x-amz-security-token", m_credentials->session_token}};
      }
      made.signature = {"aws:amz:" + m_config.region + ":s3", m_credentials->access_key, m_credentials->secret_key};
    }
    return made;
  }

  ProviderConfig m_config;
  Web m_web;
  Address m_endpoint;
  std::optional<S3Credentials> m_credentials;
  bool m_asked_for_credentials = false;
};

}  // namespace

std::unique_ptr<Provider> make_s3_provider(const ProviderConfig& config) {
  return std::make_unique<S3Provider>(config);
}

}  // namespace vdk::plugin
