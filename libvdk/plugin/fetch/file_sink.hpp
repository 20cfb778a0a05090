// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vdk/core/hash.hpp"
#include "vdk/core/http.hpp"
#include "vdk/plugin/provider.hpp"

namespace vdk::plugin {

/// Writes what comes into the destination of a request, hashed and counted on the way; goes on where a broken answer
/// ended when its ETag is strong. The file is removed again unless finish() was reached.
class FileSink final : public http::Sink {
 public:
  FileSink(const FetchRequest& request, std::string address);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  void prepare(http::Headers& headers) override;
  [[nodiscard]] bool begin(const http::Response& head) override;
  void write(std::string_view bytes) override;

  /// Throw away what came, for another try from the start.
  void restart();
  /// The file is complete and stays.
  [[nodiscard]] Fetched finish();
  /// The file's first bytes, as many as were kept (512).
  [[nodiscard]] const std::string& head() const noexcept { return m_head; }
  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }
  [[nodiscard]] bool resumes() const noexcept { return m_asked_range; }
  /// Throws Error(too_large) when a file of that size is over the limit.
  void require_room(std::uint64_t size) const;

 private:
  const FetchRequest& m_request;
  std::string m_address;  ///< for messages, redacted
  std::uint64_t m_limit;
  int m_fd = -1;
  std::uint64_t m_size = 0;
  std::uint64_t m_total = 0;  ///< expected size, 0 = unknown
  Digest m_digest;
  std::string m_etag;  ///< strong one of the answer that is being read
  std::string m_head;
  bool m_asked_range = false;
  bool m_finished = false;
};

/// The strong ETag of an answer, else nothing.
[[nodiscard]] std::string strong_etag(const http::Response& response);

}  // namespace vdk::plugin
