// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "plugin/fetch/file_sink.hpp"
#include "vdk/core/http.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {

/// How providers talk HTTP: time limits, retries, redirections, and refusals in words for people. Connections are kept.
class Web {
 public:
  /// What a source says about its refusal, for people; no secret may be in it.
  using Explain = std::function<std::string(const http::Response&)>;
  explicit Web(const ProviderConfig& config, Explain explain = nullptr)
      : m_config(config), m_explain(std::move(explain)) {}

  struct File {
    Fetched fetched;
    http::Response head;
  };
  /// GET into the destination of `wanted`; the status has to be 200. `html` = a page is what is wanted.
  [[nodiscard]] File download(http::Request request, const FetchRequest& wanted, bool html = false);
  /// Any status is an answer here. At most 16 MiB.
  [[nodiscard]] http::Response send(const http::Request& request, const std::atomic<bool>* cancelled = nullptr);
  /// Throws for every status but 200: login, not_found, unreachable or platform.
  void require_ok(const http::Response& response, const std::string& url) const;

 private:
  [[nodiscard]] http::Client& client(const std::atomic<bool>* cancelled);
  [[nodiscard]] bool follow(const std::string& from, const std::string& to) const;

  const ProviderConfig& m_config;
  Explain m_explain;
  std::unique_ptr<http::Client> m_client;
  const std::atomic<bool>* m_cancelled = nullptr;
};

}  // namespace vdk::plugin
