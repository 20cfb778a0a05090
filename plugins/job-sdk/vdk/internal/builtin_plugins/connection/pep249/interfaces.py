# SPDX-License-Identifier: Apache-2.0
"""The parts of a database driver (PEP 249) that vdk relies on."""
import logging


class PEP249Connection:
    """A connection."""

    def close(self):
        raise NotImplementedError

    def commit(self):
        raise NotImplementedError

    def rollback(self):
        raise NotImplementedError

    def cursor(self):
        raise NotImplementedError


class PEP249Cursor:
    """A cursor that hands everything to the driver's cursor, _cursor."""

    def __init__(self, cursor, log=None):
        self._cursor = cursor
        self._log = log or logging.getLogger(__name__)

    def __getattr__(self, name):
        if name.startswith("__") or name == "_cursor":
            raise AttributeError(name)
        return getattr(self._cursor, name)

    @property
    def description(self):
        return self._cursor.description

    @property
    def rowcount(self):
        return self._cursor.rowcount

    @property
    def arraysize(self):
        return self._cursor.arraysize

    @arraysize.setter
    def arraysize(self, value):
        self._cursor.arraysize = value

    def close(self):
        return self._cursor.close()

    def execute(self, operation, parameters=None):
        if parameters:
            return self._cursor.execute(operation, parameters)
        return self._cursor.execute(operation)  # some drivers take % for a place holder as soon as there is a second one

    def executemany(self, operation, seq_of_parameters):
        return self._cursor.executemany(operation, seq_of_parameters)

    def fetchone(self):
        return self._cursor.fetchone()

    def fetchmany(self, *args, **kwargs):
        return self._cursor.fetchmany(*args, **kwargs)

    def fetchall(self):
        return self._cursor.fetchall()

    def __iter__(self):
        return iter(self._cursor)

    def __next__(self):
        return next(self._cursor)

    next = __next__
