// SPDX-License-Identifier: Apache-2.0
// Rows as objects of an S3-compatible storage. One PUT per batch: the object is there whole or not at all.
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>

#include "run/ingest/ingest.hpp"
#include "run/ingest/rows.hpp"
#include "run/ingest/s3_place.hpp"
#include "vdk/core/hash.hpp"
#include "vdk/core/http.hpp"
#include "vdk/core/s3.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

std::string trimmed(const std::string& value) { return std::string(text::trim(value)); }

std::string csv_text(std::string_view value, bool quoted) {
  if (!quoted && value.find_first_of("\",\r\n") == std::string_view::npos) {
    return std::string(value);
  }
  return "\"" + text::replace_all(std::string(value), "\"", "\"\"") + "\"";
}

/// An empty field for null, "" for empty text. No field for a list or dictionary with an infinite number in it.
std::optional<std::string> csv_value(simdjson::dom::element value) {
  if (value.is_null()) {
    return std::string();
  }
  if (std::string_view content; value.get(content) == simdjson::SUCCESS) {
    return csv_text(content, content.empty());
  }
  for (const std::string_view mark : {bytes_mark, float_mark}) {
    if (const auto content = marked(value, mark)) {
      return csv_text(*content, content->empty());
    }
  }
  const auto json = json_of(value);
  return json ? std::optional(csv_text(*json, false)) : std::nullopt;
}

/// A line that readers take for a row: an empty one is skipped by most.
std::string csv_line(std::string line) { return (line.empty() ? "\"\"" : std::move(line)) + "\r\n"; }

std::string csv_of(const Batch& batch) {
  std::string line;
  for (const std::string& column : batch.columns) {
    line += (&column == &batch.columns.front() ? "" : ",") + csv_text(column, false);
  }
  std::string out = csv_line(std::move(line));
  std::size_t number = batch.first;
  for (const auto row : batch.rows.array) {
    line.clear();
    std::size_t at = 0;
    for (const auto value : cells_of(row)) {
      const auto field = csv_value(value);
      if (!field) {
        throw bad_rows(batch, place_of(number, batch.columns[at]) + " holds an infinite number, which JSON cannot",
                       "Replace infinite numbers before the rows are sent");
      }
      line += (at++ == 0 ? "" : ",") + *field;
    }
    ++number;
    out += csv_line(std::move(line));
  }
  return out;
}

std::string json_lines_of(const Batch& batch) {
  std::string out;
  std::size_t number = batch.first;
  for (const auto row : batch.rows.array) {
    out += json_object(batch, number++, row) + "\n";
  }
  return out;
}

http::ClientOptions client_options() {
  using namespace std::chrono_literals;
  http::ClientOptions options;
  options.connect_timeout = 10s;
  options.total_timeout = 300s;
  options.total_retries = options.connect_retries = options.read_retries = 5;
  options.backoff_seconds = 0.1;
  options.longest_retry_after = 5s;
  options.retry_statuses = {429, 500, 502, 503, 504};
  options.max_body = 1024UL * 1024;
  return options;
}

class S3Sink final : public Sink {
 public:
  explicit S3Sink(Session& session) : m_session(session), m_endpoint(s3_endpoint(session)), m_region(region()) {
    const std::string format = text::lower(trimmed(session.setting("ingest_s3_format")));
    if (!format.empty() && format != "jsonl" && format != "csv") {
      throw s3_settings_error("ingest_s3_format is '" + format + "'", "Write jsonl or csv");
    }
    m_csv = format == "csv";
    read_keys();
    m_client = http::make_client(client_options());
  }

  void write(const Batch& batch) override {
    const S3Place place = s3_place(batch.target);
    const std::string key = next_key(batch, place);
    http::Request request{.method = "PUT",
                          .url = m_endpoint.object(place.bucket, key),
                          .headers = {{"Content-Type", m_csv ? "text/csv; charset=utf-8" : "application/x-ndjson"}},
                          .body = m_csv ? csv_of(batch) : json_lines_of(batch)};
    request.headers.emplace_back("x-amz-content-sha256", sha256_hex(request.body));
    if (!m_token.empty()) {
      request.secret_headers = {{"x-amz-security-token", m_token}};
    }
    request.signature = http::Signature{"aws:amz:" + m_region + ":s3", m_access_key, m_secret_key};
    const std::string object = "s3://" + place.bucket + "/" + key;
    http::Response response;
    try {
      response = m_client->send(request);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unreachable && error.kind() != ErrorKind::too_large) {
        throw;
      }
      throw s3_no_answer(object, error.text().why);
    }
    if (response.status < 200 || response.status >= 300) {
      throw s3_refusal(object, place.bucket, response);
    }
  }

 private:
  [[nodiscard]] std::string first_of(const char* setting, std::initializer_list<const char*> variables) const {
    return s3_setting(m_session, setting, variables);
  }

  [[nodiscard]] std::string region() const {
    const std::string asked = first_of("ingest_s3_region", {"AWS_REGION", "AWS_DEFAULT_REGION"});
    return asked.empty() ? "us-east-1" : asked;
  }

  /// Keys of one origin only: a token of the environment does not belong to the keys of the settings.
  void read_keys() {
    m_access_key = first_of("ingest_s3_access_key", {});
    m_secret_key = first_of("ingest_s3_secret_key", {});
    m_token = first_of("ingest_s3_session_token", {});
    if (m_access_key.empty() && m_secret_key.empty()) {
      m_access_key = first_of("", {"AWS_ACCESS_KEY_ID"});
      m_secret_key = first_of("", {"AWS_SECRET_ACCESS_KEY"});
      m_token = m_token.empty() ? first_of("", {"AWS_SESSION_TOKEN"}) : m_token;
    }
    if (m_access_key.empty() || m_secret_key.empty()) {
      throw s3_settings_error(
          m_access_key.empty() && m_secret_key.empty() ? "there are no keys, neither in the settings nor in AWS_*"
                                                       : "one of the access key and the secret key is missing",
          "Give both ingest_s3_access_key and ingest_s3_secret_key (best as secrets of the job), or both "
          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    }
  }

  /// The step is the job's own, whatever templates it runs: a run that is resumed there begins with 1 again and
  /// replaces what the failed attempt left.
  std::string next_key(const Batch& batch, const S3Place& place) {
    const std::string folder = place.prefix + key_part(batch.table.empty() ? m_session.request.job.name : batch.table) +
                               "/" + key_part(m_session.request.ids.execution_id) + "/" +
                               key_part(m_session.step.empty() ? "no step" : m_session.step) + "/";
    std::array<char, 24> number{};
    std::snprintf(number.data(), number.size(), "%06zu", ++m_numbers[place.bucket + "/" + folder]);
    return folder + number.data() + (m_csv ? ".csv" : ".jsonl");
  }

  Session& m_session;
  S3Endpoint m_endpoint;
  std::string m_region;
  std::string m_access_key;
  std::string m_secret_key;
  std::string m_token;
  bool m_csv = false;
  std::unique_ptr<http::Client> m_client;
  std::map<std::string, std::size_t> m_numbers;  ///< of the last object in each folder
};

}  // namespace

std::unique_ptr<Sink> make_s3_sink(Session& session) { return std::make_unique<S3Sink>(session); }

}  // namespace vdk::run
