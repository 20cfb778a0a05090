// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "core/servers.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/plugin/provider.hpp"

using namespace vdk;
namespace fs = std::filesystem;

namespace {

fs::path file_with(const fs::path& folder, const std::string& content) {
  const fs::path path = folder / "incoming";
  files::write_atomic(path, content);
  return path;
}

}  // namespace

TEST_CASE("a file is found by its hash until its bytes change") {
  const files::TemporaryDirectory folder;
  plugin::Cache cache(folder.path() / "deep" / "cache");
  const std::string hash = sha256_hex("content");
  CHECK(cache.find(hash).empty());
  const fs::path incoming = file_with(cache.scratch(), "content");
  const fs::path kept = cache.put(incoming, hash);
  CHECK_FALSE(fs::exists(incoming));
  CHECK(cache.find(hash) == kept);
  CHECK(files::read(kept) == "content");
  files::write_atomic(kept, "contenT");
  CHECK(cache.find(hash).empty());
  CHECK_FALSE(fs::exists(kept));
  CHECK_THROWS_AS((void)cache.find("../../etc/passwd"), Error);
}

TEST_CASE("a file from another file system is copied into the cache") {
  if (!fs::exists("/dev/shm")) {
    MESSAGE("skipped: no second file system");
    return;
  }
  const files::TemporaryDirectory elsewhere("/dev/shm");
  const files::TemporaryDirectory folder;
  plugin::Cache cache(folder.path());
  const std::string hash = sha256_hex("content");
  const fs::path incoming = file_with(elsewhere.path(), "content");
  CHECK(files::read(cache.put(incoming, hash)) == "content");
  CHECK_FALSE(fs::exists(incoming));
  CHECK(fs::is_empty(cache.scratch()));
}

TEST_CASE("pruning leaves what is kept and what is on its way in") {
  const files::TemporaryDirectory folder;
  plugin::Cache cache(folder.path());
  const std::string one = sha256_hex("one");
  const std::string two = sha256_hex("twoo");
  (void)cache.put(file_with(folder.path(), "one"), one);
  (void)cache.put(file_with(folder.path(), "twoo"), two);
  files::write_atomic(cache.scratch() / "fresh", "x");
  files::write_atomic(cache.scratch() / "stale", "12345");
  fs::last_write_time(cache.scratch() / "stale", fs::file_time_type::clock::now() - std::chrono::hours(48));
  const auto planned = cache.prune({one}, true);
  CHECK(planned.files == 2);
  CHECK(planned.bytes == 9);
  CHECK_FALSE(cache.find(two).empty());
  const auto done = cache.prune({one}, false);
  CHECK(done.files == 2);
  CHECK(done.bytes == 9);
  CHECK_FALSE(cache.find(one).empty());
  CHECK(cache.find(two).empty());
  CHECK(fs::exists(cache.scratch() / "fresh"));
  CHECK_FALSE(fs::exists(cache.scratch() / "stale"));
}

TEST_CASE("the cache lies where the environment says") {
  {
    const test::Variable cache("XDG_CACHE_HOME", "/somewhere");
    CHECK(plugin::Cache::default_directory() == "/somewhere/vdk/plugins");
  }
  const test::Variable cache("XDG_CACHE_HOME", "relative");
  const test::Variable home("HOME", "/people/me");
  CHECK(plugin::Cache::default_directory() == "/people/me/.cache/vdk/plugins");
}
