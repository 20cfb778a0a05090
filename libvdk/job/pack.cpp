// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "core/libarchive.hpp"
#include "job/entry_name.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::job {
namespace {

namespace fs = std::filesystem;
using namespace libarchive;

constexpr int deepest = 64;  // folders in folders; a link to a parent would otherwise never end

using Item = detail::PackItem;

Error pack_error(const std::string& why, const std::string& countermeasures) {
  return {ErrorKind::usage, {"cannot pack the data job", why, "Nothing was sent or deployed.", countermeasures}};
}

bool is_left_out(const std::string& name) {
  return name == ".git" || name == ".vdk" || name == "__pycache__" || text::lower(name).ends_with(".pyc");
}

/// Links are followed: what they lead to is part of the job, as in the original's archives.
void collect(const fs::path& directory, const std::string& prefix, int depth, std::vector<Item>& items) {
  if (depth > deepest) {
    throw pack_error("Folders are nested more than 64 deep below '" + directory.string() + "'.",
                     "Remove links that lead back to a parent folder.");
  }
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (is_left_out(name)) {
      continue;
    }
    std::error_code error;
    const fs::file_status status = fs::status(entry.path(), error);
    if (fs::is_directory(status)) {
      items.push_back({prefix + name + "/", entry.path(), false});
      collect(entry.path(), prefix + name + "/", depth + 1, items);
    } else if (!fs::is_regular_file(status)) {
      throw pack_error("'" + entry.path().string() + "' is neither a file nor a folder.", "Remove it from the job.");
    } else if (text::lower(name).ends_with(".keytab")) {
      throw pack_error("The job contains the key file '" + entry.path().string() + "'.",
                       "Move the key file out of the job's folder: credentials are never part of a job.");
    } else {
      const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
      items.push_back({prefix + name, entry.path(), executable});
    }
  }
}

void check_names(const std::vector<Item>& items) {
  detail::EntryNames names;
  for (const Item& item : items) {
    const std::string problem = is_safe_entry_name(item.name)
                                    ? names.add(item.name)
                                    : std::string("contains characters that archives cannot hold");
    if (!problem.empty()) {
      throw pack_error("The name '" + detail::printable(item.name) + "' " + problem + ".", "Rename the file.");
    }
  }
}

void check(const Writer& writer, long long result) {
  if (result < ARCHIVE_WARN) {
    const char* text = archive_error_string(writer.get());
    throw Error(ErrorKind::platform, {"cannot pack the data job", text == nullptr ? "Unknown failure." : text,
                                      "Nothing was sent or deployed.", "Try again; report it when it stays."});
  }
}

la_ssize_t append(archive* /*writer*/, void* target, const void* bytes, std::size_t count) {
  static_cast<std::string*>(target)->append(static_cast<const char*>(bytes), count);
  return static_cast<la_ssize_t>(count);
}

/// No time is set: the writer then puts down the zip epoch, 1980-01-01, in every time zone.
void write_item(const Writer& writer, const Item& item) {
  const Entry entry = make_entry();
  const bool folder = item.name.ends_with('/');
  const std::string content = folder ? std::string() : files::read(item.path);
  archive_entry_set_pathname(entry.get(), item.name.c_str());
  archive_entry_set_filetype(entry.get(), folder ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(entry.get(), folder || item.executable ? 0755 : 0644);
  archive_entry_set_uid(entry.get(), 0);
  archive_entry_set_gid(entry.get(), 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  check(writer, archive_write_header(writer.get(), entry.get()));
  if (!content.empty()) {
    check(writer, archive_write_data(writer.get(), content.data(), content.size()));
  }
  check(writer, archive_write_finish_entry(writer.get()));
}

}  // namespace

std::string detail::write_zip(const std::vector<PackItem>& items) {
  const Utf8Locale locale;
  std::string zip;
  const Writer writer = make_writer();
  check(writer, archive_write_set_format_zip(writer.get()));
  check(writer, archive_write_set_options(writer.get(), "zip:compression=deflate"));
  check(writer, archive_write_set_bytes_in_last_block(writer.get(), 1));
  check(writer, archive_write_open(writer.get(), &zip, nullptr, append, nullptr));
  for (const PackItem& item : items) {
    write_item(writer, item);
  }
  check(writer, archive_write_close(writer.get()));
  return zip;
}

std::string pack(const fs::path& directory, std::string_view root_name) {
  std::vector<Item> items = {{std::string(root_name) + "/", directory, false}};
  collect(directory, std::string(root_name) + "/", 0, items);
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
  check_names(items);
  return detail::write_zip(items);
}

}  // namespace vdk::job
