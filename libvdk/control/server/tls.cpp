// SPDX-License-Identifier: Apache-2.0
#include "control/server/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <string_view>

#include "control/server/tls_files.hpp"
#include "vdk/core/error.hpp"

namespace vdk::control::rest {
namespace {

/// HTTP/1.1 is what this server speaks: a client that wants only something else is told so.
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned int in_size, void* /*arg*/) {
  static constexpr std::string_view ours = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                          static_cast<unsigned int>(ours.size()), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<SSL_CTX> new_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) {
    throw Error(ErrorKind::platform, {"cannot prepare encrypted connections", last_tls_reason(),
                                      "The server does not start.", "Check the installation of OpenSSL."});
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets resume sessions without any memory
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return context;
}

}  // namespace

Tls::Tls(const TlsOptions& options) : m_context(new_context()) {
  const TlsFiles files(options);
  for (const TlsProblem& problem : files.problems()) {
    if (!problem.warning) {
      throw Error(ErrorKind::configuration,
                  {std::string("the ") + (problem.key_file ? "key" : "certificate") + " of the server cannot be used",
                   problem.message, "Connections cannot be encrypted with it.",
                   problem.hint.empty() ? "Correct tls.certificate and tls.key." : problem.hint});
    }
  }
  if (const auto problem = files.use(m_context.get())) {
    throw Error(ErrorKind::configuration,
                {"the certificate of the server cannot be used", *problem, "Connections cannot be encrypted with it.",
                 "Correct tls.certificate and tls.key."});
  }
  m_description = files.describe();
}

TlsSession::TlsSession(const Tls& tls, int fd) : m_ssl(SSL_new(tls.context()), SSL_free) {
  m_broken = !m_ssl || SSL_set_fd(m_ssl.get(), fd) != 1;
}

TlsSession::~TlsSession() { close_notify(); }

TlsSession::Step TlsSession::handshake() {
  if (m_broken) {
    return Step::failed;
  }
  ERR_clear_error();
  const int result = SSL_accept(m_ssl.get());
  if (result == 1) {
    m_established = true;
    return Step::done;
  }
  return failed(result) < 0 ? Step::wait : Step::failed;
}

long TlsSession::failed(int result) {
  const int reason = SSL_get_error(m_ssl.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    return -1;
  }
  m_broken = reason != SSL_ERROR_ZERO_RETURN;
  return 0;
}

long TlsSession::read(char* target, std::size_t size) {
  if (m_broken) {
    return 0;
  }
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(m_ssl.get(), target, size, &count);
  return result == 1 ? static_cast<long>(count) : failed(result);
}

long TlsSession::write(const char* source, std::size_t size) {
  if (m_broken) {
    return 0;
  }
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(m_ssl.get(), source, size, &count);
  return result == 1 ? static_cast<long>(count) : failed(result);
}

void TlsSession::close_notify() {
  if (m_established && !m_broken) {
    ERR_clear_error();
    (void)SSL_shutdown(m_ssl.get());
    m_broken = true;  // nothing is read or written after it
  }
}

Greeting greeting_of(int fd) {
  char first = 0;
  const long count = ::recv(fd, &first, 1, MSG_PEEK);
  if (count < 0) {
    return Greeting::none_yet;
  }
  return count == 1 && first >= 'A' && first <= 'Z' ? Greeting::plain_http : Greeting::other;
}

}  // namespace vdk::control::rest
