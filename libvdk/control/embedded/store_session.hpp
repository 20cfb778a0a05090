// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <soci/soci.h>

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "control/embedded/store.hpp"
#include "vdk/core/clock.hpp"

namespace vdk::control {

/// One connection, and what is going on in it.
class StoreSession {
 public:
  soci::session sql;
  bool postgresql = false;
  bool writing = false;     ///< a transaction is open
  bool committing = false;  ///< its end was asked for
  bool desired_changed = false;
  bool deployments_changed = false;
  long long statements = 0;
  std::string place;   ///< where the database is, for messages
  std::string secret;  ///< never to be shown

  /// Connect; the folder of an SQLite file must exist.
  void open(const DatabaseOptions& options, const std::filesystem::path& home);
  /// The server ended the connection, or cannot be reached any more.
  [[nodiscard]] bool lost() noexcept;
  void reconnect();

 private:
  void open_postgresql(const DatabaseOptions& options);
  void set_up();
  std::string m_schema;
};

/// Turns an exception of the database into an error for people; without values that were to be stored.
[[noreturn]] void fail_store(StoreSession& session, const std::exception& problem);

/// One statement. Values are bound in the order of in(); columns() names the result's types, one letter each:
/// s text, i integer, d floating point, t time. NULL reads as empty.
class Query {
 public:
  Query(StoreSession& session, std::string text) : m_session(session), m_text(std::move(text)) {}

  Query& in(const std::string& value);
  Query& in(long long value) { return in_integer(value, soci::i_ok); }
  Query& in(int value) { return in_integer(value, soci::i_ok); }
  Query& in(bool value) { return in_integer(value ? 1 : 0, soci::i_ok); }
  Query& in(TimePoint value) { return in_integer(to_unix_micros(value), soci::i_ok); }
  Query& in(const std::optional<int>& value) {
    return in_integer(value.value_or(0), value ? soci::i_ok : soci::i_null);
  }
  Query& in(const std::optional<TimePoint>& value) {
    return in_integer(value ? to_unix_micros(*value) : 0, value ? soci::i_ok : soci::i_null);
  }
  Query& in(const std::optional<double>& value) {
    m_inputs.push_back({'d', {}, 0, value.value_or(0), value ? soci::i_ok : soci::i_null});
    return *this;
  }

  Query& columns(std::string_view types);
  void run();                   ///< for statements without a result
  [[nodiscard]] bool next();    ///< true while there is a row
  [[nodiscard]] bool single();  ///< the first row of a statement that changes rows; runs it to its end

  /// The cursor moves on by one with each of these.
  [[nodiscard]] std::string text() {
    const Slot& slot = take();
    return slot.indicator == soci::i_null ? std::string() : slot.text;
  }
  [[nodiscard]] long long integer() {
    const Slot& slot = take();
    return slot.indicator == soci::i_null ? 0 : slot.integer;
  }
  [[nodiscard]] bool flag() { return integer() != 0; }
  [[nodiscard]] std::optional<double> real_if() {
    const Slot& slot = take();
    return slot.indicator == soci::i_null ? std::nullopt : std::optional(slot.real);
  }
  [[nodiscard]] std::optional<int> integer_if() {
    const Slot& slot = take();
    return slot.indicator == soci::i_null ? std::nullopt : std::optional(static_cast<int>(slot.integer));
  }
  [[nodiscard]] std::optional<TimePoint> time_if() {
    const Slot& slot = take();
    return slot.indicator == soci::i_null ? std::nullopt : std::optional(from_unix_micros(slot.integer));
  }

 private:
  struct Slot {
    char type = 's';
    std::string text;
    long long integer = 0;
    double real = 0;
    soci::indicator indicator = soci::i_ok;
  };

  Query& in_integer(long long value, soci::indicator indicator) {
    m_inputs.push_back({'i', {}, value, 0, indicator});
    return *this;
  }
  bool open(bool with_data);
  bool open_again(bool with_data);
  Slot& take() { return m_outputs.at(m_cursor++); }

  StoreSession& m_session;
  std::string m_text;
  std::optional<soci::statement> m_statement;
  std::deque<Slot> m_inputs;  // stable addresses
  std::deque<Slot> m_outputs;
  std::size_t m_cursor = 0;
  bool m_opened = false;
};

[[nodiscard]] std::string pack_contacts(const job::Contacts& contacts);
[[nodiscard]] job::Contacts unpack_contacts(const std::string& text);

/// The columns that all three kinds of deployment row share, in one order everywhere.
constexpr std::string_view k_deployment_types = "ssssddiistiss";
[[nodiscard]] Deployment read_deployment(Query& query);
Query& bind_deployment(Query& query, const Deployment& deployment);
/// Same for `JOB_COLUMNS`.
[[nodiscard]] DataJob read_job(Query& query);

constexpr std::string_view k_execution_columns =
    "id, job_name, type, status, message, op_id, submitted_time, start_time, end_time, scheduled_time, started_by, "
    "arguments_json, cancel_requested, job_version, job_python_version, vdk_version, job_schedule, "
    "resources_cpu_request, "
    "resources_cpu_limit, resources_memory_request, resources_memory_limit, last_deployed_by, last_deployed_date, "
    "enabled, "
    "contacts, deployment_version_sha";
constexpr std::string_view k_execution_types = "ssiissttttssissssddiistiss";
[[nodiscard]] ExecutionRow read_execution(Query& query);

}  // namespace vdk::control
