# SPDX-License-Identifier: Apache-2.0
"""The load templates on each database, against tables that were worked out by hand."""
import json
import unittest

from load_engines import NAMES
from load_engines import OnPostgres
from load_engines import OnSqlite

SCD2 = NAMES + ", 'id_column': 'id', 'value_columns': ['a', 'b'], 'tracked_columns': ['a']"
SIMPLE = NAMES + (", 'id_column': 'id', 'surrogate_key_column': 'sk', 'start_time_column': 'since',"
                  " 'end_time_column': 'until', 'end_time_default_value': '9999-12-31'")


def values(row):
    return ", ".join("NULL" if value is None else f"'{value}'" for value in row)


class Contents:
    def test_scd1_makes_the_target_what_the_source_holds(self):
        self.sql("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'old'), (9, 'gone');"
                 "CREATE VIEW s AS SELECT 'new' AS name, 1 AS id UNION ALL SELECT NULL, NULL UNION ALL SELECT 'x', 2"
                 " UNION ALL SELECT 'x', 2")
        self.load("load/dimension/scd1", NAMES)
        self.assertEqual(self.table(), [(None, None), (1, "new"), (2, "x"), (2, "x")])

    def test_the_result_of_a_template_says_what_it_did(self):
        self.sql("CREATE TABLE t (id INTEGER); CREATE TABLE s (id INTEGER)")
        out = self.run_step("import datetime\nimport json\n"
                            f"r = job_input.execute_template('insert', {{{NAMES}}})\n"
                            "print(isinstance(r, job_input.ExecutionResult), r.is_success(), r.is_failed(), r.status == 'success')\n"
                            "print(r.data_job_name == job_input.get_name(), r.exception, r.blamee, r.get_exception())\n"
                            "print(r.execution_id == job_input.get_execution_properties()['pa__execution_id'])\n"
                            "(step,) = r.steps_list\n"
                            "print(step.name, step.type, step.status.name, step.exception, step.blamee, step.details)\n"
                            "print(r.start_time <= step.start_time <= step.end_time <= r.end_time)\n"
                            "print(abs(datetime.datetime.utcnow() - r.end_time).seconds < 60)\n"
                            "print(json.loads(repr(r))['steps_list'][0]['status'])").out
        self.assertEqual(out.splitlines(), ["True True False True", "True None None None", "True",
                                            "10_load.py python SUCCESS None None None", "True", "True", "success"])

    def test_scd1_of_an_empty_source_empties_the_target(self):
        self.sql("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1); CREATE TABLE s (id INTEGER)")
        self.load("scd1", NAMES)
        self.assertEqual(self.table("SELECT * FROM t"), [])

    def test_a_source_that_reads_the_target_is_read_before_the_target_changes(self):
        self.sql("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2); CREATE VIEW s AS SELECT id + 10 AS id FROM t")
        self.load("scd1", NAMES)
        self.assertEqual(self.table("SELECT id FROM t ORDER BY 1"), [(11,), (12,)])

    def test_upsert_replaces_the_rows_of_the_ids_that_arrive(self):
        self.sql("CREATE TABLE t (id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (2, 'bb'), (NULL, 'n');"
                 "CREATE TABLE s (v TEXT, id BIGINT); INSERT INTO s VALUES ('B', 2), ('c', 3), (NULL, 4), ('cc', 3)")
        self.load("scd1_upsert", NAMES + ", 'id_column': 'ID'")
        expected = [(None, "n"), (1, "a"), (2, "B"), (3, "c"), (3, "cc"), (4, None)]
        self.assertEqual(self.table(), expected)
        self.load("load/dimension/scd1_upsert", NAMES + ", 'id_column': 'id'")
        self.assertEqual(self.table(), expected, "a second run changes nothing")

    def test_an_upsert_of_a_row_without_id_is_refused(self):
        self.sql("CREATE TABLE t (id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a');"
                 "CREATE TABLE s (id INTEGER, v INTEGER); INSERT INTO s VALUES (NULL, 1)")
        self.assertIn("1 rows of the source have NULL in 'id'", self.load("scd1_upsert", NAMES + ", 'id_column': 'id'", 1).err)
        self.assertEqual(self.table(), [(1, "a")])

    def test_insert_adds_the_rows_also_those_that_are_there(self):
        self.sql("CREATE TABLE t (a TEXT, b INTEGER DEFAULT 5); INSERT INTO t VALUES ('x', 1);"
                 "CREATE TABLE s (b INTEGER, a TEXT); INSERT INTO s VALUES (1, 'x'), (NULL, NULL)")
        self.load("load/fact/insert", NAMES)
        self.assertEqual(self.table(), [(None, None), ("x", 1), ("x", 1)])
        self.load("insert", NAMES.replace("'s'", "'t'"))
        self.assertEqual(len(self.table()), 6)

    def test_snapshot_replaces_everything_from_the_earliest_arriving_time_on(self):
        self.sql("CREATE TABLE t (at {time}, v INTEGER); INSERT INTO t VALUES"
                 " ('2026-01-01', 1), ('2026-01-02', 2), ('2026-01-03', 3), (NULL, 0);"
                 "CREATE TABLE s (v INTEGER, at {time}); INSERT INTO s VALUES (40, '2026-01-04'), (20, '2026-01-02')")
        expected = [(None, 0), ("2026-01-01", 1), ("2026-01-02", 20), ("2026-01-04", 40)]
        for name in ("load/fact/snapshot", "periodic_snapshot"):
            self.load(name, NAMES + ", 'last_arrival_ts': 'at'")
            self.assertEqual(self.table(), expected)
        self.sql("DELETE FROM s")
        self.load("periodic_snapshot", NAMES + ", 'last_arrival_ts': 'at'")
        self.assertEqual(self.table(), expected, "nothing arrived")
        self.sql("INSERT INTO s VALUES (1, NULL)")
        self.load("periodic_snapshot", NAMES + ", 'last_arrival_ts': 'at'", 1)
        self.assertEqual(self.table(), expected)

    def test_names_that_sql_reserves_or_that_need_quotes_work(self):
        self.sql('CREATE TABLE "order" ("group" INTEGER, "a ""b" TEXT, "select" TEXT);'
                 'INSERT INTO "order" VALUES (1, \'old\', \'x\'), (2, \'kept\', \'y\');'
                 'CREATE TABLE "from" ("select" TEXT, "group" INTEGER, "a ""b" TEXT);'
                 'INSERT INTO "from" VALUES (NULL, 1, \'new\')')
        names = (f"'source_view': 'from', 'target_table': 'order', 'source_schema': '{self.schema}',"
                 f" 'target_schema': '{self.schema.upper()}'")
        self.load("scd1_upsert", names + ", 'id_column': 'group', 'check': lambda t: job_input.execute_query("
                                         "'SELECT count(*) FROM ' + t)[0][0] == 2")
        self.assertEqual(self.table('SELECT * FROM "order" ORDER BY 1'), [(1, "new", None), (2, "kept", "y")])


class Versions:
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE t (sk TEXT, active_from {time}, active_to {time}, id INTEGER, a TEXT, b TEXT);"
                 "CREATE TABLE s (updated_at {time}, b TEXT, a TEXT, id INTEGER)")

    def arrive(self, *rows, code=0, arguments=SCD2):
        self.sql("DELETE FROM s;" + "".join(f"INSERT INTO s (id, updated_at, a, b) VALUES ({values(row)});" for row in rows))
        return self.load("scd2", arguments, code)

    def history(self):
        return self.table("SELECT id, active_from, active_to, a, b FROM t ORDER BY 1, 2")

    def test_a_change_closes_the_version_before_and_opens_one(self):
        self.arrive((1, "2026-01-01", "x", "-"), (2, "2026-01-01", None, "-"))
        keys = dict(self.table("SELECT id, sk FROM t"))
        self.arrive((1, "2026-02-01", "y", "-"), (2, "2026-02-01", None, "other"), (3, "2026-02-02", "n", None))
        self.assertEqual(self.history(), [
            (1, "2026-01-01", "2026-02-01", "x", "-"), (1, "2026-02-01", "9999-12-31", "y", "-"),
            (2, "2026-01-01", "9999-12-31", None, "-"), (3, "2026-02-02", "9999-12-31", "n", None)])
        kept = dict(self.table("SELECT id, sk FROM t WHERE active_from = '2026-01-01'"))
        self.assertEqual(kept, keys, "versions keep their surrogate keys")
        self.assertEqual(self.table("SELECT count(DISTINCT sk), min(length(sk)), max(length(sk)) FROM t"), [(4, 36, 36)])

    def test_what_arrives_late_takes_its_place_in_the_history(self):
        self.arrive((1, "2026-01-01", "x", "-"), (1, "2026-03-01", "z", "-"))
        self.arrive((1, "2026-02-01", "y", "-"), (1, "2025-12-01", "x", "first"))
        self.assertEqual(self.history(), [
            (1, "2025-12-01", "2026-02-01", "x", "first"), (1, "2026-02-01", "2026-03-01", "y", "-"),
            (1, "2026-03-01", "9999-12-31", "z", "-")])

    def test_the_same_time_again_corrects_the_version_and_duplicates_are_one(self):
        self.arrive((1, "2026-01-01", "x", "-"))
        key = self.table("SELECT sk FROM t")
        self.arrive((1, "2026-01-01", "fixed", "+"), (1, "2026-01-01", "fixed", "+"))
        self.assertEqual(self.history(), [(1, "2026-01-01", "9999-12-31", "fixed", "+")])
        self.assertEqual(self.table("SELECT sk FROM t"), key)
        self.arrive()
        self.assertEqual(self.history(), [(1, "2026-01-01", "9999-12-31", "fixed", "+")])

    def test_to_null_and_back_are_changes_and_a_repetition_is_none(self):
        days = [f"2026-01-0{day}" for day in range(1, 6)]
        self.arrive(*((1, day, a, "-") for day, a in zip(days, ("x", None, None, "x", ""))))
        self.assertEqual(self.history(), [
            (1, days[0], days[1], "x", "-"), (1, days[1], days[3], None, "-"), (1, days[3], days[4], "x", "-"),
            (1, days[4], "9999-12-31", "", "-")])

    def test_contradictions_and_missing_ids_or_times_are_refused(self):
        self.arrive((1, "2026-01-01", "x", "-"))
        before = self.table()
        self.assertRegex(self.arrive((7, "2026-01-05", "x", "-"), (7, "2026-01-05", "y", "-"), code=1).err,
                         "different rows for id '?7'? at the same time '2026-01-05'")
        self.assertIn("NULL in 'id'", self.arrive((None, "2026-01-05", "x", "-"), code=1).err)
        self.assertIn("NULL in 'active_from'", self.arrive((1, None, "x", "-"), code=1).err)
        self.assertEqual(self.table(), before)

    def test_columns_of_other_names_and_numbers_as_keys(self):
        self.sql('DROP TABLE t; CREATE TABLE t ("to" INTEGER, b TEXT, a TEXT, "key" TEXT, "from" INTEGER,'
                 ' n INTEGER PRIMARY KEY); INSERT INTO t VALUES (99, \'0\', \'0\', \'0\', 1, 41);'
                 'DROP TABLE s; CREATE TABLE s AS SELECT 7 AS "when", \'k\' AS "key", 1 AS a, 2 AS b, 3 AS more')
        self.load("load/versioned", NAMES + ", 'id_column': 'key', 'value_columns': ('a', 'b'), 'tracked_columns': ['B'],"
                  " 'updated_at_column': 'when', 'sk_column': 'n', 'active_from_column': 'from', 'active_to_column': 'to',"
                  " 'active_to_max_value': 99")
        self.assertEqual(self.table(), [(99, "0", "0", "0", 1, 41), (99, "2", "1", "k", 7, 42)])


class Periods:
    """`scd2_simple`."""

    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE t (v TEXT, id INTEGER, since {time}, until {time}, sk TEXT);"
                 "INSERT INTO t (sk, id, since, until, v) VALUES"
                 " ('k1', 1, '2020-01-01', '9999-12-31', 'stays'),"
                 " ('k2', 2, '2020-01-01', '2021-01-01', 'old'), ('k3', 2, '2021-01-01', '9999-12-31', 'wrng'),"
                 " ('k4', 3, '2020-01-01', '9999-12-31', 'does not arrive'),"
                 " ('k5', 4, '2020-01-01', '2021-01-01', 'old, wrng'), ('k6', 4, '2021-01-01', '9999-12-31', 'ends');"
                 "CREATE TABLE s (until {time}, since {time}, id INTEGER, v TEXT);"
                 "INSERT INTO s (id, since, until, v) VALUES"
                 " (1, '2020-01-01', '9999-12-31', 'stays'), (1, '2020-01-01', '9999-12-31', 'stays'),"
                 " (2, '2021-01-01', '9999-12-31', 'wrong'), (4, '2020-01-01', '2021-01-01', 'old, wrong'),"
                 " (4, '2021-01-01', '2022-01-01', 'ends'), (4, '2022-01-01', '9999-12-31', NULL),"
                 " (5, '2022-02-02', '9999-12-31', 'new')")

    def content(self):
        return self.table("SELECT id, since, until, v, sk FROM t ORDER BY 1, 2")

    def test_what_arrives_replaces_what_is_valid_and_corrects_what_was(self):
        for name in ("scd2_simple", "load/dimension/scd2", "scd2_simple"):
            self.load(name, SIMPLE)
            found = self.content()
            new = [row[4] for row in found if row[4][0] != "k" or len(row[4]) != 2]
            self.assertEqual(found, [
                (1, "2020-01-01", "9999-12-31", "stays", "k1"),
                (2, "2020-01-01", "2021-01-01", "old", "k2"), (2, "2021-01-01", "9999-12-31", "wrong", "k3"),
                (4, "2020-01-01", "2021-01-01", "old, wrong", "k5"), (4, "2021-01-01", "2022-01-01", "ends", "k6"),
                (4, "2022-01-01", "9999-12-31", None, new[0]), (5, "2022-02-02", "9999-12-31", "new", new[1])])
            self.assertEqual([len(key) for key in new], [36, 36])
            self.assertEqual(len(set(new)), 2)

    def test_an_empty_source_changes_nothing(self):
        self.sql("DELETE FROM s")
        before = self.content()
        self.load("scd2_simple", SIMPLE)
        self.assertEqual(self.content(), before)

    def test_rows_without_id_start_or_end_stay_and_arriving_ones_without_id_or_start_are_refused(self):
        self.sql("INSERT INTO t (id, since, until, v, sk) VALUES (NULL, '2020-01-01', '2020-02-02', 'n', 'k7'),"
                 " (6, NULL, '2020-02-02', 'n', 'k8'), (7, '2020-01-01', NULL, 'n', 'k9')")
        self.load("scd2_simple", SIMPLE)
        self.assertEqual(self.table("SELECT sk FROM t WHERE v = 'n' ORDER BY 1"), [("k7",), ("k8",), ("k9",)])
        before = self.content()
        for row, text in (("NULL, '2020-01-01'", "NULL in 'id'"), ("8, NULL", "NULL in 'since'"),
                          ("2, '2021-01-01'", "different rows for id")):
            self.sql(f"DELETE FROM s WHERE v = 'more'; INSERT INTO s (id, since, until, v) VALUES ({row}, '9999-12-31', 'more')")
            self.assertIn(text, self.load("scd2_simple", SIMPLE, 1).err)
            self.assertEqual(self.content(), before)

    def test_numbers_as_keys_and_a_check(self):
        self.sql("DROP TABLE t; CREATE TABLE t (id INTEGER, since {time}, until {time}, v TEXT, sk INTEGER UNIQUE);"
                 "INSERT INTO t VALUES (1, '2020-01-01', '9999-12-31', 'stays', 41), (9, '2020-01-01', '9999-12-31', 'goes', 77)")
        check = ", 'check': lambda name: job_input.execute_query('SELECT count(*), max(sk) FROM ' + name)[0] == (%d, 82)"
        before = self.content()
        self.assertIn("failed the check", self.load("scd2_simple", SIMPLE + check % 7, 1).err)
        self.assertEqual(self.content(), before)
        self.load("scd2_simple", SIMPLE + check % 6)
        self.assertEqual([row[4] for row in self.content()], [41, 78, 79, 80, 81, 82])

    def test_columns_that_do_not_fit_are_named(self):
        self.assertIn("the column 'since' is named twice",
                      self.load("scd2_simple", SIMPLE.replace("'until'", "'since'"), 1).err)
        self.sql("CREATE VIEW w AS SELECT s.*, 1 AS sk FROM s")
        self.assertIn("has that column; only the target has it",
                      self.load("scd2_simple", SIMPLE.replace("'s'", "'w'"), 1).err)
        self.assertIn("the argument 'surrogate_key_column' is missing",
                      self.load("scd2_simple", SIMPLE.replace("'surrogate_key_column': 'sk',", ""), 1).err)


class Checks:
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE t (id INTEGER UNIQUE, v TEXT); INSERT INTO t VALUES (1, 'old');"
                 "CREATE TABLE s (id INTEGER, v TEXT); INSERT INTO s VALUES (2, 'new')")

    def left(self):
        if self.kind == "sqlite":
            return self.table("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        return self.table("SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1")

    def test_a_check_sees_what_the_target_will_hold_while_the_target_is_as_it_was(self):
        for name, more, seen in (("insert", "", [(1, "old"), (2, "new")]), ("scd1", "", [(2, "new")]),
                                 ("scd1_upsert", ", 'id_column': 'id'", [(1, "old"), (2, "new")])):
            with self.subTest(name):
                self.sql("DELETE FROM t; INSERT INTO t VALUES (1, 'old')")
                before = (f"def check(name):\n    assert RUN.execute_query('SELECT * FROM t') == [(1, 'old')]\n"
                          f"    found = RUN.execute_query('SELECT * FROM ' + name + ' ORDER BY 1')\n    print(name)\n"
                          f"    return found == {seen!r}\n")
                out = self.run_step(f"global RUN\nRUN = job_input\njob_input.execute_template({name!r}, "
                                    f"{{{NAMES}, 'check': check{more}}})", before=before).out
                self.assertIn(self.schema + ".vdk_check_t", out)
                self.assertEqual(self.table(), seen)
        self.assertEqual(self.left(), [("s",), ("t",)])

    def test_a_check_that_fails_or_raises_leaves_the_target_as_it_was(self):
        checks = [("lambda name: 0", "failed the check"), ("lambda name: 1 / 0", "ZeroDivisionError")]
        checks.append(("lambda name: [job_input.get_managed_connection().%s()]" % ("commit" if self.kind == "sqlite" else "rollback"),
                       "the check ended the transaction"))
        for check, text in checks:
            with self.subTest(check):
                self.assertIn(text, self.load("scd1", NAMES + f", 'check': {check}", 1).err)
                self.assertEqual(self.table(), [(1, "old")])
                self.assertEqual(self.left(), [("s",), ("t",)])

    def test_a_row_that_the_target_refuses_undoes_everything(self):
        self.sql("INSERT INTO s VALUES (3, 'a'), (3, 'b')")
        for name in ("insert", "scd1"):
            error = self.load(name, NAMES, 1).err
            self.assertIn(self.refused, error)
            self.assertEqual(self.table(), [(1, "old")])

    def test_rows_that_were_sent_before_are_in_the_source(self):
        self.run_step("job_input.send_object_for_ingestion({'id': 8, 'v': 'sent'}, 's')\n"
                      f"assert job_input.execute_template('insert', {{{NAMES}}}).is_success()")
        self.assertEqual(self.table(), [(1, "old"), (2, "new"), (8, "sent")])


class Arguments:
    def test_what_is_missing_unknown_or_wrong_is_named_and_nothing_is_done(self):
        self.sql("CREATE TABLE t (id INTEGER, v TEXT); CREATE TABLE s (id INTEGER, w TEXT);"
                 "CREATE TABLE v (id INTEGER, v TEXT, \"more\" TEXT)")
        target = '"t"' if self.kind == "sqlite" else '"public"."t"'
        cases = [
            ("scd1", {"source_view": "s"}, "the argument 'target_table' is missing"),
            ("scd1_upsert", {"source_view": "s", "target_table": "t"}, "the argument 'id_column' is missing"),
            ("periodic_snapshot", {"source_view": "s", "target_table": "t"}, "'last_arrival_ts' is missing"),
            ("insert", {"source_view": "s", "target_table": "t", "id_column": "id"}, "it has no argument 'id_column'"),
            ("insert", {"source_view": "s", "target_table": "t", "check": "yes"}, "check must be a function"),
            ("insert", {"source_view": "s", "target_table": 5}, "target_table must be a name, not 5"),
            ("insert", ["s", "t"], "its arguments must be a dictionary, not list"),
            ("insert", {"source_view": "s", "target_table": "t"}, "has no column 'w'; nothing arrives for the target's column 'v'"),
            ("insert", {"source_view": "v", "target_table": "t"}, f"the target {target} has no column 'more'"),
            ("insert", {"source_view": "nowhere", "target_table": "t"}, "there is no table or view \"nowhere\""),
            ("insert", {"source_view": "s", "target_table": "t", "target_schema": "dw"}, "target_schema: there is no schema 'dw'"),
            ("scd1_upsert", {"source_view": "t", "target_table": "t", "id_column": "x"}, "id_column: the target has no column 'x'"),
            ("scd2", {"source_view": "s", "target_table": "t", "id_column": "id", "value_columns": ["v"], "tracked_columns": ["w"]},
             "tracked_columns has 'w', which value_columns has not"),
            ("scd2", {"source_view": "s", "target_table": "t", "id_column": "id", "value_columns": "v", "tracked_columns": ["v"]},
             "value_columns must be a list of column names"),
            ("scd2", {"source_view": "s", "target_table": "t", "id_column": "id", "value_columns": ["v"], "tracked_columns": ["v"],
                      "active_to_max_value": []}, "active_to_max_value must be text or a number, not []"),
            ("scd3", {}, "there is no template of that name"),
            ("load/dimension", {}, "there is no template of that name"),
        ]
        body = ["import json", f"for name, arguments, text in json.loads({json.dumps(cases)!r}):", "    try:",
                "        job_input.execute_template(name, arguments)", "    except Exception as error:",
                "        assert type(error).__name__ == 'UserCodeError', repr(error)",
                "        assert text in str(error), (text, str(error))", "    else:", "        raise AssertionError(text)"]
        self.run_step("\n".join(body))
        self.assertEqual(self.table("SELECT * FROM t"), [])


    def test_a_job_may_hand_all_of_its_arguments_on(self):
        self.sql("CREATE TABLE t (id INTEGER, v TEXT); CREATE TABLE s (id INTEGER, v TEXT); INSERT INTO s VALUES (1, 'a')")
        given = json.dumps({"source_view": "s", "target_table": "t", "day": "2024-01-31", "id_column": 5})
        body = ("arguments = job_input.get_arguments()\njob_input.execute_template('insert', arguments, database='default')\n"
                "job_input.execute_template('scd1', dict(arguments, day='2024-02-01'))")
        result = self.run_step(body, code=1, more=("--arguments", given))
        self.assertIn("it has no argument 'day'", result.err)
        self.assertEqual(self.table(), [(1, "a")])


class ContentsOnSqlite(Contents, OnSqlite):
    pass


class ContentsOnPostgres(Contents, OnPostgres):
    pass


class VersionsOnSqlite(Versions, OnSqlite):
    pass


class VersionsOnPostgres(Versions, OnPostgres):
    pass


class PeriodsOnSqlite(Periods, OnSqlite):
    pass


class PeriodsOnPostgres(Periods, OnPostgres):
    pass


class ChecksOnSqlite(Checks, OnSqlite):
    pass


class ChecksOnPostgres(Checks, OnPostgres):
    pass


class ArgumentsOnSqlite(Arguments, OnSqlite):
    pass


class ArgumentsOnPostgres(Arguments, OnPostgres):
    pass


if __name__ == "__main__":
    unittest.main()
