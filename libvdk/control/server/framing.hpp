// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Where a request ends. Strict on purpose: what two readers could understand differently is refused.
namespace vdk::control::rest {

/// What the transport must know of a head.
struct Framing {
  int status = 0;   ///< not 0: refuse the request with this status
  std::string why;  ///< and this reason
  std::size_t content_length = 0;
  bool chunked = false;
  bool expects_continue = false;
  std::string head;  ///< the head without the lines that the transport has dealt with
};
/// `head` ends with the empty line.
[[nodiscard]] Framing frame(std::string_view head);

/// Takes a chunked body apart as it arrives.
class ChunkDecoder {
 public:
  enum class State { more, done, broken };
  /// Consumes whole pieces from the front of `input` and appends their content to `body`.
  State decode(std::string& input, std::string& body);

 private:
  enum class Part { size, data, data_end, trailer };
  Part m_part = Part::size;
  std::size_t m_left = 0;
  std::size_t m_trailer = 0;
};

}  // namespace vdk::control::rest
