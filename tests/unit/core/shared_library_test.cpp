// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.hpp"

#include <doctest/doctest.h>

using vdk::SharedLibrary;

TEST_CASE("a library that is loaded gives its functions and says which one it lacks") {
  SharedLibrary library{"no-such-library.so.1", "libm.so.6"};
  double (*cosine)(double) = nullptr;
  library.find("cos", cosine);
  CHECK(library.problem().empty());
  REQUIRE((cosine != nullptr));
  CHECK(cosine(0.0) == 1.0);

  void (*absent)() = nullptr;
  library.find("no_such_function", absent);
  CHECK((absent == nullptr));
  CHECK(library.problem().find("no_such_function") != std::string::npos);
}

TEST_CASE("a library that is not there says so, and its functions stay null") {
  SharedLibrary library{"no-such-library.so.1"};
  void (*anything)() = nullptr;
  library.find("anything", anything);
  CHECK((anything == nullptr));
  CHECK(library.problem().find("no-such-library.so.1") != std::string::npos);
}
