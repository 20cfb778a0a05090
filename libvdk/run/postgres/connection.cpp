// SPDX-License-Identifier: Apache-2.0
#include "run/postgres/connection.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/shared_library.hpp"
#include "run/postgres/library.hpp"
#include "run/process/signals.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run::postgres {

namespace {

Library load_library() {
  SharedLibrary file{"libpq.so.5"};
  Library library;
#define VDK_FIND(name) file.find(#name, library.name);
  VDK_PQ_FUNCTIONS(VDK_FIND)
#undef VDK_FIND
  if (!file.problem().empty()) {
    throw Error(ErrorKind::platform, {"cannot use PostgreSQL", file.problem(), "the step that needs it fails",
                                      "Install the package libpq5"});
  }
  return library;
}

Error malformed() {
  return Error(ErrorKind::configuration,
               {"cannot connect to PostgreSQL", "the address of the database is no valid connection string",
                "the step that needs it fails",
                "Write postgresql://USER@HOST:PORT/DATABASE, with @ : / ? # % of user and password as %40 %3A %2F %3F "
                "%23 %25, or give the password in postgres_password"});
}

/// libpq would put pieces of a password that is not escaped into its messages: such an address never reaches it.
void check_address(const std::string& address) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> options(
      pq().PQconninfoParse(address.c_str(), &problem), pq().PQconninfoFree);
  if (problem != nullptr) {
    pq().PQfreemem(problem);
  }
  if (!options) {
    throw malformed();
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view key = option->keyword;
    const std::string_view value = option->val == nullptr ? "" : option->val;
    const bool is_port =
        std::all_of(value.begin(), value.end(), [](char c) { return (c >= '0' && c <= '9') || c == ','; });
    const bool has_at = value.find('@') != std::string_view::npos;
    if ((key == "port" && !is_port) || ((key == "host" || key == "dbname") && has_at)) {
      throw malformed();
    }
  }
}

bool is_connection_string(std::string_view value) {
  return value.starts_with("postgresql://") || value.starts_with("postgres://") ||
         value.find('=') != std::string_view::npos;
}

/// An address of another kind of driver, or half of one: for libpq the name of a database, which the server repeats.
bool is_strange_name(std::string_view value) {
  const std::size_t colon = value.find(':');
  return value.find("://") != std::string_view::npos ||
         (colon != std::string_view::npos && value.find('@', colon) != std::string_view::npos);
}

bool is_good(const PGresult* result) {
  const ExecStatusType status = pq().PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
}

}  // namespace

const Library& pq() {
  static const Library loaded = load_library();
  return loaded;
}

std::string field(const PGresult* result, int which) {
  const char* value = result == nullptr ? nullptr : pq().PQresultErrorField(result, which);
  return value == nullptr ? "" : value;
}

void Connection::Closer::operator()(pg_conn* connection) const noexcept { pq().PQfinish(connection); }
void Connection::ResultCloser::operator()(pg_result* result) const noexcept { pq().PQclear(result); }

Connection::Connection(const Parameters& parameters) {
  for (const auto& [key, value] : parameters) {
    if (key == "dbname" && is_connection_string(value)) {
      check_address(value);
    } else if (key == "dbname" && is_strange_name(value)) {
      throw malformed();
    }
  }
  connect(parameters);
}

void Connection::connect(const Parameters& parameters) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    m_connection.reset(pq().PQconnectdbParams(keys.data(), values.data(), 1));
    if (m_connection && pq().PQstatus(m_connection.get()) == CONNECTION_OK) {
      // Notices would go to stderr as they are.
      pq().PQsetNoticeReceiver(
          m_connection.get(), [](void*, const PGresult*) {}, nullptr);
      return;
    }
    std::string why = m_connection ? pq().PQerrorMessage(m_connection.get()) : "out of memory";
    why.erase(why.find_last_not_of(" \n") + 1);
    const auto says = [&](const char* words) { return why.find(words) != std::string::npos; };
    const bool is_refused =
        (says("FATAL:") && !says("starting up")) || says("no password supplied") || why.starts_with("invalid ");
    if (is_refused || attempt == attempts || SignalGuard::received() != 0) {
      throw Error(is_refused ? ErrorKind::configuration : ErrorKind::platform,
                  {"cannot connect to PostgreSQL", text::replace_all(text::replace_all(why, "\n\t", "; "), "\n", "; "),
                   "the step that needs it fails",
                   "Check postgres_dsn, postgres_host, postgres_port, postgres_dbname, postgres_user and "
                   "postgres_password, or the target of the rows, and that the server works"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

bool Connection::is_lost() const { return pq().PQstatus(m_connection.get()) != CONNECTION_OK; }

bool Connection::was_closed() const {
  constexpr int looks = 10;
  for (int look = 0; look < looks && !is_lost(); ++look) {
    struct pollfd socket {
      pq().PQsocket(m_connection.get()), POLLIN, 0
    };
    if (poll(&socket, 1, 0) <= 0 || pq().PQconsumeInput(m_connection.get()) == 0) {
      break;
    }
    (void)pq().PQisBusy(m_connection.get());  // takes in the server's last words, behind which its end comes
  }
  return is_lost();
}

Transaction Connection::transaction() const {
  switch (pq().PQtransactionStatus(m_connection.get())) {
    case PQTRANS_IDLE:
      return Transaction::idle;
    case PQTRANS_ACTIVE:
      return Transaction::active;
    case PQTRANS_INTRANS:
      return Transaction::open;
    case PQTRANS_INERROR:
      return Transaction::failed;
    default:
      return Transaction::lost;
  }
}

std::string Connection::reported(const char* setting) const {
  const char* value = pq().PQparameterStatus(m_connection.get(), setting);
  return value == nullptr ? "" : value;
}

int Connection::version() const { return pq().PQserverVersion(m_connection.get()); }

std::string Connection::address() const {
  const PGconn* connection = m_connection.get();
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  return text(pq().PQhost(connection)) + ":" + text(pq().PQport(connection)) + "/" + text(pq().PQdb(connection));
}

void Connection::cancel() const {
  const std::unique_ptr<PGcancel, decltype(&::PQfreeCancel)> cancel(pq().PQgetCancel(m_connection.get()),
                                                                    pq().PQfreeCancel);
  std::array<char, 256> ignored{};
  if (cancel) {
    pq().PQcancel(cancel.get(), ignored.data(), static_cast<int>(ignored.size()));
  }
}

/// Until a result can be taken without blocking: a server that waits for a lock must not keep Ctrl-C from working.
void Connection::wait() {
  PGconn* connection = m_connection.get();
  while (pq().PQisBusy(connection) != 0) {
    std::array<pollfd, 2> sockets{{{pq().PQsocket(connection), POLLIN, 0}, {m_watched, POLLIN, 0}}};
    const bool watches = m_watched >= 0 && !m_cancelled;
    if (poll(sockets.data(), watches ? 2 : 1, 200) > 0) {
      if (sockets[0].revents != 0 && pq().PQconsumeInput(connection) == 0) {
        return;  // the connection broke; the result says so
      }
      if (watches && sockets[1].revents != 0) {
        m_cancelled = true;
        cancel();
      }
    }
    if (SignalGuard::received() != 0) {
      cancel();
      throw Error(ErrorKind::platform, {"cannot wait for PostgreSQL", "the run is being stopped",
                                        "what was being done there is not stored", "Run the job again"});
    }
  }
}

Connection::Result Connection::take_result() {
  wait();
  return Result(pq().PQgetResult(m_connection.get()));
}

/// All results of what was sent; the last one, or the first that is bad thrown.
Connection::Result Connection::finish() {
  Result last;
  Result bad;
  while (Result result = take_result()) {
    const bool is_copy = pq().PQresultStatus(result.get()) == PGRES_COPY_IN;
    (is_good(result.get()) || bad ? last : bad) = std::move(result);
    if (is_copy) {
      return last;  // it goes on until data has been sent
    }
  }
  if (bad || is_lost()) {
    refuse(bad.get());
  }
  return last;
}

Refusal Connection::refusal_of(const pg_result* result) const {
  Refusal refusal;
  refusal.state = field(result, PG_DIAG_SQLSTATE);
  refusal.primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
  refusal.detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  refusal.hint = field(result, PG_DIAG_MESSAGE_HINT);
  refusal.context = field(result, PG_DIAG_CONTEXT);
  refusal.position = std::strtoull(field(result, PG_DIAG_STATEMENT_POSITION).c_str(), nullptr, 10);
  refusal.schema = field(result, PG_DIAG_SCHEMA_NAME);
  refusal.table = field(result, PG_DIAG_TABLE_NAME);
  refusal.column = field(result, PG_DIAG_COLUMN_NAME);
  refusal.type = field(result, PG_DIAG_DATATYPE_NAME);
  refusal.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  if (refusal.primary.empty()) {
    refusal.primary = "the connection to the server is lost";
  }
  refusal.message = refusal.primary + (refusal.detail.empty() ? "" : " (" + refusal.detail + ")");
  return refusal;
}

void Connection::refuse(const pg_result* result) const { throw Refusal(refusal_of(result)); }

bool Connection::is_bad(const pg_result* result) {
  const ExecStatusType status = pq().PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

bool Connection::is_copy(const pg_result* result) {
  const ExecStatusType status = pq().PQresultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

void Connection::send(const std::string& sql) {
  m_cancelled = false;
  if (pq().PQsendQuery(m_connection.get(), sql.c_str()) == 0) {
    refuse(nullptr);
  }
  pq().PQsetSingleRowMode(m_connection.get());
}

Connection::Result Connection::take() {
  Result result = take_result();
  const ExecStatusType status = result ? pq().PQresultStatus(result.get()) : PGRES_COMMAND_OK;
  if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH) {
    pq().PQputCopyEnd(m_connection.get(), "COPY FROM STDIN has no data to read in a job");
  }
  if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
    cancel();
    char* piece = nullptr;
    while (pq().PQgetCopyData(m_connection.get(), &piece, 0) > 0) {
      pq().PQfreemem(piece);
    }
  }
  return result;
}

void Connection::execute(const std::string& sql) {
  m_cancelled = false;
  if (pq().PQsendQuery(m_connection.get(), sql.c_str()) == 0) {
    refuse(nullptr);
  }
  (void)finish();
}

std::vector<std::string> Connection::column(const std::string& sql, const std::string& parameter) {
  const char* value = parameter.c_str();
  if (pq().PQsendQueryParams(m_connection.get(), sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0) == 0) {
    refuse(nullptr);
  }
  const Result result = finish();
  std::vector<std::string> values;
  for (int row = 0; result && row < pq().PQntuples(result.get()); ++row) {
    values.emplace_back(pq().PQgetvalue(result.get(), row, 0));
  }
  return values;
}

void Connection::copy(const std::string& sql, const std::string& data) {
  execute(sql);
  constexpr std::size_t piece = 1 << 20;
  for (std::size_t at = 0; at < data.size(); at += piece) {
    const int size = static_cast<int>(std::min(piece, data.size() - at));
    if (pq().PQputCopyData(m_connection.get(), data.data() + at, size) != 1) {
      refuse(nullptr);
    }
  }
  if (pq().PQputCopyEnd(m_connection.get(), nullptr) != 1) {
    refuse(nullptr);
  }
  (void)finish();
}

}  // namespace vdk::run::postgres
