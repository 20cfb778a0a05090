// SPDX-License-Identifier: Apache-2.0
#include "control/server/framing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "vdk/core/text.hpp"

namespace vdk::control::rest {
namespace {

// The HTTP library's own limits of one line are a little higher.
constexpr std::size_t k_max_line = 8000;
constexpr std::size_t k_max_trailer = 8192;

bool is_token(std::string_view s) {
  constexpr std::string_view other = "!#$%&'*+-.^_`|~";
  return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           other.find(c) != std::string_view::npos;
  });
}

bool has_control_character(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20U && c != '\t') || byte == 0x7fU;
  });
}

Framing refused(int status, std::string why) {
  Framing result;
  result.status = status;
  result.why = std::move(why);
  return result;
}

/// Empty when the request line is fine.
std::string check_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    return "the request line is not METHOD TARGET VERSION";
  }
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(line.substr(0, first)) || target.empty() || target.find(' ') != std::string_view::npos) {
    return "the request line is not METHOD TARGET VERSION";
  }
  return version == "HTTP/1.1" || version == "HTTP/1.0" ? "" : "the protocol is not HTTP/1.1";
}

struct HeadReader {
  Framing result;
  int hosts = 0;
  bool has_length = false;

  /// The transport's own headers; false = the line is left out of the head.
  bool take(const std::string& name, std::string_view value) {
    if (name == "content-length") {
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (has_length || value.empty() || error != std::errc() || end != value.data() + value.size()) {
        result = refused(400, "Content-Length is not one plain number");
      }
      has_length = true;
      result.content_length = length;
      return true;
    }
    if (name == "transfer-encoding") {
      if (result.chunked || text::lower(value) != "chunked") {
        result = refused(501, "the only transfer encoding that this service knows is chunked");
      }
      result.chunked = true;
      return false;
    }
    if (name == "expect") {
      if (text::lower(value) != "100-continue") {
        result = refused(417, "the only expectation that this service knows is 100-continue");
      }
      result.expects_continue = true;
      return false;
    }
    hosts += name == "host" ? 1 : 0;
    // Parts of an answer and compression are not offered.
    return name != "range" && name != "if-range" && name != "accept-encoding";
  }
};

}  // namespace

Framing frame(std::string_view head) {
  HeadReader reader;
  bool first = true;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    if (has_control_character(line)) {
      return refused(400, "the head has control characters");
    }
    if (first) {
      if (line.size() > k_max_line) {
        return refused(414, "the address is longer than " + std::to_string(k_max_line) + " bytes");
      }
      if (const std::string why = check_request_line(line); !why.empty()) {
        return refused(400, why);
      }
      first = false;
    } else if (!line.empty()) {
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return refused(400, "a header line is not NAME: VALUE");
      }
      if (line.size() > k_max_line) {
        return refused(431, "one header is longer than " + std::to_string(k_max_line) + " bytes");
      }
      const bool keep = reader.take(text::lower(line.substr(0, colon)), text::trim(line.substr(colon + 1)));
      if (reader.result.status != 0) {
        return std::move(reader.result);
      }
      if (!keep) {
        continue;
      }
    }
    reader.result.head += line;
    reader.result.head += "\r\n";
  }
  if (reader.result.chunked && reader.has_length) {
    return refused(400, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (reader.hosts > 1) {
    return refused(400, "there is more than one Host header");
  }
  return std::move(reader.result);
}

ChunkDecoder::State ChunkDecoder::decode(std::string& input, std::string& body) {
  std::size_t at = 0;
  State state = State::more;
  while (state == State::more) {
    if (m_part == Part::data) {
      const auto count = std::min(m_left, input.size() - at);
      body.append(input, at, count);
      at += count;
      m_left -= count;
      if (m_left > 0) {
        break;
      }
      m_part = Part::data_end;
    }
    const auto end = input.find("\r\n", at);
    if (end == std::string::npos) {
      // A size line is short; without a limit its extensions could grow for ever.
      state = input.size() - at > 1024 ? State::broken : State::more;
      break;
    }
    const auto line = std::string_view(input).substr(at, end - at);
    at = end + 2;
    if (m_part == Part::data_end) {
      state = line.empty() ? State::more : State::broken;
      m_part = Part::size;
    } else if (m_part == Part::size) {
      const auto digits = text::trim(line.substr(0, line.find(';')));
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), m_left, 16);
      if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size()) {
        state = State::broken;
      }
      m_part = m_left == 0 ? Part::trailer : Part::data;
    } else {
      m_trailer += line.size();
      state = line.empty() ? State::done : m_trailer > k_max_trailer ? State::broken : State::more;
    }
  }
  input.erase(0, at);
  return state;
}

}  // namespace vdk::control::rest
