// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "vdk/target/local.hpp"

namespace vdk::target::local {

/// Answers of interpreters, remembered by path, size and time stamp, in one JSON file. Pyenv-like shims answer
/// differently over time without changing themselves, therefore the interpreter behind an answer is stamped too and a
/// failure is believed for a few minutes only.
class InterpreterCache {
 public:
  explicit InterpreterCache(std::filesystem::path file);  ///< empty: remembers nothing beyond this object
  /// The answer of `path`, from the cache or by running it.
  [[nodiscard]] std::optional<Interpreter> probe(const std::filesystem::path& path);
  void save();  ///< writes the file when something new was learned; a failure to write is not an error

 private:
  struct Entry {
    std::string stamp;       ///< of the path itself
    std::string real_stamp;  ///< of the interpreter behind it
    long long checked = 0;   ///< unix seconds
    std::optional<Interpreter> interpreter;
  };
  void load();
  [[nodiscard]] bool is_fresh(const Entry& entry, const std::filesystem::path& path) const;

  std::filesystem::path m_file;
  std::map<std::string, Entry> m_entries;
  bool m_changed = false;
};

}  // namespace vdk::target::local
