// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/store.hpp"

#include <thread>

#include "control/embedded/database.hpp"
#include "control/embedded/lease.hpp"
#include "control/fixture.hpp"
#include "vdk/core/hash.hpp"

using vdk::ErrorKind;
using namespace vdk::control;
using namespace vdk::control::testing;
using namespace std::chrono_literals;

namespace {

struct StoreFixture : Fixture {
  Store store{options.database, home};

  [[nodiscard]] std::unique_ptr<Store> another() const { return std::make_unique<Store>(options.database, home); }

  void add_job(const std::string& name) { store.insert_job(job(name)); }

  [[nodiscard]] ExecutionRow execution(const std::string& id, const std::string& name) const {
    ExecutionRow row;
    row.execution.id = id;
    row.execution.job_name = name;
    row.submitted_time = clock->time;
    return row;
  }

  [[nodiscard]] static Desired desired(const std::string& name) {
    Desired result;
    result.deployment.job_name = name;
    result.deployment.version_hash = "hash";
    return result;
  }
};

TEST_CASE("a job that somebody else has just created is a conflict, not a database error") {
  StoreFixture f;
  f.add_job("some-job");
  CHECK(error_of([&] { f.add_job("some-job"); }).kind() == ErrorKind::conflict);
}

TEST_CASE("the database refuses a second unfinished execution of a job and a scheduled time twice") {
  StoreFixture f;
  f.add_job("some-job");
  ExecutionRow first = f.execution("one", "some-job");
  first.execution.scheduled_time = f.clock->time;
  f.store.insert_execution(first);
  CHECK(error_of([&] { f.store.insert_execution(f.execution("two", "some-job")); }).kind() == ErrorKind::conflict);
  first.execution.status = ExecutionStatus::succeeded;
  CHECK(f.store.update_execution(first.execution));
  first.execution.id = "again";
  first.execution.status = ExecutionStatus::submitted;
  CHECK(error_of([&] { f.store.insert_execution(first); }).kind() == ErrorKind::conflict);
  f.store.insert_execution(f.execution("two", "some-job"));
}

TEST_CASE("an execution is ended once, whoever comes second changes nothing") {
  StoreFixture f;
  f.add_job("some-job");
  ExecutionRow row = f.execution("one", "some-job");
  f.store.insert_execution(row);
  row.execution.status = ExecutionStatus::succeeded;
  CHECK(f.store.update_execution(row.execution));
  row.execution.status = ExecutionStatus::platform_error;
  CHECK_FALSE(f.store.update_execution(row.execution));
  CHECK(f.store.execution("some-job", "one")->execution.status == ExecutionStatus::succeeded);
}

TEST_CASE("a text that is no UTF-8 is stored as far as it is one") {
  StoreFixture f;
  f.add_job("some-job");
  ExecutionRow row = f.execution("one", "some-job");
  row.execution.message = std::string("caf\xC3\xA9 \xFF\xC3 nul:\0 end", 18);
  f.store.insert_execution(row);
  CHECK(f.store.execution("some-job", "one")->execution.message ==
        "caf\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD nul:\xEF\xBF\xBD end");
}

TEST_CASE("names sort byte by byte on every database") {
  StoreFixture f;
  for (const char* name : {"b-job", "B-job", "a-job", "a_job", "a-zob"}) {
    f.add_job(name);
  }
  std::vector<std::string> names;
  for (const JobOverview& overview : f.store.overview({}, 0)) {
    names.push_back(overview.job.job_name);
  }
  CHECK(names == std::vector<std::string>{"B-job", "a-job", "a-zob", "a_job", "b-job"});
}

TEST_CASE("the revisions grow with what they speak of, and only when it is stored") {
  StoreFixture f;
  f.add_job("some-job");
  const long long before = f.store.desired_revision();
  f.store.put_desired(StoreFixture::desired("some-job"));
  const long long after = f.store.desired_revision();
  CHECK(after > before);
  {
    const Store::Write write(f.store);
    f.store.put_desired(StoreFixture::desired("some-job"));
    f.store.put_actual(StoreFixture::desired("some-job").deployment);
  }
  CHECK(f.store.desired_revision() == after);
  CHECK_FALSE(f.store.actual("some-job"));
  const long long rolled_out = f.store.deployments_revision();
  {
    Store::Write write(f.store);
    f.store.put_actual(StoreFixture::desired("some-job").deployment);
    f.store.set_outcome("some-job", "hash", DeploymentStatus::success, "", 0, std::nullopt);
    write.commit();
  }
  CHECK(f.store.deployments_revision() > rolled_out);
  CHECK(f.store.desired_revision() == after);
  f.store.delete_desired("some-job");
  CHECK(f.store.desired_revision() > after);
}

TEST_CASE("a desired deployment keeps whether its contacts want to know") {
  StoreFixture f;
  f.add_job("some-job");
  Desired quiet = StoreFixture::desired("some-job");
  quiet.send_notification = false;
  f.store.put_desired(quiet);
  CHECK_FALSE(f.store.desired("some-job")->send_notification);
  quiet.send_notification = true;
  f.store.put_desired(quiet);
  CHECK(f.store.desired("some-job")->send_notification);
}

TEST_CASE("who locks a job first changes it first") {
  StoreFixture f;
  f.add_job("some-job");
  std::vector<std::string> order;
  auto write = std::make_unique<Store::Write>(f.store);
  f.store.lock_job("some-job");
  std::jthread other([&] {
    const auto store = f.another();
    Store::Write second(*store);
    store->lock_job("some-job");
    order.emplace_back(store->find_job("some-job")->description);
    second.commit();
  });
  std::this_thread::sleep_for(100ms);
  DataJob changed = Fixture::job("some-job");
  changed.description = "changed by the first";
  f.store.update_job(changed);
  CHECK(order.empty());
  write->commit();
  other.join();
  REQUIRE(order.size() == 1);
  CHECK(order.front() == "changed by the first");
}

TEST_CASE("threads that create the same jobs leave each once") {
  StoreFixture f;
  std::atomic<int> created{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 8; ++number) {
      threads.emplace_back([&] {
        const auto store = f.another();
        for (int job = 0; job < 5; ++job) {
          try {
            store->insert_job(Fixture::job("job-" + std::to_string(job)));
            ++created;
          } catch (const vdk::Error& problem) {
            refused += problem.kind() == ErrorKind::conflict ? 1 : 1000;
          }
        }
      });
    }
  }
  CHECK(created == 5);
  CHECK(refused == 35);
}

TEST_CASE("several servers that start at once on an empty database bring it up once") {
  const vdk::files::TemporaryDirectory scratch;
  const TestDatabase database(scratch.path());
  std::atomic<int> opened{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 6; ++number) {
      threads.emplace_back([&] {
        const Store store(database.options(), scratch.path());
        ++opened;
      });
    }
  }
  CHECK(opened == 6);
  Store store(database.options(), scratch.path());
  store.insert_job(Fixture::job("some-job"));
}

TEST_CASE("a due time is claimed once and a late one never replaces a later one") {
  StoreFixture f;
  f.add_job("some-job");
  const Due early{"some-job", f.clock->time};
  const Due late{"some-job", f.clock->time + 1min};
  f.store.put_due(late);
  f.store.put_due(early);
  {
    Store::Write write(f.store);
    CHECK_FALSE(f.store.claim_due(early));
    CHECK(f.store.claim_due(late));
    if (f.database.is_postgresql()) {
      const auto other = f.another();
      const Store::Write second(*other);
      CHECK_FALSE(other->claim_due(late));
    }
    f.store.delete_due("some-job");
    write.commit();
  }
  const Store::Write write(f.store);
  CHECK_FALSE(f.store.claim_due(late));
}

TEST_CASE("a noted mail goes out once, and comes again when it failed") {
  StoreFixture f;
  const auto now = f.clock->time;
  const Mail mail{"execution/one", {"a@example.com", "b@example.com"}, "subject", "<p>text</p>", 0};
  CHECK(f.store.note_mail(mail, now));
  CHECK_FALSE(f.store.note_mail(mail, now));
  const auto claimed = f.store.claim_mails(now, now + 5min, 10);
  REQUIRE(claimed.size() == 1);
  CHECK(claimed.front().recipients == mail.recipients);
  CHECK(claimed.front().html == mail.html);
  CHECK(claimed.front().attempts == 1);
  CHECK(f.another()->claim_mails(now, now + 5min, 10).empty());
  f.store.mail_failed(mail.key, now + 1min);
  CHECK(f.store.claim_mails(now, now + 5min, 10).empty());
  CHECK(f.store.claim_mails(now + 1min, now + 6min, 10).size() == 1);
  f.store.mail_sent(mail.key);
  CHECK(f.store.claim_mails(now + 24h, now + 25h, 10).empty());
  CHECK_FALSE(f.store.note_mail(mail, now));
  f.store.forget_mails(now + 1h);
  CHECK(f.store.note_mail(mail, now));
}

// On PostgreSQL the time is the database's: there the leases move instead of the clock.
void pass(StoreFixture& f, std::chrono::seconds time) {
  if (f.database.is_postgresql()) {
    f.database.execute("UPDATE service_lock SET lease_until = lease_until - " +
                       std::to_string(time.count() * 1'000'000));
  } else {
    f.clock->time += time;
  }
}

TEST_CASE("a lease has one holder until it runs out, and each holder a higher number") {
  StoreFixture f;
  Leases leases(f.store, *f.clock);
  const auto first = leases.acquire("task", "one", 300s);
  REQUIRE(first);
  CHECK(leases.holder("task") == "one");
  CHECK_FALSE(leases.acquire("task", "two", 300s));
  pass(f, 200s);
  CHECK(leases.renew("task", *first, 300s));
  pass(f, 200s);
  CHECK_FALSE(leases.acquire("task", "two", 300s));
  pass(f, 150s);
  CHECK_FALSE(leases.holder("task"));
  const auto second = leases.acquire("task", "two", 1000s);
  REQUIRE(second);
  CHECK(*second > *first);
  CHECK_FALSE(leases.renew("task", *first, 1000s));
  leases.release("task", *first);
  CHECK(leases.holder("task") == "two");
  leases.release("task", *second);
  CHECK_FALSE(leases.holder("task"));
  CHECK(leases.acquire("task", "one", 1000s) > second);
}

TEST_CASE("who lost the lease cannot store an outcome") {
  StoreFixture f;
  f.add_job("some-job");
  f.store.put_desired(StoreFixture::desired("some-job"));
  Leases leases(f.store, *f.clock);
  const auto first = leases.acquire("task", "one", 50s);
  REQUIRE(first);
  {
    Store::Write write(f.store);
    f.store.check_fencing("task", *first);
    f.store.set_outcome("some-job", "hash", DeploymentStatus::success, "", 0, std::nullopt);
    write.commit();
  }
  pass(f, 60s);
  REQUIRE(leases.acquire("task", "two", 1000s));
  {
    const Store::Write write(f.store);
    f.store.set_outcome("some-job", "hash", DeploymentStatus::user_error, "late", 1, std::nullopt);
    CHECK(error_of([&] { f.store.check_fencing("task", *first); }).kind() == ErrorKind::conflict);
  }
  CHECK(f.store.desired("some-job")->deployment.status == DeploymentStatus::success);
}

TEST_CASE("of threads that want one lease one gets it") {
  StoreFixture f;
  std::atomic<int> holders{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 6; ++number) {
      threads.emplace_back([&, number] {
        const auto store = f.another();
        holders += Leases(*store, *f.clock).acquire("task", std::to_string(number), 60s) ? 1 : 0;
      });
    }
  }
  CHECK(holders == 1);
}

TEST_CASE("a database that was restarted is found again, but not in the middle of a transaction") {
  StoreFixture f;
  if (!f.database.is_postgresql()) {
    return;
  }
  f.add_job("some-job");
  const std::string end_others =
      "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
      "backend_type = 'client backend'";
  (void)f.database.query(end_others);
  CHECK(f.store.find_job("some-job"));
  (void)f.database.query(end_others);
  Store::Write write(f.store);
  f.store.lock_job("some-job");
  (void)f.database.query(end_others);
  DataJob changed = Fixture::job("some-job");
  changed.description = "half";
  const vdk::Error error = error_of([&] { f.store.update_job(changed); });
  CHECK(error.kind() == ErrorKind::unreachable);
  CHECK(error_of([&] { write.commit(); }).kind() == ErrorKind::unreachable);
}

TEST_CASE("after a transaction that lost its connection the store works again") {
  StoreFixture f;
  if (!f.database.is_postgresql()) {
    return;
  }
  f.add_job("some-job");
  {
    const Store::Write write(f.store);
    f.store.lock_job("some-job");
    (void)f.database.query(
        "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
        "backend_type = 'client backend'");
  }
  Store::Write write(f.store);
  f.store.lock_job("some-job");
  DataJob changed = Fixture::job("some-job");
  changed.description = "whole";
  f.store.update_job(changed);
  write.commit();
  CHECK(f.store.find_job("some-job")->description == "whole");
}

TEST_CASE("a wrong password and an unreachable database are told without the password") {
  const vdk::files::TemporaryDirectory scratch;
  DatabaseOptions options{"postgresql://vdk@127.0.0.1:1/vdk", "", "TOP SECRET word"};
  const vdk::Error nobody = error_of([&] { const Store store(options, scratch.path()); });
  CHECK(nobody.kind() == ErrorKind::unreachable);
  CHECK(vdk::format_error(nobody).find("TOP SECRET") == std::string::npos);
  CHECK(vdk::format_error(nobody).find("127.0.0.1") != std::string::npos);
  const TestDatabase database(scratch.path());
  if (database.is_postgresql()) {
    options = database.options();
    options.password = "TOP SECRET word";
    const vdk::Error wrong = error_of([&] { const Store store(options, scratch.path()); });
    CHECK(wrong.kind() == ErrorKind::configuration);
    CHECK(wrong.text().countermeasures.find("database.password") != std::string::npos);
    CHECK(vdk::format_error(wrong).find("TOP SECRET") == std::string::npos);
  }
}

TEST_CASE("addresses of PostgreSQL as people and the Helm chart write them") {
  const auto parsed = [](const std::string& url, const std::string& user = "", const std::string& password = "") {
    return parse_postgres({url, user, password});
  };
  CHECK(parsed("postgresql://me@db.example.com:6432/jobs", "", "it's\\ & %").connection ==
        "postgresql://?application_name=vdk&connect_timeout=10&dbname=jobs&host=db%2Eexample%2Ecom&"
        "password=it%27s%5C%20%26%20%25&port=6432&user=me");
  CHECK(parsed("jdbc:postgresql://db/jobs?currentSchema=team&ssl=true", "u", "p").connection ==
        "postgresql://?application_name=vdk&connect_timeout=10&dbname=jobs&host=db&password=p&sslmode=require&user=u");
  CHECK(parsed("jdbc:postgresql://db/jobs?currentSchema=team").schema == "team");
  CHECK(parsed("postgres://a%40b:p%2Fw@[::1]:5432/x?sslmode=verify-full&connect_timeout=3").connection ==
        "postgresql://?application_name=vdk&connect_timeout=3&dbname=x&host=%3A%3A1&password=p%2Fw&port=5432&"
        "sslmode=verify%2Dfull&user=a%40b");
  CHECK(parsed("postgresql://%2Frun%2Fpostgresql/x").place == "'x' at /run/postgresql");
  CHECK(parsed("postgresql://h1:1,h2/x").connection.find("host=h1%2Ch2") != std::string::npos);
  for (const char* bad : {"mysql://h/x", "postgresql://h:0/x", "postgresql://h", "postgresql://h/x?nonsense=1",
                          "postgresql://u:secret%zz@h/x", "db.example.com"}) {
    CAPTURE(bad);
    const vdk::Error error = error_of([&] {
      const DatabaseOptions options{bad, "", ""};
      if (is_postgresql(options)) {
        (void)parse_postgres(options);
      }
    });
    CHECK(error.kind() == ErrorKind::configuration);
    CHECK(vdk::format_error(error).find("secret") == std::string::npos);
  }
}

}  // namespace
