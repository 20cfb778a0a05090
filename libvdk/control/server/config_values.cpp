// SPDX-License-Identifier: Apache-2.0
#include "control/server/config_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "vdk/config/secrets.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

struct Number {
  double value = 0;
  std::string unit;
};

std::optional<Number> split_number(std::string_view given) {
  const std::string text(text::trim(given));
  std::size_t digits = 0;
  while (digits < text.size() && (std::isdigit(static_cast<unsigned char>(text[digits])) != 0 || text[digits] == '.')) {
    ++digits;
  }
  if (digits == 0 || text[0] == '.') {
    return std::nullopt;
  }
  char* end = nullptr;
  const std::string number = text.substr(0, digits);
  const double value = std::strtod(number.c_str(), &end);
  if (*end != '\0' || !std::isfinite(value)) {
    return std::nullopt;
  }
  return Number{.value = value, .unit = std::string(text::trim(text.substr(digits)))};
}

template <std::size_t Size>
std::optional<double> bytes(std::string_view text, const std::array<std::pair<const char*, double>, Size>& units) {
  const auto number = split_number(text);
  if (!number) {
    return std::nullopt;
  }
  for (const auto& [unit, factor] : units) {
    if (number->unit == unit) {
      return number->value * factor;
    }
  }
  return std::nullopt;
}

constexpr double k_kib = 1024;
constexpr double k_mib = k_kib * 1024;
constexpr double k_gib = k_mib * 1024;

}  // namespace

std::optional<double> parse_cpu(std::string_view text) {
  const auto number = split_number(text);
  if (!number || number->value <= 0 || (!number->unit.empty() && number->unit != "m")) {
    return std::nullopt;
  }
  return number->unit == "m" ? number->value / 1000 : number->value;
}

std::optional<int> parse_memory(std::string_view text) {
  static constexpr std::array<std::pair<const char*, double>, 10> units = {{{"", 1},
                                                                            {"k", 1e3},
                                                                            {"K", 1e3},
                                                                            {"M", 1e6},
                                                                            {"G", 1e9},
                                                                            {"T", 1e12},
                                                                            {"Ki", k_kib},
                                                                            {"Mi", k_mib},
                                                                            {"Gi", k_gib},
                                                                            {"Ti", k_gib * 1024}}};
  const auto value = bytes(text, units);
  if (!value || *value < k_mib || *value / k_mib > std::numeric_limits<int>::max()) {
    return std::nullopt;
  }
  return static_cast<int>(*value / k_mib);
}

std::optional<std::size_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<const char*, double>, 12> units = {{{"", 1},
                                                                            {"B", 1},
                                                                            {"KB", k_kib},
                                                                            {"K", k_kib},
                                                                            {"KiB", k_kib},
                                                                            {"Ki", k_kib},
                                                                            {"MB", k_mib},
                                                                            {"MiB", k_mib},
                                                                            {"Mi", k_mib},
                                                                            {"GB", k_gib},
                                                                            {"GiB", k_gib},
                                                                            {"Gi", k_gib}}};
  constexpr double most = 1e15;
  const auto value = bytes(text, units);
  if (!value || *value < 1 || *value > most) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(*value);
}

std::string environment_name(std::string_view key) {
  const auto is_upper = [&](std::size_t i) { return i < key.size() && key[i] >= 'A' && key[i] <= 'Z'; };
  const auto is_lower = [&](std::size_t i) { return i < key.size() && key[i] >= 'a' && key[i] <= 'z'; };
  std::string name = "VDK_SERVER_";
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '.') {
      name += '_';
      continue;
    }
    if (i > 0 && is_upper(i) && key[i - 1] != '.' && (!is_upper(i - 1) || is_lower(i + 1))) {
      name += '_';
    }
    name += text::upper(key.substr(i, 1));
  }
  return name;
}

std::string mask_secrets(const std::string& line) {
  const std::string lower = text::lower(line);
  std::size_t end = std::string::npos;  // everything behind the first key that says so
  for (const char* word : {"pas", "psw", "pwd", "secret", "token"}) {
    for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      const auto colon = line.find(':', at);
      if (colon != std::string::npos && !lower.substr(at, colon - at).ends_with("file") && colon + 1 < line.size()) {
        end = std::min(end, colon + 1);
      }
    }
  }
  return end == std::string::npos ? config::mask_addresses(line)
                                  : config::mask_addresses(line.substr(0, end)) + " ********";
}

}  // namespace vdk::control::server_config
