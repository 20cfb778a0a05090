// SPDX-License-Identifier: Apache-2.0
// logout, auth status
#include "cli/commands/auth_setup.hpp"
#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/table.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/auth/login.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/process.hpp"

namespace vdk::cli {
namespace {

constexpr int login_needed = 4;

TimePoint time_of(double seconds) { return from_unix_micros(static_cast<long long>(seconds) * 1'000'000); }

Json given_status(const auth::GivenToken& token, TimePoint now) {
  const auto expiry = auth::expiry_of_token(token.value);
  Json status;
  status["logged_in"] = !expiry || time_of(*expiry) > now;
  status["user"] = auth::user_of_token(token.value);
  status["flow"] = "given_token";
  status["issuer"] = "";
  status["client_id"] = "";
  status["expires"] = expiry ? Json(format_time(time_of(*expiry))) : Json();
  status["renewable"] = false;
  status["source"] = token.source;
  return status;
}

Json stored_status(const auth::Credentials& credentials, const auth::CredentialFile& file, TimePoint now) {
  const bool renewable = !credentials.refresh_token.empty() || !credentials.api_token.empty() ||
                         credentials.flow == auth::to_string(auth::Flow::client_credentials);
  const TimePoint expires = time_of(credentials.access_token_expiration_time);
  Json status;
  status["logged_in"] = renewable || (!credentials.access_token.empty() && expires > now);
  status["user"] = credentials.user.empty() ? auth::user_of_token(credentials.access_token) : credentials.user;
  status["flow"] = credentials.flow.empty() ? credentials.auth_type : credentials.flow;
  status["issuer"] = credentials.issuer;
  status["client_id"] = credentials.client_id;
  status["expires"] = credentials.expiry_known ? Json(format_time(expires)) : Json();
  status["renewable"] = renewable;
  status["source"] = (credentials.keyring ? "keyring, " : "") + file.path().string();
  return status;
}

}  // namespace

int run_logout(const ParsedCommand& /*command*/, Context& context) {
  const auth::CredentialFile file;
  if (!std::filesystem::exists(file.path())) {
    return 0;
  }
  const auto lock = files::FileLock::acquire(file.lock_path());
  try {
    if (const auto credentials = file.load()) {
      (void)auth::revoke(*credentials, http_options(context.settings()));
    }
  } catch (const Error& error) {
    log::warning("the login provider was not told: " + std::string(error.what()));
  }
  (void)file.erase();
  return 0;
}

int run_auth_status(const ParsedCommand& /*command*/, Context& context) {
  auth::TokenSourceOptions options = token_options(context.settings());
  auth::TokenSource source(options);
  const TimePoint now = context.clock()->now();
  Json status = {{"logged_in", false}};
  if (const auto given = source.given()) {
    status = given_status(*given, now);
  } else if (const auto stored = options.file.load()) {
    status = stored_status(*stored, options.file, now);
  } else if (!options.api_token.empty() && !options.api_token_authorization_url.empty()) {
    status = {{"logged_in", true}, {"flow", "api_token"}, {"source", "VDK_API_TOKEN"}};
  }
  print(context.json() ? dump_json(status) + "\n" : key_value_table(status));
  return status["logged_in"].get<bool>() ? 0 : login_needed;
}

}  // namespace vdk::cli
