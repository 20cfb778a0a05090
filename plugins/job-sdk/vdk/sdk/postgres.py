# SPDX-License-Identifier: Apache-2.0
"""Connections to PostgreSQL by DB-API 2.0. vdk itself holds the connection, so that .sql steps share it."""
import collections
import datetime
import weakref

from vdk.api import errors
from vdk.sdk import postgres_errors
from vdk.sdk import postgres_values
from vdk.sdk.postgres_errors import DatabaseError  # noqa: F401
from vdk.sdk.postgres_errors import DataError  # noqa: F401
from vdk.sdk.postgres_errors import Error  # noqa: F401
from vdk.sdk.postgres_errors import IntegrityError  # noqa: F401
from vdk.sdk.postgres_errors import InterfaceError
from vdk.sdk.postgres_errors import InternalError  # noqa: F401
from vdk.sdk.postgres_errors import NotSupportedError
from vdk.sdk.postgres_errors import OperationalError
from vdk.sdk.postgres_errors import ProgrammingError
from vdk.sdk.postgres_errors import QueryCanceledError  # noqa: F401
from vdk.sdk.postgres_errors import TransactionRollbackError  # noqa: F401
from vdk.sdk.postgres_errors import Warning  # noqa: A004, F401
from vdk.sdk.postgres_values import BINARY  # noqa: F401
from vdk.sdk.postgres_values import DATETIME  # noqa: F401
from vdk.sdk.postgres_values import NUMBER  # noqa: F401
from vdk.sdk.postgres_values import ROWID  # noqa: F401
from vdk.sdk.postgres_values import STRING  # noqa: F401

apilevel = "2.0"
threadsafety = 2
paramstyle = "pyformat"
Binary = bytes
Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
DateFromTicks = datetime.date.fromtimestamp
TimestampFromTicks = datetime.datetime.fromtimestamp

TRANSACTION_STATUS_IDLE = 0
TRANSACTION_STATUS_ACTIVE = 1
TRANSACTION_STATUS_INTRANS = 2
TRANSACTION_STATUS_INERROR = 3
_STATUS = {"idle": 0, "active": 1, "open": 2, "begun": 2, "failed": 3}
# Of executemany() in one message; many small statements cost many ways there and back.
_STATEMENTS = 200
_CHARACTERS = 1 << 18
# What the answer to a statement without rows begins with when rows are counted in it.
_COUNTED = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "SELECT")


def TimeFromTicks(ticks):  # noqa: N802
    return datetime.datetime.fromtimestamp(ticks).time()


class Info:
    """What connection.info has of psycopg2's."""

    def __init__(self, connection):
        self._connection = connection

    @property
    def transaction_status(self):
        return self._connection.get_transaction_status()

    @property
    def server_version(self):
        return self._connection.server_version


class Connection:
    """The run's connection to one database; `get_managed_connection` gives it."""

    Error, InterfaceError, DatabaseError = Error, InterfaceError, DatabaseError
    DataError, OperationalError, IntegrityError = DataError, OperationalError, IntegrityError
    InternalError, ProgrammingError, NotSupportedError = InternalError, ProgrammingError, NotSupportedError
    Warning = Warning

    def __init__(self, channel, name, prefix="", ingester=None):
        self.vdk_closed = False
        self.vdk_held = False  # while the check of a load template runs: what it does is not committed
        self.vdk_name = name
        self.vdk_prefix = ""  # is put in front by vdk itself
        self._channel = channel
        self._prefix = prefix
        self._ingester = ingester
        self._autocommit = False
        self._changed = ""
        self._state = "idle"
        self._reading = None  # weak reference to the cursor whose rows are not all here
        self.info = Info(self)
        self.notices = []
        self.server_version = 0
        self.vdk_refresh()

    # What DB-API 2.0 asks for

    def cursor(self, name=None, cursor_factory=None, **_):
        """A cursor; rows come in pieces, so a name (psycopg2's server-side cursors) is not needed."""
        if cursor_factory is not None:
            raise NotSupportedError("cursor_factory is psycopg2's: rows are tuples here")
        self._check()
        return Cursor(self, name)

    def commit(self):
        self._check()
        if not self.vdk_held:
            self._end("commit")

    def rollback(self):
        self._check()
        self._end("rollback")

    def close(self):
        """What is not committed is rolled back; the next get_managed_connection() connects anew."""
        if not self.vdk_closed:
            self._forget_reading()
            self.vdk_closed = True
            self._ask({"op": "close"})

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, kind, value, traceback):
        if self.vdk_closed:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()

    # What vdk adds

    def connect(self):
        return self

    def execute_query(self, query):
        """Rows of a query, None for a statement without; what it does is committed, unless the job has begun a
        transaction by BEGIN."""
        self._check()
        cursor = Cursor(self)
        with self._channel.lock:
            self._finish_reading()
            self._settle_rows()
            cursor._run(query, {"settles": not self.vdk_held})
            return None if cursor.description is None else cursor.fetchall()

    def vdk_script(self, script):
        """Run a script as .sql steps do; (column names, rows) of the last statement when it gives rows, else None."""
        self._check()
        cursor = Cursor(self)
        with self._channel.lock:
            self._finish_reading()
            self._settle_rows()
            cursor._run(script, {"op": "script"})
            if cursor.description is None:
                return None
            return [column[0] for column in cursor.description], cursor.fetchall()

    def vdk_refresh(self):
        """What .sql steps did to the transaction; a connection that the server has closed is made anew."""
        value = self._take(self._ask({"op": "open"}), "")
        self.server_version = value["version"]

    def vdk_state(self):
        """What later steps find changed in this object; vdk itself knows of transactions, temporary tables and SET."""
        return "" if self.vdk_closed else self._changed

    # As psycopg2 has it

    encoding = "UTF8"

    @property
    def closed(self):
        return 1 if self.vdk_closed else 0

    @property
    def vdk_begun(self):
        """Whether a BEGIN of the job has opened the transaction, as far as the last statement told."""
        return self._state == "begun"

    @property
    def in_transaction(self):
        return self._state != "idle"

    @property
    def status(self):
        return 2 if self.in_transaction else 1

    def get_transaction_status(self):
        return _STATUS[self._state]

    @property
    def autocommit(self):
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value):
        self._check()
        if self._state != "idle":
            raise ProgrammingError("autocommit cannot be set inside a transaction: commit() or rollback() first")
        self._autocommit = bool(value)
        self._changed = "its autocommit was set" if value else ""

    def set_isolation_level(self, level):
        """0: autocommit, as with psycopg2; other levels: the server's default."""
        if self._state != "idle":
            self.rollback()
        self.autocommit = level == 0

    def set_session(self, isolation_level=None, readonly=None, deferrable=None, autocommit=None):
        if (isolation_level, readonly, deferrable) != (None, None, None):
            raise NotSupportedError("set_session() knows autocommit only: use SET SESSION CHARACTERISTICS in a query")
        if autocommit is not None:
            self.autocommit = autocommit

    # Talking to vdk

    def _check(self):
        if self.vdk_closed:
            raise InterfaceError("connection already closed")

    def _end(self, how):
        with self._channel.lock:
            self._finish_reading()
            self._take(self._ask({"op": how}), "")

    def _ask(self, message):
        request = {"req": "database", "database": self.vdk_name}
        request.update(message)
        try:
            return self._channel.call(request, cancels=True)
        except errors.BaseVdkError as error:
            failure = OperationalError(str(error))
            failure.vdk_blamee = error.blamee
            raise failure from None

    def _take(self, value, sql):
        self._state = value["state"]
        if "error" in value:
            raise postgres_errors.of(value["error"], sql)
        return value

    def _settle_rows(self):
        """Rows that were sent for ingestion before are there."""
        if self._ingester is None or not self._ingester.pending:
            return
        # Not inside a transaction that has written: it may lock out the writer that is waited for.
        if self._state == "idle" or not self._ask({"op": "written"})["written"]:
            self._ingester.wait()

    def _finish_reading(self):
        """Another statement is to run: the rows of the one before come here first, as far as somebody wants them."""
        reading = self._reading() if self._reading is not None else None
        self._reading = None
        if reading is not None:
            reading._read_all()

    def _forget_reading(self):
        reading = self._reading() if self._reading is not None else None
        self._reading = None
        if reading is not None:
            reading._more = False


class Cursor:
    """Runs statements; rows are tuples."""

    def __init__(self, connection, name=None):
        self.connection = connection
        self.name = name
        self.arraysize = 1
        self.itersize = 2000
        self.description = None
        self.rowcount = -1
        self.rownumber = 0
        self.lastrowid = None
        self.query = None
        self.statusmessage = None
        self.closed = False
        self._rows = collections.deque()
        self._more = False
        self._readers = []

    def execute(self, query, vars=None):  # noqa: A002
        self._check()
        sql = self._text(query)
        if vars is not None:
            sql = postgres_values.substitute(sql, vars)
        connection = self.connection
        with connection._channel.lock:
            connection._finish_reading()
            connection._settle_rows()
            self._run(sql, {"begin": not connection._autocommit})

    def executemany(self, query, vars_list):
        self._check()
        sql = self._text(query)
        # Outside a transaction each is to be one of its own.
        limit = 1 if self.connection._autocommit else _STATEMENTS
        total, part, size, done = 0, [], 0, False
        for parameters in vars_list:
            part.append(postgres_values.substitute(sql, parameters))
            size += len(part[-1])
            if len(part) >= limit or size > _CHARACTERS:
                total += self._execute_part(part)
                part, size, done = [], 0, True
        if part:
            total += self._execute_part(part)
            done = True
        if done:
            self.rowcount = total
        self.description = None
        self._rows.clear()

    def _execute_part(self, part):
        self.execute(";\n".join(part))
        self._read_all()
        return self._affected

    def callproc(self, name, parameters=()):
        self.execute("SELECT * FROM %s(%s)" % (name, ", ".join(["%s"] * len(parameters))), tuple(parameters))
        return parameters

    def mogrify(self, query, vars=None):  # noqa: A002
        sql = self._text(query)
        return (sql if vars is None else postgres_values.substitute(sql, vars)).encode("utf-8")

    def fetchone(self):
        self._check_rows()
        while not self._rows and self._more:
            self._read()
        if not self._rows:
            return None
        self.rownumber += 1
        return self._rows.popleft()

    def fetchmany(self, size=None):
        self._check_rows()
        size = self.arraysize if size is None else size
        while len(self._rows) < size and self._more:
            self._read()
        found = [self._rows.popleft() for _ in range(min(size, len(self._rows)))]
        self.rownumber += len(found)
        return found

    def fetchall(self):
        self._check_rows()
        self._read_all()
        found = list(self._rows)
        self._rows.clear()
        self.rownumber += len(found)
        return found

    def __iter__(self):
        return self

    def __next__(self):
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def close(self):
        self.closed = True
        self._more = False  # vdk leaves out the rest when the next statement comes
        self._rows.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __getstate__(self):
        """For the state that is saved behind a cell of a notebook."""
        if self._more:
            raise TypeError("cannot pickle a cursor whose rows are not all read")
        return dict(self.__dict__, _readers=[])

    def setinputsizes(self, sizes):
        pass

    def setoutputsize(self, size, column=None):
        pass

    def _check(self):
        if self.closed:
            raise InterfaceError("cursor already closed")
        self.connection._check()

    def _check_rows(self):
        self._check()
        if self.description is None:
            raise ProgrammingError("no results to fetch")

    @staticmethod
    def _text(query):
        if isinstance(query, (bytes, bytearray)):
            query = bytes(query).decode("utf-8")
        if not isinstance(query, str):
            raise TypeError("a query is text, not %s" % type(query).__name__)
        return query

    def _run(self, sql, message):
        if "\0" in sql:
            raise ValueError("a query cannot contain NUL (0x00) characters")
        sql.encode("utf-8")  # half of a pair of surrogates is no text
        self.description, self.rowcount, self._affected = None, -1, 0
        self.rownumber = 0
        self._rows.clear()
        if not sql.strip(" \t\r\n;"):
            raise ProgrammingError("can't execute an empty query")
        self.query = sql.encode("utf-8")
        self._sql = sql
        request = {"op": "execute", "sql": sql, "prefix": self.connection._prefix}
        request.update(message)
        value = self._take(self.connection._ask(request))
        columns = value["columns"]
        if columns is not None:
            self.description = [(c[0], c[1], None, c[2], *_precision(c[1], c[3]), None) for c in columns]
            self._readers = postgres_values.readers(columns)
        self._add(value)

    def _take(self, value):
        self._more = False
        return self.connection._take(value, self._sql)

    def _add(self, value):
        self._more = value["more"]
        if self._more:
            self.connection._reading = weakref.ref(self)
        else:
            if self.connection._reading is not None and self.connection._reading() is self:
                self.connection._reading = None
            self.statusmessage = value["tag"]
            self._affected = value["total"]
            if self.description is not None or value["tag"].startswith(_COUNTED):
                self.rowcount = value["count"]
        if value["rows"]:
            self._rows.extend(postgres_values.rows(value["rows"], self._readers))

    def _read(self):
        with self.connection._channel.lock:
            if self._more:
                self._add(self._take(self.connection._ask({"op": "more"})))

    def _read_all(self):
        while self._more:
            self._read()


def _precision(kind, modifier):
    """Precision and scale of numeric."""
    if kind != 1700 or modifier < 0:
        return None, None
    return (modifier - 4) >> 16, (modifier - 4) & 0xFFFF
