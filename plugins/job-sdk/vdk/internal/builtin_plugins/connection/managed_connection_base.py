# SPDX-License-Identifier: Apache-2.0
"""Base of the connection classes of plugins."""
import logging
import time

from vdk.api.job_input import IManagedConnection
from vdk.internal.builtin_plugins.connection.database_managed_connection import IDatabaseManagedConnection
from vdk.internal.builtin_plugins.connection.managed_cursor import ManagedCursor
from vdk.internal.builtin_plugins.connection.pep249.interfaces import PEP249Connection
from vdk.internal.util.decorators import closing_noexcept_on_close

logger = logging.getLogger(__name__)

# A server that is just starting, not one that says no: waiting long for a wrong password helps nobody.
_WAITS = (0.5, 1.5)


class ManagedConnectionBase(PEP249Connection, IManagedConnection, IDatabaseManagedConnection):
    """Opens, watches and closes the driver's connection, _db_con, which `_connect` of the subclass makes."""

    vdk_held = False  # while a load template has its transaction open: commit() waits for it

    def __init__(self, log=logger, db_con=None, connection_hook_spec_factory=None):
        self._log = log or logger
        self._is_db_con_open = db_con is not None
        self._db_con = db_con
        self._connection_hook_spec_factory = connection_hook_spec_factory

    def __getattr__(self, name):
        if name.startswith("__") or name in ("_db_con", "_is_db_con_open", "_log"):
            raise AttributeError(name)  # not there yet: __init__ has not run
        if self._db_con is None:
            raise AttributeError("%r is not known before the connection is open" % name)
        return getattr(self._db_con, name)

    def _connect(self):
        raise NotImplementedError("a connection class must define _connect()")

    def connect(self):
        """Open the connection unless it is open."""
        if self._is_db_con_open:
            return self
        for wait in _WAITS + (None,):
            try:
                self._db_con = self._connect()
                self._is_db_con_open = True
                return self
            except (TypeError, ValueError, ImportError, AttributeError):
                raise
            except Exception as error:
                if wait is None:
                    raise
                self._log.debug("connecting failed, next attempt in %s s: %s", wait, error)
                time.sleep(wait)
        return self

    def get_managed_connection(self, database=None):
        """This one."""
        return self.connect()

    def cursor(self, *args, **kwargs):
        """A cursor whose queries go through the hooks."""
        self.connect()
        native = self._db_con.cursor(*args, **kwargs)
        return ManagedCursor(native, self._log, self._connection_hook_spec_factory, self)

    def _cursor(self):
        return self.cursor()

    def execute_query(self, query):
        """Run one query; its rows, or None where it gives none."""
        with closing_noexcept_on_close(self._cursor()) as cursor:
            cursor.execute(query)
            if _gives_no_rows(cursor):
                return None
            try:
                return cursor.fetchall()
            except Exception as error:
                if _says_no_rows(error):
                    return None
                raise

    def commit(self, *args, **kwargs):
        if self.vdk_held:
            return None
        if hasattr(self._db_con, "commit"):
            return self._db_con.commit(*args, **kwargs)
        return None

    def rollback(self, *args, **kwargs):
        if hasattr(self._db_con, "rollback"):
            return self._db_con.rollback(*args, **kwargs)
        return None

    def close(self, *args, **kwargs):
        """Close the connection unless it is closed; never fails."""
        if not self.__dict__.get("_is_db_con_open"):
            return
        self._is_db_con_open = False
        try:
            self._db_con.close()
        except Exception as error:
            self._log.info("%s could not be closed, which does no harm: %s", type(self).__name__, error)

    def _is_connected(self):
        if not self._is_db_con_open:
            return False
        try:
            idle = _is_idle(self._db_con)
            with closing_noexcept_on_close(self._db_con.cursor()) as cursor:
                cursor.execute("select 1")
            if idle and not _is_idle(self._db_con):
                self._db_con.rollback()  # a driver that begins a transaction with each first query did for this one
            return True
        except Exception as error:
            self._log.debug("the connection is lost: %s", error)
            self._is_db_con_open = False
            return False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __del__(self):
        self.close()

    def __str__(self):
        return "%s(%s)" % (type(self).__name__, "open" if self._is_db_con_open else "closed")


def _is_idle(connection):
    status = getattr(getattr(connection, "info", None), "transaction_status", None)  # as libpq's drivers tell it
    return status == 0


def _gives_no_rows(cursor):
    # Some drivers leave rowcount -1 and others raise in fetchall(), but all set the description for rows only.
    try:
        return cursor.description is None
    except Exception:
        return False


def _says_no_rows(error):
    text = str(error).lower()
    return "no results" in text or "does not return rows" in text or "not a query" in text
