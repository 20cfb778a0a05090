// SPDX-License-Identifier: Apache-2.0
// What the claims of a token mean. The keys come from a real HTTP server, as those of a provider do.
#include "control/server/auth.hpp"

#include <doctest/doctest.h>
#include <httplib.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "control_server/token_support.hpp"

using namespace vdk::control;
using namespace vdk::control::rest;
using namespace vdk::control::testing;
using Json = nlohmann::json;

namespace {

/// A provider with two keys; `published` says which of them its set has.
class Provider {
 public:
  Provider() {
    m_server.Get("/.well-known/openid-configuration", [this](const httplib::Request&, httplib::Response& answer) {
      answer.set_content(Json{{"issuer", url()}, {"jwks_uri", url() + "/keys"}}.dump(), "application/json");
    });
    m_server.Get("/keys", [this](const httplib::Request&, httplib::Response& answer) {
      ++fetches;
      Json keys = Json::array();
      for (const auto& [id, key] : published) {
        keys.push_back(key->jwk(id));
      }
      answer.set_content(Json{{"keys", keys}}.dump(), "application/json");
    });
    m_port = m_server.bind_to_any_port("127.0.0.1");
    m_thread = std::thread([this] { m_server.listen_after_bind(); });
    while (!m_server.is_running()) {
      std::this_thread::yield();
    }
  }
  ~Provider() {
    m_server.stop();
    m_thread.join();
  }
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(m_port); }
  [[nodiscard]] Json claims() const {
    const auto now = std::time(nullptr);
    return {{"iss", url()}, {"aud", "vdk"}, {"username", "ann"}, {"iat", now}, {"nbf", now}, {"exp", now + 600}};
  }
  [[nodiscard]] std::string sign(const std::string& payload, const std::string& kid = "one") const {
    return "Bearer " + token(first, "ES256", Json{{"alg", "ES256"}, {"kid", kid}}.dump(), payload);
  }
  [[nodiscard]] std::string with(const char* name, const Json& value) const {
    Json json = claims();
    json[name] = value;
    return sign(json.dump());
  }
  [[nodiscard]] std::string without(const char* name) const {
    Json json = claims();
    json.erase(name);
    return sign(json.dump());
  }
  [[nodiscard]] SecurityOptions options() const {
    SecurityOptions options;
    options.enabled = true;
    options.issuers = {url()};
    options.audience = {"vdk", "vdk-two"};
    return options;
  }

  KeyPair first{"P-256"};
  KeyPair second{"P-256"};
  std::vector<std::pair<std::string, const KeyPair*>> published{{"one", &first}};
  std::atomic<int> fetches{0};

 private:
  httplib::Server m_server;
  int m_port = 0;
  std::thread m_thread;
};

/// "" for a person who gets in, else status and reason.
std::string outcome(const Authenticator& authenticator, const std::string& authorization) {
  try {
    (void)authenticator.check(authorization);
    return "";
  } catch (const LoginRefusal& refusal) {
    return std::to_string(refusal.status) + " " + refusal.why;
  }
}

const std::string k_malformed = "401 the token is malformed";
const std::string k_expired = "401 the token has expired";
const std::string k_early = "401 the token is not valid yet";
const std::string k_other = "401 the token is for another service";
const std::string k_issuer = "401 the token is from another issuer";
const std::string k_unsigned = "401 the token is not signed by its issuer";
const std::string k_nobody = "401 the token does not name its user";

}  // namespace

TEST_CASE("times count with sixty seconds of difference between two clocks") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  const auto now = std::time(nullptr);
  CHECK(outcome(authenticator, provider.sign(provider.claims().dump())).empty());
  CHECK(outcome(authenticator, provider.with("exp", now - 55)).empty());
  CHECK(outcome(authenticator, provider.with("exp", now - 61)) == k_expired);
  CHECK(outcome(authenticator, provider.with("exp", 0)) == k_expired);
  CHECK(outcome(authenticator, provider.with("exp", -1e300)) == k_expired);
  CHECK(outcome(authenticator, provider.with("exp", static_cast<double>(now) + 0.5)).empty());
  CHECK(outcome(authenticator, provider.with("exp", 1e300)).empty());
  CHECK(outcome(authenticator, provider.without("exp")) == k_expired);
  for (const char* name : {"nbf", "iat"}) {
    CAPTURE(name);
    CHECK(outcome(authenticator, provider.with(name, now + 55)).empty());
    CHECK(outcome(authenticator, provider.with(name, now + 65)) == k_early);
    CHECK(outcome(authenticator, provider.without(name)).empty());
    CHECK(outcome(authenticator, provider.with(name, 1e300)) == k_early);
  }
  for (const char* name : {"exp", "nbf", "iat"}) {
    CAPTURE(name);
    for (const Json& wrong : {Json("9999999999"), Json(nullptr), Json(true), Json::array({now}), Json::object()}) {
      CHECK(outcome(authenticator, provider.with(name, wrong)) == k_malformed);
    }
  }
  std::string huge = provider.claims().dump();
  huge.replace(huge.find("\"exp\":"), 6, "\"exp\":1e999,\"x\":");
  CHECK(outcome(authenticator, provider.sign(huge)) == k_malformed);
}

TEST_CASE("one audience of the token must be one of ours, exactly") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  for (const Json& good : {Json("vdk"), Json("vdk-two"), Json::array({"other", "vdk"}), Json::array({5, "vdk-two"})}) {
    CAPTURE(good.dump());
    CHECK(outcome(authenticator, provider.with("aud", good)).empty());
  }
  for (const Json& wrong :
       {Json("other"), Json("VDK"), Json("vdk "), Json("vdk,vdk-two"), Json(""), Json(5), Json(nullptr), Json::array(),
        Json::array({"vdk2", "xvdk"}), Json::array({Json::array({"vdk"})}), Json{{"vdk", true}}}) {
    CAPTURE(wrong.dump());
    CHECK(outcome(authenticator, provider.with("aud", wrong)) == k_other);
  }
  CHECK(outcome(authenticator, provider.without("aud")) == k_other);
  SecurityOptions open = provider.options();
  open.audience.clear();
  CHECK(outcome(Authenticator(open), provider.without("aud")).empty());
}

TEST_CASE("the issuer is exactly one of those that are configured") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  for (const Json& wrong : {Json(provider.url() + "/"), Json("https://login.example.com"), Json(""), Json(nullptr),
                            Json(1), Json::array({provider.url()})}) {
    CAPTURE(wrong.dump());
    CHECK(outcome(authenticator, provider.with("iss", wrong)) == k_issuer);
  }
  CHECK(outcome(authenticator, provider.without("iss")) == k_issuer);
}

TEST_CASE("an unknown key is looked for, and a key of one name is not another key") {
  Provider provider;
  const Authenticator authenticator(provider.options());
  const std::string claims = provider.claims().dump();
  CHECK(outcome(authenticator, provider.sign(claims, "unknown")) == k_unsigned);
  CHECK(outcome(authenticator, provider.sign(claims)).empty());
  const auto forged = "Bearer " + token(provider.second, "ES256", R"({"alg":"ES256","kid":"one"})", claims);
  CHECK(outcome(authenticator, forged) == k_unsigned);
  const auto nameless = "Bearer " + token(provider.first, "ES256", R"({"alg":"ES256"})", claims);
  CHECK_MESSAGE(outcome(authenticator, nameless).empty(), "without a name every key of the issuer is tried");
  const int before = provider.fetches;
  provider.published = {{"two", &provider.second}};
  const auto rotated = "Bearer " + token(provider.second, "ES256", R"({"alg":"ES256","kid":"two"})", claims);
  CHECK(outcome(authenticator, rotated).empty());
  CHECK(provider.fetches == before + 1);
  CHECK_MESSAGE(outcome(authenticator, provider.sign(claims)) == k_unsigned, "the old key is gone");
}

TEST_CASE("keys that cannot be fetched are no reason to let anybody in") {
  SecurityOptions options;
  std::string text;
  {
    const Provider provider;
    options = provider.options();
    text = provider.sign(provider.claims().dump());
  }
  CHECK(outcome(Authenticator(options), text).starts_with("503 "));
}

TEST_CASE("another configuration keeps the keys of issuers that stay") {
  const Provider provider;
  const Authenticator before(provider.options());
  const std::string text = provider.sign(provider.claims().dump());
  CHECK(outcome(before, text).empty());
  SecurityOptions changed = provider.options();
  changed.issuers.emplace_back("https://login.example.com");
  CHECK(outcome(Authenticator(changed, &before), text).empty());
  CHECK(provider.fetches == 1);
  changed.issuers = {"https://login.example.com"};
  CHECK(outcome(Authenticator(changed, &before), text) == k_issuer);
}

TEST_CASE("the user is one line of text in the claim that is named") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  CHECK(authenticator.check(provider.with("username", "j\u00f6rg@example.com")).user == "j\u00f6rg@example.com");
  for (const Json& wrong : {Json(""), Json(5), Json(nullptr), Json::array({"ann"}), Json("ann\nroot"), Json("ann\x7f"),
                            Json(std::string("a\0b", 3)), Json(std::string(257, 'x'))}) {
    CAPTURE(wrong.dump());
    CHECK(outcome(authenticator, provider.with("username", wrong)) == k_nobody);
  }
  CHECK(outcome(authenticator, provider.without("username")) == k_nobody);
  SecurityOptions nested = provider.options();
  nested.username_claim = "person.name";
  CHECK(Authenticator(nested).check(provider.with("person", {{"name", "cleo"}})).user == "cleo");
}

TEST_CASE("a claim that stands twice lets nobody in") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  std::string text = provider.claims().dump();
  text.insert(1, R"("username":"root",)");
  CHECK(outcome(authenticator, provider.sign(text)) == k_malformed);
}

TEST_CASE("only a bearer token is a login") {
  const Provider provider;
  const Authenticator authenticator(provider.options());
  const std::string good = provider.sign(provider.claims().dump()).substr(7);
  CHECK(outcome(authenticator, "bearer  " + good + " ").empty());
  for (const std::string& wrong : {std::string(), good, "Basic " + good, "Bearer" + good, "Token " + good}) {
    CHECK(outcome(authenticator, wrong) == "401 there is no bearer token");
  }
  CHECK(outcome(authenticator, "Bearer ") == k_malformed);
  CHECK(outcome(authenticator, "Bearer " + good + " " + good) == k_malformed);
}
