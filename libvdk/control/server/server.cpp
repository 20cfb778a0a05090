// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/server.hpp"

#include <algorithm>
#include <chrono>

#include "control/server/audit.hpp"
#include "control/server/auth_limit.hpp"
#include "control/server/auth_service.hpp"
#include "control/server/page.hpp"
#include "control/server/page_html.hpp"
#include "control/server/page_login.hpp"
#include "control/server/protocol.hpp"
#include "control/server/reactor.hpp"
#include "control/server/routes.hpp"
#include "control/server/service_pool.hpp"
#include "control/server/tls.hpp"
#include "control/server/webhooks.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using namespace rest;
using SteadyClock = std::chrono::steady_clock;

constexpr int k_workers = 16;

/// Those that wait for webhooks leave the others to the rest of the work.
int workers_for(const RestOptions& options) {
  const WebhookSettings& hooks = options.security.webhooks;
  const bool asks =
      !hooks.authorization.uri.empty() || !hooks.post_create.uri.empty() || !hooks.post_delete.uri.empty();
  return std::clamp(options.limits.max_concurrent_requests, 1, asks ? 2 * k_workers : k_workers);
}

/// The value of a header when there is one.
std::string header(const RawRequest& raw, std::string_view name) {
  const auto found = raw.headers.find(name);
  return found == raw.headers.end() ? std::string() : found->second;
}

/// The caller's operation id when it is one line of plain characters, else one as the original makes it.
std::string op_id_of(const RawRequest& raw) {
  std::string id = header(raw, "x-opid");
  const bool plain =
      !id.empty() && id.size() <= 100 && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (plain) {
    return id;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return "0" + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Browser browser_of(const RawRequest& raw) {
  return {.cookies = header(raw, "cookie"),
          .host = header(raw, "host"),
          .origin = header(raw, "origin"),
          .fetch_site = header(raw, "sec-fetch-site")};
}

std::vector<Route> all_routes(const Metrics& metrics, const RestOptions& options) {
  std::vector<Route> result = system_routes(metrics, options.api_version);
  for (std::vector<Route> part :
       {job_routes(), deployment_routes(), execution_routes(), data_routes(), plugin_routes(options.plugins)}) {
    std::move(part.begin(), part.end(), std::back_inserter(result));
  }
  return result;
}

ApiAnswer page_answer(const PageFile& file, const ApiRequest& request) {
  const bool known = matches_etag(request.if_none_match, file.etag);
  ApiAnswer answer{
      known ? 304 : 200, known ? "" : std::string(file.content_type), known ? "" : std::string(file.content), {}};
  answer.headers = {{"ETag", file.etag}, {"Cache-Control", "no-cache"}};
  add_page_headers(answer);
  return answer;
}

class Server final : public RestServer {
 public:
  Server(RestOptions options, OpenService open, Authenticate authenticate)
      : m_options(std::move(options)),
        m_gate(std::max(1, workers_for(m_options) * 3 / 4)),
        m_access(std::make_shared<Access>(m_options, m_options.security, nullptr, m_gate)),
        m_limit(m_options.security.failed_logins, m_options.security.failed_logins_per_minute),
        m_authenticate(std::move(authenticate)),
        m_pool(std::move(open), m_metrics),
        m_router(all_routes(m_metrics, m_options)),
        m_protocol([this](RawRequest& raw) { return handle(raw); }, m_options.limits.keep_alive),
        m_reactor(
            m_options.limits, workers_for(m_options),
            [this](Exchange& exchange) { return m_protocol.answer(exchange); }, is_express, m_metrics) {
    if (m_options.tls.enabled()) {
      use_tls(m_options.tls);
    }
  }

  int listen() override { return m_reactor.listen(m_options.host, m_options.port); }
  void run() override {
    m_reactor.run();
    m_gate.close();
  }
  void stop() override {
    present()->page->stop();
    m_reactor.stop();
  }

  void reload(const RestOptions& next) override {
    const auto tls = m_options.tls.enabled() && next.tls.enabled() ? std::make_shared<const Tls>(next.tls) : nullptr;
    const auto access = std::make_shared<Access>(m_options, next.security, present().get(), m_gate);
    if (tls) {
      announce(*tls);
      m_reactor.use_tls(tls);
    }
    m_limit.change(next.security.failed_logins, next.security.failed_logins_per_minute);
    const std::lock_guard lock(m_access_mutex);
    m_access = access;
  }

 private:
  /// What decides about a request: it sees one state of the configuration from its beginning to its end.
  struct Access {
    Access(const RestOptions& rest, const SecurityOptions& from, const Access* previous, WebhookGate& gate)
        : options(from),
          login(from.enabled ? std::make_unique<Authenticator>(from, previous ? previous->login.get() : nullptr)
                             : nullptr),
          page(std::make_unique<PageLogin>(from, rest.page_sessions, rest.tls.enabled())),
          audit(from.audit_log),
          webhooks(std::make_unique<Webhooks>(from.webhooks, gate)) {}
    SecurityOptions options;
    std::unique_ptr<Authenticator> login;  ///< null while everybody may do everything
    std::unique_ptr<PageLogin> page;
    Audit audit;
    std::unique_ptr<Webhooks> webhooks;
  };

  [[nodiscard]] std::shared_ptr<Access> present() const {
    const std::lock_guard lock(m_access_mutex);
    return m_access;
  }

  void use_tls(const TlsOptions& options) {
    auto tls = std::make_shared<const Tls>(options);
    announce(*tls);
    m_reactor.use_tls(std::move(tls));
  }

  static void announce(const Tls& tls) { log::info("Connections are encrypted; certificate: " + tls.describe() + "."); }

  ApiAnswer handle(RawRequest& raw) {
    const auto begin = SteadyClock::now();
    ApiRequest request;
    request.method = raw.method;
    request.op_id = op_id_of(raw);
    request.address = raw.peer;
    std::string_view route = "-";
    const auto access = present();
    ApiAnswer answer = guarded(*access, raw, request, route);
    answer.headers.emplace_back("X-OPID", request.op_id);
    const auto duration = SteadyClock::now() - begin;
    m_metrics.count_request(request.method, route, answer.status, duration);
    log_request(request, answer, duration);
    access->audit.note(request, request.address, answer.status);
    return answer;
  }

  /// Every failure becomes an answer; what was not expected tells its reason to the log only.
  ApiAnswer guarded(const Access& access, RawRequest& raw, ApiRequest& request, std::string_view& route) {
    try {
      return routed(access, raw, request, route);
    } catch (const EmptyAnswer& answer) {
      return empty_answer(answer.status);
    } catch (PassedOn& passed) {
      return std::move(passed.answer);
    } catch (const Refusal& refusal) {
      return error_answer(refusal.status, refusal.text);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::internal) {
        if (http_status(error.kind()) == 503) {
          log::warning(request.method + " " + request.path + " op " + request.op_id + ": " + error.what());
        }
        return error_answer(error);
      }
      return bug(request, error.what());
    } catch (const std::exception& error) {
      return bug(request, error.what());
    }
  }

  static ApiAnswer bug(const ApiRequest& request, const char* why) {
    log::error("bug in " + request.method + " " + request.path + " op " + request.op_id + ": " + why);
    return error_answer(500, {"A coding error (bug) was found.", "The service did not expect what happened.",
                              "The request may not have been executed.",
                              "Report the bug with the operation id " + request.op_id + "."});
  }

  ApiAnswer routed(const Access& access, RawRequest& raw, ApiRequest& request, std::string_view& route) {
    const auto question = raw.target.find('?');
    request.path = raw.target.substr(0, question);
    if (request.path == "*" && request.method == "OPTIONS") {
      return options_answer({"GET", "POST", "PUT", "PATCH", "DELETE"});
    }
    if (!request.path.starts_with('/')) {
      throw bad_parameter("path", "a path that begins with /", "'" + request.path + "'");
    }
    request.if_none_match = header(raw, "if-none-match");
    if (request.method == "GET" || request.method == "HEAD") {
      if (const auto file = page_file(request.path)) {
        route = "/";
        return page_answer(*file, request);
      }
    }
    if (PageLogin::answers(request.path)) {
      route = "/login";
      return access.page->answer(request, question == std::string::npos ? "" : raw.target.substr(question + 1),
                                 browser_of(raw), access.login.get(), m_limit);
    }
    Match match = m_router.find(request.method, request.path);
    if (match.route == nullptr) {
      return unrouted(request, match);
    }
    route = match.route->path;
    request.segments = std::move(match.segments);
    if (question != std::string::npos) {
      request.query = parse_query(std::string_view(raw.target).substr(question + 1));
    }
    const std::string type = header(raw, "content-type");
    request.content_type = text::lower(text::trim(type.substr(0, type.find(';'))));
    request.body = std::move(raw.body);
    return served(access, *match.route, request, raw);
  }

  ApiAnswer served(const Access& access, const Route& route, ApiRequest& request, const RawRequest& raw) {
    request.authorization = header(raw, "authorization");
    Principal principal{.user = {}, .all_teams = true, .teams = {}};
    if (needs_login(access, route)) {
      try {
        principal = who(access, route, raw, request);
      } catch (const LoginRefusal& refusal) {
        return refused(refusal, request);
      }
      request.user = principal.user;
      check_team(route, request, principal);
    }
    request.webhooks = access.webhooks.get();
    if (access.login && route.login) {
      access.webhooks->authorize(request);
    }
    if (route.serve_alone) {
      return route.serve_alone(request);
    }
    ServicePool::Lease lease = m_pool.lease();
    try {
      (*lease).act_as({principal.user, request.op_id});
      if (principal.all_teams) {
        return route.serve(*lease, request);
      }
      const auto restricted = restrict_service(*lease, principal);
      return route.serve(*restricted, request);
    } catch (const EmptyAnswer&) {
      throw;
    } catch (const PassedOn&) {
      throw;
    } catch (const Refusal&) {
      throw;
    } catch (const Error& error) {
      const int status = http_status(error.kind());
      if (status == 500 || status == 503) {
        lease.is_broken();
      }
      throw;
    } catch (...) {
      lease.is_broken();
      throw;
    }
  }

  [[nodiscard]] static bool needs_login(const Access& access, const Route& route) {
    return route.login ||
           (access.login && !access.options.metrics_without_login && route.path == "/data-jobs/debug/prometheus");
  }

  [[nodiscard]] Principal who(const Access& access, const Route& route, const RawRequest& raw,
                              ApiRequest& request) const {
    if (access.login && route.page && request.authorization.empty()) {
      if (auto person = access.page->who(browser_of(raw), *access.login)) {
        request.authorization = "Bearer " + person->token;
        return person->principal;
      }
    }
    if (access.login) {
      return access.login->check(request.authorization);
    }
    const auto found = m_authenticate ? m_authenticate(request.authorization) : std::optional<Caller>(Caller());
    if (!found) {
      throw LoginRefusal{401, "", false};
    }
    return {.user = found->user, .all_teams = true, .teams = {}};
  }

  /// Before anything else is looked at: nobody learns by the answer what another team has.
  static void check_team(const Route& route, const ApiRequest& request, const Principal& principal) {
    if (!route.any_team && request.segments.contains("team_name")) {
      require_team(principal, request.team());
    }
    if (const auto target = request.segments.find("new_team"); target != request.segments.end()) {
      require_team(principal, target->second);
    }
  }

  ApiAnswer refused(const LoginRefusal& refusal, const ApiRequest& request) {
    if (refusal.status == 401) {
      const int wait = refusal.tried ? m_limit.fail(request.address, SteadyClock::now()) : 0;
      if (wait > 0) {
        ApiAnswer answer = error_answer(
            429, {"Too many wrong logins.", "the last one: " + refusal.why,
                  "The request was not executed; nothing has changed.", "Log in again, then send the request again."});
        answer.headers.emplace_back("Retry-After", std::to_string(wait));
        return answer;
      }
      if (refusal.tried) {
        log::warning("wrong login from " + request.address + " op " + request.op_id + ": " + refusal.why);
      }
      ApiAnswer answer = empty_answer(401);
      answer.headers.emplace_back(
          "WWW-Authenticate",
          refusal.tried ? R"(Bearer error="invalid_token", error_description=")" + refusal.why + '"' : "Bearer");
      return answer;
    }
    return error_answer(refusal.status,
                        {refusal.status == 403 ? "You may not use this service." : "The login cannot be checked.",
                         refusal.why, "The request was not executed; nothing has changed.",
                         refusal.status == 403 ? "Ask the administrator of the service for access."
                                               : "Send the request again a little later."});
  }

  static ApiAnswer options_answer(std::vector<std::string_view> methods) {
    ApiAnswer answer = empty_answer(204);
    answer.headers.emplace_back("Allow", allow(std::move(methods)));
    return answer;
  }

  static std::string allow(std::vector<std::string_view> methods) {
    std::string result = "OPTIONS";
    for (const std::string_view method : methods) {
      result += ", ";
      result += method;
      result += method == "GET" ? ", HEAD" : "";
    }
    return result;
  }

  static ApiAnswer unrouted(const ApiRequest& request, const Match& match) {
    std::vector<std::string_view> methods = match.methods;
    if (methods.empty() && page_file(request.path)) {
      methods = {"GET"};
    }
    if (methods.empty()) {
      return error_answer(404, {"There is nothing at this address.", "the service has no path " + request.path,
                                "The request was not executed; nothing has changed.",
                                "The API's paths are listed at /data-jobs/api-docs."});
    }
    if (request.method == "OPTIONS") {
      return options_answer(methods);
    }
    ApiAnswer answer =
        error_answer(405, {"The method " + request.method + " is not allowed here.",
                           "this address answers " + allow(methods) + " only",
                           "The request was not executed; nothing has changed.", "Use one of these methods."});
    answer.headers.emplace_back("Allow", allow(methods));
    return answer;
  }

  static void log_request(const ApiRequest& request, const ApiAnswer& answer, SteadyClock::duration duration) {
    const bool mutating = request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
    if (!mutating && log::level() != log::Level::debug) {
      return;
    }
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    const std::string line = request.method + " " + request.path + " " + std::to_string(answer.status) + " op " +
                             request.op_id + " user " + (request.user.empty() ? "-" : request.user) + " " +
                             std::to_string(millis) + " ms";
    mutating ? log::info(line) : log::debug(line);
  }

  RestOptions m_options;
  WebhookGate m_gate;
  mutable std::mutex m_access_mutex;
  std::shared_ptr<Access> m_access;
  LoginLimit m_limit;
  Authenticate m_authenticate;
  Metrics m_metrics;
  ServicePool m_pool;
  Router m_router;
  Protocol m_protocol;
  Reactor m_reactor;
};

}  // namespace

std::unique_ptr<RestServer> make_rest_server(RestOptions options, OpenService open, Authenticate authenticate) {
  return std::make_unique<Server>(std::move(options), std::move(open), std::move(authenticate));
}

}  // namespace vdk::control
