// SPDX-License-Identifier: Apache-2.0
// The keys that say who may use the server.
#include <yaml-cpp/yaml.h>

#include "control/server/config_keys.hpp"
#include "control/server/config_values.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

using Text = const std::string&;

SecurityOptions& security(Draft& draft) { return draft.config.rest.security; }

Verdict set_count(int& target, Text text) {
  constexpr long long most = 100'000;
  long long value = 0;
  auto mistake = read_number(value, text, 1, most);
  target = static_cast<int>(value);
  return mistake;
}

Verdict set_word(std::string& target, Text text) {
  target = text;
  return std::nullopt;
}

Verdict set_list(std::vector<std::string>& target, Text text) {
  target.clear();
  for (const std::string& part : text::split(text, ',')) {
    if (const auto word = text::trim(part); !word.empty()) {
      target.emplace_back(word);
    }
  }
  return std::nullopt;
}

Verdict set_issuers(Draft& draft, Text text) {
  (void)set_list(draft.issuers, text);
  for (const std::string& issuer : draft.issuers) {
    if (auto mistake = check_safe_address(issuer)) {
      return mistake;
    }
  }
  return std::nullopt;
}

Verdict set_address(std::string& target, Text text) {
  target = text;
  return check_safe_address(text);
}

Verdict set_teams(Draft& draft, Text text) {
  const Mistake mistake{"this is a dictionary: team -> values of the claim that open it",
                        "write for example {team-a: [group-1, group-2], team-b: group-3}"};
  auto& teams = security(draft).teams;
  try {
    const YAML::Node node = YAML::Load(text);
    if (!node.IsMap()) {
      return mistake;
    }
    for (const auto& item : node) {
      std::vector<std::string>& values = teams[item.first.Scalar()];
      if (item.second.IsScalar()) {
        values.push_back(item.second.Scalar());
      }
      for (const auto& value : item.second.IsSequence() ? item.second : YAML::Node(YAML::NodeType::Sequence)) {
        values.push_back(value.Scalar());
      }
      if (values.empty() || item.first.Scalar().empty()) {
        return mistake;
      }
    }
  } catch (const YAML::Exception&) {
    return mistake;
  }
  return std::nullopt;
}

}  // namespace

Verdict check_safe_address(Text text) {
  const auto start = text.find("://");
  const std::string rest = start == std::string::npos ? "" : text.substr(start + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  std::string host = authority;
  host = host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  if (host.empty() || authority.find('@') != std::string::npos || text.find_first_of(" \t\r\n") != std::string::npos ||
      !(text.starts_with("https://") || (text.starts_with("http://") && http::is_loopback(host)))) {
    return Mistake{"'" + mask_secrets(text) + "' is no https address",
                   "write https://HOST/PATH; http:// is accepted for this machine only"};
  }
  return std::nullopt;
}

std::vector<KeySpec> security_specs() {
  return {
      spec("security.enabled", "false", "Every request needs a login: Authorization: Bearer TOKEN (docs/security.md).",
           [](Draft& d, Text t) { return set_bool(security(d).enabled, t); }),
      spec("security.oauth2.jwtIssuerUris", "",
           "Issuers whose logins count, separated by commas; exactly as in tokens.", set_issuers),
      spec("security.oauth2.jwtIssuerUrl", "", "One more issuer; the chart's older name.",
           [](Draft& d, Text t) { return set_address(d.issuer, t); }),
      spec("security.oauth2.jwtJwkSetUri", "found by the issuer's OpenID discovery", "Address of the issuers' keys.",
           [](Draft& d, Text t) { return set_address(security(d).jwk_set_uri, t); }),
      spec("security.oauth2.audience", "", "A token must be for one of these; empty = for any service.",
           [](Draft& d, Text t) { return set_list(security(d).audience, t); }),
      spec("security.authorization.jwtClaimUsername", "username", "Claim that names the user.",
           [](Draft& d, Text t) { return set_word(security(d).username_claim, t); }),
      spec("security.authorization.customClaimName", "context_name", "Claim for authorizedCustomClaimValues.",
           [](Draft& d, Text t) { return set_word(security(d).custom_claim, t); }),
      spec("security.authorization.authorizedCustomClaimValues", "",
           "It must have one of these; empty = not looked at.",
           [](Draft& d, Text t) { return set_list(security(d).custom_claim_values, t); }),
      spec("security.authorization.authoritiesClaimName", "perms", "Claim that holds the roles.",
           [](Draft& d, Text t) { return set_word(security(d).authorities_claim, t); }),
      spec("security.authorization.authorizedRoles", "", "One of these roles is needed; empty = none.",
           [](Draft& d, Text t) { return set_list(security(d).roles, t); }),
      spec("security.authorization.adminRoles", "", "One of these roles opens all teams.",
           [](Draft& d, Text t) { return set_list(security(d).admin_roles, t); }),
      spec("security.authorization.teamsClaimName", "teams",
           "Claim that holds a person's teams; none = everybody may work with all teams.",
           [](Draft& d, Text t) { return set_word(security(d).teams_claim, t == "none" ? "" : t); }),
      spec(std::string(k_teams_key), "the claim has the teams themselves",
           "Dictionary: team -> values of the claim that open it. Teams that are not in it are open to admins only.",
           set_teams),
      spec("security.allowUnauthenticatedRemoteAccess", "false",
           "true: without logins, listen beyond this machine all the same; everybody there may run code here.",
           [](Draft& d, Text t) { return set_bool(security(d).allow_unauthenticated_remote_access, t); }),
      spec("security.auditLog", "", "File that gets one JSON line for each request that changes something.",
           [](Draft& d, Text t) {
             security(d).audit_log = (d.base / t).lexically_normal();
             return Verdict();
           }),
      spec("security.failedLogins.burst", "20", "Wrong logins of one address at once; 429 above.",
           [](Draft& d, Text t) { return set_count(security(d).failed_logins, t); }),
      spec("security.failedLogins.perMinute", "20", "Wrong logins of one address in a minute after that.",
           [](Draft& d, Text t) { return set_count(security(d).failed_logins_per_minute, t); }),
      spec("security.metricsWithoutLogin", "true", "false: /data-jobs/debug/prometheus needs a login as well.",
           [](Draft& d, Text t) { return set_bool(security(d).metrics_without_login, t); }),
  };
}

}  // namespace vdk::control::server_config
