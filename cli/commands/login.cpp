// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands/auth_setup.hpp"
#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/auth/login.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

/// The original's sentence about what is missing; it names the secret too, which is optional.
constexpr const char* missing_arguments =
    "Login type: credentials requires arguments:, --client-secret, --client-id, --oauth2-exchange-url, "
    "--oauth2-discovery-url\n";
constexpr const char* banner = "\xC2\xAF\\_(\xE3\x83\x84)_/\xC2\xAF";

struct MissingArguments {};

std::string only_line(const std::string& text, const std::string& flag) {
  std::string line(text::trim(text));
  if (line.empty() || line.find_first_of("\r\n") != std::string::npos) {
    throw Error(ErrorKind::usage,
                {"cannot read the secret for " + flag, line.empty() ? "there is none" : "there is more than one line",
                 "nobody was logged in", "give the secret alone"});
  }
  return line;
}

void warn_of_argv(const ParsedCommand& command, const char* option) {
  if (command.has(option)) {
    log::warning("--" + std::string(option) + " is visible to other users of this machine while vdk runs; --" + option +
                 "-stdin is not");
  }
}

void check_inputs(const ParsedCommand& command) {
  const char* inputs[] = {"api-token-stdin", "client-secret-stdin", "token-stdin"};
  if (std::count_if(std::begin(inputs), std::end(inputs), [&](const char* name) { return command.has(name); }) > 1) {
    throw Error(ErrorKind::usage, {"cannot read two secrets from standard input", "more than one option asks for it",
                                   "nobody was logged in", "give one of them in another way"});
  }
  warn_of_argv(command, "api-token");
  warn_of_argv(command, "client-secret");
}

bool over_ssh() {
  const auto set = [](const char* name) { return !process::environment(name).value_or("").empty(); };
  return set("SSH_CONNECTION") && !set("DISPLAY") && !set("WAYLAND_DISPLAY") && !set("BROWSER");
}

auth::Flow flow_of(const ParsedCommand& command) {
  if (command.has("token-file") || command.has("token-stdin")) {
    return auth::Flow::given_token;
  }
  const std::string fallback = command.has("issuer") || command.has("device") ? "credentials" : "api-token";
  const std::string type = text::lower(command.value_or("auth-type", fallback));
  if (type == "api-token") {
    return auth::Flow::api_token;
  }
  if (type == "client-credentials") {
    return auth::Flow::client_credentials;
  }
  return command.has("device") ? auth::Flow::device_code : auth::Flow::authorization_code;
}

int redirect_port(bool original) {
  constexpr int highest = 65535;
  constexpr int original_port = 31113;  // what providers of the original have registered
  const auto set = process::environment("OAUTH2_REDIRECT_URI_PORT");
  if (!set || set->empty()) {
    return original ? original_port : 0;
  }
  const auto port = text::parse_int(*set);
  if (!port || *port < 0 || *port > highest) {
    throw Error(ErrorKind::configuration, {"invalid value for OAUTH2_REDIRECT_URI_PORT", "'" + *set + "' is no port",
                                           "nobody was logged in", "give a number from 0 to 65535"});
  }
  return static_cast<int>(*port);
}

std::string token_for(const ParsedCommand& command, auth::Flow flow) {
  if (flow == auth::Flow::given_token) {
    const bool file = command.has("token-file");
    return only_line(file ? files::read(*command.value("token-file")) : read_standard_input(),
                     file ? "--token-file" : "--token-stdin");
  }
  if (flow != auth::Flow::api_token) {
    return {};
  }
  if (command.has("api-token-stdin")) {
    return only_line(read_standard_input(), "--api-token-stdin");
  }
  const std::string given = command.value_or("api-token", "");
  return given.empty() ? prompt_hidden("Oauth2 API token", "--api-token-stdin") : given;
}

auth::Endpoints endpoints_for(const ParsedCommand& command, const http::ClientOptions& http, auth::Flow flow) {
  const bool api_token = flow == auth::Flow::api_token;
  if (const auto issuer = command.value("issuer")) {
    return auth::discover(*issuer, http);
  }
  auth::Endpoints endpoints;
  endpoints.token = command.value_or(api_token ? "api-token-authorization-url" : "oauth2-exchange-url", "");
  endpoints.authorization = command.value_or("oauth2-discovery-url", "");
  if (api_token && endpoints.token.empty()) {
    throw Error(ErrorKind::login,
                {"Unable to log in.", "auth_url was not specified.",
                 "Authentication is not possible. All subsequent requests to Control Service will not be "
                 "authenticated.",
                 "Provide a valid authorization url with --api-token-authorization-url, or --issuer."});
  }
  const bool browser = flow == auth::Flow::authorization_code;
  if (!api_token &&
      (endpoints.token.empty() || !command.has("client-id") || (browser && endpoints.authorization.empty()))) {
    throw MissingArguments{};
  }
  auth::require_safe_address(endpoints.token, api_token ? "--api-token-authorization-url" : "--oauth2-exchange-url");
  if (browser) {
    auth::require_safe_address(endpoints.authorization, "--oauth2-discovery-url");
  }
  return endpoints;
}

auth::LoginRequest request_for(const ParsedCommand& command, const Context& context) {
  auth::LoginRequest request;
  request.http = http_options(context.settings());
  request.flow = flow_of(command);
  if (request.flow == auth::Flow::given_token) {
    request.token = token_for(command, request.flow);
    return request;
  }
  const bool discovered = command.has("issuer");
  request.endpoints = endpoints_for(command, request.http, request.flow);
  if (request.flow == auth::Flow::authorization_code && over_ssh() && !request.endpoints.device.empty() &&
      !command.has("no-browser")) {
    request.flow = auth::Flow::device_code;
  }
  const bool person = request.flow == auth::Flow::authorization_code || request.flow == auth::Flow::device_code;
  request.client_id =
      command.value_or("client-id", discovered && request.flow != auth::Flow::api_token ? "vdk-cli" : "");
  request.client_secret = command.has("client-secret-stdin") ? only_line(read_standard_input(), "--client-secret-stdin")
                                                             : command.value_or("client-secret", "");
  if (request.flow == auth::Flow::client_credentials && request.client_secret.empty()) {
    request.client_secret = prompt_hidden("Client secret", "--client-secret-stdin");
  }
  request.token = token_for(command, request.flow);
  request.scope = command.value_or("scope", discovered && person ? "openid offline_access" : "");
  request.audience = command.value_or("audience", "");
  request.resource = command.value_or("resource", "");
  request.open_browser = !command.has("no-browser");
  request.port = redirect_port(!discovered);
  request.redirect_path = discovered ? "/callback" : "";
  constexpr long long longest = 3600;
  const auto seconds = text::parse_int(command.value_or("timeout", "300"));
  if (!seconds || *seconds < 1 || *seconds > longest) {
    throw Error(ErrorKind::usage, {"invalid value for '--timeout'", "it is not between 1 and 3600",
                                   "nobody was logged in", "give a number of seconds"});
  }
  request.timeout = std::chrono::seconds(*seconds);
  return request;
}

void print_event(const Json& event) { print(dump_json(event) + "\n"); }

void show_as_json(const auth::LoginEvent& event) {
  switch (event.kind) {
    case auth::LoginEvent::Kind::url:
      print_event({{"event", "url"}, {"url", event.url}, {"opened", event.opened}, {"expires_in", event.expires_in}});
      break;
    case auth::LoginEvent::Kind::device_code:
      print_event({{"event", "device_code"},
                   {"verification_uri", event.short_url},
                   {"verification_uri_complete", event.url},
                   {"user_code", event.user_code},
                   {"expires_in", event.expires_in}});
      break;
    case auth::LoginEvent::Kind::waiting:
      print_event({{"event", "waiting"}});
      break;
  }
}

void show_to_person(const auth::LoginEvent& event) {
  switch (event.kind) {
    case auth::LoginEvent::Kind::url:
      log::info((event.opened ? "A browser was opened. If it shows nothing, open this address:\n"
                              : "Open this address in a browser on this machine:\n") +
                event.url);
      break;
    case auth::LoginEvent::Kind::device_code:
      log::info("Open " + event.short_url + " on any machine and enter the code " + event.user_code +
                (event.url == event.short_url ? "" : "\nor open " + event.url));
      break;
    case auth::LoginEvent::Kind::waiting:
      log::info("Waiting for the login ... Ctrl-C gives up.");
      break;
  }
}

/// The original's shape of a failed login, on standard output.
int report_failure(const Error& error) {
  const ErrorText& text = error.text();
  print(std::string("Login failed. Error was: ") + banner + "\n\nWhat: " + text.what + "\nWhy: " + text.why +
        "\nConsequences: " + text.consequences + "\nCountermeasures: " + text.countermeasures + "\n\n");
  return 1;
}

int fail(const Error& error, bool events, bool json) {
  if (events) {
    Json event = {{"event", "error"}};
    event.update(error_to_json(error));
    print_event(event);
    return 1;
  }
  if (json) {
    throw Error(ErrorKind::operation, error.text());  // exit code 1, as the original has for a failed login
  }
  return report_failure(error);
}

}  // namespace

int run_login(const ParsedCommand& command, Context& context) {
  const bool events = command.has("events");
  check_inputs(command);
  try {
    auth::LoginRequest request = request_for(command, context);
    request.on_event = events ? show_as_json : show_to_person;
    auth::Credentials credentials = auth::login(request);
    credentials.keyring = text::lower(command.value_or("store", "file")) == "keyring";
    const auth::CredentialFile file;
    files::make_private_directory(file.path().parent_path());
    const auto lock = files::FileLock::acquire(file.lock_path());
    file.save(credentials);
    if (events) {
      print_event({{"event", "done"}, {"user", credentials.user}});
    } else {
      print(context.json() ? dump_json(Json{{"logged_in", true}, {"user", credentials.user}}) + "\n"
                           : "Login Successful\n");
    }
    return 0;
  } catch (const MissingArguments&) {
    if (events || context.json()) {
      return fail(Error(ErrorKind::usage, {"Failed to login", std::string(text::trim(missing_arguments)),
                                           "nobody was logged in", "give --issuer, or these arguments"}),
                  events, context.json());
    }
    print(missing_arguments);
    return 1;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::usage && !events) {
      throw;
    }
    return fail(error, events, context.json());
  }
}

}  // namespace vdk::cli
