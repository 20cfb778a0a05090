// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugin/fetch/address.hpp"
#include "plugin/fetch/bucket.hpp"
#include "plugin/fetch/crc32c.hpp"
#include "plugin/fetch/gcs_token.hpp"
#include "plugin/fetch/providers.hpp"
#include "plugin/fetch/version_pattern.hpp"
#include "plugin/fetch/web.hpp"
#include "vdk/core/base64.hpp"

namespace vdk::plugin {
namespace {

using Json = nlohmann::json;

std::string explain(const http::Response& response) {
  const Json body = Json::parse(response.body, nullptr, false);
  const auto error = body.is_object() ? body.find("error") : body.end();
  if (!body.is_object() || error == body.end() || !error->is_object() || !error->contains("message")) {
    return {};
  }
  const Json& message = (*error)["message"];
  return message.is_string() ? redact_url(message.get<std::string>().substr(0, 200)) : std::string();
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return {};
  }
  return found->is_string() ? found->get<std::string>() : found->is_number() ? found->dump() : std::string();
}

struct Sums {
  std::string md5;
  std::string crc32c;  ///< big-endian, as base64
};

Sums sums_of(const std::filesystem::path& file) {
  Digest md5(Digest::Algorithm::md5);
  Crc32c crc;
  std::ifstream in(file, std::ios::binary);
  std::string buffer(1U << 16U, '\0');
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const std::string_view got(buffer.data(), static_cast<std::size_t>(in.gcount()));
    md5.update(got);
    crc.update(got);
  }
  std::string big_endian;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    big_endian += static_cast<char>((crc.value() >> shift) & 255U);
  }
  return {base64::encode(md5.bytes()), base64::encode(big_endian)};
}

class GcsProvider final : public Provider {
 public:
  explicit GcsProvider(ProviderConfig config)
      : m_config(std::move(config)),
        m_web(m_config, explain),
        m_endpoint(parse_address(m_config.endpoint.empty() ? "https://storage.googleapis.com" : m_config.endpoint)) {
    require_safe_scheme(m_endpoint, m_config);
    require_bucket(m_config);
  }

  Fetched fetch(const FetchRequest& wanted) override {
    require_clean_path(wanted.path);
    if (wanted.pin.find_first_not_of("0123456789") != std::string::npos) {
      throw provider_error(m_config, "'" + wanted.pin + "' is no generation of an object", "Lock the plugin anew.");
    }
    const std::string object = m_config.prefix + wanted.path;
    const Json meta =
        ask("/" + http::encode(object), wanted.pin.empty() ? "" : "generation=" + wanted.pin, wanted.cancelled);
    const std::string generation = text_of(meta, "generation");
    // Exactly the generation that the sums are of, even when somebody replaces the object meanwhile.
    Web::File got = m_web.download(
        request("/" + http::encode(object), "alt=media" + (generation.empty() ? "" : "&generation=" + generation)),
        wanted);
    got.fetched.pin = generation;
    got.fetched.resolved = "gs://" + m_config.bucket + "/" + object;
    check(got.fetched, meta, wanted.destination);
    return got.fetched;
  }

  std::vector<std::string> versions(const std::string& path) override {
    require_clean_path(path);
    VersionPattern pattern(m_config.prefix + path);
    std::string page;
    for (int pages = 0; pages < k_max_list_pages; ++pages) {
      const Json list = ask("", "fields=items(name),nextPageToken&prefix=" + http::encode(pattern.prefix()) +
                                    (page.empty() ? "" : "&pageToken=" + http::encode(page)));
      const auto items = list.find("items");
      for (const Json& item : items != list.end() && items->is_array() ? *items : Json::array()) {
        pattern.see(item.is_object() ? text_of(item, "name") : "");
      }
      page = text_of(list, "nextPageToken");
      if (page.empty()) {
        return pattern.versions();
      }
    }
    throw list_too_long(m_config);
  }

 private:
  http::Request request(const std::string& object, const std::string& query) {
    Address address = m_endpoint;
    address.path =
        (address.path == "/" ? "" : address.path) + "/storage/v1/b/" + http::encode(m_config.bucket) + "/o" + object;
    address.query = query;
    return {.url = address.without_login(), .secret_headers = login()};
  }

  Json ask(const std::string& object, const std::string& query, const std::atomic<bool>* cancelled = nullptr) {
    const http::Request asked = request(object, query);
    const http::Response answer = m_web.send(asked, cancelled);
    m_web.require_ok(answer, asked.url);
    Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object()) {
      throw Error(ErrorKind::platform, {.what = "the answer from " + redact_url(asked.url) + " cannot be read",
                                        .why = "it is no JSON object",
                                        .consequences = "Nothing was fetched.",
                                        .countermeasures = "Check endpoint and the network in between."});
    }
    return json;
  }

  http::Headers login() {
    switch (m_config.auth.kind) {
      case Auth::Kind::none:
        return {};
      case Auth::Kind::bearer:
        return {{"Authorization", "Bearer " + resolve(m_config.auth.secret)}};
      case Auth::Kind::service_account:
        if (!m_account) {
          m_account.emplace(m_config);
        }
        return {{"Authorization", "Bearer " + m_account->token(m_web)}};
      default:
        throw provider_error(m_config, "it has auth of a kind that gcs does not know",
                             "Use service_account, bearer, or none for a public bucket.");
    }
  }

  static void check(const Fetched& fetched, const Json& meta, const std::filesystem::path& file) {
    const Sums sums = sums_of(file);
    const std::string size = text_of(meta, "size");
    const std::string md5 = text_of(meta, "md5Hash");
    const std::string crc = text_of(meta, "crc32c");
    if ((size.empty() || size == std::to_string(fetched.size)) && (md5.empty() || md5 == sums.md5) &&
        (crc.empty() || crc == sums.crc32c)) {
      return;
    }
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw Error(ErrorKind::platform, {.what = fetched.resolved + " did not arrive as it is stored",
                                      .why = "size, MD5 or CRC32C differ from what the bucket says",
                                      .consequences = "What came is not used.",
                                      .countermeasures = "Try again; if it stays, look at what lies between."});
  }

  ProviderConfig m_config;
  Web m_web;
  Address m_endpoint;
  std::optional<GcsAccount> m_account;
};

}  // namespace

std::unique_ptr<Provider> make_gcs_provider(const ProviderConfig& config) {
  return std::make_unique<GcsProvider>(config);
}

}  // namespace vdk::plugin
