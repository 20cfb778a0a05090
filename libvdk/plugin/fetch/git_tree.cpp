// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/git_tree.hpp"

#include <exception>
#include <memory>

#include "core/libarchive.hpp"
#include "vdk/core/log.hpp"
#include "vdk/core/text.hpp"

namespace vdk::plugin {
namespace {

/// Contents are read in groups of so many bytes: few processes, little memory.
constexpr std::uint64_t k_group_bytes = 8U << 20U;

using namespace libarchive;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorKind::platform, {.what = "the git repository cannot be read",
                                    .why = why,
                                    .consequences = "Nothing of it is used.",
                                    .countermeasures = "Check the repository with: git fsck"});
}

/// Bytes of files, in their order, as `git cat-file --batch` gives them.
template <typename Take>
void read_blobs(GitCommand& git, const std::vector<const GitEntry*>& entries, const GitCommand::Limits& limits,
                const Take& take) {
  std::string ids;
  for (const GitEntry* entry : entries) {
    ids += entry->id + "\n";
  }
  const std::string out = git.run({"cat-file", "--batch"}, limits, ids);
  std::string_view rest = out;
  for (const GitEntry* entry : entries) {
    const std::string head = entry->id + " blob " + std::to_string(entry->size) + "\n";
    if (!rest.starts_with(head) || rest.size() < head.size() + entry->size + 1) {
      refuse("'" + entry->name + "' has other contents than its tree says");
    }
    take(*entry, rest.substr(head.size(), entry->size));
    rest.remove_prefix(head.size() + entry->size + 1);
  }
}

struct Target {
  FileSink* sink;
  std::exception_ptr thrown;
};

la_ssize_t append(archive* /*writer*/, void* data, const void* bytes, std::size_t count) {
  auto& target = *static_cast<Target*>(data);
  try {
    target.sink->write({static_cast<const char*>(bytes), count});
  } catch (...) {  // must not fly through libarchive
    target.thrown = std::current_exception();
    return -1;
  }
  return static_cast<la_ssize_t>(count);
}

void require(int status, const Writer& writer, const Target& target) {
  if (target.thrown) {
    std::rethrow_exception(target.thrown);
  }
  if (status < ARCHIVE_WARN) {
    const char* text = archive_error_string(writer.get());
    refuse(text == nullptr ? "a tar cannot be written" : text);
  }
}

void add(const Writer& writer, const Target& target, const GitEntry& item, std::string_view bytes) {
  const Entry entry = make_entry();
  archive_entry_set_pathname(entry.get(), item.name.c_str());
  archive_entry_set_uid(entry.get(), 0);
  archive_entry_set_gid(entry.get(), 0);
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (item.mode == "120000") {
    archive_entry_set_filetype(entry.get(), AE_IFLNK);
    archive_entry_set_symlink(entry.get(), std::string(bytes).c_str());
    archive_entry_set_perm(entry.get(), 0777);
    require(archive_write_header(writer.get(), entry.get()), writer, target);
    return;
  }
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), item.mode == "100755" ? 0755 : 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  require(archive_write_header(writer.get(), entry.get()), writer, target);
  if (archive_write_data(writer.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size())) {
    require(ARCHIVE_FATAL, writer, target);
  }
}

}  // namespace

std::vector<GitEntry> list_tree(GitCommand& git, const std::string& tree, const std::string& path, bool recursive,
                                const GitCommand::Limits& limits) {
  std::vector<std::string> arguments = {"ls-tree", "-z", "--long", "--full-tree"};
  if (recursive) {
    arguments.emplace_back("-r");
  }
  arguments.push_back(tree);
  if (!path.empty()) {
    arguments.insert(arguments.end(), {"--", path});
  }
  std::vector<GitEntry> entries;
  for (const std::string& line : text::split(git.run(arguments, limits), '\0')) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) {
      continue;  // behind the last NUL
    }
    std::vector<std::string> words;  // MODE TYPE ID SIZE, the size after several blanks
    for (const std::string& word : text::split(line.substr(0, tab), ' ')) {
      if (!word.empty()) {
        words.push_back(word);
      }
    }
    if (words.size() != 4) {
      refuse("git lists a tree in an unknown way");
    }
    entries.push_back({.mode = words[0],
                       .id = words[2],
                       .size = static_cast<std::uint64_t>(text::parse_int(words[3]).value_or(0)),
                       .name = line.substr(tab + 1)});
  }
  return entries;
}

void write_file(GitCommand& git, const GitEntry& entry, FileSink& sink, const GitCommand::Limits& limits) {
  sink.require_room(entry.size);
  read_blobs(git, {&entry}, limits, [&](const GitEntry& /*same*/, std::string_view bytes) { sink.write(bytes); });
}

void write_tar(GitCommand& git, const std::vector<GitEntry>& entries, FileSink& sink,
               const GitCommand::Limits& limits) {
  Target target{&sink, nullptr};
  const Writer writer = make_writer();
  require(archive_write_set_format_pax_restricted(writer.get()), writer, target);
  require(archive_write_open(writer.get(), &target, nullptr, append, nullptr), writer, target);
  std::vector<const GitEntry*> group;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  const auto flush = [&] {
    if (!group.empty()) {
      read_blobs(git, group, limits,
                 [&](const GitEntry& item, std::string_view content) { add(writer, target, item, content); });
    }
    group.clear();
    bytes = 0;
  };
  for (const GitEntry& entry : entries) {
    if (entry.mode == "160000") {
      log::warning("the submodule '" + entry.name + "' of a plugin's git repository is left out");
      continue;
    }
    sum += entry.size;
    sink.require_room(sum);  // before it is read into memory
    if (bytes + entry.size > k_group_bytes) {
      flush();
    }
    group.push_back(&entry);
    bytes += entry.size;
  }
  flush();
  require(archive_write_close(writer.get()), writer, target);
}

}  // namespace vdk::plugin
