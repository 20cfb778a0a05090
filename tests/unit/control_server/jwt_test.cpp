// SPDX-License-Identifier: Apache-2.0
// Signatures and the form of tokens; what their claims mean is in auth_test.cpp.
#include "control/server/jwt.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "control_server/token_support.hpp"
#include "vdk/core/error.hpp"

using namespace vdk::control::rest;
using namespace vdk::control::testing;
using Json = nlohmann::json;

namespace {

const std::string k_claims = R"({"iss":"https://login.example.com","exp":9999999999})";

KeySet keys_of(std::initializer_list<Json> keys) { return read_key_set(Json{{"keys", Json(keys)}}.dump()); }

std::string header(const std::string& algorithm) { return R"({"alg":")" + algorithm + R"(","kid":"one"})"; }

/// Why a token is refused before its signature is looked at; nothing when it is not.
std::optional<std::string> problem(const std::string& text) {
  try {
    (void)decode_jwt(text);
    return std::nullopt;
  } catch (const TokenProblem& found) {
    return found.why;
  }
}

bool good(const std::string& text, const Key& key) { return verifies(decode_jwt(text), key); }

const std::string k_malformed = "the token is malformed";
const std::string k_algorithm = "the token is not signed with an accepted algorithm";

}  // namespace

TEST_CASE("each algorithm of the list verifies with its kind of key and with no other") {
  const KeyPair rsa("RSA");
  const KeyPair p256("P-256");
  const KeyPair p384("P-384");
  const KeyPair edwards("Ed25519");
  const KeySet keys = keys_of({rsa.jwk("one"), p256.jwk("one"), p384.jwk("one"), edwards.jwk("one")});
  REQUIRE(keys.size() == 4);
  const std::vector<std::pair<std::string, std::size_t>> algorithms = {{"RS256", 0}, {"RS384", 0}, {"RS512", 0},
                                                                       {"PS256", 0}, {"PS384", 0}, {"PS512", 0},
                                                                       {"ES256", 1}, {"ES384", 2}, {"EdDSA", 3}};
  const std::vector<const KeyPair*> pairs = {&rsa, &p256, &p384, &edwards};
  for (const auto& [algorithm, right] : algorithms) {
    CAPTURE(algorithm);
    const std::string text = token(*pairs[right], algorithm, header(algorithm), k_claims);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      CHECK(good(text, keys[i]) == (i == right));
    }
    std::string changed = text;
    changed[text.find('.') + 10] = changed[text.find('.') + 10] == 'A' ? 'B' : 'A';
    CHECK_FALSE((!problem(changed) && good(changed, keys[right])));
  }
}

TEST_CASE("an algorithm is what the header says, and the key must allow it") {
  const KeyPair rsa("RSA");
  const std::string text = token(rsa, "RS256", header("RS256"), k_claims);
  const auto with = [&](const char* name, const Json& value) {
    Json json = rsa.jwk("one");
    json[name] = value;
    return keys_of({json});
  };
  CHECK(good(text, with("alg", "RS256").front()));
  CHECK_FALSE(good(text, with("alg", "PS256").front()));
  CHECK_FALSE(good(token(rsa, "RS256", header("PS256"), k_claims), with("use", "sig").front()));
  CHECK_FALSE(good(token(rsa, "PS256", header("RS256"), k_claims), with("use", "sig").front()));
  CHECK_FALSE(good(text, keys_of({KeyPair("RSA").jwk("one")}).front()));
  CHECK(with("use", "enc").empty());
  CHECK(with("key_ops", Json::array({"encrypt"})).empty());
  CHECK(with("key_ops", "verify").empty());
  CHECK(with("key_ops", Json::array({"verify"})).size() == 1);
}

TEST_CASE("alg none and the HMAC algorithms are never accepted") {
  const KeyPair rsa("RSA");
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "hs256", "rs256",
                                "RS256 ", "ES256K", "ES512", "RSA1_5"}) {
    CAPTURE(algorithm);
    const std::string part = unsigned_part(header(algorithm), k_claims);
    CHECK(problem(part + ".") == k_algorithm);
    CHECK(problem(part + "." + base64url(rsa.sign("RS256", part))) == k_algorithm);
    CHECK(problem(part + "." + base64url(hmac(rsa.pem(), part))) == k_algorithm);
  }
  CHECK(problem(unsigned_part(R"({"typ":"JWT"})", k_claims) + ".AAAA") == k_algorithm);
  CHECK(problem(unsigned_part(R"({"alg":["RS256"]})", k_claims) + ".AAAA") == k_malformed);
  CHECK(problem(unsigned_part(R"({"alg":null})", k_claims) + ".AAAA") == k_malformed);
}

TEST_CASE("the public key is no secret that signs") {
  const KeyPair rsa("RSA");
  const KeySet keys = keys_of({rsa.jwk("one")});
  const std::string part = unsigned_part(header("RS256"), k_claims);
  CHECK_FALSE(good(part + "." + base64url(hmac(rsa.pem(), part)), keys.front()));
  CHECK_FALSE(good(part + "." + base64url(std::string(256, '\0')), keys.front()));
  CHECK_FALSE(good(part + "." + base64url(std::string(256, '\1')), keys.front()));
}

TEST_CASE("a key of the wrong type, size or curve is no key") {
  const KeyPair rsa("RSA");
  const KeyPair p256("P-256");
  const auto with = [](Json json, const char* name, const Json& value) {
    json[name] = value;
    return keys_of({json}).size();
  };
  CHECK(keys_of({KeyPair("RSA-1024").jwk("small")}).empty());
  CHECK(with(rsa.jwk("one"), "kty", "EC") == 0);
  CHECK(with(rsa.jwk("one"), "kty", "oct") == 0);
  CHECK(with(rsa.jwk("one"), "e", "AQ") == 0);  // 1: everything would be its own signature
  CHECK(with(rsa.jwk("one"), "e", "Ag") == 0);  // even
  CHECK(with(rsa.jwk("one"), "n", "") == 0);
  CHECK(with(rsa.jwk("one"), "n", 5) == 0);
  CHECK(with(p256.jwk("one"), "crv", "P-384") == 0);
  CHECK(with(p256.jwk("one"), "crv", "secp256k1") == 0);
  CHECK(with(p256.jwk("one"), "x", base64url(std::string(32, '\1'))) == 0);  // not on the curve
  CHECK(with(p256.jwk("one"), "x", base64url(std::string(31, '\1'))) == 0);
  CHECK(with(KeyPair("Ed25519").jwk("one"), "x", base64url(std::string(31, '\1'))) == 0);
  CHECK(with(KeyPair("Ed25519").jwk("one"), "crv", "Ed448") == 0);
  // A key that says RSA but is used with ES256: the kind must match.
  const KeySet keys = keys_of({rsa.jwk("one")});
  CHECK_FALSE(good(token(p256, "ES256", header("ES256"), k_claims), keys.front()));
}

TEST_CASE("an ECDSA signature is two numbers of fixed size") {
  const KeyPair key("P-256");
  const KeySet keys = keys_of({key.jwk("one")});
  const std::string part = unsigned_part(header("ES256"), k_claims);
  const std::string right = key.sign("ES256", part);
  REQUIRE(right.size() == 64);
  const auto with = [&](const std::string& signature) { return good(part + "." + base64url(signature), keys.front()); };
  CHECK(with(right));
  CHECK_FALSE(with(key.sign_der(part)));
  CHECK_FALSE(with(right.substr(0, 63)));
  CHECK_FALSE(with(right + '\0'));
  CHECK_FALSE(with('\0' + right));
  CHECK_FALSE(with(std::string(64, '\0')));
  CHECK_FALSE(with(std::string(32, '\0') + right.substr(32)));
  CHECK_FALSE(with(right.substr(32) + right.substr(0, 32)));
  CHECK_FALSE(with(right + right.substr(0, 32)));
}

TEST_CASE("an EdDSA signature has 64 bytes that fit") {
  const KeyPair key("Ed25519");
  const KeySet keys = keys_of({key.jwk("one")});
  const std::string part = unsigned_part(header("EdDSA"), k_claims);
  const std::string right = key.sign("EdDSA", part);
  const auto with = [&](const std::string& signature) { return good(part + "." + base64url(signature), keys.front()); };
  CHECK(with(right));
  CHECK_FALSE(with(right.substr(0, 63)));
  CHECK_FALSE(with(right + '\0'));
  CHECK_FALSE(with(std::string(64, '\0')));
  CHECK_FALSE(good(part + "." + base64url(right), keys_of({KeyPair("Ed25519").jwk("one")}).front()));
}

TEST_CASE("a text that is no token is malformed, whatever is wrong with it") {
  const KeyPair rsa("RSA");
  const std::string text = token(rsa, "RS256", header("RS256"), k_claims);
  CHECK_FALSE(problem(text));
  const auto first = text.find('.');
  const auto second = text.find('.', first + 1);
  const std::string head = text.substr(0, first);
  const std::string claims = text.substr(first + 1, second - first - 1);
  const std::string signature = text.substr(second + 1);
  for (const std::string& wrong : {std::string(),
                                   std::string("."),
                                   std::string(".."),
                                   std::string("..."),
                                   head,
                                   head + "." + claims,
                                   head + "." + claims + ".",
                                   head + ".." + signature,
                                   "." + claims + "." + signature,
                                   text + ".",
                                   text + "." + head,
                                   text + "=",
                                   text + "==",
                                   text + "\n",
                                   " " + text,
                                   head + "." + claims + "+." + signature,
                                   head + "." + claims + "." + signature + "!",
                                   base64url("not json") + "." + claims + "." + signature,
                                   base64url("[]") + "." + claims + "." + signature,
                                   base64url("\"alg\"") + "." + claims + "." + signature,
                                   head + "." + base64url("[1]") + "." + signature,
                                   head + "." + base64url("{") + "." + signature,
                                   head + "." + base64url("null") + "." + signature,
                                   head + "." + base64url(k_claims + "x") + "." + signature,
                                   head + "." + base64url("{\"a\":\"\xff\xfe\"}") + "." + signature}) {
    CAPTURE(wrong);
    CHECK(problem(wrong) == k_malformed);
  }
}

TEST_CASE("a token may not be longer than 16 KiB") {
  const KeyPair key("Ed25519");
  const auto of_size = [&](std::size_t filler) {
    return token(key, "EdDSA", header("EdDSA"), R"({"filler":")" + std::string(filler, 'x') + "\"}");
  };
  const std::string largest = of_size(12'100);
  REQUIRE(largest.size() <= 16'384);
  CHECK_FALSE(problem(largest));
  const std::string larger = of_size(12'300);
  REQUIRE(larger.size() > 16'384);
  CHECK(problem(larger) == k_malformed);
  CHECK(problem(std::string(50'000'000, 'a')) == k_malformed);
  CHECK(problem(std::string(16'000, '.')) == k_malformed);
}

TEST_CASE("base64url is strict: one text for each value") {
  std::string bytes;
  CHECK((decode_base64url("", bytes) && bytes.empty()));
  CHECK((decode_base64url("-_-_", bytes) && bytes == "\xfb\xff\xbf"));
  CHECK((decode_base64url("AA", bytes) && bytes == std::string(1, '\0')));
  for (const char* wrong : {"A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "+/+/", "A A", "AA\n", "\xc3\xa4", "AA.AA"}) {
    CAPTURE(wrong);
    CHECK_FALSE(decode_base64url(wrong, bytes));
  }
}

TEST_CASE("headers that change the meaning of a token are refused") {
  const KeyPair rsa("RSA");
  const auto with = [&](const std::string& more) {
    return problem(token(rsa, "RS256", R"({"alg":"RS256")" + more + "}", k_claims));
  };
  CHECK_FALSE(with(""));
  CHECK_FALSE(with(R"(,"typ":"JWT")"));
  CHECK_FALSE(with(R"(,"typ":"at+jwt")"));
  CHECK_FALSE(with(R"(,"typ":"application/AT+JWT")"));
  const std::string kind = "the token is of a kind that is not accepted";
  CHECK(with(R"(,"typ":"logout+jwt")") == kind);
  CHECK(with(R"(,"typ":"dpop+jwt")") == kind);
  CHECK(with(R"(,"crit":["exp"])") == kind);
  CHECK(with(R"(,"crit":[])") == kind);
  CHECK(with(R"(,"kid":5)") == k_malformed);
  CHECK(with(R"(,"typ":{})") == k_malformed);
}

TEST_CASE("names that stand twice are refused: two readers could see two values") {
  const KeyPair rsa("RSA");
  CHECK(problem(token(rsa, "RS256", R"({"alg":"none","alg":"RS256"})", k_claims)) == k_malformed);
  CHECK(problem(token(rsa, "RS256", R"({"alg":"RS256","alg":"RS256"})", k_claims)) == k_malformed);
  CHECK(problem(token(rsa, "RS256", header("RS256"), R"({"sub":"ann","sub":"root"})")) == k_malformed);
  CHECK(problem(token(rsa, "RS256", header("RS256"), R"({"realm":{"roles":[],"roles":["admin"]}})")) == k_malformed);
  CHECK_FALSE(problem(token(rsa, "RS256", header("RS256"), R"({"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]})")));
}

TEST_CASE("what is no key set says so, and unusable keys in one are left out") {
  for (const char* wrong : {"", "x", "[]", "{}", R"({"keys":{}})", R"({"keys":"x"})", "null"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS((void)read_key_set(wrong), vdk::Error);
  }
  const KeyPair rsa("RSA");
  CHECK(keys_of({Json(5), Json("x"), Json::object(), Json{{"kty", "oct"}, {"k", "c2VjcmV0"}}, rsa.jwk("one")}).size() ==
        1);
}
