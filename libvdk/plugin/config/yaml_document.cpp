// SPDX-License-Identifier: Apache-2.0
#include "plugin/config/yaml_document.hpp"

#include <algorithm>

#include "vdk/config/secrets.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin::yaml {
namespace {

bool is_empty(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

std::string kind_of(const YAML::Node& node) {
  return node.IsMap() ? "a section with keys" : node.IsSequence() ? "a list" : "one value";
}

/// yaml-cpp's words with a small letter, as the rest of our sentences.
std::string plain(std::string message) {
  if (message.starts_with("yaml-cpp: ")) {
    message.erase(0, message.find(": ") + 2);
  }
  return message;
}

}  // namespace

Document::Document(const std::filesystem::path& file, std::vector<Problem>& problems, std::uint64_t max_bytes)
    : m_file(file), m_problems(problems), m_root(YAML::NodeType::Undefined) {
  const std::string content = files::read(file);
  const SourceLocation start{file.string(), 0, 0, 1, {}};
  if (content.size() > max_bytes) {
    error(start, "the file has " + std::to_string(content.size()) + " bytes; at most " + std::to_string(max_bytes) +
                     " are read");
    return;
  }
  if (!text::is_valid_utf8(content)) {
    error(start, "the file is not UTF-8 text", "is it the right file?");
    return;
  }
  m_lines = text::lines(content);
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(content);
    if (documents.size() > 1) {
      error(where(documents[1].Mark()), "a second YAML document begins here", "remove the line --- and what follows");
      return;
    }
    if (documents.empty() || is_empty(documents.front())) {
      error(start, "the file is empty");
    } else if (!documents.front().IsMap()) {
      error(where(documents.front().Mark()), "the file must consist of KEY: VALUE lines");
    } else {
      m_root.reset(documents.front());
    }
  } catch (const YAML::Exception& problem) {
    error(where(problem.mark), "this is not YAML: " + plain(problem.msg),
          "check the indentation and the quotes of this line and the one above");
  }
}

SourceLocation Document::where(const YAML::Mark& mark, std::size_t length) const {
  if (mark.is_null()) {
    return {m_file.string(), 0, 0, 1, {}};
  }
  const auto line = static_cast<std::size_t>(mark.line);
  return {.file = m_file.string(),
          .line = line + 1,
          .column = static_cast<std::size_t>(mark.column) + 1,
          .length = std::max<std::size_t>(length, 1),
          .text = line < m_lines.size() ? vdk::config::mask_line(m_lines[line]) : std::string()};
}

void Document::error(const SourceLocation& where, std::string message, std::string hint) {
  m_problems.push_back({Problem::Severity::error, where, std::move(message), std::move(hint)});
}

void Document::warning(const SourceLocation& where, std::string message, std::string hint) {
  m_problems.push_back({Problem::Severity::warning, where, std::move(message), std::move(hint)});
}

Section::Section(Document& document, const YAML::Node& node, std::string what, const std::vector<std::string>& known)
    : m_document(document), m_what(std::move(what)), m_where(document.where(node.Mark())) {
  if (is_empty(node)) {
    return;
  }
  if (!node.IsMap()) {
    document.error(m_where, m_what + " must be a section with keys, not " + kind_of(node),
                   "it has " + text::quoted_list(known));
    return;
  }
  for (const auto& item : node) {
    const SourceLocation at = document.where(item.first.Mark(), item.first.IsScalar() ? item.first.Scalar().size() : 1);
    if (!item.first.IsScalar()) {
      document.error(at, "a key must be a word", "write KEY: VALUE");
      continue;
    }
    std::string key = item.first.Scalar();
    const auto same = [&](const std::string& one) { return text::lower(one) == text::lower(key); };
    const auto found = std::find_if(known.begin(), known.end(), same);
    if (found == known.end()) {
      const auto near = text::nearest(text::lower(key), known);
      document.error(at, "unknown key '" + key + "' in " + m_what,
                     near ? "did you mean '" + *near + "'?" : "it has " + text::quoted_list(known));
      continue;
    }
    if (*found != key) {
      document.warning(at, "the key '" + key + "' is written '" + *found + "'");
      key = *found;
    }
    if (!m_entries.emplace(key, Entry{item.second, at}).second) {
      document.error(at, "the key '" + key + "' stands in " + m_what + " a second time", "keep one of the two");
    }
  }
}

const Section::Entry* Section::find(const std::string& key) const {
  const auto found = m_entries.find(key);
  return found == m_entries.end() || is_empty(found->second.value) ? nullptr : &found->second;
}

SourceLocation Section::where(const std::string& key) const {
  const auto found = m_entries.find(key);
  if (found == m_entries.end()) {
    return m_where;
  }
  const YAML::Node& value = found->second.value;
  if (is_empty(value)) {
    return found->second.key;
  }
  return m_document.where(
      value.Mark(), value.IsScalar() ? value.Scalar().find('\n') == std::string::npos ? value.Scalar().size() : 1 : 1);
}

std::string Section::text(const std::string& key, std::string fallback) {
  const Entry* entry = find(key);
  if (entry == nullptr) {
    return fallback;
  }
  if (!entry->value.IsScalar()) {
    error(key, "'" + key + "' must be one value, not " + kind_of(entry->value), "write " + key + ": TEXT");
    return fallback;
  }
  if (entry->value.Scalar().find('\0') != std::string::npos) {
    error(key, "'" + key + "' holds a NUL character");
    return fallback;
  }
  return entry->value.Scalar();
}

std::string Section::required(const std::string& key, const std::string& example) {
  std::string value = text(key);
  const Entry* entry = find(key);
  if (value.empty() && (entry == nullptr || entry->value.IsScalar())) {
    error(key, "'" + key + "' is missing in " + m_what, "write for example " + key + ": " + example);
  }
  return value;
}

bool Section::flag(const std::string& key, bool fallback) {
  const std::string value = text(key);
  if (value.empty()) {
    return fallback;
  }
  const auto parsed = text::parse_bool(value);
  if (!parsed) {
    error(key, "'" + key + "' must be true or false, not '" + value + "'");
  }
  return parsed.value_or(fallback);
}

std::int64_t Section::integer(const std::string& key, std::int64_t fallback, std::int64_t lowest,
                              std::int64_t highest) {
  const std::string value = text(key);
  if (value.empty()) {
    return fallback;
  }
  const auto parsed = text::parse_int(value);
  if (!parsed || *parsed < lowest || *parsed > highest) {
    error(key, "'" + key + "' must be a whole number from " + std::to_string(lowest) + " to " +
                   std::to_string(highest) + ", not '" + value + "'");
    return fallback;
  }
  return *parsed;
}

std::vector<std::string> Section::texts(const std::string& key) {
  const Entry* entry = find(key);
  if (entry == nullptr) {
    return {};
  }
  if (entry->value.IsScalar()) {
    return {text(key)};
  }
  std::vector<std::string> values;
  for (const YAML::Node& item : items(key)) {
    if (item.IsScalar() && item.Scalar().find('\0') == std::string::npos) {
      values.push_back(item.Scalar());
    } else {
      m_document.error(m_document.where(item.Mark()), "'" + key + "' is a list of texts");
    }
  }
  return values;
}

std::vector<YAML::Node> Section::items(const std::string& key) {
  const Entry* entry = find(key);
  if (entry == nullptr) {
    return {};
  }
  if (!entry->value.IsSequence()) {
    error(key, "'" + key + "' must be a list, not " + kind_of(entry->value), "begin each item with '- '");
    return {};
  }
  return {entry->value.begin(), entry->value.end()};
}

void Section::error(const std::string& key, std::string message, std::string hint) {
  m_document.error(where(key), std::move(message), std::move(hint));
}

void Section::warning(const std::string& key, std::string message, std::string hint) {
  m_document.warning(where(key), std::move(message), std::move(hint));
}

}  // namespace vdk::plugin::yaml
