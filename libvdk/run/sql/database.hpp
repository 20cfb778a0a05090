// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <string>

namespace vdk::run {

/// One database of a run, whatever its engine. Its connection is opened at first use and serves all steps.
class Database {
 public:
  Database() = default;
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Run all statements; rows are thrown away. `place`: the file or cell, for people; `prefix` is sent in front.
  /// Throws Error with file, line and column of the statement that failed.
  virtual void run_script(const std::string& sql, const std::string& place, const std::string& prefix) = 0;
  /// What of the open connection the next steps may depend on and a later run cannot have; empty when nothing.
  [[nodiscard]] virtual std::string open_state() = 0;
  /// Roll back what steps left open, and close; true when a transaction was open. `stamped`: `stamp` will be asked.
  [[nodiscard]] virtual bool close(bool stamped) = 0;
  /// Told before each statement of a script: which one, of how many (0 = unknown). May be empty.
  std::function<void(std::size_t number, std::size_t count)> on_statement;
  /// Answer what a Python step asks of the connection, as JSON; `socket`: where that Python would say that it does not
  /// wait any more, -1 = nowhere.
  [[nodiscard]] virtual std::string answer(const nlohmann::ordered_json& request, int socket);
  /// Identity of a server's database and how far its writers are, as "IDENTITY:WRITERS:MORE"; a later one that is equal
  /// means that nothing was written in between. Connects where there is no connection.
  [[nodiscard]] virtual std::string stamp() { return {}; }
  /// The first part of a stamp, as far as it is known without connecting.
  [[nodiscard]] virtual std::string identity() { return {}; }
  /// Names of other databases that were attached since this was asked last; "" where the name is not known.
  [[nodiscard]] virtual std::set<std::string> take_attached() { return {}; }
  /// Whether steps of this run had to do with it.
  [[nodiscard]] bool is_used() const noexcept { return m_used; }
  void note_used() noexcept { m_used = true; }

 private:
  bool m_used = false;
};

}  // namespace vdk::run
