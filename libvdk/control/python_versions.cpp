// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "vdk/control/embedded.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

[[noreturn]] void refuse(const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::configuration, {"cannot use the supported Python versions", why,
                                         "No job can be deployed until this is corrected.", countermeasures});
}

std::string scalar(const YAML::Node& entry, const char* key) {
  const YAML::Node node = entry[key];
  return node && node.IsScalar() ? node.Scalar() : std::string();
}

PythonVersion read_entry(const std::string& version, const YAML::Node& entry) {
  PythonVersion result;
  result.version = version;
  if (entry.IsScalar()) {
    result.interpreter = entry.Scalar();  // short form: version -> path of the interpreter
  } else if (entry.IsMap()) {
    result.interpreter = scalar(entry, "interpreter");
    result.base_image = scalar(entry, "baseImage");
    result.vdk_image = scalar(entry, "vdkImage");
  } else if (!entry.IsNull()) {
    refuse("the entry of version '" + version + "' is neither an object nor a path",
           "Write {\"" + version + "\": {\"interpreter\": \"/usr/bin/python3\"}}.");
  }
  return result;
}

/// JSON is read as YAML: scalars keep their spelling there, so that an unquoted 3.10 does not become 3.1.
std::vector<PythonVersion> read_map(const std::string& content, const std::string& origin) {
  YAML::Node root;
  try {
    root = YAML::Load(content);
  } catch (const YAML::Exception& problem) {
    refuse(origin + " is neither JSON nor YAML: " + problem.what(), "Correct the text, or remove the setting.");
  }
  if (root.IsMap() && root["supportedPythonVersions"]) {
    root = root["supportedPythonVersions"];
  }
  if (!root.IsMap() || root.size() == 0) {
    refuse(origin + " is not an object with one entry for each version",
           R"(Write {"3.11": {"interpreter": "/usr/bin/python3.11"}}.)");
  }
  std::vector<PythonVersion> result;
  for (const auto& item : root) {
    const std::string version = item.first.Scalar();
    if (std::any_of(result.begin(), result.end(), [&](const auto& known) { return known.version == version; })) {
      refuse(origin + " has version '" + version + "' twice", "Keep one of the two entries.");
    }
    result.push_back(read_entry(version, item.second));
  }
  return result;
}

}  // namespace

PythonVersions load_python_versions(const std::string& setting, const std::string& default_setting,
                                    const std::function<std::vector<PythonVersion>()>& discover) {
  PythonVersions result;
  const std::string value(text::trim(setting));
  if (value.empty()) {
    result.versions = discover();
  } else if (value.starts_with('{')) {
    result.versions = read_map(value, "the setting supported_python_versions");
  } else {
    const auto content = files::read_if_exists(value);
    if (!content) {
      refuse("the file '" + value + "' does not exist",
             "Let supported_python_versions name a JSON or YAML file, or hold the JSON object itself.");
    }
    result.versions = read_map(*content, "'" + value + "'");
  }
  const bool incomplete = std::any_of(result.versions.begin(), result.versions.end(),
                                      [](const auto& version) { return version.interpreter.empty(); });
  if (!value.empty() && incomplete) {
    for (const PythonVersion& found : discover()) {
      for (PythonVersion& version : result.versions) {
        if (version.interpreter.empty() && version.version == found.version) {
          version.interpreter = found.interpreter;
        }
      }
    }
  }
  result.default_version = default_setting;
  if (result.default_version.empty() && !result.versions.empty()) {
    result.default_version = result.versions.front().version;
  }
  std::vector<std::string> names;
  for (const PythonVersion& version : result.versions) {
    names.push_back(version.version);
  }
  if (!default_setting.empty() && std::find(names.begin(), names.end(), default_setting) == names.end()) {
    refuse("the default Python version '" + default_setting + "' is not among the supported ones",
           names.empty() ? "Install a Python, or name one in supported_python_versions."
                         : "Set default_python_version to one of " + text::quoted_list(names) + ".");
  }
  return result;
}

PythonCatalog::PythonCatalog(PythonVersions versions)
    : m_versions(std::make_shared<const PythonVersions>(std::move(versions))) {}

std::shared_ptr<const PythonVersions> PythonCatalog::get() const {
  const std::scoped_lock lock(m_mutex);
  return m_versions;
}

void PythonCatalog::replace(PythonVersions versions) {
  auto next = std::make_shared<const PythonVersions>(std::move(versions));
  const std::scoped_lock lock(m_mutex);
  m_versions.swap(next);
}

}  // namespace vdk::control
