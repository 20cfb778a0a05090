// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/address.hpp"

#include <algorithm>

#include "vdk/core/http.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

[[noreturn]] void refuse(const std::string& url, std::string why) {
  throw Error(ErrorKind::configuration, {.what = "'" + redact_url(url) + "' is no address of a plugin source",
                                         .why = std::move(why),
                                         .consequences = "Nothing was fetched from it.",
                                         .countermeasures = "Write it as https://HOST/PATH."});
}

bool is_bad_character(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\'; }

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = text[i] == '%' ? text::lower(text.substr(i + 1, 2)) : std::string();
    constexpr std::string_view digits = "0123456789abcdef";
    if (value.size() == 2 && value.find_first_not_of(digits) == std::string::npos) {
      out += static_cast<char>(digits.find(value[0]) * 16 + digits.find(value[1]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string Address::without_login() const {
  return scheme + "://" + origin + path + (query.empty() ? "" : "?" + query);
}

Address parse_address(const std::string& url) {
  const std::size_t mark = url.find("://");
  if (mark == 0 || mark == std::string::npos) {
    refuse(url, "it has no scheme such as https://");
  }
  if (std::any_of(url.begin(), url.end(), is_bad_character)) {
    refuse(url, "it has a blank, a control character or a backslash");
  }
  Address address;
  address.scheme = text::lower(std::string_view(url).substr(0, mark));
  const std::string rest =
      url.substr(mark + 3, url.find('#') == std::string::npos ? url.npos : url.find('#') - mark - 3);
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  const std::size_t question = std::min(rest.find('?', slash), rest.size());
  address.path = rest.substr(slash, question - slash);
  address.query = question < rest.size() ? rest.substr(question + 1) : "";
  address.origin = rest.substr(0, slash);
  if (const std::size_t at = address.origin.rfind('@'); at != std::string::npos) {
    address.login = percent_decoded(std::string_view(address.origin).substr(0, at));
    address.origin.erase(0, at + 1);
  }
  const std::string host = text::lower(address.origin);
  address.host = host.starts_with('[') ? host.substr(1, std::max<std::size_t>(host.find(']'), 1) - 1)
                                       : host.substr(0, host.find(':'));
  if ((address.host.empty() && address.scheme != "file") || address.host.starts_with('-')) {
    refuse(url, "it has no host");
  }
  return address;
}

bool is_loopback(std::string_view host) { return host == "::1" || http::is_loopback(host); }

void require_safe_scheme(const Address& address, const ProviderConfig& config) {
  if (address.scheme == "https" || (address.scheme == "http" && (config.insecure || is_loopback(address.host)))) {
    return;
  }
  if (address.scheme == "http") {
    throw provider_error(config, "'" + redact_url(address.without_login()) + "' is not encrypted",
                         "Use https://, or set insecure: true for a network that you trust.");
  }
  throw provider_error(config, "'" + address.scheme + "://' is not spoken by this kind of provider", "Use https://.");
}

void require_clean_path(const std::string& path) {
  const bool control =
      std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  const auto parts = text::split(path, '/');
  const bool climbs =
      std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part == "." || part == ".."; });
  if (control || climbs) {
    throw Error(ErrorKind::configuration, {.what = "the path '" + redact_url(path) + "' of a plugin cannot be used",
                                           .why = control ? "it has a control character" : "it has a part '.' or '..'",
                                           .consequences = "Nothing was fetched.",
                                           .countermeasures = "Write the path below its provider."});
  }
}

std::string encode_path(std::string_view path) {
  std::vector<std::string> parts = text::split(path, '/');
  for (std::string& part : parts) {
    part = http::encode(part);
  }
  return text::join(parts, "/");
}

Error provider_error(const ProviderConfig& config, std::string why, std::string countermeasures) {
  return {ErrorKind::configuration,
          {.what = "the plugin provider '" + config.name + "' cannot be used",
           .why = std::move(why),
           .consequences = "Nothing was fetched from it.",
           .countermeasures = std::move(countermeasures)},
          config.where.line == 0 ? std::nullopt : std::optional(config.where)};
}

}  // namespace vdk::plugin
