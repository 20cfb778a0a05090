// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/notifications.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include "control/embedded/mail_text.hpp"
#include "control/fixture.hpp"

namespace {

using namespace vdk::control;
using vdk::control::testing::Fixture;

/// A service whose mails have somewhere to go that nobody listens on: what is noted stays noted.
struct Mails : Fixture {
  Store store{options.database, home};
  std::atomic<bool> stop{false};

  Mails() { configure("smtp://127.0.0.1:1"); }
  void configure(const std::string& url) {
    options.notifications.mail.url = url;
    options.notifications.cc = {"ops@example.com"};
    service = open();
  }
  void create(const std::string& name, bool notifications = true, const std::string& schedule = "") const {
    DataJob data_job = job(name, schedule);
    data_job.contacts.notified_on_job_deploy = {"deploy@example.com", " ", "not an address", "ops@example.com"};
    data_job.contacts.notified_on_job_success = {"good@example.com"};
    data_job.contacts.notified_on_job_failure_user_error = {"user@example.com"};
    data_job.contacts.notified_on_job_failure_platform_error = {"platform@example.com"};
    data_job.enable_execution_notifications = notifications;
    data_job.notification_delay_period_minutes = 30;
    service->create_job(data_job);
  }
  void deploy_it(const std::string& name, const std::string& step, bool send = true) const {
    DeploymentRequest request;
    request.job_version = upload(name, step);
    request.send_notification = send;
    (void)service->deploy("team", name, request, {});
  }
  std::string run(const std::string& name, const std::string& result, const std::string& message = "") const {
    const std::string id = service->start_execution("team", name, "manual/x", "{}");
    finish(id, result, message);
    (void)service->list_executions("team", name, {});
    clock->time += std::chrono::seconds(2);
    return id;
  }
  std::vector<Mail> noted() { return store.claim_mails(clock->time, clock->time + std::chrono::minutes(5), 100); }
};

TEST_CASE("a deployment that succeeds is mailed once to its contacts and the service's own") {
  Mails f;
  f.create("some-job");
  f.deploy_it("some-job", "one");
  f.deploy_it("some-job", "one");
  const auto mails = f.noted();
  REQUIRE(mails.size() == 1);
  CHECK(mails[0].subject == "[deploy][data job success] some-job");
  CHECK(mails[0].recipients == std::vector<std::string>{"deploy@example.com", "ops@example.com"});
  CHECK(mails[0].html.find("WHAT HAPPENED") == std::string::npos);
}

TEST_CASE("a deployment that fails is mailed once with its four texts, and once more when it succeeds at last") {
  Mails f;
  f.create("some-job");
  f.runtime->bad_requirements = true;
  f.deploy_it("some-job", "one");
  f.clock->time += std::chrono::minutes(2);
  f.deploy_it("some-job", "one");
  auto mails = f.noted();
  REQUIRE(mails.size() >= 1);
  CHECK(mails[0].subject == "[deploy][data job failure] some-job");
  for (const char* title : {"WHAT HAPPENED", "WHY", "CONSEQUENCES", "COUNTERMEASURES", "no such package"}) {
    CHECK(mails[0].html.find(title) != std::string::npos);
  }
  f.runtime->bad_requirements = false;
  f.clock->time += std::chrono::hours(1);
  f.deploy_it("some-job", "one");
  mails = f.noted();
  CHECK(std::count_if(mails.begin(), mails.end(),
                      [](const Mail& mail) { return mail.subject == "[deploy][data job success] some-job"; }) == 1);
}

TEST_CASE("a deployment without the wish for a mail has none, and neither has a service without a mail server") {
  Mails f;
  f.create("some-job");
  f.deploy_it("some-job", "one", false);
  CHECK(f.noted().empty());
  f.configure("");
  f.deploy_it("some-job", "two");
  (void)f.run("some-job", "Success");
  CHECK(f.noted().empty());
}

TEST_CASE("each result of an execution goes to the contacts of that result, once") {
  Mails f;
  f.create("some-job");
  f.deploy_it("some-job", "one", false);
  (void)f.run("some-job", "Success");
  (void)f.run("some-job", "User error", "division by <zero>");
  (void)f.run("some-job", "Platform error", "disk");
  (void)f.run("some-job", "Skipped");
  const auto mails = f.noted();
  REQUIRE(mails.size() == 3);
  std::map<std::string, const Mail*> by_subject;
  for (const Mail& mail : mails) {
    by_subject[mail.subject] = &mail;
  }
  CHECK(by_subject.at("[success][data job run] some-job")->recipients.front() == "good@example.com");
  const Mail& user = *by_subject.at("[user error][data job run] some-job");
  CHECK(user.recipients == std::vector<std::string>{"user@example.com"});
  CHECK(user.html.find("division by &lt;zero&gt;") != std::string::npos);
  CHECK(user.html.find("<zero>") == std::string::npos);
  CHECK(by_subject.at("[platform error][data job run] some-job")->recipients.front() == "platform@example.com");
}

TEST_CASE("a job can switch the mails of its executions off") {
  Mails f;
  f.create("some-job", false);
  f.deploy_it("some-job", "one", false);
  (void)f.run("some-job", "User error");
  CHECK(f.noted().empty());
}

TEST_CASE("an execution that delays the next one beyond what the job tolerates is mailed once") {
  Mails f;
  f.create("some-job", true, "0 * * * *");
  f.deploy_it("some-job", "one", false);
  (void)f.service->start_execution("team", "some-job", "manual/x", "{}");
  Notifier notifier(f.options, *f.clock, f.store);
  f.clock->time += std::chrono::minutes(60);
  notifier.note_delays();
  CHECK(f.noted().empty());
  f.clock->time += std::chrono::minutes(60);
  notifier.note_delays();
  notifier.note_delays();
  const auto mails = f.noted();
  REQUIRE(mails.size() == 1);
  CHECK(mails[0].subject == "[data job delay] some-job");
}

TEST_CASE("a mail that cannot be sent waits longer each time and is not lost") {
  Mails f;
  f.create("some-job");
  f.deploy_it("some-job", "one");
  Notifier notifier(f.options, *f.clock, f.store);
  CHECK(notifier.send_waiting(f.stop) == 0);
  CHECK(f.noted().empty());
  f.clock->time += std::chrono::seconds(11);
  CHECK(notifier.send_waiting(f.stop) == 0);
  f.clock->time += std::chrono::seconds(11);
  CHECK(f.noted().empty());
  f.clock->time += std::chrono::seconds(11);
  const auto mails = f.noted();
  REQUIRE(mails.size() == 1);
  CHECK(mails[0].attempts == 3);
}

TEST_CASE("of several servers that send at the same time one gets each mail") {
  Mails f;
  for (int i = 0; i < 40; ++i) {
    CHECK(f.store.note_mail({"run/" + std::to_string(i), {"a@example.com"}, "s", "b", 0}, f.clock->time));
  }
  CHECK_FALSE(f.store.note_mail({"run/0", {"a@example.com"}, "s", "b", 0}, f.clock->time));
  std::mutex mutex;
  std::map<std::string, int> claimed;
  std::vector<std::thread> servers;
  for (int i = 0; i < 3; ++i) {
    servers.emplace_back([&] {
      Store store(f.options.database, f.home);
      for (auto mails = store.claim_mails(f.clock->time, f.clock->time + std::chrono::minutes(5), 1); !mails.empty();
           mails = store.claim_mails(f.clock->time, f.clock->time + std::chrono::minutes(5), 1)) {
        const std::lock_guard lock(mutex);
        ++claimed[mails.front().key];
      }
    });
  }
  for (auto& server : servers) {
    server.join();
  }
  CHECK(claimed.size() == 40);
  CHECK(std::all_of(claimed.begin(), claimed.end(), [](const auto& entry) { return entry.second == 1; }));
}

}  // namespace
