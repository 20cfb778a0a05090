# SPDX-License-Identifier: Apache-2.0
"""The load templates: what the steps in templates/load call."""
from vdk.sdk.load_names import quoted
from vdk.sdk.load_run import Load


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

    Load(job_input, "load/fact/insert").execute(prepare, replaces=False)


def scd1_upsert(job_input):
    def prepare(load):
        arriving = load.arrive_alike()
        key = load.column("id_column", load.columns, "the target")
        load.refuse_null(arriving, key)

        def change(table):
            name = quoted(key.name)
            load.run("DELETE FROM %s WHERE %s IN (SELECT %s FROM %s)" % (table, name, name, arriving))
            load.add(table, arriving)

        return change

    Load(job_input, "load/dimension/scd1_upsert", ["id_column"]).execute(prepare)


def periodic_snapshot(job_input):
    def prepare(load):
        arriving = load.arrive_alike()
        time = load.column("last_arrival_ts", load.columns, "the target")
        load.refuse_null(arriving, time)

        def change(table):
            first = "SELECT min(%s) FROM %s" % (quoted(time.name), arriving)
            load.run("DELETE FROM %s WHERE %s >= (%s)" % (table, quoted(time.name), first))
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
    dialect = load.dialect
    arguments = ("sk_column", "active_from_column", "active_to_column", "id_column")
    load.require_columns([load.arguments.get(name) for name in arguments] + load.arguments.get("value_columns"))
    sk, start, end, key = (load.column(name, load.columns, "the target") for name in arguments)
    values = load.columns_of("value_columns", load.columns, "the target")
    tracked = [values.index(column) for column in load.columns_of("tracked_columns", values, "value_columns")]
    theirs = load.source_relation.columns
    given = [load.column(name, theirs, "the source") for name in ("updated_at_column", "id_column")]
    arriving = load.arrive([start, key] + values, given + load.columns_of("value_columns", theirs, "the source"))
    versions = load.versions(arriving, key, start, values)
    select = _HISTORY.format(
        sk=quoted(sk.name), start=quoted(start.name), key=quoted(key.name), target=load.target, versions=versions,
        old="".join(", t.%s AS v%d" % (quoted(column.name), i) for i, column in enumerate(values)),
        new="".join(", a.%s AS v%d" % (quoted(column.name), i) for i, column in enumerate(values)),
        columns="".join(", v%d" % i for i in range(len(values))),
        same=" AND ".join(dialect.is_same("lag(v%d) OVER version" % i, "v%d" % i, values[i]) for i in tracked),
        next=dialect.cast("lead(f) OVER (PARTITION BY i ORDER BY f)", end),
        last=dialect.literal(load.arguments.get("active_to_max_value"), end),
        new_sk=load.new_key(sk),
    )
    history = load.temporary_table("vdk_history", select)[0]

    def change(table):
        load.run("DELETE FROM %s WHERE %s IN (SELECT i FROM %s)" % (table, quoted(key.name), history))
        load.insert(table, [sk, start, end, key] + values, "SELECT * FROM " + history)

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
  SELECT k, f, coalesce({next}, {last}) AS e, i{columns} FROM compared WHERE NOT is_same
)
SELECT coalesce(k, {new_sk}) AS k, f, e, i{columns} FROM kept ORDER BY i, f
"""


def scd2_simple(job_input):
    required = ["id_column", "surrogate_key_column", "start_time_column", "end_time_column", "end_time_default_value"]
    Load(job_input, "load/dimension/scd2", required).execute(_periods)


def _periods(load):
    """The source says from when to when each of its rows is valid, and has all rows that are valid now."""
    given = load.source_relation.columns
    if load.dialect.pick(load.arguments.get("surrogate_key_column"), [column.name for column in given]) is not None:
        raise load.error("surrogate_key_column: the source %s has that column; only the target has it" % load.source)
    columns = load.require_columns([load.arguments.get("surrogate_key_column")] + [column.name for column in given])
    arguments = ("start_time_column", "end_time_column", "id_column", "surrogate_key_column")
    start, end, key, sk = (load.column(name, load.columns, "the target") for name in arguments)
    columns.remove(sk)
    others = [column for column in columns if column not in (key, start)]
    versions = load.versions(load.arrive(columns, given), key, start, others)
    order = [key, start] + others
    periods = load.temporary_table("vdk_periods", _PERIODS.format(
        sk=quoted(sk.name), start=quoted(start.name), key=quoted(key.name), target=load.target, versions=versions,
        values="".join(", a.%s AS v%d" % (quoted(column.name), i) for i, column in enumerate(others)),
        columns="".join(", v%d" % i for i in range(len(others))),
        new_sk=load.new_key(sk),
    ))[0]

    def change(table):
        if load.rows("SELECT 1 FROM %s LIMIT 1" % periods):
            last = load.dialect.literal(load.arguments.get("end_time_default_value"), end)
            load.run("DELETE FROM %s WHERE %s = %s OR (%s, %s) IN (SELECT i, f FROM %s)" % (
                table, quoted(end.name), last, quoted(key.name), quoted(start.name), periods))
            load.insert(table, [sk] + order, "SELECT * FROM " + periods)

    return change


# As in _HISTORY; v0, v1 ...: the other columns.
_PERIODS = """
WITH periods AS (
  SELECT t.{sk} AS k, a.{key} AS i, a.{start} AS f{values}
  FROM {versions} a LEFT JOIN {target} t ON t.{key} = a.{key} AND t.{start} = a.{start}
)
SELECT coalesce(k, {new_sk}) AS k, i, f{columns} FROM periods ORDER BY i, f
"""
