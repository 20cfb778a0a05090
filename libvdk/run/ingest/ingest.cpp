// SPDX-License-Identifier: Apache-2.0
#include "run/ingest/ingest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "run/ingest/rows.hpp"
#include "vdk/core/text.hpp"
#include "vdk/run/observer.hpp"

namespace vdk::run {

namespace {

std::string text_of(simdjson::dom::element head, const char* key) {
  std::string_view value;
  return head[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

void check_widths(const Batch& batch) {
  for (const auto row : batch.rows.array) {
    simdjson::dom::array cells;
    if (row.get(cells) != simdjson::SUCCESS || cells.size() != batch.columns.size()) {
      throw bad_rows(batch, "a row does not have as many values as there are column names",
                     "Send one value for each of: " + text::quoted_list(batch.columns));
    }
  }
}

/// The message holds what no JSON reader takes: looks for the place with a patient one.
Error unreadable(const std::string& message, const std::string& why) {
  std::vector<std::string> columns;
  std::string table;
  std::size_t first = 1;
  // The host puts the head in front of the rows.
  const std::string mark = ",\"rows\":";
  const auto end = message.find(mark);
  const auto head = nlohmann::json::parse(message.substr(0, end) + "}", nullptr, false);
  if (end != std::string::npos && head.is_object() && head.contains("head")) {
    columns = head["head"].value("columns", columns);
    first = head["head"].value("first", first);
    table = head["head"]["table"].is_string() ? " into '" + head["head"]["table"].get<std::string>() + "'" : "";
  }
  const std::string found = find_fault(message, columns, first);
  return Error(ErrorKind::user_code, {"cannot ingest rows" + table, found.empty() ? why : found,
                                      "this batch of rows is not stored, and the step that sent it fails",
                                      "Send integers of at most 64 bits and text that is valid Unicode"});
}

}  // namespace

std::optional<std::string_view> exact_number(simdjson::dom::element value) {
  const auto digits = marked(value, numeric_mark);
  const bool plain = digits && digits->find_first_not_of("0123456789+-.eE") == digits->npos;
  return plain && nlohmann::json::accept(*digits) ? digits : std::nullopt;
}

namespace {

void append_json(std::string& out, simdjson::dom::element value, bool& finite) {
  simdjson::dom::array array;
  simdjson::dom::object object;
  if (const auto hex = marked(value, bytes_mark)) {
    out += "\"" + std::string(*hex) + "\"";
  } else if (marked(value, float_mark)) {
    finite = false;
  } else if (const auto digits = exact_number(value)) {
    out += *digits;
  } else if (value.get(array) == simdjson::SUCCESS) {
    out += "[";
    for (const auto item : array) {
      out += out.back() == '[' ? "" : ",";
      append_json(out, item, finite);
    }
    out += "]";
  } else if (value.get(object) == simdjson::SUCCESS) {
    out += "{";
    for (const auto item : object) {
      out += out.back() == '{' ? "" : ",";
      out += nlohmann::json(item.key).dump() + ":";
      append_json(out, item.value, finite);
    }
    out += "}";
  } else {
    out += simdjson::minify(value);
  }
}

}  // namespace

std::optional<std::string> json_of(simdjson::dom::element value) {
  std::string text = simdjson::minify(value);
  if (!text.starts_with('[') && !text.starts_with('{')) {
    return text;
  }
  if (text.find("\"$vdk:") == std::string::npos) {
    return text;
  }
  bool finite = true;
  text.clear();
  append_json(text, value, finite);
  return finite ? std::optional(text) : std::nullopt;
}

struct Ingester::Parser {
  simdjson::dom::parser dom;
};

Error bad_rows(const Batch& batch, std::string why, std::string countermeasures) {
  const std::string table = batch.table.empty() ? std::string() : " into '" + batch.table + "'";
  return Error(ErrorKind::user_code,
               {"cannot ingest rows" + table + " with method '" + batch.method + "'", std::move(why),
                "this batch of rows is not stored, and the step that sent it fails", std::move(countermeasures)});
}

Ingester::Ingester(Session& session) : m_session(session), m_parser(std::make_unique<Parser>()) {}
Ingester::~Ingester() = default;

void Ingester::accept(const std::string& message) {
  if (m_failure) {
    throw Error(*m_failure);
  }
  try {
    write(message);
  } catch (const Error& error) {
    if (!m_session.flag("ingester_should_raise_exception_on_failure", true)) {
      m_session.lines.warning(
          "ingestion failed and goes on, as ingester_should_raise_exception_on_failure=false asks: " +
          std::string(error.what()));
      return;
    }
    m_failure = error;
    throw;
  }
}

void Ingester::write(const std::string& message) {
  simdjson::dom::element document;
  if (const auto code = m_parser->dom.parse(message).get(document); code != simdjson::SUCCESS) {
    throw unreadable(message, simdjson::error_message(code));
  }
  simdjson::dom::element head;
  simdjson::dom::array array;
  if (document["head"].get(head) != simdjson::SUCCESS || document["rows"].get(array) != simdjson::SUCCESS) {
    throw Error(ErrorKind::internal,
                {"cannot read rows that were sent for ingestion", "the message has no rows", "", ""});
  }
  const Rows rows{array};
  std::uint64_t first = 1;
  [[maybe_unused]] const auto without = head["first"].get(first);
  Batch batch{text::lower(text_of(head, "method")),
              text_of(head, "target"),
              text_of(head, "table"),
              text_of(head, "collection"),
              {},
              rows,
              first};
  if (batch.method.empty()) {
    batch.method = default_ingestion_method(m_session);
  }
  if (batch.target.empty()) {
    batch.target = m_session.setting("ingest_target_default");
  }
  simdjson::dom::array columns;
  if (head["columns"].get(columns) == simdjson::SUCCESS) {
    for (const auto column : columns) {
      std::string_view name;
      if (column.get(name) == simdjson::SUCCESS) {
        batch.columns.emplace_back(name);
      }
    }
  }
  check_widths(batch);
  sink(batch.method).write(batch);
  const auto count = static_cast<long long>(array.size());
  m_rows_written += count;
  if (m_session.request.observer != nullptr) {
    m_session.request.observer->ingested(batch.method, batch.table, count);
  }
}

std::string default_ingestion_method(const Session& session) {
  const std::string chosen = text::lower(session.setting("ingest_method_default"));
  const std::string database = text::lower(session.databases->default_name());
  return !chosen.empty() ? chosen : (session.databases->servers().contains(database) ? database : "sqlite");
}

std::vector<std::string> ingestion_methods(const Session& session) {
  std::vector<std::string> names{"file", "http", "s3"};
  for (const std::string& name : session.databases->names()) {
    names.push_back(name);
  }
  if (!session.databases->has("postgres")) {
    names.emplace_back("postgres");
  }
  std::sort(names.begin(), names.end());
  return names;
}

Sink& Ingester::sink(const std::string& method) {
  auto& slot = m_sinks[method];
  if (slot) {
    return *slot;
  }
  const auto& databases = m_session.databases->files();
  if (databases.contains(method)) {
    slot = make_sqlite_sink(m_session, method);
  } else if (method == "file") {
    slot = make_file_sink(m_session);
  } else if (method == "http") {
    slot = make_http_sink(m_session);
  } else if (method == "postgres") {
    slot = make_postgres_sink(m_session, "");
  } else if (m_session.databases->has(method)) {
    slot = make_postgres_sink(m_session, method);
  } else if (method == "s3") {
    slot = make_s3_sink(m_session);
  } else {
    m_sinks.erase(method);
    throw Error(ErrorKind::configuration,
                {"cannot ingest rows with method '" + method + "'",
                 "there is no ingestion method of that name; known: " + text::quoted_list(ingestion_methods(m_session)),
                 "the rows are not stored, and the step that sent them fails",
                 "Pass another method, or correct ingest_method_default in config.ini"});
  }
  return *slot;
}

std::optional<Error> Ingester::take_failure() {
  std::optional<Error> failure;
  failure.swap(m_failure);
  return failure;
}

}  // namespace vdk::run
