// SPDX-License-Identifier: Apache-2.0
#include "run/stores.hpp"

#include <nlohmann/json.hpp>

#include "run/python/text.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// {"TEAM_JOB__": {...}} as it lies in the file; empty when nobody has written yet.
Json read_jobs(const fs::path& file) {
  const std::string content = files::read_if_exists(file).value_or("");
  if (text::trim(content).empty()) {
    return Json::object();
  }
  const auto jobs = parse_exact(content);
  if (!jobs || !jobs->is_object()) {
    throw Error(ErrorKind::configuration,
                {"cannot read properties from '" + file.string() + "'", "the file is not one JSON object",
                 "no property is read or written",
                 "Correct the file, or name another one with fs_properties_directory and fs_properties_filename"});
  }
  return *jobs;
}

unsigned mode_of(const fs::path& file) {
  std::error_code error;
  const fs::perms found = fs::status(file, error).permissions();
  return error || found == fs::perms::unknown ? 0600U : static_cast<unsigned>(found) & 0777U;
}

}  // namespace

void MemoryStore::write_all(const std::string& json_object) {
  if (!m_warned) {
    m_lines.warning("the " + m_name +
                    " are kept in memory only and are gone when this run ends; deploy the job to keep them");
    m_warned = true;
  }
  m_content = json_object;
}

std::string FileStore::read_all() {
  const Json jobs = read_jobs(m_file);
  const auto own = jobs.find(m_key);
  if (own == jobs.end()) {
    return "{}";
  }
  if (!own->is_object()) {
    throw Error(ErrorKind::configuration,
                {"cannot read properties from '" + m_file.string() + "'", "'" + m_key + "' in it is no JSON object",
                 "no property is read", "Correct the file"});
  }
  return dump_exact(*own);
}

void FileStore::write_all(const std::string& json_object) {
  // Jobs that run at the same time share the file.
  const auto lock = files::FileLock::acquire(m_file.parent_path() / ("." + m_file.filename().string() + ".lock"));
  Json jobs = read_jobs(m_file);
  jobs[m_key] = read_exact(json_object);
  files::write_atomic(m_file, dump_exact(jobs), mode_of(m_file));
}

Error UnknownStore::failure() const {
  const std::string known = m_name == "properties" ? "default, memory, fs-properties-client" : "default, memory";
  return Error(ErrorKind::configuration,
               {"cannot use the job's " + m_name,
                m_name + "_default_type is '" + m_kind + "', and neither vdk nor an installed plugin has that kind",
                "no " + m_name + " are read or written",
                "Set " + m_name + "_default_type to one of " + known + ", or install the plugin"});
}

std::string UnknownStore::read_all() { throw failure(); }
void UnknownStore::write_all(const std::string& /*json_object*/) { throw failure(); }

}  // namespace vdk::run
