# SPDX-License-Identifier: Apache-2.0
"""A plain driver's connection as a managed one."""
import logging

from vdk.internal.builtin_plugins.connection.managed_connection_base import ManagedConnectionBase


class WrappedConnection(ManagedConnectionBase):
    """Made from a function that opens a driver's connection."""

    def __init__(self, log=None, new_connection_builder_function=None, connection_hook_spec_factory=None, db_con=None):
        super().__init__(log or logging.getLogger(__name__), db_con, connection_hook_spec_factory)
        self._new_connection = new_connection_builder_function

    def _connect(self):
        return self._new_connection()
