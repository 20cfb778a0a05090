// SPDX-License-Identifier: Apache-2.0
#include "plugin/sync/peer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/config/versions.hpp"
#include "plugin/fetch/address.hpp"
#include "plugin/sync/legacy_zip.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::plugin::detail {
namespace {

using nlohmann::json;

constexpr const char* k_index_path = "/plugins/v1/index";
constexpr const char* k_zip_path = "/plugins";

bool is_hash(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_yaml_name(const std::string& name) {
  return name.find('/') == std::string::npos && job::is_safe_entry_name(name) &&
         (name.ends_with(".yaml") || name.ends_with(".yml"));
}

Error bad_address(const ServerEntry& server, const std::string& why) {
  return {ErrorKind::configuration,
          {.what = "cannot sync with the server '" + server.name + "'",
           .why = why,
           .consequences = "Nothing was synced.",
           .countermeasures = "Give an address such as https://vdk.example.com, without user, '?' or '#'."},
          server.where.line == 0 ? std::nullopt : std::optional(server.where)};
}

Offered read_entry(const json& entry) {
  Offered offered;
  offered.name = entry.at("name").get<std::string>();
  offered.version = entry.at("version").get<std::string>();
  offered.file = entry.at("file").get<std::string>();
  offered.sha256 = entry.at("sha256").get<std::string>();
  offered.size = entry.at("size").get<std::uint64_t>();
  return offered;
}

}  // namespace

std::string base_address(const ServerEntry& server) {
  const bool bare = server.url.find("://") == std::string::npos;
  const bool here = bare && is_loopback(parse_address("http://" + server.url).host);
  const Address address = parse_address((bare ? here ? "http://" : "https://" : "") + server.url);
  if (address.scheme != "http" && address.scheme != "https") {
    throw bad_address(server, "Its address is neither http nor https.");
  }
  if (!address.login.empty() || !address.query.empty() || server.url.find_first_of("?#") != std::string::npos) {
    throw bad_address(server, "Its address has more than host, port and path.");
  }
  std::string base = address.scheme + "://" + address.origin + address.path;
  for (const std::string_view end : {"/", "/data-jobs"}) {
    while (base.ends_with(end)) {
      base.resize(base.size() - end.size());
    }
  }
  return base;
}

Peer::Peer(const ServerEntry& server, const SyncOptions& options)
    : m_name(server.name), m_base(base_address(server)), m_options(options) {
  if (options.token) {
    m_token = options.token(m_base);
  }
}

Error Peer::wrong(const std::string& why) const {
  return {ErrorKind::platform,
          {.what = "cannot sync with the server '" + m_name + "' (" + m_base + ")",
           .why = why,
           .consequences = "The plugins of this server stay as they were.",
           .countermeasures = "Check the address; if it is right, tell the administrator of the server."}};
}

Error Peer::refused(const http::Response& response, const std::string& path) const {
  const std::string status = std::to_string(response.status);
  const std::string what = "cannot sync with the server '" + m_name + "' (" + m_base + ")";
  const std::string kept = "The plugins of this server stay as they were.";
  switch (response.status) {
    case 401:
    case 403:
      return {ErrorKind::login,
              {what, "It answered " + status + (m_token ? ": this login may not use it." : ": it needs a login."), kept,
               "Log in with `vdk login`, or ask the administrator of the server for access."}};
    case 404:
      return {ErrorKind::not_found,
              {what, "It publishes no plugins: it answered 404 to " + path + ".", kept,
               "Check the address. A server of vdk publishes what plugins.plugin_dir of its configuration names."}};
    default:
      return wrong("It answered " + status + " to " + path + ".");
  }
}

http::Response Peer::get(const std::string& path, const std::string& etag) {
  if (!m_client) {
    http::ClientOptions options = m_options.http;
    options.max_body = m_options.limits.download_bytes;
    options.follow_redirects = true;
    m_client = http::make_client(std::move(options));
  }
  http::Request request;
  request.url = m_base + path;
  if (m_token) {
    request.headers.emplace_back("Authorization", "Bearer " + *m_token);
  }
  if (!etag.empty()) {
    request.headers.emplace_back("If-None-Match", etag);
  }
  ++m_requests;
  try {
    return m_client->send(request);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unreachable && error.kind() != ErrorKind::timeout) {
      throw;
    }
    const Error told = wrong(error.text().why);
    throw Error(error.kind(),
                {told.text().what, told.text().why, told.text().consequences, error.text().countermeasures});
  }
}

Offer Peer::read_index(const http::Response& response) const {
  Offer offer;
  offer.etag = response.header("ETag").value_or("");
  const json document = json::parse(response.body, nullptr, false);
  if (!document.is_object() || document.value("format", json()) != 1) {
    throw wrong("Its index is no index: " + std::to_string(response.body.size()) + " bytes of type '" +
                response.header("Content-Type").value_or("") + "'.");
  }
  std::set<std::pair<std::string, std::string>> seen;
  std::set<std::string> names;
  try {
    for (const json& entry : document.at("entries")) {
      Offered offered = read_entry(entry);
      if (!is_plugin_name(offered.name) || (!offered.version.empty() && !is_plugin_version(offered.version)) ||
          !is_yaml_name(offered.file) || !is_hash(offered.sha256)) {
        throw wrong("Its index names a plugin with a name, version, file or hash that cannot be used.");
      }
      if (offered.size > m_options.limits.yaml_bytes) {
        throw wrong("Its plugin '" + offered.name + "' has more than " + std::to_string(m_options.limits.yaml_bytes) +
                    " bytes.");
      }
      const bool beside =
          seen.contains({offered.name, ""}) || (offered.version.empty() && names.contains(offered.name));
      names.insert(offered.name);
      if (beside || !seen.emplace(offered.name, offered.version).second || seen.size() > m_options.limits.entries) {
        throw wrong("Its index names '" + offered.name + "' twice, or too many plugins.");
      }
      offer.plugins.push_back(std::move(offered));
    }
  } catch (const json::exception& error) {
    throw wrong(std::string("Its index is not understood: ") + error.what());
  }
  return offer;
}

Offer Peer::read_zip(const http::Response& response) const {
  try {
    Offer offer = read_legacy_zip(response.body, m_options.limits);
    offer.etag = response.header("ETag").value_or("");
    return offer;
  } catch (const Error& error) {
    throw wrong("What it sent as its plugins cannot be used. " + error.text().why);
  }
}

Offer Peer::ask(const Known& known) {
  http::Response response = get(k_index_path, known.legacy ? "" : known.etag);
  if (response.status == 404 || response.status == 405 || response.status == 501) {
    response = get(k_zip_path, known.legacy ? known.etag : "");
    if (response.status == 200) {
      return read_zip(response);
    }
  } else if (response.status == 200) {
    return read_index(response);
  }
  if (response.status == 304 && !known.etag.empty()) {
    return {.unchanged = true, .legacy = known.legacy, .etag = known.etag, .plugins = {}, .warnings = {}};
  }
  throw refused(response, known.legacy ? k_zip_path : k_index_path);
}

void Peer::fetch(Offered& plugin) {
  const std::string path = "/plugins/v1/blob/sha256/" + plugin.sha256;
  http::Response response = get(path, "");
  if (response.status != 200) {
    throw refused(response, path);
  }
  if (response.body.size() != plugin.size || sha256_hex(response.body) != plugin.sha256) {
    throw wrong("The file of its plugin '" + plugin.name + "' is not the one that its index names.");
  }
  plugin.content = std::move(response.body);
}

}  // namespace vdk::plugin::detail
