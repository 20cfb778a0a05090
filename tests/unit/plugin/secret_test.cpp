// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/servers.hpp"
#include "plugin/fetch/netrc.hpp"
#include "vdk/core/files.hpp"
#include "vdk/plugin/config.hpp"

using namespace vdk;
using plugin::SecretReference;

namespace {

std::string text_of_failure(const SecretReference& reference) {
  try {
    (void)plugin::resolve(reference);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::configuration);
    return format_error(error);
  }
  return "no error";
}

}  // namespace

TEST_CASE("a secret comes from the environment, a private file, base64 or is written as it is") {
  const files::TemporaryDirectory folder;
  files::write_atomic(folder.path() / "token", "s3cret\r\n", 0600);
  const test::Variable variable("VDK_TEST_SECRET", "from outside");
  CHECK(plugin::resolve({"env:VDK_TEST_SECRET", {}}) == "from outside");
  CHECK(plugin::resolve({"file:token", folder.path()}) == "s3cret");
  CHECK(plugin::resolve({"file:" + (folder.path() / "token").string(), "/nowhere"}) == "s3cret");
  CHECK(plugin::resolve({"base64:czNjcmV0", {}}) == "s3cret");
  CHECK(plugin::resolve({"as it is", {}}) == "as it is");
}

TEST_CASE("a secret that cannot be had is an error that names the reference and never a value") {
  const files::TemporaryDirectory folder;
  const auto file = folder.path() / "token";
  CHECK(text_of_failure({"env:VDK_TEST_UNSET", {}}).find("VDK_TEST_UNSET") != std::string::npos);
  CHECK(text_of_failure({"file:missing", folder.path()}).find("No such file") != std::string::npos);
  files::write_atomic(file, "hidden", 0640);
  const std::string open = text_of_failure({"file:token", folder.path()});
  CHECK(open.find("chmod 600") != std::string::npos);
  CHECK(open.find("hidden") == std::string::npos);
  files::write_atomic(file, "\n", 0600);
  CHECK(text_of_failure({"file:token", folder.path()}).find("empty") != std::string::npos);
  CHECK(text_of_failure({"file:.", folder.path()}).find("no file") != std::string::npos);
  const std::string bad = text_of_failure({"base64:hidden!", {}});
  CHECK(bad.find("no base64") != std::string::npos);
  CHECK(bad.find("hidden") == std::string::npos);
}

TEST_CASE("an address for people has neither a login nor a secret of its query") {
  CHECK(plugin::redact_url("https://me:pw@example.com/a?b=1") == "https://***@example.com/a?b=1");
  CHECK(plugin::redact_url("https://TOKEN@example.com/a@b") == "https://***@example.com/a@b");
  CHECK(plugin::redact_url("https://a@b:c@example.com/") == "https://***@example.com/");
  CHECK(plugin::redact_url("ssh://git@example.com/r.git") == "ssh://git@example.com/r.git");
  CHECK(plugin::redact_url("git::ssh://git:pw@example.com/r.git?sshkey=S3CRET&ref=v1") ==
        "git::ssh://***@example.com/r.git?sshkey=***&ref=v1");
  CHECK(plugin::redact_url("https://e.com/?X-Amz-Signature=S&x-goog-credential=C&aws_access_key_secret=K&x=1#t") ==
        "https://e.com/?X-Amz-Signature=***&x-goog-credential=***&aws_access_key_secret=***&x=1#t");
  CHECK(plugin::redact_url("https://e.com/?%74oken=S;Access_Token=T") == "https://e.com/?%74oken=***;Access_Token=***");
  CHECK(plugin::redact_url("e.com/a?token=S") == "e.com/a?token=***");
  CHECK(plugin::redact_url("cannot reach 'https://u:p@a/x' nor https://v:q@b?sig=S, sorry") ==
        "cannot reach 'https://***@a/x' nor https://***@b?sig=*** sorry");
  CHECK(plugin::redact_url("no address at all: 3 @ 4") == "no address at all: 3 @ 4");
  CHECK(plugin::redact_url("").empty());
}

TEST_CASE("a netrc file gives the login of a host, its default else, and has to be private") {
  const files::TemporaryDirectory folder;
  const auto file = folder.path() / "netrc";
  files::write_atomic(file,
                      "# a comment\nmachine other.example.com login x password y\n"
                      "macdef init\n  machine files.example.com login no password no\n\n"
                      "machine Files.Example.com\n  login me\n  password \"a \\\"b\"\n"
                      "default login anybody password anything\n",
                      0600);
  const auto login = plugin::netrc_login(file, "files.example.com");
  REQUIRE(login);
  CHECK(login->user == "me");
  CHECK(login->password == "a \"b");
  CHECK(plugin::netrc_login(file, "elsewhere.example.com")->user == "anybody");
  files::write_atomic(file, "machine a login b password c", 0600);
  CHECK_FALSE(plugin::netrc_login(file, "elsewhere.example.com"));
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  CHECK_THROWS_AS((void)plugin::netrc_login(file, "a"), Error);
}
