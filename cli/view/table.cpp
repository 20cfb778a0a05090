// SPDX-License-Identifier: Apache-2.0
#include "cli/view/table.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "vdk/core/text.hpp"

namespace vdk::cli {
namespace {

constexpr std::size_t header_margin = 2;  // tabulate reserves this much beside each header

struct Column {
  std::string header;
  std::vector<std::vector<std::string>> cells;  ///< each cell's lines
  bool number = true;
  std::size_t width = 0;
};

bool looks_numeric(std::string_view s) {
  if (!s.empty() && (s.front() == '-' || s.front() == '+')) {
    s.remove_prefix(1);
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  bool digit = false;
  bool point = false;
  for (const char c : s) {
    if (c == '.' && !point) {
      point = true;
    } else if (is_digit(c)) {
      digit = true;
    } else {
      return false;
    }
  }
  return digit;
}

std::size_t after_point(const std::string& s) {
  const auto point = s.find('.');
  return point == std::string::npos ? 0 : s.size() - point;
}

/// Numbers stand with their points below each other. Their text stays: python_version 3.10 is never shown as 3.1.
void align_points(Column& column) {
  std::size_t longest = 0;
  for (const auto& cell : column.cells) {
    longest = std::max(longest, after_point(cell.front()));
  }
  for (auto& cell : column.cells) {
    if (!cell.front().empty()) {
      cell.front().append(longest - after_point(cell.front()), ' ');
    }
  }
}

void finish(Column& column) {
  const bool any =
      std::any_of(column.cells.begin(), column.cells.end(), [](const auto& c) { return !c.front().empty(); });
  column.number = column.number && any;
  if (column.number) {
    align_points(column);
  }
  column.width = text::display_width(column.header) + header_margin;
  for (const auto& cell : column.cells) {
    for (const std::string& line : cell) {
      column.width = std::max(column.width, text::display_width(line));
    }
  }
}

void add_cell(Column& column, const Json* value) {
  if (value == nullptr || value->is_null()) {
    column.cells.push_back({""});
    return;
  }
  const std::string shown = python_text(*value);
  if (!(value->is_number() || (value->is_string() && (shown.empty() || looks_numeric(shown))))) {
    column.number = false;
  }
  std::vector<std::string> lines = text::lines(shown);
  if (lines.empty()) {
    lines.emplace_back();
  }
  column.cells.push_back(std::move(lines));
}

std::string pad(const std::string& s, std::size_t width, bool right) {
  const std::size_t own = text::display_width(s);
  const std::string fill(width > own ? width - own : 0, ' ');
  return right ? fill + s : s + fill;
}

std::string rule(const std::vector<Column>& columns, const char* left, const char* line, const char* middle,
                 const char* right) {
  std::string out = left;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t k = 0; k < columns[i].width + 2; ++k) {
      out += line;
    }
    out += i + 1 < columns.size() ? middle : right;
  }
  return out + "\n";
}

std::string grid_row(const std::vector<Column>& columns, std::optional<std::size_t> row) {
  std::size_t height = 1;
  if (row) {
    for (const Column& column : columns) {
      height = std::max(height, column.cells[*row].size());
    }
  }
  std::string out;
  for (std::size_t line = 0; line < height; ++line) {
    for (const Column& column : columns) {
      const std::string shown =
          !row ? column.header : (line < column.cells[*row].size() ? column.cells[*row][line] : std::string());
      out += "│ " + pad(shown, column.width, column.number) + " ";
    }
    out += "│\n";
  }
  return out;
}

}  // namespace

std::string grid_table(const Json& rows) {
  if (rows.empty()) {
    return "No Data.\n";
  }
  std::vector<Column> columns;
  for (const Json& row : rows) {
    for (const auto& [key, value] : row.items()) {
      const auto same = [&name = key](const Column& c) { return c.header == name; };
      if (std::none_of(columns.begin(), columns.end(), same)) {
        columns.push_back({.header = key, .cells = {}});
      }
    }
  }
  for (Column& column : columns) {
    for (const Json& row : rows) {
      add_cell(column, row.contains(column.header) ? &row.at(column.header) : nullptr);
    }
    finish(column);
  }
  std::string out = rule(columns, "╒", "═", "╤", "╕") + grid_row(columns, std::nullopt);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    out += row == 0 ? rule(columns, "╞", "═", "╪", "╡") : rule(columns, "├", "─", "┼", "┤");
    out += grid_row(columns, row);
  }
  return out + rule(columns, "╘", "═", "╧", "╛");
}

std::string simple_table(const Json& columns, const Json& rows) {
  std::vector<Column> shown;
  for (const Json& name : columns) {
    shown.push_back({.header = name.get<std::string>(), .cells = {}});
  }
  std::vector<std::size_t> heights(rows.size(), 1);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      add_cell(shown[i], &rows[row][i]);
      heights[row] = std::max(heights[row], shown[i].cells.back().size());
    }
    finish(shown[i]);
  }
  std::string out;
  const auto line = [&](const auto& text_of) {
    std::string text;
    for (const Column& column : shown) {
      text += (&column == shown.data() ? "" : "  ") + pad(text_of(column), column.width, column.number);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([](const Column& column) { return column.header; });
  line([](const Column& column) { return std::string(column.width, '-'); });
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t k = 0; k < heights[row]; ++k) {
      line([&](const Column& column) {
        const auto& cell = column.cells[row];
        return k < cell.size() ? cell[k] : std::string();
      });
    }
  }
  return out;
}

std::string key_value_table(const Json& object) {
  if (object.empty()) {
    return "No Data.\n";
  }
  Column keys{.header = "key", .cells = {}};
  Column values{.header = "value", .cells = {}};
  for (const auto& [key, value] : object.items()) {
    add_cell(keys, nullptr);
    keys.cells.back() = {key};
    keys.number = keys.number && looks_numeric(key);
    add_cell(values, &value);
  }
  finish(keys);
  finish(values);
  std::string out;
  const auto line = [&](const std::string& key, const std::string& value) {
    std::string text = pad(key, keys.width, keys.number) + "  " + pad(value, values.width, values.number);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line("key", "value");
  out += std::string(keys.width, '-') + "  " + std::string(values.width, '-') + "\n";
  for (std::size_t i = 0; i < keys.cells.size(); ++i) {
    for (std::size_t k = 0; k < values.cells[i].size(); ++k) {
      line(k == 0 ? keys.cells[i].front() : "", values.cells[i][k]);
    }
  }
  return out;
}

}  // namespace vdk::cli
