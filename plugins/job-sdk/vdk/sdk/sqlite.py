# SPDX-License-Identifier: Apache-2.0
"""Managed SQLite connections: real sqlite3 connections, so that every library that knows those works with them."""
import sqlite3
import sys

# How much work of SQLite lies between two looks for Ctrl-C: some milliseconds.
_STEPS = 200000
_ATTACH = 24  # SQLite's number


class ManagedConnection(sqlite3.Connection):
    """A connection that sees the rows that were sent for ingestion before."""

    vdk_wait = None
    vdk_prefix = ""
    vdk_closed = False
    vdk_changed = ""
    vdk_text_factory = str

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

    def create_function(self, *args, **kwargs):
        self.vdk_changed = "a function was added to it"
        return super().create_function(*args, **kwargs)

    def create_aggregate(self, *args, **kwargs):
        self.vdk_changed = "a function was added to it"
        return super().create_aggregate(*args, **kwargs)

    def create_collation(self, *args, **kwargs):
        self.vdk_changed = "a collation was added to it"
        return super().create_collation(*args, **kwargs)

    def vdk_state(self):
        """What the next steps may find changed in this connection; empty when it is as a new one would be."""
        if self.vdk_closed or self.vdk_changed:
            return self.vdk_changed
        if self.in_transaction:
            return "a transaction is open"
        other_text = self.text_factory is not self.vdk_text_factory
        if self.row_factory is not None or other_text or self.isolation_level is not None:
            return "its row_factory, text_factory or isolation_level was set"
        run = super().execute
        if run("SELECT 1 FROM temp.sqlite_master").fetchone():
            return "it has temporary tables"
        if run("SELECT 1 FROM pragma_database_list WHERE name NOT IN ('main', 'temp')").fetchone():
            return "another database is attached"
        if run("PRAGMA foreign_keys").fetchone()[0] or run("PRAGMA recursive_triggers").fetchone()[0]:
            return "a PRAGMA has changed it"
        return ""

    def _vdk_settle(self):
        # Not inside an own transaction: it would lock out the writer that is waited for.
        if self.vdk_wait is not None and not self.in_transaction:
            self.vdk_wait()


def open_connection(path, wait, prefix, watch=None):
    connection = sqlite3.connect(
        path, timeout=10, isolation_level=None, check_same_thread=False, factory=ManagedConnection
    )
    connection.vdk_text_factory = connection.text_factory  # in PyPy it is another one than str
    connection.vdk_wait = wait
    connection.vdk_prefix = prefix
    if watch is not None:
        connection.set_authorizer(_telling(watch))
    if sys.implementation.name == "cpython":
        # While a query runs, Python looks for signals only when SQLite calls it. PyPy would swallow the interrupt there.
        connection.set_progress_handler(_look_for_signals, _STEPS)
    return connection


def _telling(watch):
    """Allows all that is done, and tells which other databases are attached."""

    def allow(action, name, *_):
        if action == _ATTACH:
            watch.attached(name)
        return sqlite3.SQLITE_OK

    return allow


def _look_for_signals():
    return 0
