// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/store.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"
#include "vdk/plugin/archive.hpp"

namespace files = vdk::files;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using vdk::plugin::InstalledPlugin;
using vdk::plugin::Receipt;
using vdk::plugin::Store;

namespace {

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// A generation of two plugins whose files all hold `text`.
std::uint64_t make_generation(Store& store, const std::string& text) {
  auto writer = store.write(10s);
  Receipt receipt;
  receipt.source = "install";
  for (const std::string name : {"beta", "alpha"}) {
    const fs::path folder = writer.staging() / name / "1.0";
    for (int i = 0; i < 5; ++i) {
      write(folder / (std::to_string(i) + ".yaml"), text);
    }
    InstalledPlugin plugin;
    plugin.name = name;
    plugin.version = "1.0";
    plugin.provider = "p";
    plugin.tree_sha256 = vdk::plugin::tree_sha256(folder);
    plugin.folder = name + "/1.0";
    receipt.plugins.push_back(plugin);
  }
  return writer.activate(receipt);
}

/// What all files of the current generation hold; fails when they do not hold the same or one is missing.
std::string content_of(const Store& store) {
  const auto folder = store.current();
  if (!folder) {
    return "";
  }
  const std::string text = files::read(*folder / "alpha" / "1.0" / "0.yaml");
  for (const std::string name : {"alpha", "beta"}) {
    for (int i = 0; i < 5; ++i) {
      REQUIRE(files::read(*folder / name / "1.0" / (std::to_string(i) + ".yaml")) == text);
    }
  }
  return text;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

}  // namespace

TEST_CASE("before the first generation there is nothing, and looking creates nothing") {
  const files::TemporaryDirectory folder;
  const Store store(folder.path() / "plugins");
  CHECK_FALSE(store.current());
  CHECK_FALSE(store.receipt());
  CHECK(store.generations().empty());
  CHECK(store.verify().empty());
  CHECK_FALSE(fs::exists(folder.path() / "plugins"));
}

TEST_CASE("a generation comes with a receipt, is switched to, and the last three stay") {
  const files::TemporaryDirectory folder;
  Store store(folder.path() / "plugins");
  CHECK(make_generation(store, "one") == 1);
  CHECK(fs::read_symlink(store.root() / "current") == "generations/1");
  const auto receipt = store.receipt();
  REQUIRE(receipt);
  CHECK(receipt->generation == 1);
  CHECK(receipt->source == "install");
  CHECK(receipt->created.size() >= 25);
  CHECK_FALSE(receipt->vdk_version.empty());
  REQUIRE(receipt->plugins.size() == 2);
  CHECK(receipt->plugins[0].name == "alpha");
  CHECK(receipt->plugins[0].folder == "alpha/1.0");
  for (const std::string text : {"two", "three", "four"}) {
    make_generation(store, text);
  }
  CHECK(store.generations() == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(content_of(store) == "four");
  CHECK(names_in(store.root() / ".staging").empty());
  CHECK_FALSE(store.receipt(1));
  CHECK(store.receipt(2)->generation == 2);
}

TEST_CASE("going back points to an earlier generation; the next one gets a new number and the current one is kept") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  for (const std::string text : {"one", "two", "three"}) {
    make_generation(store, text);
  }
  store.write(0s).roll_back_to(1);
  CHECK(content_of(store) == "one");
  try {
    store.write(0s).roll_back_to(9);
    FAIL("there is no generation 9");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::not_found);
    CHECK(error.text().why == "There are only: 1, 2, 3.");
  }
  CHECK(content_of(store) == "one");
  CHECK(make_generation(store, "four") == 4);
  CHECK(content_of(store) == "four");
}

TEST_CASE("what was not activated leaves nothing behind") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  make_generation(store, "one");
  {
    auto writer = store.write(0s);
    write(writer.staging() / "x" / "y", "half");
  }
  CHECK(content_of(store) == "one");
  CHECK(names_in(store.root() / ".staging").empty());
}

TEST_CASE("a second writer waits, then says who holds the lock") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  const auto writer = store.write(0s);
  const auto before = std::chrono::steady_clock::now();
  try {
    (void)store.write(100ms);
    FAIL("two writers");
  } catch (const vdk::Error& error) {
    CHECK(error.kind() == vdk::ErrorKind::conflict);
    CHECK(error.text().why == "Process " + std::to_string(getpid()) + " is changing them.");
  }
  CHECK(std::chrono::steady_clock::now() - before >= 100ms);
}

TEST_CASE("changed, missing and further files are found, also when the list of files was changed with them") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  make_generation(store, "one");
  CHECK(store.verify().empty());
  const fs::path current = *store.current();
  write(current / "alpha" / "1.0" / "0.yaml", "other");
  fs::remove(current / "beta" / "1.0" / "1.yaml");
  write(current / "beta" / "1.0" / "new.yaml", "more");
  fs::permissions(current / "beta" / "1.0" / "2.yaml", fs::perms::owner_exec, fs::perm_options::add);
  write(current / "stray", "more");
  std::vector<std::string> found;
  for (const auto& drift : store.verify()) {
    found.push_back(drift.plugin + " " + drift.what);
  }
  CHECK(found == std::vector<std::string>{"alpha changed: alpha/1.0/0.yaml", "beta missing: beta/1.0/1.yaml",
                                          "beta changed: beta/1.0/2.yaml", "beta extra: beta/1.0/new.yaml",
                                          " extra: stray"});
  make_generation(store, "two");
  const fs::path now = *store.current();
  write(now / "alpha" / "1.0" / "0.yaml", "other");
  std::string list = files::read(now / "files.json");
  const auto at = list.find("\"f", list.find("alpha/1.0/0.yaml")) + 2;
  list.replace(at, 64, "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
  write(now / "files.json", list);
  REQUIRE(store.verify().size() == 1);
  CHECK(store.verify().front().what == "changed: alpha/1.0");
}

TEST_CASE("damage is told, not used") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  make_generation(store, "one");
  for (const std::string text : {"", "{", "[]", "{\"format\":2}", "{\"format\":1,\"plugins\":3}"}) {
    write(*store.current() / "receipt.json", text);
    CHECK_THROWS_AS((void)store.receipt(), vdk::Error);
  }
  fs::remove(store.root() / "current");
  fs::create_directory_symlink("/etc", store.root() / "current");
  CHECK_THROWS_AS((void)store.current(), vdk::Error);
  CHECK_THROWS_AS((void)make_generation(store, "two"), vdk::Error);
  fs::remove(store.root() / "current");
  fs::create_directory_symlink("generations/77", store.root() / "current");
  CHECK_THROWS_AS((void)store.current(), vdk::Error);
  CHECK(make_generation(store, "two") == 78);
  CHECK(content_of(store) == "two");
}

TEST_CASE("a reader during many switches always sees one whole generation") {
  const files::TemporaryDirectory folder;
  Store store(folder.path());
  make_generation(store, "0");
  std::atomic<bool> done = false;
  int looks = 0;
  int wrong = 0;
  std::thread reader([&] {
    const Store own(folder.path());
    while (!done) {
      const auto current = own.current();
      std::set<std::string> seen;
      for (const std::string name : {"alpha", "beta"}) {
        for (int i = 0; i < 5; ++i) {
          const fs::path file = *current / name / "1.0" / (std::to_string(i) + ".yaml");
          const auto text = files::read_if_exists(file);
          // Whoever is slower than three switches finds the whole generation gone, never a part of it.
          seen.insert(text || fs::exists(*current) ? text.value_or("missing") : "gone");
        }
      }
      seen.erase("gone");
      wrong += seen.size() > 1 || seen.contains("missing") ? 1 : 0;
      ++looks;
    }
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&folder, w] {
      Store own(folder.path());
      for (int i = 0; i < 3; ++i) {
        make_generation(own, std::to_string(w * 10 + i));
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  done = true;
  reader.join();
  CHECK(looks > 0);
  CHECK(wrong == 0);
  CHECK(store.receipt()->generation == 10);
}

TEST_CASE("child: make a generation" * doctest::skip()) {
  Store store(*vdk::process::environment("STORE"));
  make_generation(store, *vdk::process::environment("TEXT"));
}

TEST_CASE("killed at any step, one whole generation is left and the next writer goes on") {
  const files::TemporaryDirectory folder;
  for (const std::string point : {"plugin.store.staged", "plugin.store.described", "plugin.store.renamed",
                                  "plugin.store.linked", "plugin.store.switched", "plugin.store.pruned"}) {
    CAPTURE(point);
    Store store(folder.path() / "plugins");
    for (int i = 0; i < 3; ++i) {
      make_generation(store, "before " + point);
    }
    const auto died =
        vdk::process::run({.argv = {"/proc/self/exe", "--no-skip", "-tc=child: make a generation"},
                           .set = {{"VDK_FAILPOINT", point}, {"STORE", store.root()}, {"TEXT", "after " + point}}});
    CHECK(died.exit_code == 128 + SIGKILL);
    const bool late = point == "plugin.store.switched" || point == "plugin.store.pruned";
    CHECK(content_of(store) == (late ? "after " : "before ") + point);
    CHECK(store.verify().empty());
    for (const std::uint64_t n : store.generations()) {
      CHECK(store.receipt(n)->generation == n);
    }
    make_generation(store, "next");
    CHECK(content_of(store) == "next");
    CHECK(names_in(store.root() / ".staging").empty());
    CHECK(store.generations().size() == 3);
  }
}
