# SPDX-License-Identifier: Apache-2.0
"""Managed SQLite connections: real sqlite3 connections, so that every library that knows those works with them."""
import sqlite3


class ManagedConnection(sqlite3.Connection):
    """A connection that sees the rows that were sent for ingestion before."""

    vdk_wait = None
    vdk_prefix = ""
    vdk_closed = False

    def cursor(self, *args, **kwargs):
        self._vdk_settle()
        return super().cursor(*args, **kwargs)

    def execute(self, *args):
        self._vdk_settle()
        return super().execute(*args)

    def executemany(self, *args):
        self._vdk_settle()
        return super().executemany(*args)

    def executescript(self, *args):
        self._vdk_settle()
        return super().executescript(*args)

    def close(self):
        self.vdk_closed = True
        super().close()

    def connect(self):
        """The native connection: this one."""
        return self

    def execute_query(self, query):
        cursor = self.cursor()
        try:
            cursor.execute(self.vdk_prefix + query)
            return cursor.fetchall()
        finally:
            cursor.close()

    def _vdk_settle(self):
        # Not inside an own transaction: it would lock out the writer that is waited for.
        if self.vdk_wait is not None and not self.in_transaction:
            self.vdk_wait()


def open_connection(path, wait, prefix):
    connection = sqlite3.connect(
        path, timeout=10, isolation_level=None, check_same_thread=False, factory=ManagedConnection
    )
    connection.vdk_wait = wait
    connection.vdk_prefix = prefix
    return connection
