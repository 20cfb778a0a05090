// SPDX-License-Identifier: Apache-2.0
// Login and logout.
#include "cli/command_table.hpp"

namespace vdk::cli {
namespace {

Option value(std::string name, std::string letter, std::string metavar, std::string help) {
  return {.long_name = std::move(name),
          .short_name = std::move(letter),
          .metavar = std::move(metavar),
          .help = std::move(help)};
}

Option flag(std::string name, std::string help) {
  return {.long_name = std::move(name), .help = std::move(help), .kind = OptionKind::flag};
}

Command login_command() {
  Option type = value("auth-type", "t", "TYPE",
                      "credentials logs a person in, client-credentials a machine, api-token exchanges a token. "
                      "Default: credentials with --issuer, else api-token.");
  type.aliases = {"type"};
  type.choices = {"api-token", "credentials", "client-credentials"};
  Option store = value("store", "", "WHERE", "Where the secret parts of the login are kept.");
  store.choices = {"file", "keyring"};
  store.default_value = "file";
  Option token_file = value("token-file", "", "FILE", "Store the access token of this file, got elsewhere.");
  token_file.completion = Completion::file;
  Option timeout = value("timeout", "", "SECONDS", "Give up when nobody has logged in after this time.");
  timeout.default_value = "300";
  Option client = value("client-id", "i", "ID", "Id under which the login provider knows vdk.");
  client.default_value = "vdk-cli with --issuer";
  return {.name = "login",
          .summary = "Log in at the login provider of a control service.",
          .description =
              "Logs in through a browser, with a code for machines without one, or as a machine, and keeps the tokens "
              "in vdk-cred.json, which the original client reads too. Secrets on the command line are visible to other "
              "users of this machine: prefer the options that read standard input.",
          .examples = {{"vdk login --issuer https://login.example.com", "Log in with a browser."},
                       {"vdk login --issuer https://login.example.com --device",
                        "Log in with the browser of another "
                        "machine."},
                       {"vdk login --issuer https://login.example.com -t client-credentials -i ci "
                        "--client-secret-stdin < secret",
                        "Log a machine in."},
                       {"vdk login -u https://login.example.com/token --api-token-stdin < token",
                        "Exchange an API token, as the original does."}},
          .options = {std::move(type),
                      value("issuer", "", "URL", "Login provider; its endpoints are discovered."),
                      value("api-token-authorization-url", "u", "URL", "Address at which the API token is exchanged."),
                      value("api-token", "a", "TOKEN", "API token; prefer --api-token-stdin."),
                      flag("api-token-stdin", "Read the API token from standard input."),
                      std::move(client),
                      value("client-secret", "s", "SECRET", "Secret of the client; prefer --client-secret-stdin."),
                      flag("client-secret-stdin", "Read the client's secret from standard input."),
                      value("oauth2-discovery-url", "d", "URL", "Address that the browser opens, without --issuer."),
                      value("oauth2-exchange-url", "e", "URL", "Address of the tokens, without --issuer."),
                      flag("device", "Show a code to enter on another machine; chosen by itself over SSH."),
                      flag("no-browser", "Print the address and open no browser."),
                      value("scope", "", "SCOPES", "What the tokens are for, separated by spaces."),
                      value("audience", "", "AUDIENCE", "Audience of the tokens, where the provider asks for one."),
                      value("resource", "", "URI", "Resource of the tokens (RFC 8707)."),
                      std::move(token_file),
                      flag("token-stdin", "Store the access token on standard input, got elsewhere."),
                      std::move(store),
                      std::move(timeout),
                      flag("events", "Print what happens as JSON lines, for a program that drives the login.")},
          .exit_codes = {1}};
}

}  // namespace

std::vector<Command> auth_commands() {
  return {login_command(),
          {.name = "logout",
           .summary = "Forget the login of this machine.",
           .description = "Tells the login provider that the tokens are not wanted any more, where it can be told, and "
                          "deletes them.",
           .examples = {{"vdk logout", "Log out."}},
           .exit_codes = {1}},
          {.name = "auth status",
           .summary = "Show who is logged in, until when, and from where.",
           .description = "Prints no secret and asks nobody. Exit code 4 when nobody is logged in.",
           .examples = {{"vdk auth status", "Who am I?"}},
           .exit_codes = {1, 4}}};
}

}  // namespace vdk::cli
