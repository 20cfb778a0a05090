// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP and mail through libcurl, which is loaded when first used: most commands never talk to a wire.
namespace vdk::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response;

/// Takes the body of an answer in pieces, instead of Response::body. What its functions throw ends the request and
/// comes out of send().
class Sink {
 public:
  virtual ~Sink() = default;
  /// Before every attempt: may add headers, e.g. Range to go on where the last attempt broke off.
  virtual void prepare(Headers& headers) = 0;
  /// The head of an answer came. False = its body is wanted in Response::body.
  [[nodiscard]] virtual bool begin(const Response& head) = 0;
  virtual void write(std::string_view bytes) = 0;
};

/// AWS signature version 4 for one request. The query of the address must be sorted and percent-encoded.
struct Signature {
  std::string scope;  ///< PROVIDER:VENDOR:REGION:SERVICE, e.g. aws:amz:us-east-1:s3
  std::string access_key;
  std::string secret_key;
};

/// One request. Header names are compared without regard to case.
struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers = {};
  std::string body = {};
  Headers secret_headers = {};                        ///< go to the host of `url` only, to none that it redirects to
  std::optional<Signature> signature = std::nullopt;  ///< the same
  Sink* sink = nullptr;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  /// Value of the last header of that name; nothing when there is none.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

/// How a client behaves. Proxies come from the usual variables (https_proxy, no_proxy ...).
struct ClientOptions {
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds total_timeout{900'000};  ///< of one attempt
  std::chrono::milliseconds idle_timeout{0};         ///< no byte for so long ends an attempt; 0 = off
  std::chrono::milliseconds overall_timeout{0};      ///< of a send with all its attempts and pauses; 0 = off
  int total_retries = 0;                             ///< attempts after the first one, whatever failed
  int connect_retries = 0;
  int read_retries = 0;
  double backoff_seconds = 2;  ///< n-th wait: backoff * 2^(n-1) seconds, or what Retry-After says
  std::chrono::milliseconds longest_backoff{120'000};
  std::chrono::milliseconds longest_retry_after{120'000};
  std::vector<int> retry_statuses = {};  ///< answers that are tried again, for methods that may be repeated
  bool verify_tls = true;
  std::string ca_file;             ///< empty = $SSL_CERT_FILE, else the system's
  std::string user_agent = "vdk";  ///< sent as it is
  bool follow_redirects = false;   ///< same host and scheme only, but for `follow_elsewhere`
  int max_redirects = 10;
  std::size_t max_body = 1024UL * 1024 * 1024;  ///< larger answers are an error
  const std::atomic<bool>* cancelled = nullptr;
  /// Whether a redirection to another scheme, host or port is followed, for GET and HEAD; null = never. Secret headers,
  /// Authorization, Cookie and signatures are dropped then.
  std::function<bool(const std::string& from, const std::string& to)> follow_elsewhere = nullptr;
  /// Told why an attempt failed and how long the client waits before the next one. May be null.
  std::function<void(const std::string& reason, std::chrono::milliseconds pause)> on_retry = nullptr;
};

/// A connection-keeping client. One object is for one thread.
class Client {
 public:
  virtual ~Client() = default;
  /// Any HTTP status is an answer. Error(unreachable) when there is none after all retries, with libcurl's reason.
  [[nodiscard]] virtual Response send(const Request& request) = 0;
};

/// Throws Error(platform) when libcurl cannot be loaded.
[[nodiscard]] std::unique_ptr<Client> make_client(ClientOptions options);

/// Percent-encoding of one path segment or query value (RFC 3986 unreserved characters stay).
[[nodiscard]] std::string encode(std::string_view text);

/// True for a host of an address (without its port) that is this machine by its very name: localhost, 127.x.y.z, [::1].
[[nodiscard]] bool is_loopback(std::string_view host);

/// A mail server and how to log in to it.
struct MailServer {
  std::string url;  ///< smtp://HOST:PORT or smtps://HOST:PORT
  std::string username;
  std::string password;
  bool require_tls = false;  ///< STARTTLS must succeed
  std::chrono::milliseconds timeout{30'000};
};

/// An HTML mail. Addresses are bare (a@b.c).
struct Mail {
  std::string from;
  std::string from_name;
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::string subject;
  std::string html;
};

/// What became of a mail: addresses that the server refused, each with the server's words.
struct MailOutcome {
  std::vector<std::pair<std::string, std::string>> refused;
};

/// Send a mail; refused addresses are left out and reported. Error(unreachable) when the server cannot be talked to,
/// Error(operation) when no address was accepted.
MailOutcome send_mail(const MailServer& server, const Mail& mail);

}  // namespace vdk::http
