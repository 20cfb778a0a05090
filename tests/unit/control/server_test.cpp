// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>

#include <condition_variable>
#include <cstdlib>
#include <set>
#include <thread>

#include "control/embedded/executions.hpp"
#include "control/embedded/lease.hpp"
#include "control/embedded/presence.hpp"
#include "control/embedded/scheduler.hpp"
#include "control/embedded/synchronizer_task.hpp"
#include "control/fixture.hpp"

namespace {

using namespace vdk::control;
using namespace std::chrono_literals;
using vdk::control::testing::error_of;
using vdk::control::testing::FakeTarget;
using vdk::control::testing::Fixture;
using vdk::control::testing::Runtime;

/// The runtime as several threads see it; roll-outs of chosen jobs take until they are let go.
struct Machine {
  std::shared_ptr<Runtime> runtime;
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> slow;
  std::set<std::string> building;

  [[nodiscard]] bool has(const std::string& job) {
    const std::scoped_lock lock(mutex);
    return runtime->deployments.count(job) == 1;
  }
  [[nodiscard]] bool is_building(const std::string& job) {
    const std::scoped_lock lock(mutex);
    return building.count(job) == 1;
  }
  [[nodiscard]] int rolled_out() {
    const std::scoped_lock lock(mutex);
    return runtime->applies;
  }
  void let_go() {
    const std::scoped_lock lock(mutex);
    slow.clear();
    changed.notify_all();
  }
};

class SharedTarget final : public vdk::target::Target {
 public:
  explicit SharedTarget(Machine& machine) : m_machine(machine), m_inner(machine.runtime) {}
  vdk::target::AppliedDeployment apply(const vdk::target::DeploymentSpec& spec,
                                       const std::function<void(const std::filesystem::path&)>& write_sources,
                                       const vdk::target::Progress& progress) override {
    std::unique_lock lock(m_machine.mutex);
    m_machine.building.insert(spec.job_name);
    m_machine.changed.wait(lock, [&] { return m_machine.slow.count(spec.job_name) == 0; });
    m_machine.building.erase(spec.job_name);
    return m_inner.apply(spec, write_sources, progress);
  }
  void remove(const std::string& job) override {
    const std::scoped_lock lock(m_machine.mutex);
    m_inner.remove(job);
  }
  std::map<std::string, std::string> list() override {
    const std::scoped_lock lock(m_machine.mutex);
    return m_inner.list();
  }
  void start(const vdk::target::ExecutionSpec& spec) override {
    const std::scoped_lock lock(m_machine.mutex);
    m_inner.start(spec);
  }
  void cancel(const std::string& id) override {
    const std::scoped_lock lock(m_machine.mutex);
    m_inner.cancel(id);
  }
  vdk::target::ExecutionObservation observe(const std::string& id) override {
    const std::scoped_lock lock(m_machine.mutex);
    return m_inner.observe(id);
  }
  std::string logs(const std::string& id, int tail_lines) override { return m_inner.logs(id, tail_lines); }
  void forget(const std::string& id) override {
    const std::scoped_lock lock(m_machine.mutex);
    m_inner.forget(id);
  }

 private:
  Machine& m_machine;
  FakeTarget m_inner;
};

template <typename Condition>
[[nodiscard]] bool comes_true(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

struct Served : Fixture {
  Machine machine{.runtime = runtime};
  std::atomic<bool> stop = false;
  std::atomic<bool> reload = false;
  MakeTarget make_target = [this] { return std::make_unique<SharedTarget>(machine); };

  Served() { service = open_embedded(options, make_target(), clock); }
  void submit(const std::string& name) const {
    service->create_job(job(name));
    DeploymentRequest request;
    request.job_version = upload(name, "one");
    CHECK(service->submit_deployment("team", name, request));
  }
  [[nodiscard]] DeploymentStatus status(const std::string& name) const {
    const auto deployment = service->get_deployment("team", name);
    return deployment ? deployment->status : DeploymentStatus::none;
  }
  [[nodiscard]] bool is_rolled_out(const std::string& name) const {
    return comes_true([&] { return status(name) == DeploymentStatus::success; });
  }
};

/// A server's synchronizer in a thread of its own.
class Running {
 public:
  Running(Served& f, bool shared)
      : m_thread([&f, shared, this] {
          SynchronizerTask task(f.options, f.make_target, *f.clock, shared);
          task.run(m_stop, m_reload);
        }) {}
  ~Running() { m_stop = true; }
  std::atomic<bool> m_stop = false;
  std::atomic<bool> m_reload = false;

 private:
  std::jthread m_thread;
};

TEST_CASE("a server rolls out what was submitted, and takes away what nobody wants, without being asked") {
  Served f;
  std::jthread server([&] { serve_embedded(f.options, f.make_target, f.clock, f.stop, f.reload); });
  f.submit("some-job");
  CHECK(f.is_rolled_out("some-job"));
  CHECK(f.machine.has("some-job"));
  CHECK_FALSE(f.service->submit_deployment("team", "some-job", {}));
  f.service->submit_removal("team", "some-job");
  CHECK_FALSE(f.service->get_deployment("team", "some-job"));
  CHECK(comes_true([&] { return !f.machine.has("some-job"); }));
  f.stop = true;
}

TEST_CASE("a long build delays no other job, and what is asked for meanwhile is done after it") {
  Served f;
  f.machine.slow = {"slow-job"};
  {
    const Running task(f, false);
    f.submit("slow-job");
    CHECK(comes_true([&] { return f.machine.is_building("slow-job"); }));
    f.submit("quick-job");
    CHECK(f.is_rolled_out("quick-job"));
    CHECK(f.status("slow-job") == DeploymentStatus::none);
    f.service->submit_removal("team", "slow-job");
    f.machine.let_go();
    CHECK(comes_true([&] { return f.machine.rolled_out() == 2; }));
    CHECK(comes_true([&] { return !f.machine.has("slow-job"); }));
  }
  f.machine.let_go();
}

TEST_CASE("a failed roll-out says why, and a new request is tried at once") {
  Served f;
  f.runtime->bad_requirements = true;
  const Running task(f, false);
  f.submit("some-job");
  CHECK(comes_true([&] { return f.status("some-job") == DeploymentStatus::user_error; }));
  CHECK(f.service->get_deployment("team", "some-job")->status_message.find("no such package") != std::string::npos);
  {
    const std::scoped_lock lock(f.machine.mutex);
    f.runtime->bad_requirements = false;
  }
  CHECK(f.service->submit_deployment("team", "some-job", {}));
  CHECK(f.is_rolled_out("some-job"));
}

TEST_CASE("of two servers on a database one synchronizes, and the other takes over") {
  Served f;
  f.options.synchronizer.lease = 3s;
  auto first = std::make_unique<Running>(f, true);
  Store store(f.options.database, f.home);
  Leases leases(store, *f.clock);
  REQUIRE(comes_true([&] { return leases.holder(SynchronizerTask::k_lease).has_value(); }));
  const Running second(f, true);
  f.submit("some-job");
  CHECK(f.is_rolled_out("some-job"));
  first.reset();
  f.submit("other-job");
  CHECK(f.is_rolled_out("other-job"));
  CHECK(f.runtime->applies == 2);
}

TEST_CASE("a server that lost its lease writes nothing any more") {
  Served f;
  f.submit("some-job");
  Store store(f.options.database, f.home);
  Sources sources(f.home, "server");
  FakeTarget target(f.runtime);
  Synchronizer synchronizer({f.options, target, *f.clock, store, sources});
  Leases leases(store, *f.clock);
  const auto mine = leases.acquire(SynchronizerTask::k_lease, "me", 1h);
  REQUIRE(mine);
  synchronizer.set_fence(Fence{SynchronizerTask::k_lease, *mine});
  leases.release(SynchronizerTask::k_lease, *mine);
  const auto theirs = leases.acquire(SynchronizerTask::k_lease, "another", 1h);
  REQUIRE(theirs);
  CHECK(error_of([&] { synchronizer.roll_out("some-job", false, {}); }).kind() == vdk::ErrorKind::conflict);
  CHECK_FALSE(store.actual("some-job"));
  CHECK(f.status("some-job") == DeploymentStatus::none);
  synchronizer.set_fence(Fence{SynchronizerTask::k_lease, *theirs});
  synchronizer.roll_out("some-job", false, {});
  CHECK(f.status("some-job") == DeploymentStatus::success);
}

TEST_CASE("while one process rolls a job out another leaves that job alone") {
  Served f;
  f.submit("some-job");
  Store store(f.options.database, f.home);
  Sources sources(f.home, "server");
  FakeTarget target(f.runtime);
  Synchronizer synchronizer({f.options, target, *f.clock, store, sources});
  std::filesystem::create_directories(f.home / "locks");
  {
    const auto lock = vdk::files::FileLock::acquire(f.home / "locks" / "rollout-some-job");
    CHECK_FALSE(synchronizer.try_step({.job = "some-job"}));
    CHECK(f.runtime->applies == 0);
  }
  CHECK(synchronizer.try_step({.job = "some-job"}));
  CHECK(f.runtime->applies == 1);
}

TEST_CASE("while a server runs, reading executions asks the database alone") {
  Fixture f;
  (void)f.deploy("some-job", "one");
  const std::string id = f.service->start_execution("team", "some-job", "manual/test", "{}");
  CHECK(f.service->get_execution("team", "some-job", id).status == ExecutionStatus::running);
  f.finish(id, "Success");
  {
    const Presence presence(f.options);
    CHECK(f.service->get_execution("team", "some-job", id).status == ExecutionStatus::running);
    CHECK(f.service->list_executions("team", "some-job", {})[0].status == ExecutionStatus::running);
    CHECK(f.service->list_jobs("team", 1)[0].executions[0].status == ExecutionStatus::running);
  }
  CHECK(f.service->list_jobs("team", 1)[0].executions[0].status == ExecutionStatus::succeeded);
}

TEST_CASE("schedulers that race start each time of each job once") {
  Served f;
  constexpr int jobs = 5;
  for (int i = 0; i < jobs; ++i) {
    (void)f.deploy("job-number-" + std::to_string(i), "one", "* * * * *");
  }
  const auto life = [&](std::chrono::seconds shift) {
    struct Shifted final : vdk::Clock {
      Shifted(const Clock& base, std::chrono::seconds by) : m_base(base), m_by(by) {}
      [[nodiscard]] vdk::TimePoint now() const override { return m_base.now() + m_by; }
      const Clock& m_base;
      std::chrono::seconds m_by;
    };
    const Shifted before(*f.clock, 0s);
    Shifted clock(*f.clock, 0s);
    Parts parts(f.options, f.make_target, clock);
    Scheduler scheduler(parts.context);
    scheduler.tick();
    clock.m_by = shift;
    for (int i = 0; i < 5; ++i) {
      scheduler.tick();
    }
  };
  {
    std::vector<std::jthread> servers;
    for (int i = 0; i < 3; ++i) {
      servers.emplace_back([&] { life(41s); });
    }
  }
  CHECK(f.runtime->starts.size() == jobs);
  for (const auto& [id, count] : f.runtime->starts) {
    CHECK_MESSAGE(count == 1, id);
  }
  for (int i = 0; i < jobs; ++i) {
    CHECK(f.service->list_executions("team", "job-number-" + std::to_string(i), {}).size() == 1);
  }
}

TEST_CASE("two people who start a job at once get one execution") {
  Served f;
  (void)f.deploy("some-job", "one");
  std::atomic<int> started = 0;
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> people;
    for (int i = 0; i < 4; ++i) {
      people.emplace_back([&] {
        const auto service = open_embedded(f.options, f.make_target(), f.clock);
        try {
          (void)service->start_execution("team", "some-job", "manual/test", "{}");
          ++started;
        } catch (const vdk::Error& error) {
          CHECK(error.kind() == vdk::ErrorKind::conflict);
          ++refused;
        }
      });
    }
  }
  CHECK(started == 1);
  CHECK(refused == 3);
  CHECK(f.runtime->starts.size() == 1);
}

TEST_CASE("a lost runtime comes back from the database, and what cannot is named") {
  Fixture f;
  (void)f.deploy("some-job", "one");
  (void)f.deploy("other-job", "two");
  f.runtime->deployments = {{"stranger", "x"}};
  f.runtime->files.clear();
  FakeTarget target(f.runtime);
  CHECK(restore(f.options, target, *f.clock, {}, {}).empty());
  CHECK(f.runtime->files["some-job"]["10_step.py"] == "one");
  CHECK(f.runtime->files["other-job"]["10_step.py"] == "two");
  CHECK(f.runtime->deployments.count("stranger") == 0);
  f.runtime->bad_requirements = true;
  const auto findings = restore(f.options, target, *f.clock, {}, {});
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].problem.find("no such package") != std::string::npos);
  CHECK_FALSE(findings[0].repaired);
}

TEST_CASE("a session that opens does not take the lock away from a transaction of the same process") {
  const Fixture f;
  (void)f.deploy("some-job", "one");
  Store store(f.options.database, f.home);
  Store::Write write(store);
  store.put_state("test", "1");
  { const Store other(f.options.database, f.home); }
  if (f.database.is_postgresql()) {
    return;  // its locks are not files'
  }
  // SQLite's lock as another process sees it.
  const std::string probe =
      "python3 -c \"import sqlite3,sys; c = sqlite3.connect(sys.argv[1], timeout=0)\ntry: c.execute"
      "('BEGIN IMMEDIATE')\nexcept sqlite3.OperationalError: sys.exit(3)\" '" +
      (f.home / "control.db").string() + "'";
  CHECK(WEXITSTATUS(std::system(probe.c_str())) == 3);  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  write.commit();
}

TEST_CASE("only as many finished executions are kept as the service is told") {
  Fixture f;
  f.options.kept_executions = 3;
  f.options.kept_time = 1h;
  f.service = f.open();
  (void)f.deploy("some-job", "one");
  for (int i = 0; i < 6; ++i) {
    f.finish(f.service->start_execution("team", "some-job", "m", "{}"), "Success");
    f.clock->time += 1s;
  }
  CHECK(f.service->list_executions("team", "some-job", {}).size() <= 4);
  f.clock->time += 2h;
  (void)f.service->start_execution("team", "some-job", "m", "{}");
  CHECK(f.service->list_executions("team", "some-job", {}).size() == 1);
}

}  // namespace
