// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "control/server/config_values.hpp"
#include "vdk/control/server_config.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace {

namespace fs = std::filesystem;
using vdk::Error;
using vdk::control::ConfigProblem;
using vdk::control::format_problems;
using vdk::control::keys_that_need_restart;
using vdk::control::load_server_config;
using vdk::control::read_server_config;
using vdk::control::ServerConfigResult;
using vdk::control::vdk_options_of;
using Environment = std::map<std::string, std::string>;

/// A configuration file that lives as long as the test.
class File {
 public:
  explicit File(const std::string& content, unsigned mode = 0600) { vdk::files::write_atomic(path(), content, mode); }
  [[nodiscard]] fs::path path() const { return m_folder.path() / "server.yaml"; }
  [[nodiscard]] fs::path folder() const { return m_folder.path(); }

 private:
  vdk::files::TemporaryDirectory m_folder;
};

ServerConfigResult read(const std::string& content, const Environment& environment = {}) {
  return read_server_config(File(content).path(), environment, "/srv/vdk");
}

/// "LINE:COLUMN KEY" of the only error.
std::string only_error(const ServerConfigResult& result) {
  std::string found;
  int errors = 0;
  for (const ConfigProblem& problem : result.problems) {
    if (!problem.warning) {
      found = std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " + problem.key;
      ++errors;
    }
  }
  CHECK(errors == 1);
  return found;
}

const ConfigProblem& problem_with(const ServerConfigResult& result, const std::string& key) {
  const auto found = std::find_if(result.problems.begin(), result.problems.end(),
                                  [&](const ConfigProblem& problem) { return problem.key == key; });
  REQUIRE_MESSAGE(found != result.problems.end(), "no problem with ", key);
  return *found;
}

bool clean(const ServerConfigResult& result) {
  for (const ConfigProblem& problem : result.problems) {
    MESSAGE(problem.key, ": ", problem.message);
  }
  return result.problems.empty();
}

}  // namespace

TEST_CASE("without a file everything has its default") {
  const ServerConfigResult result = read_server_config({}, {}, "/srv/vdk");
  CHECK(clean(result));
  CHECK(result.config.embedded.home == "/srv/vdk");
  CHECK(result.config.rest.host == "127.0.0.1");
  CHECK(result.config.rest.port == 8092);
  CHECK(result.config.embedded.database.url.empty());
  CHECK(result.config.embedded.notifications.mail.url.empty());
}

TEST_CASE("the keys of the chart are understood") {
  const File file(R"(
service: {internalPort: &port 9000}
server: {maxHttpHeaderSize: 16KB}
deploymentGitUrl: git.example.com/team/jobs.git
deploymentGitBranch: master
uploadGitReadWriteUsername: writer
deploymentGitUsername: reader
notificationOwnerEmail: data@example.com
notificationCcEmails: "a1@x.com,a2@x.com"
mail:
  smtp: {auth: true, host: mail.example.com, user: vdk, port: 2525, starttls: {enable: true}}
deploymentDefaultDataJobsResources:
  limits: {cpu: 500m, memory: 1G}
  requests: {cpu: 250m, memory: 1000Mi}
dataJob:
  executions:
    cleanupTask: {maximumExecutionsToStore: "50", executionsTtlSeconds: "7200"}
    logsUrl: {urlTemplate: "http://logs/{{execution_id}}?from={{start_time}}", dateFormat: iso, startTimeOffsetSeconds: -60}
  deployment:
    configuration:
      persistence: {writeTos: "DB"}
      synchronizationTask: {intervalMs: 5000, corePoolSize: 5}
credentials: {repository: EMPTY}
security: {enabled: false}
database: {jdbcUrl: "jdbc:postgresql://db:5432/vdk?sslmode=require", username: vdk}
)");
  const ServerConfigResult result = read_server_config(file.path(), {}, "/srv/vdk");
  CHECK(result.problems.size() == 1);  // 1G is less than 1000Mi
  CHECK(problem_with(result, "deploymentDefaultDataJobsResources.requests.memory").message ==
        "the request is above the limit");
  const auto& config = result.config;
  CHECK(config.rest.port == 9000);
  CHECK(config.rest.limits.max_header == 16384);
  const auto& embedded = config.embedded;
  CHECK(embedded.sources.url == "https://git.example.com/team/jobs.git");
  CHECK(embedded.sources.branch == "master");
  CHECK(embedded.sources.username == "writer");
  CHECK(embedded.notifications.mail.url == "smtp://mail.example.com:2525");
  CHECK(embedded.notifications.mail.require_tls);
  CHECK(embedded.notifications.cc == std::vector<std::string>{"a1@x.com", "a2@x.com"});
  CHECK(embedded.default_resources.cpu_limit == 0.5);
  CHECK(embedded.default_resources.memory_limit == 953);
  CHECK(embedded.default_resources.memory_request == 1000);
  CHECK(embedded.kept_executions == 50);
  CHECK(embedded.kept_time == std::chrono::hours(2));
  CHECK(embedded.logs_url == "http://logs/{execution_id}?from={start_time}");
  CHECK(embedded.logs_url_iso_times);
  CHECK(embedded.logs_url_start_offset == std::chrono::seconds(-60));
  CHECK(embedded.synchronizer.interval == std::chrono::seconds(5));
  CHECK(embedded.synchronizer.workers == 5);
  CHECK(embedded.database.url == "postgresql://db:5432/vdk?sslmode=require");
  CHECK(embedded.database.username == "vdk");
}

TEST_CASE("an unquoted 3.10 stays 3.10, and the order is the administrator's") {
  const auto result = read(
      "supportedPythonVersions:\n  3.10:\n    interpreter: /opt/python3.10\n    baseImage: b\n"
      "  3.9: {vdkImage: v}\n  '3.11': /usr/bin/python3.11\ndefaultPythonVersion: 3.10\n");
  CHECK(clean(result));
  REQUIRE(result.config.supported_python_versions.size() == 3);
  CHECK(result.config.supported_python_versions[0].version == "3.10");
  CHECK(result.config.supported_python_versions[0].interpreter == "/opt/python3.10");
  CHECK(result.config.supported_python_versions[0].base_image == "b");
  CHECK(result.config.supported_python_versions[1].version == "3.9");
  CHECK(result.config.supported_python_versions[2].interpreter == "/usr/bin/python3.11");
  CHECK(result.config.default_python_version == "3.10");
  const auto versions = vdk::control::configured_python_versions(result.config, [] {
    return std::vector<vdk::control::PythonVersion>{{"3.9", "/found/3.9", "", ""}};
  });
  CHECK(versions.versions[1].interpreter == "/found/3.9");
  CHECK(versions.default_version == "3.10");
}

TEST_CASE("the chart's own name of the dictionary works, but not both at once") {
  CHECK(read("deploymentSupportedPythonVersions: {3.9: {baseImage: x}}\n").config.supported_python_versions.size() ==
        1);
  CHECK(only_error(read("supportedPythonVersions: {3.9: }\ndeploymentSupportedPythonVersions: {3.8: }\n")) ==
        "2:1 deploymentSupportedPythonVersions");
}

TEST_CASE("mistakes of the Python versions are found where they stand") {
  CHECK(only_error(read("supportedPythonVersions:\n  3.9: {}\n  3.9: {}\n")) == "3:3 supportedPythonVersions");
  CHECK(only_error(read("supportedPythonVersions: []\n")) == "1:26 supportedPythonVersions");
  CHECK(only_error(read("supportedPythonVersions:\n  3.9:\n    intepreter: x\n")) ==
        "3:5 supportedPythonVersions.3.9.intepreter");
  const auto result = read("supportedPythonVersions: {3.11: }\ndefaultPythonVersion: '3.12'\n");
  CHECK(only_error(result) == "2:23 defaultPythonVersion");
  CHECK(result.problems[0].hint == "did you mean 3.11?");
}

TEST_CASE("every mistake is reported at once, in file order, with a hint") {
  const auto result = read(R"(databse:
  url: postgresql://db/vdk
service:
  internalPort: 99999
server:
  maxHttpHeaderSize: eight
  maxConections: 5
dataJob: 7
security:
  enabled: true
webHooks:
  postCreate:
    webhookUri: ftp://hook
)");
  std::vector<std::string> keys;
  for (const ConfigProblem& problem : result.problems) {
    CHECK_FALSE(problem.warning);
    keys.push_back(problem.key);
  }
  CHECK(keys == std::vector<std::string>{"databse", "service.internalPort", "server.maxHttpHeaderSize",
                                         "server.maxConections", "dataJob", "security.enabled",
                                         "webHooks.postCreate.webhookUri"});
  CHECK(result.problems[0].hint == "did you mean database?");
  CHECK(result.problems[1].line == 4);
  CHECK(result.problems[1].column == 17);
  CHECK(result.problems[3].hint == "did you mean server.maxConnections?");
  CHECK(result.problems[5].message == "there is no issuer whose logins count");
}

TEST_CASE("text that is no YAML is one located mistake") {
  CHECK(only_error(read("service:\n  internalPort: [1\nserver: {\n")).substr(0, 1) != "0");
  CHECK(only_error(read("- a\n- b\n")) == "1:1 ");
  CHECK(only_error(read("service: {host: a}\nservice: {host: b}\n")) == "2:1 service");
  CHECK(clean(read("")));
  CHECK(clean(read("# nothing yet\n")));
  CHECK(clean(read("database:\n  url:\n  username: ''\n")));
}

TEST_CASE("keys of the chart that have no meaning here are warnings only") {
  const auto result = read("replicas: 2\nimage: {tag: stable}\ningress: {enabled: false}\n");
  CHECK(result.problems.size() == 3);
  for (const ConfigProblem& problem : result.problems) {
    CHECK(problem.warning);
    CHECK(problem.unused);
  }
}

TEST_CASE("the environment wins over the file and is checked as well") {
  const std::string content = "service: {internalPort: 9000}\ndatabase: {url: postgresql://db/one}\n";
  const auto result = read(content, {{"VDK_SERVER_SERVICE_INTERNAL_PORT", "9100"},
                                     {"VDK_SERVER_DATABASE_PASSWORD", "s3cret"},
                                     {"VDK_SERVER_SUPPORTED_PYTHON_VERSIONS", R"({"3.10": {"interpreter": "/p"}})"}});
  CHECK(clean(result));
  CHECK(result.config.rest.port == 9100);
  CHECK(result.config.embedded.database.url == "postgresql://db/one");
  CHECK(result.config.embedded.database.password == "s3cret");
  CHECK(result.config.supported_python_versions.at(0).version == "3.10");
  const auto wrong = read(content, {{"VDK_SERVER_SERVICE_INTERNAL_PORT", "many"}, {"VDK_SERVER_DATABSE_URL", "x"}});
  CHECK(only_error(wrong) == "0:0 VDK_SERVER_SERVICE_INTERNAL_PORT");
  CHECK(problem_with(wrong, "VDK_SERVER_DATABSE_URL").hint == "did you mean VDK_SERVER_DATABASE_URL?");
}

TEST_CASE("every key has a variable of its own and a meaning") {
  std::set<std::string> variables;
  for (const auto& key : vdk::control::server_keys()) {
    CAPTURE(key.key);
    CHECK(variables.insert(key.environment).second);
    CHECK_FALSE(key.help.empty());
  }
  using vdk::control::server_config::environment_name;
  CHECK(environment_name("database.jdbcUrl") == "VDK_SERVER_DATABASE_JDBC_URL");
  CHECK(environment_name("deploymentGitUrl") == "VDK_SERVER_DEPLOYMENT_GIT_URL");
  CHECK(environment_name("mail.smtp.host") == "VDK_SERVER_MAIL_SMTP_HOST");
}

TEST_CASE("passwords come from files, and never appear in a message") {
  const File file(
      "database:\n  url: postgresql://me:hidden@db/vdk\n  pasword: hidden\nmail: {smtp: {password: [hidden, {}]}}\n");
  const auto result = read_server_config(file.path(), {}, "/srv/vdk");
  CHECK(result.config.embedded.database.url == "postgresql://db/vdk");
  CHECK(result.config.embedded.database.username == "me");
  CHECK(result.config.embedded.database.password == "hidden");
  const std::string shown = format_problems(file.path(), result.problems);
  CHECK(shown.find("hidden") == std::string::npos);
  CHECK(shown.find("server.yaml:3:3: error: database.pasword: there is no such key") != std::string::npos);
  CHECK(shown.find("\n      ^\n") != std::string::npos);

  const File with_file("database: {url: postgresql://db/vdk, passwordFile: secret.txt}\n");
  vdk::files::write_atomic(with_file.folder() / "secret.txt", "from-file\n", 0600);
  CHECK(read_server_config(with_file.path(), {}, "/h").config.embedded.database.password == "from-file");
  CHECK(read_server_config(with_file.path(), {{"VDK_SERVER_DATABASE_PASSWORD", "from-env"}}, "/h")
            .config.embedded.database.password == "from-env");
  fs::remove(with_file.folder() / "secret.txt");
  CHECK(only_error(read_server_config(with_file.path(), {}, "/h")) == "1:52 database.passwordFile");
}

TEST_CASE("a password that others can read is a warning") {
  const std::string content = "database: {url: postgresql://db/vdk, password: x}\n";
  CHECK(clean(read(content)));
  const File open(content, 0644);
  const auto result = read_server_config(open.path(), {}, "/h");
  CHECK(problem_with(result, "database.password").warning);
}

TEST_CASE("addresses of databases that cannot be meant are refused") {
  CHECK(only_error(read("database: {url: mysql://db/vdk}\n")) == "1:17 database.url");
  CHECK(only_error(read("database: {url: postgresql://db}\n")) == "1:17 database.url");
  CHECK(only_error(read("database: {username: vdk}\n")) == "1:22 database.username");
  CHECK(only_error(read("database: {url: postgresql://a/x, jdbcUrl: 'jdbc:postgresql://b/x'}\n")) ==
        "1:44 database.jdbcUrl");
}

TEST_CASE("roll-outs are switched off only where the chart would have them off") {
  const std::string task = "dataJob: {deployment: {configuration: {persistence: {writeTos: ";
  const auto k8s = read(task + "K8S}, synchronizationTask: {enabled: false}}}}\n");
  CHECK(k8s.config.embedded.synchronizer.enabled);
  CHECK(k8s.problems.size() == 1);
  const auto db = read(task + "DB}, synchronizationTask: {enabled: false}}}}\n");
  CHECK_FALSE(db.config.embedded.synchronizer.enabled);
}

TEST_CASE("vdkOptions are for all jobs and for single ones") {
  const auto result = read("vdkOptions: |\n  [default]\n  VDK_A=1\n  VDK_B=2\n  [my-job]\n  VDK_B = 3\n");
  CHECK(clean(result));
  CHECK(vdk_options_of(result.config, "other-job") == Environment{{"VDK_A", "1"}, {"VDK_B", "2"}});
  CHECK(vdk_options_of(result.config, "my-job") == Environment{{"VDK_A", "1"}, {"VDK_B", "3"}});
  CHECK(only_error(read("vdkOptions: |\n  VDK_A=1\n")) == "1:13 vdkOptions");
}

TEST_CASE("quantities and sizes") {
  using namespace vdk::control::server_config;
  CHECK(parse_cpu("500m") == 0.5);
  CHECK(parse_cpu("2") == 2.0);
  CHECK_FALSE(parse_cpu("0"));
  CHECK_FALSE(parse_cpu("-1"));
  CHECK_FALSE(parse_cpu("2x"));
  CHECK(parse_memory("1G") == 953);
  CHECK(parse_memory("1Gi") == 1024);
  CHECK(parse_memory("104857600") == 100);
  CHECK_FALSE(parse_memory("1"));
  CHECK_FALSE(parse_memory("1GB"));
  CHECK_FALSE(parse_memory("9999999999Gi"));
  CHECK(parse_size("8KB") == 8192U);
  CHECK(parse_size("8 KB") == 8192U);
  CHECK_FALSE(parse_size("KB"));
  CHECK_FALSE(parse_size("1e400"));
}

TEST_CASE("a program that starts gets all mistakes in one error") {
  const File file("service: {internalPort: x}\nnonsense: 1\nreplicas: 2\n");
  try {
    (void)load_server_config(file.path(), {}, "/h");
    FAIL("it was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::configuration);
    CHECK(error.text().what == "the server's configuration has 2 mistakes");
    CHECK(error.text().why.find("server.yaml:1:25: error: service.internalPort") != std::string::npos);
    CHECK(error.text().why.find("server.yaml:2:1: error: nonsense") != std::string::npos);
    CHECK(error.text().why.find("replicas") == std::string::npos);
  }
  CHECK_THROWS_AS((void)read_server_config("/does/not/exist.yaml", {}, "/h"), Error);
}

TEST_CASE("a change of anything but the Python versions needs a restart") {
  const auto before = read("service: {internalPort: 1}\nsupportedPythonVersions: {3.9: }\n").config;
  const auto after =
      read("service: {internalPort: 2}\nsupportedPythonVersions: {3.8: }\ndatabase: {url: postgresql://a/b}\n").config;
  CHECK(keys_that_need_restart(before, after) == std::vector<std::string>{"service.internalPort", "database.url"});
}
