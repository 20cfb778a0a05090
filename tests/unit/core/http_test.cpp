// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <thread>

#include "core/servers.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/http.hpp"

using namespace vdk;
using namespace std::chrono_literals;
using test::Server;

namespace {

const Server& server() {
  static const Server one({"http"});
  return one;
}

http::ClientOptions quick() {
  ::setenv("no_proxy", "127.0.0.1", 1);
  http::ClientOptions options;
  options.backoff_seconds = 0.01;
  options.total_retries = 4;
  options.connect_retries = 2;
  options.read_retries = 2;
  options.retry_statuses = {500, 502, 503, 504};
  return options;
}

http::Response get(const std::string& path, http::ClientOptions options = quick()) {
  return http::make_client(std::move(options))->send({.url = server().url(path)});
}

ErrorKind kind_of_failure(http::ClientOptions options, const http::Request& request, std::string* text = nullptr) {
  try {
    (void)http::make_client(std::move(options))->send(request);
  } catch (const Error& error) {
    if (text != nullptr) {
      *text = error.text().what + "|" + error.text().why;
    }
    return error.kind();
  }
  return ErrorKind::internal;
}

std::string unused_port() {
  const Server gone({"http"});
  return gone.port();
}

}  // namespace

TEST_CASE("a request goes out as it was given and the answer comes back whole") {
  const auto client = http::make_client(quick());
  const auto answer = client->send({.method = "PUT",
                                    .url = server().url("/echo?q=1"),
                                    .headers = {{"X-Mine", "yes"}, {"Content-Type", "text/plain"}},
                                    .body = std::string("a\0b", 3)});
  CHECK(answer.status == 200);
  CHECK(answer.header("x-twice") == "b");
  CHECK_FALSE(answer.header("x-none"));
  CHECK(answer.body.find(R"("method": "PUT")") != std::string::npos);
  CHECK(answer.body.find(R"("path": "/echo?q=1")") != std::string::npos);
  CHECK(answer.body.find(R"("body": "a\u0000b")") != std::string::npos);
  CHECK(answer.body.find(R"("x-mine": "yes")") != std::string::npos);
  CHECK(answer.body.find(R"("content-type": "text/plain")") != std::string::npos);
  CHECK(answer.body.find(R"("user-agent": "vdk")") != std::string::npos);
  CHECK(answer.body.find("expect") == std::string::npos);
}

TEST_CASE("a signature covers the headers that are sent and no others, and hides its key") {
  const auto answer =
      http::make_client(quick())->send({.url = server().url("/echo?a=1&b=2"),
                                        .headers = {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}},
                                        .secret_headers = {{"x-amz-security-token", "t"}},
                                        .signature = http::Signature{"aws:amz:eu-west-1:s3", "KEY", "SECRET"}});
  CHECK(answer.body.find("Credential=KEY/") != std::string::npos);
  CHECK(answer.body.find("/eu-west-1/s3/aws4_request") != std::string::npos);
  CHECK(answer.body.find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,") !=
        std::string::npos);
  CHECK(answer.body.find("SECRET") == std::string::npos);
}

TEST_CASE("one client keeps its connection") {
  const auto client = http::make_client(quick());
  const auto port = [&] {
    const std::string body = client->send({.url = server().url("/echo")}).body;
    const auto at = body.find("\"port\": ");
    return body.substr(at, body.find(',', at) - at);
  };
  CHECK(port() == port());
}

TEST_CASE("every method and an empty body work, and other statuses are answers") {
  const auto client = http::make_client(quick());
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    const auto answer = client->send({.method = method, .url = server().url("/echo")});
    CHECK(answer.body.find(std::string("\"method\": \"") + method + "\"") != std::string::npos);
  }
  CHECK(client->send({.method = "HEAD", .url = server().url("/echo")}).body.empty());
  CHECK(client->send({.url = server().url("/nothing")}).status == 404);
}

TEST_CASE("a failing status is tried again for methods that may be repeated only") {
  CHECK(get("/fail/500/2/-/a").body == "3");
  CHECK(get("/fail/503/9/-/b").status == 503);
  CHECK(get("/count/fail/503/9/-/b").body == "5");  // one attempt and four more
  const auto post = http::make_client(quick())->send({.method = "POST", .url = server().url("/fail/503/2/-/c")});
  CHECK(post.status == 503);
  CHECK(get("/count/fail/503/2/-/c").body == "1");
  CHECK(get("/fail/501/1/-/d").status == 501);
}

TEST_CASE("Retry-After decides how long to wait") {
  auto options = quick();
  options.backoff_seconds = 60;
  std::vector<std::chrono::milliseconds> pauses;
  options.on_retry = [&](const std::string& reason, std::chrono::milliseconds pause) {
    CHECK(reason == "the server answered 503");
    pauses.push_back(pause);
  };
  CHECK(get("/fail/503/1/0/e", options).status == 200);
  CHECK(get("/fail/503/1/Thu%2C%2001%20Jan%202015%2000:00:00%20GMT/f", options).status == 200);
  options.backoff_seconds = 0.01;
  CHECK(get("/fail/503/2/-/g", options).status == 200);
  CHECK(pauses == std::vector<std::chrono::milliseconds>{0ms, 0ms, 10ms, 20ms});
}

TEST_CASE("a reset connection is tried again where that is safe") {
  CHECK(get("/reset/2/a").status == 200);
  CHECK(kind_of_failure(quick(), {.url = server().url("/reset/9/b")}) == ErrorKind::unreachable);
  CHECK(kind_of_failure(quick(), {.method = "POST", .url = server().url("/reset/9/c")}) == ErrorKind::unreachable);
  CHECK(get("/count/reset/9/c").body == "1");
}

TEST_CASE("a refused connection is tried again for every method and the error names the address without its login") {
  const std::string port = unused_port();
  int retries = 0;
  auto options = quick();
  options.on_retry = [&](const std::string&, std::chrono::milliseconds) { ++retries; };
  std::string text;
  CHECK(kind_of_failure(options, {.method = "POST", .url = "http://me:hidden@127.0.0.1:" + port + "/x?token=hidden"},
                        &text) == ErrorKind::unreachable);
  CHECK(retries == 2);
  CHECK(text.find("http://127.0.0.1:" + port + "/x") != std::string::npos);
  CHECK(text.find("onnect") != std::string::npos);
  CHECK(text.find("hidden") == std::string::npos);
}

TEST_CASE("a slow answer runs into the timeout of an attempt") {
  auto options = quick();
  options.total_timeout = 200ms;
  options.read_retries = 1;
  const auto start = std::chrono::steady_clock::now();
  CHECK(kind_of_failure(options, {.url = server().url("/slow/20")}) == ErrorKind::unreachable);
  const auto spent = std::chrono::steady_clock::now() - start;
  CHECK(spent >= 400ms);
  CHECK(spent < 15s);
}

TEST_CASE("an answer over the limit is refused") {
  auto options = quick();
  options.max_body = 1000;
  CHECK(get("/big/1000", options).body.size() == 1000);
  CHECK(kind_of_failure(options, {.url = server().url("/big/1001")}) == ErrorKind::too_large);
}

TEST_CASE("redirects are followed only when wanted and only on the same server") {
  CHECK(get("/redirect").status == 302);
  auto options = quick();
  options.follow_redirects = true;
  CHECK(get("/redirect", options).status == 200);
  const Server other({"http"});
  const auto away = http::make_client(options)->send(
      {.url = server().url("/away/" + other.port()), .headers = {{"Authorization", "Bearer t"}}});
  CHECK(away.status == 302);
  CHECK(http::make_client(quick())->send({.url = other.url("/count/echo")}).body == "0");
}

TEST_CASE("a redirection to another server is followed when asked for, without secrets and never with a body") {
  const Server other({"http"});
  auto options = quick();
  options.follow_redirects = true;
  std::string asked;
  options.follow_elsewhere = [&](const std::string& from, const std::string& to) {
    asked = from + " " + to;
    return true;
  };
  const http::Request request{.url = server().url("/away/" + other.port()),
                              .headers = {{"Authorization", "Bearer hidden"}, {"X-Mine", "yes"}},
                              .secret_headers = {{"X-Key", "hidden"}}};
  const auto answer = http::make_client(options)->send(request);
  CHECK(answer.status == 200);
  CHECK(asked == request.url + " " + other.url("/echo"));
  CHECK(answer.body.find("x-mine") != std::string::npos);
  CHECK(answer.body.find("hidden") == std::string::npos);
  http::Request post = request;
  post.method = "POST";
  post.body = "hidden";
  CHECK(http::make_client(options)->send(post).status == 302);
  options.follow_elsewhere = [](const std::string&, const std::string&) { return false; };
  CHECK(http::make_client(options)->send(request).status == 302);
}

TEST_CASE("cancelling ends a request that waits for its answer or for its next attempt") {
  std::atomic<bool> cancelled{false};
  auto options = quick();
  options.cancelled = &cancelled;
  options.backoff_seconds = 30;
  for (const char* path : {"/slow/20", "/fail/503/9/-/h"}) {
    cancelled = false;
    std::thread soon([&] {
      std::this_thread::sleep_for(200ms);
      cancelled = true;
    });
    const auto start = std::chrono::steady_clock::now();
    CHECK(kind_of_failure(options, {.url = server().url(path)}) == ErrorKind::interrupted);
    CHECK(std::chrono::steady_clock::now() - start < 15s);
    soon.join();
  }
}

TEST_CASE("a header with a line end and an address of another scheme are refused") {
  CHECK(kind_of_failure(quick(), {.url = server().url("/echo"), .headers = {{"X", "a\r\nEvil: 1"}}}) ==
        ErrorKind::usage);
  CHECK(kind_of_failure(quick(), {.url = "file:///etc/passwd"}) == ErrorKind::configuration);
}

TEST_CASE("the proxy of the environment is used and its exceptions are respected") {
  auto options = quick();
  const test::Variable proxy("http_proxy", server().url(""));
  const auto client = http::make_client(options);
  CHECK(client->send({.url = "http://nowhere.invalid/x"}).body == "by proxy: http://nowhere.invalid/x");
  CHECK(client->send({.url = server().url("/echo")}).body.starts_with("{"));
}

TEST_CASE("a certificate is trusted by its authority only, or when nothing is verified") {
  const files::TemporaryDirectory folder;
  const auto made = test::make_certificate(folder.path(), "IP:127.0.0.1");
  if (!made) {
    MESSAGE("skipped: openssl is not installed");
    return;
  }
  const Server tls({"tls", made->certificate, made->key});
  const http::Request request{.url = tls.url("/echo", "https")};
  std::string text;
  CHECK(kind_of_failure(quick(), request, &text) == ErrorKind::unreachable);
  CHECK(text.find("cannot be trusted") != std::string::npos);
  auto options = quick();
  options.verify_tls = false;
  CHECK(http::make_client(options)->send(request).status == 200);
  options = quick();
  options.ca_file = made->authority;
  CHECK(http::make_client(options)->send(request).status == 200);
  {
    const test::Variable file("SSL_CERT_FILE", made->authority);
    CHECK(http::make_client(quick())->send(request).status == 200);
  }
  options.ca_file = (folder.path() / "missing.pem").string();
  CHECK(kind_of_failure(options, request) == ErrorKind::unreachable);
}

TEST_CASE("percent-encoding keeps unreserved characters only") {
  CHECK(http::encode("A b/ü?~-._9") == "A%20b%2F%C3%BC%3F~-._9");
  CHECK(http::encode(std::string("\0", 1)) == "%00");
}
