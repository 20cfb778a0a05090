// SPDX-License-Identifier: Apache-2.0
#include "vdk/job/archive.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>

#include "job/zip_writer.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"

namespace files = vdk::files;
namespace fs = std::filesystem;
using vdk::job::pack;
using vdk::job::unpack;
using vdk::test::ZipItem;
using vdk::test::ZipWriter;

namespace {

constexpr unsigned file_mode = 0100644;

/// The reason of a refusal; fails when the archive is accepted or anything stays behind.
std::string refusal(const std::string& zip, const vdk::job::ArchiveLimits& limits = {}) {
  const files::TemporaryDirectory folder;
  try {
    (void)unpack(zip, folder.path() / "to", limits);
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::usage);
    CHECK(fs::is_empty(folder.path()));
    return error.text().why;
  }
  FAIL("the archive was accepted");
  return "";
}

std::string zip_of(const std::vector<ZipItem>& items) {
  ZipWriter writer;
  for (const ZipItem& item : items) {
    writer.add(item);
  }
  return writer.finish();
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void make_job(const fs::path& folder) {
  fs::create_directories(folder / "lib" / "__pycache__");
  fs::create_directories(folder / ".git");
  fs::create_directories(folder / "empty");
  files::write_atomic(folder / "10_a.sql", std::string(5000, 'x'));
  files::write_atomic(folder / "tool.sh", "#!/bin/sh\n", 0755);
  files::write_atomic(folder / "lib" / "größe.py", "");
  files::write_atomic(folder / "lib" / "__pycache__" / "x.pyc", "no");
  files::write_atomic(folder / ".git" / "HEAD", "no");
}

}  // namespace

TEST_CASE("a packed job comes back as it was, without version control and compiled files") {
  const files::TemporaryDirectory folder;
  make_job(folder.path() / "job");
  const auto back = unpack(pack(folder.path() / "job", "my-job"), folder.path() / "out");
  CHECK(back == folder.path() / "out" / "my-job");
  CHECK(files::read(back / "10_a.sql") == std::string(5000, 'x'));
  CHECK(fs::exists(back / "lib" / "größe.py"));
  CHECK(fs::is_directory(back / "empty"));
  CHECK_FALSE(fs::exists(back / "lib" / "__pycache__"));
  CHECK_FALSE(fs::exists(back / ".git"));
  struct stat info {};
  REQUIRE(stat((back / "tool.sh").c_str(), &info) == 0);
  CHECK((info.st_mode & 0100U) != 0);
}

TEST_CASE("equal folders give equal bytes, whenever and wherever they are packed") {
  const files::TemporaryDirectory folder;
  make_job(folder.path() / "a");
  make_job(folder.path() / "b");
  fs::last_write_time(folder.path() / "b" / "10_a.sql", fs::file_time_type::clock::now() - std::chrono::hours(48));
  const std::string first = pack(folder.path() / "a", "job");
  setenv("TZ", "Asia/Tokyo", 1);
  tzset();
  const std::string second = pack(folder.path() / "b", "job");
  unsetenv("TZ");
  tzset();
  CHECK(first == second);
  files::write_atomic(folder.path() / "b" / "10_a.sql", "y");
  CHECK(first != pack(folder.path() / "b", "job"));
}

TEST_CASE("key files and what unpacking would refuse are not packed") {
  const files::TemporaryDirectory folder;
  files::write_atomic(folder.path() / "x.KeyTab", "");
  CHECK_THROWS_AS((void)pack(folder.path(), "job"), vdk::Error);
  fs::remove(folder.path() / "x.KeyTab");
  files::write_atomic(folder.path() / "a\\b", "");
  CHECK_THROWS_AS((void)pack(folder.path(), "job"), vdk::Error);
  fs::remove(folder.path() / "a\\b");
  files::write_atomic(folder.path() / "Name", "");
  CHECK_NOTHROW((void)pack(folder.path(), "job"));
  files::write_atomic(folder.path() / "name", "");
  CHECK_THROWS_AS((void)pack(folder.path(), "job"), vdk::Error);
  fs::remove(folder.path() / "name");
  fs::create_directory_symlink(folder.path(), folder.path() / "loop");
  CHECK_THROWS_AS((void)pack(folder.path(), "job"), vdk::Error);
}

TEST_CASE("unsafe names are refused") {
  using namespace std::string_literals;
  for (const std::string& name : {"/etc/passwd"s, "job/../../x"s, ".."s, "job/./x"s, "job//x"s, "job\\x"s, "C:/x"s,
                                  "job/x\0y"s, "job/\x01"s, "job/\xff"s, "job/"s + std::string(300, 'n')}) {
    CAPTURE(name);
    CHECK_FALSE(vdk::job::is_safe_entry_name(name));
    CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {name, "2"}})), "unsafe name"));
  }
  CHECK(vdk::job::is_safe_entry_name("job/.hidden/a b/ü..x"));
}

TEST_CASE("names that collide are refused") {
  CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {"job/a", "2"}})), "occurs twice"));
  CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {"job/A", "2"}})), "upper and lower case"));
  CHECK(mentions(refusal(zip_of({{"job/d/a", "1"}, {"job/D/b", "2"}})), "upper and lower case"));
  CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {"job/a/b", "2"}})), "both a file and a folder"));
}

TEST_CASE("links and devices are refused") {
  for (const unsigned mode : {0120777U, 0020644U, 0060644U, 0010644U, 0140755U}) {
    CAPTURE(mode);
    CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {"job/b", "/etc", mode}})), "'job/b' is a link"));
  }
}

TEST_CASE("limits hold on what is produced") {
  vdk::job::ArchiveLimits limits;
  limits.file_bytes = 10;
  CHECK(mentions(refusal(zip_of({{"job/a", std::string(11, 'x')}}), limits), "larger than 10 bytes"));
  limits.total_bytes = 15;
  CHECK(mentions(refusal(zip_of({{"job/a", "12345678"}, {"job/b", "12345678"}}), limits), "job is larger than 15"));
  limits = {};
  limits.entries = 1;
  CHECK(mentions(refusal(zip_of({{"job/a", "1"}, {"job/b", "2"}}), limits), "2 entries"));
}

TEST_CASE("an entry that grows beyond every ratio is refused") {
  const files::TemporaryDirectory folder;
  fs::create_directory(folder.path() / "job");
  files::write_atomic(folder.path() / "job" / "zeros", std::string(8U << 20U, '\0'));
  const std::string zip = pack(folder.path() / "job", "job");
  vdk::job::ArchiveLimits limits;
  limits.ratio = 100;
  CHECK(mentions(refusal(zip, limits), "times its packed size"));
}

TEST_CASE("an archive that says two things is refused") {
  ZipItem other{"job/a", "1"};
  other.local_name = "job/b";
  CHECK(mentions(refusal(zip_of({other})), "called 'job/b'"));
  ZipItem hidden{"job/hidden", "2"};
  hidden.in_directory = false;
  CHECK(mentions(refusal(zip_of({{"job/a", "1"}, hidden, {"job/c", "3"}})), "belong to no entry"));
  ZipItem lying{"job/a", "12345"};
  lying.directory_size = 3;
  CHECK(mentions(refusal(zip_of({lying})), "two different sizes"));
  const std::string good = zip_of({{"job/a", "1"}});
  CHECK(mentions(refusal("prefix" + good), "not where"));
  CHECK(mentions(refusal(good.substr(0, good.size() - 1)), "not a complete zip"));
  CHECK(mentions(refusal(""), "not a complete zip"));
}

TEST_CASE("damaged content is refused") {
  std::string zip = zip_of({{"job/a", "content"}});
  zip[zip.find("content")] = 'X';
  CHECK(mentions(refusal(zip), "damaged"));
}

TEST_CASE("the job is the first folder at the top") {
  const files::TemporaryDirectory folder;
  const std::string zip = zip_of({{"note.txt", "n"}, {"second/a", "1", file_mode}, {"third/b", "2"}});
  CHECK(unpack(zip, folder.path() / "to") == folder.path() / "to" / "second");
  CHECK(mentions(refusal(zip_of({{"note.txt", "n"}})), "no folder at its top"));
}

TEST_CASE("a folder with content is not unpacked into") {
  const files::TemporaryDirectory folder;
  files::write_atomic(folder.path() / "mine", "1");
  try {
    (void)unpack(zip_of({{"job/a", "1"}}), folder.path());
    FAIL("accepted");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::conflict);
  }
  CHECK(files::read(folder.path() / "mine") == "1");
}
