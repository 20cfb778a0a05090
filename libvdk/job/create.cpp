// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "vdk/config/ini.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"
#include "vdk/core/text.hpp"
#include "vdk/job/job.hpp"

namespace vdk::job {
namespace {

namespace fs = std::filesystem;

fs::path template_root() { return files::share_directory() / "templates" / "job"; }

/// The user's own sample folder, when one is set.
std::optional<fs::path> own_sample() {
  const auto given = process::environment("VDK_CONTROL_SAMPLE_JOB_DIRECTORY");
  return given && !given->empty() ? std::optional<fs::path>(*given) : std::nullopt;
}

fs::path template_directory(const std::string& name) {
  if (const auto own = own_sample(); own && name == "default") {
    if (!fs::is_directory(*own)) {
      throw Error(ErrorKind::configuration,
                  {"cannot create the job from the sample '" + own->string() + "'", "It is not a folder.",
                   "No job was created.", "Correct or unset VDK_CONTROL_SAMPLE_JOB_DIRECTORY."});
    }
    return *own;
  }
  const auto names = template_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const auto near = text::nearest(name, names);
    throw Error(ErrorKind::usage, {"cannot find the job template '" + name + "'",
                                   "The templates are " + text::quoted_list(names) + ".", "No job was created.",
                                   near ? "Did you mean '" + *near + "'?" : "Choose one of them with --template."});
  }
  return template_root() / name;
}

void check_free(const fs::path& target, const fs::path& parent) {
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored)) {
    throw Error(ErrorKind::not_found,
                {"cannot create the job in '" + parent.string() + "'", "There is no such folder.",
                 "No job was created.", "Create the folder first, or give another one with --path."});
  }
  if (fs::symlink_status(target, ignored).type() != fs::file_type::not_found) {
    throw Error(ErrorKind::conflict, {"cannot create the job '" + target.string() + "'", "The path exists already.",
                                      "Nothing in it was changed.", "Choose another name or another --path."});
  }
}

/// Only files of the top level are copied, as the original does with a sample of one's own.
void copy_files(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.is_regular_file()) {
      const unsigned mode = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none ? 0755 : 0644;
      files::write_atomic(to / entry.path().filename(), files::read(entry.path()), mode);
    }
  }
}

/// Rewrites the first `team =` line, keeping the rest; a file without one gets an [owner] section.
void write_team(const fs::path& config_file, const std::string& team) {
  const std::string content = files::read_if_exists(config_file).value_or("");
  const std::string line = "team = " + text::replace_all(team, "%", "%%");
  std::string result;
  bool done = false;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t newline = content.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? content.size() : newline + 1;
    const std::string_view old = std::string_view(content).substr(begin, end - begin);
    const std::string_view key = text::trim(old.substr(0, old.find_first_of("=:")));
    if (!done && key == "team" && old.find_first_of("=:") != std::string_view::npos) {
      result += line + "\n";
      done = true;
    } else {
      result += old;
    }
    begin = end;
  }
  if (!done) {
    result += (result.empty() || result.ends_with('\n') ? "" : "\n") + std::string("[owner]\n") + line + "\n";
  }
  (void)config::IniFile::parse(result, config_file.string());  // a team that breaks the file is refused here
  files::write_atomic(config_file, result);
}

void check_team(const std::string& team) {
  if (team.find_first_of("\r\n") != std::string::npos || !text::is_valid_utf8(team)) {
    throw Error(ErrorKind::usage, {"cannot use the team '" + team + "'", "It is not one line of UTF-8 text.",
                                   "No job was created.", "Give another team with --team."});
  }
}

}  // namespace

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(template_root(), error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      names.push_back(entry->path().filename().string());
    }
  }
  if (own_sample() && std::find(names.begin(), names.end(), "default") == names.end()) {
    names.emplace_back("default");
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path create(const CreateOptions& options) {
  validate_name(options.name);
  check_team(options.team);
  const fs::path parent = fs::absolute(options.parent.empty() ? fs::path(".") : options.parent).lexically_normal();
  const fs::path target = parent / options.name;
  check_free(target, parent);
  const fs::path source = template_directory(options.template_name);
  files::TemporaryDirectory staging(parent, ".vdk-create");
  if (options.fill) {
    if (const auto settings = files::read_if_exists(source / "config.ini")) {
      files::write_atomic(staging.path() / "config.ini", *settings);
    }
    options.fill(staging.path());
  } else {
    copy_files(source, staging.path());
  }
  write_team(staging.path() / "config.ini", options.team);
  fs::permissions(staging.path(), fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                                      fs::perms::others_read | fs::perms::others_exec);
  if (std::rename(staging.path().c_str(), target.c_str()) != 0) {
    throw system_error("cannot create the job '" + target.string() + "'", errno);
  }
  staging.keep();
  files::sync_directory(parent);
  return target;
}

}  // namespace vdk::job
