// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/auth_headers.hpp"

#include "plugin/fetch/netrc.hpp"
#include "vdk/core/base64.hpp"

namespace vdk::plugin {
namespace {

http::Headers basic(const std::string& user, const std::string& password) {
  return {{"Authorization", "Basic " + base64::encode(user + ":" + password)}};
}

}  // namespace

http::Headers auth_headers(const ProviderConfig& config, const Address& address) {
  const Auth& auth = config.auth;
  switch (auth.kind) {
    case Auth::Kind::none:
      break;
    case Auth::Kind::bearer:
      return {{"Authorization", "Bearer " + resolve(auth.secret)}};
    case Auth::Kind::basic:
      return basic(auth.name, resolve(auth.secret));
    case Auth::Kind::header:
      if (auth.name.empty()) {
        throw provider_error(config, "auth of type header has no name", "Name the header.");
      }
      return {{auth.name, resolve(auth.secret)}};
    case Auth::Kind::netrc:
      if (const auto login = netrc_login(netrc_file(config), address.host)) {
        return basic(login->user, login->password);
      }
      throw provider_error(config, "the netrc file has no login for " + address.host, "Add a line for the host.");
    default:
      throw provider_error(config, "it has auth of a kind that this provider does not know",
                           "Use bearer, basic, header or netrc.");
  }
  if (address.login.empty()) {
    return {};
  }
  const std::size_t colon = address.login.find(':');
  return basic(address.login.substr(0, colon), colon == std::string::npos ? "" : address.login.substr(colon + 1));
}

}  // namespace vdk::plugin
