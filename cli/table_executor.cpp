// SPDX-License-Identifier: Apache-2.0
// The two phases of the program of a job that was made from a plugin.
#include "cli/command_table.hpp"

namespace vdk::cli {

std::vector<Command> executor_commands() {
  const Option output = {.long_name = "output",
                         .short_name = "o",
                         .metavar = "DIR",
                         .help =
                             "Folder that both phases share, for example a mounted volume. The word text or json is "
                             "the format of the result, as everywhere; give the option twice for both.",
                         .kind = OptionKind::repeat,
                         .completion = Completion::directory};
  return {
      {.name = "executor init",
       .summary = "Write what a plugin's program needs into a folder: the boot step.",
       .description =
           "Fetches the sources, properties and secrets of a job that was made from a plugin, fills in its macros, and "
           "puts DIR/in in place as a whole: assets, .env and .secret for a shell, .executor.json for `vdk executor "
           "run`. Needs no root; folders are 0700 and files 0600, and no secret is printed.",
       .examples = {{"vdk executor init --job daily-sales --output /data", "As an init container does."},
                    {"vdk executor init --job daily-sales --output /data --type hook --name row-count-check",
                     "For a hook of the job."}},
       .options =
           {{.long_name = "job", .metavar = "NAME", .help = "Name of the data job.", .completion = Completion::job},
            output,
            {.long_name = "team",
             .short_name = "t",
             .metavar = "TEAM",
             .help = "Team that owns the job; found by itself on the service of this machine.",
             .completion = Completion::team},
            {.long_name = "scheduled-at",
             .metavar = "TIME",
             .help = "Time that the run is for, as 2026-01-31T02:00:00Z; decides DSTART and DEND (default: now)."},
            {.long_name = "type",
             .metavar = "TYPE",
             .help = "What runs: the task or one of the hooks.",
             .choices = {"task", "hook"},
             .default_value = "task"},
            {.long_name = "name", .metavar = "HOOK", .help = "Name of the hook."},
            {.long_name = "arguments",
             .metavar = "JSON",
             .help = "JSON object of the run's arguments; one that is called like a setting replaces it."},
            {.long_name = "job-path",
             .short_name = "p",
             .metavar = "DIR",
             .help = "Take the job's files from this folder and not from the service.",
             .completion = Completion::directory},
            {.long_name = "data-stdin",
             .help = "Read properties, secrets and arguments as JSON from standard input.",
             .kind = OptionKind::flag,
             .hidden = true},
            {.long_name = "rest-api-url",
             .short_name = "u",
             .metavar = "URL",
             .help = "Base URL of a remote control service; without one the service on this machine is used.",
             .environment = "VDK_CONTROL_SERVICE_REST_API_URL"}},
       .exit_codes = {1, 4, 5, 8}},
      {.name = "executor run",
       .summary = "Become the program of a plugin, with what the boot step wrote.",
       .description =
           "Starts the plugin's entrypoint in place of vdk: SHELL -c SCRIPT, with the variables and secrets of "
           "DIR/in in its environment. No value passes through a shell on the way. The exit code is the "
           "program's.",
       .examples = {{"vdk executor run --output /data", "After `vdk executor init --output /data`."}},
       .options = {output,
                   {.long_name = "once",
                    .help = "Remove the files that hold secrets before the program starts.",
                    .kind = OptionKind::flag}},
       .exit_codes = {1, 5}},
  };
}

}  // namespace vdk::cli
