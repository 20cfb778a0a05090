# SPDX-License-Identifier: Apache-2.0
"""A query before it is sent."""
from vdk.internal.builtin_plugins.connection.pep249.interfaces import PEP249Cursor


class ManagedOperation:
    """A query with its parameters, as asked for and as changed by hooks."""

    def __init__(self, operation, parameters=None):
        self._initial = (operation, parameters)
        self._operation = operation
        self._parameters = parameters

    def get_initial_operation(self):
        return self._initial[0]

    def get_initial_parameters(self):
        return self._initial[1]

    def get_operation(self):
        return self._operation

    def get_parameters(self):
        return self._parameters

    def get_operation_parameters_tuple(self):
        return (self._operation, self._parameters)

    def set_operation(self, decorated_operation):
        self._operation = decorated_operation

    def set_parameters(self, decorated_parameters):
        self._parameters = decorated_parameters

    def set_operation_parameters_tuple(self, decorated_operation, decorated_parameters):
        self._operation = decorated_operation
        self._parameters = decorated_parameters


class DecorationCursor(PEP249Cursor):
    """Given to those who change a query; it can run queries of their own."""

    def __init__(self, native_cursor, log, managed_operation):
        super().__init__(native_cursor, log)
        self._managed_operation = managed_operation

    def get_managed_operation(self):
        return self._managed_operation
