// SPDX-License-Identifier: Apache-2.0
#include "vdk/plugin/config.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vdk;

TEST_CASE("all mistakes of a file are one error with their places; warnings alone are none") {
  using plugin::Problem;
  const Problem warning{Problem::Severity::warning, {}, "old spelling", {}};
  CHECK_FALSE(plugin::to_error("f.yaml", {warning}));
  const Problem first{
      Problem::Severity::error, {"f.yaml", 3, 5, 1, "  naem: x"}, "unknown key 'naem'", "did you mean 'name'?"};
  const Problem second{Problem::Severity::error, {"f.yaml", 9, 1, 1, ""}, "'path' is missing", {}};
  const auto error = plugin::to_error("f.yaml", {warning, first, second});
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::configuration);
  CHECK(error->text().what == "'f.yaml' has 2 mistakes");
  CHECK(error->text().why == "3:5: unknown key 'naem' (did you mean 'name'?)\n  9:1: 'path' is missing");
  REQUIRE(error->location());
  CHECK(error->location()->line == 3);
}
