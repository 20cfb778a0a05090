// SPDX-License-Identifier: Apache-2.0
#include "cli/generate.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "cli/command_table.hpp"
#include "cli/view/help.hpp"
#include "vdk/core/files.hpp"

namespace {

const std::filesystem::path tree = VDK_SOURCE_TREE;

void check_folder(const std::filesystem::path& folder, const std::map<std::string, std::string>& generated) {
  std::set<std::string> present;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    present.insert(entry.path().filename().string());
  }
  for (const auto& [name, content] : generated) {
    CAPTURE(name);
    CHECK(vdk::files::read_if_exists(folder / name) == content);
    present.erase(name);
  }
  CHECK_MESSAGE(present.empty(), "files that nothing generates: ", (present.empty() ? "" : *present.begin()));
}

}  // namespace

TEST_CASE("man pages, completions and the reference in the tree are those of the command table") {
  // To renew them: vdk __generate man man; vdk __generate completions completions; vdk __generate docs docs/cli.md
  check_folder(tree / "man", vdk::cli::generate_man_pages());
  check_folder(tree / "completions", vdk::cli::generate_completions());
  CHECK(vdk::files::read_if_exists(tree / "docs" / "cli.md") == vdk::cli::generate_reference());
}

TEST_CASE("docs/server.md has the table of all configuration keys") {
  // To renew it: vdk __generate server-keys docs/server.md
  const std::string page = vdk::files::read_if_exists(tree / "docs" / "server.md").value_or("");
  CHECK(page.find(vdk::cli::generate_server_keys()) != std::string::npos);
}

TEST_CASE("help shows examples before options and hides hidden commands") {
  const std::string help = vdk::cli::command_help(*vdk::cli::find_command("deploy"));
  CHECK(help.find("Examples:") < help.find("Options:"));
  CHECK(help.find("-v, --vdk-version VERSION") != std::string::npos);
  CHECK(vdk::cli::root_help().find("__") == std::string::npos);
}
