// SPDX-License-Identifier: Apache-2.0
// The keys of the operations page's login.
#include "control/server/config_keys.hpp"
#include "control/server/config_values.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control::server_config {
namespace {

using Text = const std::string&;

PageLoginOptions& page(Draft& draft) { return draft.config.rest.security.page; }

Verdict set_word(std::string& target, Text text) {
  target = text;
  return std::nullopt;
}

Verdict set_public_url(Draft& draft, Text text) {
  std::string& url = page(draft).public_url;
  url = text;
  while (url.ends_with('/')) {
    url.pop_back();
  }
  if (url.find_first_of("?#\"<>") != std::string::npos) {
    return Mistake{"'" + mask_secrets(text) + "' is no address of a page", "write https://HOST/PATH"};
  }
  return check_safe_address(url);
}

Verdict set_minutes(Draft& draft, Text text) {
  constexpr long long most = 60LL * 24 * 30;
  const auto value = text::parse_int(text);
  if (!value || *value < 1 || *value > most) {
    return Mistake{"'" + text + "' is not a whole number from 1 to 43200"};
  }
  page(draft).longest = std::chrono::minutes(*value);
  return std::nullopt;
}

}  // namespace

std::vector<KeySpec> page_specs() {
  return {
      spec("security.page.clientId", "",
           "Client of the operations page at the first issuer; empty = the page has no login.",
           [](Draft& d, Text t) { return set_word(page(d).client_id, t); }),
      secret_spec("security.page.clientSecret", "Its secret; empty for a public client, PKCE is always used.",
                  [](Draft& d, Text t) { return set_word(page(d).client_secret, t); }),
      spec("security.page.clientSecretFile", "", "File that holds the secret.",
           [](Draft& d, Text t) { return set_from_file(d, page(d).client_secret, t); }),
      spec("security.page.scopes", "openid offline_access", "Scopes to ask for, separated by blanks.",
           [](Draft& d, Text t) { return set_word(page(d).scopes, t); }),
      spec("security.page.audience", "", "Parameter audience of the request, where the provider wants one.",
           [](Draft& d, Text t) { return set_word(page(d).audience, t); }),
      spec("security.page.resource", "", "Parameter resource of the request, where the provider wants one.",
           [](Draft& d, Text t) { return set_word(page(d).resource, t); }),
      spec("security.page.publicUrl", "the address of the request",
           "The page as browsers see it; needed behind a proxy that terminates TLS.", set_public_url),
      spec("security.page.sessionMinutes", "720", "After this time a person logs in again, however busy.", set_minutes),
  };
}

}  // namespace vdk::control::server_config
