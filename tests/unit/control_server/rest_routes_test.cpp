// SPDX-License-Identifier: Apache-2.0
#include "control_server/rest_fixture.hpp"

using namespace vdk;
using namespace vdk::control;
using namespace vdk::control::testing;

namespace {

constexpr const char* k_job = R"({"job_name":"some-job","description":"d","team":"team","config":{"schedule":)"
                              R"({"schedule_cron":"0 1 * * *"},"contacts":{"notified_on_job_deploy":["a@b.c"]},)"
                              R"("notification_delay_period_minutes":5,"generate_keytab":false}})";

struct Deployed : RestFixture {
  Deployed() { deploy("some-job", "def run(job_input): pass\n"); }
};

}  // namespace

TEST_CASE_FIXTURE(RestFixture, "a job is created, read, replaced and deleted with the original's statuses") {
  const Answer created = call("POST", "jobs?name=some-job", k_job);
  CHECK(created.status == 201);
  CHECK(created.body.empty());
  CHECK(created.header("Location") == "/data-jobs/for-team/team/jobs/some-job");
  const Answer again = call("POST", "jobs?name=some-job", k_job);
  CHECK(again.status == 409);
  CHECK(again.body.empty());

  const auto read = call("GET", "jobs/some-job").json();
  CHECK(read["config"]["schedule"]["schedule_cron"] == "0 1 * * *");
  CHECK(read["config"]["contacts"]["notified_on_job_deploy"][0] == "a@b.c");
  CHECK(read["config"]["notification_delay_period_minutes"] == 5);
  CHECK(read["team"] == "team");

  CHECK(call("PUT", "jobs/some-job", R"({"job_name":"some-job","config":{}})").status == 200);
  const auto replaced = call("GET", "jobs/some-job").json();
  CHECK(replaced["description"] == "");
  CHECK(replaced["config"]["schedule"]["schedule_cron"] == "");
  CHECK(replaced["config"]["notification_delay_period_minutes"] == 240);
  CHECK(replaced["config"]["generate_keytab"] == true);

  CHECK(call("PUT", "jobs/some-job/team/A%20B").status == 200);
  const Answer gone = call("GET", "jobs/some-job");
  CHECK(gone.status == 404);
  CHECK(gone.body.empty());
  CHECK(call("GET", "/data-jobs/for-team/A%20B/jobs/some-job").json()["team"] == "A B");
  CHECK(call("DELETE", "/data-jobs/for-team/A%20B/jobs/some-job").status == 200);
  CHECK(call("DELETE", "/data-jobs/for-team/A%20B/jobs/some-job").status == 404);
}

TEST_CASE_FIXTURE(RestFixture, "refused jobs say which parameter is wrong") {
  const auto create = [&](const std::string& query, const std::string& body) {
    const Answer answer = call("POST", "jobs" + query, body);
    CHECK(answer.status == 400);
    return answer.what();
  };
  const std::string name_error = "Parameter dataJob.jobName is not valid.";
  CHECK(create("", R"({"job_name":"short"})") == name_error);
  CHECK(create("", R"({"job_name":"Some-Job"})") == name_error);
  CHECK(create("", R"({})") == name_error);
  CHECK(create("?name=other-job", R"({"job_name":"some-job"})") == name_error);
  CHECK(create("", R"({"job_name":"some-job","team":"other"})") == "Parameter dataJob.team is not valid.");
  CHECK(create("", R"({"job_name":)").find("JSON body") != std::string::npos);
  CHECK(call("POST", "jobs", R"({"job_name":7})").json()["why"].get<std::string>().find("job_name") !=
        std::string::npos);
  CHECK(call("POST", "jobs", k_job).status == 201);
  CHECK(call("PUT", "jobs/some-job", R"({"job_name":"other-job"})").status == 400);
  CHECK(call("PUT", "jobs/some-job", R"({"job_name":"some-job","team":"other"})").what() ==
        "Parameter dataJob.team is not valid.");
  CHECK(call("PUT", "jobs/no-such-job", R"({"job_name":"no-such-job"})").status == 404);
}

TEST_CASE_FIXTURE(Deployed, "deployments answer in the original's order of checks") {
  CHECK(call("POST", "jobs/no-such-job/deployments", R"({"python_version":"2.7"})").what() ==
        "Not supported python version: '2.7'");
  CHECK(call("POST", "jobs/no-such-job/deployments", R"({"python_version":"2.7"})").status == 409);
  const Answer unknown = call("POST", "jobs/no-such-job/deployments", "{}");
  CHECK(unknown.status == 404);
  CHECK(unknown.body.empty());
  CHECK(call("POST", "jobs/some-job/deployments", R"({"resources":{"cpu_limit":1}})").what() ==
        "setting of job resources not allowed");
  CHECK(call("POST", "jobs/some-job/deployments", R"({"resources":{"memory_request":1,"memory_limit":2}})").status ==
        400);
  CHECK(call("POST", "jobs/some-job/deployments?send_notification=maybe", "{}").status == 400);
  CHECK(call("POST", "jobs/some-job/deployments?send_notification=false", R"({"python_version":"3.10"})").status ==
        202);
  CHECK(call("PATCH", "jobs/some-job/deployments/production", R"({"enabled": false})").status == 202);
  const auto list = call("GET", "jobs/some-job/deployments").json();
  REQUIRE(list.size() == 1);
  CHECK(list[0]["id"] == "some-job");
  CHECK(list[0]["mode"] == "release");
  CHECK(list[0]["job_version"].get<std::string>().size() == 40);
  CHECK(list[0].contains("status_message"));
  CHECK(list[0]["interpreter"].is_string());
  CHECK(list[0]["environment"].is_string());
  CHECK(list[0]["resolved_requirements"].is_array());
  CHECK(call("DELETE", "jobs/some-job/deployments/any").status == 202);
  CHECK(call("GET", "jobs/some-job/deployments").body == "[]");
  CHECK(call("DELETE", "jobs/some-job/deployments/any").status == 202);
  CHECK(call("PATCH", "jobs/some-job/deployments/any", R"({"enabled":true})").what() ==
        "The Data Job 'some-job' is not deployed.");
  CHECK(call("GET", "jobs/no-such-job/deployments").status == 404);
}

TEST_CASE_FIXTURE(Deployed, "executions start, show, refuse, cancel") {
  const std::string start = "jobs/some-job/deployments/production/executions";
  CHECK(call("POST", "jobs/no-such-job/deployments/x/executions", "{}").status == 404);
  const Answer started = call("POST", start, R"({"started_by":"manual/test","args":{"a":1}})",
                              "Content-Type: application/json\r\nX-OPID: op-7\r\n");
  REQUIRE(started.status == 202);
  const std::string location = started.header("Location");
  const std::string id = location.substr(location.rfind('/') + 1);
  const auto shown = call("GET", "jobs/some-job/executions/" + id).json();
  CHECK(shown["id"] == id);
  CHECK(shown["started_by"] == "manual/test/null");
  CHECK(shown["op_id"] == "op-7");
  CHECK(shown["deployment"]["python_version"] == "3.11");
  CHECK(call("POST", start, "{}").status == 409);
  CHECK(call("GET", start).json().size() == 1);
  CHECK(call("GET", "jobs/some-job/executions?execution_status=succeeded&execution_status=cancelled").body == "[]");
  const Answer wrong = call("GET", "jobs/some-job/executions?execution_status=sleeping");
  CHECK(wrong.status == 404);
  CHECK(wrong.what() == "The Execution Status 'sleeping' is not valid.");
  CHECK(call("GET", "jobs/some-job/executions/" + id + "/logs").json()["logs"] == "log of " + id);
  CHECK(call("GET", "jobs/some-job/executions/" + id + "/logs?tail_lines=-1").status == 400);
  CHECK(call("GET", "jobs/some-job/executions/nothing/logs").status == 404);
  CHECK(call("DELETE", "jobs/some-job/executions/" + id).status == 200);
  const Answer over = call("DELETE", "jobs/some-job/executions/" + id);
  CHECK(over.status == 400);
  CHECK(over.what() == "The Data Job execution '" + id + "' cannot be cancelled.");
  CHECK(call("DELETE", "jobs/some-job/executions/nothing").what() ==
        "The Data Job execution 'nothing' cannot be cancelled.");
}

TEST_CASE_FIXTURE(Deployed, "sources, properties, secrets and keys") {
  const std::string archive = zip("some-job", "def run(job_input): return 1\n");
  const Answer uploaded =
      call("POST", "jobs/some-job/sources?reason=why%20not", archive, "Content-Type: application/octet-stream\r\n");
  CHECK(uploaded.status == 200);
  CHECK(uploaded.json()["version_sha"].get<std::string>().size() == 40);
  CHECK(call("POST", "jobs/some-job/sources", "no zip", "Content-Type: application/zip\r\n").status == 400);
  CHECK(call("POST", "jobs/no-such-job/sources", archive, "Content-Type: application/zip\r\n").status == 404);
  const Answer downloaded = call("GET", "jobs/some-job/sources");
  CHECK(downloaded.header("Content-Type") == "application/octet-stream");
  CHECK(downloaded.body.starts_with("PK"));

  const std::string properties = "jobs/some-job/deployments/TODO/properties";
  CHECK(call("GET", properties).body == "{}");
  CHECK(call("PUT", properties, R"({"a":1,"b":12345678901234567890123})").status == 204);
  CHECK(call("GET", properties).body == R"({"a":1,"b":12345678901234567890123})");
  CHECK(call("PUT", properties, "[1]").status == 400);
  const std::string secrets = "jobs/some-job/deployments/TODO/secrets";
  CHECK(call("PUT", secrets, R"({"k":"v"})").status == 202);
  CHECK(call("GET", secrets).json()["k"] == "v");
  CHECK(call("PUT", secrets, R"({"k":")" + std::string(1 << 20, 'x') + R"("})").status == 413);
  CHECK(call("GET", "jobs/some-job/keytab").status == 501);
  CHECK(call("GET", "jobs/no-such-job/keytab").status == 404);
  CHECK(call("GET", "/data-jobs/teams/t/oauth-credentials").status == 501);
  CHECK(call("DELETE", "jobs/some-job/sources").status == 200);
}

TEST_CASE_FIXTURE(Deployed, "a body that a foreign web page could send unasked is refused") {
  for (const char* type : {"", "Content-Type: text/plain\r\n", "Content-Type: multipart/form-data; boundary=x\r\n",
                           "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    CAPTURE(type);
    CHECK(call("POST", "jobs", R"({"job_name":"other-job"})", type).status == 415);
    CHECK(call("POST", "jobs/some-job/deployments", "{}", type).status == 415);
    CHECK(call("POST", "jobs/some-job/deployments/x/executions", "{}", type).status == 415);
    CHECK(call("POST", "jobs/some-job/sources", zip("some-job", "x = 1\n"), type).status == 415);
  }
  CHECK(call("POST", "jobs/some-job/deployments", "{}", "Content-Type: Application/JSON; charset=utf-8\r\n").status ==
        202);
}

TEST_CASE_FIXTURE(RestFixture, "every answer carries the operation id and refuses to be sniffed") {
  const Answer echoed = call("GET", "info", "", "X-OPID: 0123456789abcdef\r\n");
  CHECK(echoed.header("X-OPID") == "0123456789abcdef");
  CHECK(echoed.header("X-Content-Type-Options") == "nosniff");
  CHECK(echoed.json()["supported_python_versions"] == nlohmann::json({"3.11", "3.10"}));
  CHECK(echoed.json()["default_python_version"] == "3.11");
  CHECK(call("GET", "info").header("X-OPID").starts_with("01"));
  CHECK(call("GET", "info", "", "X-OPID: \xff\xfe\r\n").header("X-OPID").starts_with("01"));
}

TEST_CASE_FIXTURE(RestFixture, "methods and paths that do not exist") {
  const Answer wrong = call("PATCH", "jobs/some-job");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "OPTIONS, GET, HEAD, PUT, DELETE");
  CHECK(call("BREW", "info").status == 405);
  CHECK(call("OPTIONS", "info").status == 204);
  CHECK(call("OPTIONS", "info").header("Allow") == "OPTIONS, GET, HEAD");
  CHECK(call("GET", "/data-jobs/nothing").json()["what"] == "There is nothing at this address.");
  CHECK(call("GET", "/data-jobs/for-team//info").status == 404);
  CHECK(call("GET", "/../../etc/passwd").status == 404);
  const Answer head = call("HEAD", "info");
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") != "0");
}

TEST_CASE_FIXTURE(RestFixture, "health, time, metrics and the page need no job") {
  CHECK(call("GET", "/data-jobs/debug/health").body == R"({"status":"UP"})");
  CHECK(call("GET", "/data-jobs/debug/health/liveness").status == 200);
  CHECK(call("GET", "/data-jobs/debug/servertime").body.size() == 10);
  CHECK(call("GET", "/data-jobs/debug/servertime-millis").body.size() == 13);
  CHECK(call("GET", "/data-jobs/debug/echo/a%20b").body == "a b");
  const Answer page = call("GET", "/");
  CHECK(page.status == 200);
  CHECK_FALSE(page.header("Content-Security-Policy").empty());
  CHECK(call("GET", "/", "", "If-None-Match: " + page.header("ETag") + "\r\n").status == 304);
}

TEST_CASE_FIXTURE(Deployed, "metrics name jobs, with their labels escaped") {
  DataJob quoted = service->get_job("team", "some-job");
  quoted.contacts.notified_on_job_success = {"a\"b\\c@d.e"};
  service->update_job(quoted);
  (void)call("GET", "jobs/some-job");
  const std::string metrics = call("GET", "/data-jobs/debug/prometheus").body;
  CHECK(metrics.find(R"(email_notified_on_success="a\"b\\c@d.e")") != std::string::npos);
  CHECK(metrics.find(R"(taurus_deployment_status_gauge{dataJob="some-job"} 0)") != std::string::npos);
  CHECK(metrics.find(R"(taurus_deployment_status_summary_count{dataJob="some-job",status="SUCCESS"} )") !=
        std::string::npos);
  CHECK(metrics.find(R"(http_server_requests_seconds_count{method="GET",)"
                     R"(uri="/data-jobs/for-team/{team_name}/jobs/{job_name}",status="200"} 1)") != std::string::npos);
  CHECK(metrics.find("vdk_deploy_datajob_synchronizer_successful_invocations_counter_total") != std::string::npos);
}

TEST_CASE_FIXTURE(Deployed, "bad input is the caller's mistake, never the server's") {
  const std::string deep = R"({"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
  for (const std::string& body :
       {std::string("{\"job_name\":\"a\0b\"}", 18), std::string("{\"job_name\":\"\xff\xfe\"}"),
        std::string(R"({"job_name":"\u0000abcdef"})"), std::string(R"({"job_name":"\ud800"})"), deep,
        std::string(R"({"job_name":1e999})"), std::string("[]"), std::string("null"), std::string("\"x\""),
        std::string(R"({"job_name":"some-job","config":7})"),
        std::string(R"({"job_name":"some-job","config":{"notification_delay_period_minutes":99999999999}})"),
        std::string(R"({"job_name":"some-job","config":{"notification_delay_period_minutes":1.5}})"),
        std::string(R"({"job_name":"some-job","config":{"contacts":{"notified_on_job_deploy":[1]}}})"),
        std::string(R"({"job_name":"some-job","config":{"schedule":{"schedule_cron":"no cron"}}})")}) {
    CAPTURE(body.substr(0, 100));
    CHECK(call("PUT", "jobs/some-job", body).status == 400);
  }
  CHECK(call("PUT", "jobs/some-job").status == 400);
  CHECK(call("PUT", "jobs/some-job", R"({"job_name":"x","job_name":"some-job"})").status == 200);
  CHECK(call("PUT", "jobs/some-job/deployments/x/properties", deep).status == 400);
  CHECK(call("POST", "jobs/some-job/deployments", R"({"enabled":"yes"})").status == 400);
  CHECK(call("POST", "jobs/some-job/deployments", R"({"job_version":"../../etc"})").status < 500);
  CHECK(call("POST", "jobs/some-job/deployments", R"({"resources":{"memory_limit":-1}})").status == 400);
  CHECK(call("POST", "jobs/some-job/deployments/x/executions", R"({"args":[1]})").status == 400);
  CHECK(call("GET", "jobs/%00").status == 400);
  CHECK(call("GET", "jobs/%ff").status == 400);
  CHECK(call("GET", "jobs?query=%zz").status == 400);
}

TEST_CASE("the OpenAPI document names the methods that its paths answer") {
  const auto document = nlohmann::json::parse(openapi_document("1.0"));
  CHECK(document["openapi"] == "3.0.3");
  RestFixture fixture;
  for (const auto& [path, methods] : document["paths"].items()) {
    std::string address = path;
    for (auto begin = address.find('{'); begin != std::string::npos; begin = address.find('{')) {
      address.replace(begin, address.find('}') - begin + 1, "x");
    }
    std::vector<std::string> expected{"OPTIONS"};
    for (const std::string method : {"get", "post", "put", "patch", "delete"}) {
      if (methods.contains(method)) {
        expected.push_back(text::upper(method));
        for (const auto& parameter : methods[method]["parameters"]) {
          CHECK(parameter["schema"].contains("type"));
        }
      }
    }
    if (methods.contains("get")) {
      expected.push_back("HEAD");
    }
    auto allowed = text::split(text::replace_all(fixture.call("OPTIONS", address).header("Allow"), " ", ""), ',');
    std::sort(allowed.begin(), allowed.end());
    std::sort(expected.begin(), expected.end());
    CAPTURE(path);
    CHECK(allowed == expected);
  }
}
