// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "control_server/rest_fixture.hpp"

using namespace vdk;
using namespace vdk::control;
using namespace vdk::control::testing;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(RestFixture, "a body over the limit is refused before it is sent") {
  rest.limits.max_body = 1000;
  start();
  Wire wire(port);
  wire.send("POST /data-jobs/for-team/t/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
  const Answer answer = wire.receive();
  CHECK(answer.status == 413);
  CHECK(answer.json().contains("countermeasures"));
  CHECK(wire.closed());

  Wire chunked(port);
  chunked.send("POST /data-jobs/for-team/t/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n");
  chunked.send(std::string(2000, 'x') + "\r\n");
  CHECK(chunked.receive().status == 413);
}

TEST_CASE_FIXTURE(RestFixture, "headers over the limit are refused") {
  rest.limits.max_header = 2000;
  start();
  Wire wire(port);
  wire.send("GET / HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 40; ++i) {
    wire.send("X-Padding-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n");
  }
  CHECK(wire.receive().status == 431);
}

TEST_CASE_FIXTURE(RestFixture, "slow clients are told and dropped, however steadily they drip") {
  rest.limits.header_timeout = 1s;
  rest.limits.body_timeout = 1s;
  start();
  Wire head(port);
  Wire body(port);
  body.send("PUT /data-jobs/for-team/t/jobs/some-job HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  head.send("GET / HTTP/1.1\r\nX: ");
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 1500ms && head.send("x") && body.send("x")) {
    std::this_thread::sleep_for(50ms);
  }
  CHECK(head.receive().status == 408);
  CHECK(body.receive().status == 408);
}

TEST_CASE_FIXTURE(RestFixture, "many slow clients do not keep the others from being answered") {
  start();
  std::vector<std::unique_ptr<Wire>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<Wire>(port));
    slow.back()->send("GET / HTTP/1.1\r\nX: ");
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(call("GET", "info").status == 200);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE_FIXTURE(RestFixture, "an overloaded server says so at once and still tells its health") {
  rest.limits.max_concurrent_requests = 2;
  std::atomic<bool> hold{true};
  std::atomic<int> opened{0};
  open_service = [&] {
    if (opened++ < 2) {
      while (hold) {
        std::this_thread::sleep_for(5ms);
      }
    }
    return open();
  };
  start();
  Wire first(port);
  Wire second(port);
  first.send(request("GET", "/data-jobs/for-team/team/info"));
  second.send(request("GET", "/data-jobs/for-team/team/info"));
  while (opened < 2) {
    std::this_thread::sleep_for(5ms);
  }
  const Answer refused = call("GET", "info");
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "1");
  CHECK(call("GET", "/data-jobs/debug/health").status == 200);
  CHECK(call("GET", "/data-jobs/debug/prometheus").body.find("http_server_overload_rejected_total 1") !=
        std::string::npos);
  hold = false;
  CHECK(first.receive().status == 200);
  CHECK(second.receive().status == 200);
}

TEST_CASE_FIXTURE(RestFixture, "health does not wait for metrics that take a while") {
  std::atomic<bool> hold{true};
  std::atomic<int> opened{0};
  open_service = [&] {
    const bool first = opened++ == 0;
    while (first && hold) {
      std::this_thread::sleep_for(5ms);
    }
    return open();
  };
  start();
  Wire slow(port);
  slow.send(request("GET", "/data-jobs/debug/prometheus"));
  std::this_thread::sleep_for(100ms);
  CHECK(call("GET", "/data-jobs/debug/health/liveness").status == 200);
  hold = false;
  CHECK(slow.receive().status == 200);
}

TEST_CASE_FIXTURE(RestFixture, "a newcomer takes the place of an idle connection") {
  rest.limits.max_connections = 3;
  start();
  std::vector<std::unique_ptr<Wire>> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(std::make_unique<Wire>(port));
    idle.back()->send(request("GET", "/data-jobs/debug/servertime"));
    CHECK(idle.back()->receive().status == 200);
  }
  CHECK(call("GET", "info").status == 200);
  CHECK(idle.front()->closed());
}

TEST_CASE_FIXTURE(RestFixture, "an idle connection is closed after its time") {
  rest.limits.keep_alive = 1s;
  start();
  Wire wire(port);
  wire.send(request("GET", "/data-jobs/debug/servertime"));
  CHECK(wire.receive().status == 200);
  CHECK(wire.closed());
}

TEST_CASE_FIXTURE(RestFixture, "requests that come together are answered in their order") {
  start();
  Wire wire(port);
  std::string many;
  for (int i = 0; i < 20; ++i) {
    many += request("GET", "/data-jobs/debug/echo/" + std::to_string(i));
  }
  wire.send(many);
  for (int i = 0; i < 20; ++i) {
    CHECK(wire.receive().body == std::to_string(i));
  }
}

TEST_CASE_FIXTURE(RestFixture, "a client may wait for permission and send its body in chunks") {
  service->create_job(job("some-job"));
  start();
  Wire wire(port);
  wire.send(
      "PUT /data-jobs/for-team/team/jobs/some-job/deployments/x/properties HTTP/1.1\r\nHost: a\r\n"
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  CHECK(wire.receive().status == 100);
  wire.send("3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
  CHECK(wire.receive().status == 204);
  CHECK(service->get_properties("team", "some-job") == R"({"a":1})");
}

TEST_CASE_FIXTURE(RestFixture, "a large upload arrives whole") {
  service->create_job(job("some-job"));
  start();
  Wire wire(port);
  const std::string value(3'000'000, 'v');
  wire.send(request("PUT", "/data-jobs/for-team/team/jobs/some-job/deployments/x/properties",
                    R"({"big":")" + value + R"("})", "Content-Type: application/json\r\n"));
  CHECK(wire.receive().status == 204);
  CHECK(call("GET", "jobs/some-job/deployments/x/properties").body.size() == value.size() + 10);
}

TEST_CASE_FIXTURE(RestFixture, "stopping lets the request in work finish") {
  std::atomic<bool> hold{true};
  std::atomic<bool> opened{false};
  open_service = [&] {
    opened = true;
    while (hold) {
      std::this_thread::sleep_for(5ms);
    }
    return open();
  };
  start();
  Wire wire(port);
  wire.send(request("GET", "/data-jobs/for-team/team/info"));
  while (!opened) {
    std::this_thread::sleep_for(5ms);
  }
  server->stop();
  std::this_thread::sleep_for(100ms);
  hold = false;
  CHECK(wire.receive().status == 200);
  stop();
}

TEST_CASE_FIXTURE(RestFixture, "addresses that cannot be used are explained") {
  start();
  RestOptions same = rest;
  same.port = port;
  CHECK(error_of([&] { (void)make_rest_server(same, open_service, nullptr)->listen(); }).kind() == ErrorKind::conflict);
  same.host = "192.0.2.1";
  CHECK(error_of([&] { (void)make_rest_server(same, open_service, nullptr)->listen(); }).kind() ==
        ErrorKind::configuration);
  same.host = "no such host";
  CHECK(error_of([&] { (void)make_rest_server(same, open_service, nullptr)->listen(); }).kind() ==
        ErrorKind::configuration);
}
