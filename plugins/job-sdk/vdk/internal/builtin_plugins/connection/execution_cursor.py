# SPDX-License-Identifier: Apache-2.0
"""A query while it is sent."""
from vdk.internal.builtin_plugins.connection.proxy_cursor import ProxyCursor


class ExecuteOperationResult:
    """What the driver's execute() returned."""

    def __init__(self, native_result):
        self._native_result = native_result

    def get_native_result(self):
        return self._native_result


class ExecutionCursor(ProxyCursor):
    """Given to those who send the query."""

    def __init__(self, native_cursor, managed_operation, log=None):
        super().__init__(native_cursor, log)
        self._managed_operation = managed_operation

    def get_managed_operation(self):
        return self._managed_operation
