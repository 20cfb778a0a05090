// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/config/ini.hpp"

namespace vdk::config {

enum class SettingType { text, boolean, integer, path, list };

/// Declaration of one setting: the only place where its name, type, default and meaning are written.
struct Setting {
  std::string name;  ///< lower snake_case, as in config.ini [vdk]
  SettingType type = SettingType::text;
  std::string default_value;      ///< empty = none
  std::string help;               ///< one or two sentences
  bool secret = false;            ///< never printed
  bool bare_environment = false;  ///< the original reads KEY without VDK_ too, and it is safe to go on doing so
};

/// Every setting of vdk in name order.
[[nodiscard]] const std::vector<Setting>& all_settings();
[[nodiscard]] const Setting* find_setting(std::string_view name);

enum class Origin { flag, environment, job, user_defaults, default_value };
[[nodiscard]] std::string_view to_string(Origin origin) noexcept;

/// A value and where it comes from.
struct Resolved {
  std::string value;
  Origin origin = Origin::default_value;
  std::string source;           ///< "--flag", "VDK_KEY", "/path/config.ini:12", "default"
  std::vector<Resolved> hides;  ///< what this value wins over, strongest first
};

/// The resolved settings of one call: flag > VDK_KEY > KEY (where declared) > config.ini [vdk] > user defaults >
/// default. Keys that are not declared are kept too (plugins and user code may read them). Sections [vdk_NAME] become
/// NAME.
class Settings {
 public:
  struct Inputs {
    std::map<std::string, std::string> flags;        ///< setting name -> value
    std::map<std::string, std::string> environment;  ///< the whole environment
    std::optional<IniFile> job_config;
    std::optional<IniFile> user_defaults;  ///< .vdk.internal/vdk-configuration.ini
  };
  explicit Settings(Inputs inputs);
  /// From this process' environment, the user defaults file, and config.ini of the job folder when it is given and has
  /// one.
  [[nodiscard]] static Settings from_process(const std::optional<std::filesystem::path>& job_directory = std::nullopt,
                                             std::map<std::string, std::string> flags = {});

  /// Value of a setting; empty when it has none. `section` is NAME of a [vdk_NAME] section, empty for [vdk].
  [[nodiscard]] std::string get(std::string_view name, std::string_view section = {}) const;
  /// Typed readers. Throw Error(configuration) that names the origin when the text does not fit.
  [[nodiscard]] bool get_bool(std::string_view name) const;
  [[nodiscard]] long long get_int(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> get_list(std::string_view name) const;
  [[nodiscard]] Resolved explain(std::string_view name, std::string_view section = {}) const;
  /// Names of the sub-sections [vdk_NAME], lower-cased, in file order.
  [[nodiscard]] std::vector<std::string> sections() const;
  /// Every key that has a value in a section (declared or not), for the job-side SDK.
  [[nodiscard]] std::map<std::string, std::string> values(std::string_view section = {}) const;

 private:
  Inputs m_inputs;
};

/// `$VDK_BASE_CONFIG_FOLDER` or home + `/.vdk.internal`; shared with the original client.
[[nodiscard]] std::filesystem::path internal_directory();
/// `internal_directory()/vdk-configuration.ini`
[[nodiscard]] std::filesystem::path user_defaults_file();
/// `[defaults]` of that file.
struct UserDefaults {
  std::string team;
  std::string rest_api_url;
};
[[nodiscard]] UserDefaults load_user_defaults();
void save_user_default(const std::string& key,
                       const std::optional<std::string>& value);  ///< key: team-name | rest-api-url

/// Where the embedded service lives: `$VDK_CONTROL_SERVICE_HOME`, else `$XDG_DATA_HOME/vdk`, else `~/.local/share/vdk`.
[[nodiscard]] std::filesystem::path control_service_home();

}  // namespace vdk::config
