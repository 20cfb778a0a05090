// SPDX-License-Identifier: Apache-2.0
#include "job/entry_name.hpp"

#include <locale.h>

#include <array>
#include <climits>
#include <cwchar>
#include <cwctype>
#include <utility>

#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::job {
namespace {

constexpr std::size_t longest_name = 3000;
constexpr std::size_t longest_part = 255;

bool is_safe_part(std::string_view part) noexcept {
  return !part.empty() && part != "." && part != ".." && part.size() <= longest_part;
}

bool has_forbidden_byte(std::string_view name) noexcept {
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20U || byte == 0x7FU || c == '\\') {
      return true;
    }
  }
  return false;
}

bool has_drive(std::string_view name) noexcept {
  const char first = name.empty() ? '\0' : static_cast<char>(name.front() | 0x20);
  return name.size() > 1 && name[1] == ':' && first >= 'a' && first <= 'z';
}

}  // namespace

bool is_safe_entry_name(std::string_view name) noexcept {
  if (name.size() > longest_name || has_forbidden_byte(name) || has_drive(name) || !text::is_valid_utf8(name)) {
    return false;
  }
  if (name.ends_with('/')) {
    name.remove_suffix(1);
  }
  while (true) {
    const std::size_t slash = name.find('/');
    if (!is_safe_part(name.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    name.remove_prefix(slash + 1);
  }
}

namespace detail {
namespace {

/// Lower case of every alphabet, letter by letter; the names are valid UTF-8. Letters that are written composed or
/// decomposed stay different, as Linux sees them.
std::string fold(std::string_view name) {
  const Utf8Locale locale;
  std::string result;
  std::array<char, MB_LEN_MAX> bytes{};
  while (!name.empty()) {
    wchar_t letter = 0;
    std::mbstate_t state{};
    const std::size_t size = std::mbrtowc(&letter, name.data(), name.size(), &state);
    if (size == 0 || size > name.size()) {
      return result + text::lower(name);
    }
    state = {};
    const std::size_t written =
        std::wcrtomb(bytes.data(), static_cast<wchar_t>(std::towlower(static_cast<std::wint_t>(letter))), &state);
    result.append(bytes.data(), written > bytes.size() ? 0 : written);
    name.remove_prefix(size);
  }
  return result;
}

}  // namespace

std::string EntryNames::add_part(std::string_view path, bool folder, bool own_entry) {
  const auto [at, is_new] = m_seen.try_emplace(fold(path), Seen{std::string(path), folder, own_entry});
  Seen& seen = at->second;
  if (is_new) {
    return "";
  }
  if (seen.spelling != path) {
    return "differs only in upper and lower case from '" + printable(seen.spelling) + "'";
  }
  if (seen.folder != folder) {
    return "is both a file and a folder";
  }
  if (own_entry && seen.own_entry) {
    return "occurs twice";
  }
  seen.own_entry = seen.own_entry || own_entry;
  return "";
}

std::string EntryNames::add(std::string_view name) {
  const bool folder = name.ends_with('/');
  if (folder) {
    name.remove_suffix(1);
  }
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1)) {
    std::string problem = add_part(name.substr(0, slash), true, false);
    if (!problem.empty()) {
      return problem;
    }
  }
  return add_part(name, folder, true);
}

Error archive_error(std::string why) {
  return {ErrorKind::usage,
          {"cannot use the job archive", std::move(why), "Nothing was unpacked.",
           "Make the archive with `vdk deploy`, or as a plain zip of the job's folder."}};
}

std::string printable(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  const bool valid = text::is_valid_utf8(name);
  std::string result;
  for (const char c : name.substr(0, 300)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20U || byte == 0x7FU || (byte >= 0x80U && (!valid || name.size() > 300))) {
      result += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    } else {
      result += c;
    }
  }
  return result;
}

Utf8Locale::Utf8Locale() : m_own(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
  if (m_own != nullptr) {
    m_before = uselocale(static_cast<locale_t>(m_own));
  }
}

Utf8Locale::~Utf8Locale() {
  if (m_own != nullptr) {
    uselocale(static_cast<locale_t>(m_before));
    freelocale(static_cast<locale_t>(m_own));
  }
}

}  // namespace detail
}  // namespace vdk::job
