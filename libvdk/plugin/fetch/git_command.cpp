// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/git_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "plugin/fetch/auth_headers.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): not in every libc header

namespace vdk::plugin {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::uint64_t size_of(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    std::error_code ignored;
    const std::uintmax_t size = it->is_regular_file(ignored) ? it->file_size(ignored) : 0;
    sum += ignored ? 0 : size;
  }
  return sum;
}

/// Ends a git that was cancelled or takes more room than it may.
class Watch {
 public:
  Watch(fs::path folder, const GitCommand::Limits& limits)
      : m_thread([this, folder = std::move(folder), limits](const std::stop_token& token) {
          std::unique_lock lock(m_mutex);
          while (!m_wake.wait_for(lock, token, 50ms, [&token] { return token.stop_requested(); }) && !stop) {
            too_large = limits.bytes > 0 && size_of(folder) > limits.bytes;
            stop = too_large || (limits.cancelled != nullptr && limits.cancelled->load());
          }
        }) {}

  std::atomic<bool> stop{false};
  std::atomic<bool> too_large{false};

 private:
  std::mutex m_mutex;
  std::condition_variable_any m_wake;
  std::jthread m_thread;  ///< last: ends before what it looks at
};

/// user@host:path, git's other way to write ssh://user@host/path.
bool is_short_ssh(const std::string& url) {
  const std::size_t at = url.find('@');
  const std::size_t colon = url.find(':');
  return url.find("://") == std::string::npos && at != std::string::npos && colon != std::string::npos && at > 0 &&
         at < colon && url.find('/') > colon && !url.starts_with('-');
}

Address parse_repository(const ProviderConfig& config) {
  if (!is_short_ssh(config.url)) {
    return parse_address(config.url);
  }
  const std::size_t colon = config.url.find(':');
  return parse_address("ssh://" + config.url.substr(0, colon) + "/" + config.url.substr(colon + 1));
}

void require_scheme(const Address& address, const ProviderConfig& config) {
  if (address.scheme == "ssh" || (address.scheme == "file" && address.host.empty())) {
    return;
  }
  require_safe_scheme(address, config);
}

/// The lines of git's messages that say what is wrong.
std::string reason_of(const std::string& messages) {
  std::vector<std::string> reasons;
  for (const std::string& line : text::lines(messages)) {
    for (const std::string_view start : {"fatal: ", "error: ", "ERROR: ", "remote: "}) {
      if (line.starts_with(start)) {
        reasons.push_back(line.substr(start.size()));
      }
    }
  }
  const std::string all = reasons.empty() ? std::string(text::trim(messages)) : text::join(reasons, "; ");
  return redact_url(all).substr(0, 400);
}

ErrorKind kind_of(const std::string& messages) {
  const std::string said = text::lower(messages);
  const auto any = [&said](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&said](std::string_view word) { return said.find(word) != said.npos; });
  };
  if (any({"authentication failed", "could not read username", "permission denied", "error: 401", "error: 403",
           "host key verification failed", "http basic: access denied"})) {
    return ErrorKind::login;
  }
  if (any({"not found", "does not exist", "couldn't find remote ref", "not appear to be a git repository",
           "remote ref does not exist", "error: 404"})) {
    return ErrorKind::not_found;
  }
  if (any({"could not resolve", "failed to connect", "connection refused", "timed out", "connection reset", "too slow",
           "unexpected disconnect", "early eof", "hung up", "returned error: 5", "returned error: 429",
           "unable to access"})) {
    return ErrorKind::unreachable;
  }
  return ErrorKind::platform;
}

}  // namespace

GitCommand::GitCommand(const ProviderConfig& config, fs::path home) : m_config(config), m_home(std::move(home)) {
  const Address address = parse_repository(config);
  require_scheme(address, config);
  m_address = address.without_login();
  if (address.scheme == "ssh") {
    const std::string user = address.login.substr(0, address.login.find(':'));
    if (user.size() != address.login.size() || user.starts_with('-')) {
      throw provider_error(config, "its ssh address has a password or a strange user",
                           "Use a key: auth of type ssh_key.");
    }
    m_address = is_short_ssh(config.url) ? config.url
                                         : "ssh://" + (user.empty() ? "" : user + "@") + address.origin + address.path;
  }
  set_environment(address);
}

void GitCommand::set_environment(const Address& address) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with("GIT_") || text.starts_with("SSH_ASKPASS")) {
      m_unset.emplace_back(text.substr(0, text.find('=')));
    }
  }
  std::vector<std::pair<std::string, std::string>> settings = {{"core.hooksPath", "/dev/null"},
                                                               {"core.fsmonitor", "false"},
                                                               {"protocol.allow", "never"},
                                                               {"protocol.ext.allow", "never"},
                                                               {"submodule.recurse", "false"},
                                                               {"fetch.recurseSubmodules", "false"},
                                                               {"gc.auto", "0"},
                                                               {"maintenance.auto", "false"},
                                                               {"credential.helper", ""},
                                                               {"http.lowSpeedLimit", "1"},
                                                               {"http.lowSpeedTime", "30"},
                                                               {"fetch.writeCommitGraph", "false"},
                                                               {"advice.detachedHead", "false"},
                                                               {"protocol." + address.scheme + ".allow", "always"}};
  if (address.scheme == "http" || address.scheme == "https") {
    const http::Headers headers = auth_headers(m_config, address);
    for (const auto& [name, value] : headers) {
      settings.emplace_back("http.extraHeader", name + ": " + value);
    }
    // git would send the header to the host that a redirection names.
    settings.emplace_back("http.followRedirects", headers.empty() ? "initial" : "false");
  } else if (address.scheme == "ssh") {
    set_ssh();
  }
  for (std::size_t i = 0; i < settings.size(); ++i) {
    m_environment["GIT_CONFIG_KEY_" + std::to_string(i)] = settings[i].first;
    m_environment["GIT_CONFIG_VALUE_" + std::to_string(i)] = settings[i].second;
  }
  m_environment["GIT_CONFIG_COUNT"] = std::to_string(settings.size());
  m_environment["GIT_CONFIG_NOSYSTEM"] = "1";
  m_environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
  m_environment["GIT_ALLOW_PROTOCOL"] = address.scheme;
  m_environment["GIT_TERMINAL_PROMPT"] = "0";
  m_environment["GIT_LITERAL_PATHSPECS"] = "1";
  m_environment["GIT_DIR"] = m_home.string();
  m_environment["HOME"] = m_home.string();
  m_environment["LC_ALL"] = "C";
  // git's libcurl does not look at SSL_CERT_FILE by itself.
  const std::string authorities =
      m_config.ca_file.empty() ? process::environment("SSL_CERT_FILE").value_or("") : m_config.ca_file;
  if (!authorities.empty()) {
    m_environment["GIT_SSL_CAINFO"] = authorities;
  }
}

void GitCommand::set_ssh() {
  std::string command =
      "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=15 -oServerAliveInterval=15 "
      "-oServerAliveCountMax=2 -oForwardAgent=no -oPermitLocalCommand=no";
  if (m_config.auth.kind == Auth::Kind::ssh_key) {
    const fs::path key = m_home / "ssh_key";
    std::string content = resolve(m_config.auth.secret);
    content += content.ends_with('\n') ? "" : "\n";  // ssh refuses a key without its last line end
    files::write_atomic(key, content, 0600);
    command += " -oIdentitiesOnly=yes -oIdentityFile=" + text::shell_quote(key.string());
  } else if (m_config.auth.kind != Auth::Kind::none) {
    throw provider_error(m_config, "it has auth of a kind that ssh does not know",
                         "Use ssh_key, or an agent without auth.");
  }
  m_environment["GIT_SSH_COMMAND"] = command;
  m_environment["GIT_SSH_VARIANT"] = "ssh";
}

std::string GitCommand::run(const std::vector<std::string>& arguments, const Limits& limits, const std::string& input) {
  if (!process::find_program("git")) {
    throw Error(ErrorKind::platform, {.what = "the plugin provider '" + m_config.name + "' cannot be used",
                                      .why = "the program git is not installed",
                                      .consequences = "Nothing was fetched from it.",
                                      .countermeasures = "Install the package git."});
  }
  process::Command command;
  command.argv = {"git"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.directory = m_home;
  command.set = m_environment;
  command.unset = m_unset;
  command.input = input;
  command.timeout = m_config.timeout;
  process::Result result;
  bool too_large = false;
  {
    Watch watch(m_home, limits);
    command.stop = &watch.stop;
    result = process::run(command);
    too_large = watch.too_large;
  }
  const std::string nothing = "Nothing was fetched from it.";
  const std::string what = "cannot fetch from " + redact_url(m_address);
  if (too_large) {
    throw Error(ErrorKind::too_large, {what, "it sent more than " + std::to_string(limits.bytes) + " bytes", nothing,
                                       "If it has to be so large, raise the policy's limit for downloads."});
  }
  if (result.stopped) {
    throw Error(ErrorKind::interrupted, {what, "it was interrupted", nothing, ""});
  }
  if (result.timed_out) {
    throw Error(ErrorKind::unreachable, {what, "it took more than " + std::to_string(m_config.timeout.count()) + " s",
                                         nothing, "Check the network, or raise the provider's timeout."});
  }
  if (result.exit_code != 0) {
    fail(result.err, result.exit_code);
  }
  return std::move(result.out);
}

void GitCommand::fail(const std::string& messages, int exit_code) const {
  const std::string why = reason_of(messages);
  throw Error(kind_of(messages),
              {.what = "cannot fetch from " + redact_url(m_address),
               .why = why.empty() ? "git ended with " + std::to_string(exit_code) : why,
               .consequences = "Nothing was fetched from it.",
               .countermeasures = "Check the provider '" + m_config.name + "': its url, ref and auth."});
}

}  // namespace vdk::plugin
