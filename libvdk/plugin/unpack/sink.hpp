// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/new_tree.hpp"
#include "job/entry_name.hpp"
#include "vdk/plugin/archive.hpp"

namespace vdk::plugin::detail {

/// Bytes produced against bytes read.
class Budget {
 public:
  Budget(std::uint64_t packed, const Limits& limits) : m_packed(packed), m_limits(limits) {}
  void add(std::uint64_t bytes);

 private:
  std::uint64_t m_packed;
  const Limits& m_limits;
  std::uint64_t m_produced = 0;
};

/// Takes what comes out of an archive: holds it to the rules and puts it below the destination. Throws
/// job::detail::archive_error for what is refused.
class Sink {
 public:
  Sink(const std::filesystem::path& destination, const UnpackOptions& options);

  /// Throws when a name may not be created, or is over the limits.
  void check_name(std::string_view name) const;
  /// One entry of the archive, a folder with a slash at its end. False = left out by the options.
  bool folder(const std::string& name);
  bool file(const std::string& name, bool executable);
  bool link(const std::string& name, const std::string& target);
  /// The one file of what is no archive; the options about entries do not concern it.
  void single_file(const std::string& name);
  /// Bytes of the file that was begun last.
  void content(std::string_view bytes);
  /// The end of the archive: makes the links, which nothing is written through any more. Nothing unpacked is an error.
  void finish();

  [[nodiscard]] Unpacked& result() noexcept { return m_result; }

 private:
  [[nodiscard]] std::optional<std::string> place_of(const std::string& name);
  void check_link(const std::string& name, std::string_view target) const;
  [[nodiscard]] bool is_included(const std::string& place) const;
  void begin(const std::string& name, files::NewTree::File file);
  void make_parents(std::string_view place);

  std::filesystem::path m_destination;
  const UnpackOptions& m_options;
  files::NewTree m_tree;
  job::detail::EntryNames m_names;   ///< as the archive has them
  job::detail::EntryNames m_places;  ///< after stripping
  std::optional<files::NewTree::File> m_file;
  std::string m_name;  ///< of the file that is being written
  std::vector<std::pair<std::string, std::string>> m_links;
  std::uint64_t m_entries = 0;
  Unpacked m_result;
};

}  // namespace vdk::plugin::detail
