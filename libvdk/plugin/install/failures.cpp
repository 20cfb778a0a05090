// SPDX-License-Identifier: Apache-2.0
#include "plugin/install/failures.hpp"

#include <algorithm>

namespace vdk::plugin {

void Failures::add(const std::string& plugin, const Error& error) {
  const std::lock_guard guard(m_mutex);
  m_errors.emplace(plugin, error);
}

void Failures::raise() const {
  if (m_errors.empty()) {
    return;
  }
  const auto& [name, first] = *m_errors.begin();
  if (m_errors.size() == 1) {
    ErrorText text = first.text();
    if (text.what.find("'" + name + "'") == std::string::npos) {
      text.what = "plugin '" + name + "': " + text.what;
    }
    text.consequences = "Nothing was changed.";
    throw Error(first.kind(), std::move(text), first.location());
  }
  const bool alike =
      std::all_of(m_errors.begin(), m_errors.end(), [&](const auto& one) { return one.second.kind() == first.kind(); });
  std::string why;
  std::string mend;
  for (const auto& [plugin, error] : m_errors) {
    why += (why.empty() ? "" : "\n") + plugin + ": " + error.what();
    const std::string& way = error.text().countermeasures;
    if (!way.empty() && mend.find(way) == std::string::npos) {
      mend += (mend.empty() ? "" : "\n") + way;
    }
  }
  throw Error(alike ? first.kind() : ErrorKind::platform,
              {.what = std::to_string(m_errors.size()) + " plugins cannot be installed",
               .why = why,
               .consequences = "Nothing was changed.",
               .countermeasures = mend});
}

std::string describe(const Change& change) {
  const auto with_version = [](const std::string& version) { return version.empty() ? "" : " " + version; };
  switch (change.kind) {
    case Change::Kind::added:
      return "add " + change.name + with_version(change.to_version);
    case Change::Kind::removed:
      return "remove " + change.name + with_version(change.from_version);
    case Change::Kind::changed:
      break;
  }
  const bool moved = change.from_version != change.to_version;
  return "change " + change.name + with_version(change.from_version) +
         (moved ? " -> " + (change.to_version.empty() ? "no version" : change.to_version) : "");
}

}  // namespace vdk::plugin
