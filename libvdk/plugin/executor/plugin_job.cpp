// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/plugin_job.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/config/yaml_document.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"
#include "vdk/plugin/macros.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;
using yaml::Document;
using yaml::Section;

constexpr const char* k_file = "job.yaml";

/// JSON's strings are YAML's.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

/// A block keeps the lines of a script as they are, so that a person can read it.
std::string block_or_quoted(const std::string& text, const std::string& indent) {
  const auto is_odd = [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7F'; };
  const bool plain = text.find('\n') != std::string::npos && text.front() != ' ' && text.front() != '\n' &&
                     !text.ends_with("\n\n") && std::none_of(text.begin(), text.end(), is_odd) &&
                     text::is_valid_utf8(text) && text.find("\u0085") == std::string::npos &&
                     text.find("\u2028") == std::string::npos && text.find("\u2029") == std::string::npos;
  if (!plain) {
    return " " + quoted(text) + "\n";
  }
  std::string out = text.ends_with('\n') ? " |\n" : " |-\n";
  for (const std::string& line : text::lines(text)) {
    out += (line.empty() ? "" : indent + line) + "\n";
  }
  return out;
}

void write_list(std::string& out, const std::string& indent, const char* key, const std::vector<std::string>& list) {
  if (list.empty()) {
    return;
  }
  std::string items;
  for (const std::string& item : list) {
    items += (items.empty() ? "" : ", ") + quoted(item);
  }
  out += indent + key + ": [" + items + "]\n";
}

void write_unit(std::string& out, const Unit& unit, const std::string& indent) {
  out += indent + "version: " + quoted(unit.version) + "\n";
  out += indent + "sha256: " + quoted(unit.sha256) + "\n";
  write_list(out, indent, "depends_on", unit.depends_on);
  if (!unit.image.empty()) {
    out += indent + "image: " + quoted(unit.image) + "\n";
  }
  if (!unit.entrypoint.script.empty()) {
    out += indent + "entrypoint:\n" + indent + "  shell: " + quoted(unit.entrypoint.shell) + "\n";
    out += indent + "  script:" + block_or_quoted(unit.entrypoint.script, indent + "    ");
  }
  write_list(out, indent, "verbatim_assets", unit.verbatim_assets);
  out += indent + "config:" + (unit.config.empty() ? " {}" : "") + "\n";
  for (const auto& [name, value] : unit.config) {
    out += indent + "  " + name + ":" + block_or_quoted(value, indent + "    ");
  }
}

class JobReader {
 public:
  JobReader(Document& document, PluginJob& job) : m_document(document), m_job(job) {}

  void read() {
    Section top(m_document, m_document.root(), "job.yaml",
                {"version", "name", "description", "owner", "labels", "task", "hooks", "allow_env"});
    m_job.name = top.text("name");
    m_job.allowed_variables = top.texts("allow_env");
    if (const auto* task = top.find("task")) {
      std::vector<std::string> keys = unit_keys();
      keys.emplace_back("window");
      Section section(m_document, task->value, "'task'", keys);
      m_job.task = unit(section);
      window(section);
    } else {
      top.error("task", "'task' is missing", "`vdk create --plugin` makes a complete job");
    }
    for (const YAML::Node& node : top.items("hooks")) {
      std::vector<std::string> keys = unit_keys();
      keys.insert(keys.end(), {"type", "depends_on"});
      Section section(m_document, node, "a hook", keys);
      Unit hook = unit(section);
      hook.hook_type = section.required("type", "post");
      hook.depends_on = section.texts("depends_on");
      if (!hook.hook_type.empty() && hook.hook_type != "pre" && hook.hook_type != "post" && hook.hook_type != "fail") {
        section.error("type", "'" + hook.hook_type + "' is none of 'pre', 'post' and 'fail'");
      }
      if (!m_names.insert(hook.name).second) {
        section.error("name", "a second hook is called '" + hook.name + "'");
      }
      m_job.hooks.push_back(std::move(hook));
    }
  }

 private:
  static std::vector<std::string> unit_keys() {
    return {"name", "version", "sha256", "image", "entrypoint", "verbatim_assets", "config"};
  }

  Unit unit(Section& section) {
    Unit unit;
    unit.name = section.required("name", "sql-to-sql");
    unit.version = section.text("version");
    unit.sha256 = section.text("sha256");
    unit.image = section.text("image");
    unit.verbatim_assets = section.texts("verbatim_assets");
    if (const auto* entry = section.find("entrypoint")) {
      Section inside(m_document, entry->value, "'entrypoint'", {"shell", "script"});
      unit.entrypoint.shell = inside.text("shell", unit.entrypoint.shell);
      unit.entrypoint.script = inside.text("script");
    }
    if (const auto* entry = section.find("config")) {
      config(unit, entry->value);
    }
    return unit;
  }

  void config(Unit& unit, const YAML::Node& node) {
    std::set<std::string> seen;
    if (!node.IsMap()) {
      m_document.error(m_document.where(node.Mark()), "'config' must be a section with one value for each name");
      return;
    }
    for (const auto& item : node) {
      const SourceLocation at = m_document.where(item.first.Mark());
      const std::string name = item.first.IsScalar() ? item.first.Scalar() : "";
      const bool scalar = item.second.IsScalar() || item.second.IsNull();
      if (!is_variable_name(name)) {
        m_document.error(at, "'" + name + "' cannot be an environment variable", "use letters, digits and _ only");
      } else if (!scalar) {
        m_document.error(at, "'" + name + "' must have one value", "put text that looks like a list into quotes");
      } else if (!seen.insert(name).second) {
        m_document.error(at, "'" + name + "' stands here a second time", "keep one of the two");
      }
      std::string value = item.second.IsScalar() ? item.second.Scalar() : "";
      for (const macros::Mistake& mistake : macros::check(value)) {
        m_document.error(m_document.where(item.second.Mark()), "in a macro: " + mistake.message, mistake.hint);
      }
      unit.config.emplace_back(name, std::move(value));
    }
  }

  void window(Section& task) {
    const auto* entry = task.find("window");
    if (entry == nullptr) {
      return;
    }
    Section section(m_document, entry->value, "'window'", {"size", "offset", "truncate_to"});
    m_job.window.size = section.text("size", m_job.window.size);
    m_job.window.offset = section.text("offset", m_job.window.offset);
    m_job.window.truncate_to = section.has("truncate_to") ? section.text("truncate_to") : m_job.window.truncate_to;
    try {
      (void)interval(m_job.window, TimePoint{});
    } catch (const Error& error) {
      m_document.error(section.where(), error.text().why, error.text().countermeasures);
    }
  }

  Document& m_document;
  PluginJob& m_job;
  std::set<std::string> m_names;
};

void visit(const std::vector<Unit>& hooks, const Unit& hook, std::map<std::string, int>& state,
           std::vector<Unit>& ordered) {
  int& mine = state[hook.name];
  if (mine == 2) {
    return;
  }
  if (mine == 1) {
    throw Error(ErrorKind::configuration,
                {"cannot order the hooks", "'" + hook.name + "' depends on itself through depends_on",
                 "the job was not started", "remove one of the dependencies from job.yaml"});
  }
  mine = 1;
  for (const Unit& other : hooks) {
    if (std::find(hook.depends_on.begin(), hook.depends_on.end(), other.name) != hook.depends_on.end()) {
      visit(hooks, other, state, ordered);
    }
  }
  state[hook.name] = 2;
  ordered.push_back(hook);
}

}  // namespace

bool is_plugin_job(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_regular_file(directory / k_file, ignored) && job::find_steps(directory).empty();
}

PluginJob load_plugin_job(const fs::path& directory) {
  std::vector<Problem> problems;
  PluginJob job;
  const fs::path file = directory / k_file;
  Document document(file, problems, Limits{}.yaml_bytes);
  if (document.usable()) {
    JobReader(document, job).read();
  }
  if (const auto error = to_error(file.string(), problems)) {
    throw Error(*error);
  }
  for (const char* type : {"pre", "post", "fail"}) {
    (void)ordered_hooks(job, type);
  }
  return job;
}

std::string to_yaml(const PluginJob& job) {
  std::string out =
      "# A data job made by `vdk create --plugin`. Values may hold macros such as {{.DSTART}}, which are\n"
      "# filled in when the job runs.\n";
  out += "version: 1\nname: " + quoted(job.name) + "\ntask:\n  name: " + quoted(job.task.name) + "\n";
  out += "  window:\n    size: " + quoted(job.window.size) + "\n    offset: " + quoted(job.window.offset) +
         "\n    truncate_to: " + quoted(job.window.truncate_to) + "\n";
  write_unit(out, job.task, "  ");
  if (!job.hooks.empty()) {
    out += "hooks:\n";
  }
  for (const Unit& hook : job.hooks) {
    out += "  - name: " + quoted(hook.name) + "\n    type: " + quoted(hook.hook_type) + "\n";
    write_unit(out, hook, "    ");
  }
  write_list(out, "", "allow_env", job.allowed_variables);
  return out;
}

Unit make_unit(const YamlPlugin& plugin, const std::string& version, std::string sha256) {
  Unit unit;
  unit.name = plugin.name;
  unit.version = plugin.version;
  unit.sha256 = std::move(sha256);
  unit.image = plugin.image;
  unit.entrypoint = plugin.entrypoint;
  unit.hook_type = plugin.hook_type;
  unit.depends_on = plugin.depends_on;
  unit.verbatim_assets = plugin.verbatim_assets;
  if (version.empty() || version == plugin.version) {
    return unit;
  }
  std::vector<std::string> names;
  for (const PluginVersion& one : plugin.versions) {
    names.push_back(one.name);
    if (one.name == version) {
      unit.version = one.name;
      unit.image = one.image;
      unit.entrypoint = one.entrypoint;
      return unit;
    }
  }
  throw Error(ErrorKind::not_found, {"cannot use version '" + version + "' of the plugin '" + plugin.name + "'",
                                     names.empty() ? "its file has version '" + plugin.version + "'"
                                                   : "its file has " + text::quoted_list(names),
                                     "nothing was created", "choose another version after @"});
}

std::vector<Unit> ordered_hooks(const PluginJob& job, const std::string& type) {
  std::vector<Unit> hooks;
  for (const Unit& hook : job.hooks) {
    if (hook.hook_type == type) {
      hooks.push_back(hook);
    }
  }
  std::map<std::string, int> state;
  std::vector<Unit> ordered;
  for (const Unit& hook : hooks) {
    visit(hooks, hook, state, ordered);
  }
  return ordered;
}

}  // namespace vdk::plugin
