# SPDX-License-Identifier: Apache-2.0
"""The connections that plugins register."""
import logging

from vdk.api.errors import VdkConfigurationError
from vdk.api.plugin.plugin_input import IManagedConnectionRegistry
from vdk.internal.builtin_plugins.connection.impl.wrapped_connection import WrappedConnection
from vdk.internal.builtin_plugins.connection.managed_connection_base import ManagedConnectionBase

log = logging.getLogger(__name__)


class ManagedConnectionRouter(IManagedConnectionRegistry):
    """One connection for each registered name, opened at first use."""

    def __init__(self, cfg, connection_hook_spec_factory):
        self._cfg = cfg
        self._hooks = connection_hook_spec_factory
        self._builders = {}
        self._connections = {}

    def add_open_connection_factory_method(self, dbtype, open_connection_func):
        self._builders[dbtype.lower()] = open_connection_func

    def names(self):
        """Names that are registered."""
        return sorted(self._builders)

    def open_default_connection(self):
        """The connection that db_default_type names, or the only one."""
        name = self._cfg.get_value("db_default_type")
        if not name and len(self._builders) == 1:
            name = next(iter(self._builders))
        return self.open_connection(name)

    def open_connection(self, dbtype):
        """The open connection of a name."""
        name = (dbtype or "").lower()
        if name not in self._builders:
            raise VdkConfigurationError(
                "cannot connect to database %r: no plugin has registered it. Known: %s"
                % (name, ", ".join(self.names()) or "none")
            )
        connection = self._connections.get(name)
        if connection is None:
            connection = self._connections[name] = self._create(name)
        if not connection._is_connected():
            connection.connect()
        return connection

    def is_used(self):
        """Whether a connection was opened."""
        return bool(self._connections)

    def close(self):
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _create(self, name):
        made = self._builders[name]()
        if made is None:
            raise VdkConfigurationError("the plugin of database %r gave no connection: its settings are not complete" % name)
        if not isinstance(made, ManagedConnectionBase):
            return WrappedConnection(log, self._builders[name], self._hooks, made)
        if not made._connection_hook_spec_factory:
            made._connection_hook_spec_factory = self._hooks
        return made
