// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "config/ini_lines.hpp"
#include "vdk/config/ini.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::config {
namespace {

using detail::RawIni;
using detail::RawOption;
using detail::RawSection;

std::string line_end_of(std::string_view content) {
  return content.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
}

void check_value(const std::string& key, const std::string& value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos || !text::is_valid_utf8(value)) {
    throw Error(ErrorKind::usage,
                {"cannot store a value for '" + key + "'", "The value has a line end, a NUL byte, or is not UTF-8.",
                 "Nothing was changed.", "Give the value as one line of text."});
  }
}

/// Where a new line of the section goes: after its last option, else after its header.
std::size_t insert_position(const RawIni& raw, const RawSection& section) {
  const std::size_t line = section.options.empty() ? section.header_line : section.options.back().last_line;
  return raw.lines[line].end;
}

std::string with_line_end(std::string content, std::size_t position, const std::string& text, const std::string& end) {
  const bool needs_end = position > 0 && content[position - 1] != '\n' && content[position - 1] != '\r';
  return content.insert(position, (needs_end ? end : std::string()) + text + end);
}

std::string changed(const std::string& content, const RawIni& raw, const std::string& section, const std::string& key,
                    const std::optional<std::string>& value) {
  const std::string end = line_end_of(content);
  const std::string text = value ? key + " = " + text::replace_all(*value, "%", "%%") : std::string();
  const RawSection* target = nullptr;
  for (const RawSection& candidate : raw.sections) {
    if (candidate.name != section) {
      continue;
    }
    target = &candidate;
    for (const RawOption& option : candidate.options) {
      if (option.key == detail::lower_key(key)) {
        const std::size_t begin = raw.lines[option.first_line].begin;
        const std::size_t stop = raw.lines[option.last_line].end;
        return std::string(content).replace(begin, stop - begin, value ? text + end : "");
      }
    }
  }
  if (!value) {
    return content;
  }
  if (target != nullptr) {
    return with_line_end(content, insert_position(raw, *target), text, end);
  }
  return with_line_end(content, content.size(), "[" + section + "]" + end + text, end);
}

}  // namespace

void update_ini(const std::filesystem::path& path, const std::string& section, const std::string& key,
                const std::optional<std::string>& value) {
  if (value) {
    check_value(key, *value);
  }
  const std::string content = files::read_if_exists(path).value_or("");
  const RawIni raw = detail::read_raw(content, path.string());
  const std::string result = changed(content, raw, section, key, value);
  if (path.has_parent_path()) {
    if (!std::filesystem::exists(path.parent_path())) {
      files::make_private_directory(path.parent_path());
    }
  }
  if (result != content || value) {
    files::write_atomic(path, result, 0600);
  }
}

}  // namespace vdk::config
