// SPDX-License-Identifier: Apache-2.0
#include "control/server/config_reader.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "control/server/config_values.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

std::size_t line_of(const YAML::Mark& mark) { return mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1; }
std::size_t column_of(const YAML::Mark& mark) {
  return mark.column < 0 ? 0 : static_cast<std::size_t>(mark.column) + 1;
}

/// "a.b" for "a.b.c"; empty at the top.
std::string parent_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? std::string() : key.substr(0, dot);
}

std::vector<std::string> all_keys() {
  std::vector<std::string> keys;
  for (const KeySpec& spec : key_specs()) {
    keys.push_back(spec.key.key);
    if (!spec.alias.empty()) {
      keys.push_back(spec.alias);
    }
  }
  for (const ForeignKey& foreign : foreign_keys()) {
    keys.push_back(foreign.key);
  }
  return keys;
}

bool is_section(const std::string& key) {
  static const std::set<std::string> sections = [] {
    std::set<std::string> found;
    for (const std::string& known : all_keys()) {
      for (std::string up = parent_of(known); !up.empty(); up = parent_of(up)) {
        found.insert(up);
      }
    }
    return found;
  }();
  return sections.contains(key);
}

const ForeignKey* find_foreign(const std::string& key) {
  const auto& keys = foreign_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ForeignKey& one) { return one.key == key; });
  return found == keys.end() ? nullptr : &*found;
}

/// What may stand in the section of `key`, sub-sections included.
std::vector<std::string> names_beside(const std::string& key) {
  const std::string section = parent_of(key);
  std::set<std::string> names;
  for (const std::string& known : all_keys()) {
    if (section.empty() || known.starts_with(section + ".")) {
      const std::string rest = section.empty() ? known : known.substr(section.size() + 1);
      names.insert(rest.substr(0, rest.find('.')));
    }
  }
  return {names.begin(), names.end()};
}

std::string hint_for(const std::string& key) {
  const std::string section = parent_of(key);
  const std::string name = section.empty() ? key : key.substr(section.size() + 1);
  if (const auto near = text::nearest(name, names_beside(key))) {
    return "did you mean " + (section.empty() ? "" : section + ".") + *near + "?";
  }
  for (const KeySpec& spec : key_specs()) {
    if (text::lower(spec.key.key).ends_with("." + text::lower(name)) ||
        text::lower(spec.key.key) == text::lower(name)) {
      return "did you mean " + spec.key.key + "?";
    }
  }
  return section.empty() ? "docs/server.md lists the keys"
                         : "the section " + section + " has " + text::quoted_list(names_beside(key));
}

class Reader {
 public:
  Reader(const std::filesystem::path& base, FileContent& out) : m_base(base), m_out(out) {}

  void section(const YAML::Node& node, const std::string& prefix) {
    for (const auto& item : node) {
      if (!item.first.IsScalar()) {
        problem(item.first.Mark(), prefix, "a key must be a word", "write KEY: VALUE");
        continue;
      }
      const std::string key = prefix.empty() ? item.first.Scalar() : prefix + "." + item.first.Scalar();
      entry(key, item.first.Mark(), item.second);
    }
  }

 private:
  void entry(const std::string& key, const YAML::Mark& at, const YAML::Node& value) {
    if (!m_seen.insert(key).second) {
      problem(at, key, "this key stands here a second time", "keep one of the two");
      return;
    }
    const KeySpec* spec = find_spec(key);
    if (spec != nullptr && spec->key.key != key && !m_seen.insert(spec->key.key).second) {
      problem(at, key, key + " and " + spec->key.key + " are two names of one key", "keep one of the two");
      return;
    }
    if (is_python_map(key)) {
      m_seen.insert("supportedPythonVersions");
      read_python_map(value, key, m_base, m_out);
    } else if (key == k_teams_key && value.IsMap()) {
      m_out.positions[key] = {line_of(value.Mark()), column_of(value.Mark())};
      YAML::Emitter text;
      text << YAML::Flow << value;
      m_out.values[key] = {
          .text = text.c_str(), .shown_key = key, .line = line_of(value.Mark()), .column = column_of(value.Mark())};
    } else if (spec != nullptr) {
      scalar(*spec, key, at, value);
    } else if (const ForeignKey* foreign = find_foreign(key)) {
      problem(at, key, "not used by this server: " + foreign->reason, "", true);
      m_out.problems.back().unused = true;
    } else if (is_section(key)) {
      if (value.IsMap()) {
        section(value, key);
      } else if (!value.IsNull()) {
        problem(value.Mark(), key, "this must be a section with keys of its own",
                "it has " + text::quoted_list(names_beside(key + ".x")));
      }
    } else {
      problem(at, key, "there is no such key", hint_for(key));
    }
  }

  void scalar(const KeySpec& spec, const std::string& key, const YAML::Mark& at, const YAML::Node& value) {
    if (value.IsNull()) {
      return;
    }
    std::string text;
    if (value.IsScalar()) {
      text = value.Scalar();
    } else if (value.IsSequence() &&
               std::all_of(value.begin(), value.end(), [](const auto& n) { return n.IsScalar(); })) {
      std::vector<std::string> parts;
      for (const auto& part : value) {
        parts.push_back(part.Scalar());
      }
      text = text::join(parts, ",");
    } else {
      problem(at, key, "this key has one value", "write " + key + ": VALUE on one line");
      return;
    }
    const auto where = std::make_pair(line_of(value.Mark()), column_of(value.Mark()));
    m_out.positions[spec.key.key] = where;
    if (!text.empty()) {
      m_out.values[spec.key.key] = {
          .text = std::move(text), .shown_key = key, .line = where.first, .column = where.second};
    }
  }

  void problem(const YAML::Mark& at, const std::string& key, std::string message, std::string hint,
               bool warning = false) {
    m_out.problems.push_back({.key = key,
                              .message = std::move(message),
                              .hint = std::move(hint),
                              .line = line_of(at),
                              .column = column_of(at),
                              .warning = warning});
  }

  const std::filesystem::path& m_base;
  FileContent& m_out;
  std::set<std::string> m_seen;
};

void read_version(const std::string& version, const YAML::Node& entry, const std::filesystem::path& base,
                  const std::string& key, FileContent& out) {
  static const std::vector<std::string> known = {"interpreter", "baseImage", "vdkImage", "builderImage"};
  PythonVersion result{.version = version, .interpreter = {}, .base_image = {}, .vdk_image = {}};
  const auto refuse = [&](const YAML::Mark& at, const std::string& which, std::string message, std::string hint) {
    out.problems.push_back({.key = which,
                            .message = std::move(message),
                            .hint = std::move(hint),
                            .line = line_of(at),
                            .column = column_of(at)});
  };
  const auto set_interpreter = [&](const YAML::Node& node) {
    const std::string& given = node.Scalar();
    // A bare name is looked up on PATH; everything else is a path.
    const bool bare = given.find('/') == std::string::npos;
    result.interpreter = given.empty() || bare ? given : (base / given).lexically_normal().string();
    out.positions["supportedPythonVersions." + version + ".interpreter"] = {line_of(node.Mark()),
                                                                            column_of(node.Mark())};
  };
  if (entry.IsScalar()) {
    set_interpreter(entry);
  } else if (entry.IsMap()) {
    for (const auto& item : entry) {
      const std::string name = item.first.IsScalar() ? item.first.Scalar() : std::string();
      const std::string which = key + "." + version + "." + name;
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const auto near = text::nearest(name, known);
        refuse(item.first.Mark(), which, "there is no such key",
               near ? "did you mean " + *near + "?" : "a version has " + text::quoted_list(known));
      } else if (!item.second.IsScalar() && !item.second.IsNull()) {
        refuse(item.second.Mark(), which, "this key has one value", "write " + name + ": TEXT");
      } else if (item.second.IsScalar() && name == "interpreter") {
        set_interpreter(item.second);
      } else if (item.second.IsScalar()) {
        (name == "baseImage" ? result.base_image : result.vdk_image) =
            name == "builderImage" ? result.vdk_image : item.second.Scalar();
      }
    }
  } else if (!entry.IsNull()) {
    refuse(entry.Mark(), key + "." + version, "a version is a section with interpreter, baseImage and vdkImage",
           "write " + version + ": {interpreter: /usr/bin/python" + version + "}");
  }
  out.python_versions.push_back(std::move(result));
}

bool looks_like_version(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
  return plain && !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
}

}  // namespace

void read_python_map(const YAML::Node& node, const std::string& key, const std::filesystem::path& base,
                     FileContent& out) {
  const auto refuse = [&](const YAML::Mark& at, std::string message, std::string hint) {
    out.problems.push_back({.key = key,
                            .message = std::move(message),
                            .hint = std::move(hint),
                            .line = line_of(at),
                            .column = column_of(at)});
  };
  if (node.IsNull()) {
    return;
  }
  out.has_python_versions = true;
  if (!node.IsMap() || node.size() == 0) {
    refuse(node.Mark(), "this is a dictionary with one entry for each version",
           "write for example 3.11: {interpreter: /usr/bin/python3.11} on a line of its own below it");
    return;
  }
  std::set<std::string> seen;
  for (const auto& item : node) {
    // Scalar() is the text as it stands: an unquoted 3.10 stays 3.10.
    const std::string version = item.first.IsScalar() ? item.first.Scalar() : std::string();
    if (!looks_like_version(version)) {
      refuse(item.first.Mark(), "'" + version + "' is no Python version", "write for example 3.11");
    } else if (!seen.insert(version).second) {
      refuse(item.first.Mark(), "version " + version + " stands here a second time", "keep one of the two");
    } else {
      read_version(version, item.second, base, key, out);
    }
  }
}

void read_python_text(const std::string& text, const std::string& variable, const std::filesystem::path& base,
                      FileContent& out) {
  out.python_versions.clear();
  FileContent own;
  try {
    read_python_map(YAML::Load(text), variable, base, own);
  } catch (const YAML::Exception&) {
    own.problems.push_back({.key = variable,
                            .message = "the text is neither YAML nor JSON",
                            .hint = R"(write for example {"3.11": {"interpreter": "/usr/bin/python3.11"}})"});
  }
  for (ConfigProblem& problem : own.problems) {
    problem.line = 0;  // a variable has no lines
    problem.column = 0;
    out.problems.push_back(std::move(problem));
  }
  out.python_versions = std::move(own.python_versions);
  out.has_python_versions = true;
}

FileContent read_yaml(const std::string& content, const std::filesystem::path& base) {
  FileContent out;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(content);
    if (documents.size() > 1) {
      out.problems.push_back({.key = "",
                              .message = "the file has more than one YAML document; only the first one is read",
                              .hint = "remove the line --- and what follows it",
                              .line = line_of(documents[1].Mark()),
                              .column = column_of(documents[1].Mark())});
    }
    if (!documents.empty() && documents.front().IsMap()) {
      Reader(base, out).section(documents.front(), "");
    } else if (!documents.empty() && !documents.front().IsNull()) {
      out.problems.push_back({.key = "",
                              .message = "the file is not a list of KEY: VALUE lines",
                              .hint = "docs/server.md has an example",
                              .line = 1,
                              .column = 1});
    }
  } catch (const YAML::Exception& problem) {
    out.problems.push_back({.key = "",
                            .message = "this is not YAML: " + problem.msg,
                            .hint = "check the indentation and the quotes of this line and the one above",
                            .line = std::max<std::size_t>(line_of(problem.mark), 1),
                            .column = std::max<std::size_t>(column_of(problem.mark), 1)});
  }
  return out;
}

}  // namespace vdk::control::server_config
