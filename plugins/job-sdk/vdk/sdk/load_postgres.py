# SPDX-License-Identifier: Apache-2.0
"""What the load templates have to know of PostgreSQL (12 and newer), over any DB-API connection to it."""
import contextlib
import logging

from vdk.api import errors
from vdk.sdk.load_names import Column
from vdk.sdk.load_names import listed
from vdk.sdk.load_names import native
from vdk.sdk.load_names import quoted
from vdk.sdk.load_names import Refused
from vdk.sdk.load_names import Relation

_log = logging.getLogger("vdk.templates")

_IDLE, _IN_TRANSACTION, _FAILED = 0, 2, 3  # what libpq says of a connection
_DRIVERS = ("psycopg2", "psycopg")
_OUTSIDE = ("08", "53", "57", "58", "XX")  # SQLSTATE classes that are nobody's data: connection, resources, the server
_NO_EQUALITY = ("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle")
_LONGEST_NAME = 63

_COLUMNS = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attidentity <> '', t.typname,
       t.typcategory
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %d AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""

_RELATION = """
SELECT c.oid, n.nspname, c.relname, c.relkind IN ('r', 'p', 'v')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""

# Foreign keys that change other rows when one of these is deleted.
_FOLLOWERS = """
SELECT DISTINCT k.conrelid::regclass::text FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f' AND k.confrelid = %d AND k.confdeltype IN ('c', 'n', 'd') ORDER BY 1"""


def _text(value):
    return "E'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


class Postgres:
    """One connection to PostgreSQL during a template."""

    temporary_schema = "pg_temp"
    overriding = "OVERRIDING SYSTEM VALUE "  # also into identity columns
    in_order = ""

    def __init__(self, connection):
        self.managed = connection
        self.connection = native(connection)
        self.Error = self.connection.Error
        self.cursor = None
        self.nested = False

    @staticmethod
    def knows(connection):
        """Whether this is a connection to PostgreSQL of a driver that is known."""
        modules = [kind.__module__ for kind in type(native(connection)).__mro__]
        return any(name.split(".")[0] in _DRIVERS or name == "vdk.sdk.postgres" for name in modules)

    # The transaction

    def _status(self):
        return int(self.connection.info.transaction_status)

    def begin(self):
        """A transaction, or a part of the caller's, who commits it."""
        self.cursor = self.connection.cursor()
        if self._status() == _FAILED:
            raise Refused(
                "a statement of this step has failed, and PostgreSQL refuses all others until rollback() is called"
            )
        # The answer also tells vdk's own driver what .sql steps have begun.
        has_written = self.rows("SELECT txid_current_if_assigned() IS NOT NULL")[0][0]
        self.nested = self._status() == _IN_TRANSACTION
        begins_by_itself = not self.connection.autocommit
        if begins_by_itself and not getattr(self.connection, "vdk_begun", False):
            # The driver began it with the first query. One that has only read is no work of the step.
            self.nested = has_written
            if has_written:
                _log.warning("the template is a part of the transaction that the step has open: nothing is stored"
                             " before the step calls commit()")
            else:
                self.connection.commit()
        if self.nested:
            self.cursor.execute("SAVEPOINT vdk_template")
            return
        if not begins_by_itself:
            self.cursor.execute("BEGIN")
        # Once the target is locked, each statement shall see what other writers have stored before.
        self.cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def commit(self):
        """Keep what was done since begin()."""
        if self.nested:
            self.cursor.execute("RELEASE SAVEPOINT vdk_template")
        elif self.connection.autocommit:
            self.cursor.execute("COMMIT")
        else:
            self.connection.commit()

    def rollback(self):
        """Undo what was done since begin(). Where that fails the connection is gone, and the server has undone it."""
        with contextlib.suppress(self.Error):
            if self.nested:
                self.cursor.execute("ROLLBACK TO SAVEPOINT vdk_template")
                self.cursor.execute("RELEASE SAVEPOINT vdk_template")
            elif self.connection.autocommit:
                if self._status() != _IDLE:
                    self.cursor.execute("ROLLBACK")
            else:
                self.connection.rollback()

    def keep(self):
        """Store what was done after somebody else has ended the transaction; nothing is left to undo."""
        self.nested = False
        if not self.connection.autocommit:
            self.connection.commit()

    def close(self):
        """The template is over."""
        with contextlib.suppress(self.Error):
            self.cursor.close()

    def lock(self, relation):
        """Keep other writers away, and wait no longer than a minute for them, unless the session says how long."""
        followers = [row[0] for row in self.rows(_FOLLOWERS % relation.number)]
        if followers:
            raise Refused(
                "rows of the target %s are deleted and written anew, which would also delete or change rows of %s,"
                " whose foreign key says ON DELETE CASCADE, SET NULL or SET DEFAULT"
                % (relation.qualified, listed(followers))
            )
        if not relation.can_lock:
            return
        before = self.rows("SELECT pg_catalog.current_setting('lock_timeout')")[0][0]
        if before == "0":
            self.cursor.execute("SET LOCAL lock_timeout = '60s'")
        self.cursor.execute("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE" % relation.qualified)
        if before == "0":
            self.cursor.execute("SET LOCAL lock_timeout = 0")

    def call_check(self, check, table):
        """What the job's check says of a table, and whether the transaction is still there."""
        transaction = self.rows("SELECT txid_current()")
        # execute_query of vdk-postgres commits after each query; while the check runs that has to wait.
        self.managed.vdk_held = True
        try:
            passed = check(table)
        finally:
            self.managed.vdk_held = False
        try:
            if self._status() == _FAILED:
                raise Refused(
                    "a query of the check failed, and PostgreSQL refuses all that follow. The target is as it was"
                )
            return passed, self.rows("SELECT txid_current()") == transaction
        except self.Error as error:
            raise Refused(
                "the check closed or lost the connection: %s. The target is as it was" % self.explain(error)[0]
            ) from error

    @staticmethod
    def explain(error):
        """What an error of the driver says, and the class of error to raise."""
        said = getattr(error, "diag", None)
        why = getattr(said, "message_primary", None) or str(error).strip().rstrip(".")
        detail = (getattr(said, "message_detail", None) or "").rstrip(".")
        code = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None) or "08"
        kind = errors.PlatformServiceError if code[:2] in _OUTSIDE else errors.UserCodeError
        return (why + ": " + detail if detail else why), kind

    # Names

    def rows(self, sql):
        """The rows of a query, as tuples whatever the connection's cursors make of them."""
        self.cursor.execute(sql)
        return [tuple(row.values() if isinstance(row, dict) else row) for row in self.cursor.fetchall()]

    def schemas(self):
        """The names of all schemas that people make."""
        sql = "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^(pg_|information_schema$)' ORDER BY 1"
        return [row[0] for row in self.rows(sql)]

    def schema(self, wanted):
        """A schema as it is spelt; None when there is no such schema."""
        if wanted.lower() == self.temporary_schema:
            return self.temporary_schema
        names = "%s, %s" % (_text(wanted), _text(wanted.lower()))
        return self.pick(wanted, [
            row[0] for row in self.rows("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname IN (%s)" % names)])

    def no_schema(self):
        """What to say where there is no such schema."""
        return "In this database there are: %s" % listed(self.schemas())

    @staticmethod
    def pick(wanted, names):
        """The one of the names that is meant: exactly that, or the one in lower case."""
        return wanted if wanted in names else wanted.lower() if wanted.lower() in names else None

    def find(self, schema, table):
        """A table or view with its columns; None when it is not there."""
        place = quoted(schema) + "." if schema else ""
        for name in (table, table.lower()):
            for number, found_schema, found, can_lock in self.rows(_RELATION % _text(place + quoted(name))):
                columns = [Column(*row) for row in self.rows(_COLUMNS % number)]
                return Relation(quoted(found_schema) + "." + quoted(found), found_schema, columns, number, can_lock)
        return None

    def is_taken(self, name):
        """Whether some table has that name."""
        return bool(self.rows("SELECT 1 FROM pg_catalog.pg_class WHERE relname = %s LIMIT 1" % _text(name)))

    @staticmethod
    def numbered(name, number):
        """A name that is like another, not longer than names may be."""
        end = "_%d" % number if number > 1 else ""
        return name.encode()[:_LONGEST_NAME - len(end)].decode(errors="ignore") + end

    def as_written(self, schema, name):
        """A table as people write it in a query."""
        return self.rows("SELECT pg_catalog.quote_ident(%s) || '.' || pg_catalog.quote_ident(%s)" % (
            _text(schema), _text(name)))[0][0]

    # Expressions

    @staticmethod
    def literal(value, column):
        """A value to store in a column, or to compare with it."""
        return "CAST(%s AS %s)" % (_text(value), column.kind)

    @staticmethod
    def cast(expression, column):
        """The expression as the column would hold it."""
        return "CAST(%s AS %s)" % (expression, column.kind)

    @staticmethod
    def shown(column):
        """A column's value for a message."""
        return quoted(column.name) + "::text"

    @staticmethod
    def distinct(columns, table):
        """Rows of a table, each once."""
        names = [quoted(column.name) for column in columns]
        keys = (name + "::text" if column.type_name in _NO_EQUALITY else name for name, column in zip(names, columns))
        return "SELECT DISTINCT ON (%s) %s FROM %s" % (", ".join(keys), ", ".join(names), table)

    @staticmethod
    def is_same(left, right, column):
        """Whether two values of a column are equal or both NULL."""
        if column.type_name in _NO_EQUALITY:
            return "CAST(%s AS text) IS NOT DISTINCT FROM CAST(%s AS text)" % (left, right)
        return "%s IS NOT DISTINCT FROM %s" % (left, right)

    def new_key(self, relation, column, next_number):
        """A new surrogate key; `next_number` is the expression that counts."""
        (sequence,) = self.rows("SELECT pg_catalog.pg_get_serial_sequence(%s, %s)" % (
            _text(relation.qualified), _text(column.name)))[0]
        if sequence:
            return "pg_catalog.nextval(%s::regclass)" % _text(sequence)
        if column.category == "N":
            return next_number
        newest = int(self.rows("SELECT pg_catalog.current_setting('server_version_num')")[0][0]) >= 130000
        random = "gen_random_uuid()" if newest else "md5(random()::text || clock_timestamp()::text)::uuid"
        return random + "::text" if column.category == "S" else "CAST(%s::text AS %s)" % (random, column.kind)
