// SPDX-License-Identifier: Apache-2.0
#include "run/report/output_splitter.hpp"

namespace vdk::run {

namespace {
constexpr std::size_t k_longest_note = 8U << 20U;
}

OutputSplitter::OutputSplitter(std::string mark, Taker bytes, Taker note)
    : m_mark(std::move(mark)), m_bytes(std::move(bytes)), m_note(std::move(note)) {}

void OutputSplitter::feed(std::string_view more) {
  m_held.append(more);
  const std::string all = std::move(m_held);
  m_held.clear();
  std::size_t plain = 0;  // where the bytes begin that are not passed on yet
  std::size_t at = 0;
  const auto pass = [&](std::size_t end) {
    if (end > plain) {
      m_bytes(std::string_view(all).substr(plain, end - plain));
    }
  };
  while ((at = all.find(m_mark.front(), at)) != std::string::npos) {
    const std::string_view rest = std::string_view(all).substr(at);
    const bool whole = rest.starts_with(m_mark);
    if (!whole && !std::string_view(m_mark).starts_with(rest)) {
      ++at;
      continue;
    }
    const std::size_t end = whole ? all.find('\n', at) : std::string::npos;
    if (end == std::string::npos && rest.size() > k_longest_note) {
      at += m_mark.size();
      continue;
    }
    pass(at);
    if (end == std::string::npos) {
      m_held = rest;
      return;
    }
    m_note(std::string_view(all).substr(at + m_mark.size(), end - at - m_mark.size()));
    at = plain = end + 1;
  }
  pass(all.size());
}

void OutputSplitter::end() {
  if (!m_held.empty()) {
    m_bytes(m_held);
    m_held.clear();
  }
}

}  // namespace vdk::run
