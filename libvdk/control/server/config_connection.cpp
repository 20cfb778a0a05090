// SPDX-License-Identifier: Apache-2.0
// The keys that say how the server is reached, and what else it gives away: encryption, plugins.
#include "control/server/config_keys.hpp"
#include "control/server/config_values.hpp"
#include "control/server/tls.hpp"

namespace vdk::control::server_config {
namespace {

using Text = const std::string&;

KeySpec key(std::string name, std::string help, Verdict (*apply)(Draft&, Text)) {
  std::string environment = environment_name(name);
  return {.key = {.key = std::move(name), .environment = std::move(environment), .help = std::move(help)},
          .alias = {},
          .apply = apply};
}

Verdict set_path(const Draft& draft, std::filesystem::path& target, Text text) {
  target = draft_path(draft, text);
  return std::nullopt;
}

}  // namespace

std::vector<KeySpec> connection_specs() {
  return {
      key("tls.certificate", "PEM file of the server's certificate and its chain: connections are encrypted.",
          [](Draft& d, Text t) { return set_path(d, d.config.rest.tls.certificate, t); }),
      key("tls.key", "PEM file of its private key, without a passphrase, for this user only.",
          [](Draft& d, Text t) { return set_path(d, d.config.rest.tls.key, t); }),
      key("plugins.plugin_dir", "Folder of `vdk plugin install` whose YAML plugins clients may sync.",
          [](Draft& d, Text t) { return set_path(d, d.config.plugin_dir, t); }),
  };
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
