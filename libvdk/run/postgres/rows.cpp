// SPDX-License-Identifier: Apache-2.0
#include "run/postgres/rows.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

#include "run/postgres/library.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

using postgres::pq;

constexpr Oid k_bool = 16;
constexpr Oid k_int8 = 20;
constexpr Oid k_int2 = 21;
constexpr Oid k_int4 = 23;
constexpr Oid k_oid = 26;
constexpr Oid k_float4 = 700;
constexpr Oid k_float8 = 701;

bool is_number(Oid type) {
  return type == k_int4 || type == k_int8 || type == k_int2 || type == k_float8 || type == k_float4 || type == k_oid;
}

void append_string(std::string& out, std::string_view value) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    out.append(value, done, i - done);
    done = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else {
      out += "\\u00";
      out += hex[c >> 4U];
      out += hex[c & 15U];
    }
  }
  out.append(value, done);
  out += '"';
}

}  // namespace

void PostgresRows::begin(const pg_result* result) {
  nlohmann::json columns = nlohmann::json::array();
  for (int i = 0; i < pq().PQnfields(result); ++i) {
    columns.push_back(
        {pq().PQfname(result, i), pq().PQftype(result, i), pq().PQfsize(result, i), pq().PQfmod(result, i)});
  }
  m_columns = columns.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  m_rows.clear();
}

void PostgresRows::clear() {
  m_columns.clear();
  m_rows.clear();
}

void PostgresRows::add(const pg_result* result) {
  m_rows += m_rows.empty() ? "[" : ",[";
  const int columns = pq().PQnfields(result);
  for (int i = 0; i < columns; ++i) {
    m_rows += i == 0 ? "" : ",";
    const Oid type = pq().PQftype(result, i);
    if (pq().PQgetisnull(result, 0, i) != 0) {
      m_rows += "null";
      continue;
    }
    const std::string_view value(pq().PQgetvalue(result, 0, i),
                                 static_cast<std::size_t>(pq().PQgetlength(result, 0, i)));
    if (type == k_bool) {
      m_rows += value == "t" ? "true" : "false";
    } else if (is_number(type)) {
      m_rows += value;  // NaN and Infinity are words that Python's reader knows
    } else {
      append_string(m_rows, value);
    }
  }
  m_rows += "]";
}

std::string PostgresRows::members(bool with_columns) const {
  return (with_columns ? "\"columns\":" + (m_columns.empty() ? "null" : m_columns) + "," : "") + "\"rows\":[" + m_rows +
         "]";
}

bool PostgresRows::is_text() const { return text::is_valid_utf8(m_rows); }

}  // namespace vdk::run
