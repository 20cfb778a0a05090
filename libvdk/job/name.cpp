// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::job {
namespace {

constexpr std::size_t shortest = 6;
constexpr std::size_t longest = 50;

bool is_letter(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_allowed(char c) noexcept { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

/// The rule that the name breaks, empty when none.
std::string broken_rule(std::string_view name) {
  if (name.empty()) {
    return "The name is empty.";
  }
  for (const char c : name) {
    if (!is_allowed(c)) {
      return "It contains other characters than a to z, 0 to 9 and '-'.";
    }
  }
  if (!is_letter(name.front())) {
    return "Its first character is not a letter.";
  }
  if (name.size() < shortest) {
    return "It has " + std::to_string(name.size()) + " characters, fewer than 6.";
  }
  return name.size() > longest ? "It has " + std::to_string(name.size()) + " characters, more than 50." : "";
}

std::string proposal(std::string_view name) {
  std::string result;
  for (const char c : text::lower(name)) {
    if (is_allowed(c) && (c != '-' || (!result.empty() && result.back() != '-'))) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  result = result.substr(0, longest);
  while (!result.empty() && result.back() == '-') {
    result.pop_back();
  }
  if (result.empty() || !is_letter(result.front())) {
    result = "job-" + result;
  }
  if (result.size() < shortest) {
    result += result.ends_with('-') ? "example" : "-example";
  }
  return result.substr(0, longest);
}

}  // namespace

bool is_valid_name(std::string_view name) noexcept {
  if (name.size() < shortest || name.size() > longest || !is_letter(name.front())) {
    return false;
  }
  for (const char c : name) {
    if (!is_allowed(c)) {
      return false;
    }
  }
  return true;
}

void validate_name(std::string_view name) {
  if (is_valid_name(name)) {
    return;
  }
  throw Error(
      ErrorKind::usage,
      {"cannot use the job name '" + std::string(name) + "'", broken_rule(name), "The command did not start.",
       "Use 6 to 50 characters of a-z, 0-9 and '-', the first a letter, for example '" + proposal(name) + "'."});
}

}  // namespace vdk::job
