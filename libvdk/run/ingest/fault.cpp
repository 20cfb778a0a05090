// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "run/ingest/ingest.hpp"

namespace vdk::run {

namespace {

using Json = nlohmann::json;

/// Walks through {"req": ..., "head": {...}, "rows": [[value, ...], ...]} up to the first value that is none for us.
class FaultFinder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return value(); }
  bool boolean(bool /*value*/) override { return value(); }
  bool number_integer(number_integer_t /*value*/) override { return value(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return value(); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    if (text.find_first_of(".eE") == string_t::npos) {
      m_why = "an integer of more than 64 bits";
      return false;
    }
    return value();
  }
  bool string(string_t& /*value*/) override { return value(); }
  bool binary(binary_t& /*value*/) override { return value(); }
  bool key(string_t& name) override {
    if (m_depth == 1) {
      m_in_rows = name == "rows";
    }
    return true;
  }
  bool start_object(std::size_t /*size*/) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const Json::exception& /*error*/) override {
    m_why = "text that is not valid Unicode (half of a surrogate pair)";
    return false;
  }
  [[nodiscard]] const std::string& why() const noexcept { return m_why; }
  [[nodiscard]] bool in_rows() const noexcept { return m_in_rows; }
  [[nodiscard]] std::size_t row() const noexcept { return m_row; }
  [[nodiscard]] std::size_t column() const noexcept { return m_column; }

 private:
  // The rows are at depth 2 (the document is 0), their values at depth 3.
  static constexpr std::size_t row_depth = 2;
  bool open() {
    ++m_depth;
    return true;
  }
  bool close() {
    --m_depth;
    if (m_in_rows && m_depth == row_depth) {
      ++m_row;
      m_column = 0;
      return true;
    }
    return value();
  }
  bool value() {
    if (m_in_rows && m_depth == row_depth + 1) {
      ++m_column;
    }
    return true;
  }
  std::string m_why;
  std::size_t m_depth = 0;
  std::size_t m_row = 0;
  std::size_t m_column = 0;
  bool m_in_rows = false;
};

}  // namespace

std::string find_fault(const std::string& message, const std::vector<std::string>& columns, std::size_t first) {
  FaultFinder finder;
  Json::sax_parse(message, &finder);
  if (finder.why().empty()) {
    return {};
  }
  if (!finder.in_rows() || finder.column() >= columns.size()) {
    return "there is " + finder.why() + " in the name of a table or column";
  }
  return place_of(first + finder.row(), columns[finder.column()]) + " holds " + finder.why();
}

std::string place_of(std::size_t row, const std::string& column) {
  return "the value in column '" + column + "' of row " + std::to_string(row) + " of those that this step sent there";
}

}  // namespace vdk::run
