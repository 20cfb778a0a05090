// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/remote.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/servers.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

using namespace vdk;
using namespace vdk::control;
using Json = nlohmann::ordered_json;

namespace {

/// A service that answers by rules, and what it was asked.
class Canned {
 public:
  explicit Canned(const Json& rules) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    files::write_atomic(m_folder.path() / "rules", rules.dump());
    m_server.emplace(std::vector<std::string>{"canned", (m_folder.path() / "rules").string(), log().string()});
    m_service = open_remote(options(m_server->url("/data-jobs/")));
  }
  static RemoteOptions options(const std::string& url) {
    RemoteOptions options;
    options.url = url;
    options.op_id = "0123456789abcdef";
    options.bearer = [] { return std::string("token"); };
    options.rollout_timeout = std::chrono::seconds(2);
    return options;
  }
  Service* operator->() { return m_service.get(); }
  [[nodiscard]] std::vector<Json> requests() const {
    std::vector<Json> all;
    for (const std::string& line : text::lines(files::read_if_exists(log()).value_or(""))) {
      all.push_back(Json::parse(line));
    }
    return all;
  }

 private:
  [[nodiscard]] std::filesystem::path log() const { return m_folder.path() / "log"; }
  files::TemporaryDirectory m_folder;
  std::optional<test::Server> m_server;
  std::unique_ptr<Service> m_service;
};

Json rule(const char* method, const std::string& path, int status, const std::string& body = "",
          const Json& headers = Json::object()) {
  return {{"method", method}, {"path", path}, {"status", status}, {"body", body}, {"headers", headers}};
}

const std::string job_path = "/data-jobs/for-team/A%20B/jobs/some-job";

template <typename Call>
std::pair<ErrorKind, ErrorText> failure(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.kind(), error.text()};
  }
  return {ErrorKind::internal, {}};
}

}  // namespace

TEST_CASE("a request names its operation, its login and what it understands") {
  Canned service(Json::array({rule("GET", job_path, 200, R"({"job_name":"some-job","team":"A B","config":{}})")}));
  CHECK(service->get_job("A B", "some-job").team == "A B");
  service->act_as({.user = "", .op_id = "fedc"});
  (void)service->get_job("A B", "some-job");
  const auto seen = service.requests();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0]["headers"]["x-opid"] == "0123456789abcdef");
  CHECK(seen[0]["headers"]["authorization"] == "Bearer token");
  CHECK(seen[0]["headers"]["accept"] == "application/json");
  CHECK(seen[1]["headers"]["x-opid"] == "fedc");
}

TEST_CASE("the service's own four texts are kept and its status decides the kind") {
  const std::string body = R"({"what":"W","why":"Y","consequences":"C","countermeasures":"M"})";
  const std::pair<int, ErrorKind> kinds[] = {
      {400, ErrorKind::usage},     {401, ErrorKind::login},       {403, ErrorKind::login},
      {404, ErrorKind::not_found}, {409, ErrorKind::conflict},    {413, ErrorKind::too_large},
      {415, ErrorKind::usage},     {429, ErrorKind::platform},    {500, ErrorKind::platform},
      {503, ErrorKind::platform},  {501, ErrorKind::unsupported}, {302, ErrorKind::configuration}};
  for (const auto& [status, kind] : kinds) {
    Canned service(Json::array({rule("GET", job_path, status, body, {{"Location", "/elsewhere"}})}));
    const auto [found, texts] = failure([&] { (void)service->get_job("A B", "some-job"); });
    CHECK(found == kind);
    if (status != 302) {
      CHECK(texts.what + texts.why + texts.consequences + texts.countermeasures == "WYCM");
    } else {
      CHECK(texts.why.find("/elsewhere") != std::string::npos);
    }
  }
}

TEST_CASE("an answer without texts gets the built-in ones") {
  Canned service(Json::array({rule("GET", job_path, 404), rule("DELETE", job_path, 401),
                              rule("PUT", job_path, 500, "<html>oops</html>"),
                              rule("POST", "/data-jobs/for-team/A%20B/jobs*", 409)}));
  auto [kind, texts] = failure([&] { (void)service->get_job("A B", "some-job"); });
  CHECK(kind == ErrorKind::not_found);
  CHECK(texts.what == "Control Service Error");
  CHECK(texts.why.find("data job 'some-job' of team 'A B'") != std::string::npos);
  CHECK(texts.consequences == "Operation cannot complete.");
  CHECK_FALSE(texts.countermeasures.empty());
  CHECK(failure([&] { service->delete_job("A B", "some-job"); }).second.why.find("401") != std::string::npos);
  DataJob job;
  job.job_name = "some-job";
  job.team = "A B";
  CHECK(failure([&] { service->update_job(job); }).second.why == "Http error: status: 500 - <html>oops</html>");
  CHECK(failure([&] { service->create_job(job); }).first == ErrorKind::conflict);
  CHECK(service.requests().back()["path"] == "/data-jobs/for-team/A%20B/jobs?name=some-job");
}

TEST_CASE("an answer that no control service gives is said to be one") {
  Canned service(Json::array({rule("GET", job_path, 200, "<html>welcome</html>"),
                              rule("GET", "/data-jobs/for-team/no-team-specified/jobs*", 200, "[]"),
                              rule("POST", job_path + "/sources", 200, "{}"),
                              rule("POST", job_path + "/deployments/production/executions", 202)}));
  CHECK(failure([&] { (void)service->get_job("A B", "some-job"); }).first == ErrorKind::platform);
  CHECK(failure([&] { (void)service->list_jobs("", 0); }).first == ErrorKind::platform);
  CHECK(failure([&] { service->upload("A B", "some-job", "zip", ""); }).first == ErrorKind::platform);
  CHECK(failure([&] { service->start_execution("A B", "some-job", "me", "{}"); }).first == ErrorKind::platform);
}

TEST_CASE("a service that is not there names the address and where it comes from") {
  std::string port;
  {
    const test::Server gone({"http"});
    port = gone.port();
  }
  const auto service = open_remote(Canned::options("http://127.0.0.1:" + port + "/"));
  const auto [kind, texts] = failure([&] { service->check_health(); });
  CHECK(kind == ErrorKind::unreachable);
  CHECK(texts.what.find("http://127.0.0.1:" + port) != std::string::npos);
  CHECK(texts.countermeasures.find("--rest-api-url") != std::string::npos);
}

TEST_CASE("an address that is none is refused before anything is asked, and a password in it is not repeated") {
  for (const char* url : {"host:8092", "ftp://host", "http://", "http://:80", "http://a b", "http://h?q", "https://h#f",
                          "http://user:hidden@host"}) {
    const auto [kind, texts] = failure([&] { (void)open_remote(Canned::options(url)); });
    CHECK(kind == ErrorKind::configuration);
    CHECK(texts.what.find("--rest-api-url") != std::string::npos);
    CHECK(texts.why.find("hidden") == std::string::npos);
  }
  for (const char* url : {"http://host", "HTTPS://host:1/", "http://host/prefix//", " http://host/data-jobs/ "}) {
    CHECK_NOTHROW((void)open_remote(Canned::options(url)));
  }
}

TEST_CASE("an upload sends the bytes and the reason and gets the version") {
  Canned service(Json::array({rule("POST", job_path + "/sources?reason=why%20not", 200, R"({"version_sha":"abc"})")}));
  CHECK(service->upload("A B", "some-job", "PK\x03", "why not") == "abc");
  const auto seen = service.requests();
  CHECK(seen[0]["headers"]["content-type"] == "application/octet-stream");
  CHECK(seen[0]["body"] == "PK\x03");
}

TEST_CASE("deploy waits until the service says how the roll-out ended") {
  const std::string path = job_path + "/deployments";
  const std::string before = R"([{"job_version":"old","enabled":true,"status":"SUCCESS"}])";
  const std::string going = R"([{"job_version":"old","enabled":true,"status":"NONE"}])";
  SUBCASE("well") {
    Canned service(
        Json::array({rule("GET", path, 200, before), rule("POST", path, 202), rule("GET", path, 200, going),
                     rule("GET", path, 200, R"([{"job_version":"new","enabled":true,"status":"SUCCESS"}])")}));
    int told = 0;
    const auto outcome = service->deploy("A B", "some-job", {.job_version = "new"}, [&](std::string_view) { ++told; });
    CHECK(outcome.changed);
    CHECK(outcome.deployment.status == DeploymentStatus::success);
    CHECK(outcome.deployment.job_version == "new");
    CHECK(told == 1);
    CHECK(service.requests()[1]["body"] == R"({"job_version":"new"})");
  }
  SUBCASE("without a difference") {
    Canned service(Json::array({rule("GET", path, 200, before), rule("POST", path, 202)}));
    CHECK_FALSE(service->deploy("A B", "some-job", {.job_version = "old"}, {}).changed);
  }
  SUBCASE("badly") {
    Canned service(
        Json::array({rule("GET", path, 200, before), rule("POST", path, 202),
                     rule("GET", path, 200,
                          R"([{"job_version":"old","status":"USER_ERROR","status_message":"bad requirements"}])")}));
    const auto outcome = service->deploy("A B", "some-job", {.job_version = "new"}, {});
    CHECK(outcome.deployment.status == DeploymentStatus::user_error);
    CHECK(outcome.deployment.status_message == "bad requirements");
    CHECK(outcome.deployment.job_version == "new");
  }
  SUBCASE("never") {
    Canned service(Json::array({rule("GET", path, 200, going), rule("POST", path, 202)}));
    CHECK(service->deploy("A B", "some-job", {.job_version = "new"}, {}).deployment.status == DeploymentStatus::none);
  }
  SUBCASE("by a service that never says") {
    Canned service(Json::array({rule("GET", path, 200, "[]"), rule("POST", path, 202)}));
    const auto outcome = service->deploy("A B", "some-job", {.job_version = "new"}, {});
    CHECK(outcome.deployment.status == DeploymentStatus::none);
    CHECK(outcome.deployment.job_version == "new");
    CHECK(service.requests().size() == 3);
  }
}

TEST_CASE("enabling alone is a PATCH, everything else a POST") {
  const std::string path = job_path + "/deployments";
  Canned service(Json::array({rule("PATCH", path + "/production", 202), rule("POST", path + "*", 202),
                              rule("DELETE", path + "/production", 202)}));
  (void)service->submit_deployment("A B", "some-job", {.enabled = false});
  (void)service->submit_deployment("A B", "some-job", {.vdk_version = "1.2", .send_notification = false});
  service->submit_removal("A B", "some-job");
  const auto seen = service.requests();
  CHECK(seen[0]["body"] == R"({"enabled":false})");
  CHECK(seen[1]["path"] == path + "?send_notification=false");
  CHECK(seen[1]["body"] == R"({"vdk_version":"1.2"})");
}

TEST_CASE("an unsupported Python version is refused before anything is uploaded") {
  Canned service(Json::array({rule("GET", "/data-jobs/for-team/no-team-specified/info", 200,
                                   R"({"api_version":"1","supported_python_versions":["3.9","3.10"]})")}));
  CHECK_NOTHROW(service->check_deployment({.python_version = "3.10"}, "* * * * *"));
  const auto [kind, texts] = failure([&] { service->check_deployment({.python_version = "2.7"}, ""); });
  CHECK(kind == ErrorKind::conflict);
  CHECK(texts.countermeasures.find("'3.10'") != std::string::npos);
  CHECK(failure([&] { service->check_deployment({}, "61 * * * *"); }).first == ErrorKind::configuration);
}

TEST_CASE("the id of a started execution is the end of its Location") {
  const std::string path = job_path + "/deployments/production/executions";
  Canned service(Json::array({rule("POST", path, 202, "", {{"Location", "http://x/a/b/some-job-17/"}})}));
  CHECK(service->start_execution("A B", "some-job", "manual/vdk-control-cli", R"({"a":1})") == "some-job-17");
  CHECK(service.requests()[0]["body"] == R"({"started_by":"manual/vdk-control-cli","args":{"a":1}})");
}

TEST_CASE("executions come newest first, whatever the order of the service") {
  Canned service(Json::array(
      {rule("GET", job_path + "/executions*", 200,
            R"([{"id":"1","status":"succeeded","start_time":"2021-01-01T00:00:00Z","deployment":{"job_version":"v"}},
                {"id":"3","status":"submitted"},
                {"id":"2","status":"user_error","start_time":"2021-01-02T00:00:00Z"}])"),
       rule("GET", job_path + "/executions/1/logs?tail_lines=5", 200, R"({"logs":null})")}));
  const auto executions = service->list_executions("A B", "some-job", {ExecutionStatus::running});
  REQUIRE(executions.size() == 3);
  CHECK(executions[0].id + executions[1].id + executions[2].id == "321");
  CHECK(executions[2].deployment.job_version == "v");
  CHECK(executions[2].job_name == "some-job");
  CHECK(service.requests()[0]["path"] == job_path + "/executions?execution_status=running");
  CHECK(service->execution_logs("A B", "some-job", "1", 5).empty());
}

TEST_CASE("jobs are read in pages of 1000 until a short one, and only those of the team") {
  Json page = Json::array();
  for (int i = 0; i < 1000; ++i) {
    page.push_back({{"jobName", "job-" + std::to_string(i)}, {"config", {{"team", i == 7 ? "RED" : "red"}}}});
  }
  const Json full = {{"data", {{"content", page}}}};
  const std::string path = "/data-jobs/for-team/red/jobs*";
  Canned service(Json::array({rule("GET", path, 200, full.dump()), rule("GET", path, 200, full.dump()),
                              rule("GET", path, 200, R"({"data":{"content":[]}})")}));
  CHECK(service->list_jobs("red", 1).size() == 1998);
  CHECK(service.requests().size() == 3);
}

TEST_CASE("properties and secrets are the JSON object of the service") {
  Canned service(Json::array({rule("GET", job_path + "/deployments/TODO/properties", 200, R"({"z":1,"a":"x"})"),
                              rule("PUT", job_path + "/deployments/TODO/properties", 204),
                              rule("GET", job_path + "/deployments/TODO/secrets", 200, ""),
                              rule("PUT", job_path + "/deployments/TODO/secrets", 202)}));
  CHECK(service->get_properties("A B", "some-job") == R"({"z":1,"a":"x"})");
  CHECK(service->get_secrets("A B", "some-job") == "{}");
  service->set_properties("A B", "some-job", R"({"a":1})");
  service->set_secrets("A B", "some-job", R"({"s":"t"})");
  CHECK(service.requests()[2]["body"] == R"({"a":1})");
}
