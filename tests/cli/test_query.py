# SPDX-License-Identifier: Apache-2.0
"""sql-query and sqlite-query: a look into a database from the command line."""
import sys
import unittest

import original
from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402

MAKE = "create table cars (day text, name text, price real); insert into cars values ('2024-01-31', 'a', 123.0), (null, 'b', 1.25)"


class Query(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), **(extra or {})})

    def test_rows_are_a_table_or_objects(self):
        for command in ("sqlite-query", "sql-query"):
            self.assertEqual(self.vdk(command, "-q", "drop table if exists cars; " + MAKE).out, "")
            self.assertEqual(self.vdk(command, "--query", "select * from cars order by name").out,
                             "day         name      price\n"
                             "----------  ------  -------\n"
                             "2024-01-31  a        123\n"
                             "            b          1.25\n")
            self.assertEqual(self.vdk(command, "-o", "json", "-q", "select * from cars order by name").json(),
                             [{"day": "2024-01-31", "name": "a", "price": 123.0}, {"day": None, "name": "b", "price": 1.25}])
            self.assertEqual(self.vdk(command, "-o", "json", "-q", "select 1; delete from cars").json(), [])
            self.assertEqual(self.vdk(command, "-q", "select name from cars").out, "name\n------\n")

    def test_digits_bytes_and_lines_are_kept(self):
        rows = self.vdk("sqlite-query", "-o", "json", "-q",
                        "select 9223372036854775807 as i, 0.1 as f, x'6162' as t, x'00ff' as b, 'é\n\"' as s").json()
        self.assertEqual(rows, [{"i": 9223372036854775807, "f": 0.1, "t": "ab", "b": "X'00ff'", "s": "é\n\""}])
        self.assertEqual(self.vdk("sqlite-query", "-o", "json", "-q", "select 1 as a, 2 as a, 9e999 as b").json(), [{"a": 1, "a_2": 2, "b": "inf"}])
        self.assertEqual(self.vdk("sqlite-query", "-q", "select 1234567.25 as f, 'one\ntwo' as s").out,
                         "         f  s\n----------  ---\n1234567.25  one\n            two\n")

    def test_what_cannot_be_done_is_told(self):
        for query, text in (("select * from nowhere", "no such table: nowhere"), ("select", "incomplete input"),
                            ("begin; create table t (a)", "it began a transaction and did not end it")):
            self.assertIn(text, self.vdk("sql-query", "-q", query, code=1).err)
        self.assertNotIn("the job", self.vdk("sqlite-query", "-q", "nonsense", code=1).err)
        self.assertEqual(self.vdk("sql-query", "-o", "json", "-q", "x", code=1).json()["error"]["kind"], "user_code")
        self.assertIn("--query is missing", self.vdk("sqlite-query", code=2).err)
        self.assertIn("nowhere", self.vdk("sql-query", "-q", "select 1", env={"VDK_DB_DEFAULT_TYPE": "nowhere"}, code=2).err)
        self.vdk("sqlite-query", "-q", "select 1", env={"VDK_SQLITE_FILE": "/nowhere/data.db"}, code=2)

    def test_the_database_of_the_job_in_this_folder(self):
        job = self.job("cars", {"config.ini": "[vdk]\ndb_default_type=old\n[vdk_old]\nsqlite_file=old.db\n"})
        self.vdk("sql-query", "-q", "create table old_cars (a)", cwd=job)
        self.assertTrue((job / "old.db").exists())
        self.assertIn("old_cars", self.vdk("sql-query", "-q", "select name from sqlite_master", cwd=job).out)
        self.assertNotIn("old_cars", self.vdk("sqlite-query", "-q", "select name from sqlite_master", cwd=job).out)

    def test_postgresql(self):
        server = postgres.running(self.addCleanup)
        env = {"VDK_POSTGRES_DSN": server.create_database(), "VDK_DB_DEFAULT_TYPE": "postgres"}
        self.vdk("sql-query", "-q", "create table cars (id int, price numeric(20, 10)); insert into cars values (1, 1.5)", env=env)
        rows = self.vdk("sql-query", "-o", "json", "-q", "select *, date '2024-01-31' as day, 0.1234567890123456789 as n, 'nan'::float as f from cars",
                        env=env).json()
        self.assertEqual(rows, [{"id": 1, "price": 1.5, "day": "2024-01-31", "n": "0.1234567890123456789", "f": "nan"}])
        self.assertIn("nowhere", self.vdk("sql-query", "-q", "select * from nowhere", env=env, code=1).err)

    def test_the_database_of_a_plugin(self):
        env = {"PATH": f"{original.plugins()}/bin:{self.path}", "DUCKDB_DATABASE": str(self.dir / "cars.duckdb"), "VDK_SQLITE_FILE": ""}
        for chosen in ({"VDK_DB_DEFAULT_TYPE": "duckdb"}, {"VDK_DB_DEFAULT_TYPE": "DUCKDB"}):
            self.assertEqual(self.vdk("sql-query", "-q", "create or replace table t as select 7 as a; select a, version() like 'v%' as v from t",
                                      env={**env, **chosen}).out.split(), ["a", "v", "---", "----", "7", "True"])


if __name__ == "__main__":
    unittest.main()
