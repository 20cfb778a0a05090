// SPDX-License-Identifier: Apache-2.0
#include "control/server/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control::rest {
namespace {

namespace fs = std::filesystem;
using Bytes = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr std::chrono::hours k_soon{30L * 24};

Bytes memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// No passphrase: without this OpenSSL would ask on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::optional<std::string> content_of(const fs::path& path) {
  try {
    return files::read_if_exists(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

TimePoint time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::time_point_cast<TimePoint::duration>(std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

}  // namespace

std::string last_tls_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

TlsFiles::TlsFiles(const TlsOptions& options) {
  ERR_clear_error();
  read_certificates(options.certificate);
  read_key(options.key);
  check_times();
  check_chain();
  check_fit();
}

void TlsFiles::refuse(bool key_file, std::string message, std::string hint, bool warning) {
  m_problems.push_back(
      {.key_file = key_file, .message = std::move(message), .hint = std::move(hint), .warning = warning});
}

void TlsFiles::read_certificates(const fs::path& path) {
  const auto text = content_of(path);
  if (!text) {
    refuse(false, "the file '" + path.string() + "' cannot be read", "make the file, or correct its name");
    return;
  }
  const Bytes bytes = memory(*text);
  while (X509* one = PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr)) {
    m_chain.emplace_back(one, X509_free);
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = last_tls_reason();
  if (!ended || m_chain.empty()) {
    refuse(false,
           ended ? "the file '" + path.string() + "' has no certificate"
                 : "a certificate in '" + path.string() + "' cannot be read: " + reason,
           "it must have -----BEGIN CERTIFICATE----- blocks, the server's own first");
    m_chain.clear();
  }
}

void TlsFiles::read_key(const fs::path& path) {
  const auto text = content_of(path);
  if (!text) {
    refuse(true, "the file '" + path.string() + "' cannot be read", "make the file, or correct its name");
    return;
  }
  std::error_code unknown;
  if ((fs::status(path, unknown).permissions() & fs::perms::others_read) != fs::perms::none && !unknown) {
    refuse(true, "everybody on this machine can read the key '" + path.string() + "'",
           "chmod 600 " + path.string() + ", and replace a key that others may have seen");
  }
  const Bytes bytes = memory(*text);
  bool locked = false;
  m_key = {PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_passphrase, &locked), EVP_PKEY_free};
  ERR_clear_error();
  if (!m_key) {
    refuse(true,
           locked ? "the key '" + path.string() + "' is protected by a passphrase"
                  : "the file '" + path.string() + "' has no private key that can be read",
           locked ? "write it without one, and let only this user read it"
                  : "it must have one -----BEGIN PRIVATE KEY----- block");
  }
}

void TlsFiles::check_times() {
  const TimePoint now = SystemClock().now();
  for (const auto& one : m_chain) {
    const TimePoint begin = time_of(X509_get0_notBefore(one.get()));
    const TimePoint end = time_of(X509_get0_notAfter(one.get()));
    const std::string which = one == m_chain.front() ? "the certificate" : "a certificate of the chain";
    if (end <= now) {
      refuse(false, which + " has expired at " + format_time(end), "get a new one");
    } else if (begin > now) {
      refuse(false, which + " is not valid before " + format_time(begin), "check the clock of this machine");
    } else if (end - now < k_soon) {
      refuse(false, which + " expires at " + format_time(end), "get a new one, then send SIGHUP to the server", true);
    }
  }
}

void TlsFiles::check_chain() {
  for (std::size_t i = 1; i < m_chain.size(); ++i) {
    if (X509_check_issued(m_chain[i].get(), m_chain[i - 1].get()) != X509_V_OK) {
      refuse(false, "certificate " + std::to_string(i + 1) + " of the file did not issue the one before it",
             "write the server's certificate first, then its issuer, and so on", true);
      return;
    }
  }
}

void TlsFiles::check_fit() {
  if (!m_key || m_chain.empty()) {
    return;
  }
  const auto fits = [&](const auto& one) { return X509_check_private_key(one.get(), m_key.get()) == 1; };
  const bool later = std::any_of(m_chain.begin() + 1, m_chain.end(), fits);
  const bool first = fits(m_chain.front());
  ERR_clear_error();
  if (!first) {
    refuse(true, "the key does not belong to the certificate",
           later ? "the server's certificate must be the first one of its file"
                 : "name the key that the certificate was made for");
  }
}

std::optional<std::string> TlsFiles::use(SSL_CTX* context) const {
  bool good = !m_chain.empty() && m_key && SSL_CTX_use_certificate(context, m_chain.front().get()) == 1;
  for (std::size_t i = 1; good && i < m_chain.size(); ++i) {
    good = SSL_CTX_add1_chain_cert(context, m_chain[i].get()) == 1;
  }
  good = good && SSL_CTX_use_PrivateKey(context, m_key.get()) == 1;
  return good ? std::nullopt : std::optional(last_tls_reason());
}

std::string TlsFiles::describe() const {
  if (m_chain.empty()) {
    return "none";
  }
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(m_chain.front().get()), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  const std::string shown = name.front() == '\0' ? "" : std::string(name.data()) + ", ";
  return shown + "valid until " + format_time(time_of(X509_get0_notAfter(m_chain.front().get())));
}

std::vector<TlsProblem> check_tls_files(const TlsOptions& options) {
  const TlsFiles files(options);
  std::vector<TlsProblem> problems = files.problems();
  if (std::none_of(problems.begin(), problems.end(), [](const TlsProblem& one) { return !one.warning; })) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (const auto problem = files.use(context.get())) {
      problems.push_back({.key_file = false, .message = "OpenSSL refuses it: " + *problem, .hint = ""});
    }
  }
  return problems;
}

}  // namespace vdk::control::rest
