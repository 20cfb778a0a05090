// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "cli/commands/commands.hpp"

namespace vdk::cli {

Handler find_handler(std::string_view name) {
  static constexpr auto handlers = std::to_array<std::pair<std::string_view, Handler>>({
      {"create", run_create},
      {"deploy", run_deploy},
      {"execute", run_execute},
      {"list", run_list},
      {"show", run_show},
      {"delete", run_delete},
      {"download-job", run_download_job},
      {"download-key", run_download_key},
      {"properties", run_properties},
      {"secrets", run_secrets},
      {"info", run_info},
      {"run", run_run},
      {"sql-query", run_sql_query},
      {"sqlite-query", run_sqlite_query},
      {"executor init", run_executor_init},
      {"executor run", run_executor_run},
      {"login", run_login},
      {"logout", run_logout},
      {"auth status", run_auth_status},
      {"set-default", run_set_default},
      {"reset-default", run_reset_default},
      {"config explain", run_config_explain},
      {"config-help", run_config_help},
      {"schedule preview", run_schedule_preview},
      {"server", run_server},
      {"server fsck", run_server_fsck},
      {"server backup", run_server_backup},
      {"server restore", run_server_restore},
      {"plugin install", run_plugin_install},
      {"plugin list", run_plugin_list},
      {"plugin info", run_plugin_info},
      {"plugin outdated", run_plugin_outdated},
      {"plugin upgrade", run_plugin_upgrade},
      {"plugin uninstall", run_plugin_uninstall},
      {"plugin verify", run_plugin_verify},
      {"plugin validate", run_plugin_validate},
      {"plugin vendor", run_plugin_vendor},
      {"plugin rollback", run_plugin_rollback},
      {"plugin sync", run_plugin_sync},
      {"plugin cache show", run_plugin_cache_show},
      {"plugin cache prune", run_plugin_cache_prune},
      {"version", run_version},
      {"__execute", run_supervised_execution},
      {"__session", run_session},
      {"__complete", run_complete},
      {"__generate", run_generate},
  });
  for (const auto& [known, handler] : handlers) {
    if (known == name) {
      return handler;
    }
  }
  return nullptr;
}

}  // namespace vdk::cli
