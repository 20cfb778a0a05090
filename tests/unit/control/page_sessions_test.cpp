// SPDX-License-Identifier: Apache-2.0
#include "vdk/control/page_sessions.hpp"

#include <doctest/doctest.h>

#include "control/embedded/store.hpp"
#include "control/store_support.hpp"
#include "vdk/core/files.hpp"

using namespace std::chrono_literals;

namespace {

class HeldClock final : public vdk::Clock {
 public:
  vdk::TimePoint time = vdk::SystemClock().now();
  [[nodiscard]] vdk::TimePoint now() const override { return time; }
};

struct Fixture {
  vdk::files::TemporaryDirectory home;
  vdk::control::testing::TestDatabase database{home.path()};
  std::shared_ptr<HeldClock> clock = std::make_shared<HeldClock>();
  std::shared_ptr<vdk::control::PageSessions> open() {
    const vdk::control::Store migrated(database.options(), home.path());
    vdk::control::EmbeddedOptions options;
    options.home = home.path();
    options.database = database.options();
    return vdk::control::open_page_sessions(options, clock);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a login is known to every server of the database until its end") {
  const auto one = open();
  const auto two = open();
  CHECK(one->insert("id", "alice", clock->time + 1min));
  CHECK_FALSE(two->insert("id", "eve", clock->time + 1min));
  CHECK(two->find("id") == "alice");
  two->update("id", "alice again");
  CHECK(one->find("id") == "alice again");
  clock->time += 61s;
  CHECK_FALSE(one->find("id").has_value());
  CHECK(one->insert("id", "bob", clock->time + 1min));
  two->erase("id");
  CHECK_FALSE(one->find("id").has_value());
  one->update("id", "carol");
  CHECK_FALSE(two->find("id").has_value());
}

TEST_CASE_FIXTURE(Fixture, "one of all renews a login, until it has or until it takes too long") {
  const auto one = open();
  const auto two = open();
  CHECK_FALSE(one->claim("id", 10s));
  CHECK(one->insert("id", "old", clock->time + 1h));
  CHECK(one->claim("id", 10s));
  CHECK_FALSE(two->claim("id", 10s));
  one->update("id", "new");
  CHECK(two->claim("id", 10s));
  clock->time += 11s;
  CHECK(one->claim("id", 10s));
}

TEST_CASE_FIXTURE(Fixture, "sealed text is read back for its purpose only") {
  const auto sessions = open();
  const std::string sealed = sessions->seal("state", "login");
  CHECK(sealed.find("state") == std::string::npos);
  CHECK(sessions->unseal(sealed, "login") == "state");
  CHECK_FALSE(sessions->unseal(sealed, "other").has_value());
  CHECK_FALSE(sessions->unseal("", "login").has_value());
  CHECK_FALSE(sessions->unseal("made up", "login").has_value());
  CHECK_FALSE(Fixture().open()->unseal(sealed, "login").has_value());
}

TEST_CASE_FIXTURE(Fixture, "the database has neither ids nor what is kept under them") {
  const auto sessions = open();
  CHECK(sessions->insert("cnry-id", "cnry-value", clock->time + 1min));
  const std::string row = database.query("SELECT id || ' ' || sealed FROM page_session");
  CHECK(row.size() > 100);
  CHECK(row.find("cnry") == std::string::npos);
}
