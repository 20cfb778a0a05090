# SPDX-License-Identifier: Apache-2.0
"""Histories of `scd2` and `scd2_simple` that chance makes, against a model that is written the naive way."""
import unittest

from load_engines import NAMES
from load_engines import OnPostgres
from load_engines import OnSqlite

LAST = "9999-12-31"

# The step of the job. `held` is what the model has in the target.
STEP = '''
import random

LAST = "9999-12-31"


def fold(rows):
    """The versions of one id: [(start, end, a, b)], from {start: (a, b)}; a is tracked."""
    kept = []
    for start in sorted(rows):
        if not kept or kept[-1][1][0] != rows[start][0]:
            kept.append((start, rows[start]))
    ends = [start for start, _ in kept[1:]] + [LAST]
    return [(start, end) + row for (start, row), end in zip(kept, ends)]


def day(chance, days):
    return "2026-01-%02d" % chance.randint(1, days)


def model_scd2(held, arriving):
    result = dict(held)
    for key in {row[0] for row in arriving}:
        rows = {start: (a, b) for start, _, a, b in held.get(key, [])}
        rows.update({time: (a, b) for one, time, a, b in arriving if one == key})
        result[key] = fold(rows)
    return result


def model_simple(held, arriving):
    if not arriving:
        return held
    ours = {(one, start) for one, start, *_ in arriving}
    kept = [row for row in held if row[2] != LAST and (row[0], row[1]) not in ours]
    return sorted(kept + arriving)


def literal(row):
    return "(" + ", ".join("NULL" if value is None else "'%s'" % value for value in row) + ")"


def fill(query, columns, rows):
    query("DELETE FROM s")
    if rows:
        query("INSERT INTO s (%s) VALUES %s" % (columns, ", ".join(map(literal, rows))))


def text(rows):
    return [tuple(value if value is None or isinstance(value, (str, int)) else str(value) for value in row) for row in rows]


def run(job_input):
    chance = random.Random(SEED)
    query = job_input.execute_query
    if TIME == "TEXT":
        query("PRAGMA synchronous = OFF")  # SQLite: the disk is not what is tested
    for number in range(HISTORIES):
        query("DELETE FROM t")
        ids, days, held, seen = chance.randint(1, 4), chance.randint(1, 8), {}, {}
        for batch in range(chance.randint(1, 4)):
            arriving = {}
            for _ in range(chance.randint(0, 6)):
                arriving[chance.randint(1, ids), day(chance, days)] = (chance.choice(["x", "y", "", None]), chance.choice("pq"))
            arriving = [one + row for one, row in arriving.items()]
            fill(query, "id, updated_at, a, b", arriving)
            job_input.execute_template("scd2", {NAMES, "id_column": "id", "value_columns": ["a", "b"], "tracked_columns": ["a"]})
            held = model_scd2(held, arriving)
            found = text(query("SELECT id, active_from, active_to, a, b FROM t ORDER BY 1, 2"))
            assert found == [(key,) + row for key in sorted(held) for row in held[key]], (number, batch, found, held, arriving)
            keys = dict(((row[0], str(row[1])), row[2]) for row in query("SELECT id, active_from, sk FROM t"))
            assert len(set(keys.values())) == len(keys) == len(found)
            assert all(keys[place] == seen[place] for place in keys if place in seen)
            seen = keys
    query("ALTER TABLE s RENAME COLUMN updated_at TO active_from")
    query("ALTER TABLE s ADD COLUMN active_to " + TIME)
    for number in range(HISTORIES):
        query("DELETE FROM t")
        held = []
        for batch in range(chance.randint(1, 4)):
            arriving = {}
            for _ in range(chance.randint(0, 6)):
                end = chance.choice([LAST, day(chance, 8)])
                arriving[chance.randint(1, 4), day(chance, 8)] = (end, chance.choice(["x", None]), "b")
            arriving = [one + row for one, row in arriving.items()]
            fill(query, "id, active_from, active_to, a, b", arriving)
            job_input.execute_template("scd2_simple", {NAMES, "id_column": "id", "surrogate_key_column": "sk", "start_time_column":
                "active_from", "end_time_column": "active_to", "end_time_default_value": LAST})
            held = model_simple(held, arriving)
            found = text(query("SELECT id, active_from, active_to, a, b FROM t ORDER BY 1, 2"))
            assert found == sorted(held, key=lambda row: row[:2]), (number, batch, found, held, arriving)
    print("all histories agree")
'''.replace("NAMES", NAMES)


class Histories:
    def test_random_histories_are_what_the_naive_model_says(self):
        self.sql("CREATE TABLE t (sk TEXT, active_from {time}, active_to {time}, id INTEGER, a TEXT, b TEXT);"
                 "CREATE TABLE s (updated_at {time}, b TEXT, a TEXT, id INTEGER)")
        code = STEP.replace("SEED", "20261121").replace("HISTORIES", "30").replace("TIME", repr(self.time))
        job = self.job("histories", {"10_load.py": code, "config.ini": "[owner]\nteam = red\n" + self.config})
        self.assertIn("all histories agree", self.vdk("run", job, env=self.settings).out)


class HistoriesOnSqlite(Histories, OnSqlite):
    pass


class HistoriesOnPostgres(Histories, OnPostgres):
    pass


if __name__ == "__main__":
    unittest.main()
