# SPDX-License-Identifier: Apache-2.0
"""The hooks around queries of all connections."""


class ConnectionHookSpecFactory:
    """Gives connections the hooks of all plugins."""

    def __init__(self, plugin_registry):
        self._plugin_registry = plugin_registry

    def get_connection_hook_spec(self):
        return self._plugin_registry.hook() if self._plugin_registry else None
