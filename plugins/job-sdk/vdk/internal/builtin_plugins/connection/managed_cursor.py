# SPDX-License-Identifier: Apache-2.0
"""The cursor that jobs get from managed connections."""
import time

from vdk.internal.builtin_plugins.connection.decoration_cursor import DecorationCursor
from vdk.internal.builtin_plugins.connection.decoration_cursor import ManagedOperation
from vdk.internal.builtin_plugins.connection.execution_cursor import ExecutionCursor
from vdk.internal.builtin_plugins.connection.proxy_cursor import ProxyCursor
from vdk.internal.builtin_plugins.connection.recovery_cursor import RecoveryCursor
from vdk.internal.core import errors


class ManagedCursor(ProxyCursor):
    """Runs each query through the hooks of plugins and of the connection's class: validate, change, send, mend."""

    def __init__(self, cursor, log=None, connection_hook_spec_factory=None, managed_database_connection=None):
        super().__init__(cursor, log)
        factory = connection_hook_spec_factory
        self._hooks = factory.get_connection_hook_spec() if factory else None
        self._connection = managed_database_connection

    def execute(self, operation, parameters=None):
        managed = ManagedOperation(operation, parameters)
        started = time.monotonic()
        try:
            self._validate(operation, parameters)
            self._change(managed)
        except Exception as error:
            errors.report(errors.get_exception_resolvable_by(error) or errors.ResolvableBy.USER_ERROR, error)
            raise
        self._log.debug("query is sent:\n%s", managed.get_operation())
        try:
            result = self._send(managed)
        except Exception as error:
            self._mend(error, managed)
            result = None
        self._log.info("query done, duration %s", _duration(time.monotonic() - started))
        return result

    def _validate(self, operation, parameters):
        if self._hooks:
            self._hooks.db_connection_validate_operation(operation=operation, parameters=parameters)
        if self._connection:
            self._connection.db_connection_validate_operation(operation=operation, parameters=parameters)

    def _change(self, managed):
        if self._hooks:
            self._hooks.db_connection_before_operation(operation=managed)
        if self._connection:
            cursor = DecorationCursor(self._cursor, self._log, managed)
            self._connection.db_connection_decorate_operation(decoration_cursor=cursor)

    def _send(self, managed):
        cursor = ExecutionCursor(self._cursor, managed, self._log)
        if not self._connection:
            return cursor.execute(*managed.get_operation_parameters_tuple())
        result = self._connection.db_connection_execute_operation(execution_cursor=cursor)
        self._connection.db_connection_after_operation(execution_cursor=cursor)
        return result

    def _mend(self, error, managed):
        if self._hooks:
            self._hooks.db_connection_on_operation_failure(operation=managed, exception=error)
        try:
            if not self._connection:
                raise error
            change = self._connection.db_connection_decorate_operation
            cursor = RecoveryCursor(self._cursor, self._log, error, managed, change)
            self._connection.db_connection_recover_operation(recovery_cursor=cursor)
            after = ExecutionCursor(self._cursor, managed, self._log)
            self._connection.db_connection_after_operation(execution_cursor=after)
        except Exception as failure:
            errors.report(errors.ResolvableBy.USER_ERROR, failure)
            if failure is error:
                raise
            raise failure from error


def _duration(seconds):
    return "%02dh:%02dm:%02ds" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
