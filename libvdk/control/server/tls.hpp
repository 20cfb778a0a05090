// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vdk/control/server.hpp"

struct ssl_ctx_st;
struct ssl_st;

/// Encrypted connections (TLS 1.2 and 1.3), by OpenSSL.
namespace vdk::control::rest {

/// What is wrong with the files of a certificate and its key.
struct TlsProblem {
  bool key_file = false;  ///< else it is the certificate's
  std::string message;
  std::string hint;
  bool warning = false;
};
[[nodiscard]] std::vector<TlsProblem> check_tls_files(const TlsOptions& options);

/// Certificate and key, ready for connections. The files are not looked at again.
class Tls {
 public:
  /// Error(configuration) when the files cannot be used.
  explicit Tls(const TlsOptions& options);
  /// `subject, until DATE`, for the log.
  [[nodiscard]] const std::string& describe() const noexcept { return m_description; }
  [[nodiscard]] ssl_ctx_st* context() const noexcept { return m_context.get(); }

 private:
  std::shared_ptr<ssl_ctx_st> m_context;
  std::string m_description;
};

/// The encryption of one connection on a socket that never blocks. Does not own the socket.
class TlsSession {
 public:
  enum class Step { done, wait, failed };

  TlsSession(const Tls& tls, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] Step handshake();
  /// Bytes that came; 0 = the peer is gone, -1 = nothing now.
  [[nodiscard]] long read(char* target, std::size_t size);
  /// Bytes taken; 0 = the peer is gone, -1 = none now (call again with the same bytes).
  [[nodiscard]] long write(const char* source, std::size_t size);
  /// Tell the peer that nothing more comes. Does not wait.
  void close_notify();

 private:
  /// 0 or -1, as `read` and `write` say.
  [[nodiscard]] long failed(int result);

  std::unique_ptr<ssl_st, void (*)(ssl_st*)> m_ssl;
  bool m_established = false;
  bool m_broken = false;
};

/// How a connection begins, without taking anything from the socket.
enum class Greeting { none_yet, plain_http, other };
[[nodiscard]] Greeting greeting_of(int fd);

}  // namespace vdk::control::rest
