// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "control/embedded/rules.hpp"

namespace vdk::control {

/// Everything that a thread of the server needs for itself; the database session belongs to its thread.
struct Parts {
  Parts(const EmbeddedOptions& options, const MakeTarget& make_target, const Clock& clock)
      : target(make_target()),
        store(options.database, options.home),
        sources(options.home, options.sources, options.caller.user),
        context{options, *target, clock, store, sources} {}
  std::unique_ptr<target::Target> target;
  Store store;
  Sources sources;
  Context context;
};

}  // namespace vdk::control
