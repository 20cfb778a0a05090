// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>

#include "vdk/auth/credentials.hpp"
#include "vdk/auth/token_source.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

using namespace vdk::auth;
namespace fs = std::filesystem;

namespace {

struct Folder {
  vdk::files::TemporaryDirectory directory;
  CredentialFile file{directory.path() / "vdk-cred.json"};
};

}  // namespace

TEST_CASE("a login is stored with the original's keys, for its owner only, and read back") {
  const Folder folder;
  Credentials credentials;
  credentials.authorization_url = "https://login/token";
  credentials.access_token = "access";
  credentials.refresh_token = "refresh";
  credentials.access_token_expiration_time = 1234567890.5;
  credentials.client_id = "vdk-cli";
  credentials.auth_type = "credentials";
  credentials.issuer = "https://login";
  folder.file.save(credentials);
  CHECK((fs::status(folder.file.path()).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  const std::string content = vdk::files::read(folder.file.path());
  for (const char* part : {R"("authorization_url":"https://login/token")", R"("refresh_token":"refresh")",
                           R"("access_token":"access")", R"("access_token_expiration_time":1234567890.5)",
                           R"("client_secret":"")", R"("api_token":null)", R"("auth_type":"credentials")"}) {
    CAPTURE(part);
    CHECK(content.find(part) != std::string::npos);
  }
  const auto read = folder.file.load();
  REQUIRE(read);
  CHECK(read->refresh_token == "refresh");
  CHECK(read->issuer == "https://login");
  CHECK(read->access_token_expiration_time == 1234567890.5);
}

TEST_CASE("keys of others stay when a login is stored") {
  const Folder folder;
  vdk::files::write_atomic(folder.file.path(), R"({"theirs": {"a": 1}, "api_token": "old", "access_token": null})");
  folder.file.save(Credentials{});
  const std::string content = vdk::files::read(folder.file.path());
  CHECK(content.find(R"("theirs":{"a":1})") != std::string::npos);
  CHECK(content.find("old") == std::string::npos);
}

TEST_CASE("what the original writes is read") {
  const Folder folder;
  vdk::files::write_atomic(folder.file.path(),
                           R"({"authorization_url": null, "refresh_token": null, "access_token": "t",
      "access_token_expiration_time": 1700000000.25, "client_id": null, "client_secret": null, "api_token": "a",
      "api_token_authorization_url": "https://login/token", "auth_type": "api-token"})");
  const auto read = folder.file.load();
  REQUIRE(read);
  CHECK(read->api_token == "a");
  CHECK(read->auth_type == "api-token");
  CHECK(read->flow.empty());
}

TEST_CASE("a broken file names itself and the commands that mend it") {
  const Folder folder;
  vdk::files::write_atomic(folder.file.path(), "[1");
  try {
    (void)folder.file.load();
    FAIL("no error");
  } catch (const vdk::Error& error) {
    CHECK(error.text().what.find("vdk-cred.json") != std::string::npos);
    CHECK(error.text().countermeasures.find("vdk logout") != std::string::npos);
  }
  CHECK(folder.file.erase());
  CHECK_FALSE(folder.file.erase());
  CHECK_FALSE(folder.file.load());
}

TEST_CASE("without a login there is no token and no error; an expired one that cannot be renewed needs a login") {
  const Folder folder;
  TokenSource source({.file = folder.file, .http = {}, .api_token = {}, .api_token_authorization_url = {}});
  CHECK(source.token().empty());
  Credentials credentials;
  credentials.access_token = "old";
  credentials.access_token_expiration_time = 1000;
  credentials.issuer = "https://login";
  credentials.client_id = "vdk-cli";
  folder.file.save(credentials);
  try {
    (void)source.token();
    FAIL("no error");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::login);
    CHECK(error.text().countermeasures == "run `vdk login --issuer https://login`");
  }
}
