// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace vdk::plugin {

/// CRC-32C (Castagnoli) of bytes that come in pieces: what Google's storage keeps for every object. zlib's is another.
class Crc32c {
 public:
  void update(std::string_view bytes) noexcept {
    for (const char c : bytes) {
      m_state = k_table[(m_state ^ static_cast<unsigned char>(c)) & 255U] ^ (m_state >> 8U);
    }
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return ~m_state; }

 private:
  static constexpr std::array<std::uint32_t, 256> k_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) {
        value = (value & 1U) != 0 ? (value >> 1U) ^ 0x82F63B78U : value >> 1U;
      }
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t m_state = ~0U;
};

}  // namespace vdk::plugin
