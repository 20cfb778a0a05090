# SPDX-License-Identifier: Apache-2.0
"""The hooks around the queries of managed connections."""
from vdk.api.plugin.hook_markers import hookspec


class ConnectionHookSpec:
    """Called for the connections that plugins registered."""

    @hookspec
    def db_connection_validate_operation(self, operation, parameters):
        """Raise when the query must not be sent."""

    @hookspec
    def db_connection_before_operation(self, operation):
        """Change the query (a ManagedOperation)."""

    @hookspec
    def db_connection_on_operation_failure(self, operation, exception):
        """A query has failed."""
