// SPDX-License-Identifier: Apache-2.0
#include "control/remote/records.hpp"

#include <doctest/doctest.h>

#include "control/remote/listing.hpp"

using namespace vdk;
using namespace vdk::control;
using remote::Json;

namespace {

std::string time_text(std::string_view text) {
  const auto time = remote::read_time(text);
  return time ? format_time(*time) : "none";
}

}  // namespace

TEST_CASE("times of every service are read, with and without fraction and zone") {
  CHECK(time_text("2021-09-24T14:14:03.922000+00:00") == "2021-09-24T14:14:03.922000+00:00");
  CHECK(time_text("2021-09-24T14:14:03.922Z") == "2021-09-24T14:14:03.922000+00:00");
  CHECK(time_text("2021-09-24T14:14:03") == "2021-09-24T14:14:03+00:00");
  CHECK(time_text("2021-09-24T14:14Z") == "2021-09-24T14:14:00+00:00");
  CHECK(time_text("2021-09-24T14:14:03+02:00") == "2021-09-24T12:14:03+00:00");
  CHECK(time_text("2021-09-24T23:14:03.5-0330") == "2021-09-25T02:44:03.500000+00:00");
  CHECK(time_text("") == "none");
  CHECK(time_text("yesterday") == "none");
  CHECK(time_text("2021-13-24T14:14:03Z") == "none");
}

TEST_CASE("a job survives the way to JSON and back") {
  DataJob job;
  job.job_name = "some-job";
  job.team = "A \"B\"";
  job.description = "größe";
  job.schedule_cron = "* * * * *";
  job.db_default_type = "sqlite";
  job.contacts.notified_on_job_deploy = {"a@b.c", "d@e.f"};
  job.generate_keytab = false;
  job.enable_execution_notifications = false;
  job.notification_delay_period_minutes = 7;
  const Json json = remote::job_to_json(job);
  CHECK(remote::job_to_json(remote::read_job(Json::parse(json.dump()))) == json);
  CHECK(json["config"]["schedule"]["schedule_cron"] == "* * * * *");
}

TEST_CASE("a new job is sent as the original sends it") {
  DataJob job;
  job.job_name = "some-job";
  job.team = "t";
  const Json json = remote::job_to_json(job);
  CHECK(json["description"] == "");
  CHECK(json["config"]["schedule"] == Json::object());
  CHECK(json["config"]["generate_keytab"] == true);
  CHECK(json["config"]["enable_execution_notifications"] == true);
  CHECK(json["config"]["notification_delay_period_minutes"] == 240);
  CHECK_FALSE(json["config"].contains("db_default_type"));
}

TEST_CASE("missing, null and wrongly typed fields give the defaults") {
  for (const char* text :
       {"{}", "null", R"({"config":null,"team":null})", R"({"config":{"contacts":3,"schedule":[]}})"}) {
    const DataJob job = remote::read_job(Json::parse(text));
    CHECK(job.team.empty());
    CHECK(job.generate_keytab);
    CHECK(job.notification_delay_period_minutes == 240);
  }
  const Deployment deployment = remote::read_deployment(Json::parse(R"({"enabled":null,"vdk_version":null})"), "j");
  CHECK(deployment.enabled);
  CHECK(deployment.status == DeploymentStatus::none);
  CHECK(remote::read_execution(Json::parse(R"({"status":"odd"})"), "j").status == ExecutionStatus::platform_error);
}

TEST_CASE("a request has only what was asked for") {
  CHECK(remote::request_to_json({}) == Json::object());
  DeploymentRequest request;
  request.enabled = false;
  request.vdk_version = "1.2";
  CHECK(remote::request_to_json(request).dump() == R"({"vdk_version":"1.2","enabled":false})");
}

TEST_CASE("the list query is the original's, and names cannot break out of it") {
  const std::string query = remote::list_query("t\"x\\", {}, 2, 100);
  CHECK(
      query.find(
          R"({ jobs(pageNumber: 2, pageSize: 100, filter: [{ property: "config.team", pattern: "t\"x\\", sort: ASC }, { property: "jobName", sort: ASC }]) { content { jobName config { team description schedule { scheduleCron })") ==
      0);
  CHECK(remote::list_query("", {}, 1, 100).find("config.team") == std::string::npos);
  remote::Selection selection;
  selection.executions = 1;
  CHECK(remote::list_query("t", selection, 1, 100).find("startedBy") != std::string::npos);
}

TEST_CASE("rows of the jobs query are read") {
  const Json data = Json::parse(R"({"content":[
    {"jobName":"a-job","config":{"team":"t","schedule":{"scheduleCron":"* * * * *"},
      "contacts":{"notifiedOnJobDeploy":["a@b.c"]}},
     "deployments":[{"enabled":false,"status":"SUCCESS","jobVersion":"abc","jobPythonVersion":"3.11",
       "lastDeployedBy":"me","lastDeployedDate":"2021-09-24T14:14:03Z",
       "executions":[{"id":"1","type":"MANUAL","status":"SUCCEEDED","startTime":"2021-01-01T00:00:00Z"},
                     {"id":"2","type":"SCHEDULED","status":"RUNNING","startTime":"2022-01-01T00:00:00Z"}]}]},
    {"jobName":"b-job","config":{"team":"t"},"deployments":null},
    {"jobName":"c-job","config":null,"deployments":[]}]})");
  const auto rows = remote::read_rows(data);
  REQUIRE(rows.size() == 3);
  REQUIRE(rows[0].deployment);
  CHECK_FALSE(rows[0].deployment->enabled);
  CHECK(rows[0].deployment->status == DeploymentStatus::success);
  CHECK(rows[0].deployment->schedule_cron == "* * * * *");
  CHECK(rows[0].job.contacts.notified_on_job_deploy == std::vector<std::string>{"a@b.c"});
  REQUIRE(rows[0].executions.size() == 2);
  CHECK(rows[0].executions[0].id == "2");
  CHECK(rows[0].executions[0].type == ExecutionType::scheduled);
  CHECK_FALSE(rows[1].deployment);
  CHECK_FALSE(rows[2].deployment);
  CHECK(remote::read_rows(Json::parse(R"({"content":null})")).empty());
}
