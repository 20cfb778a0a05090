// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/database.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr std::string_view k_example = "postgresql://USER@HOST:5432/NAME";

/// Options of an address that libpq knows and that do not undo what is set here.
constexpr std::array<std::string_view, 18> k_known{"host",
                                                   "hostaddr",
                                                   "port",
                                                   "user",
                                                   "password",
                                                   "dbname",
                                                   "passfile",
                                                   "sslmode",
                                                   "sslcert",
                                                   "sslkey",
                                                   "sslrootcert",
                                                   "sslcrl",
                                                   "gssencmode",
                                                   "channel_binding",
                                                   "keepalives",
                                                   "connect_timeout",
                                                   "application_name",
                                                   "target_session_attrs"};

Error bad_address(const std::string& why) {
  return {ErrorKind::configuration,
          {"cannot use the address of the database", why, "The database was not opened.",
           "Write database.url as " + std::string(k_example) +
               " with user name and password in database.username and database.password, or leave it empty for an "
               "SQLite file."}};
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? std::optional(low - 'a' + 10) : std::nullopt;
}

std::string decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low || *high * 16 + *low == 0) {
      throw bad_address("a percent sign in it is not followed by two hexadecimal digits");
    }
    result += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return result;
}

/// Without the scheme; nothing when it is none of PostgreSQL's.
std::optional<std::string_view> without_scheme(std::string_view url) {
  for (const std::string_view scheme : {"jdbc:postgresql://", "postgresql://", "postgres://"}) {
    if (url.starts_with(scheme)) {
      return url.substr(scheme.size());
    }
  }
  return std::nullopt;
}

/// HOST[:PORT][,HOST[:PORT]...]
void read_hosts(std::string_view text, std::map<std::string, std::string>& values) {
  std::vector<std::string> hosts;
  std::vector<std::string> ports;
  for (const std::string& one : text::split(text, ',')) {
    const std::size_t bracket = one.rfind(']');
    const std::size_t colon = one.find(':', bracket == std::string::npos ? 0 : bracket);
    std::string host = one.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    const std::string port = colon == std::string::npos ? std::string() : one.substr(colon + 1);
    const auto number = text::parse_int(port);
    if (!port.empty() && (!number || *number < 1 || *number > 65535)) {
      throw bad_address("its port is not a number between 1 and 65535");
    }
    hosts.push_back(decode(host));
    ports.push_back(port);
  }
  values["host"] = text::join(hosts, ",");
  if (std::any_of(ports.begin(), ports.end(), [](const std::string& port) { return !port.empty(); })) {
    values["port"] = text::join(ports, ",");
  }
}

void read_option(const std::string& name, const std::string& value, std::map<std::string, std::string>& values,
                 std::string& schema) {
  if (name == "currentSchema") {
    schema = value;
  } else if (name == "ssl") {
    if (text::parse_bool(value).value_or(true)) {
      values.try_emplace("sslmode", "require");
    }
  } else if (name == "ApplicationName") {
    values["application_name"] = value;
  } else if (name == "connectTimeout") {
    values["connect_timeout"] = value;
  } else if (std::find(k_known.begin(), k_known.end(), name) != k_known.end()) {
    values[name] = value;
  } else {
    throw bad_address("vdk does not know its option '" + name + "'");
  }
}

std::string encode(const std::string& value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= '0' && byte <= '9') || ((byte | 0x20U) >= 'a' && (byte | 0x20U) <= 'z')) {
      result += c;
    } else {
      result += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return result;
}

}  // namespace

bool is_postgresql(const DatabaseOptions& options) {
  if (options.url.empty()) {
    return false;
  }
  if (!without_scheme(options.url)) {
    throw bad_address("it begins with none of postgresql://, postgres:// and jdbc:postgresql://");
  }
  return true;
}

PostgresAddress parse_postgres(const DatabaseOptions& options) {
  std::string_view rest = without_scheme(options.url).value_or(std::string_view());
  std::map<std::string, std::string> values{{"connect_timeout", "10"}, {"application_name", "vdk"}};
  PostgresAddress address;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    for (const std::string& option : text::split(rest.substr(mark + 1), '&')) {
      const std::size_t equals = option.find('=');
      if (!option.empty()) {
        read_option(decode(option.substr(0, equals)),
                    equals == std::string::npos ? std::string() : decode(option.substr(equals + 1)), values,
                    address.schema);
      }
    }
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    values["dbname"] = decode(rest.substr(slash + 1));
  }
  std::string_view authority = rest.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t colon = login.find(':');
    values["user"] = decode(login.substr(0, colon));
    if (colon != std::string_view::npos) {
      values["password"] = decode(login.substr(colon + 1));
    }
    authority = authority.substr(at + 1);
  }
  if (!authority.empty()) {
    read_hosts(authority, values);
  }
  if (!values.contains("dbname")) {
    throw bad_address("it does not name a database");
  }
  if (!options.username.empty()) {
    values["user"] = options.username;
  }
  if (!options.password.empty()) {
    values["password"] = options.password;
  }
  address.password = values["password"];
  if (address.password.empty()) {
    values.erase("password");  // libpq then asks its own password file
  }
  // As an address again: SOCI takes quoted values apart at their spaces.
  address.connection = "postgresql://";
  for (const auto& [name, value] : values) {
    address.connection += (address.connection.back() == '/' ? "?" : "&") + name + "=" + encode(value);
  }
  address.place = "'" + values["dbname"] + "' at " + (values["host"].empty() ? "this machine" : values["host"]) +
                  (values["port"].empty() ? std::string() : ":" + values["port"]);
  return address;
}

std::string clean_text(const std::string& text) {
  if (text.find('\0') == std::string::npos && text::is_valid_utf8(text)) {
    return text;
  }
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    const std::string_view whole = std::string_view(text).substr(i, length);
    if (lead != 0 && text::is_valid_utf8(whole)) {
      result += whole;
      i += whole.size();
    } else {
      result += "\xEF\xBF\xBD";
      ++i;
    }
  }
  return result;
}

}  // namespace vdk::control
