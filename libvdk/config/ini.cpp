// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/ini.hpp"

#include <algorithm>

#include "config/ini_lines.hpp"
#include "vdk/core/files.hpp"

namespace vdk::config {
namespace {

using detail::RawIni;
using detail::RawOption;
using detail::RawSection;

using Scope = std::vector<const RawOption*>;

Scope options_of(const RawIni& raw, bool defaults, std::string_view section = {}) {
  Scope scope;
  for (const RawSection& candidate : raw.sections) {
    if (defaults ? candidate.name == "DEFAULT" : candidate.name == section) {
      for (const RawOption& option : candidate.options) {
        scope.push_back(&option);
      }
    }
  }
  return scope;
}

/// Own options first, then those of [DEFAULT] that the section does not set itself.
Scope with_defaults(Scope own, const Scope& defaults) {
  const std::size_t count = own.size();
  for (const RawOption* option : defaults) {
    const auto end = own.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::none_of(own.begin(), end, [&](const RawOption* o) { return o->key == option->key; })) {
      own.push_back(option);
    }
  }
  return own;
}

/// A default may refer to keys that only sections have; standing alone such a value stays as it is written.
std::string default_value(const RawIni& raw, const RawOption& option, const Scope& scope) {
  try {
    return detail::interpolate(raw, option, scope);
  } catch (const Error&) {
    return option.value;
  }
}

}  // namespace

IniFile IniFile::parse(std::string_view content, const std::string& file_name) {
  const RawIni raw = detail::read_raw(content, file_name);
  IniFile file;
  file.m_file_name = file_name;
  file.m_defaults.name = "DEFAULT";
  const Scope defaults = options_of(raw, true);
  for (const RawOption* option : defaults) {
    file.m_defaults.order.push_back(option->key);
    file.m_defaults.values[option->key] = {default_value(raw, *option, defaults), raw.location(*option, 0)};
  }
  for (const RawSection& section : raw.sections) {
    if (section.name == "DEFAULT") {
      continue;
    }
    const Scope scope = with_defaults(options_of(raw, false, section.name), defaults);
    Section& target = file.m_sections.emplace_back();
    target.name = section.name;
    for (const RawOption* option : scope) {
      target.order.push_back(option->key);
      target.values[option->key] = {detail::interpolate(raw, *option, scope), raw.location(*option, 0)};
    }
  }
  return file;
}

IniFile IniFile::load(const std::filesystem::path& path) { return parse(files::read(path), path.string()); }

const IniValue* IniFile::find(std::string_view section, std::string_view key) const {
  const Section* found = section == "DEFAULT" ? &m_defaults : nullptr;
  for (const Section& candidate : m_sections) {
    if (candidate.name == section) {
      found = &candidate;
    }
  }
  if (found == nullptr) {
    return nullptr;
  }
  const auto value = found->values.find(detail::lower_key(key));
  return value == found->values.end() ? nullptr : &value->second;
}

std::optional<std::string> IniFile::get(std::string_view section, std::string_view key) const {
  const IniValue* value = find(section, key);
  return value == nullptr ? std::nullopt : std::optional(value->value);
}

std::vector<std::string> IniFile::sections() const {
  std::vector<std::string> names;
  for (const Section& section : m_sections) {
    names.push_back(section.name);
  }
  return names;
}

std::vector<std::string> IniFile::keys(std::string_view section) const {
  if (section == "DEFAULT") {
    return m_defaults.order;
  }
  for (const Section& candidate : m_sections) {
    if (candidate.name == section) {
      return candidate.order;
    }
  }
  return {};
}

}  // namespace vdk::config
