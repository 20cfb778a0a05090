// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <string>

#include "run/session.hpp"
#include "vdk/run/run.hpp"

namespace vdk::run {

/// Every setting by section, with `value` for vdk's own.
[[nodiscard]] nlohmann::ordered_json plugin_settings(const config::Settings& settings,
                                                     const std::function<std::string(const std::string&)>& value);
/// What the host needs to start plugins: the job, its ids, and every setting by section.
[[nodiscard]] nlohmann::ordered_json plugin_configuration(const Session& session);

/// Properties or secrets that a Python plugin keeps: each call asks the host.
class HostStore final : public KeyValueStore {
 public:
  using Ask = std::function<nlohmann::ordered_json(const nlohmann::ordered_json&)>;
  HostStore(std::string name, Ask ask) : m_name(std::move(name)), m_ask(std::move(ask)) {}
  [[nodiscard]] std::string read_all() override;
  void write_all(const std::string& json_object) override;

 private:
  std::string m_name;
  Ask m_ask;
};

/// The host's answer says that something failed: throw it as an error of the kind it names.
void throw_if_failed(const nlohmann::ordered_json& done, const std::string& what);

}  // namespace vdk::run
