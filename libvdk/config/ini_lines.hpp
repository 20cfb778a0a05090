// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"

namespace vdk::config::detail {

/// One physical line: its text without the line end, and where it lies in the file.
struct Line {
  std::string_view text;
  std::size_t begin = 0;
  std::size_t end = 0;  ///< after the line end
};

/// A part of a value that comes from one line.
struct Piece {
  std::size_t offset = 0;  ///< in the value
  std::size_t line = 0;    ///< index into RawIni::lines
  std::size_t column = 0;  ///< from 0
};

struct RawOption {
  std::string key;  ///< lower-cased
  std::string value;
  std::vector<Piece> pieces;  ///< at least one
  std::size_t first_line = 0;
  std::size_t last_line = 0;  ///< last line that is part of the value
};

struct RawSection {
  std::string name;
  std::size_t header_line = 0;
  std::vector<RawOption> options;
};

/// What a file says before interpolation. Views point into the content that was given.
struct RawIni {
  std::string file;
  std::vector<Line> lines;
  std::vector<RawSection> sections;  ///< [DEFAULT] is one of them, once per header

  [[nodiscard]] SourceLocation location(std::size_t line, std::size_t column, std::size_t length = 1) const;
  /// Place of the byte at `offset` in an option's value.
  [[nodiscard]] SourceLocation location(const RawOption& option, std::size_t offset) const;
};

/// Lines, sections and options as Python's configparser sees them; throws Error(configuration) where it refuses.
[[nodiscard]] RawIni read_raw(std::string_view content, const std::string& file);

/// White space and lower case as Python's str methods know them (for the scripts people write keys in).
[[nodiscard]] std::string_view strip(std::string_view s) noexcept;
[[nodiscard]] std::string_view strip_left(std::string_view s) noexcept;
[[nodiscard]] std::string_view strip_right(std::string_view s) noexcept;
[[nodiscard]] std::string lower_key(std::string_view s);

/// Value of `option` with %(name)s replaced. `section` and `defaults` are where names are looked up, in that order.
[[nodiscard]] std::string interpolate(const RawIni& ini, const RawOption& option,
                                      const std::vector<const RawOption*>& scope);

}  // namespace vdk::config::detail
