// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "control/server/api.hpp"
#include "control/server/wire.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;

constexpr int k_max_depth = 64;
constexpr std::size_t k_max_text = 2'500;  ///< characters; the OpenAPI document says the same
constexpr std::size_t k_max_lines = 10'000;
constexpr std::size_t k_max_list = 1'000;

/// Writing a value out is recursive, so its depth must be bounded before anything is made of it.
void check_depth(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      i += c == '\\' ? 1 : 0;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > k_max_depth) {
        throw bad_body("the JSON is nested more than " + std::to_string(k_max_depth) + " levels deep");
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

Json parse_object(const std::string& body) {
  check_depth(body);
  Json json;
  try {
    json = Json::parse(body);
  } catch (const Json::parse_error& error) {
    throw bad_body("the body is not JSON: the mistake is near byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    throw bad_body("the body has a number that cannot be stored");
  }
  if (!json.is_object()) {
    throw bad_body("the body is not a JSON object");
  }
  return json;
}

/// The fields of one object; null counts as absent, unknown fields are ignored as the original does.
class Fields {
 public:
  Fields(const Json& object, std::string path) : m_object(object), m_path(std::move(path)) {}

  [[nodiscard]] const Json* find(const char* name) const {
    const auto found = m_object.find(name);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
  }

  [[nodiscard]] std::optional<std::string> text(const char* name, bool lines = false) const {
    const Json* value = find(name);
    return value == nullptr ? std::nullopt : std::optional(as_text(*value, name, lines));
  }

  [[nodiscard]] std::optional<bool> boolean(const char* name) const {
    const Json* value = find(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    if (!value->is_boolean()) {
      throw wrong(name, "true or false");
    }
    return value->get<bool>();
  }

  [[nodiscard]] std::optional<int> integer(const char* name, int minimum) const {
    const Json* value = find(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    const std::string rule =
        "a whole number from " + std::to_string(minimum) + " to " + std::to_string(std::numeric_limits<int>::max());
    // 4.0 is a whole number in JSON Schema's eyes.
    const bool whole = value->is_number_integer() ||
                       (value->is_number_float() && std::floor(value->get<double>()) == value->get<double>());
    if (!whole) {
      throw wrong(name, rule);
    }
    const auto number = value->get<double>();
    if (number < minimum || number > std::numeric_limits<int>::max()) {
      throw wrong(name, rule);
    }
    return static_cast<int>(number);
  }

  [[nodiscard]] std::optional<double> number(const char* name) const {
    const Json* value = find(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    if (!value->is_number()) {
      throw wrong(name, "a number");
    }
    return value->get<double>();
  }

  [[nodiscard]] std::vector<std::string> list(const char* name) const {
    const Json* value = find(name);
    if (value == nullptr) {
      return {};
    }
    if (!value->is_array() || value->size() > k_max_list) {
      throw wrong(name, "a list of at most " + std::to_string(k_max_list) + " texts");
    }
    std::vector<std::string> result;
    for (const Json& item : *value) {
      result.push_back(as_text(item, name, false));
    }
    return result;
  }

  /// An absent object has no fields.
  [[nodiscard]] Fields object(const char* name) const {
    static const Json k_empty = Json::object();
    const Json* value = find(name);
    if (value != nullptr && !value->is_object()) {
      throw wrong(name, "an object");
    }
    return {value == nullptr ? k_empty : *value, m_path + name + "."};
  }

 private:
  [[nodiscard]] Error wrong(const char* name, const std::string& rule) const {
    return bad_body("the field " + m_path + name + " must be " + rule);
  }

  [[nodiscard]] std::string as_text(const Json& value, const char* name, bool lines) const {
    if (!value.is_string()) {
      throw wrong(name, "a text");
    }
    auto result = value.get<std::string>();
    const bool control = std::any_of(result.begin(), result.end(), [&](char c) {
      return static_cast<unsigned char>(c) < 0x20U && !(lines && (c == '\n' || c == '\r' || c == '\t'));
    });
    const auto characters = std::count_if(result.begin(), result.end(),
                                          [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    const std::size_t limit = lines ? k_max_lines : k_max_text;
    if (control || static_cast<std::size_t>(characters) > limit) {
      throw wrong(name, "a text of at most " + std::to_string(limit) + " characters without control characters");
    }
    return result;
  }

  const Json& m_object;
  std::string m_path;
};

job::Contacts read_contacts(const Fields& fields) {
  return {fields.list("notified_on_job_failure_user_error"), fields.list("notified_on_job_failure_platform_error"),
          fields.list("notified_on_job_success"), fields.list("notified_on_job_deploy")};
}

void read_resources(const Fields& fields, DeploymentRequest& request) {
  if (fields.find("resources") == nullptr) {
    return;
  }
  const Fields given = fields.object("resources");
  request.resources = Resources{given.number("cpu_request"), given.number("cpu_limit"),
                                given.integer("memory_request", 1), given.integer("memory_limit", 1)};
}

}  // namespace

JobBody read_job(const std::string& body) {
  const Json json = parse_object(body);
  const Fields fields(json, "");
  const Fields config = fields.object("config");
  JobBody result;
  DataJob& job = result.job;
  job.job_name = fields.text("job_name").value_or("");
  const auto team = fields.text("team");
  result.has_team = team.has_value();
  job.team = team.value_or("");
  job.description = fields.text("description", true).value_or("");
  job.db_default_type = config.text("db_default_type").value_or("");
  job.contacts = read_contacts(config.object("contacts"));
  job.schedule_cron = config.object("schedule").text("schedule_cron").value_or("");
  job.generate_keytab = config.boolean("generate_keytab").value_or(true);
  job.enable_execution_notifications = config.boolean("enable_execution_notifications").value_or(true);
  job.notification_delay_period_minutes = config.integer("notification_delay_period_minutes", 0).value_or(240);
  return result;
}

DeploymentBody read_deployment(const std::string& body) {
  const Json json = parse_object(body);
  const Fields fields(json, "");
  DeploymentBody result;
  const auto not_empty = [](std::optional<std::string> text) {
    return text && text->empty() ? std::nullopt : std::move(text);
  };
  result.request.job_version = not_empty(fields.text("job_version"));
  result.request.python_version = not_empty(fields.text("python_version"));
  result.request.vdk_version = not_empty(fields.text("vdk_version"));
  result.request.enabled = fields.boolean("enabled");
  read_resources(fields, result.request);
  result.schedule_cron = fields.object("schedule").text("schedule_cron");
  if (const auto mode = fields.text("mode"); mode && *mode != "release" && *mode != "testing") {
    throw bad_body("the field mode must be release or testing");
  }
  (void)fields.text("id");
  (void)fields.text("deployed_by");
  (void)fields.text("deployed_date");
  return result;
}

ExecutionBody read_execution(const std::string& body) {
  const Json json = parse_object(body);
  const Fields fields(json, "");
  ExecutionBody result;
  result.started_by = fields.text("started_by").value_or("");
  (void)fields.object("args");  // an object or absent
  if (const Json* arguments = fields.find("args"); arguments != nullptr) {
    result.arguments_json = arguments->dump();
  }
  return result;
}

std::optional<QueryBody> read_query(const std::string& body) {
  const Json json = parse_object(body);
  const Fields fields(json, "");
  const Json* query = fields.find("query");
  if (query == nullptr || fields.find("job_name") != nullptr) {
    return std::nullopt;
  }
  if (!query->is_string()) {
    throw bad_body("the field query must be a text");
  }
  QueryBody result;
  result.query = query->get<std::string>();
  const auto name = fields.text("operationName");
  result.operation_name = name ? *name : fields.text("operation_name").value_or("");
  if (const Json* variables = fields.find("variables"); variables != nullptr) {
    (void)fields.object("variables");
    result.variables_json = variables->dump();
  }
  return result;
}

void check_json_object(const std::string& body) { (void)parse_object(body); }

}  // namespace vdk::control::rest
