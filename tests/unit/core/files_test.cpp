// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "vdk/core/error.hpp"
#include "vdk/core/hash.hpp"

using namespace vdk;
namespace fs = std::filesystem;

TEST_CASE("write_atomic replaces the content, sets the mode and leaves no temporary file") {
  const files::TemporaryDirectory dir;
  const fs::path file = dir.path() / "f";
  files::write_atomic(file, "one");
  files::write_atomic(file, "two", 0600);
  CHECK(files::read(file) == "two");
  struct stat info {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  CHECK(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("write_atomic into a missing folder fails and creates nothing") {
  const files::TemporaryDirectory dir;
  CHECK_THROWS_AS(files::write_atomic(dir.path() / "missing" / "f", "x"), Error);
  CHECK_FALSE(fs::exists(dir.path() / "missing"));
}

TEST_CASE("reading a missing file says so, reading an unreadable one is another error") {
  const files::TemporaryDirectory dir;
  CHECK_FALSE(files::read_if_exists(dir.path() / "no").has_value());
  try {
    [[maybe_unused]] const auto ignored = files::read(dir.path() / "no");
    FAIL("read succeeded");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::not_found);
  }
  CHECK_THROWS_AS([[maybe_unused]] auto ignored = files::read(dir.path()), Error);
}

TEST_CASE("a lock is held once, seen by others, and free after its owner is gone") {
  const files::TemporaryDirectory dir;
  const fs::path path = dir.path() / "lock";
  CHECK_FALSE(files::FileLock::is_held(path));
  {
    auto lock = files::FileLock::try_acquire(path);
    REQUIRE(lock.has_value());
    CHECK(files::FileLock::is_held(path));
    CHECK_FALSE(files::FileLock::try_acquire(path).has_value());
  }
  CHECK_FALSE(files::FileLock::is_held(path));
  CHECK(files::FileLock::try_acquire(path).has_value());
}

TEST_CASE("a temporary folder disappears with its content, also what is read-only") {
  fs::path path;
  {
    const files::TemporaryDirectory dir;
    path = dir.path();
    fs::create_directory(path / "sub");
    files::write_atomic(path / "sub" / "f", "x");
    fs::permissions(path / "sub", fs::perms::owner_read | fs::perms::owner_exec);
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a folder's hash depends on names, contents and the executable bit, not on times") {
  const files::TemporaryDirectory dir;
  files::write_atomic(dir.path() / "a", "1");
  const std::string before = tree_hash(dir.path());
  fs::last_write_time(dir.path() / "a", fs::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(tree_hash(dir.path()) == before);
  fs::permissions(dir.path() / "a", fs::perms::owner_exec, fs::perm_options::add);
  const std::string executable = tree_hash(dir.path());
  CHECK(executable != before);
  fs::rename(dir.path() / "a", dir.path() / "b");
  CHECK(tree_hash(dir.path()) != executable);
}

TEST_CASE("a file's hash is the hash of its bytes") {
  const files::TemporaryDirectory dir;
  const std::string large(200'000, 'x');
  files::write_atomic(dir.path() / "large", large);
  CHECK(vdk::sha256_file(dir.path() / "large") == sha256_hex(large));
  CHECK_THROWS_AS((void)vdk::sha256_file(dir.path() / "none"), vdk::Error);
}

TEST_CASE("hashes and ids have their documented shape") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(random_hex(8).size() == 16);
  const std::string id = uuid4();
  CHECK(id.size() == 36);
  CHECK(id[14] == '4');
  CHECK(uuid4() != id);
}
