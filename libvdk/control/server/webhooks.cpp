// SPDX-License-Identifier: Apache-2.0
#include "control/server/webhooks.hpp"

#include <nlohmann/json.hpp>

#include "vdk/auth/login.hpp"
#include "vdk/core/clock.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using namespace std::chrono_literals;

constexpr auto k_patience = 500ms;  ///< for a place at the gate
constexpr std::size_t k_longest_answer = 64UL << 10U;
constexpr double k_early = 60;  ///< seconds before its end a token is renewed
constexpr double k_micro = 1e6;

class Place {
 public:
  explicit Place(WebhookGate& gate) : m_gate(gate), m_entered(gate.enter()) {}
  ~Place() {
    if (m_entered) {
      m_gate.leave();
    }
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] bool entered() const { return m_entered; }

 private:
  WebhookGate& m_gate;
  bool m_entered;
};

double now() { return static_cast<double>(to_unix_micros(SystemClock().now())) / k_micro; }

/// The text of a denial as it came, for whoever asked.
ApiAnswer pass_on(http::Response&& response) {
  ApiAnswer answer = empty_answer(response.status);
  if (!response.body.empty() && text::is_valid_utf8(response.body)) {
    const bool json = nlohmann::json::accept(response.body);
    answer.content_type = json ? "application/json" : "text/plain; charset=utf-8";
    answer.body = std::move(response.body);
  }
  return answer;
}

/// The fields of all bodies, in the original's order.
nlohmann::ordered_json body_of(const std::string& user, const std::string& team, const std::string& job,
                               const std::string& path, const std::string& method) {
  return {{"requester_user_id", user},
          {"requested_resource_team", team},
          {"requested_resource_name", "data-job"},
          {"requested_resource_id", job},
          {"requested_http_path", path},
          {"requested_http_verb", method},
          {"requested_resource_new_team", nullptr}};
}

std::string dumped(const nlohmann::ordered_json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string segment(const ApiRequest& request, std::string_view name, const std::string& otherwise) {
  const auto found = request.segments.find(name);
  return found == request.segments.end() ? otherwise : found->second;
}

}  // namespace

bool WebhookGate::enter() {
  std::unique_lock lock(m_mutex);
  if (!m_wake.wait_for(lock, k_patience, [&] { return m_left > 0; })) {
    return false;
  }
  --m_left;
  return true;
}

void WebhookGate::leave() {
  {
    const std::lock_guard lock(m_mutex);
    ++m_left;
  }
  m_wake.notify_one();
}

Webhook::Webhook(WebhookOptions options, std::string system, std::chrono::seconds timeout, WebhookGate& gate)
    : m_options(std::move(options)), m_system(std::move(system)), m_timeout(timeout), m_gate(gate) {}

http::ClientOptions Webhook::client_options() const {
  http::ClientOptions options;
  options.connect_timeout = std::min<std::chrono::milliseconds>(5s, m_timeout);
  options.total_timeout = m_timeout;
  options.max_body = k_longest_answer;
  options.cancelled = &m_gate.closed();
  return options;
}

std::unique_ptr<http::Client> Webhook::client() {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_clients.empty()) {
      auto kept = std::move(m_clients.back());
      m_clients.pop_back();
      return kept;
    }
  }
  return http::make_client(client_options());
}

void Webhook::fail(const std::string& text, const std::string& details) const {
  log::error(m_system + " " + m_options.uri.substr(0, m_options.uri.find('?')) + ": " + details);
  throw Refusal{503,
                {m_system + " encountered an error: " + text + ".", "The service asks it before it does anything.",
                 "The request was not executed; nothing has changed.",
                 "Send the request again a little later; when it goes on, tell the administrators of the service."}};
}

bool Webhook::has_own_login() const { return !m_options.token_endpoint.empty() && !m_options.refresh_token.empty(); }

std::string Webhook::own_token(const std::string& refused) {
  constexpr double pause = 5;
  const std::lock_guard lock(m_token_mutex);
  if (m_token.empty() || m_token == refused || now() + k_early > m_token_end) {
    if (now() < m_token_failed + pause) {
      throw Error(ErrorKind::unreachable, {"cannot log in", "its login could not be fetched a moment ago", "", ""});
    }
    m_token_failed = now();  // until it has not
    auth::LoginRequest request;
    request.flow = auth::Flow::api_token;
    request.endpoints.token = m_options.token_endpoint;
    request.token = m_options.refresh_token;
    request.http = client_options();
    const auth::Credentials login = auth::login(request);
    m_token = login.access_token;
    m_token_end = login.access_token_expiration_time;
    m_token_failed = 0;
  }
  return m_token;
}

/// With the caller's login, or with the one that the administrator has given for this address.
http::Response Webhook::send_with_login(http::Client& client, http::Request request, const std::string& callers) {
  constexpr int unauthorized = 401;
  if (!m_options.authenticate || (!has_own_login() && callers.empty())) {
    return send(client, request);
  }
  const std::string token = has_own_login() ? own_token("") : "";
  request.headers.emplace_back("Authorization", has_own_login() ? "Bearer " + token : callers);
  http::Response response = send(client, request);
  if (response.status == unauthorized && has_own_login()) {  // taken back before its time was over
    request.headers.back().second = "Bearer " + own_token(token);
    response = send(client, request);
  }
  return response;
}

/// Again after a 5xx, at once, as often as configured.
http::Response Webhook::send(http::Client& client, const http::Request& request) const {
  constexpr int server_error = 500;
  http::Response response = client.send(request);
  for (int again = 0; again < m_options.retries && response.status >= server_error && !m_gate.closed(); ++again) {
    response = client.send(request);
  }
  return response;
}

void Webhook::ask(const std::string& path, const std::string& body, const std::string& callers_authorization) {
  const Place place(m_gate);
  if (!place.entered()) {
    fail("too many requests wait for it", "it is so slow that no more requests may wait for it");
  }
  http::Response response;
  try {
    auto connection = client();
    response = send_with_login(*connection,
                               {.method = "POST",
                                .url = m_options.uri + path,
                                .headers = {{"Content-Type", "application/json"}, {"Accept", "*/*"}},
                                .body = body},
                               callers_authorization);
    const std::lock_guard lock(m_mutex);
    m_clients.push_back(std::move(connection));
  } catch (const Error& error) {
    fail("it gives no answer", error.text().why);
  }
  const int status = response.status;
  constexpr int hundred = 100;
  if (status / hundred == 4) {
    throw PassedOn{pass_on(std::move(response))};
  }
  if (status / hundred != 2) {
    const std::string why = "Webhook server returned non successful status code: " + std::to_string(status);
    fail(why, why);
  }
}

Webhooks::Webhooks(const WebhookSettings& settings, WebhookGate& gate)
    : m_authorization(settings.authorization, "Authorization Server", settings.timeout, gate),
      m_post_create(settings.post_create, "Webhook Server", settings.timeout, gate),
      m_post_delete(settings.post_delete, "Webhook Server", settings.timeout, gate) {}

void Webhooks::authorize(const ApiRequest& request) {
  if (!m_authorization.configured()) {
    return;
  }
  const std::string team = segment(request, "team_name", "");
  const std::string job = request.parameter("name").value_or(segment(request, "job_name", ""));
  auto body = body_of(request.user, team, job, request.path, request.method);
  body["requested_resource_new_team"] = segment(request, "new_team", team);
  body["requested_permission"] = request.method == "GET" || request.method == "HEAD" ? "read" : "write";
  m_authorization.ask("", dumped(body), request.authorization);
}

void Webhooks::before_create(const DataJob& job, const ApiRequest& request) {
  const std::string path = "/data-jobs/for-team/" + job.team + "/jobs";
  if (m_post_create.configured()) {
    m_post_create.ask("/data-jobs/for-team/" + percent_encode(job.team) + "/jobs",
                      dumped(body_of(request.user, job.team, job.job_name, path, "POST")), request.authorization);
  }
}

void Webhooks::before_delete(const DataJob& job, const ApiRequest& request) {
  const std::string path = "/data-jobs/for-team/" + job.team + "/jobs/" + job.job_name;
  if (m_post_delete.configured()) {
    m_post_delete.ask("/data-jobs/for-team/" + percent_encode(job.team) + "/jobs/" + percent_encode(job.job_name),
                      dumped(body_of(request.user, job.team, job.job_name, path, "DELETE")), request.authorization);
  }
}

}  // namespace vdk::control::rest
