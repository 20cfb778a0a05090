// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/control/server_config.hpp"

/// The keys of the server's configuration: what each one means and how its text becomes a value.
namespace vdk::control::server_config {

/// What is wrong with one value. The value itself is never repeated for secret keys.
struct Mistake {
  std::string message;
  std::string hint = {};
  bool warning = false;
};
using Verdict = std::optional<Mistake>;

/// The configuration while it is put together, with the texts that only make sense together.
struct Draft {
  ServerConfig config;
  std::filesystem::path base;  ///< folder that relative paths start from
  std::string database_url;
  std::string database_jdbc_url;
  std::string git_user, git_password, upload_user, upload_password;
  std::string mail_host, mail_protocol = "smtp";
  int mail_port = 587;
  bool mail_login = false;
  bool writes_database = true;
  bool synchronize = true;
  std::vector<std::string> issuers;
  std::string issuer;
  bool asks_webhook = false;  ///< security.authorizationEnabled
};

struct KeySpec {
  ServerKey key;
  std::string alias;                                                  ///< another name for the same key; may be empty
  Verdict (*apply)(Draft& draft, const std::string& text) = nullptr;  ///< null = read by itself (Python versions)
};
/// One key; its variable's name follows from its own.
[[nodiscard]] KeySpec spec(std::string key, std::string default_value, std::string help,
                           Verdict (*apply)(Draft&, const std::string&), std::string alias = {}, bool secret = false);
/// The same for a value that is never shown.
[[nodiscard]] KeySpec secret_spec(std::string key, std::string help, Verdict (*apply)(Draft&, const std::string&));
[[nodiscard]] const std::vector<KeySpec>& key_specs();
/// The part of them that says who may use the server.
[[nodiscard]] std::vector<KeySpec> security_specs();
/// The login of the operations page.
[[nodiscard]] std::vector<KeySpec> page_specs();
/// The part of them that says how the server is reached and whom it asks.
[[nodiscard]] std::vector<KeySpec> connection_specs();
/// Relative paths start at the folder of the file.
[[nodiscard]] std::filesystem::path draft_path(const Draft& draft, const std::string& text);
[[nodiscard]] Verdict set_bool(bool& target, const std::string& text);
/// A whole number from `least` to `most`.
[[nodiscard]] Verdict read_number(long long& target, const std::string& text, long long least, long long most);
/// A secret of a file, which may end in a line end.
[[nodiscard]] Verdict set_from_file(const Draft& draft, std::string& target, const std::string& text);
/// What decides who comes in may not be changed on its way: https, or http to this machine.
[[nodiscard]] Verdict check_safe_address(const std::string& text);
/// By name or alias.
[[nodiscard]] const KeySpec* find_spec(const std::string& key);

/// The dictionary of teams: its value is its YAML text.
inline constexpr std::string_view k_teams_key = "security.teams";

/// The dictionary of Python versions, its name and its alias.
[[nodiscard]] bool is_python_map(const std::string& key);

/// A key (or a whole section) of the original's Helm chart that has no meaning here.
struct ForeignKey {
  std::string key;
  std::string reason;
};
[[nodiscard]] const std::vector<ForeignKey>& foreign_keys();

/// One value as it was given.
struct Given {
  std::string text;
  std::string shown_key;  ///< as it was written: the alias, or the variable
  std::size_t line = 0;
  std::size_t column = 0;
};
/// key -> value, the environment's already in place of the file's.
using GivenValues = std::map<std::string, Given>;

/// What follows from several keys together; problems are added.
void finish(Draft& draft, const GivenValues& given, std::vector<ConfigProblem>& problems);

/// A problem with a given value, or without one (line 0).
[[nodiscard]] ConfigProblem problem_of(const GivenValues& given, const std::string& key, Mistake mistake);

}  // namespace vdk::control::server_config
