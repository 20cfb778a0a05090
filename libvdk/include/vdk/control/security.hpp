// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vdk::control {

/// Login of people at the operations page, by the first issuer of SecurityOptions.
struct PageLoginOptions {
  std::string client_id;  ///< empty = the page has no login
  std::string client_secret;
  std::string scopes = "openid offline_access";
  std::string audience;    ///< asked for, as some providers want it
  std::string resource;    ///< the same as RFC 8707 names it
  std::string public_url;  ///< of the page as browsers see it; empty = what the request says
  std::chrono::minutes longest{12 * 60};
};

/// An address of the administrator that is asked (POST, JSON) before something happens. An empty `uri` is not asked.
struct WebhookOptions {
  std::string uri;
  int retries = 3;            ///< after answers with a status of 5xx
  bool authenticate = false;  ///< send a bearer token: the caller's, or one for `refresh_token` of `token_endpoint`
  std::string token_endpoint;
  std::string refresh_token;
};

struct WebhookSettings {
  WebhookOptions authorization{.retries = 1};  ///< whether a request of somebody who is logged in may be executed
  WebhookOptions post_create;                  ///< before a job is stored
  WebhookOptions post_delete;                  ///< before a job is removed
  std::chrono::seconds timeout{10};            ///< of one attempt
};

/// Who may use the REST server. Everything empty and `enabled` false: whoever reaches it.
struct SecurityOptions {
  bool enabled = false;
  std::vector<std::string> issuers;   ///< whose tokens count; their keys are found by OpenID discovery
  std::string jwk_set_uri;            ///< the keys of all issuers, instead of discovery
  std::vector<std::string> audience;  ///< a token must be for one of them; empty = for anybody
  std::string username_claim = "username";
  std::string custom_claim = "context_name";
  std::vector<std::string> custom_claim_values;  ///< the claim must have one of them; empty = not looked at
  std::string authorities_claim = "perms";
  std::vector<std::string> roles;        ///< one of them is needed; empty = none
  std::vector<std::string> admin_roles;  ///< one of them opens all teams
  std::string teams_claim = "teams";     ///< empty = everybody who is logged in may see and change all teams
  /// Team -> values of the claim that open it; empty = the claim's values are the teams themselves.
  std::map<std::string, std::vector<std::string>> teams;
  bool allow_unauthenticated_remote_access = false;  ///< listen beyond this machine without any login
  bool metrics_without_login = true;
  std::filesystem::path audit_log;    ///< one JSON line for each request that changes something; empty = none
  int failed_logins = 20;             ///< of one address at once; 429 above
  int failed_logins_per_minute = 20;  ///< after that
  PageLoginOptions page;
  WebhookSettings webhooks;
};

}  // namespace vdk::control
