// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vdk/core/http.hpp"
#include "vdk/plugin/sync.hpp"

namespace vdk::plugin::detail {

/// A plugin as a server offers it.
struct Offered {
  std::string name;
  std::string version;
  std::string file;
  std::string sha256;
  std::uint64_t size = 0;
  std::optional<std::string> content;  ///< once it was fetched and fits its hash
};

/// What a server offers now.
struct Offer {
  bool unchanged = false;  ///< it is still what the tag of the last time stood for
  bool legacy = false;
  std::string etag;
  std::vector<Offered> plugins;
  std::vector<std::string> warnings;
};

/// What was asked last time, so that nothing unchanged is sent again.
struct Known {
  std::string etag;
  bool legacy = false;
};

/// The base of a server's addresses: a scheme is added where there is none, a path is kept. Throws
/// Error(configuration).
[[nodiscard]] std::string base_address(const ServerEntry& server);

/// One control service, ours or Optimus's. Nothing that it says is believed.
class Peer {
 public:
  Peer(const ServerEntry& server, const SyncOptions& options);
  /// The index, or the contents of the zip when there is no index. Error: login, not_found, unreachable, platform.
  [[nodiscard]] Offer ask(const Known& known);
  /// Fetch the file of a plugin that was offered.
  void fetch(Offered& plugin);
  [[nodiscard]] const std::string& address() const noexcept { return m_base; }
  [[nodiscard]] std::uint64_t requests() const noexcept { return m_requests; }

 private:
  [[nodiscard]] http::Response get(const std::string& path, const std::string& etag);
  [[nodiscard]] Offer read_index(const http::Response& response) const;
  [[nodiscard]] Offer read_zip(const http::Response& response) const;
  [[nodiscard]] Error refused(const http::Response& response, const std::string& path) const;
  [[nodiscard]] Error wrong(const std::string& why) const;

  std::string m_name;
  std::string m_base;
  const SyncOptions& m_options;
  std::optional<std::string> m_token;
  std::unique_ptr<http::Client> m_client;
  std::uint64_t m_requests = 0;
};

}  // namespace vdk::plugin::detail
