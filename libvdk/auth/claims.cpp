// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "auth/oauth.hpp"
#include "vdk/auth/credentials.hpp"

namespace vdk::auth {
namespace {

using Json = nlohmann::json;

Json claims_of(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos) {
    return {};
  }
  return Json::parse(decode_base64url(token.substr(first + 1, second - first - 1)), nullptr, false);
}

}  // namespace

std::string user_of_token(const std::string& token) {
  const Json claims = claims_of(token);
  for (const char* name : {"username", "acct", "preferred_username", "email", "sub"}) {
    if (const auto found = claims.is_object() ? claims.find(name) : claims.end();
        claims.is_object() && found != claims.end() && found->is_string()) {
      return printable_text(found->get<std::string>());
    }
  }
  return {};
}

std::optional<double> expiry_of_token(const std::string& token) {
  const Json claims = claims_of(token);
  if (claims.is_object() && claims.contains("exp") && claims["exp"].is_number()) {
    return claims["exp"].get<double>();
  }
  return std::nullopt;
}

void protect_memory() noexcept { (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

}  // namespace vdk::auth
