// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "control/query_rows.hpp"
#include "control/server/graphql_parser.hpp"
#include "control/server/graphql_schema.hpp"
#include "control/server/graphql_values.hpp"
#include "vdk/control/embedded.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace vdk::control {
namespace {

using Json = nlohmann::ordered_json;
using testing::at_second;

/// Queries must never ask the runtime: each call fails the test.
class NoTarget final : public target::Target {
 public:
  target::AppliedDeployment apply(const target::DeploymentSpec& /*spec*/,
                                  const std::function<void(const std::filesystem::path&)>& /*write_sources*/,
                                  const target::Progress& /*progress*/) override {
    return fail(), target::AppliedDeployment();
  }
  void remove(const std::string& /*job_name*/) override { fail(); }
  std::map<std::string, std::string> list() override { return fail(), std::map<std::string, std::string>(); }
  void start(const target::ExecutionSpec& /*spec*/) override { fail(); }
  void cancel(const std::string& /*id*/) override { fail(); }
  target::ExecutionObservation observe(const std::string& /*id*/) override {
    return fail(), target::ExecutionObservation();
  }
  std::string logs(const std::string& /*id*/, int /*tail_lines*/) override { return fail(), std::string(); }
  void forget(const std::string& /*id*/) override { fail(); }

 private:
  static void fail() { FAIL("a query asked the runtime"); }
};

struct HeldClock final : Clock {
  [[nodiscard]] TimePoint now() const override { return at_second(0); }
};

struct Asked {
  files::TemporaryDirectory home;
  HeldClock clock;
  std::unique_ptr<Service> service;

  Asked() {
    {
      Store store({}, home.path());
      testing::add_query_rows(store);
    }
    service = open_embedded({.home = home.path()}, std::make_unique<NoTarget>(), std::make_shared<HeldClock>());
  }

  GraphqlAnswer answer(const std::string& query, const std::string& variables = "", const std::string& name = "") {
    return answer_graphql(*service, "any team", query, name, variables, clock);
  }
  Json data(const std::string& query, const std::string& variables = "", const std::string& name = "") {
    const GraphqlAnswer answered = answer(query, variables, name);
    INFO(answered.body);
    REQUIRE(answered.status == 200);
    const Json body = Json::parse(answered.body);
    CHECK(body["errors"] == Json::array());
    return body["data"];
  }
  /// The only error of a refused query.
  Json error(const std::string& query, const std::string& variables = "", const std::string& name = "") {
    const GraphqlAnswer answered = answer(query, variables, name);
    INFO(answered.body);
    REQUIRE(answered.status == 400);
    const Json body = Json::parse(answered.body);
    CHECK(body["data"].is_null());
    REQUIRE(body["errors"].size() == 1);
    return body["errors"][0];
  }
  std::string message(const std::string& query, const std::string& variables = "", const std::string& name = "") {
    return error(query, variables, name)["message"];
  }
  /// Names of jobs, joined.
  std::string names(const std::string& arguments, const std::string& fields = "") {
    std::string result;
    const Json answered = data("{ jobs(" + arguments + ") { content { jobName " + fields + " } } }");
    for (const auto& job : answered["content"]) {
      result += (result.empty() ? "" : " ") + job["jobName"].get<std::string>();
    }
    return result;
  }
};

TEST_CASE("the original client's query is answered in its words and order") {
  Asked asked;
  const std::string query =
      R"({ jobs(pageNumber: 1, pageSize: 100, filter: [{ property: "config.team", pattern: "Red%", sort: ASC }, )"
      R"({ property: "jobName", sort: ASC }]) { content { jobName config { team description schedule { scheduleCron }  })"
      R"(  deployments { enabled status }  }  }  })";
  CHECK(asked.answer(query).body ==
        R"({"data":{"content":[)"
        R"({"jobName":"alpha-job","config":{"team":"Red Team","description":"Loads 100% of the Flights",)"
        R"("schedule":{"scheduleCron":"0 5 * * *"}},"deployments":[{"enabled":true,"status":null}]},)"
        R"({"jobName":"beta-job","config":{"team":"red","description":"counts flights",)"
        R"("schedule":{"scheduleCron":"0 0 30 2 *"}},"deployments":[{"enabled":false,"status":null}]}],)"
        R"("totalPages":0,"totalItems":0},"errors":[]})");
}

TEST_CASE("the original client's most detailed query is answered") {
  Asked asked;
  const Json data = asked.data(
      R"({ jobs(pageNumber: 1, pageSize: 100, filter: [{ property: "jobName", sort: ASC }]) { content { jobName config )"
      R"({ team description schedule { scheduleCron } contacts { notifiedOnJobDeploy notifiedOnJobSuccess )"
      R"(notifiedOnJobFailurePlatformError notifiedOnJobFailureUserError } } deployments { enabled status jobVersion )"
      R"(lastDeployedBy lastDeployedDate executions { id type status startTime endTime opId startedBy } } } } })");
  const Json& alpha = data["content"][0];
  CHECK(alpha["config"]["contacts"]["notifiedOnJobSuccess"] == Json::array({"ok@example.com", "boss@example.com"}));
  const Json& deployment = alpha["deployments"][0];
  CHECK(deployment["lastDeployedDate"] == "2023-11-14T22:13:20+00:00");
  CHECK(deployment["lastDeployedBy"] == "alice");
  REQUIRE(deployment["executions"].size() == 4);
  CHECK(deployment["executions"][0].dump() ==
        R"({"id":"alpha-4","type":"SCHEDULED","status":"RUNNING","startTime":"2023-11-14T22:18:20+00:00",)"
        R"("endTime":null,"opId":"op-alpha-4","startedBy":"scheduled/runtime"})");
  CHECK(data["content"][2]["deployments"].is_null());
  CHECK(data["content"][3]["deployments"][0]["status"] == "USER_ERROR");
}

TEST_CASE("no query at all is the default one") {
  Asked asked;
  const Json data = asked.data("");
  CHECK(data["content"][3].dump() == R"({"jobName":"omega-job","config":{"team":"Blue","description":"airports",)"
                                     R"("schedule":{"scheduleCron":"*/10 * * * *"}}})");
  CHECK(data["totalItems"] == 4);
  CHECK(data["totalPages"] == 1);
}

TEST_CASE("totals follow the original's formula and are 0 when they are not selected") {
  Asked asked;
  const auto totals = [&](const std::string& arguments) {
    const Json data = asked.data("{ jobs(" + arguments + ") { totalPages totalItems } }");
    CHECK(data["content"].is_null());
    return std::pair(data["totalPages"].get<int>(), data["totalItems"].get<int>());
  };
  CHECK(totals("pageNumber: 1, pageSize: 3") == std::pair(2, 4));
  CHECK(totals("pageNumber: 2, pageSize: 2") == std::pair(2, 4));
  const std::string nobody = R"(, filter: [{property: "jobName", pattern: "nobody"}])";
  CHECK(totals("pageNumber: 1" + nobody) == std::pair(1, 0));
  CHECK(totals("pageNumber: 1, pageSize: 1" + nobody) == std::pair(0, 0));
  CHECK(asked.data("{ executions { totalPages totalItems } }").dump() ==
        R"({"content":null,"totalPages":1,"totalItems":6})");
  CHECK(asked.data("{ executions(pageNumber: 2, pageSize: 4) { totalPages } }")["totalPages"] == 2);
}

TEST_CASE("a page must be given and be at least 1") {
  Asked asked;
  CHECK(asked.error("{ jobs { content { jobName } } }").dump() ==
        R"({"message":"Exception while fetching data (/jobs) : Page cannot be less than 1",)"
        R"("locations":[{"line":1,"column":3}],"path":["jobs"],)"
        R"("extensions":{"classification":"DataFetchingException"}})");
  CHECK(asked.message("{ jobs(pageNumber: 1, pageSize: 0) { content { jobName } } }") ==
        "Exception while fetching data (/jobs) : Page size cannot be less than 1");
  CHECK(asked.message("{ executions(pageNumber: 1) { content { id } } }") ==
        "Exception while fetching data (/executions) : Executions field must contain pageSize");
  CHECK(asked.message("{ executions(pageSize: 1) { content { id } } }") ==
        "Exception while fetching data (/executions) : Executions field must contain pageNumber");
}

TEST_CASE("filters reach the service, and only what is selected is searched") {
  Asked asked;
  CHECK(asked.names(R"(pageNumber: 1, filter: {property: "JOBNAME", pattern: "*-job", sort: DESC})") ==
        "omega-job beta-job alpha-job");
  CHECK(asked.names(R"(pageNumber: 1, filter: [{property: "deployments.enabled", pattern: "enabled"}])").empty());
  CHECK(asked.names(R"(pageNumber: 1, filter: [{property: "deployments.enabled", pattern: "enabled"}])",
                    "deployments { id }") == "alpha-job omega-job");
  CHECK(asked.names(R"(pageNumber: 1, search: "flights")").empty());
  CHECK(asked.names(R"(pageNumber: 1, search: "flights")", "config { description }") == "alpha-job beta-job");
  CHECK(asked.names(R"(pageNumber: 1, filter: [{}, null])") == "alpha-job beta-job gamma-job-2 omega-job");
  CHECK(asked.message(R"({ jobs(pageNumber: 1, filter: [{property: "nothing", pattern: "x"}]) { totalItems } })") ==
        "Exception while fetching data (/jobs) : Provided filter for nothing is either not valid or currently not "
        "supported");
  CHECK(asked.message(R"({ jobs(pageNumber: 1, filter: [{sort: ASC}]) { totalItems } })").find("filter for null") !=
        std::string::npos);
}

/// Selects every field of a type, down to `depth`.
std::string everything(std::string_view type_name, int depth) {
  std::string result = "{ __typename";
  for (const graphql::FieldDef& field : graphql::find_type(type_name)->fields) {
    const bool object = graphql::find_type(field.type.name)->kind == graphql::TypeDef::Kind::object;
    if (!object || depth > 0) {
      result += " " + std::string(field.name) + (object ? " " + everything(field.type.name, depth - 1) : "");
    }
  }
  return result + " }";
}

TEST_CASE("every field of the schema has a value where there is one") {
  Asked asked;
  const Json jobs = asked.data("{ jobs(pageNumber: 1) " + everything("DataJobPage", 6) + " }");
  CHECK(jobs["__typename"] == "DataJobPage");
  const Json& alpha = jobs["content"][0];
  CHECK(alpha["config"]["schedule"]["nextRunEpochSeconds"] == testing::k_query_second + 24400);
  CHECK(jobs["content"][1]["config"]["schedule"]["nextRunEpochSeconds"] == -1);
  CHECK(jobs["content"][2]["config"]["schedule"]["nextRunEpochSeconds"] == -1);
  const Json& deployment = alpha["deployments"][0];
  CHECK(deployment["vdkVersion"].is_null());
  CHECK(deployment["id"] == "alpha-job");
  CHECK(deployment["mode"] == "release");
  CHECK(deployment["jobPythonVersion"] == "3.11");
  CHECK(deployment["contacts"]["notifiedOnJobDeploy"][0] == "deploy@example.com");
  CHECK(deployment["resources"]["cpuLimit"] == 1.5);
  CHECK(deployment["resources"]["memoryLimit"] == 512);
  CHECK(deployment["resources"]["cpuRequest"].is_null());
  CHECK(deployment["schedule"]["scheduleCron"] == "0 5 * * *");
  CHECK(deployment["lastExecutionStatus"] == "USER_ERROR");
  CHECK(deployment["lastExecutionTime"] == "2023-11-14T22:17:30+00:00");
  CHECK(deployment["lastExecutionDuration"] == 50);
  CHECK(deployment["successfulExecutions"] == 2);
  CHECK(deployment["failedExecutions"] == 1);
  CHECK(deployment["executions"][0]["deployment"]["id"] == "release");
  CHECK(deployment["status"].is_null());
  CHECK(deployment["rolloutStatus"] == "SUCCESS");
  CHECK(jobs["content"][3]["deployments"][0]["status"] == "USER_ERROR");
  CHECK(jobs["content"][3]["deployments"][0]["rolloutStatus"] == "USER_ERROR");
  CHECK(jobs["content"][3]["deployments"][0]["statusMessage"] == "no such package");

  const Json executions = asked.data("{ executions " + everything("DataJobExecutionResponse", 6) + " }");
  const Json& omega = executions["content"][0];
  CHECK(omega["id"] == "omega-1");
  CHECK(omega["status"] == "SUBMITTED");
  CHECK(omega["startTime"].is_null());
  CHECK(omega["teamName"] == "Blue");
  CHECK(omega["message"] == "message of omega-1");
  CHECK(omega["jobVersion"] == "v1");
  CHECK(omega["deployment"]["jobVersion"] == "v1");
  CHECK(omega["deployment"]["jobPythonVersion"] == "3.11");
}

TEST_CASE("executions are filtered, ordered and paged, below deployments too") {
  Asked asked;
  const auto ids = [&](const std::string& arguments) {
    std::string result;
    const Json answered = asked.data("{ executions" + arguments + " { content { id } } }");
    for (const auto& execution : answered["content"]) {
      result += (result.empty() ? "" : " ") + execution["id"].get<std::string>();
    }
    return result;
  };
  CHECK(
      ids(R"((filter: {statusIn: [SUCCEEDED], teamNameIn: ["Red Team"]}, order: {property: "startTime", direction: ASC}))") ==
      "alpha-1 alpha-2");
  // 22:15:01 in UTC.
  CHECK(ids(R"((filter: {startTimeGte: "2023-11-15T00:15:01+02:00", startTimeLte: "2023-11-14T22:15:50Z"}))") ==
        "beta-1 alpha-2");
  CHECK(ids(R"((pageNumber: 2, pageSize: 2, filter: {jobNameIn: "alpha-job"}))") == "alpha-2 alpha-1");
  CHECK(asked.message(R"({ executions(order: {property: "x", direction: ASC}) { totalItems } })")
            .find("order.property must be in [message,type,") != std::string::npos);
  CHECK(asked.message(R"({ executions(order: {property: "id"}) { totalItems } })").find("order.direction") !=
        std::string::npos);

  const Json data = asked.data(
      R"({ jobs(pageNumber: 1) { content { deployments {
           newest: executions(pageNumber: 1, pageSize: 1) { id }
           failed: executions(filter: {statusIn: USER_ERROR}) { id } } } } })");
  CHECK(data["content"][0]["deployments"].dump() == R"([{"newest":[{"id":"alpha-4"}],"failed":[{"id":"alpha-3"}]}])");
  CHECK(data["content"][1]["deployments"].dump() == R"([{"newest":[{"id":"beta-1"}],"failed":[]}])");
  CHECK(
      asked
          .message("{ jobs(pageNumber: 1) { content { deployments { executions(filter: {jobNameIn: []}) { id } } } } }")
          .find("jobNameIn filter is not supported for nested executions") != std::string::npos);
}

TEST_CASE("variables, fragments, aliases and directives") {
  Asked asked;
  const std::string query = R"(
    query other { executions { totalItems } }
    query q($filter: [Predicate], $size: Int! = 1, $word: String, $more: Boolean!) {
      jobs(pageNumber: 1, pageSize: $size, filter: $filter, search: $word) {
        rows: content { ...Job  config @skip(if: $more) { team } ... @include(if: false) { hidden: jobName } }
        totalItems
      }
    }
    fragment Job on DataJob { name: jobName ... on DataJob { jobName deployments @include(if: $more) { id } } }
  )";
  CHECK(asked.data(query, R"({"filter": {"property": "jobName", "sort": "DESC"}, "more": true, "unused": 1})", "q")
            .dump() == R"({"content":null,"totalPages":0,"totalItems":4,)"
                       R"("rows":[{"name":"omega-job","jobName":"omega-job","deployments":[{"id":"omega-job"}]}]})");
  CHECK(asked.data(query, R"({"size": 2, "more": false, "word": null})", "q")["rows"][1].dump() ==
        R"({"name":"beta-job","jobName":"beta-job","config":{"team":"red"}})");
  CHECK(asked.message(query, R"({"size": 2})", "q").find("'more' has no value") != std::string::npos);
  CHECK(asked.message(query, R"({"size": "2", "more": true})", "q").find("'size' has an invalid value") !=
        std::string::npos);
  CHECK(asked.message(query, "[1]", "q") == "the variables are not a JSON object");
  CHECK(asked.message(query, "{", "q") == "the variables are not a JSON object");
  CHECK(asked.message(query) == "Must provide operation name if query contains multiple operations");
  CHECK(asked.message(query, "", "nobody") == "Unknown operation named 'nobody'");
  CHECK(asked.data("{ __typename }").dump() == R"({"__typename":"Query"})");
  CHECK(asked.names(R"(pageNumber: 1, filter: [{property: "jobName", sort: DESC}], pageSize: 1)", "jobName") ==
        "omega-job");
}

TEST_CASE("what the schema does not have is refused with its place") {
  Asked asked;
  CHECK(
      asked.error("{\n  jobs(pageNumber: 1) { content { jobNome } } }").dump() ==
      R"({"message":"Validation error (FieldUndefined@[jobs/content/jobNome]) : Field 'jobNome' in type 'DataJob' is )"
      R"(undefined","locations":[{"line":2,"column":35}],"extensions":{"classification":"ValidationError"}})");
  const std::pair<const char*, const char*> refused[] = {
      {"{ nothing }", "FieldUndefined"},
      {"{ jobs(page: 1) { totalItems } }", "UnknownArgument"},
      {"{ jobs(pageNumber: 1, pageNumber: 1) { totalItems } }", "UniqueArguments"},
      {R"({ jobs(pageNumber: "1") { totalItems } })", "WrongType"},
      {"{ jobs(pageNumber: 4294967297) { totalItems } }", "WrongType"},
      {R"({ jobs(pageNumber: 1, filter: [{property: "jobName", sort: "ASC"}]) { totalItems } })", "WrongType"},
      {R"({ jobs(pageNumber: 1, filter: [{property: "jobName", sorted: ASC}]) { totalItems } })", "WrongType"},
      {R"({ executions(filter: {startTimeGte: "yesterday"}) { totalItems } })", "WrongType"},
      {"{ executions(filter: {statusIn: [FINISHED]}) { totalItems } }", "WrongType"},
      {"{ jobs(pageNumber: 1) }", "SubselectionRequired"},
      {"{ jobs(pageNumber: 1) { totalItems { x } } }", "SubselectionNotAllowed"},
      {"{ jobs(pageNumber: $p) { totalItems } }", "UndefinedVariable"},
      {"query ($p: String) { jobs(pageNumber: $p) { totalItems } }", "VariableTypeMismatch"},
      {"query ($p: DataJob) { jobs(pageNumber: $p) { totalItems } }", "UnknownType"},
      {"{ ...a }", "UndefinedFragment"},
      {"{ ...a } fragment a on Query { ...a }", "FragmentCycle"},
      {"{ ... on DataJob { jobName } }", "InvalidFragmentType"},
      {"{ jobs(pageNumber: 1) { totalItems @upper } }", "UnknownDirective"},
      {"{ jobs(pageNumber: 1) { totalItems @skip } }", "MissingDirectiveArgument"},
      {"{ jobs(pageNumber: 1) { a: totalItems a: totalPages } }", "FieldsConflict"},
      {"{ jobs(pageNumber: 1) { content @skip(if: true) { nothing } } }", "FieldUndefined"},
      {"{ __schema { types { name } } }", "IntrospectionDisabled"},
  };
  for (const auto& [query, kind] : refused) {
    CAPTURE(query);
    const Json error = asked.error(query);
    CHECK(error["message"].get<std::string>().find(kind) != std::string::npos);
    CHECK(error["extensions"]["classification"] == "ValidationError");
    CHECK(error["locations"][0]["line"] == 1);
  }
  CHECK(asked.message("mutation { jobs }") == "Schema is not configured for mutations");
  CHECK(asked.message("{ a: jobs(pageNumber: 1) { totalItems } b: executions { totalItems } }")
            .find("Only one of jobs and executions") == 0);
}

TEST_CASE("what is not GraphQL is refused with its place") {
  Asked asked;
  const std::tuple<const char*, int, int> refused[] = {
      {"{", 1, 2},
      {"{ jobs(pageNumber: 1 { totalItems } }", 1, 22},
      {"query {}", 1, 8},
      {"{ jobs(search: \"no end) { totalItems } }", 1, 16},
      {"{ jobs(search: \"\\x\") { totalItems } }", 1, 17},
      {"{ jobs(search: \"\\ud800\") { totalItems } }", 1, 17},
      {"{ jobs(pageNumber: 01) { totalItems } }", 1, 20},
      {"{ jobs(pageNumber: 1a) { totalItems } }", 1, 21},
      {"# only a comment\r\n  ~", 2, 3},
      {"{ \xC3\xA4 }", 1, 3},
      {"}", 1, 1},
      {"fragment on on Query { jobs }", 1, 10},
      {"query ($a: Int = $b) { jobs }", 1, 18},
  };
  for (const auto& [query, line, column] : refused) {
    CAPTURE(query);
    const Json error = asked.error(query);
    CHECK(error["extensions"]["classification"] == "InvalidSyntax");
    CHECK(error["locations"][0]["line"] == line);
    CHECK(error["locations"][0]["column"] == column);
  }
  CHECK(asked.error("\xFF")["extensions"]["classification"] == "InvalidSyntax");
  CHECK(asked.error(std::string("{ \0 }", 5))["extensions"]["classification"] == "InvalidSyntax");
}

TEST_CASE("no query can cost too much before it is answered") {
  Asked asked;
  const auto repeated = [](const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) {
      result += text;
    }
    return result;
  };
  CHECK(asked.message("{ jobs(filter: " + repeated("[", 100'000) + ") }").find("levels deep") != std::string::npos);
  CHECK(asked.message(repeated("{ jobs ", 25'000)).find("levels deep") != std::string::npos);
  CHECK(asked.message(repeated("{ jobs ", 50'000)).find("longer than") != std::string::npos);
  CHECK(asked.message("{ " + repeated("a ", 60'000) + "}").find("tokens") != std::string::npos);
  // Each fragment doubles what the one before it selects.
  std::string bomb = "{ ...f0 }";
  for (int i = 0; i < 30; ++i) {
    const std::string next = "...f" + std::to_string(i + 1);
    bomb += " fragment f" + std::to_string(i) + " on Query { " + next + " " + next + " }";
  }
  CHECK(asked.message(bomb + " fragment f30 on Query { __typename }").find("selects more than") != std::string::npos);
  std::string inner = "id";
  for (int i = 0; i < 30; ++i) {
    inner = "executions { deployment { " + inner + " } }";
  }
  CHECK(asked.answer("{ jobs(pageNumber: 1) { content { deployments { " + inner + " } } } }").status == 400);
  CHECK(asked.message("{ __typename }", "{\"a\":" + repeated("[", 1000) + repeated("]", 1000) + "}") ==
        "the variables are nested too deeply");
}

TEST_CASE("literals have the values that GraphQL gives them") {
  const auto text = [](const std::string& literal) { return graphql::parse_value(literal).text; };
  CHECK(text(R"("a\u00e9\ud83d\ude00\n\t\"\\\/")") == "a\xC3\xA9\xF0\x9F\x98\x80\n\t\"\\/");
  CHECK(text("\"\"\"\n    first\n      second\\\"\"\"\n\n    third\n  \"\"\"") == "first\n  second\"\"\"\n\nthird");
  CHECK(text("\"\"\"one\"\"\"") == "one");
  CHECK(text("\"\"").empty());
  CHECK(graphql::parse_value("-1.5e+3").kind == graphql::Value::Kind::real);
  CHECK(graphql::parse_value("-0").kind == graphql::Value::Kind::integer);
  CHECK(graphql::parse_value("true").flag);
  CHECK(graphql::parse_value("null").kind == graphql::Value::Kind::null);
  CHECK(graphql::parse_value("[1,,2 3]").items.size() == 3);
  CHECK(graphql::parse_value("{a: {b: [ENUM]}}").member("a")->member("b")->items[0].text == "ENUM");
  CHECK(graphql::read_date_time("2023-11-14T22:13:20.5-01:30") == from_unix_micros(1'700'005'400'500'000));
  CHECK_FALSE(graphql::read_date_time("2023-11-14"));
  CHECK_FALSE(graphql::read_date_time("2023-11-14T22:13:20+99:00"));
}

TEST_CASE("hostile texts come back as they are, and broken ones as valid JSON") {
  Asked asked;
  DataJob job;
  job.job_name = "hostile-job";
  job.team = "Blue";
  job.description = "<img src=x onerror=alert(1)> \" \\ \x01 \xF0\x9F\x98\x80 \xFF";
  {
    Store store({}, asked.home.path());
    store.insert_job(job);
  }
  const Json data = asked.data(
      R"({ jobs(pageNumber: 1, filter: {property: "jobName", pattern: "hostile-job"}) { content { config { description } } } })");
  CHECK(data["content"][0]["config"]["description"] ==
        "<img src=x onerror=alert(1)> \" \\ \x01 \xF0\x9F\x98\x80 \xEF\xBF\xBD");
}

}  // namespace
}  // namespace vdk::control
