// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/cron.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <span>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;

/// 29 February is at most eight years away (around 2100).
constexpr int k_horizon_days = 8 * 366;

constexpr std::array<std::string_view, 12> k_month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> k_weekday_names{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldRule {
  std::string_view name;
  unsigned low;
  unsigned high;
  std::span<const std::string_view> names;
};

const std::array<FieldRule, 5> k_rules{{{"minute", 0, 59, {}},
                                        {"hour", 0, 23, {}},
                                        {"day-of-month", 1, 31, {}},
                                        {"month", 1, 12, k_month_names},
                                        {"day-of-week", 0, 7, k_weekday_names}}};

struct Macro {
  std::string_view name;
  std::string_view expression;
};
constexpr std::array<Macro, 7> k_macros{{{"@yearly", "0 0 1 1 *"},
                                         {"@annually", "0 0 1 1 *"},
                                         {"@monthly", "0 0 1 * *"},
                                         {"@weekly", "0 0 * * 0"},
                                         {"@daily", "0 0 * * *"},
                                         {"@midnight", "0 0 * * *"},
                                         {"@hourly", "0 * * * *"}}};

/// A piece of the expression with its place, so that a caret can point at it.
struct Token {
  std::string_view text;
  std::size_t offset = 0;
};

[[noreturn]] void fail(std::string_view expression, const Token& token, const std::string& why) {
  SourceLocation location;
  location.line = 1;
  location.column = token.offset + 1;
  location.length = token.text.empty() ? 1 : token.text.size();
  location.text = std::string(expression);
  throw Error(ErrorKind::configuration,
              {"cannot read the schedule '" + std::string(expression) + "'", why,
               "Nothing was stored; a schedule that exists stays as it is.",
               "Write five fields: minute hour day-of-month month day-of-week, for example '30 2 * * *'. "
               "`vdk schedule preview CRON` shows when a schedule is due."},
              location);
}

std::vector<Token> words(std::string_view expression) {
  std::vector<Token> result;
  std::size_t i = 0;
  while (i < expression.size()) {
    if (expression[i] == ' ' || expression[i] == '\t') {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < expression.size() && expression[i] != ' ' && expression[i] != '\t') {
      ++i;
    }
    result.push_back({expression.substr(begin, i - begin), begin});
  }
  return result;
}

class FieldParser {
 public:
  FieldParser(std::string_view expression, const FieldRule& rule, std::size_t number)
      : m_expression(expression), m_rule(rule), m_number(number) {}

  [[nodiscard]] std::uint64_t parse(const Token& field) const {
    std::uint64_t bits = 0;
    std::size_t begin = 0;
    while (true) {
      const std::size_t comma = field.text.find(',', begin);
      const std::size_t end = comma == std::string_view::npos ? field.text.size() : comma;
      bits |= parse_item({field.text.substr(begin, end - begin), field.offset + begin}, field);
      if (comma == std::string_view::npos) {
        return bits;
      }
      begin = comma + 1;
    }
  }

 private:
  [[noreturn]] void refuse(const Token& token, const std::string& why) const {
    fail(m_expression, token, "field " + std::to_string(m_number) + " (" + std::string(m_rule.name) + "): " + why);
  }

  [[nodiscard]] unsigned number(const Token& token) const {
    for (std::size_t i = 0; i < m_rule.names.size(); ++i) {
      if (text::upper(token.text) == m_rule.names[i]) {
        return static_cast<unsigned>(i) + (m_rule.low == 1 ? 1U : 0U);
      }
    }
    unsigned value = 0;
    const char* last = token.text.data() + token.text.size();
    const auto [end, problem] = std::from_chars(token.text.data(), last, value);
    if (problem != std::errc{} || end != last) {
      refuse(token, "'" + std::string(token.text) + "' is not a number" +
                        (m_rule.names.empty() ? std::string() : " or a name such as " + std::string(m_rule.names[1])));
    }
    if (value < m_rule.low || value > m_rule.high) {
      refuse(token, std::to_string(value) + " is not between " + std::to_string(m_rule.low) + " and " +
                        std::to_string(m_rule.high));
    }
    return value;
  }

  [[nodiscard]] unsigned step(const Token& token) const {
    unsigned value = 0;
    const char* last = token.text.data() + token.text.size();
    const auto [end, problem] = std::from_chars(token.text.data(), last, value);
    if (problem != std::errc{} || end != last || value == 0 || value > m_rule.high) {
      refuse(token,
             "the step '" + std::string(token.text) + "' is not a number from 1 to " + std::to_string(m_rule.high));
    }
    return value;
  }

  [[nodiscard]] std::uint64_t parse_item(const Token& item, const Token& field) const {
    if (item.text.empty()) {
      refuse(field, "the list '" + std::string(field.text) + "' has an empty item");
    }
    const std::size_t slash = item.text.find('/');
    const Token range{item.text.substr(0, slash), item.offset};
    unsigned low = m_rule.low;
    unsigned high = m_rule.high;
    const bool star = range.text == "*" || (range.text == "?" && m_rule.high != 59 && m_rule.high != 23);
    if (!star) {
      const std::size_t dash = range.text.find('-');
      low = number({range.text.substr(0, dash), range.offset});
      if (dash != std::string_view::npos) {
        high = number({range.text.substr(dash + 1), range.offset + dash + 1});
        // "FRI-SUN": Sunday as the end of a range is 7.
        if (m_rule.high == 7 && high == 0 && low > 0) {
          high = 7;
        }
      } else if (slash == std::string_view::npos) {
        high = low;
      }
    } else if (m_rule.high == 7) {
      high = 6;  // 7 is Sunday again and would disturb steps
    }
    if (high < low) {
      refuse(range, "the range '" + std::string(range.text) + "' runs backwards");
    }
    const unsigned stride =
        slash == std::string_view::npos ? 1 : step({item.text.substr(slash + 1), item.offset + slash + 1});
    std::uint64_t bits = 0;
    for (unsigned value = low; value <= high; value += stride) {
      bits |= std::uint64_t{1} << (m_rule.high == 7 ? value % 7 : value);
    }
    return bits;
  }

  std::string_view m_expression;
  const FieldRule& m_rule;
  std::size_t m_number;
};

bool has(std::uint64_t bits, unsigned value) { return ((bits >> value) & 1U) != 0; }

}  // namespace

Cron Cron::parse(std::string_view expression) {
  std::vector<Token> fields = words(expression);
  std::string_view source = expression;
  if (fields.size() == 1 && fields[0].text.starts_with('@')) {
    for (const Macro& macro : k_macros) {
      if (text::lower(fields[0].text) == macro.name) {
        source = macro.expression;
      }
    }
    if (source.data() == expression.data()) {
      fail(expression, fields[0],
           "'" + std::string(fields[0].text) +
               "' is not one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly");
    }
    fields = words(source);
  }
  if (fields.empty()) {
    fail(expression, {expression, 0}, "the expression is empty");
  }
  if (fields.size() > 5) {
    fail(expression, fields[5], "it has " + std::to_string(fields.size()) + " fields, a schedule has five");
  }
  if (fields.size() < 5) {
    fail(expression, fields.back(),
         "it has " + std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
             ", a schedule has five; the field " + std::string(k_rules.at(fields.size()).name) + " is missing");
  }
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < 5; ++i) {
    bits.at(i) = FieldParser(source, k_rules.at(i), i + 1).parse(fields[i]);
  }
  Cron cron;
  cron.m_minutes = bits[0];
  cron.m_hours = static_cast<std::uint32_t>(bits[1]);
  cron.m_days = static_cast<std::uint32_t>(bits[2]);
  cron.m_months = static_cast<std::uint32_t>(bits[3]);
  cron.m_weekdays = static_cast<std::uint32_t>(bits[4]);
  // As in Vixie cron, "*/2" counts as unrestricted here: it must match together with the other day field.
  cron.m_any_day = fields[2].text.starts_with('*') || fields[2].text == "?";
  cron.m_any_weekday = fields[4].text.starts_with('*') || fields[4].text == "?";
  return cron;
}

namespace {

struct DayFields {
  std::uint32_t days;
  std::uint32_t months;
  std::uint32_t weekdays;
  bool any_day;
  bool any_weekday;

  [[nodiscard]] bool match(sys_days date) const {
    const std::chrono::year_month_day ymd(date);
    if (!has(months, static_cast<unsigned>(ymd.month()))) {
      return false;
    }
    const bool day = has(days, static_cast<unsigned>(ymd.day()));
    const bool weekday = has(weekdays, std::chrono::weekday(date).c_encoding());
    return any_day || any_weekday ? day && weekday : day || weekday;
  }
};

}  // namespace

std::optional<TimePoint> Cron::next(TimePoint t) const {
  const auto start = std::chrono::floor<minutes>(t) + minutes(1);
  const DayFields fields{m_days, m_months, m_weekdays, m_any_day, m_any_weekday};
  const sys_days first = std::chrono::floor<days>(start);
  for (int offset = 0; offset <= k_horizon_days; ++offset) {
    const sys_days date = first + days(offset);
    if (!fields.match(date)) {
      continue;
    }
    for (unsigned hour = 0; hour < 24; ++hour) {
      if (!has(m_hours, hour) || date + hours(hour + 1) <= start) {
        continue;
      }
      for (unsigned minute = 0; minute < 60; ++minute) {
        if (has(m_minutes, minute) && date + hours(hour) + minutes(minute) >= start) {
          return TimePoint(date + hours(hour) + minutes(minute));
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<TimePoint> Cron::last_between(TimePoint after, TimePoint until) const {
  const DayFields fields{m_days, m_months, m_weekdays, m_any_day, m_any_weekday};
  const sys_days last = std::chrono::floor<days>(until);
  const sys_days first = std::max(sys_days(std::chrono::floor<days>(after)), last - days(k_horizon_days));
  for (sys_days date = last; date >= first; date -= days(1)) {
    if (!fields.match(date)) {
      continue;
    }
    for (int hour = 23; hour >= 0; --hour) {
      if (!has(m_hours, static_cast<unsigned>(hour)) || date + hours(hour) > until) {
        continue;
      }
      for (int minute = 59; minute >= 0; --minute) {
        const TimePoint time = date + hours(hour) + minutes(minute);
        if (!has(m_minutes, static_cast<unsigned>(minute)) || time > until) {
          continue;
        }
        return time > after ? std::optional(time) : std::nullopt;
      }
    }
  }
  return std::nullopt;
}

}  // namespace vdk
