// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "auth/oauth.hpp"
#include "vdk/auth/login.hpp"
#include "vdk/core/error.hpp"

using namespace vdk::auth;

TEST_CASE("the code challenge is that of RFC 7636, appendix B") {
  CHECK(code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("a query is decoded, and a part of a name is another name") {
  CHECK(query_value("state=a%2Fb+c&code=1", "state") == "a/b c");
  CHECK(query_value("xstate=1&states=2", "state") == std::nullopt);
  CHECK(query_value("state", "state") == "");
  CHECK(query_value("state=%zz%", "state") == "%zz%");
}

TEST_CASE("claims of a token are read, and nonsense is none") {
  // {"alg":"none"} . {"exp":2000000000,"sub":"s","username":"alice"}
  const std::string token = "eyJhbGciOiJub25lIn0.eyJleHAiOjIwMDAwMDAwMDAsInN1YiI6InMiLCJ1c2VybmFtZSI6ImFsaWNlIn0.x";
  CHECK(user_of_token(token) == "alice");
  CHECK(expiry_of_token(token) == 2000000000.0);
  for (const char* nonsense : {"", ".", "..", "a.b.c", "opaque", "a.W10.c"}) {
    CHECK(user_of_token(nonsense).empty());
    CHECK(expiry_of_token(nonsense) == std::nullopt);
  }
}

TEST_CASE("secrets go to https and to this machine only") {
  for (const char* url : {"https://login.example.com/token", "http://127.0.0.1:1/token", "http://localhost/token",
                          "http://[::1]:9/token", "HTTPS://LOGIN.example.com"}) {
    CHECK_NOTHROW(require_safe_address(url, "--issuer"));
  }
  for (const char* url :
       {"http://login.example.com/token", "http://127.0.0.1@evil.example/", "ftp://127.0.0.1/", "", "https://",
        "http://localhost.evil.example/", "http://evil.example#@localhost/", "https://a b/"}) {
    CAPTURE(url);
    CHECK_THROWS_AS(require_safe_address(url, "--issuer"), vdk::Error);
  }
}

TEST_CASE("words of a provider cannot play with the terminal") {
  CHECK(printable_text("a\x1b[31mb\n") == "a [31mb ");
  CHECK(printable_text(std::string(1000, 'x')).size() == 300);
}

TEST_CASE("a form leaves out what has no value and encodes the rest") {
  CHECK(encode_form({{"a", "1 2"}, {"b", ""}, {"c", "&="}}) == "a=1%202&c=%26%3D");
}
