// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "plugin/unpack/kind.hpp"
#include "plugin/unpack/sink.hpp"

struct archive;

namespace vdk::plugin::detail {

/// A file's bytes with exactly one compression taken off. Throws job::detail::archive_error for damage, for bytes
/// behind the compressed ones and for what grows beyond the budget.
class Stream {
 public:
  Stream(const std::filesystem::path& file, Packing packing, const Limits& limits);
  /// The first 512 bytes, fewer when there are no more. Does not take them.
  [[nodiscard]] std::string_view first_block();
  /// Further bytes, empty at the end.
  [[nodiscard]] std::string_view next();
  [[nodiscard]] std::uint64_t produced() const noexcept { return m_produced; }
  /// Where the zeros start that the bytes so far end with.
  [[nodiscard]] std::uint64_t zeros_from() const noexcept { return m_zeros_from; }

 private:
  [[nodiscard]] std::string_view read();
  void check_end();

  std::unique_ptr<archive, int (*)(archive*)> m_reader;
  std::uint64_t m_size;
  std::uint64_t m_most;
  Budget m_budget;
  std::string m_first;
  bool m_first_given = false;
  bool m_ended = false;
  std::uint64_t m_produced = 0;
  std::uint64_t m_zeros_from = 0;
};

/// Reads a tar to its very end.
void read_tar(Stream& stream, Sink& sink);

}  // namespace vdk::plugin::detail
