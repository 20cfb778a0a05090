// SPDX-License-Identifier: Apache-2.0
#include "plugin/unpack/sink.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "vdk/core/failpoint.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::plugin::detail {

namespace fs = std::filesystem;
using job::detail::archive_error;
using job::detail::printable;

namespace {

constexpr std::uint64_t k_free_growth = 10ULL << 20U;  // small archives of zeros are no bombs

std::string entry(std::string_view name) { return "The entry '" + printable(name) + "' "; }

/// `a/b/` and `a/b` without their first part; nothing when there is no more.
std::optional<std::string> without_first(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos || slash + 1 == name.size()) {
    return std::nullopt;
  }
  return name.substr(slash + 1);
}

bool matches(const std::string& pattern, const std::string& path) {
  const bool any_folder = pattern.find('/') == std::string::npos;
  const std::string subject = any_folder ? path.substr(path.rfind('/') + 1) : path;
  return fnmatch(pattern.c_str(), subject.c_str(), any_folder ? 0 : FNM_PATHNAME) == 0;
}

}  // namespace

void Budget::add(std::uint64_t bytes) {
  m_produced += bytes;
  if (m_produced > k_free_growth && m_produced / m_limits.ratio >= std::max<std::uint64_t>(m_packed, 1)) {
    throw archive_error("It grows to more than " + std::to_string(m_limits.ratio) + " times its packed size of " +
                        std::to_string(m_packed) + " bytes.");
  }
}

Sink::Sink(const fs::path& destination, const UnpackOptions& options)
    : m_destination(destination), m_options(options), m_tree(destination) {}

void Sink::check_name(std::string_view name) const {
  if (!job::is_safe_entry_name(name)) {
    throw archive_error(entry(name) +
                        "has an unsafe name: absolute, with '..', a backslash, a drive letter or unprintable bytes.");
  }
  const Limits& limits = m_options.limits;
  if (name.size() > limits.path_bytes) {
    throw archive_error(entry(name) + "has a path of more than " + std::to_string(limits.path_bytes) + " bytes.");
  }
  const std::string_view path = name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
  const std::vector<std::string> parts = text::split(path, '/');
  if (parts.size() > limits.depth) {
    throw archive_error(entry(name) + "lies more than " + std::to_string(limits.depth) + " folders deep.");
  }
  if (std::ranges::any_of(parts, [&](const std::string& part) { return part.size() > limits.name_bytes; })) {
    throw archive_error(entry(name) + "has a name of more than " + std::to_string(limits.name_bytes) + " bytes.");
  }
}

bool Sink::is_included(const std::string& place) const {
  if (m_options.include.empty()) {
    return true;
  }
  return std::ranges::any_of(m_options.include, [&](const std::string& pattern) {
    for (std::size_t end = place.find('/'); end != std::string::npos; end = place.find('/', end + 1)) {
      const std::string folder = pattern.ends_with('/') ? pattern.substr(0, pattern.size() - 1) : pattern;
      if (matches(folder, place.substr(0, end))) {
        return true;
      }
    }
    return matches(pattern, place);
  });
}

std::optional<std::string> Sink::place_of(const std::string& name) {
  if (++m_entries > m_options.limits.entries) {
    throw archive_error("It has more than " + std::to_string(m_options.limits.entries) + " entries.");
  }
  check_name(name);
  if (const std::string problem = m_names.add(name); !problem.empty()) {
    throw archive_error(entry(name) + problem + ".");
  }
  std::optional<std::string> place = name;
  for (unsigned i = 0; i < m_options.strip_components && place; ++i) {
    place = without_first(*place);
  }
  if (!place || !is_included(*place)) {
    return std::nullopt;
  }
  const std::string problem = m_options.strip_components == 0 ? "" : m_places.add(*place);
  if (!problem.empty()) {
    throw archive_error(entry(name) + problem + " once its first folders are stripped.");
  }
  return place;
}

void Sink::make_parents(std::string_view place) {
  const std::size_t slash = place.rfind('/');
  if (slash != std::string_view::npos) {
    m_tree.folder(place.substr(0, slash));
  }
}

bool Sink::folder(const std::string& name) {
  const auto place = place_of(name);
  if (place) {
    make_parents(*place);
  }
  return place.has_value();
}

bool Sink::file(const std::string& name, bool executable) {
  const auto place = place_of(name);
  if (!place) {
    return false;
  }
  make_parents(*place);
  begin(name, m_tree.file(*place, executable));
  return true;
}

void Sink::single_file(const std::string& name) {
  check_name(name);
  if (name.find('/') != std::string::npos) {
    throw archive_error("It would be stored as '" + printable(name) + "', which is no plain file name.");
  }
  begin(name, m_tree.file(name, false));
}

void Sink::begin(const std::string& name, files::NewTree::File file) {
  m_name = name;
  m_file.emplace(std::move(file));
  ++m_result.files;
  failpoint("plugin.unpack.file");
}

void Sink::content(std::string_view bytes) {
  m_result.bytes += bytes.size();
  if (m_result.bytes > m_options.limits.unpacked_bytes) {
    throw archive_error("With the entry '" + printable(m_name) + "' it is larger than " +
                        std::to_string(m_options.limits.unpacked_bytes) + " bytes.");
  }
  m_file->write(bytes);
}

/// A target of this form can lead only to what lies below the destination, whatever other links do: `..` stands at its
/// start alone, and links are never folders that others lie in.
void Sink::check_link(const std::string& name, std::string_view target) const {
  auto depth = std::ranges::count(name, '/');
  std::string_view rest = target;
  for (; rest.starts_with("../"); rest.remove_prefix(3)) {
    --depth;
  }
  if (depth < 0 || !job::is_safe_entry_name(rest)) {
    throw archive_error(entry(name) + "is a link that leads out of the plugin: '" + printable(target) + "'.");
  }
}

bool Sink::link(const std::string& name, const std::string& target) {
  if (!m_options.allow_symlinks) {
    throw archive_error(entry(name) + "is a symbolic link; the policy does not allow them.");
  }
  const auto place = place_of(name);
  if (!place) {
    return false;
  }
  check_link(*place, target);
  m_links.emplace_back(*place, target);
  return true;
}

void Sink::finish() {
  m_file.reset();
  if (m_result.files == 0) {
    throw archive_error(m_entries == 0 ? "It is empty."
                                       : "No file of it is left after 'include' and 'strip_components'.");
  }
  for (const auto& [place, target] : m_links) {
    make_parents(place);
    m_tree.link(place, target);
  }
  for (const auto& [place, target] : m_links) {
    std::error_code error;
    if (!fs::exists(m_destination / place, error) || error) {
      throw archive_error(entry(place) + "is a link to '" + printable(target) + "', which is not in the archive.");
    }
  }
}

}  // namespace vdk::plugin::detail
