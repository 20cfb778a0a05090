// SPDX-License-Identifier: Apache-2.0
// The commands that work on a folder or on this machine's settings.
#include "cli/command_table.hpp"

namespace vdk::cli {
namespace {

Command run_command() {
  return {
      .name = "run",
      .summary = "Run a data job in this terminal.",
      .description =
          "Runs the steps (*.sql, *.py, tagged cells of *.ipynb) of a job folder in the order of their file names. "
          "The job need not be "
          "registered anywhere. Logs go to standard error. With --output json the result is the only thing on standard "
          "output, and what the steps print goes to standard error.",
      .examples = {{"vdk run my-job", "Run the job in the folder my-job."},
                   {"vdk run my-job --arguments '{\"day\": \"2024-01-31\"}'", "Hand arguments to the steps."},
                   {"vdk run my-job -o json", "Give the result of every step to a program."},
                   {"vdk run my-job --plan", "Show what changed since the last run and would run again."},
                   {"vdk run my-job --from-failed", "Go on at the step that failed."}},
      .positionals = {{"DIR", "Folder of the data job.", true, Completion::directory}},
      .options = {{.long_name = "arguments",
                   .metavar = "JSON",
                   .help = "JSON object that the steps read with get_arguments()."},
                  {.long_name = "plan",
                   .help = "Show which steps would run and why, and run nothing. Without another option: what "
                           "--changed would run.",
                   .kind = OptionKind::flag},
                  {.long_name = "changed",
                   .help = "Run from the first step that changed since the last run, or did not succeed.",
                   .kind = OptionKind::flag},
                  {.long_name = "from-failed",
                   .help = "Run from the step at which the last run ended.",
                   .kind = OptionKind::flag},
                  {.long_name = "from",
                   .metavar = "STEP",
                   .help = "Run from this step on; NOTEBOOK:CELL names a cell by its number or id."},
                  {.long_name = "only", .metavar = "STEP", .help = "Run this step alone."},
                  {.long_name = "full", .help = "Run all steps. This is the default.", .kind = OptionKind::flag},
                  {.long_name = "atomic-steps",
                   .help = "Put the SQLite databases back when a step fails, as they were before it.",
                   .kind = OptionKind::flag},
                  {.long_name = "events",
                   .metavar = "FD|FILE",
                   .help = "Write what happens as JSON lines to an open descriptor (3 or above) or a file, which "
                           "is replaced.",
                   .completion = Completion::file},
                  {.long_name = "log-format",
                   .metavar = "FORMAT",
                   .help = "Form of the log lines: text, or json for one object per line.",
                   .choices = {"text", "json"}},
                  {.long_name = "debug",
                   .short_name = "D",
                   .help = "Log everything, as --verbosity DEBUG does.",
                   .kind = OptionKind::flag}},
      .exit_codes = {1, 6, 130, 143}};
}

Command query_command(const std::string& name, const std::string& summary, const std::string& description) {
  const std::string example = "select * from cars";
  return {.name = name,
          .summary = summary,
          .description = description +
                         " Several statements are run in their order; the rows of the last one are shown. Settings "
                         "come from the environment and from config.ini of the current folder, where there is one.",
          .examples = {{"vdk " + name + " -q \"" + example + "\"", "Show what a job has stored."},
                       {"vdk " + name + " -o json -q \"" + example + "\"", "The same, as a list of JSON objects."}},
          .options = {{.long_name = "query", .short_name = "q", .metavar = "SQL", .help = "The query; needed."}},
          .exit_codes = {1}};
}

Command explain_command() {
  return {.name = "config explain",
          .summary = "Show settings, where each value comes from, and what it hides.",
          .description =
              "A setting comes from, strongest first: a flag, the environment (VDK_KEY), config.ini of the job, the "
              "user's defaults file, the built-in default. Secret values are masked.",
          .examples = {{"vdk config explain", "All settings that have a value."},
                       {"vdk config explain db_default_type -p my-job", "One setting as the job in my-job sees it."}},
          .positionals = {{"KEY", "Name of the setting; all when left out.", false, Completion::none}},
          .options = {{.long_name = "job-path",
                       .short_name = "p",
                       .metavar = "DIR",
                       .help = "Read config.ini of this job folder too (default: the current folder).",
                       .completion = Completion::directory}}};
}

std::vector<Command> hidden_commands() {
  return {
      {.name = "__execute",
       .summary = "Supervise one execution of the local target.",
       .description = "Started by the service only.",
       .positionals = {{"DIR", "Folder of the execution.", true, Completion::directory}},
       .hidden = true},
      {.name = "__session",
       .summary = "Serve the job_input of a Python program.",
       .description = "Started by the job SDK outside of a run. `sdk` prints the SDK's folder.",
       .positionals = {{"SOCKET", "Inherited descriptor, or sdk.", true, Completion::none}},
       .hidden = true},
      {.name = "__complete",
       .summary = "Print completions for a command line.",
       .description = "Called by the completion scripts.",
       .positionals = {{"WORDS", "The words typed so far, after --.", false, Completion::none, true}},
       .hidden = true},
      {.name = "__generate",
       .summary = "Write the files that are made from the command table.",
       .description = "KIND is man, completions, docs or server-keys.",
       .positionals = {{"KIND", "man, completions, docs or server-keys", true, Completion::none},
                       {"TARGET", "Folder, or file for docs and server-keys.", true, Completion::file}},
       .hidden = true},
  };
}

}  // namespace

std::vector<Command> local_commands() {
  std::vector<Command> commands = {
      run_command(),
      query_command("sql-query", "Run a query on the default database.",
                    "The database is the one that `db_default_type` names, SQLite where it names none."),
      query_command("sqlite-query", "Run a query on the SQLite database.",
                    "The database is the file that `sqlite_file` names, vdk-sqlite.db in the temporary folder where it "
                    "names none."),
      {.name = "set-default",
       .summary = "Set the default team or control service.",
       .description = "Stored in vdk-configuration.ini, which the original client reads too.",
       .examples = {{"vdk set-default -t my-team", "Use my-team where no team is given."}},
       .options = {{.long_name = "team",
                    .short_name = "t",
                    .metavar = "TEAM",
                    .help = "Default team.",
                    .completion = Completion::team},
                   {.long_name = "rest-api-url",
                    .short_name = "u",
                    .metavar = "URL",
                    .help = "Base URL of a remote control service."}}},
      {.name = "reset-default",
       .summary = "Forget the default team or control service.",
       .description = "Removes the value that set-default stored.",
       .examples = {{"vdk reset-default -u", "Go back to the service on this machine."}},
       .options =
           {{.long_name = "team", .short_name = "t", .help = "Forget the default team.", .kind = OptionKind::flag},
            {.long_name = "rest-api-url",
             .short_name = "u",
             .help = "Forget the default REST API URL.",
             .kind = OptionKind::flag}}},
      explain_command(),
      {.name = "config-help",
       .summary = "List every setting with its meaning.",
       .description = "Names, defaults and help of all settings, and how to set them.",
       .examples = {{"vdk config-help", "Read about all settings."}}},
      {.name = "schedule preview",
       .summary = "Show when a schedule is due next.",
       .description =
           "CRON has five fields (minute, hour, day of month, month, day of week) and is read in UTC. Quote it, or "
           "the shell replaces the stars.",
       .examples = {{"vdk schedule preview '30 2 * * 1-5'", "The next five times."},
                    {"vdk schedule preview '@hourly' -n 2 -o json", "The next two times as JSON."}},
       .positionals = {{"CRON", "The schedule in one quoted word.", true, Completion::none}},
       .options = {{.long_name = "count",
                    .short_name = "n",
                    .metavar = "COUNT",
                    .help = "How many times to show.",
                    .default_value = "5"}}},
      {.name = "version",
       .summary = "Show the version of vdk.",
       .description = "Also as vdk --version.",
       .examples = {{"vdk version", "Version and build details."}}},
  };
  for (Command& command : hidden_commands()) {
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace vdk::cli
