# SPDX-License-Identifier: Apache-2.0
"""One run of a load template, on whichever database: what is the same everywhere."""
import contextlib

from vdk.api import errors
from vdk.sdk.load_arguments import Arguments
from vdk.sdk.load_names import in_list
from vdk.sdk.load_names import listed
from vdk.sdk.load_names import quoted
from vdk.sdk.load_names import Refused
from vdk.sdk.load_postgres import Postgres
from vdk.sdk.load_sqlite import Sqlite


def _dialect(connection):
    for kind in (Sqlite, Postgres):
        if kind.knows(connection):
            return kind(connection)
    return None


class Load:
    """Everything happens in one transaction, or nothing does."""

    def __init__(self, job_input, template, required=(), optional=None):
        of_job = job_input._run.arguments.get(0)
        self.arguments = Arguments(template, job_input.get_arguments(), required, optional, of_job)
        self.dialect = _dialect(job_input.get_managed_connection())
        if self.dialect is None:
            raise self.error("it is made for SQLite and PostgreSQL, and this database is neither")
        self.temporary = []

    def error(self, why, kind=errors.UserCodeError):
        return kind("cannot run the template %s: %s" % (self.arguments.template, why))

    @contextlib.contextmanager
    def _told(self):
        """What goes wrong is told as the template's error."""
        try:
            yield
        except errors.BaseVdkError:
            raise
        except Refused as error:
            raise self.error(error) from None
        except self.dialect.Error as error:
            why, kind = self.dialect.explain(error)
            raise self.error("%s. The target is as it was" % why, kind) from error

    def run(self, sql):
        self.dialect.cursor.execute(sql)

    def rows(self, sql):
        return self.dialect.rows(sql)

    # Names

    def _look(self):
        """Find source and target."""
        self.target_relation = self._relation("target_schema", "target_table")
        self.source_relation = self._relation("source_schema", "source_view")
        self.target = self.target_relation.qualified
        self.source = self.source_relation.qualified
        self.staging_schema = self._schema("staging_schema") or self.target_relation.schema
        self.columns = [column for column in self.target_relation.columns if not column.computed]

    def _schema(self, argument):
        wanted = self.arguments.get(argument)
        if wanted is None:
            return None
        found = self.dialect.schema(wanted)
        if found is None:
            raise self.error("%s: there is no schema %r. %s" % (argument, wanted, self.dialect.no_schema()))
        return found

    def _relation(self, schema, table):
        schema_name, name = self._schema(schema), self.arguments.get(table)
        found = self.dialect.find(schema_name, name)
        if found is None:
            place = quoted(schema_name) + "." if schema_name else ""
            raise self.error("%s: there is no table or view %s" % (table, place + quoted(name)))
        return found

    def column(self, argument, columns, where):
        """A column that an argument names."""
        return self._pick(argument, self.arguments.get(argument), columns, where)

    def columns_of(self, argument, columns, where):
        """The columns that an argument lists."""
        return [self._pick(argument, name, columns, where) for name in self.arguments.get(argument)]

    def _pick(self, argument, wanted, columns, where):
        names = [column.name for column in columns]
        found = self.dialect.pick(wanted, names)
        if found is None:
            raise self.error("%s: %s has no column %r, it has %s" % (argument, where, wanted, listed(names)))
        return columns[names.index(found)]

    def require_columns(self, wanted):
        """The target has exactly these columns, in whatever order; they are returned as it has them."""
        names = [column.name for column in self.columns]
        found = [self.dialect.pick(name, names) for name in wanted]
        missing = [name for name, have in zip(wanted, found) if have is None]
        extra = [column.name for column in self.columns if column.name not in found and not column.numbered]
        reasons = ["the target %s has no column %s" % (self.target, listed(missing))] if missing else []
        reasons += ["nothing arrives for the target's column %s" % listed(extra)] if extra else []
        if reasons:
            raise self.error("%s. Columns of the source %s: %s" % (
                "; ".join(reasons), self.source, listed(column.name for column in self.source_relation.columns)))
        self.columns = [column for column in self.columns if column.name in found]
        return [self.columns[[column.name for column in self.columns].index(name)] for name in found]

    def _free_name(self, wanted):
        """That name or one like it which no table has, so that nothing is hidden or lost."""
        number = 1
        while self.dialect.is_taken(self.dialect.numbered(wanted, number)):
            number += 1
        return self.dialect.numbered(wanted, number)

    def temporary_table(self, wanted, select, schema=None):
        """A table that is there until the end of the template; its quoted name and its plain one."""
        name = self._free_name(wanted)
        table = quoted(schema or self.dialect.temporary_schema) + "." + quoted(name)
        self.run("CREATE TABLE %s AS %s" % (table, select))
        self.temporary.append(table)
        return table, name

    # The run

    def arrive(self, columns, given):
        """What the source holds now in its columns `given`, converted as the target's columns convert it. It is read
        once: the source may be a view of the target, or give other rows the next time."""
        shape = "SELECT %s FROM %s WHERE 1 = 0" % (self.names(), self.target)
        table = self.temporary_table("vdk_arriving", shape)[0]
        self.run("INSERT INTO %s (%s) SELECT %s FROM %s" % (
            table, in_list(column.name for column in columns), in_list(column.name for column in given), self.source))
        return table

    def arrive_alike(self):
        """For a source with the columns of the target."""
        given = self.source_relation.columns
        return self.arrive(self.require_columns([column.name for column in given]), given)

    def names(self):
        """The target's columns, for a statement."""
        return in_list(column.name for column in self.columns)

    def refuse_null(self, table, column):
        count = self.rows("SELECT count(*) FROM %s WHERE %s IS NULL" % (table, quoted(column.name)))[0][0]
        if count:
            what = (count, column.name)
            raise self.error("%d rows of the source have NULL in %r. Leave them out of the source" % what)

    def versions(self, arriving, key, start, others):
        """A table of the arriving rows, each once; no two have one key and one time."""
        self.refuse_null(arriving, key)
        self.refuse_null(arriving, start)
        columns = [key, start] + others
        table = self.temporary_table("vdk_versions", self.dialect.distinct(columns, arriving))[0]
        shown = "%s, %s" % (self.dialect.shown(key), self.dialect.shown(start))
        twice = self.rows("SELECT %s FROM %s GROUP BY %s HAVING count(*) > 1 LIMIT 1" % (
            shown, table, in_list([key.name, start.name])))
        if twice:
            what = (key.name,) + twice[0]
            raise self.error("the source has different rows for %s %r at the same time %r" % what)
        return table

    def new_key(self, column):
        """A surrogate key for each row whose k is NULL, in the order of i, f."""
        count = "count(*) FILTER (WHERE k IS NULL) OVER (ORDER BY i, f ROWS UNBOUNDED PRECEDING)"
        highest = "(SELECT coalesce(max(%s), 0) FROM %s)" % (quoted(column.name), self.target)
        return self.dialect.new_key(self.target_relation, column, highest + " + " + count)

    def insert(self, table, columns, select):
        self.run("INSERT INTO %s (%s) %s%s" % (
            table, in_list(column.name for column in columns), self.dialect.overriding, select))

    def add(self, table, arriving):
        self.insert(table, self.columns, "SELECT %s FROM %s%s" % (self.names(), arriving, self.dialect.in_order))

    def execute(self, prepare, replaces=True):
        """`prepare` reads the source and gives the function that changes a table, the target or what stands for it;
        `replaces` tells whether rows of the target go."""
        with self._told():
            self.dialect.begin()
        try:
            with self._told():
                self._look()
                if replaces:
                    self.dialect.lock(self.target_relation)
                change = prepare(self)
            if self.arguments.get("check") is not None:
                self._check(change)
            with self._told():
                change(self.target)
                self._drop()
                self.dialect.commit()
        except BaseException:
            self.dialect.rollback()
            raise
        finally:
            self.dialect.close()

    def _check(self, change):
        content = "SELECT %s FROM %s" % (self.names(), self.target)
        wanted = "vdk_check_" + self.arguments.get("target_table")
        with self._told():
            table, name = self.temporary_table(wanted, content, self.staging_schema)
            change(table)
            written = self.dialect.as_written(self.staging_schema, name)
        try:
            passed, is_whole = self.dialect.call_check(self.arguments.get("check"), written)
        except Refused as error:
            raise self.error(error) from None
        if not is_whole:
            with self._told():
                self._drop()
                self.dialect.keep()
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
