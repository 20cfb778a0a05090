// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "plugin/fetch/crc32c.hpp"
#include "plugin/fetch/version_pattern.hpp"
#include "vdk/core/base64.hpp"

using namespace vdk;
using plugin::parse_address;

TEST_CASE("an address is taken apart, its login apart from its host") {
  const auto address = parse_address("HTTPS://me:p%40ss@Files.Example.com:8443/a/b?x=1#part");
  CHECK(address.scheme == "https");
  CHECK(address.login == "me:p@ss");
  CHECK(address.host == "files.example.com");
  CHECK(address.without_login() == "https://Files.Example.com:8443/a/b?x=1");
  CHECK(parse_address("http://[::1]:80/x").host == "::1");
  CHECK(parse_address("https://example.com?x").query == "x");
  CHECK(parse_address("https://a@b@example.com/").host == "example.com");
  for (const char* bad : {"", "example.com", "://x", "https://", "https:///x", "https://-oProxy/x", "https://a b/",
                          "https://a\\b/", "https://a\n/"}) {
    CHECK_THROWS_AS((void)parse_address(bad), Error);
  }
}

TEST_CASE("only this machine is this machine") {
  for (const char* host : {"localhost", "127.0.0.1", "127.3.2.1", "::1", "[::1]"}) {
    CHECK(plugin::is_loopback(host));
  }
  for (const char* host : {"127.0.0.1.example.com", "localhost.example.com", "128.0.0.1", "0.0.0.0", "::2", ""}) {
    CHECK_FALSE(plugin::is_loopback(host));
  }
}

TEST_CASE("versions are found in names by a path with {version}") {
  const auto found = [](const std::string& path, const std::vector<std::string>& names) {
    plugin::VersionPattern pattern(path);
    for (const std::string& name : names) {
      pattern.see(name);
    }
    return pattern.versions();
  };
  using Versions = std::vector<std::string>;
  CHECK(found("a/{version}/a-{version}.zip",
              {"a/1.2/a-1.2.zip", "a/1.3/a-1.2.zip", "a/1.4/a-1.4.zip.asc", "b/1/a-1.zip"}) == Versions{"1.2"});
  CHECK(found("a-{version}.zip", {"a-1.zip", "a-1.2.3-rc.1+b.zip", "a-.zip", "a-x/1.zip", "a-1..2.zip"}) ==
        Versions{"1", "1.2.3-rc.1+b"});
  CHECK(found("v{version}", {"v1.0", "v../etc", "1.0", "v" + std::string(65, '1')}) == Versions{"1.0"});
  CHECK_THROWS_AS(plugin::VersionPattern("no/placeholder"), Error);
  CHECK(plugin::VersionPattern("a/b-{version}/c").folder() == "a/");
  CHECK(plugin::VersionPattern("b-{version}").folder().empty());
}

TEST_CASE("base64 is strict, and CRC-32C is the one of its standard") {
  for (const char* text : {"", "f", "fo", "foo", "foob"}) {
    CHECK(base64::decode(base64::encode(text)) == std::string(text));
  }
  CHECK(base64::encode("foob") == "Zm9vYg==");
  CHECK(base64::decode("Zm9v\r\nYg==\n") == "foob");
  for (const char* bad : {"Zm9vYg", "Zm9vYg=", "Zm=vYg==", "Zm9v Yg=", "Zm9v-g==", "====", "="}) {
    CHECK_FALSE(base64::decode(bad));
  }
  plugin::Crc32c crc;
  crc.update("1234");
  crc.update("56789");
  CHECK(crc.value() == 0xE3069283U);
}
