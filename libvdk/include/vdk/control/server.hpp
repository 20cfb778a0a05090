// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vdk/control/security.hpp"
#include "vdk/control/service.hpp"

namespace vdk::control {

class PageSessions;

/// Limits of the REST server; every one answers with an error body, never with a dropped job.
struct ServerLimits {
  std::size_t max_body = 256UL * 1024 * 1024;  ///< bytes of one request body: 413 above
  std::size_t max_header = 8UL * 1024;         ///< bytes of all headers: 431 above
  int max_concurrent_requests = 64;            ///< 503 with Retry-After above
  int max_connections = 1024;                  ///< open at once; more wait or are refused
  std::chrono::seconds header_timeout{10};     ///< until the whole header has come: 408
  std::chrono::seconds body_timeout{300};      ///< until the whole body has come: 408
  std::chrono::seconds keep_alive{15};         ///< an idle connection is closed after this time
};

/// Encrypted connections: PEM files. Both empty = plain text.
struct TlsOptions {
  std::filesystem::path certificate;  ///< the server's own first, then its chain
  std::filesystem::path key;          ///< not protected by a passphrase
  [[nodiscard]] bool enabled() const { return !certificate.empty(); }
};

/// The plugins that clients may take from this service. The server knows no more of them than how they are asked for.
/// Called from any thread.
class PluginCatalogue {
 public:
  struct Document {
    std::string body;
    std::string content_type;
    std::string etag;  ///< quoted
  };
  virtual ~PluginCatalogue() = default;
  /// Which plugins there are, with hashes; nothing when none were ever installed.
  [[nodiscard]] virtual std::optional<Document> index() = 0;
  /// A file that the index names.
  [[nodiscard]] virtual std::optional<Document> blob(std::string_view sha256) = 0;
  /// All of them in one zip, for clients that know no index.
  [[nodiscard]] virtual std::optional<Document> archive() = 0;
};

struct RestOptions {
  std::string host = "127.0.0.1";
  int port = 8092;  ///< 0 = any free one
  ServerLimits limits;
  SecurityOptions security;
  TlsOptions tls;
  std::string api_version = "1.0";
  std::shared_ptr<PluginCatalogue> plugins = nullptr;  ///< null = 404 at their addresses
  std::shared_ptr<PageSessions> page_sessions;         ///< without them the operations page has no login
};

/// Who sends a request, from its Authorization header (empty when there is none); nothing = 401. Paths that need no
/// login are never asked about, and nobody is asked when RestOptions::security is enabled: the server itself checks
/// tokens then.
using Authenticate = std::function<std::optional<Caller>(std::string_view authorization)>;

/// A Service of its own for each worker; called from any thread.
using OpenService = std::function<std::unique_ptr<Service>()>;

/// Any Service over REST: every path of the original's API, GraphQL, health, metrics, OpenAPI document, operations
/// page.
class RestServer {
 public:
  virtual ~RestServer() = default;
  /// Bind; returns the port. Error(conflict) when the address is taken, Error(configuration) when it is none.
  virtual int listen() = 0;
  /// Serve until `stop()`, then finish the requests that run. Blocks.
  virtual void run() = 0;
  /// From any thread (not from a signal handler).
  virtual void stop() = 0;
  /// Take over `security` and the files of `tls` for what comes from now on; requests that run and open connections
  /// are not touched. Error(configuration) when something of it cannot be used: then nothing has changed. Encryption
  /// cannot be switched on or off, and the rest of the options stays as it is. From any thread.
  virtual void reload(const RestOptions& next) = 0;
};
[[nodiscard]] std::unique_ptr<RestServer> make_rest_server(RestOptions options, OpenService open,
                                                           Authenticate authenticate);

/// The OpenAPI document that `/data-jobs/api-docs` serves, as JSON text.
[[nodiscard]] std::string openapi_document(const std::string& api_version);

}  // namespace vdk::control
