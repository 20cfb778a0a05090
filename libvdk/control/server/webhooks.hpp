// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/server/api.hpp"
#include "vdk/control/security.hpp"
#include "vdk/core/http.hpp"

/// Addresses of the administrator that are asked before something happens (contract control 4.4).
namespace vdk::control::rest {

/// Ends a request with the answer of a webhook.
struct PassedOn {
  ApiAnswer answer;
};

/// How many workers may wait for webhooks at once: the others go on with what needs none. Thread-safe.
class WebhookGate {
 public:
  explicit WebhookGate(int most) : m_left(most) {}
  /// False when it stays full for a moment.
  [[nodiscard]] bool enter();
  void leave();
  /// The server stops: nobody waits for an answer any longer.
  void close() { m_closed = true; }
  [[nodiscard]] const std::atomic<bool>& closed() const noexcept { return m_closed; }

 private:
  std::mutex m_mutex;
  std::condition_variable m_wake;
  int m_left;
  std::atomic<bool> m_closed{false};
};

/// One address. Thread-safe.
class Webhook {
 public:
  /// `system` as people know it: "Authorization Server".
  Webhook(WebhookOptions options, std::string system, std::chrono::seconds timeout, WebhookGate& gate);
  [[nodiscard]] bool configured() const { return !m_options.uri.empty(); }
  /// POST `body`. Returns when the answer is 2xx; throws PassedOn with status and text of a 4xx, and Refusal(503) for
  /// everything else, no answer included.
  void ask(const std::string& path, const std::string& body, const std::string& callers_authorization);

 private:
  [[nodiscard]] http::Response send(http::Client& client, const http::Request& request) const;
  [[nodiscard]] http::Response send_with_login(http::Client& client, http::Request request, const std::string& callers);
  [[nodiscard]] bool has_own_login() const;
  /// The login of `m_options.refresh_token`, another one than `refused`.
  [[nodiscard]] std::string own_token(const std::string& refused);
  [[nodiscard]] std::unique_ptr<http::Client> client();
  [[nodiscard]] http::ClientOptions client_options() const;
  [[noreturn]] void fail(const std::string& text, const std::string& details) const;

  WebhookOptions m_options;
  std::string m_system;
  std::chrono::seconds m_timeout;
  WebhookGate& m_gate;
  std::mutex m_mutex;
  std::vector<std::unique_ptr<http::Client>> m_clients;  ///< not in use; they keep their connections
  std::mutex m_token_mutex;
  std::string m_token;  ///< of m_options.refresh_token
  double m_token_end = 0;
  double m_token_failed = 0;  ///< when it could not be fetched
};

/// All of them, with the bodies that the original sends.
class Webhooks {
 public:
  Webhooks(const WebhookSettings& settings, WebhookGate& gate);

  /// Whether this request may be executed; throws as Webhook::ask.
  void authorize(const ApiRequest& request);
  /// Before a job is stored or removed.
  void before_create(const DataJob& job, const ApiRequest& request);
  void before_delete(const DataJob& job, const ApiRequest& request);

 private:
  Webhook m_authorization;
  Webhook m_post_create;
  Webhook m_post_delete;
};

}  // namespace vdk::control::rest
