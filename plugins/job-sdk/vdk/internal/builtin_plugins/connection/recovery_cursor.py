# SPDX-License-Identifier: Apache-2.0
"""A query that failed."""
from vdk.internal.builtin_plugins.connection.decoration_cursor import DecorationCursor
from vdk.internal.builtin_plugins.connection.decoration_cursor import ManagedOperation
from vdk.internal.builtin_plugins.connection.pep249.interfaces import PEP249Cursor


class RecoveryCursor(PEP249Cursor):
    """Given to those who may mend the failure and send the query again."""

    def __init__(self, native_cursor, log, exception, managed_operation, decoration_operation_callback=None):
        super().__init__(native_cursor, log)
        self._exception = exception
        self._managed_operation = managed_operation
        self._decorate = decoration_operation_callback
        self._retries = 0

    def get_exception(self):
        return self._exception

    def get_managed_operation(self):
        return self._managed_operation

    def get_retries(self):
        return self._retries

    def retries_increment(self):
        self._retries += 1

    def execute(self, operation, parameters=None):
        """Run a query that helps, for example one that refreshes metadata."""
        managed = ManagedOperation(operation, parameters)
        if self._decorate:
            self._decorate(decoration_cursor=DecorationCursor(self._cursor, self._log, managed))
        try:
            super().execute(*managed.get_operation_parameters_tuple())
        except Exception:
            self.retries_increment()
            raise

    def retry_operation(self):
        """Send the failed query again."""
        self.retries_increment()
        self._log.info("query is sent again, attempt %d", self._retries)
        super().execute(*self._managed_operation.get_operation_parameters_tuple())
