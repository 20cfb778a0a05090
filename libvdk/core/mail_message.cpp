// SPDX-License-Identifier: Apache-2.0
#include "core/mail_message.hpp"

#include <algorithm>
#include <array>

#include "vdk/core/base64.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/text.hpp"

namespace vdk::http {
namespace {

constexpr const char* k_line_end = "\r\n";

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
         text.find("=?") == std::string_view::npos;
}

/// One header value of free text: control characters become spaces; what is not ASCII, or too long for a line,
/// becomes encoded words (RFC 2047), cut between characters.
std::string header_text(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; }, ' ');
  constexpr std::size_t longest_line = 200;
  constexpr std::size_t word_bytes = 42;  // 75 characters of an encoded word hold 45 bytes of base64
  if (is_plain(text) && text.size() <= longest_line) {
    return text;
  }
  if (!text::is_valid_utf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
  }
  std::string out;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = std::min(start + word_bytes, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    out += (out.empty() ? "" : "\r\n ") +
           ("=?utf-8?B?" + base64::encode(std::string_view(text).substr(start, end - start))) + "?=";
    start = end;
  }
  return out;
}

std::string sender(const Mail& mail) {
  if (mail.from_name.empty()) {
    return mail.from;
  }
  std::string name = header_text(mail.from_name);
  if (!name.starts_with("=?")) {
    name = "\"" + text::replace_all(text::replace_all(name, "\\", "\\\\"), "\"", "\\\"") + "\"";
  }
  return name + " <" + mail.from + ">";
}

/// RFC 5322 date in UTC, whatever the locale.
std::string date_text(std::time_t now) {
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> clock{};
  (void)std::strftime(clock.data(), clock.size(), " %Y %H:%M:%S +0000", &utc);
  return std::string(days[static_cast<std::size_t>(utc.tm_wday)]) + ", " + std::to_string(utc.tm_mday) + " " +
         months[static_cast<std::size_t>(utc.tm_mon)] + clock.data();
}

std::string wrapped_base64(const std::string& bytes) {
  constexpr std::size_t line_length = 76;
  const std::string encoded = base64::encode(bytes);
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); i += line_length) {
    out += encoded.substr(i, line_length) + k_line_end;
  }
  return out;
}

}  // namespace

void check_address(const std::string& address) {
  const std::size_t at = address.rfind('@');
  const bool clean = std::all_of(address.begin(), address.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '<' && c != '>' && c != ',' && c != ';';
  });
  constexpr std::size_t longest = 320;
  if (!clean || at == std::string::npos || at == 0 || at + 1 == address.size() || address.size() > longest) {
    std::string shown = address.substr(0, address.find_first_of("\r\n"));
    shown.resize(std::min(shown.size(), longest));
    throw Error(ErrorKind::usage, {"'" + shown + "' is no mail address", "it has not the form name@host",
                                   "the mail was not sent", "correct the address"});
  }
}

std::string make_message(const Mail& mail, std::time_t now) {
  std::string message;
  const auto header = [&](const char* name, const std::string& value) {
    message += std::string(name) + ": " + value + k_line_end;
  };
  header("Date", date_text(now));
  header("From", sender(mail));
  header("To", mail.to.empty() ? "undisclosed-recipients:;" : text::join(mail.to, ",\r\n "));
  if (!mail.cc.empty()) {
    header("Cc", text::join(mail.cc, ",\r\n "));
  }
  header("Subject", header_text(mail.subject));
  header("Message-ID", "<" + uuid4() + "@" + mail.from.substr(mail.from.rfind('@') + 1) + ">");
  header("MIME-Version", "1.0");
  header("Content-Type", "text/html; charset=utf-8");
  header("Content-Transfer-Encoding", "base64");
  header("Auto-Submitted", "auto-generated");
  return message + k_line_end + wrapped_base64(mail.html);
}

}  // namespace vdk::http
