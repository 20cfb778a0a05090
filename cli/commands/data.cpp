// SPDX-License-Identifier: Apache-2.0
// properties, secrets
#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/auth/credentials.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

/// Properties or secrets of one job, read once and written back whole.
class DataSet {
 public:
  DataSet(Context& context, bool secret)
      : m_service(context.service()), m_job(context.job_name()), m_team(context.team_of(m_job)), m_secret(secret) {
    (void)m_service.get_job(m_team, m_job);  // a mistyped name must not create data that no job reads
  }
  [[nodiscard]] Json read() const {
    const std::string text = m_secret ? m_service.get_secrets(m_team, m_job) : m_service.get_properties(m_team, m_job);
    return text.empty() ? Json::object() : Json::parse(text);
  }
  void write(const Json& data) const {
    const std::string text = data.dump();
    m_secret ? m_service.set_secrets(m_team, m_job, text) : m_service.set_properties(m_team, m_job, text);
  }
  [[nodiscard]] const std::string& job() const { return m_job; }

 private:
  control::Service& m_service;
  std::string m_job;
  std::string m_team;
  bool m_secret;
};

[[noreturn]] void usage(const std::string& what, const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::usage, {what, why, "nothing was changed", countermeasures});
}

/// The new value in the type of the old one, as the original casts it.
Json cast_like(const Json& old, const std::string& key, const std::string& value) {
  const auto refuse = [&](const std::string& type) {
    // The value is not repeated: it may be a secret.
    usage("cannot set '" + key + "'", "its present value is " + type + " and the new one is not",
          "give a value of this type, or delete the key first");
  };
  if (old.is_boolean()) {
    const std::string lower = text::lower(value);
    if (lower != "true" && lower != "false") {
      refuse("true or false");
    }
    return lower == "true";
  }
  if (old.is_number_integer()) {
    const auto number = text::parse_int(text::trim(value));
    if (!number) {
      refuse("a whole number");
    }
    return *number;
  }
  if (old.is_number_float()) {
    const Json number = Json::parse(std::string(text::trim(value)), nullptr, false);
    if (!number.is_number()) {
      refuse("a number");
    }
    return number.get<double>();
  }
  if (old.is_structured()) {
    usage("cannot set '" + key + "'", "its present value is a list or an object",
          "change it in the whole JSON with --list -o json and the overwrite option");
  }
  return value;
}

std::string without_line_end(std::string value) {
  if (value.ends_with('\n')) {
    value.pop_back();
  }
  if (value.ends_with('\r')) {
    value.pop_back();
  }
  return value;
}

std::string read_file_or_stdin(const std::string& path) {
  return path == "-" ? read_standard_input() : files::read(path);
}

/// All values to set, in the order set, set-prompt, set-stdin, set-file.
std::vector<std::pair<std::string, std::string>> values_to_set(const ParsedCommand& command, bool secret) {
  std::vector<std::pair<std::string, std::string>> values;
  const std::vector<std::string> set = command.all("set");
  for (std::size_t i = 0; i + 1 < set.size(); i += 2) {
    values.emplace_back(set[i], set[i + 1]);
  }
  if (secret && !set.empty()) {
    log::warning(
        "secrets on the command line are seen by other users and kept in shell histories; use --set-prompt, "
        "--set-stdin or --set-file");
  }
  for (const std::string& key : command.all("set-prompt")) {
    values.emplace_back(key, prompt_hidden(key, "--set-stdin " + text::shell_quote(key) + " or --set-file"));
  }
  if (const auto key = command.value("set-stdin")) {
    values.emplace_back(*key, without_line_end(read_standard_input()));
  }
  const std::vector<std::string> files = command.all("set-file");
  for (std::size_t i = 0; i + 1 < files.size(); i += 2) {
    values.emplace_back(files[i], files::read(files[i + 1]));
  }
  for (const auto& [key, value] : values) {
    if (text::trim(key).empty()) {
      usage("cannot set a value without a name", "the key is empty", "give a key that is not blank");
    }
    if (!text::is_valid_utf8(key) || !text::is_valid_utf8(value)) {
      usage("cannot set '" + (text::is_valid_utf8(key) ? key : std::string("?")) + "'", "the text is not valid UTF-8",
            "encode it first, for example with base64");
    }
  }
  return values;
}

void check_combination(const ParsedCommand& command) {
  const bool changes = command.has("set") || command.has("delete") || command.has("set-prompt") ||
                       command.has("set-stdin") || command.has("set-file");
  if (changes && (command.has("get") || command.has("list"))) {
    usage("cannot read and change in one call", "--get and --list do not go together with --set or --delete",
          "use two calls");
  }
  if (command.has("get") && command.has("list")) {
    usage("cannot use --get together with --list", "they ask for different results", "give one of them");
  }
}

void apply_changes(const ParsedCommand& command, const DataSet& store, bool secret) {
  const auto values = values_to_set(command, secret);
  if (!values.empty()) {
    Json data = store.read();
    for (const auto& [key, value] : values) {
      data[key] = data.contains(key) ? cast_like(data[key], key, value) : Json(value);
    }
    store.write(data);
  }
  if (command.has("delete")) {
    Json data = store.read();
    for (const std::string& key : command.all("delete")) {
      if (!data.contains(key)) {
        throw Error(ErrorKind::not_found,
                    {"cannot delete '" + key + "'", "data job " + store.job() + " has no such key",
                     "nothing was deleted", "see the keys with --list"});
      }
      data.erase(key);
    }
    store.write(data);
  }
}

int run_data(const ParsedCommand& command, Context& context, const std::string& noun) {
  const bool secret = noun == "secrets";
  check_combination(command);
  const DataSet store(context, secret);
  apply_changes(command, store, secret);
  if (command.has("delete-all-job-" + noun)) {
    store.write(Json::object());
  }
  std::optional<Json> result;
  if (const auto key = command.value("get")) {
    const Json data = store.read();
    result = Json::object();
    if (data.contains(*key)) {
      (*result)[*key] = data.at(*key);
    }
  } else if (command.has("list")) {
    result = store.read();
  }
  if (const auto file = command.value("overwrite-all-job-" + noun)) {
    const std::string what = "cannot overwrite the " + noun + " of data job " + store.job();
    const Json data = parse_json(read_file_or_stdin(*file), what, *file == "-" ? "standard input" : *file);
    if (!data.is_object()) {
      usage(what, "the JSON is not an object", "give an object such as {\"key\": \"value\"}");
    }
    store.write(data);
  }
  if (result) {
    print(context.json() ? dump_json(*result) + "\n" : key_value_table(*result));
  } else if (context.json()) {
    print("{}\n");
  }
  return 0;
}

}  // namespace

int run_properties(const ParsedCommand& command, Context& context) { return run_data(command, context, "properties"); }
int run_secrets(const ParsedCommand& command, Context& context) {
  auth::protect_memory();
  return run_data(command, context, "secrets");
}

}  // namespace vdk::cli
