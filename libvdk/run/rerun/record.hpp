// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vdk::run {

using Texts = std::map<std::string, std::string>;

/// What a step needs of the process when it goes on behind another one.
struct Carry {
  std::string kind = "none";  ///< none = a fresh process does; saved = the snapshot; lost = it cannot be had again
  std::string snapshot;       ///< file name in the folder of snapshots
  long long bytes = 0;
  std::vector<std::pair<std::string, std::string>> lost;  ///< name, why it cannot be saved
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Carry, kind, snapshot, bytes, lost)

/// The last execution of one step: all that it depended on. Values are kept as salted hashes, sources as text.
struct StepRecord {
  std::string id;        ///< new for each execution
  std::string built_on;  ///< id of the record of the step before it: the chain that makes what follows a change run
  std::string name;
  std::string status;  ///< running, or a StepStatus
  std::string source;
  std::string environment;               ///< key into RunState::environments
  std::string module_names;              ///< hash of the names that can be imported from the job folder
  Texts modules;                         ///< path -> source of the job's modules that were loaded
  Texts read;                            ///< path -> stamp of files that it opened
  Texts written;                         ///< path -> "there" or "missing"
  Texts listed;                          ///< path -> stamp of folders that it listed
  Texts asked;                           ///< path -> its presence: it asked whether there is something
  Texts measured;                        ///< path -> size and time of a file, which it asked for
  Texts links;                           ///< path -> where the symbolic link led
  std::string folder;                    ///< the caller's working folder, when it used that
  Texts arguments, properties, secrets;  ///< name or * -> hash
  Texts variables;                       ///< of the environment: name -> hash; * = the names
  bool complete = true;                  ///< false: not everything that it read is known
  std::string why;                       ///< not
  Carry carry;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StepRecord, id, built_on, name, status, source, environment,
                                                module_names, modules, read, written, listed, asked, measured, links,
                                                folder, arguments, properties, secrets, variables, complete, why, carry)

/// What is known of the runs of one job folder.
struct RunState {
  int version = 1;
  std::string serial;  ///< new whenever all of it is written
  std::string job;
  std::string salt;
  std::string status;  ///< of the last run: running, success, error
  std::string execution_id, op_id;
  std::map<std::string, Texts> environments;
  Texts databases;                          ///< file -> stamp at the end of the last run; empty when it did not end
  Texts own_files;                          ///< file -> stamp, as the steps of the last run left what they wrote
  Texts left_files;                         ///< what steps wrote -> how it was when the last run ended, or "changed"
  Texts own_properties, own_secrets;        ///< name -> hash, as a step of the last run wrote them
  std::map<std::string, StepRecord> steps;  ///< by identity
  std::string atomic_step;                  ///< the step that runs with backups
  Texts backups;                            ///< database file -> copy from before that step; empty = there was none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunState, version, serial, job, salt, status, execution_id, op_id,
                                                environments, databases, own_files, left_files, own_properties,
                                                own_secrets, steps, atomic_step, backups)

}  // namespace vdk::run
