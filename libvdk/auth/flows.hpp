// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "auth/oauth.hpp"
#include "vdk/auth/login.hpp"

namespace vdk::auth {

[[nodiscard]] TokenAnswer login_with_device(http::Client& http, const LoginRequest& request);
[[noreturn]] void fail_login(const std::string& why, const std::string& countermeasures);
/// The tokens, or Error(login) with the provider's words.
[[nodiscard]] TokenAnswer require_tokens(const TokenResult& result, const std::string& countermeasures);
void tell(const LoginRequest& request, const LoginEvent& event);
[[nodiscard]] Client client_of(const LoginRequest& request);

}  // namespace vdk::auth
