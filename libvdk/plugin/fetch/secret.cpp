// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "plugin/fetch/secret_file.hpp"
#include "vdk/core/base64.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/plugin/config.hpp"

namespace vdk::plugin {
namespace {

Error secret_error(const std::string& reference, std::string why, std::string countermeasures) {
  return {ErrorKind::configuration,
          {.what = "cannot use the secret " + reference,
           .why = std::move(why),
           .consequences = "Nothing was asked of the source that needs it.",
           .countermeasures = std::move(countermeasures)}};
}

std::string from_environment(const std::string& name) {
  const auto value = process::environment(name);
  if (!value || value->empty()) {
    throw secret_error("'env:" + name + "'", "the environment variable is not set or empty", "Set " + name + ".");
  }
  return *value;
}

bool is_url_end(char c) { return c <= ' ' || std::string_view("\"'<>`{}|\\").find(c) != std::string_view::npos; }

unsigned hex_digit(char c) {
  const std::size_t value = std::string_view("0123456789abcdef").find(text::lower({&c, 1}));
  return value == std::string_view::npos ? 16 : static_cast<unsigned>(value);
}

/// The name of a query key, however it is written.
std::string key_name(std::string_view raw) {
  std::string name;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%' && i + 2 < raw.size() && hex_digit(raw[i + 1]) < 16 && hex_digit(raw[i + 2]) < 16) {
      name += static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
      i += 2;
    } else {
      name += raw[i];
    }
  }
  return text::replace_all(text::lower(name), "-", "_");
}

bool is_secret_key(std::string_view raw) {
  constexpr std::array secrets = {"token",
                                  "access_token",
                                  "private_token",
                                  "auth",
                                  "authorization",
                                  "signature",
                                  "sig",
                                  "sshkey",
                                  "key",
                                  "secret",
                                  "client_secret",
                                  "apikey",
                                  "api_key",
                                  "password",
                                  "passwd",
                                  "pwd",
                                  "credential",
                                  "x_oss_signature",
                                  "googleaccessid",
                                  "awsaccesskeyid",
                                  "job_token",
                                  "code",
                                  "jwt",
                                  "sas"};
  const std::string name = key_name(raw);
  return name.starts_with("aws_") || name.starts_with("x_amz_") || name.starts_with("x_goog_") ||
         name.find("token") != std::string::npos || name.find("secret") != std::string::npos ||
         std::find(secrets.begin(), secrets.end(), name) != secrets.end();
}

/// `***@` for the login of an authority; the bare user of an ssh address is no secret.
std::string redact_authority(std::string_view scheme, std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) {
    return std::string(authority);
  }
  const bool harmless = scheme.ends_with("ssh") && authority.substr(0, at).find(':') == std::string_view::npos;
  return harmless ? std::string(authority) : "***" + std::string(authority.substr(at));
}

std::string redact_query(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of("&;?#", at), text.size());
    const std::string_view part = text.substr(at, end - at);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && is_secret_key(part.substr(0, equals))) {
      out += std::string(part.substr(0, equals)) + "=***";
    } else {
      out += part;
    }
    if (end < text.size()) {
      out += text[end];
    }
    at = end + 1;
  }
  return out;
}

}  // namespace

std::filesystem::path secret_path(const std::string& text, const std::filesystem::path& base) {
  if (text.starts_with("~/")) {
    return files::home_directory() / text.substr(2);
  }
  const std::filesystem::path path(text);
  return path.is_absolute() || base.empty() ? path : base / path;
}

std::string read_secret_file(const std::filesystem::path& path, const std::string& reference) {
  constexpr off_t largest = 1 << 20;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // never waits for the writer of a fifo
  if (fd < 0) {
    throw secret_error(reference, std::string("its file cannot be opened: ") + std::strerror(errno),
                       "Check the path and its permissions.");
  }
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  ::close(fd);
  if (!known || !S_ISREG(info.st_mode) || info.st_size > largest) {
    throw secret_error(reference, "it is no file of at most 1 MiB", "Give a file that holds nothing but the secret.");
  }
  if ((info.st_mode & 077U) != 0) {
    throw secret_error(reference, "other people may read its file",
                       "Run: chmod 600 " + text::shell_quote(path.string()));
  }
  return files::read(path);
}

std::string resolve(const SecretReference& reference) {
  const std::string& text = reference.text;
  if (text.starts_with("env:")) {
    return from_environment(text.substr(4));
  }
  if (text.starts_with("file:")) {
    std::string content = read_secret_file(secret_path(text.substr(5), reference.base), "'" + text + "'");
    while (content.ends_with('\n') || content.ends_with('\r')) {
      content.pop_back();
    }
    if (content.empty()) {
      throw secret_error("'" + text + "'", "its file is empty", "Put the secret into it.");
    }
    return content;
  }
  if (text.starts_with("base64:")) {
    auto decoded = base64::decode(std::string_view(text).substr(7));
    if (!decoded || decoded->empty()) {
      throw secret_error("'base64:...'", "what follows is no base64", "Encode the value with: base64 -w0");
    }
    return *std::move(decoded);
  }
  return text;
}

std::string redact_url(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t mark = text.find("://", at);
    if (mark == std::string_view::npos) {
      break;
    }
    const std::size_t start = mark + 3;
    const std::size_t end = static_cast<std::size_t>(
        std::find_if(text.begin() + static_cast<long>(start), text.end(), is_url_end) - text.begin());
    const std::string_view url = text.substr(start, end - start);
    const std::size_t slash = std::min(url.find_first_of("/?#"), url.size());
    const std::size_t query = std::min(url.find_first_of("?#", slash), url.size());
    out += text.substr(at, start - at);
    out += redact_authority(text.substr(at, mark - at), url.substr(0, slash));
    out += url.substr(slash, query - slash);
    out += redact_query(url.substr(query));
    at = end;
  }
  const std::string_view rest = text.substr(std::min(at, text.size()));
  // Without a scheme (host/path?token=...) the query is still one.
  const std::size_t query = out.empty() ? rest.find('?') : std::string_view::npos;
  if (query == std::string_view::npos) {
    return out + std::string(rest);
  }
  return std::string(rest.substr(0, query)) + redact_query(rest.substr(query));
}

}  // namespace vdk::plugin
