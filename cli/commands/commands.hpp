// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/context.hpp"

namespace vdk::cli {

/// Runs one command; returns the exit code or throws vdk::Error.
using Handler = int (*)(const ParsedCommand& command, Context& context);
/// Nothing for a name that the table does not have.
[[nodiscard]] Handler find_handler(std::string_view name);

int run_create(const ParsedCommand& command, Context& context);
int run_deploy(const ParsedCommand& command, Context& context);
int run_execute(const ParsedCommand& command, Context& context);
int run_list(const ParsedCommand& command, Context& context);
int run_show(const ParsedCommand& command, Context& context);
int run_delete(const ParsedCommand& command, Context& context);
int run_download_job(const ParsedCommand& command, Context& context);
int run_download_key(const ParsedCommand& command, Context& context);
int run_properties(const ParsedCommand& command, Context& context);
int run_secrets(const ParsedCommand& command, Context& context);
int run_info(const ParsedCommand& command, Context& context);
int run_executor_init(const ParsedCommand& command, Context& context);
int run_executor_run(const ParsedCommand& command, Context& context);
int run_sql_query(const ParsedCommand& command, Context& context);
int run_sqlite_query(const ParsedCommand& command, Context& context);
int run_run(const ParsedCommand& command, Context& context);
int run_login(const ParsedCommand& command, Context& context);
int run_logout(const ParsedCommand& command, Context& context);
int run_auth_status(const ParsedCommand& command, Context& context);
int run_set_default(const ParsedCommand& command, Context& context);
int run_reset_default(const ParsedCommand& command, Context& context);
int run_config_explain(const ParsedCommand& command, Context& context);
int run_config_help(const ParsedCommand& command, Context& context);
int run_schedule_preview(const ParsedCommand& command, Context& context);
int run_server(const ParsedCommand& command, Context& context);
int run_server_fsck(const ParsedCommand& command, Context& context);
int run_server_backup(const ParsedCommand& command, Context& context);
int run_server_restore(const ParsedCommand& command, Context& context);
int run_plugin_install(const ParsedCommand& command, Context& context);
int run_plugin_list(const ParsedCommand& command, Context& context);
int run_plugin_info(const ParsedCommand& command, Context& context);
int run_plugin_outdated(const ParsedCommand& command, Context& context);
int run_plugin_upgrade(const ParsedCommand& command, Context& context);
int run_plugin_uninstall(const ParsedCommand& command, Context& context);
int run_plugin_verify(const ParsedCommand& command, Context& context);
int run_plugin_validate(const ParsedCommand& command, Context& context);
int run_plugin_vendor(const ParsedCommand& command, Context& context);
int run_plugin_rollback(const ParsedCommand& command, Context& context);
int run_plugin_sync(const ParsedCommand& command, Context& context);
int run_plugin_cache_show(const ParsedCommand& command, Context& context);
int run_plugin_cache_prune(const ParsedCommand& command, Context& context);
int run_version(const ParsedCommand& command, Context& context);
int run_supervised_execution(const ParsedCommand& command, Context& context);
int run_session(const ParsedCommand& command, Context& context);
int run_complete(const ParsedCommand& command, Context& context);
int run_generate(const ParsedCommand& command, Context& context);

}  // namespace vdk::cli
