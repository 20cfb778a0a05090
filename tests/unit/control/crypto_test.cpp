// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/crypto.hpp"

#include <sys/stat.h>

#include "control/fixture.hpp"

namespace {

using namespace vdk::control;
using vdk::control::testing::error_of;
using vdk::control::testing::Fixture;

TEST_CASE("encryption comes back, differs each time, and is bound to key, job and text") {
  const vdk::files::TemporaryDirectory home;
  const std::string key = load_secrets_key(home.path());
  CHECK(key == load_secrets_key(home.path()));
  struct stat info {};
  REQUIRE(::stat((home.path() / "secret.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  for (const std::string& plain : {std::string(), std::string("x"), std::string(100'000, '\0')}) {
    CHECK(decrypt(key, encrypt(key, plain, "job"), "job") == plain);
  }
  std::string cipher = encrypt(key, "geheim", "job");
  CHECK(cipher != encrypt(key, "geheim", "job"));
  CHECK_THROWS_AS((void)decrypt(key, cipher, "other-job"), vdk::Error);
  CHECK_THROWS_AS((void)decrypt(std::string(32, 'k'), cipher, "job"), vdk::Error);
  cipher.back() = cipher.back() == '0' ? '1' : '0';
  CHECK_THROWS_AS((void)decrypt(key, cipher, "job"), vdk::Error);
  CHECK_THROWS_AS((void)decrypt(key, "", "job"), vdk::Error);
}

TEST_CASE("secrets are stored without their text and a lost key is a clear error") {
  const Fixture f;
  f.service->create_job(Fixture::job("some-job"));
  CHECK(f.service->get_secrets("team", "some-job") == "{}");
  f.service->set_secrets("team", "some-job", R"({"password":"TOP-SECRET-VALUE"})");
  CHECK(f.service->get_secrets("team", "some-job") == R"({"password":"TOP-SECRET-VALUE"})");
  CHECK(f.database.query("SELECT ciphertext FROM job_secrets").find("TOP-SECRET") == std::string::npos);
  if (!f.database.is_postgresql()) {
    CHECK(vdk::files::read(f.home / "control.db").find("TOP-SECRET") == std::string::npos);
  }
  CHECK_THROWS_AS(f.service->set_secrets("team", "some-job", "[1]"), vdk::Error);
  vdk::files::write_atomic(f.home / "secret.key", std::string(64, 'a'), 0600);
  const vdk::Error error = error_of([&] { (void)f.service->get_secrets("team", "some-job"); });
  CHECK(error.text().countermeasures.find("secret.key") != std::string::npos);
}

TEST_CASE("properties belong to the job and go with it") {
  const Fixture f;
  f.service->create_job(Fixture::job("some-job"));
  CHECK(f.service->get_properties("team", "some-job") == "{}");
  f.service->set_properties("team", "some-job", R"({"a": 1, "ü": [ null ]})");
  CHECK(f.open()->get_properties("team", "some-job") == R"({"a":1,"ü":[null]})");
  CHECK_THROWS_AS(f.service->set_properties("team", "some-job", "{"), vdk::Error);
  CHECK_THROWS_AS((void)f.service->get_properties("Team", "some-job"), vdk::Error);
  f.service->delete_job("team", "some-job");
  f.service->create_job(Fixture::job("some-job"));
  CHECK(f.service->get_properties("team", "some-job") == "{}");
}

}  // namespace
