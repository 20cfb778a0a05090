// SPDX-License-Identifier: Apache-2.0
// server, schedule preview, version
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <mutex>
#include <thread>

#include "cli/commands/commands.hpp"
#include "cli/commands/server_setup.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/control/page_sessions.hpp"
#include "vdk/control/server.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/sync.hpp"

namespace vdk::cli {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler may only touch a lock-free flag");

std::atomic<long long> first_signal_ms{0};

long long monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// The first signal asks for a clean stop, a later one ends the process. A second one right behind the first is the
/// same request: timeout(1) and supervisors signal the process and its group.
extern "C" void on_stop_signal(int) {
  constexpr int interrupted = 130;
  constexpr long long same_request_ms = 300;
  if (!stop_requested.exchange(true)) {
    first_signal_ms = monotonic_ms();
  } else if (monotonic_ms() - first_signal_ms > same_request_ms) {
    ::_exit(interrupted);
  }
}

std::atomic<bool> reload_requested{false};

extern "C" void on_reload_signal(int) { reload_requested = true; }

void catch_signals() {
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  action.sa_handler = on_stop_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_reload_signal;
  ::sigaction(SIGHUP, &action, nullptr);
}

/// Children (executions) and the services of this process find the same database. Before threads start.
void announce_to_children(control::ServerConfig& config) {
  config.given.erase("home");
  if (!config.file.empty() || !config.given.empty()) {
    // Without a file they must still look at the variables: an empty file does that.
    ::setenv("VDK_SERVER_CONFIG", config.file.empty() ? "/dev/null" : config.file.c_str(), 1);
  }
  ::setenv("VDK_CONTROL_SERVICE_HOME", config.embedded.home.c_str(), 1);
  config.given["home"] = config.embedded.home.string();  // as it will be read again on SIGHUP
}

void apply_address(const ParsedCommand& command, control::RestOptions& rest) {
  constexpr long long highest_port = 65535;
  rest.host = command.value_or("host", rest.host);
  if (const auto given = command.value("port")) {
    const auto port = text::parse_int(*given);
    if (!port || *port < 0 || *port > highest_port) {
      throw Error(ErrorKind::usage, {"invalid value for '--port'", "'" + *given + "' is not a number from 0 to 65535",
                                     "the server did not start", "give a port, for example --port 8092, or 0"});
    }
    rest.port = static_cast<int>(*port);
  }
}

void refuse_second_server(const control::EmbeddedOptions& options) {
  if (!options.database.url.empty() || !control::server_is_running(options.home)) {
    return;
  }
  std::string where;
  for (const RunningServer& server : running_servers(options.home)) {
    where = ", its process id is " + std::to_string(server.pid) + " and it listens on " + server.address;
  }
  throw Error(ErrorKind::conflict,
              {"cannot start the server", "another server runs on '" + options.home.string() + "'" + where,
               "This server does not start; the other one goes on.",
               "Stop the other server first, choose another home with VDK_CONTROL_SERVICE_HOME, or use PostgreSQL "
               "(database.url), which several servers may share."});
}

/// Without logins whoever reaches the server may do everything, so only this machine may reach it.
void refuse_open_server(const control::RestOptions& rest) {
  const std::string& host = rest.host;
  const bool here = host == "localhost" || host == "::1" || host.starts_with("127.");
  if (here || rest.security.enabled) {
    return;
  }
  if (rest.security.allow_unauthenticated_remote_access) {
    log::warning("NOBODY NEEDS A LOGIN: whoever reaches " + host +
                 " may read, change and run every job, and so run code on this machine.");
    return;
  }
  throw Error(
      ErrorKind::configuration,
      {"cannot start the server",
       "it would listen on '" + host + "' without logins: whoever reaches that address could run code on this machine",
       "The server does not start.",
       "Configure logins (security.enabled, docs/security.md), listen on 127.0.0.1 behind a proxy that checks "
       "logins, or set security.allowUnauthenticatedRemoteAccess: true if everybody there may do everything."});
}

std::string join_names(const control::PythonVersions& versions) {
  std::vector<std::string> names;
  for (const control::PythonVersion& version : versions.versions) {
    names.push_back(version.version + (version.interpreter.empty() ? "" : " (" + version.interpreter + ")"));
  }
  return names.empty() ? "none" : text::join(names, ", ");
}

/// SIGHUP: who may do what, the certificate and the supported Python versions of the file replace the present ones, or
/// everything stays as it is.
void reload_configuration(const ParsedCommand& command, const Context& context, const control::ServerConfig& running,
                          control::RestServer& rest, control::PythonCatalog& catalog, std::atomic<bool>& reload) {
  try {
    control::ServerConfig config = load_server(command);
    config.rest.host = running.rest.host;
    refuse_open_server(config.rest);
    require_interpreters(command);
    control::PythonVersions versions = server_python_versions(config, context);
    rest.reload(config.rest);
    log_config_warnings(command);
    const auto before = catalog.get();
    const std::string was = join_names(*before) + ", default " + before->default_version;
    const std::string now = join_names(versions) + ", default " + versions.default_version;
    if (was == now) {
      log::info("Configuration read again; the supported Python versions are the same.");
    } else {
      catalog.replace(std::move(versions));
      reload = true;
      log::info("Configuration read again. Supported Python versions: " + now + ". Before: " + was + ".");
    }
    if (const auto changed = control::keys_that_need_restart(running, config); !changed.empty()) {
      log::warning("changes of " + text::quoted_list(changed) + " take effect at the next start of the server");
    }
  } catch (const Error& error) {
    log::error("the configuration was not read again, the server goes on with the old one:\n" + format_error(error));
  }
}

/// The plugins of a folder, as they are at each request.
class PublishedPlugins final : public control::PluginCatalogue {
 public:
  explicit PublishedPlugins(const std::filesystem::path& folder) : m_publication(folder) {}
  std::optional<Document> index() override { return document(m_publication.index()); }
  std::optional<Document> blob(std::string_view sha256) override { return document(m_publication.blob(sha256)); }
  std::optional<Document> archive() override { return document(m_publication.archive()); }

 private:
  static std::optional<Document> document(std::optional<plugin::Publication::Document> from) {
    return from ? std::optional(Document{std::move(from->body), std::move(from->content_type), std::move(from->etag)})
                : std::nullopt;
  }
  plugin::Publication m_publication;
};

/// The background tasks and the REST server, each in its thread, until a signal or until one of them fails.
class RunningService {
 public:
  RunningService(const control::EmbeddedOptions& options, std::shared_ptr<const Clock> clock, control::RestServer& rest,
                 std::atomic<bool>& reload)
      : m_rest(rest),
        m_background([this, options, clock, &reload] {
          guarded([&] {
            control::serve_embedded(
                options, [home = options.home] { return server_target(home, &stop_requested); }, clock, stop_requested,
                reload);
          });
        }),
        m_requests([this] { guarded([&] { m_rest.run(); }); }) {}
  ~RunningService() { stop(); }
  RunningService(const RunningService&) = delete;
  RunningService& operator=(const RunningService&) = delete;

  /// Finish the requests that run, then the tasks; throws what made one of them end.
  void finish() {
    stop();
    if (m_failure) {
      std::rethrow_exception(m_failure);
    }
  }

 private:
  void stop() {
    stop_requested = true;
    m_rest.stop();
    if (m_requests.joinable()) {
      m_requests.join();
    }
    if (m_background.joinable()) {
      m_background.join();
    }
  }

  template <typename Work>
  void guarded(const Work& work) {
    try {
      work();
    } catch (...) {
      const std::scoped_lock lock(m_mutex);
      m_failure = m_failure ? m_failure : std::current_exception();
    }
    stop_requested = true;  // neither half goes on without the other
  }

  control::RestServer& m_rest;
  std::mutex m_mutex;
  std::exception_ptr m_failure;
  std::jthread m_background;
  std::jthread m_requests;
};

int serve(const ParsedCommand& command, Context& context) {
  constexpr std::chrono::milliseconds nap{50};
  control::ServerConfig config = load_server(command);
  apply_address(command, config.rest);
  refuse_open_server(config.rest);
  log_config_warnings(command);
  require_interpreters(command);
  announce_to_children(config);
  const control::EmbeddedOptions options = server_options(config, context, Interpreters::needed);
  refuse_second_server(options);
  catch_signals();
  const auto clock = context.clock();
  const auto open = [options, clock] {
    control::EmbeddedOptions own = options;
    own.caller = {};
    return control::open_embedded(std::move(own), server_target(options.home), clock);
  };
  // Asked only without logins: everybody may do everything, as the original does with security switched off.
  const auto anybody = [](std::string_view) { return std::optional(control::Caller{}); };
  (void)open();  // creates or migrates the database, and says what is wrong with it
  if (!config.plugin_dir.empty()) {
    config.rest.plugins = std::make_shared<PublishedPlugins>(config.plugin_dir);
  }
  config.rest.page_sessions = control::open_page_sessions(options, clock);
  const auto rest = control::make_rest_server(config.rest, open, anybody);
  const int port = rest->listen();
  const bool wide = config.rest.host.find(':') != std::string::npos;
  const std::string address = std::string(config.rest.tls.enabled() ? "https://" : "http://") +
                              (wide ? "[" + config.rest.host + "]" : config.rest.host) + ":" + std::to_string(port);
  const ServerNote note(options.home, {.pid = static_cast<int>(::getpid()),
                                       .address = address,
                                       .database = database_kind(options.database),
                                       .version = VDK_VERSION,
                                       .config = config.file.string(),
                                       .started = format_time(clock->now())});
  log::info("vdk server for " + options.home.string() + "; Ctrl-C stops it.");
  if (options.python->get()->versions.empty()) {
    log::warning("no working Python was found, so every deployment is refused; after installing one, send SIGHUP");
  }
  std::atomic<bool> reload{false};
  RunningService service(options, clock, *rest, reload);
  log::info("vdk server listens on " + address);
  while (!stop_requested) {
    if (reload_requested.exchange(false)) {
      reload_configuration(command, context, config, *rest, *options.python, reload);
    }
    std::this_thread::sleep_for(nap);
  }
  service.finish();
  log::info("vdk server stopped.");
  return 0;
}

}  // namespace

int run_server(const ParsedCommand& command, Context& context) {
  if (command.has("check-config")) {
    return check_server_config(command, context);
  }
  if (command.has("status")) {
    return show_server_status(command, context);
  }
  if (command.has("install")) {
    return install_server(command, context);
  }
  return command.has("uninstall") ? uninstall_server(command, context) : serve(command, context);
}

int run_schedule_preview(const ParsedCommand& command, Context& context) {
  constexpr long long most = 1000;
  const std::string wanted = command.value_or("count", "5");
  const auto count = text::parse_int(wanted);
  if (!count || *count < 1 || *count > most) {
    throw Error(ErrorKind::usage,
                {"invalid value for '--count' / '-n'", "'" + wanted + "' is not a number from 1 to 1000",
                 "nothing was done", "give how many times to show, for example -n 5"});
  }
  const std::string& expression = command.positionals.front();
  const Cron cron = Cron::parse(expression);
  Json times = Json::array();
  std::string out;
  TimePoint at = context.clock()->now();
  for (long long i = 0; i < *count; ++i) {
    const auto next = cron.next(at);
    if (!next) {
      break;
    }
    at = *next;
    times.push_back(format_time(at));
    out += format_time(at) + "\n";
  }
  if (times.empty()) {
    log::warning("the schedule '" + expression + "' is never due within the next 8 years");
  }
  print(context.json() ? dump_json(times) + "\n" : out);
  return 0;
}

int run_version(const ParsedCommand&, Context& context) {
  const std::string details = "compiler=" __VERSION__ ", standard=C++20";
  if (context.json()) {
    Json record;
    record["version"] = VDK_VERSION;
    record["build_details"] = details;
    print(dump_json(record) + "\n");
  } else {
    print("Version: " VDK_VERSION "\nBuild details: " + details + "\n");
  }
  return 0;
}

}  // namespace vdk::cli
