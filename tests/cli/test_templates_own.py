# SPDX-License-Identifier: Apache-2.0
"""What the load templates do on one database only."""
import subprocess
import unittest

from harness import BINARY
from load_engines import NAMES
from load_engines import OnPlugin
from load_engines import OnPostgres
from load_engines import OnSqlite


class Sqlite(OnSqlite):
    def test_big_numbers_bytes_and_computed_columns_arrive_whole(self):
        self.sql("CREATE TABLE t (n INTEGER, b BLOB, r REAL, twice AS (n * 2), d DECIMAL(5, 2)); CREATE TABLE s (n, b, r, d);"
                 "INSERT INTO s VALUES (9223372036854775807, x'00ff', 0.1, '1.50'), (-1, 'text', NULL, 'no number')")
        self.load("insert", NAMES)
        self.assertEqual(self.table("SELECT n, b, r, d FROM t ORDER BY n"),
                         [(-1, "text", None, "no number"), (2**63 - 1, b"\x00\xff", 0.1, 1.5)])

    def test_the_staging_schema_is_an_attached_database(self):
        self.sql("CREATE TABLE t (id INTEGER UNIQUE, v TEXT); INSERT INTO t VALUES (1, 'old');"
                 "CREATE TABLE s (id INTEGER, v TEXT); INSERT INTO s VALUES (2, 'new'); CREATE TABLE vdk_check_t (own)")
        self.run_step("job_input.execute_query(\"ATTACH ':memory:' AS [select]\")\nseen = []\n"
                      f"job_input.execute_template('insert', {{{NAMES}, 'staging_schema': 'Select', 'check': lambda name:"
                      " seen.append(name) or job_input.execute_query('SELECT count(*) FROM ' + name) == [(2,)]})\n"
                      "assert seen == ['\"select\".vdk_check_t_2'], seen")
        self.assertEqual(self.table(), [(1, "old"), (2, "new")])

    def test_a_template_inside_a_transaction_belongs_to_it(self):
        self.sql("CREATE TABLE t (id INTEGER UNIQUE, v TEXT); INSERT INTO t VALUES (1, 'old');"
                 "CREATE TABLE s (id INTEGER, v TEXT); INSERT INTO s VALUES (2, 'new')")
        self.run_step("c = job_input.get_managed_connection()\nc.execute('BEGIN')\nc.execute(\"INSERT INTO t VALUES (5, '')\")\n"
                      f"job_input.execute_template('insert', {{{NAMES}}})\n"
                      f"try:\n    job_input.execute_template('scd1', {{{NAMES}, 'check': lambda name: False}})\n"
                      "except Exception as error:\n    assert 'failed the check' in str(error)\n"
                      "c.execute('INSERT INTO s SELECT * FROM s')\n"
                      f"try:\n    job_input.execute_template('scd1', {{{NAMES}}})\n"
                      "except Exception as error:\n    assert 'UNIQUE' in str(error), error\n"
                      "else:\n    raise AssertionError('nothing refused the row')\n"
                      "assert c.in_transaction\nassert len(c.execute('SELECT * FROM t').fetchall()) == 3\n"
                      "assert not c.execute('SELECT * FROM temp.sqlite_master').fetchall()\nc.rollback()")
        self.assertEqual(self.table(), [(1, "old")])

    def test_a_template_runs_on_the_database_that_is_named(self):
        other = self.dir / "other.db"
        self.file, default = other, self.file
        self.sql("CREATE TABLE t (id); CREATE VIEW s AS SELECT 1 AS id")
        job = self.job("named", {"10.py": "def run(job_input):\n    job_input.execute_template('insert', "
                                          f"{{{NAMES}}}, database='second')\n",
                                 "config.ini": f"[owner]\nteam = red\n[vdk_second]\nsqlite_file = {other}\n"})
        self.vdk("run", job, env={"VDK_SQLITE_FILE": str(default)})
        self.assertEqual(self.table("SELECT * FROM t"), [(1,)])

    def test_a_job_with_a_template_can_be_run_again_from_where_it_failed(self):
        self.sql("CREATE TABLE t (id); CREATE VIEW s AS SELECT 1 AS id")
        job = self.job("again", {
            "10.py": f"def run(job_input):\n    job_input.execute_template('scd1', {{{NAMES}, 'check': lambda name: True}})\n",
            "20.py": "def run(job_input):\n    raise ValueError('no')\n"})
        env = {"VDK_SQLITE_FILE": str(self.file)}
        self.vdk("run", job, code=1, env=env)
        (job / "20.py").write_text("def run(job_input):\n    assert job_input.execute_query('SELECT * FROM t') == [(1,)]\n")
        self.vdk("run", job, "--from-failed", env=env)


class Made:
    def make(self, more=""):
        self.sql("CREATE TABLE t (id INTEGER UNIQUE, v TEXT); INSERT INTO t VALUES (1, 'old');"
                 "CREATE TABLE s (id INTEGER, v TEXT); INSERT INTO s VALUES (2, 'new');" + more)


class Transactions(Made):
    """What depends on the driver as well."""

    def test_a_template_inside_a_transaction_belongs_to_it(self):
        self.make()
        body = ("c = job_input.get_managed_connection()\nq = c.cursor()\nq.execute(\"INSERT INTO t VALUES (5, '100%%')\")\n"
                f"job_input.execute_template('insert', {{{NAMES}, 'check': lambda n: job_input.execute_query('SELECT 1')}})\n"
                f"try:\n    job_input.execute_template('scd1', {{{NAMES}, 'check': lambda name: False}})\n"
                "except Exception as error:\n    assert 'failed the check' in str(error)\n"
                "q.execute('INSERT INTO s SELECT * FROM s')\n"
                f"try:\n    job_input.execute_template('scd1', {{{NAMES}}})\n"
                "except Exception as error:\n    assert 'duplicate key' in str(error), error\n"
                "else:\n    raise AssertionError('nothing refused the row')\n"
                "q.execute('SELECT count(*) FROM t')\nassert q.fetchall() == [(3,)]\nc.%s()")
        told = self.run_step(body % "rollback")
        self.assertIn("a part of the transaction that the step has open", told.out + told.err)
        self.assertEqual(self.table(), [(1, "old")])
        self.run_step(body % "commit")
        self.assertEqual(self.table(), [(1, "old"), (2, "new"), (5, "100%")])
        self.assertEqual(self.table("SELECT * FROM s"), [(2, "new"), (2, "new")])

    def test_a_query_before_the_template_does_not_keep_it_from_being_stored(self):
        self.make()
        self.run_step("c = job_input.get_managed_connection()\nq = c.cursor()\nq.execute('SELECT 1')\n"
                      f"job_input.execute_template('insert', {{{NAMES}}})\nassert c.info.transaction_status == 0\n"
                      "job_input.get_managed_connection()\nassert c.info.transaction_status == 0")
        self.assertEqual(self.table(), [(1, "old"), (2, "new")])

    def test_a_check_that_ends_the_transaction_breaks_it_or_loses_the_server_leaves_the_target_as_it_was(self):
        self.make()
        before = ("def swallow(call, *values):\n    try:\n        call(*values)\n    except Exception:\n        pass\n    return True\n")
        for check, text in (
                ("cursor().execute('COMMIT') or True", "the check ended the transaction"),
                ("rollback() or True", "the check ended the transaction"), ("close() or True", "the check closed or lost the connection"),
                ("execute_query('SELECT nothing')", 'column "nothing" does not exist'),
                ("execute_query('SELECT pg_terminate_backend(pg_backend_pid())')", "(terminating|closed the) connection")):
            with self.subTest(check):
                error = self.load("scd1", NAMES + f", 'check': lambda name: job_input.get_managed_connection().{check}", 1).err
                self.assertRegex(error, text)
                self.as_it_was()
        self.run_step("q = job_input.get_managed_connection().cursor()\nq.execute(\"INSERT INTO t VALUES (5, '')\")\ntry:\n"
                      f"    job_input.execute_template('scd1', {{{NAMES}, 'check': lambda name: q.execute('COMMIT') or True}})\n"
                      "except Exception as error:\n    assert 'ended the transaction' in str(error), error\n"
                      "q.execute('DELETE FROM t WHERE id = 5')\nq.connection.commit()")
        self.as_it_was()
        error = self.run_step(f"query = job_input.get_managed_connection().execute_query\njob_input.execute_template('scd1', {{{NAMES},"
                              " 'check': lambda name: swallow(query, 'SELECT nothing')})", 1, before).err
        self.assertIn("a query of the check failed, and PostgreSQL refuses all that follow", error)
        self.as_it_was()

    def as_it_was(self):
        self.assertEqual(self.table(), [(1, "old")])
        self.assertEqual(self.table("SELECT relname FROM pg_class WHERE relname LIKE 'vdk%'"), [])


class TransactionsOnPostgres(Transactions, OnPostgres):
    def test_a_begin_of_the_job_is_not_ended_by_a_template(self):
        self.make()
        settings = "[owner]\nteam = red\n" + self.config
        load = f"def run(job_input):\n    job_input.execute_template('insert', {{{NAMES}, 'check': lambda name: True}})\n"
        for number, (end, rows) in enumerate((("ROLLBACK", []), ("COMMIT", [(2, "new")]))):
            job = self.job(f"sql-{number}", {"config.ini": settings, "05.py": "def run(job_input):\n    job_input.execute_query('SELECT 1')\n",
                                             "10.sql": "BEGIN;\nSELECT 1;", "20.py": load, "30.sql": end})
            self.vdk("run", job, env=self.settings)
            self.assertEqual(self.table("SELECT * FROM t WHERE id > 1"), rows)
        self.sql("DELETE FROM t WHERE id > 1")
        self.run_step("c = job_input.get_managed_connection()\nc.autocommit = True\nq = c.cursor()\nq.execute('BEGIN')\n"
                      f"job_input.execute_template('insert', {{{NAMES}}})\nq.execute('ROLLBACK')\n"
                      f"job_input.execute_template('scd1', {{{NAMES}}})\nassert c.autocommit")
        self.assertEqual(self.table(), [(2, "new")])


class TransactionsOnPlugin(Transactions, OnPlugin):
    def test_a_template_runs_on_the_database_that_is_named_whatever_its_cursors_give(self):
        self.make()
        self.config = self.config.replace("db_default_type = postgres", "db_default_type = sqlite")
        self.settings["VDK_SQLITE_FILE"] = str(self.dir / "other.db")
        self.run_step("import psycopg2.extras\nnative = job_input.get_managed_connection('postgres')._db_con\n"
                      "native.cursor_factory = psycopg2.extras.RealDictCursor\n"
                      f"job_input.execute_template('scd1', {{{NAMES}, 'check': bool}}, database='postgres')")
        self.assertEqual(self.table(), [(2, "new")])
        self.assertIn("there is no table or view", self.load("scd1", NAMES, 1).err)


class Postgres(Made, OnPostgres):
    def test_schemas_and_names_are_found_exactly_or_else_in_lower_case(self):
        self.sql('CREATE SCHEMA dw; CREATE SCHEMA "Lake"; CREATE SCHEMA lake; CREATE TABLE dw."T" ("ID" INTEGER, id INTEGER);'
                 'CREATE TABLE dw.t (id INTEGER, "ID" INTEGER); CREATE TABLE "Lake".S ("ID" INTEGER, id INTEGER);'
                 'INSERT INTO "Lake".s VALUES (1, 2); CREATE TABLE lake.s (id INTEGER, "ID" INTEGER); INSERT INTO lake.s VALUES (3, 4)')
        for source, view, target, table in (("Lake", "s", "DW", "T"), ("LAKE", "S", "dw", "t")):
            self.load("scd1", f"'source_schema': '{source}', 'source_view': '{view}', 'target_schema': '{target}',"
                              f" 'target_table': '{table}'")
        self.assertEqual(self.table('SELECT "ID", id FROM dw."T"'), [(1, 2)])
        self.assertEqual(self.table('SELECT "ID", id FROM dw.t'), [(4, 3)])
        error = self.load("scd1", NAMES + ", 'target_schema': 'nowhere'", 1).err
        self.assertIn("there is no schema 'nowhere'. In this database there are: 'Lake', 'dw', 'lake', 'public'", error)
        self.run_step("job_input.execute_query('SET search_path = dw, \"Lake\"')\n"
                      f"job_input.execute_template('scd1', {{{NAMES}}})")
        self.assertEqual(self.table("SELECT id FROM dw.t"), [(2,)])

    def test_the_staging_schema_gets_the_checked_table_for_as_long_as_the_check_runs(self):
        long = "d" + "ä" * 31
        self.make(f'ALTER TABLE t RENAME TO "{long}"; CREATE SCHEMA "St%ge"; CREATE TABLE "St%ge"."vdk_check_d{"ä" * 26}" (own INTEGER)')
        self.run_step("seen = []\n"
                      f"job_input.execute_template('insert', {{{NAMES.replace(chr(39) + 't' + chr(39), repr(long))},"
                      " 'staging_schema': 'St%ge', 'check': lambda name: seen.append(name) or job_input.execute_query("
                      "'SELECT count(*) FROM ' + name) == [(2,)] and job_input.execute_query('SELECT 1')})\n"
                      "(name,) = seen\n"
                      f"assert name == '\"St%ge\".\"vdk_check_d{'ä' * 25}_2\"', name")
        self.assertEqual(self.table(f'SELECT * FROM "{long}" ORDER BY 1'), [(1, "old"), (2, "new")])
        self.assertEqual(self.table("SELECT count(*) FROM pg_class WHERE relname LIKE 'vdk%'"), [(1,)])

    def test_the_server_fills_identity_and_generated_columns_and_keys_come_from_their_sequence(self):
        self.sql("CREATE TABLE t (n INTEGER GENERATED ALWAYS AS IDENTITY, v INTEGER, twice INTEGER GENERATED ALWAYS AS (v * 2) STORED);"
                 "INSERT INTO t (v) VALUES (1); CREATE TABLE s (v INTEGER); INSERT INTO s VALUES (7), (8);"
                 "CREATE VIEW numbered AS SELECT v + 100 AS n, v FROM s;"
                 "CREATE TABLE h (sk INTEGER GENERATED ALWAYS AS IDENTITY (START 5), active_from DATE, active_to TIMESTAMP, id TEXT, a JSON);"
                 "CREATE TABLE u (id TEXT, updated_at TIMESTAMP, a JSON); INSERT INTO u VALUES ('x', '2026-01-01 12:00', '[1]'),"
                 " ('x', '2026-01-02', '[1]'), ('x', '2026-01-03', '[1, 2]')")
        self.load("insert", NAMES)
        self.assertEqual(self.table(), [(1, 1, 2), (2, 7, 14), (3, 8, 16)])
        self.load("scd1", NAMES.replace("'s'", "'numbered'") + ", 'check': lambda name: True")
        self.assertEqual(self.table(), [(107, 7, 14), (108, 8, 16)])
        for _ in range(2):
            self.load("scd2", "'source_view': 'u', 'target_table': 'h', 'id_column': 'id', 'value_columns': ['a'], 'tracked_columns': ['a']")
            self.assertEqual(self.table("SELECT * FROM h ORDER BY 1"), [
                (5, "2026-01-01", "2026-01-03T00:00:00", "x", [1]), (6, "2026-01-03", "9999-12-31T00:00:00", "x", [1, 2])])
        self.sql("INSERT INTO h (id) VALUES ('later')")
        self.assertEqual(self.table("SELECT sk FROM h WHERE id = 'later'"), [(7,)])

    def test_values_of_every_kind_arrive_whole(self):
        self.sql("CREATE TABLE s (n BIGINT, d NUMERIC(30, 20), f FLOAT8, b BYTEA, j JSONB, x JSON, a TEXT[], z TIMESTAMPTZ, u UUID, o BOOL,"
                 " i INTERVAL, p POINT, w TEXT); INSERT INTO s VALUES (9223372036854775807, 0.12345678901234567890, 'NaN', '\\x00ff',"
                 " '{\"a\": [null]}', '{\"b\" : 1}', '{a,NULL,\"b c\"}', 'infinity', '00000000-0000-0000-0000-000000000007', true,"
                 " '1 month 2 days', '(1,2)', E'тест \\\\ %s {n} \\t''\"'); INSERT INTO s (n) VALUES (1);"
                 "CREATE TABLE t AS SELECT * FROM s WHERE false")
        for name, more in (("scd1", ""), ("scd1_upsert", ", 'id_column': 'n'"), ("insert", ""), ("periodic_snapshot", ", 'last_arrival_ts': 'n'")):
            self.load(name, NAMES + more)
        self.assertEqual(self.table("SELECT s::text FROM s ORDER BY n"), self.table("SELECT t::text FROM t ORDER BY n"))
        self.sql("CREATE TABLE h (sk UUID, active_from INTEGER, active_to INTEGER, id BIGINT, x JSON, p POINT, a TEXT[]);"
                 "CREATE VIEW v AS SELECT n AS id, 3 AS updated_at, x, p, a FROM s")
        self.load("scd2", "'source_view': 'v', 'target_table': 'h', 'id_column': 'id', 'value_columns': ['x', 'p', 'a'],"
                          " 'tracked_columns': ['p', 'x', 'a'], 'active_to_max_value': 99, 'check': lambda name: True")
        self.assertEqual(self.table("SELECT active_to, x, p::text, a[3], length(sk::text) FROM h ORDER BY id"), [
            (99, None, None, None, 36), (99, {"b": 1}, "(1,2)", "b c", 36)])

    def begin(self, name, check):
        """A run of scd1 in the background."""
        job = self.job(name, {"config.ini": "[owner]\nteam = red\n" + self.config, "10_load.py": (
            f"import pathlib, time\ndef run(job_input):\n    def check(name):\n{check}        return True\n"
            f"    job_input.execute_template('scd1', {{{NAMES}, 'check': check}})\n")})
        run = subprocess.Popen([str(BINARY), "run", str(job)], env=self.env(self.settings), cwd=self.dir,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(run.wait)
        self.addCleanup((self.dir / "go").touch)
        return run

    def test_two_jobs_at_once_do_not_double_the_rows_and_readers_do_not_wait(self):
        self.make()
        first = self.begin("first", "        pathlib.Path('begun').touch()\n        while not pathlib.Path('go').exists():\n"
                                    "            time.sleep(0.02)\n")
        self.wait_until((self.dir / "begun").exists, 30, "the check")
        self.assertEqual(self.table(), [(1, "old")])
        self.sql(f'ALTER DATABASE "{self.database}" SET default_transaction_isolation = \'repeatable read\'')
        self.sql(f'ALTER DATABASE "{self.database}" SET lock_timeout = \'50ms\'')
        self.assertIn("canceling statement due to lock timeout. The target is as it was", self.load("scd1", NAMES, 1).err)
        self.sql(f'ALTER DATABASE "{self.database}" RESET lock_timeout')
        second = self.begin("second", "")
        self.wait_until(lambda: self.table("SELECT 1 FROM pg_locks WHERE NOT granted"), 30, "the second job's wait")
        (self.dir / "go").touch()
        self.assertEqual([first.wait(60), second.wait(60)], [0, 0])
        self.assertEqual(self.table(), [(2, "new")])

    def test_a_foreign_key_that_would_change_other_tables_is_refused(self):
        self.make("CREATE TABLE fact (id INTEGER REFERENCES t (id) ON DELETE CASCADE); INSERT INTO fact VALUES (1)")
        self.assertIn("would also delete or change rows of 'fact'", self.load("scd1", NAMES, 1).err)
        self.assertEqual(self.table("SELECT * FROM fact"), [(1,)])
        self.load("insert", NAMES)
        self.sql("ALTER TABLE fact DROP CONSTRAINT fact_id_fkey, ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES t (id)"
                 " DEFERRABLE INITIALLY DEFERRED")
        error = self.load("scd1", NAMES, 1).err  # found when the transaction is committed
        self.assertIn('violates foreign key constraint "fk" on table "fact": Key (id)=(1) is still referenced', error)
        self.assertEqual(self.table(), [(1, "old"), (2, "new")])
        self.sql("INSERT INTO s VALUES (1, 'again')")
        self.load("scd1", NAMES)
        self.assertEqual(self.table(), [(1, "again"), (2, "new")])



if __name__ == "__main__":
    unittest.main()
