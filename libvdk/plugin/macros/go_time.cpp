// SPDX-License-Identifier: Apache-2.0
#include "plugin/macros/go_time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace vdk::plugin::go_time {
namespace {

using std::chrono::days;
using std::chrono::microseconds;

enum class Field {
  text,
  year4,
  year2,
  month_name,
  month_short,
  month2,
  month1,
  day_name,
  day_short,
  day2,
  day_space,
  day1,
  hour24,
  hour12_2,
  hour12,
  minute2,
  minute1,
  second2,
  second1,
  pm_upper,
  pm_lower,
  zone_name,
  zone_z_colon,
  zone_z,
  zone_colon,
  zone_plain,
  fraction
};

struct Token {
  Field field = Field::text;
  std::string text;  ///< of Field::text; of a fraction as the layout has it
};

constexpr std::array<const char*, 12> k_months{"January", "February", "March",     "April",   "May",      "June",
                                               "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<const char*, 7> k_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};

/// The longest spelling first, as one may start with another.
constexpr std::array<std::pair<std::string_view, Field>, 24> k_spellings{{{"January", Field::month_name},
                                                                          {"Monday", Field::day_name},
                                                                          {"Z07:00", Field::zone_z_colon},
                                                                          {"-07:00", Field::zone_colon},
                                                                          {"Z0700", Field::zone_z},
                                                                          {"-0700", Field::zone_plain},
                                                                          {"2006", Field::year4},
                                                                          {"Jan", Field::month_short},
                                                                          {"Mon", Field::day_short},
                                                                          {"MST", Field::zone_name},
                                                                          {"01", Field::month2},
                                                                          {"02", Field::day2},
                                                                          {"_2", Field::day_space},
                                                                          {"03", Field::hour12_2},
                                                                          {"04", Field::minute2},
                                                                          {"05", Field::second2},
                                                                          {"06", Field::year2},
                                                                          {"15", Field::hour24},
                                                                          {"PM", Field::pm_upper},
                                                                          {"pm", Field::pm_lower},
                                                                          {"1", Field::month1},
                                                                          {"2", Field::day1},
                                                                          {"3", Field::hour12},
                                                                          {"4", Field::minute1}}};

std::vector<Token> tokens_of(std::string_view layout) {
  std::vector<Token> tokens;
  const auto add_text = [&](std::string_view text) {
    if (tokens.empty() || tokens.back().field != Field::text) {
      tokens.push_back({Field::text, {}});
    }
    tokens.back().text += text;
  };
  while (!layout.empty()) {
    const bool dot = layout.front() == '.' || layout.front() == ',';
    const std::size_t digits =
        dot ? std::min(layout.size(), layout.find_first_not_of(layout.size() > 1 && layout[1] == '9' ? '9' : '0', 1))
            : 0;
    const bool more = digits < layout.size() && layout[digits] >= '0' && layout[digits] <= '9';  // 2006.01.02
    if (digits > 1 && !more) {
      tokens.push_back({Field::fraction, std::string(layout.substr(0, digits))});
      layout.remove_prefix(digits);
      continue;
    }
    bool found = false;
    for (const auto& [spelling, field] : k_spellings) {
      if (layout.starts_with(spelling)) {
        tokens.push_back({field, {}});
        layout.remove_prefix(spelling.size());
        found = true;
        break;
      }
    }
    if (!found && layout.front() == '5') {
      tokens.push_back({Field::second1, {}});
      layout.remove_prefix(1);
    } else if (!found) {
      add_text(layout.substr(0, 1));
      layout.remove_prefix(1);
    }
  }
  return tokens;
}

std::string padded(long long value, std::size_t width, char fill = '0') {
  std::string text = std::to_string(value);
  return std::string(text.size() < width ? width - text.size() : 0, fill) + text;
}

struct Parts {
  int year = 1;
  unsigned month = 1;
  unsigned day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  long long micros = 0;
  bool pm = false;
  bool twelve = false;
  int zone_minutes = 0;
};

std::string fraction_text(const std::string& layout, long long micros) {
  std::string digits = padded(micros, 6) + "000";
  digits.resize(std::min(layout.size() - 1, digits.size()));
  if (layout[1] == '9') {
    while (!digits.empty() && digits.back() == '0') {
      digits.pop_back();
    }
  }
  return digits.empty() ? "" : layout.substr(0, 1) + digits;
}

std::string write(const Token& token, const Parts& p, unsigned weekday) {
  const int hour12 = p.hour % 12 == 0 ? 12 : p.hour % 12;
  switch (token.field) {
    case Field::text:
      return token.text;
    case Field::year4:
      return padded(p.year, 4);
    case Field::year2:
      return padded(p.year % 100, 2);
    case Field::month_name:
      return k_months.at(p.month - 1);
    case Field::month_short:
      return std::string(k_months.at(p.month - 1)).substr(0, 3);
    case Field::month2:
      return padded(p.month, 2);
    case Field::month1:
      return std::to_string(p.month);
    case Field::day_name:
      return k_days.at(weekday);
    case Field::day_short:
      return std::string(k_days.at(weekday)).substr(0, 3);
    case Field::day2:
      return padded(p.day, 2);
    case Field::day_space:
      return padded(p.day, 2, ' ');
    case Field::day1:
      return std::to_string(p.day);
    case Field::hour24:
      return padded(p.hour, 2);
    case Field::hour12_2:
      return padded(hour12, 2);
    case Field::hour12:
      return std::to_string(hour12);
    case Field::minute2:
      return padded(p.minute, 2);
    case Field::minute1:
      return std::to_string(p.minute);
    case Field::second2:
      return padded(p.second, 2);
    case Field::second1:
      return std::to_string(p.second);
    case Field::pm_upper:
      return p.hour >= 12 ? "PM" : "AM";
    case Field::pm_lower:
      return p.hour >= 12 ? "pm" : "am";
    case Field::zone_name:
      return "UTC";
    case Field::zone_z_colon:
    case Field::zone_z:
      return "Z";
    case Field::zone_colon:
      return "+00:00";
    case Field::zone_plain:
      return "+0000";
    case Field::fraction:
      return fraction_text(token.text, p.micros);
  }
  return {};
}

/// Reads from the front of a text and remembers when something did not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : m_text(text) {}
  [[nodiscard]] bool good() const { return m_good; }
  [[nodiscard]] bool done() const { return m_text.empty(); }
  [[nodiscard]] bool at_digit() const { return !m_text.empty() && m_text.front() >= '0' && m_text.front() <= '9'; }
  [[nodiscard]] bool at_fraction() const {
    return m_text.size() > 1 && (m_text[0] == '.' || m_text[0] == ',') && m_text[1] >= '0' && m_text[1] <= '9';
  }

  bool take(std::string_view word) {
    if (!m_text.starts_with(word)) {
      return false;
    }
    m_text.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) { m_good = take(word) && m_good; }

  int number(std::size_t least, std::size_t most) {
    std::size_t length = 0;
    while (length < most && length < m_text.size() && m_text[length] >= '0' && m_text[length] <= '9') {
      ++length;
    }
    int value = 0;
    m_good = m_good && length >= least;
    std::from_chars(m_text.data(), m_text.data() + length, value);
    m_text.remove_prefix(length);
    return value;
  }
  unsigned count(std::size_t least, std::size_t most) { return static_cast<unsigned>(number(least, most)); }

  template <std::size_t N>
  unsigned name(const std::array<const char*, N>& names, std::size_t length) {
    for (unsigned i = 0; i < N; ++i) {
      if (take(std::string_view(names[i]).substr(0, length))) {
        return i;
      }
    }
    m_good = false;
    return 0;
  }

  void zone(bool colon, bool z, Parts& parts) {
    if (z && take("Z")) {
      return;
    }
    const int sign = take("-") ? -1 : 1;
    if (sign == 1) {
      expect("+");
    }
    const int hours = number(2, 2);
    if (colon) {
      expect(":");
    }
    parts.zone_minutes = sign * (hours * 60 + number(2, 2));
  }

  void fraction(Parts& parts) {
    if (!at_fraction()) {
      return;
    }
    m_text.remove_prefix(1);
    long long unit = 100'000;
    while (at_digit()) {
      parts.micros += unit * (m_text.front() - '0');
      unit /= 10;
      m_text.remove_prefix(1);
    }
  }

 private:
  std::string_view m_text;
  bool m_good = true;
};

void read(const Token& token, Scanner& in, Parts& p) {
  switch (token.field) {
    case Field::text:
      in.expect(token.text);
      break;
    case Field::year4:
      p.year = in.number(4, 4);
      break;
    case Field::year2:
      p.year = in.number(2, 2);
      p.year += p.year >= 69 ? 1900 : 2000;
      break;
    case Field::month_name:
      p.month = in.name(k_months, std::string_view::npos) + 1;
      break;
    case Field::month_short:
      p.month = in.name(k_months, 3) + 1;
      break;
    case Field::month2:
      p.month = in.count(2, 2);
      break;
    case Field::month1:
      p.month = in.count(1, 2);
      break;
    case Field::day_name:
      in.name(k_days, std::string_view::npos);
      break;
    case Field::day_short:
      in.name(k_days, 3);
      break;
    case Field::day2:
      p.day = in.count(2, 2);
      break;
    case Field::day_space:
      in.take(" ");
      p.day = in.count(1, 2);
      break;
    case Field::day1:
      p.day = in.count(1, 2);
      break;
    case Field::hour24:
      p.hour = in.number(2, 2);
      break;
    case Field::hour12_2:
    case Field::hour12:
      p.hour = in.number(token.field == Field::hour12 ? 1 : 2, 2);
      p.twelve = true;
      break;
    case Field::minute2:
    case Field::minute1:
      p.minute = in.number(token.field == Field::minute1 ? 1 : 2, 2);
      break;
    case Field::second2:
    case Field::second1:
      p.second = in.number(token.field == Field::second1 ? 1 : 2, 2);
      in.fraction(p);
      break;
    case Field::pm_upper:
    case Field::pm_lower: {
      const bool upper = token.field == Field::pm_upper;
      p.pm = in.take(upper ? "PM" : "pm");
      if (!p.pm) {
        in.expect(upper ? "AM" : "am");
      }
      break;
    }
    case Field::zone_name:
      in.expect("UTC");
      break;
    case Field::zone_z_colon:
    case Field::zone_colon:
      in.zone(true, token.field == Field::zone_z_colon, p);
      break;
    case Field::zone_z:
    case Field::zone_plain:
      in.zone(false, token.field == Field::zone_z, p);
      break;
    case Field::fraction:
      in.fraction(p);
      break;
  }
}

}  // namespace

std::string format(std::string_view layout, TimePoint time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  Parts parts;
  parts.year = static_cast<int>(date.year());
  parts.month = static_cast<unsigned>(date.month());
  parts.day = static_cast<unsigned>(date.day());
  parts.hour = static_cast<int>(clock.hours().count());
  parts.minute = static_cast<int>(clock.minutes().count());
  parts.second = static_cast<int>(clock.seconds().count());
  parts.micros = clock.subseconds().count();
  std::string out;
  for (const Token& token : tokens_of(layout)) {
    out += write(token, parts, std::chrono::weekday(day).c_encoding());
  }
  return out;
}

std::optional<TimePoint> parse(std::string_view layout, std::string_view text) {
  Scanner in(text);
  Parts parts;
  for (const Token& token : tokens_of(layout)) {
    read(token, in, parts);
  }
  if (parts.twelve) {
    parts.hour = parts.hour % 12 + (parts.pm ? 12 : 0);
  }
  const std::chrono::year_month_day date{std::chrono::year(parts.year), std::chrono::month(parts.month),
                                         std::chrono::day(parts.day)};
  if (!in.good() || !in.done() || !date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 59) {
    return std::nullopt;
  }
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(parts.hour) +
         std::chrono::minutes(parts.minute - parts.zone_minutes) + std::chrono::seconds(parts.second) +
         microseconds(parts.micros);
}

std::optional<microseconds> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text == "0") {
    return microseconds(0);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"ns", 1e-3}, {"us", 1.0}, {"\u00b5s", 1.0}, {"ms", 1e3}, {"h", 3.6e9}, {"m", 6e7}, {"s", 1e6}}};
  constexpr double most = 9e18;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (problem != std::errc() || number < 0 || text.front() == '-') {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    bool known = false;
    for (const auto& [unit, factor] : units) {
      if (!known && text.starts_with(unit)) {
        total += number * factor;
        text.remove_prefix(unit.size());
        known = true;
      }
    }
    if (!known || total > most) {
      return std::nullopt;
    }
  }
  return microseconds(std::llround(negative ? -total : total));
}

std::string rfc3339(TimePoint time) { return format("2006-01-02T15:04:05.999999Z07:00", time); }

}  // namespace vdk::plugin::go_time
