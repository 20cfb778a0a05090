// SPDX-License-Identifier: Apache-2.0
#include "vdk/config/secrets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

using vdk::config::is_secret_name;
using vdk::config::mask_addresses;

TEST_CASE("a name says whether its value is a secret, a declaration knows better") {
  for (const char* name : {"api_token", "team_client_secret", "access_token", "ACCESS_TOKEN", "secrets_key",
                           "server_database_password", "my_db_passwd", "tls_private_key"}) {
    CHECK_MESSAGE(is_secret_name(name), name);
  }
  for (const char* name : {"secrets_default_type", "api_token_authorization_url", "access_token_file",
                           "access_token_fd", "team_client_id", "db_default_type", "server_mail_smtp_password_file"}) {
    CHECK_MESSAGE(!is_secret_name(name), name);
  }
}

TEST_CASE("passwords of addresses are masked wherever they stand in a line") {
  CHECK(mask_addresses("a: 'postgresql://u:pa@ss/w@host/db', b: https://x:y@z") ==
        "a: 'postgresql://u:********@host/db', b: https://x:********@z");
  for (const char* plain : {"https://host:8080/a", "https://host/a:b@c?x", "https://host?to=a:b@c", "no address",
                            "https://user@host:1/x", "://", "x://@"}) {
    CHECK_MESSAGE(mask_addresses(plain).find("****") == std::string::npos, plain);
  }
}

TEST_CASE("a shown line has stars in place of its secrets, as many as they had bytes") {
  const auto shown = [](const std::string& line) { return vdk::config::mask_line(line); };
  CHECK(shown("  - {url: 'https://u:pw@h/x', auth: {type: bearer, token: abc}, bogus: 1}") ==
        "  - {url: 'https://u:**@h/x', auth: {type: bearer, token: ***}, bogus: 1}");
  CHECK(shown("team_client_secret = a = b, c") == "team_client_secret = ********");
  CHECK(shown("\"api-token\": \"a,b\", n: 1") == "\"api-token\": ****\", n: 1");
  CHECK(shown("password: a:b") == "password: ***");
  CHECK(shown("value: xyz # why") == "value: *********");
  for (const char* plain :
       {"name: one, path: two", "token: env:TOKEN", "token: 'file:/run/t'", "password_file: /run/p", "= x", ":", "",
        "schedule_cron = 0 0 * * *", "secrets_default_type = x", "auth: {type: none}"}) {
    CHECK(shown(plain) == plain);
  }
}

TEST_CASE("secret variables of this process are known by name") {
  ::setenv("VDK_SECRETS_KEY", "x", 1);
  ::setenv("VDK_DB_DEFAULT_TYPE", "sqlite", 1);
  const auto names = vdk::config::secret_variables();
  CHECK(std::find(names.begin(), names.end(), "VDK_SECRETS_KEY") != names.end());
  CHECK(std::find(names.begin(), names.end(), "VDK_DB_DEFAULT_TYPE") == names.end());
  ::unsetenv("VDK_SECRETS_KEY");
  ::unsetenv("VDK_DB_DEFAULT_TYPE");
}
