// SPDX-License-Identifier: Apache-2.0
// One YAML plugin: Optimus's keys, the RFC's spelling of them, the fork's versions.
#include <algorithm>
#include <map>
#include <set>

#include "plugin/config/versions.hpp"
#include "plugin/config/yaml_document.hpp"
#include "plugin/yaml/questions.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/macros.hpp"
#include "vdk/plugin/yaml_plugin.hpp"

namespace vdk::plugin {
namespace {

using yaml::Document;
using yaml::Section;

const std::vector<std::string>& plugin_keys() {
  static const std::vector<std::string> keys = {"name",
                                                "version",
                                                "description",
                                                "plugintype",
                                                "pluginmods",
                                                "pluginversion",
                                                "apiversion",
                                                "image",
                                                "entrypoint",
                                                "dependson",
                                                "hooktype",
                                                "questions",
                                                "defaultconfig",
                                                "defaultassets",
                                                "secretpath",
                                                "plugin_versions",
                                                "default_config",
                                                "verbatim_assets",
                                                "destination_urn_template",
                                                "asset_parsers"};
  return keys;
}

class PluginReader {
 public:
  PluginReader(Document& document, YamlPlugin& plugin)
      : m_document(document), m_plugin(plugin), m_top(document, document.root(), "the plugin", plugin_keys()) {}

  void read() {
    identity();
    type();
    ignored();
    execution();
    m_plugin.questions = yaml::QuestionReader(m_document).read(m_top, "questions");
    for (const char* key : {"defaultconfig", "default_config"}) {
      default_config(key);
    }
    assets();
  }

 private:
  void identity() {
    m_plugin.name = m_top.required("name", "my-plugin");
    if (!m_plugin.name.empty() && !is_plugin_name(m_plugin.name)) {
      m_top.error("name", "'" + m_plugin.name + "' is no name of a plugin",
                  "up to 64 of a-z, 0-9, - and _, first a letter");
    }
    m_plugin.description = m_top.text("description");
    version();
  }

  /// `version` is the plugin's in the RFC and the format's in the fork, which has `plugin_versions` then.
  void version() {
    const std::string other = m_top.text("version");
    if (m_top.has("plugin_versions")) {
      if (!other.empty() && other != "2") {
        m_top.error("version", "a file with 'plugin_versions' has version: 2");
      }
      return;
    }
    if (other == "2" && !m_top.has("pluginversion")) {
      m_top.error("version", "'plugin_versions' is missing", "version: 2 is the format with several versions");
      return;
    }
    const std::string key = m_top.has("pluginversion") || other.empty() ? "pluginversion" : "version";
    if (key == "pluginversion" && !other.empty() && other != "1") {
      m_top.error("version", "'version' and 'pluginversion' are two names of one key", "keep one of them");
    }
    m_plugin.version = m_top.required(key, "1.0.0");
    if (!m_plugin.version.empty() && !is_plugin_version(m_plugin.version)) {
      m_top.error(key, "'" + m_plugin.version + "' is no version", "letters, digits and . _ + -, without ..");
    }
  }

  void type() {
    const std::string type = text::lower(m_top.text("plugintype"));
    const std::string hook = text::lower(m_top.text("hooktype"));
    if (!type.empty() && type != "task" && type != "hook") {
      const auto near = text::nearest(type, {"task", "hook"});
      m_top.error("plugintype", "'" + type + "' is neither task nor hook", near ? "did you mean '" + *near + "'?" : "");
    }
    m_plugin.type = type == "hook" ? YamlPlugin::Type::hook : YamlPlugin::Type::task;
    m_plugin.hook_type = hook;
    if (!hook.empty() && hook != "pre" && hook != "post" && hook != "fail") {
      m_top.error("hooktype", "'" + hook + "' is none of 'pre', 'post' and 'fail'",
                  "the hook runs before the task, after it, or when it has failed");
    } else if (type == "hook" && hook.empty()) {
      m_top.error("plugintype", "a hook needs a 'hooktype'", "write hooktype: pre, post or fail");
    } else if (type != "hook" && !hook.empty()) {
      m_top.error("hooktype", "only a hook has a 'hooktype'", "write plugintype: hook");
    }
    if (type.empty() && hook.empty()) {
      m_document.warning(m_top.where(), "'plugintype' is missing: a task is meant", "write plugintype: task");
    }
    m_plugin.depends_on = m_top.texts("dependson");
  }

  void ignored() {
    for (const char* key : {"pluginmods", "apiversion"}) {
      (void)m_top.texts(key);  // for their form only, as the original does
    }
    if (m_top.has("secretpath")) {
      m_top.warning("secretpath", "'secretpath' is not used",
                    "the original dropped it; a value asks for a secret with {{.secret.NAME}}");
    }
    for (const char* key : {"destination_urn_template", "asset_parsers"}) {
      if (m_top.has(key)) {
        m_top.warning(key, std::string("'") + key + "' is not used: jobs have no computed dependencies");
      }
    }
  }

  Entrypoint entrypoint(Section& section) {
    Entrypoint result;
    const auto* entry = section.find("entrypoint");
    if (entry == nullptr || entry->value.IsScalar()) {
      result.script = section.text("entrypoint");
      return result;
    }
    Section inside(m_document, entry->value, "'entrypoint'", {"shell", "script"});
    result.script = inside.text("script");
    result.shell = inside.text("shell", result.shell);
    return result;
  }

  void execution() {
    m_plugin.image = m_top.text("image");
    m_plugin.entrypoint = entrypoint(m_top);
    if (m_top.has("plugin_versions")) {
      versions();
    } else if (m_plugin.entrypoint.script.empty() && m_plugin.image.empty()) {
      m_document.error(m_top.where(), "there is neither an 'image' nor an 'entrypoint' with a script: nothing can run");
    } else if (m_plugin.entrypoint.script.empty()) {
      m_document.warning(m_top.where(), "there is no 'entrypoint' with a script: the image's own is meant",
                         "such a plugin runs as a container only");
    }
  }

  /// The fork's shape: `default` is a must, the others inherit what they leave out.
  void versions() {
    const auto* entry = m_top.find("plugin_versions");
    if (entry == nullptr || !entry->value.IsMap()) {
      m_top.error("plugin_versions", "'plugin_versions' must have a section for each version");
      return;
    }
    std::set<std::string> seen;
    for (const auto& item : entry->value) {
      const SourceLocation at = m_document.where(item.first.Mark());
      PluginVersion one;
      one.name = item.first.IsScalar() ? item.first.Scalar() : "";
      if (!is_plugin_version(one.name)) {
        m_document.error(at, "'" + one.name + "' is no version");
      } else if (!seen.insert(one.name).second) {
        m_document.error(at, "version '" + one.name + "' stands here a second time");
      }
      Section section(m_document, item.second, "a version", {"image", "tag", "entrypoint"});
      one.entrypoint = entrypoint(section);
      one.entrypoint.shell = one.entrypoint.script.empty() ? "" : one.entrypoint.shell;
      one.image = section.text("image");
      m_tags[one.name] = section.text("tag");
      m_plugin.versions.push_back(std::move(one));
    }
    inherit();
  }

  void inherit() {
    const auto base = std::find_if(m_plugin.versions.begin(), m_plugin.versions.end(),
                                   [](const PluginVersion& one) { return one.name == "default"; });
    if (base == m_plugin.versions.end()) {
      m_top.error("plugin_versions", "the version 'default' is missing",
                  "the other versions take from it what they leave out");
      return;
    }
    const PluginVersion origin = *base;
    for (PluginVersion& one : m_plugin.versions) {
      const std::string tag = m_tags[one.name].empty() ? m_tags["default"] : m_tags[one.name];
      one.image = one.image.empty() ? origin.image : one.image;
      one.image += one.image.empty() || tag.empty() ? "" : ":" + tag;
      one.entrypoint = one.entrypoint.script.empty() ? origin.entrypoint : one.entrypoint;
      if (one.image.empty() && one.entrypoint.script.empty()) {
        m_top.error("plugin_versions", "version '" + one.name + "' has neither an image nor an entrypoint");
      }
    }
    m_plugin.version = "default";
    m_plugin.image = base->image;
    m_plugin.entrypoint = base->entrypoint;
  }

  void default_config(const std::string& key) {
    const auto* entry = m_top.find(key);
    if (entry != nullptr && entry->value.IsMap()) {
      for (const auto& item : entry->value) {
        const bool plain = item.first.IsScalar() && (item.second.IsScalar() || item.second.IsNull());
        if (!plain) {
          m_document.error(m_document.where(item.first.Mark()), "'" + key + "' must have one value for each name");
          continue;
        }
        add_default({item.first.Scalar(), item.second.IsNull() ? "" : item.second.Scalar(), false},
                    m_document.where(item.first.Mark()), item.second);
      }
      return;
    }
    for (const YAML::Node& item : m_top.items(key)) {
      Section section(m_document, item, "a default", {"name", "value", "override"});
      const auto* value = section.find("value");
      add_default({section.required("name", "TABLE"), section.text("value"), section.flag("override", false)},
                  section.where("name"), value == nullptr ? YAML::Node() : value->value);
    }
  }

  void add_default(DefaultConfig config, const SourceLocation& at, const YAML::Node& value) {
    if (!config.name.empty() && !is_variable_name(config.name)) {
      m_document.error(at, "'" + config.name + "' cannot be an environment variable",
                       "use letters, digits and _ only, not first a digit");
    } else if (!m_defaults.insert(text::lower(config.name)).second) {
      m_document.error(at, "'" + config.name + "' stands in the defaults a second time");
    }
    check_macros(value);
    m_plugin.default_config.push_back(std::move(config));
  }

  void assets() {
    m_plugin.verbatim_assets = m_top.texts("verbatim_assets");
    std::set<std::string> seen;
    for (const YAML::Node& item : m_top.items("defaultassets")) {
      Section section(m_document, item, "an asset", {"name", "value"});
      const std::string name = section.required("name", "query.sql");
      if (name.empty()) {
        continue;
      }
      if (!is_asset_name(name)) {
        section.error("name", "'" + name + "' is no name for an asset",
                      "a relative path without .., \\ and a first dot");
      } else if (!seen.insert(text::lower(name)).second) {
        section.error("name", "a second asset is called '" + name + "'", "names are compared without regard to case");
      }
      const auto* value = section.find("value");
      if (value != nullptr && !is_verbatim(m_plugin.verbatim_assets, name)) {
        check_macros(value->value);
      }
      m_plugin.default_assets.emplace_back(name, section.text("value"));
    }
  }

  void check_macros(const YAML::Node& node) {
    if (!node.IsScalar()) {
      return;
    }
    for (const macros::Mistake& mistake : macros::check(node.Scalar())) {
      m_document.error(place_inside(node, mistake.offset), "in a macro: " + mistake.message, mistake.hint);
    }
  }

  /// A block scalar moves its lines, so the line at fault is looked for below the key.
  [[nodiscard]] SourceLocation place_inside(const YAML::Node& scalar, std::size_t offset) const {
    const std::string& value = scalar.Scalar();
    offset = std::min(offset, value.size());
    const std::size_t start = offset == 0 ? 0 : value.rfind('\n', offset - 1) + 1;
    const std::string line = value.substr(start, value.find('\n', start) - start);
    const SourceLocation begin = m_document.where(scalar.Mark());
    const auto& lines = m_document.lines();
    for (std::size_t i = begin.line == 0 ? 0 : begin.line - 1; i < lines.size() && !line.empty(); ++i) {
      if (const auto at = lines[i].find(line); at != std::string::npos) {
        return {begin.file, i + 1, at + (offset - start) + 1, 1, lines[i]};
      }
    }
    return begin;
  }

  Document& m_document;
  YamlPlugin& m_plugin;
  Section m_top;
  std::map<std::string, std::string> m_tags;
  std::set<std::string> m_defaults;
};

}  // namespace

std::optional<YamlPlugin> parse_yaml_plugin(const std::filesystem::path& file, std::vector<Problem>& problems,
                                            const Limits& limits) {
  std::vector<Problem> found;
  YamlPlugin plugin;
  plugin.file = file;
  Document document(file, found, limits.yaml_bytes);
  if (document.usable()) {
    try {
      PluginReader(document, plugin).read();
    } catch (const YAML::Exception& problem) {
      document.error(document.where(problem.mark), "not understood: " + problem.msg);
    }
  }
  const bool wrong = std::any_of(found.begin(), found.end(),
                                 [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
  std::stable_sort(found.begin(), found.end(),
                   [](const Problem& a, const Problem& b) { return a.location.line < b.location.line; });
  problems.insert(problems.end(), found.begin(), found.end());
  return wrong ? std::nullopt : std::optional(std::move(plugin));
}

YamlPlugin load_yaml_plugin(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  auto plugin = parse_yaml_plugin(file, problems);
  if (!plugin) {
    throw to_error(file.string(), problems).value();
  }
  for (const Problem& problem : problems) {
    log::warning(file.string() + ":" + std::to_string(problem.location.line) + ": " + problem.message +
                 (problem.hint.empty() ? "" : " (" + problem.hint + ")"));
  }
  return *std::move(plugin);
}

}  // namespace vdk::plugin
