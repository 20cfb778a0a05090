// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "run/ingest/http_client.hpp"
#include "run/ingest/ingest.hpp"
#include "run/ingest/rows.hpp"
#include "run/process/signals.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

std::string json_text(std::string_view s) { return nlohmann::json(s).dump(); }

}  // namespace

std::string json_object(const Batch& batch, std::size_t number, simdjson::dom::element row, const std::string& extra) {
  std::string out = "{" + extra;
  std::size_t at = 0;
  for (const auto value : cells_of(row)) {
    out += out.size() > 1 ? ", " : "";
    const std::optional<std::string> json = json_of(value);
    if (!json) {
      throw bad_rows(batch, place_of(number, batch.columns[at]) + " is infinite, for which JSON has no word",
                     "Replace infinite numbers before the rows are sent");
    }
    out += json_text(batch.columns[at]) + ": " + *json;
    ++at;
  }
  return out + "}";
}

namespace {

/// JSON lines: the original writes objects with nothing between them, which no reader can split.
class FileSink final : public Sink {
 public:
  explicit FileSink(Session& session) : m_session(session) {}
  void write(const Batch& batch) override {
    const std::string path = file_of(batch);
    std::string lines;
    std::size_t number = batch.first;
    for (const auto row : batch.rows.array) {
      lines += json_object(batch, number++, row) + "\n";
    }
    std::error_code error;
    const std::uintmax_t before = std::filesystem::exists(path, error) ? std::filesystem::file_size(path, error) : 0;
    std::ofstream file(path, std::ios::binary | std::ios::app);
    file << lines;
    file.close();
    if (!file) {
      if (!error && std::filesystem::is_regular_file(path, error)) {
        std::filesystem::resize_file(path, before, error);  // a part of the batch is worse than nothing of it
      }
      throw Error(ErrorKind::platform,
                  {"cannot write rows to '" + path + "'", "the file cannot be opened or the disk is full",
                   "the rows are not stored, and the step that sent them fails",
                   "Check that the folder exists and can be written"});
    }
  }

 private:
  [[nodiscard]] std::string file_of(const Batch& batch) const {
    std::string name = batch.target;
    if (name.empty()) {
      std::string time = format_time(m_session.clock.now()).substr(0, 10);
      name = (batch.table.empty() ? m_session.request.job.name : batch.table) + "." + time;
    }
    return name.ends_with(".json") || name.ends_with(".jsonl") ? name : name + ".json";
  }
  Session& m_session;
};

class HttpSink final : public Sink {
 public:
  void write(const Batch& batch) override {
    if (batch.target.empty()) {
      throw Error(ErrorKind::configuration,
                  {"cannot ingest rows over HTTP", "no target was given", "the rows are not sent, and the step fails",
                   "Pass target=\"https://...\" with the rows, or set ingest_target_default in config.ini"});
    }
    const bool named = std::find(batch.columns.begin(), batch.columns.end(), "@table") != batch.columns.end();
    if (!named && batch.table.empty()) {
      throw bad_rows(batch, "no destination_table was given and the rows have no @table",
                     "Pass destination_table with the rows");
    }
    const std::string extra = named ? std::string() : "\"@table\": " + json_text(batch.table);
    std::string body = "[";
    std::size_t number = batch.first;
    for (const auto row : batch.rows.array) {
      body += (body.size() > 1 ? ", " : "") + json_object(batch, number++, row, extra);
    }
    post(batch, body + "]");
  }

 private:
  static void post(const Batch& batch, const std::string& body) {
    constexpr int attempts = 6;
    auto wait = std::chrono::milliseconds(100);
    HttpAnswer answer;
    for (int attempt = 1; attempt <= attempts && SignalGuard::received() == 0; ++attempt) {
      answer = http_post(batch.target, body, "application/octet-stream");
      if (answer.status >= 200 && answer.status < 300) {
        return;
      }
      const bool worth_another_try = answer.status == 0 || answer.status == 429 || answer.status >= 500;
      if (!worth_another_try) {
        throw bad_rows(batch, "the server answered with status " + std::to_string(answer.status),
                       "Check the rows and the address they are sent to");
      }
      if (attempt < attempts) {
        std::this_thread::sleep_for(wait);
        wait *= 2;
      }
    }
    throw Error(ErrorKind::platform,
                {"cannot ingest rows over HTTP",
                 answer.status == 0 ? "no answer: " + answer.error
                                    : "the server answered with status " + std::to_string(answer.status),
                 "the rows of this batch may not be stored, and the step that sent them fails",
                 "Check that the server of the target works and can be reached"});
  }
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(Session& session) { return std::make_unique<FileSink>(session); }
std::unique_ptr<Sink> make_http_sink(Session& /*session*/) { return std::make_unique<HttpSink>(); }

}  // namespace vdk::run
