// SPDX-License-Identifier: Apache-2.0
#include "config/ini_lines.hpp"

#include <ini.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "vdk/config/secrets.hpp"
#include "vdk/core/text.hpp"

namespace vdk::config::detail {
namespace {

[[noreturn]] void refuse(std::string why, std::string countermeasures, SourceLocation location) {
  std::string what = "cannot read the configuration file '" + location.file + "'";
  throw Error(ErrorKind::configuration,
              {std::move(what), std::move(why), "Nothing in the file is used.", std::move(countermeasures)},
              std::move(location));
}

std::vector<Line> split_lines(std::string_view content) {
  std::vector<Line> lines;
  std::size_t begin = 0;
  while (begin < content.size()) {
    std::size_t stop = content.find_first_of("\r\n", begin);
    std::size_t end = stop;
    if (stop == std::string_view::npos) {
      stop = end = content.size();
    } else {
      end += content.substr(stop, 2) == "\r\n" ? 2U : 1U;
    }
    lines.push_back({content.substr(begin, stop - begin), begin, end});
    begin = end;
  }
  return lines;
}

/// A line that says something of its own: a header or an option with all its continuation lines.
struct Logical {
  std::size_t first = 0;
  std::size_t last = 0;
  bool header = false;
  std::string_view name;  ///< of the section, or the key as written
  bool has_value = false;
  std::string value;
  std::vector<Piece> pieces;
};

std::size_t column_of(const Line& line, std::string_view part) {
  return static_cast<std::size_t>(part.data() - line.text.data());
}

std::size_t characters(std::string_view s) {
  return static_cast<std::size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Logical open_logical(const Line& line, std::size_t index) {
  Logical logical;
  logical.first = logical.last = index;
  const std::string_view text = strip(line.text);
  const std::size_t close = text.rfind(']');
  if (text.front() == '[' && close != std::string_view::npos && close > 1) {
    logical.header = true;
    logical.name = text.substr(1, close - 1);
    return logical;
  }
  const std::size_t delimiter = text.find_first_of("=:");
  logical.name = strip_right(text.substr(0, delimiter));
  if (delimiter != std::string_view::npos) {
    logical.has_value = true;
    const std::string_view value = strip(text.substr(delimiter + 1));
    logical.value = value;
    logical.pieces.push_back({0, index, column_of(line, value)});
  }
  return logical;
}

/// Joins continuation lines and drops comments, by the rules of Python's RawConfigParser.
std::vector<Logical> logical_lines(const std::vector<Line>& lines) {
  std::vector<Logical> result;
  std::size_t indent = 0;
  std::size_t empty_lines = 0;
  bool in_option = false;  // an option is open, so that deeper lines continue it
  bool in_section = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view text = strip(lines[i].text);
    if (text.empty()) {
      ++empty_lines;
      continue;
    }
    if (text.front() == '#' || text.front() == ';') {
      continue;
    }
    const std::size_t own_indent = characters(lines[i].text.substr(0, column_of(lines[i], text)));
    if (in_section && in_option && own_indent > indent) {
      Logical& open = result.back();
      open.value.append(empty_lines + 1, '\n');
      open.pieces.push_back({open.value.size(), i, column_of(lines[i], text)});
      open.value += text;
      open.last = i;
    } else {
      indent = own_indent;
      result.push_back(open_logical(lines[i], i));
      in_section = in_section || result.back().header;
      in_option = !result.back().header && result.back().has_value;
    }
    empty_lines = 0;
  }
  return result;
}

/// inih cuts lines at 200 bytes, names at 50, and values at " ;". So it never sees a person's text: each logical line
/// becomes one short line of numbers ("[s17]", "k18=v18") and inih's answer is mapped back by number.
struct Event {
  std::size_t section = 0;
  std::size_t option = 0;
  bool header = false;
};

std::size_t number_in(const char* token) {
  const std::string_view digits = std::string_view(token).substr(1);
  std::size_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

int on_event(void* user, const char* section, const char* name, const char* /*value*/) {
  if (name == nullptr) {
    return 1;  // some builds of inih also announce the section itself
  }
  auto* events = static_cast<std::vector<Event>*>(user);
  const std::size_t where = *section == 's' ? number_in(section) : std::string::npos;
  events->push_back({where, number_in(name), *name == 'h'});
  return 1;
}

std::string canonical_line(const Logical& logical, std::size_t index) {
  const std::string number = std::to_string(index);
  if (logical.header) {
    return "[s" + number + "]\nh" + number + "=0\n";  // the mark keeps sections without options visible
  }
  const bool whole = logical.has_value && !logical.name.empty();  // inih would take an empty key, Python does not
  return "k" + number + (whole ? "=v" + number : "") + "\n\n";
}

/// What inih found, up to the first logical line that it refuses (npos when there is none).
struct Answer {
  std::vector<Event> events;
  std::size_t refused = std::string::npos;
};

Answer run_inih(const std::vector<Logical>& logical) {
  std::string canonical;
  for (std::size_t i = 0; i < logical.size(); ++i) {
    canonical += canonical_line(logical[i], i);
  }
  Answer answer;
  const int bad_line = ini_parse_string(canonical.c_str(), on_event, &answer.events);
  if (bad_line > 0) {
    answer.refused = (static_cast<std::size_t>(bad_line) - 1) / 2;  // two canonical lines each
    std::erase_if(answer.events, [&](const Event& event) { return event.option >= answer.refused; });
  }
  return answer;
}

void refuse_line(const RawIni& raw, std::size_t line) {
  const std::string_view text = strip(raw.lines[line].text);
  const bool opened = text.front() == '[';
  refuse(opened ? "The section header has no name or no closing ']'." : "The line is not of the form 'key = value'.",
         opened ? "Write the header as [name]."
                : "Write 'key = value'. To continue the value of the line above, indent this line deeper than it.",
         raw.location(line, column_of(raw.lines[line], text), text.size()));
}

void check_text(std::string_view content, const RawIni& raw) {
  if (content.find('\0') == std::string_view::npos && text::is_valid_utf8(content)) {
    return;
  }
  for (std::size_t i = 0; i < raw.lines.size(); ++i) {
    const std::string_view line = raw.lines[i].text;
    const std::size_t zero = line.find('\0');
    if (zero != std::string_view::npos) {
      refuse("The line contains a NUL byte.", "Save the file as plain UTF-8 text.", raw.location(i, zero));
    }
    if (!text::is_valid_utf8(line)) {
      std::size_t good = 0;
      while (good < line.size() && text::is_valid_utf8(line.substr(0, good + 1))) {
        ++good;
      }
      refuse("The line is not valid UTF-8.", "Save the file with the encoding UTF-8.", raw.location(i, good));
    }
  }
  refuse("The file is not valid UTF-8.", "Save the file with the encoding UTF-8.", raw.location(0, 0));
}

RawOption make_option(const Logical& logical) {
  RawOption option;
  option.key = lower_key(logical.name);
  option.value = strip_right(logical.value);
  option.pieces = logical.pieces;
  option.first_line = logical.first;
  option.last_line = logical.last;
  return option;
}

void refuse_missing_header(const RawIni& raw, const Logical& at) {
  const std::size_t column = column_of(raw.lines[at.first], at.name);
  refuse("The line stands before the first section header.", "Put a header such as [job] above it.",
         raw.location(at.first, column, at.name.size()));
}

}  // namespace

SourceLocation RawIni::location(std::size_t line, std::size_t column, std::size_t length) const {
  const std::string text = line < lines.size() ? mask_line(std::string(lines[line].text)) : std::string();
  return {file, line + 1, column + 1, std::max<std::size_t>(length, 1), text};
}

SourceLocation RawIni::location(const RawOption& option, std::size_t offset) const {
  const Piece* piece = &option.pieces.front();
  for (const Piece& candidate : option.pieces) {
    if (candidate.offset <= offset) {
      piece = &candidate;
    }
  }
  return location(piece->line, piece->column + offset - piece->offset);
}

RawIni read_raw(std::string_view content, const std::string& file) {
  constexpr std::string_view bom = "\xEF\xBB\xBF";
  const std::size_t skip = content.starts_with(bom) ? bom.size() : 0;
  RawIni raw{file, split_lines(content.substr(skip)), {}};
  for (Line& line : raw.lines) {
    line.begin += skip;
    line.end += skip;
  }
  check_text(content, raw);
  const std::vector<Logical> logical = logical_lines(raw.lines);
  if (!logical.empty() && !logical.front().header) {
    refuse_missing_header(raw, logical.front());
  }
  std::set<std::string> sections;
  std::set<std::pair<std::string, std::string>> keys;
  const Answer answer = run_inih(logical);
  for (const Event& event : answer.events) {
    if (event.header) {
      const Logical& header = logical.at(event.section);
      const std::string name(header.name);
      if (!sections.insert(name).second && name != "DEFAULT") {
        refuse("The section [" + name + "] stands twice in the file.", "Merge the two sections into one.",
               raw.location(header.first, column_of(raw.lines[header.first], header.name), name.size()));
      }
      raw.sections.push_back({name, header.first, {}});
      continue;
    }
    RawSection& section = raw.sections.back();
    const Logical& line = logical.at(event.option);
    section.options.push_back(make_option(line));
    if (!keys.emplace(section.name, section.options.back().key).second) {
      refuse("The key '" + section.options.back().key + "' stands twice in [" + section.name + "].",
             "Keep one of the two lines.",
             raw.location(line.first, column_of(raw.lines[line.first], line.name), line.name.size()));
    }
  }
  if (answer.refused != std::string::npos) {
    refuse_line(raw, logical.at(answer.refused).first);
  }
  return raw;
}

}  // namespace vdk::config::detail
