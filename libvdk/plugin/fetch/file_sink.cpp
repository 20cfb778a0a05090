// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/file_sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

constexpr std::size_t k_head_bytes = 512;

std::uint64_t announced(const http::Response& head) {
  const auto length = text::parse_int(head.header("Content-Length").value_or(""));
  return length && *length > 0 ? static_cast<std::uint64_t>(*length) : 0;
}

}  // namespace

std::string strong_etag(const http::Response& response) {
  const std::string etag = response.header("ETag").value_or("");
  return etag.size() > 2 && etag.starts_with('"') && etag.ends_with('"') ? etag : std::string();
}

FileSink::FileSink(const FetchRequest& request, std::string address)
    : m_request(request),
      m_address(std::move(address)),
      m_limit(request.max_bytes == 0 ? Limits{}.download_bytes : request.max_bytes) {
  m_fd = ::open(request.destination.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (m_fd < 0) {
    throw system_error("cannot create '" + request.destination.string() + "'", errno,
                       "Check that its folder exists and is writable.");
  }
}

FileSink::~FileSink() {
  ::close(m_fd);
  if (!m_finished) {
    ::unlink(m_request.destination.c_str());
  }
}

void FileSink::prepare(http::Headers& headers) {
  m_asked_range = m_size > 0 && !m_etag.empty();
  if (m_asked_range) {
    headers.emplace_back("Range", "bytes=" + std::to_string(m_size) + "-");
    headers.emplace_back("If-Range", m_etag);
  }
}

bool FileSink::begin(const http::Response& head) {
  if (head.status == 206 && m_asked_range) {
    const std::string range = head.header("Content-Range").value_or("");
    if (strong_etag(head) != m_etag || !text::lower(range).starts_with("bytes " + std::to_string(m_size) + "-")) {
      throw Error(ErrorKind::platform, {.what = "the answer from " + m_address + " cannot be put together",
                                        .why = "the server sent another part of the file than it was asked for",
                                        .consequences = "What came is not used.",
                                        .countermeasures = "Try again; if it stays, look at the server."});
    }
    require_room(m_size + announced(head));
    return true;
  }
  if (head.status != 200) {
    return false;
  }
  restart();
  m_etag = strong_etag(head);
  m_total = announced(head);
  require_room(m_total);
  return true;
}

void FileSink::write(std::string_view bytes) {
  require_room(m_size + bytes.size());
  m_digest.update(bytes);
  if (m_head.size() < k_head_bytes) {
    m_head += bytes.substr(0, k_head_bytes - m_head.size());
  }
  m_size += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(m_fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      throw system_error("cannot write '" + m_request.destination.string() + "'", errno,
                         "Check that the disk is not full.");
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  if (m_request.progress) {
    m_request.progress(m_size, m_total);
  }
}

void FileSink::restart() {
  if (m_size > 0 && (::ftruncate(m_fd, 0) != 0 || ::lseek(m_fd, 0, SEEK_SET) != 0)) {
    throw system_error("cannot write '" + m_request.destination.string() + "'", errno, "Check the disk.");
  }
  m_size = 0;
  m_total = 0;
  m_digest = Digest();
  m_etag.clear();
  m_head.clear();
}

Fetched FileSink::finish() {
  m_finished = true;
  return {.sha256 = m_digest.hex(), .size = m_size, .pin = {}, .resolved = {}};
}

void FileSink::require_room(std::uint64_t size) const {
  if (size > m_limit) {
    throw Error(ErrorKind::too_large,
                {.what = m_address + " is too large",
                 .why = "it has more than the allowed " + std::to_string(m_limit) + " bytes",
                 .consequences = "It was not read to its end and is not used.",
                 .countermeasures = "If it has to be so large, raise the policy's limit for downloads."});
  }
}

}  // namespace vdk::plugin
