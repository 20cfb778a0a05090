// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vdk/control/embedded.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control {

/// Who is logged in to the operations page. All servers of one service share it, so that each of them can answer each
/// request, and a logout counts everywhere at once. Ids are secrets: only their hashes are kept, and what is kept under
/// them is encrypted with the key of the service's secrets. Thread-safe.
class PageSessions {
 public:
  virtual ~PageSessions() = default;
  /// False when there is one of this id, ended or not.
  virtual bool insert(const std::string& id, const std::string& value, TimePoint end) = 0;
  /// Nothing for what is not there or over.
  [[nodiscard]] virtual std::optional<std::string> find(const std::string& id) = 0;
  /// The id stays, and so does its end. Nothing happens when it is gone.
  virtual void update(const std::string& id, const std::string& value) = 0;
  virtual void erase(const std::string& id) = 0;
  /// True for one caller of all, until `update` or until this time is over.
  [[nodiscard]] virtual bool claim(const std::string& id, std::chrono::milliseconds time) = 0;
  /// Text that only servers of this service can read back, and only for the same purpose.
  [[nodiscard]] virtual std::string seal(std::string_view text, std::string_view purpose) = 0;
  /// Nothing when it was not sealed here for this purpose.
  [[nodiscard]] virtual std::optional<std::string> unseal(std::string_view sealed, std::string_view purpose) = 0;
};

/// In the service's database.
[[nodiscard]] std::shared_ptr<PageSessions> open_page_sessions(const EmbeddedOptions& options,
                                                               std::shared_ptr<const Clock> clock);

}  // namespace vdk::control
