// SPDX-License-Identifier: Apache-2.0
// The keys that say how the server is reached, whom it asks and what else it gives away: encryption, webhooks, plugins.
#include <algorithm>
#include <cctype>

#include "control/server/config_keys.hpp"
#include "control/server/config_values.hpp"
#include "control/server/tls.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

using Text = const std::string&;

using Specs = std::vector<KeySpec>;
using Apply = Verdict (*)(Draft&, Text);

WebhookSettings& hooks(Draft& draft) { return draft.config.rest.security.webhooks; }

KeySpec key(std::string name, std::string help, Apply apply, std::string default_value = {}, bool secret = false) {
  return spec(std::move(name), std::move(default_value), std::move(help), apply, {}, secret);
}

Verdict set_path(const Draft& draft, std::filesystem::path& target, Text text) {
  target = draft_path(draft, text);
  return std::nullopt;
}

Verdict set_retries(WebhookOptions& hook, Text text) {
  constexpr long long most = 10;
  long long value = 0;
  auto verdict = read_number(value, text, 0, most);
  hook.retries = static_cast<int>(value);
  return verdict;
}

/// Plain http to other machines is looked at together with the other keys.
Verdict set_uri(WebhookOptions& hook, Text text) {
  constexpr std::string_view plain = "http://";
  auto verdict = check_safe_address(text.starts_with(plain) ? "https://" + text.substr(plain.size()) : text);
  hook.uri = verdict ? "" : text;
  return verdict;
}

Verdict set_endpoint(WebhookOptions& hook, Text text) {
  hook.token_endpoint = text;
  return check_safe_address(text);
}

Verdict set_token(WebhookOptions& hook, Text text) {
  hook.refresh_token = text;
  return std::nullopt;
}

/// One address; a member function of its options would not fit into the table's pointers to functions.
template <WebhookOptions WebhookSettings::*Hook>
Specs webhook_specs(const std::string& address, const std::string& rest, const std::string& first,
                    const std::string& when, int retries) {
  const auto name = [&](std::string word) {
    word.front() = static_cast<char>(rest.empty() ? std::tolower(word.front()) : word.front());
    return first + rest + word;
  };
  return {
      key(address, "Asked with POST " + when + ".", [](Draft& d, Text t) { return set_uri(hooks(d).*Hook, t); }),
      key(
          name("InternalErrorsRetries"), "Asked again after a 5xx, so often; 503 then.",
          [](Draft& d, Text t) { return set_retries(hooks(d).*Hook, t); }, std::to_string(retries)),
      key(
          name("AuthenticationEnabled"), "Send a bearer token: the caller's, or one that the refresh token gives.",
          [](Draft& d, Text t) { return set_bool((hooks(d).*Hook).authenticate, t); }, "false"),
      key(name("AuthorizationServerEndpoint"), "Token endpoint where the refresh token gives access tokens.",
          [](Draft& d, Text t) { return set_endpoint(hooks(d).*Hook, t); }),
      key(
          name("AuthorizationRefreshToken"), "Refresh token for the webhook.",
          [](Draft& d, Text t) { return set_token(hooks(d).*Hook, t); }, "", true),
      key(name("AuthorizationRefreshTokenFile"), "File that holds it.",
          [](Draft& d, Text t) { return set_from_file(d, (hooks(d).*Hook).refresh_token, t); }),
  };
}

Specs all_webhook_specs() {
  Specs all = {key(
      "security.authorizationEnabled", "Ask security.authorization.webhookUri whether a request may be executed.",
      [](Draft& d, Text t) { return set_bool(d.asks_webhook, t); }, "false")};
  const std::string authorization = "security.authorization.";
  for (Specs& part : std::vector{
           webhook_specs<&WebhookSettings::authorization>(authorization + "webhookUri", "webhook", authorization,
                                                          "about every request of somebody who is logged in", 1),
           webhook_specs<&WebhookSettings::post_create>("webHooks.postCreate.webhookUri", "", "webHooks.postCreate.",
                                                        "before a job is created", 3),
           webhook_specs<&WebhookSettings::post_delete>("webHooks.postDelete.webhookUri", "", "webHooks.postDelete.",
                                                        "before a job is deleted", 3)}) {
    std::move(part.begin(), part.end(), std::back_inserter(all));
  }
  all.push_back(key(
      "webHooks.timeoutSeconds", "Until a webhook has answered; 503 then.",
      [](Draft& d, Text t) {
        constexpr long long most = 300;
        long long value = 0;
        auto verdict = read_number(value, t, 1, most);
        hooks(d).timeout = std::chrono::seconds(value);
        return verdict;
      },
      "10"));
  return all;
}

}  // namespace

std::vector<KeySpec> connection_specs() {
  Specs all = {
      key("tls.certificate", "PEM file of the server's certificate and its chain: connections are encrypted.",
          [](Draft& d, Text t) { return set_path(d, d.config.rest.tls.certificate, t); }),
      key("tls.key", "PEM file of its private key, without a passphrase, for this user only.",
          [](Draft& d, Text t) { return set_path(d, d.config.rest.tls.key, t); }),
      key("plugins.plugin_dir", "Folder of `vdk plugin install` whose YAML plugins clients may sync.",
          [](Draft& d, Text t) { return set_path(d, d.config.plugin_dir, t); }),
  };
  Specs hooks = all_webhook_specs();
  std::move(hooks.begin(), hooks.end(), std::back_inserter(all));
  return all;
}

}  // namespace vdk::control::server_config

namespace vdk::control {

std::vector<ConfigProblem> check_certificate(const ServerConfigResult& result) {
  std::vector<ConfigProblem> problems;
  const TlsOptions& tls = result.config.rest.tls;
  if (!tls.enabled() || tls.key.empty()) {
    return problems;
  }
  for (const rest::TlsProblem& found : rest::check_tls_files(tls)) {
    ConfigProblem problem{.key = found.key_file ? "tls.key" : "tls.certificate",
                          .message = found.message,
                          .hint = found.hint,
                          .warning = found.warning};
    if (const auto at = result.positions.find(problem.key); at != result.positions.end()) {
      std::tie(problem.line, problem.column) = at->second;
    }
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace vdk::control
