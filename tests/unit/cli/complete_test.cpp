// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using vdk::cli::Completion;
using Words = std::vector<std::string>;

Words complete(const Words& words) {
  const auto values = [](Completion kind, const Words&) {
    return kind == Completion::job ? Words{"hello-job", "other-job"} : Words{"my-team"};
  };
  Words found;
  for (const std::string& line : vdk::cli::complete(words, values)) {
    found.push_back(line.substr(0, line.find('\t')));
  }
  return found;
}

}  // namespace

TEST_CASE("commands and members of a group are completed") {
  CHECK(complete({"depl"}) == Words{"deploy"});
  CHECK(complete({"config", ""}) == Words{"explain"});
  CHECK(complete({"-o", "json", "del"}) == Words{"delete"});
  const Words all = complete({""});
  CHECK(std::find(all.begin(), all.end(), "__complete") == all.end());
  CHECK(std::find(all.begin(), all.end(), "schedule") != all.end());
}

TEST_CASE("a group in a group is completed word by word") {
  CHECK(complete({"plugin", "cac"}) == Words{"cache"});
  CHECK(complete({"plugin", "cache", "pr"}) == Words{"prune"});
  CHECK(complete({"plugin", "cache", "prune", "--dry"}) == Words{"--dry-run"});
  CHECK(complete({"nonsense", ""}).empty());
  CHECK(complete({"plugin", "nonsense", ""}).empty());
}

TEST_CASE("a group that is a command too completes its members and its options") {
  const Words found = complete({"server", ""});
  CHECK(std::find(found.begin(), found.end(), "fsck") != found.end());
  CHECK(std::find(found.begin(), found.end(), "--port") != found.end());
  CHECK(complete({"server", "rest"}) == Words{"restore"});
  CHECK(complete({"server", "fsck", "--rep"}) == Words{"--repair"});
  CHECK(complete({"server", "--config", ""}) == Words{":file"});
}

TEST_CASE("options and their values are completed") {
  CHECK(complete({"deploy", "--job-p"}) == Words{"--job-path"});
  CHECK(complete({"deploy", "-n", "hel"}) == Words{"hello-job"});
  CHECK(complete({"deploy", "--team", ""}) == Words{"my-team"});
  CHECK(complete({"list", "-o", "js"}) == Words{"json"});
  CHECK(complete({"list", "-o", "J"}) == Words{"JSON"});
  CHECK(complete({"run", ""}) == Words{":directory"});
}

TEST_CASE("nonsense completes to nothing and never throws") {
  CHECK(complete({}).empty());
  CHECK(complete({"nonsense", "x", "y"}).empty());
}
