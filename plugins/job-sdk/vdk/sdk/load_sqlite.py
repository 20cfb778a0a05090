# SPDX-License-Identifier: Apache-2.0
"""What the load templates have to know of SQLite."""
import sqlite3

from vdk.api import errors
from vdk.sdk.load_names import Column
from vdk.sdk.load_names import listed
from vdk.sdk.load_names import native
from vdk.sdk.load_names import quoted
from vdk.sdk.load_names import Relation

_RANDOM_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||"
    " substr('89AB', 1 + abs(random() % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)


class Sqlite:
    """One SQLite connection during a template."""

    Error = sqlite3.Error
    temporary_schema = "temp"
    overriding = ""
    in_order = " ORDER BY rowid"  # as the rows were stored

    def __init__(self, connection):
        self.connection = native(connection)
        self.cursor = self.connection.cursor()
        self.cursor.row_factory = None
        self.nested = False

    @staticmethod
    def knows(connection):
        """Whether this is a connection to SQLite."""
        return isinstance(native(connection), sqlite3.Connection)

    # The transaction

    def begin(self):
        """A transaction, or a part of the caller's, who commits it."""
        self.nested = self.connection.in_transaction
        self.cursor.execute("SAVEPOINT vdk_template" if self.nested else "BEGIN IMMEDIATE")

    def commit(self):
        """Keep what was done since begin()."""
        self.cursor.execute("RELEASE vdk_template" if self.nested else "COMMIT")

    def rollback(self):
        """Undo what was done since begin(), if the transaction is still there."""
        if self.connection.in_transaction:
            if self.nested:
                self.cursor.execute("ROLLBACK TO vdk_template")
            self.cursor.execute("RELEASE vdk_template" if self.nested else "ROLLBACK")

    def keep(self):
        """Store what was done after somebody else has ended the transaction: it is stored."""

    def close(self):
        """The template is over."""
        self.cursor.close()

    def lock(self, relation):
        """Keep other writers away: BEGIN IMMEDIATE did."""

    def call_check(self, check, table):
        """What the job's check says of a table, and whether the transaction is still there."""
        passed = check(table)
        return passed, self.connection.in_transaction

    @staticmethod
    def explain(error):
        """What an error of the driver says, and the class of error to raise."""
        return str(error), errors.UserCodeError

    # Names

    def rows(self, sql):
        """The rows of a query."""
        return self.cursor.execute(sql).fetchall()

    def schemas(self):
        """The names of all schemas."""
        return [row[1] for row in self.rows("PRAGMA database_list") if row[1] != "temp"] + ["temp"]

    def schema(self, wanted):
        """A schema as it is spelt; None when there is no such schema."""
        return self.pick(wanted, self.schemas())

    def no_schema(self):
        """What to say where there is no such schema."""
        return "In SQLite a schema is main, temp or an attached database; here: %s" % listed(self.schemas())

    @staticmethod
    def pick(wanted, names):
        """The one of the names that is meant; None when there is none."""
        return next((name for name in names if name.lower() == wanted.lower()), None)

    def find(self, schema, table):
        """A table or view with its columns; None when it is not there."""
        place = quoted(schema) + "." if schema else ""
        found = self.rows("PRAGMA %stable_xinfo(%s)" % (place, quoted(table)))
        columns = [Column(row[1], row[2].upper(), row[6] != 0) for row in found if row[6] != 1]
        return Relation(place + quoted(table), schema or "main", columns) if columns else None

    def is_taken(self, name):
        """Whether some table has that name."""
        names = (quoted(schema) + ".sqlite_master" for schema in self.schemas())
        return any(row[0].lower() == name.lower() for table in names for row in self.rows("SELECT name FROM " + table))

    @staticmethod
    def numbered(name, number):
        """A name that is like another."""
        return "%s_%d" % (name, number) if number > 1 else name

    @staticmethod
    def as_written(schema, name):
        """A table as people write it in a query."""
        plain_schema = schema if schema in ("main", "temp") else quoted(schema)
        return plain_schema + "." + (name if name.isidentifier() and name.isascii() else quoted(name))

    # Expressions

    @staticmethod
    def literal(value, column):
        """A value to store in a column, or to compare with it."""
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        return repr(value + 0).replace("inf", "9e999")

    @staticmethod
    def cast(expression, column):
        """The expression as the column would hold it."""
        return expression  # columns convert what is stored in them

    @staticmethod
    def shown(column):
        """A column's value for a message."""
        return quoted(column.name)

    @staticmethod
    def distinct(columns, table):
        """Rows of a table, each once."""
        return "SELECT DISTINCT %s FROM %s" % (", ".join(quoted(column.name) for column in columns), table)

    @staticmethod
    def is_same(left, right, column):
        """Whether two values of a column are equal or both NULL."""
        return "%s IS %s" % (left, right)

    @staticmethod
    def new_key(relation, column, next_number):
        """A new surrogate key; `next_number` is the expression that counts."""
        return next_number if "INT" in column.kind else _RANDOM_UUID
