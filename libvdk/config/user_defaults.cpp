// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/settings.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"

namespace vdk::config {
namespace {

std::optional<std::string> non_empty_environment(const std::string& name) {
  auto value = process::environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

}  // namespace

std::filesystem::path internal_directory() {
  const auto base = non_empty_environment("VDK_BASE_CONFIG_FOLDER");
  return (base ? std::filesystem::path(*base) : files::home_directory()) / ".vdk.internal";
}

std::filesystem::path user_defaults_file() { return internal_directory() / "vdk-configuration.ini"; }

UserDefaults load_user_defaults() {
  UserDefaults defaults;
  const auto content = files::read_if_exists(user_defaults_file());
  if (content) {
    const IniFile ini = IniFile::parse(*content, user_defaults_file().string());
    defaults.team = ini.get("defaults", "team-name").value_or("");
    defaults.rest_api_url = ini.get("defaults", "rest-api-url").value_or("");
  }
  return defaults;
}

void save_user_default(const std::string& key, const std::optional<std::string>& value) {
  update_ini(user_defaults_file(), "defaults", key, value);
}

std::filesystem::path control_service_home() {
  if (const auto home = non_empty_environment("VDK_CONTROL_SERVICE_HOME")) {
    return *home;
  }
  const auto data = non_empty_environment("XDG_DATA_HOME");
  const auto base = data ? std::filesystem::path(*data) : files::home_directory() / ".local" / "share";
  return base / "vdk";
}

}  // namespace vdk::config
