// SPDX-License-Identifier: Apache-2.0
#include "control/server/auth.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "control/server/jwt.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

using Json = nlohmann::json;

constexpr double k_skew = 60;  ///< seconds that two clocks may differ
constexpr std::size_t k_longest_name = 256;

/// A claim by its name, or by a path with dots as some providers nest theirs.
const Json* find_claim(const Json& claims, const std::string& name) {
  if (const auto found = claims.find(name); found != claims.end()) {
    return &*found;
  }
  const auto dot = name.find('.');
  const auto outer = dot == std::string::npos ? claims.end() : claims.find(name.substr(0, dot));
  return outer != claims.end() && outer->is_object() ? find_claim(*outer, name.substr(dot + 1)) : nullptr;
}

std::vector<std::string> values_of(const Json& claims, const std::string& name) {
  std::vector<std::string> values;
  const Json* claim = find_claim(claims, name);
  if (claim != nullptr && claim->is_string()) {
    values.push_back(claim->get<std::string>());
  } else if (claim != nullptr && claim->is_array()) {
    for (const Json& one : *claim) {
      if (one.is_string()) {
        values.push_back(one.get<std::string>());
      }
    }
  }
  return values;
}

/// Roles may also come as one text with blanks, as scopes do.
std::vector<std::string> roles_of(const Json& claims, const std::string& name) {
  std::vector<std::string> values = values_of(claims, name);
  if (values.size() == 1) {
    for (std::string& part : text::split(values.front(), ' ')) {
      values.push_back(std::move(part));
    }
  }
  return values;
}

bool meet(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const auto& one) { return std::find(b.begin(), b.end(), one) != b.end(); });
}

std::optional<double> time_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) {
    return std::nullopt;
  }
  if (!found->is_number()) {
    throw TokenProblem{"the token is malformed"};
  }
  return found->get<double>();
}

void check_times(const Json& claims) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto end = time_of(claims, "exp");
  if (!end || !(now < *end + k_skew)) {
    throw TokenProblem{"the token has expired"};
  }
  for (const char* name : {"nbf", "iat"}) {
    if (const auto begin = time_of(claims, name); begin && !(now + k_skew >= *begin)) {
      throw TokenProblem{"the token is not valid yet"};
    }
  }
}

std::string user_of(const Json& claims, const std::string& name) {
  const Json* claim = find_claim(claims, name);
  std::string user = claim != nullptr && claim->is_string() ? claim->get<std::string>() : "";
  const bool plain = std::all_of(user.begin(), user.end(), [](unsigned char c) { return c >= 0x20U && c != 0x7fU; });
  if (user.empty() || user.size() > k_longest_name || !plain) {
    throw TokenProblem{"the token does not name its user"};
  }
  return user;
}

[[noreturn]] void forbid(const std::string& why) { throw LoginRefusal{403, why, true}; }

Principal principal_of(const Json& claims, const SecurityOptions& options) {
  Principal principal{.user = user_of(claims, options.username_claim), .all_teams = false, .teams = {}};
  const std::vector<std::string> roles = roles_of(claims, options.authorities_claim);
  if (!options.custom_claim_values.empty() &&
      !meet(values_of(claims, options.custom_claim), options.custom_claim_values)) {
    forbid("the login has no value of the claim '" + options.custom_claim + "' that this service accepts");
  }
  if (!options.roles.empty() && !meet(roles, options.roles) && !meet(roles, options.admin_roles)) {
    forbid("the login has none of the roles that this service accepts");
  }
  principal.all_teams = options.teams_claim.empty() || meet(roles, options.admin_roles);
  if (!principal.all_teams) {
    const std::vector<std::string> values = values_of(claims, options.teams_claim);
    if (options.teams.empty()) {
      principal.teams = values;
    }
    for (const auto& [team, opened_by] : options.teams) {
      if (meet(values, opened_by)) {
        principal.teams.push_back(team);
      }
    }
  }
  return principal;
}

/// What is wrong with a token is a refusal of the login.
template <typename Check>
auto answered(const Check& check) {
  try {
    return check();
  } catch (const TokenProblem& problem) {
    throw LoginRefusal{401, problem.why, true};
  }
}

}  // namespace

bool Principal::may(std::string_view team) const {
  return all_teams || std::find(teams.begin(), teams.end(), team) != teams.end();
}

Authenticator::Authenticator(SecurityOptions options, const Authenticator* previous) : m_options(std::move(options)) {
  const bool named = !m_options.jwk_set_uri.empty();
  for (const std::string& issuer : m_options.issuers) {
    const Source source(named, named ? m_options.jwk_set_uri : issuer);
    std::shared_ptr<KeyRing>& ring = m_sources[source];
    if (!ring && previous != nullptr && previous->m_sources.contains(source)) {
      ring = previous->m_sources.at(source);
    }
    if (!ring) {
      ring = std::make_shared<KeyRing>(source.second, named ? fetch_keys(source.second) : discover_keys(source.second));
    }
    m_rings[issuer] = ring;
  }
}

KeyRing& Authenticator::ring_of(const std::string& issuer) const {
  const auto found = m_rings.find(issuer);
  if (found == m_rings.end()) {
    throw TokenProblem{"the token is from another issuer"};
  }
  return *found->second;
}

Principal Authenticator::check(std::string_view authorization) const {
  constexpr std::string_view scheme = "bearer ";
  if (text::lower(authorization.substr(0, scheme.size())) != scheme) {
    throw LoginRefusal{401, "there is no bearer token", false};
  }
  return check_token(text::trim(authorization.substr(scheme.size())));
}

Principal Authenticator::check_token(std::string_view token) const {
  return answered([&] { return principal_of(Json::parse(claims_of(token, m_options.audience)), m_options); });
}

Principal Authenticator::check_id_token(std::string_view token, const std::string& client_id) const {
  return answered([&] { return principal_of(Json::parse(claims_of(token, {client_id})), m_options); });
}

void Authenticator::check_nonce(std::string_view id_token, const std::string& client_id,
                                const std::string& nonce) const {
  answered([&] {
    const Json claims = Json::parse(claims_of(id_token, {client_id}));
    const std::vector<std::string> azp = values_of(claims, "azp");
    if (values_of(claims, "nonce") != std::vector{nonce} || (!azp.empty() && azp.front() != client_id)) {
      throw TokenProblem{"the ID token is of another login"};
    }
  });
}

std::string Authenticator::claims_of(std::string_view token, const std::vector<std::string>& audience) const {
  const Jwt jwt = decode_jwt(token);
  const Json claims = Json::parse(jwt.payload);
  const auto issuer = claims.find("iss");
  if (issuer == claims.end() || !issuer->is_string()) {
    throw TokenProblem{"the token is from another issuer"};
  }
  const auto keys = ring_of(issuer->get<std::string>()).keys_for(jwt.key_id);
  if (!keys) {
    throw LoginRefusal{503, "the keys of the login provider cannot be fetched at the moment", true};
  }
  const bool is_signed = std::any_of(keys->begin(), keys->end(), [&](const Key& key) {
    return (jwt.key_id.empty() || key.id == jwt.key_id) && verifies(jwt, key);
  });
  if (!is_signed) {
    throw TokenProblem{"the token is not signed by its issuer"};
  }
  check_times(claims);
  if (!audience.empty() && !meet(values_of(claims, "aud"), audience)) {
    throw TokenProblem{"the token is for another service"};
  }
  return jwt.payload;
}

}  // namespace vdk::control::rest
