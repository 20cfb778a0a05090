# SPDX-License-Identifier: Apache-2.0
"""What a plugin's connection class may do around each query."""
from vdk.internal.builtin_plugins.connection.execution_cursor import ExecuteOperationResult


class IDatabaseManagedConnection:
    """Overridden by connection classes of plugins; the defaults just send the query."""

    def db_connection_validate_operation(self, operation, parameters):
        """Raise when the query must not be sent."""

    def db_connection_decorate_operation(self, decoration_cursor):
        """Change the query before it is sent."""

    def db_connection_execute_operation(self, execution_cursor):
        """Send the query."""
        operation, parameters = execution_cursor.get_managed_operation().get_operation_parameters_tuple()
        return ExecuteOperationResult(execution_cursor.execute(operation, parameters))

    def db_connection_recover_operation(self, recovery_cursor):
        """Mend a failure, or raise it."""
        raise recovery_cursor.get_exception()

    def db_connection_after_operation(self, execution_cursor):
        """After a query that worked."""
