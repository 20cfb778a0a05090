# SPDX-License-Identifier: Apache-2.0
"""The load templates for SQLite: what the steps in templates/load call."""
import sqlite3

from vdk.api import errors
from vdk.sdk.load_arguments import Arguments
from vdk.sdk.load_arguments import listed

_RANDOM_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||"
    " substr('89AB', 1 + abs(random() % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def _list(names):
    return ", ".join(quoted(name) for name in names)


class Load:
    """One run of a template: everything happens in one transaction, or nothing does."""

    def __init__(self, job_input, template, required=(), optional=None):
        self.arguments = Arguments(template, job_input.get_arguments(), required, optional)
        self.connection = job_input.get_managed_connection()
        if not isinstance(self.connection, sqlite3.Connection):
            raise self.error("it is made for SQLite, and this database is none")
        self.cursor = self.connection.cursor()
        self.cursor.row_factory = None
        self.schemas = [row[1] for row in self.rows("PRAGMA database_list") if row[1] != "temp"] + ["temp"]
        self.target = self._qualified("target_schema", "target_table")
        self.source = self._qualified("source_schema", "source_view")
        self.staging_schema = self._schema("staging_schema") or self._schema("target_schema") or "main"
        found = self._columns(self.target, "target_schema", "target_table")
        self.types = {name: kind for name, kind, hidden in found if not hidden}
        self.columns = list(self.types)
        self.source_columns = [row[0] for row in self._columns(self.source, "source_schema", "source_view")]
        self.temporary = []

    def error(self, why):
        return errors.UserCodeError("cannot run the template %s: %s" % (self.arguments.template, why))

    def run(self, sql, values=()):
        try:
            return self.cursor.execute(sql, values)
        except sqlite3.Error as error:
            raise self.error("%s. The target is as it was" % error) from error

    def rows(self, sql, values=()):
        return self.run(sql, values).fetchall()

    # Names

    def _schema(self, argument):
        name = self.arguments.get(argument)
        if name is None:
            return None
        for known in self.schemas:
            if known.lower() == name.lower():
                return known
        raise self.error(
            "%s: there is no schema %r. In SQLite a schema is main, temp or an attached database; here: %s"
            % (argument, name, listed(self.schemas))
        )

    def _qualified(self, schema, table):
        name = self._schema(schema)
        return (quoted(name) + "." if name else "") + quoted(self.arguments.get(table))

    def _columns(self, qualified, schema, table):
        """Name, type and whether it is computed, of each column."""
        name = self._schema(schema)
        pragma = "PRAGMA %stable_xinfo(%s)" % (quoted(name) + "." if name else "", quoted(self.arguments.get(table)))
        found = [(row[1], row[2].upper(), row[6] != 0) for row in self.rows(pragma) if row[6] != 1]
        if not found:
            raise self.error("%s: there is no table or view %s" % (table, qualified))
        return found

    def column(self, argument, names, where):
        """A column that an argument names, as it is spelt there."""
        return self._spelt(argument, self.arguments.get(argument), names, where)

    def columns_of(self, argument, names, where):
        return [self._spelt(argument, name, names, where) for name in self.arguments.get(argument)]

    def _spelt(self, argument, wanted, names, where):
        for name in names:
            if name.lower() == wanted.lower():
                return name
        raise self.error("%s: %s has no column %r, it has %s" % (argument, where, wanted, listed(names)))

    def require_columns(self, wanted):
        """The target has exactly these columns, in whatever order."""
        have = {name.lower() for name in self.columns}
        want = {name.lower() for name in wanted}
        missing = [name for name in wanted if name.lower() not in have]
        extra = [name for name in self.columns if name.lower() not in want]
        reasons = ["the target %s has no column %s" % (self.target, listed(missing))] if missing else []
        reasons += ["nothing arrives for the target's column %s" % listed(extra)] if extra else []
        if reasons:
            raise self.error("%s. Columns of the source %s: %s" % (
                "; ".join(reasons), self.source, listed(self.source_columns)))

    def _free_name(self, wanted):
        """That name or one like it which no table has, so that nothing is hidden or lost."""
        taken = set()
        for schema in self.schemas:
            taken.update(row[0].lower() for row in self.rows("SELECT name FROM %s.sqlite_master" % quoted(schema)))
        name, number = wanted, 1
        while name.lower() in taken:
            number += 1
            name = "%s_%d" % (wanted, number)
        return name

    def temporary_table(self, wanted, select, values=(), schema="temp"):
        name = self._free_name(wanted)
        table = quoted(schema) + "." + quoted(name)
        self.run("CREATE TABLE %s AS %s" % (table, select), values)
        self.temporary.append(table)
        return table, name, schema

    # The run

    def arrive(self, columns, expressions, values=()):
        """What the source holds now, converted as the target converts it. It is read once: the source may be a view of
        the target, or give other rows the next time."""
        shape = "SELECT %s FROM %s WHERE 0" % (_list(self.columns), self.target)
        table = self.temporary_table("vdk_arriving", shape)[0]
        self.run("INSERT INTO %s (%s) SELECT %s FROM %s" % (table, _list(columns), expressions, self.source), values)
        return table

    def arrive_alike(self):
        """For a source with the columns of the target."""
        self.require_columns(self.source_columns)
        return self.arrive(self.source_columns, _list(self.source_columns))

    def refuse_null(self, table, column):
        count = self.rows("SELECT count(*) FROM %s WHERE %s IS NULL" % (table, quoted(column)))[0][0]
        if count:
            raise self.error("%d rows of the source have NULL in %r. Leave them out of the source" % (count, column))

    def add(self, table, arriving):
        self.run("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY rowid" % (
            table, _list(self.columns), _list(self.columns), arriving))

    def execute(self, prepare):
        """`prepare` reads the source and gives the function that changes a table, the target or what stands for it."""
        nested = self.connection.in_transaction  # the caller's, who commits it
        self.run("SAVEPOINT vdk_template" if nested else "BEGIN IMMEDIATE")
        try:
            change = prepare(self)
            if self.arguments.get("check") is not None:
                self._check(change)
            change(self.target)
            self._drop()
            self.run("RELEASE vdk_template" if nested else "COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                if nested:
                    self.cursor.execute("ROLLBACK TO vdk_template")
                self.cursor.execute("RELEASE vdk_template" if nested else "ROLLBACK")
            raise
        finally:
            self.cursor.close()

    def _check(self, change):
        content = "SELECT %s FROM %s" % (_list(self.columns), self.target)
        wanted = "vdk_check_" + self.arguments.get("target_table")
        table, name, schema = self.temporary_table(wanted, content, schema=self.staging_schema)
        change(table)
        plain_schema = schema if schema in ("main", "temp") else quoted(schema)
        plain_name = name if name.isidentifier() and name.isascii() else quoted(name)
        passed = self.arguments.get("check")(plain_schema + "." + plain_name)
        if not self.connection.in_transaction:
            self._drop()
            raise self.error(
                "the check ended the transaction: it can only read, without commit(), rollback(), executescript() and"
                " `with connection`. The target is as it was"
            )
        if not passed:
            raise self.error(
                "the data of %s failed the check for the target %s (it returned %r). The target is as it was"
                % (self.source, self.target, passed)
            )

    def _drop(self):
        while self.temporary:
            self.run("DROP TABLE IF EXISTS " + self.temporary.pop())


def scd1(job_input):
    def prepare(load):
        arriving = load.arrive_alike()

        def change(table):
            load.run("DELETE FROM " + table)
            load.add(table, arriving)

        return change

    Load(job_input, "load/dimension/scd1").execute(prepare)


def insert(job_input):
    def prepare(load):
        arriving = load.arrive_alike()
        return lambda table: load.add(table, arriving)

    Load(job_input, "load/fact/insert").execute(prepare)


def scd1_upsert(job_input):
    def prepare(load):
        arriving = load.arrive_alike()
        key = load.column("id_column", load.columns, "the target")
        load.refuse_null(arriving, key)

        def change(table):
            load.run("DELETE FROM %s WHERE %s IN (SELECT %s FROM %s)" % (table, quoted(key), quoted(key), arriving))
            load.add(table, arriving)

        return change

    Load(job_input, "load/dimension/scd1_upsert", ["id_column"]).execute(prepare)


def periodic_snapshot(job_input):
    def prepare(load):
        arriving = load.arrive_alike()
        time = load.column("last_arrival_ts", load.columns, "the target")
        load.refuse_null(arriving, time)

        def change(table):
            first = "SELECT min(%s) FROM %s" % (quoted(time), arriving)
            load.run("DELETE FROM %s WHERE %s >= (%s)" % (table, quoted(time), first))
            load.add(table, arriving)

        return change

    Load(job_input, "load/fact/snapshot", ["last_arrival_ts"]).execute(prepare)


def scd2(job_input):
    optional = {
        "updated_at_column": "updated_at",
        "sk_column": "sk",
        "active_from_column": "active_from",
        "active_to_column": "active_to",
        "active_to_max_value": "9999-12-31",
    }
    Load(job_input, "load/versioned", ["id_column", "value_columns", "tracked_columns"], optional).execute(_history)


def _history(load):
    """The whole history of each id that arrives, put together from the target's versions and the arriving ones."""
    arguments = ("sk_column", "active_from_column", "active_to_column", "id_column")
    load.require_columns([load.arguments.get(name) for name in arguments] + load.arguments.get("value_columns"))
    sk, start, end, key = (load.column(name, load.columns, "the target") for name in arguments)
    values = load.columns_of("value_columns", load.columns, "the target")
    tracked = [values.index(name) for name in load.columns_of("tracked_columns", values, "value_columns")]
    given = [load.column(name, load.source_columns, "the source") for name in ("updated_at_column", "id_column")]
    given += load.columns_of("value_columns", load.source_columns, "the source")
    last = load.arguments.get("active_to_max_value")
    arriving = load.arrive([end, start, key] + values, "?, " + _list(given), (last,))
    load.refuse_null(arriving, key)
    load.refuse_null(arriving, start)
    distinct = "SELECT DISTINCT %s FROM %s" % (_list([key, start] + values), arriving)
    versions = load.temporary_table("vdk_versions", distinct)[0]
    grouped = "SELECT %s FROM %s GROUP BY 1, 2" % (_list([key, start]), versions)
    twice = load.rows(grouped + " HAVING count(*) > 1 LIMIT 1")
    if twice:
        raise load.error("the source has different rows for %s %r at the same time %r" % ((key,) + twice[0]))
    new_sk = _RANDOM_UUID
    if "INT" in load.types[sk]:
        new_sk = "(SELECT coalesce(max(%s), 0) FROM %s)" % (quoted(sk), load.target)
        new_sk += " + sum(k IS NULL) OVER (ORDER BY i, f ROWS UNBOUNDED PRECEDING)"
    select = _HISTORY.format(
        sk=quoted(sk), start=quoted(start), key=quoted(key), target=load.target, versions=versions,
        old="".join(", t.%s AS v%d" % (quoted(name), i) for i, name in enumerate(values)),
        new="".join(", a.%s AS v%d" % (quoted(name), i) for i, name in enumerate(values)),
        columns="".join(", v%d" % i for i in range(len(values))),
        same=" AND ".join("lag(v%d) OVER version IS v%d" % (i, i) for i in tracked),
        new_sk=new_sk,
    )
    history = load.temporary_table("vdk_history", select, (last,))[0]

    def change(table):
        load.run("DELETE FROM %s WHERE %s IN (SELECT i FROM %s)" % (table, quoted(key), history))
        load.run("INSERT INTO %s (%s) SELECT * FROM %s" % (table, _list([sk, start, end, key] + values), history))

    return change


# k, f, e, i: surrogate key, start, end, id; v0, v1 ...: the values. Of two versions with one start the arriving one
# wins and keeps the surrogate key; a version that tracks nothing new is a part of the one before.
_HISTORY = """
WITH versions AS (
  SELECT t.{sk} AS k, a.{start} AS f, a.{key} AS i{new}
  FROM {versions} a LEFT JOIN {target} t ON t.{key} = a.{key} AND t.{start} = a.{start}
  UNION ALL
  SELECT t.{sk}, t.{start}, t.{key}{old}
  FROM {target} t LEFT JOIN {versions} a ON t.{key} = a.{key} AND t.{start} = a.{start}
  WHERE a.{key} IS NULL AND t.{key} IN (SELECT {key} FROM {versions})
), compared AS (
  SELECT *, row_number() OVER version > 1 AND {same} AS is_same
  FROM versions WINDOW version AS (PARTITION BY i ORDER BY f)
), kept AS (
  SELECT k, f, lead(f, 1, ?) OVER (PARTITION BY i ORDER BY f) AS e, i{columns} FROM compared WHERE NOT is_same
)
SELECT coalesce(k, {new_sk}) AS k, f, e, i{columns} FROM kept ORDER BY i, f
"""
