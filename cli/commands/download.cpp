// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/view/json.hpp"
#include "cli/view/terminal.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/log.hpp"
#include "vdk/job/archive.hpp"

namespace vdk::cli {
namespace {

std::filesystem::path destination(const ParsedCommand& command) {
  const std::filesystem::path path = std::filesystem::absolute(command.value_or("path", ".")).lexically_normal();
  if (!std::filesystem::is_directory(path)) {
    throw Error(ErrorKind::not_found, {"cannot download to " + path.string(), "this folder does not exist",
                                       "nothing was written", "make the folder, or give another one with --path"});
  }
  return path;
}

void print_path(const Context& context, const std::string& job, const std::filesystem::path& path) {
  if (context.json()) {
    print(dump_json({{"job_name", job}, {"path", path.string()}}) + "\n");
  }
}

}  // namespace

int run_download_job(const ParsedCommand& command, Context& context) {
  const std::string job = context.job_name();
  const std::filesystem::path parent = destination(command);
  const std::filesystem::path folder = parent / job;
  if (std::filesystem::exists(folder)) {
    throw Error(ErrorKind::conflict, {"cannot download data job " + job, folder.string() + " exists already",
                                      "nothing was written", "move it away, or give another folder with --path"});
  }
  log::info("Downloading data job " + job + " in " + folder.string() + " ...");
  const std::string zip = context.service().download(context.team_of(job), job);
  // Unpacked beside the destination and renamed, so that the folder appears whole or not at all.
  const files::TemporaryDirectory staging(parent, ".vdk-download");
  std::filesystem::rename(job::unpack(zip, staging.path() / "unpacked"), folder);
  log::info("Downloaded Data Job in " + folder.string());
  print_path(context, job, folder);
  return 0;
}

int run_download_key(const ParsedCommand& command, Context& context) {
  const std::string job = context.job_name();
  const std::filesystem::path file = destination(command) / (job + ".keytab");
  const std::string keytab = context.service().keytab(context.team_of(job), job);
  files::write_atomic(file, keytab, 0600);
  log::info("Saved keytab in " + file.string());
  print_path(context, job, file);
  return 0;
}

}  // namespace vdk::cli
