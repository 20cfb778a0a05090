// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/server/tls.hpp"

struct evp_pkey_st;
struct ssl_ctx_st;
struct x509_st;

namespace vdk::control::rest {

/// A certificate with its chain and its key, as the files have them, and what is wrong with them.
class TlsFiles {
 public:
  explicit TlsFiles(const TlsOptions& options);
  [[nodiscard]] const std::vector<TlsProblem>& problems() const noexcept { return m_problems; }
  /// Hand everything over to a context; what OpenSSL has against it.
  [[nodiscard]] std::optional<std::string> use(ssl_ctx_st* context) const;
  [[nodiscard]] std::string describe() const;

 private:
  void read_certificates(const std::filesystem::path& path);
  void read_key(const std::filesystem::path& path);
  void check_times();
  void check_chain();
  void check_fit();
  void refuse(bool key_file, std::string message, std::string hint, bool warning = false);

  std::vector<std::shared_ptr<x509_st>> m_chain;  ///< the server's own first
  std::shared_ptr<evp_pkey_st> m_key;
  std::vector<TlsProblem> m_problems;
};

/// The last error of OpenSSL in words.
[[nodiscard]] std::string last_tls_reason();

}  // namespace vdk::control::rest
