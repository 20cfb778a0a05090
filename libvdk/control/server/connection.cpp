// SPDX-License-Identifier: Apache-2.0
#include "control/server/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace vdk::control::rest {
namespace {

constexpr std::size_t k_piece = 64UL << 10;
constexpr std::size_t k_keep = 16UL << 10;  ///< a buffer that grew larger is given back after the request

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

/// As TlsSession::read and ::write answer.
long receive_plain(int fd, char* target, std::size_t size) {
  long count = 0;
  do {
    count = ::recv(fd, target, size, 0);
  } while (count < 0 && errno == EINTR);
  return count >= 0 ? count : would_block() ? -1 : 0;
}

long send_plain(int fd, std::string_view bytes) {
  long count = 0;
  do {
    count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count > 0 ? count : would_block() ? -1 : 0;
}

}  // namespace

Reactor::Connection::~Connection() {
  tls.reset();  // says goodbye, for which it needs the socket
  ::close(fd);
}

long Reactor::Connection::receive() {
  const auto before = input.size();
  // A head is small; a body may come in large pieces.
  const std::size_t piece = phase == Phase::body ? k_piece : 4096;
  input.resize(before + piece);
  const long count = tls ? tls->read(input.data() + before, piece) : receive_plain(fd, input.data() + before, piece);
  input.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
  return count;
}

bool Reactor::Connection::send() {
  while (written < output.size()) {
    const std::string_view rest = std::string_view(output).substr(written);
    const long count = tls ? tls->write(rest.data(), rest.size()) : send_plain(fd, rest);
    if (count <= 0) {
      return count < 0;
    }
    written += static_cast<std::size_t>(count);
  }
  return true;
}

void Reactor::Connection::send_now(std::string_view bytes) {
  if (tls) {
    (void)!tls->write(bytes.data(), bytes.size());
  } else {
    (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

void Reactor::Connection::end_output() {
  if (tls) {
    tls->close_notify();
  }
  ::shutdown(fd, SHUT_WR);
}

bool Reactor::Connection::discard() {
  input.clear();
  std::array<char, 16384> buffer{};
  for (int turn = 0; turn < 64; ++turn) {
    const long count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count == 0 || (count < 0 && errno != EINTR && !would_block())) {
      return false;
    }
    if (count < 0 && would_block()) {
      return true;
    }
  }
  return false;  // a peer that goes on sending has had its chance to read the answer
}

void Reactor::Connection::skip_empty_lines() {
  std::size_t at = 0;
  while (input.compare(at, 2, "\r\n") == 0) {
    at += 2;
  }
  if (at > 0) {
    input.erase(0, at);
    scanned = 0;
  }
}

void Reactor::Connection::begin_body(Framing&& with, std::chrono::steady_clock::time_point until) {
  framing = std::move(with);
  chunks = {};
  body.clear();
  scanned = 0;
  phase = Phase::body;
  deadline = until;
}

bool Reactor::Connection::take_body() {
  if (framing.chunked) {
    const auto state = chunks.decode(input, body);
    broken = state == ChunkDecoder::State::broken;
    return state == ChunkDecoder::State::done;
  }
  if (framing.content_length == 0) {
    return true;
  }
  if (body.empty() && input.size() >= framing.content_length) {
    body = input.substr(0, framing.content_length);
    input.erase(0, framing.content_length);
    return true;
  }
  const auto count = std::min(framing.content_length - body.size(), input.size());
  body.append(input, 0, count);
  input.erase(0, count);
  return body.size() == framing.content_length;
}

void Reactor::Connection::next_request(std::chrono::steady_clock::time_point until) {
  phase = Phase::head;
  started = false;
  answered = true;
  deadline = until;
  written = 0;
  for (std::string* buffer : {&input, &output, &body}) {
    if (buffer != &input) {
      buffer->clear();
    }
    if (buffer->capacity() > k_keep && buffer->size() < k_keep) {
      buffer->shrink_to_fit();
    }
  }
}

std::string_view Reactor::Connection::request_line() const {
  return std::string_view(framing.head).substr(0, framing.head.find("\r\n"));
}

}  // namespace vdk::control::rest
