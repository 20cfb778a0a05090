// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/embedded/rules.hpp"
#include "control/fixture.hpp"

namespace vdk::control::testing {

/// One life of a task of the server, as another process on the same home has it: its own session, sources and target.
template <typename Task>
struct Life {
  explicit Life(const Fixture& f)
      : target(f.runtime),
        store(f.options.database, f.home),
        sources(f.home, "server"),
        task({f.options, target, *f.clock, store, sources}) {}
  FakeTarget target;
  Store store;
  Sources sources;
  Task task;
};

}  // namespace vdk::control::testing
