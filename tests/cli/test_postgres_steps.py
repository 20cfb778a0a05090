# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL as a database of a job: .sql steps, queries, connections, cells, and what running again makes of it."""
import json
import re
import signal
import subprocess
import sys
import time
import unittest

from harness import BINARY
from harness import ROOT
from harness import VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402


class PostgresStepsTest(VdkTest):
    @classmethod
    def setUpClass(cls):
        cls.postgres = postgres.running(cls.addClassCleanup)

    def setUp(self):
        super().setUp()
        self.url = None
        self.database = self.postgres.create_database().rsplit("/", 1)[1]
        self.settings = f"[owner]\nteam = red\n[vdk]\n{self.place(self.database)}"
        self.environment = {"VDK_POSTGRES_PASSWORD": self.postgres.password,
                            "VDK_JOB_RUN_SUMMARY_FILE_PATH": f"{self.dir}/summary.json"}

    def place(self, database):
        return (f"postgres_host = 127.0.0.1\npostgres_port = {self.postgres.port}\npostgres_user = {self.postgres.USER}\n"
                f"postgres_dbname = {database}\n")

    def sql(self, text, database=None):
        return self.postgres.psql(text, database or self.database)

    def steps(self, files, config=None):
        name = f"pg-{len(list(self.dir.glob('pg-*')))}"
        return self.job(name, {"config.ini": self.settings if config is None else config, **files})

    def run_steps(self, files, *options, code=0, config=None, env=()):
        job = files if not isinstance(files, dict) else self.steps(files, config)
        result = self.vdk("run", job, *options, code=code, env={**self.environment, **dict(env)})
        self.assertNotIn(self.postgres.password, result.out + result.err)
        return result

    def python(self, body, **options):
        """Run the lines of one Python step that has `c`, the connection."""
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        return self.run_steps({"10_step.py": f"def run(job_input):\n    c = job_input.get_managed_connection()\n{lines}"}, **options)

    def summary(self):
        return json.loads((self.dir / "summary.json").read_text())

    def blamed(self):
        return self.summary()["blamee"]

    # .sql steps

    def test_a_file_is_one_transaction_of_statements_as_psql_divides_them(self):
        self.run_steps({"10_make.sql": "create table t (a int, b text); -- one;\n"
                                       "insert into t values (1, 'x;y'), (2, E'it\\'s; ü');\n"
                                       "create function f(n int) returns int language sql begin atomic\n"
                                       "  select case when n > 1 then 2 else 3 end; end;\n"
                                       "do $body$ begin insert into t values (f(1), '$$;'); end $body$;\n"
                                       "/* a /* nested; */ comment; */ select * from t"})
        self.assertEqual(self.sql("select string_agg(a || b, '|' order by a) from t"), "1x;y|2it's; ü|3$$;")
        failed = self.run_steps({"10_more.sql": "insert into t values (4, 'd');\ninsert into t values (1 / 0, 'e');\n"}, code=1)
        self.assertIn("division by zero [22012]", failed.err)
        self.assertIn("nothing that this step did there is stored", failed.err)
        self.assertEqual(self.sql("select count(*) from t"), "3")

    def test_an_error_has_the_line_and_column_of_the_server_also_behind_wide_characters(self):
        failed = self.run_steps({"10_a.sql": "select 'ü', '€€';\n\n-- ok\nselect 'äöü😀' as x,\n       nope;\n"}, code=1)
        self.assertRegex(failed.err, r"10_a\.sql:5:8\n\s+nope;\n\s+\^\n")
        self.assertIn('column "nope" does not exist [42703]', failed.err)
        self.assertEqual(self.blamed(), "User Error")
        same_line = self.run_steps({"10_a.sql": "select 'äöü', nope from {table};\n"}, "--arguments", '{"table": "pg_class"}', code=1)
        line, caret = re.search(r"10_a\.sql:1:\d+\n( *select[^\n]*)\n( *\^)", same_line.err).groups()
        self.assertEqual(line[len(caret) - 1:][:4], "nope")

    def test_a_statement_that_wants_no_transaction_runs_in_a_file_of_its_own(self):
        self.run_steps({"10_vacuum.sql": "-- alone\nvacuum pg_class;"})
        failed = self.run_steps({"10_vacuum.sql": "select 1;\nvacuum pg_class;"}, code=1)
        self.assertIn("into a file of its own", failed.err)

    def test_a_file_with_its_own_begin_is_run_as_psql_runs_it(self):
        self.run_steps({"10_a.sql": "create table t (a int);\nbegin;\ninsert into t values (1);\nrollback;\n"
                                    "insert into t values (2);\nbegin; insert into t values (3);",
                        "20_b.sql": "insert into t values (4); commit; insert into t values (5);"})
        self.assertEqual(self.sql("select string_agg(a::text, ',' order by a) from t"), "2,3,4,5")
        left = self.run_steps({"10_a.sql": "begin; insert into t values (6);"})
        self.assertIn("left a transaction open in 'postgres': it was rolled back", left.err)
        self.assertEqual(self.sql("select max(a) from t"), "5")

    def test_copy_from_and_to_the_client_is_refused_and_the_connection_goes_on(self):
        self.sql("create table t (a int)")
        for statement in ("copy t from stdin", "copy t to stdout", "copy pg_class to stdout"):
            failed = self.run_steps({"10_a.sql": f"select 1;\n{statement};"}, code=1)
            self.assertIn("have no data to read or write in a job [0A000]", failed.err)
            self.assertIn("10_a.sql:2:1", failed.err)
        self.python(f"cur = c.cursor()\n"
                    f"for text in ('copy t from stdin', 'copy pg_class to stdout'):\n"
                    f"    try:\n        cur.execute(text)\n    except c.NotSupportedError as error:\n        c.rollback()\n"
                    f"cur.execute('select 1')\nassert cur.fetchall() == [(1,)]")

    def test_notices_are_no_errors(self):
        result = self.run_steps({"10_a.sql": "do $$ begin raise warning 'careful'; end $$;\ndrop table if exists nothing;"})
        self.assertNotIn("careful", result.out)

    # Names

    def test_sections_are_databases_and_ingestion_methods_and_the_default_is_what_is_configured(self):
        other = self.postgres.create_database().rsplit("/", 1)[1]
        files = {"10_a.sql": "[postgres]\n[other]\ncreate table t (a int);",
                 "20_b.py": "def run(job_input):\n"
                            "    job_input.send_object_for_ingestion({'a': 1}, 't', method='other')\n"
                            "    print(job_input.execute_query('select a from t', database='OTHER'),\n"
                            "          job_input.execute_query('select a from t'))\n"}
        secret = {"VDK_OTHER_POSTGRES_PASSWORD": self.postgres.password}
        both = self.run_steps(files, config=f"{self.settings}[vdk_other]\n{self.place(other)}", env=secret)
        self.assertIn("[(1,)] []", both.out)
        typed = {"10_a.py": "import decimal, datetime\ndef run(job_input):\n"
                            "    row = {'n': decimal.Decimal('1.50'), 'd': datetime.date(2024, 1, 31), 'b': b'x'}\n"
                            "    job_input.send_object_for_ingestion(row, 'typed', method='other')\n"
                            "    job_input.send_object_for_ingestion(row, 'typed')\n"}
        self.run_steps(typed, config=f"{self.settings}[vdk_other]\n{self.place(other)}", env=secret)
        for database in (self.database, other):
            self.assertEqual(self.sql("select pg_typeof(n), n, pg_typeof(d), pg_typeof(b) from typed", database),
                             "numeric|1.50|date|bytea")
        where = {"10_a.sql": "create table here (a int);"}
        self.run_steps(where, config=f"[owner]\nteam = red\n[vdk_other]\n{self.place(other)}", env=secret)
        self.assertEqual(self.sql("select count(*) from here", other), "0")
        self.run_steps(where, config=self.settings.replace("[vdk]\n", f"[vdk]\nsqlite_file = {self.dir}/x.db\n"))
        self.assertEqual(self.sql("select count(*) from pg_class where relname = 'here'"), "0")
        unknown = self.run_steps({"10_a.sql": "[nowhere]\nselect 1"}, code=1)
        self.assertRegex(unknown.err, r"known: .*'postgres'.*'sqlite'")
        python = self.run_steps({"10_a.py": "def run(job_input):\n    job_input.execute_query('select 1', 'nowhere')\n"}, code=1)
        self.assertIn("Known: postgres, sqlite, vdk", python.err)

    def test_a_wrong_password_is_a_configuration_error_and_a_server_that_is_away_the_platforms(self):
        files = {"10_a.sql": "select 1"}
        wrong = self.run_steps(files, code=1, env={"VDK_POSTGRES_PASSWORD": "wrong"})
        self.assertIn("password authentication failed", wrong.err)
        self.assertEqual(self.blamed(), "Configuration error")
        away = {"VDK_POSTGRES_PORT": "1"}
        self.run_steps(files, code=1, env=away)
        self.assertEqual(self.blamed(), "Platform error")
        self.run_steps({"10_a.py": "def run(job_input):\n    job_input.get_managed_connection()\n"}, code=1, env=away)
        self.assertEqual(self.blamed(), "Platform error")

    # Python

    def test_values_go_there_and_come_back(self):
        self.python(
            "import datetime as d, decimal, uuid, ipaddress\n"
            "zone = d.timezone(d.timedelta(hours=-3, minutes=-30))\n"
            "D = decimal.Decimal\n"
            "inf = float('inf')\n"
            "same = [(1, 'int8'), (-2**63, 'int8'), (True, 'bool'), (None, 'text'), (0.1, 'float8'), (-1e300, 'float8'),\n"
            "    (inf, 'float8'), (-inf, 'float8'), (D('1234567890.123456789012345678'), 'numeric'), (D('-0.00'), 'numeric'),\n"
            "    ('', 'text'), (\"it's \\\\ \\\"q\\\" ; -- /* %s %(a)s {x} \\t\\n\\r ünï 😀\", 'text'), (b'\\x00\\\\\\xff\\'', 'bytea'), (b'', 'bytea'),\n"
            "    (d.date(1, 1, 1), 'date'), (d.date(9999, 12, 31), 'date'), (d.time(23, 59, 59, 999999), 'time'),\n"
            "    (d.time(1, 2, tzinfo=zone), 'timetz'), (d.datetime(2024, 2, 29, 1, 2, 3, 45), 'timestamp'),\n"
            "    (d.datetime(2024, 2, 29, 1, tzinfo=zone), 'timestamptz'), (d.timedelta(-3, 4, 5), 'interval'),\n"
            "    (d.timedelta(999999, 86399, 999999), 'interval'), ([1, None, -3], 'int[]'), ([], 'int[]'), ([None], 'text[]'),\n"
            "    ([['a', 'b,{}'], ['\"\\\\', 'NULL']], 'text[]'), ([D('1.5')], 'numeric[]'), ([b'\\x00'], 'bytea[]'),\n"
            "    ([d.date(2024, 1, 31)], 'date[]'), ({'a': [1, None, {'b': 'ü\\'\"'}]}, 'jsonb'), ({'a': 1}, 'json'), ([True, False], 'bool[]')]\n"
            "cur = c.cursor()\n"
            "for scs in ('on', 'off'):\n"
            "    cur.execute('set standard_conforming_strings to ' + scs)\n"
            "    for value, kind in same:\n"
            "        cur.execute('select cast(%s as ' + kind + ')', (value,))\n"
            "        got = cur.fetchall()[0][0]\n"
            "        assert got == value and type(got) is type(value), (value, got)\n"
            "cur.execute('set standard_conforming_strings to on')\n"
            "cur.execute('select %s, %s::uuid, %s, 5 %% 3, %s', (float('nan'), uuid.UUID(int=7), ipaddress.ip_address('::1'), D('NaN')))\n"
            "nan, text, address, rest, dnan = cur.fetchone()\n"
            "assert nan != nan and text == '00000000-0000-0000-0000-000000000007' and address == '::1' and rest == 2 and dnan.is_nan()\n"
            "cur.execute('select 1 where 2 in %(a)s and %(b)s = 1 and -%(c)s = 1', {'a': (1, 2), 'b': 1, 'c': -1})\n"
            "assert cur.fetchall() == [(1,)]\n"
            "cur.execute(\"select 'infinity'::date, '-infinity'::timestamp, '1 year 2 mons -3 days'::interval, '{}'::uuid[], '100%'\")\n"
            "assert cur.fetchone() == (d.date.max, d.datetime.min, d.timedelta(365 + 60 - 3), [], '100%')\n"
            "for bad in ('a\\0b', '\\ud800', (), object()):\n"
            "    try:\n        cur.execute('select %s', (bad,))\n        raise SystemExit('took %r' % (bad,))\n"
            "    except (ValueError, c.ProgrammingError):\n        pass\n"
            "for bad in (('%s %s', (1,)), ('%s', (1, 2)), ('%d', (1,)), ('%(a)s', (1,)), ('100%', (1,))):\n"
            "    try:\n        cur.execute('select ' + bad[0], bad[1])\n        raise SystemExit('took %r' % (bad,))\n"
            "    except c.ProgrammingError:\n        pass\n"
            "try:\n    cur.execute(\"select '0044-03-15 BC'::date\")\n    cur.fetchall()\n    raise SystemExit('took BC')\n"
            "except c.DataError:\n    pass\n")

    def test_a_connection_is_one_of_db_api_and_shared_with_sql_steps(self):
        self.run_steps({
            "10_a.sql": "create temp table t (a int, b numeric(10, 2));",
            "20_b.py": "def run(job_input):\n"
                       "    c = job_input.get_managed_connection()\n"
                       "    assert c is job_input.get_managed_connection(database='postgres')\n"
                       "    with c.cursor() as cur:\n"
                       "        assert not c.in_transaction and c.info.transaction_status == 0\n"
                       "        cur.executemany('insert into t values (%s, %s)', [(i, i / 2) for i in range(1000)])\n"
                       "        assert cur.rowcount == 1000 and c.in_transaction and c.get_transaction_status() == 2\n"
                       "        c.commit()\n"
                       "        cur.execute('select a, b from t order by a')\n"
                       "        assert [d[:2] for d in cur.description] == [('a', 23), ('b', 1700)], cur.description\n"
                       "        assert cur.description[1][4:6] == (10, 2) and cur.rowcount == 1000\n"
                       "        assert cur.fetchone()[0] == 0 and len(cur.fetchmany(5)) == 5 and next(cur)[0] == 6\n"
                       "        assert len(cur.fetchall()) == 993 and cur.fetchone() is None and cur.fetchall() == []\n"
                       "        cur.execute('update t set a = a where a < 7')\n"
                       "        assert cur.rowcount == 7 and cur.description is None and cur.statusmessage == 'UPDATE 7'\n"
                       "        try:\n            cur.fetchall()\n            assert False\n"
                       "        except c.ProgrammingError:\n            pass\n"
                       "    try:\n        with c:\n            c.cursor().execute('delete from t')\n            raise KeyError\n"
                       "    except KeyError:\n        pass\n"
                       "    assert job_input.execute_query('select count(*) from t') == [(1000,)]\n"
                       "    assert job_input.execute_query('delete from t where a > 4') is None\n"
                       "    c.rollback()\n"
                       "    c.autocommit = True\n"
                       "    c.cursor().execute('vacuum pg_class')\n"
                       "    c.autocommit = False\n",
            "30_c.sql": "create table result as select count(*) n from t;"})
        self.assertEqual(self.sql("select n from result"), "5")

    def test_what_a_step_does_not_commit_is_rolled_back_at_the_end_with_a_warning(self):
        self.sql("create table t (a int)")
        left = self.python("c.cursor().execute('insert into t values (1)')")
        self.assertIn("left a transaction open in 'postgres'", left.err)
        self.assertEqual(self.sql("select count(*) from t"), "0")
        only_read = self.python("c.cursor().execute('select * from t')")
        self.assertNotIn("left a transaction open", only_read.err)
        self.run_steps({"10_a.py": "def run(job_input):\n    c = job_input.get_managed_connection()\n"
                                   "    c.cursor().execute('insert into t values (1)')\n",
                        "20_b.sql": "insert into t values (2);"})
        self.assertEqual(self.sql("select count(*) from t"), "2")

    def test_errors_are_those_of_db_api_with_sqlstate_and_the_steps_fault(self):
        self.sql("create table t (a int primary key); insert into t values (1)")
        self.python(
            "cur = c.cursor()\n"
            "def fails(kind, code, *query):\n"
            "    try:\n        cur.execute(*query)\n"
            "    except kind as error:\n"
            "        assert error.pgcode == code and error.diag.sqlstate == code, error.pgcode\n"
            "        c.rollback()\n        return error\n"
            "    raise SystemExit('no error: %r' % (query,))\n"
            "from vdk.sdk import postgres\n"
            "assert fails(postgres.IntegrityError, '23505', 'insert into t values (1)').diag.constraint_name == 't_pkey'\n"
            "assert 'LINE 2: from nowhere\\n             ^' in str(fails(c.ProgrammingError, '42P01', 'select *\\nfrom nowhere'))\n"
            "fails(c.DataError, '22012', 'select 1/0')\n"
            "fails(c.OperationalError, '57014', \"set local statement_timeout = 50; select pg_sleep(10)\")\n"
            "cur.execute('savepoint a' if c.in_transaction else 'select 1')\n"
            "try:\n    cur.execute('nonsense')\nexcept c.Error:\n    pass\n"
            "assert c.get_transaction_status() == 3\n"
            "try:\n    cur.execute('select 1')\n    raise SystemExit('went on')\nexcept c.InternalError as error:\n    assert error.pgcode == '25P02'\n"
            "c.rollback()\n"
            "try:\n    job_input.execute_query('select 1/0')\nexcept c.DataError:\n    pass\n"
            "assert not c.in_transaction\n")
        failed = self.python("c.cursor().execute('select nope')", code=1)
        self.assertIn("ProgrammingError", failed.err)
        self.assertEqual(self.blamed(), "User Error")

    def test_rows_come_in_pieces_and_cursors_do_not_disturb_each_other(self):
        self.python(
            "one, two = c.cursor(), c.cursor()\n"
            "one.execute('select i, repeat(i::text, 20) from generate_series(1, 200000) i')\n"
            "assert [one.fetchone()[0] for _ in range(3)] == [1, 2, 3] and one._more\n"
            "two.execute('select 7')\n"
            "assert two.fetchall() == [(7,)] and sum(1 for _ in one) == 199997\n"
            "one.execute('select generate_series(1, 3000000)')\n"
            "one.fetchone()\n"
            "one.close()\n"
            "two.execute('select 1 / (i - 150000), repeat(i::text, 20) from generate_series(1, 200000) i')\n"
            "try:\n    two.fetchall()\n    raise SystemExit('no error')\nexcept c.DataError:\n    c.rollback()\n"
            "assert job_input.execute_query('select 8; select 9') == [(9,)]\n"
            "two.execute('create table kept (a int)')\n"
            "two.execute('select 1 / (i - 150000), repeat(i::text, 20) from generate_series(1, 200000) i')\n"
            "two = None\n"
            "import gc\ngc.collect()\n"
            "try:\n    c.commit()\n    raise SystemExit('committed')\nexcept c.DataError:\n    c.rollback()\n"
            "assert job_input.execute_query(\"select count(*) from pg_class where relname = 'kept'\") == [(0,)]\n")

    def test_a_sql_step_says_what_an_earlier_step_left_broken(self):
        failed = self.run_steps({"10_a.py": "def run(job_input):\n    c = job_input.get_managed_connection()\n"
                                            "    try:\n        c.cursor().execute('nonsense')\n    except c.Error:\n        pass\n",
                                 "20_b.sql": "select 1;"}, code=1)
        self.assertIn("a step before it left a transaction open in which a statement had failed", failed.err)
        unread = self.run_steps({"10_a.py": "def run(job_input):\n    c = job_input.get_managed_connection()\n"
                                            "    c.cursor().execute('select 1 / (i - 150000), repeat(i::text, 20) from '\n"
                                            "                       'generate_series(1, 200000) i')\n",
                                 "20_b.sql": "select 1;"}, code=1)
        self.assertIn("a statement before it has failed: division by zero", unread.err)

    def test_a_connection_that_the_server_ends_is_made_anew_but_not_within_a_transaction(self):
        kill = "job_input.execute_query('select pg_terminate_backend(%d)' % pid, database='admin')\n"
        start = "cur = c.cursor()\ncur.execute('select pg_backend_pid()')\npid = cur.fetchone()[0]\n"
        config = f"{self.settings}[vdk_admin]\n{self.place(self.database)}"
        env = {"VDK_ADMIN_POSTGRES_PASSWORD": self.postgres.password}
        self.python(start + "c.commit()\n" + kill + "import time; time.sleep(0.2)\n"
                    "assert job_input.execute_query('select 1') == [(1,)]\n", config=config, env=env)
        failed = self.python(start + kill + "import time; time.sleep(0.2)\ncur.execute('select 1')\n", config=config, env=env, code=1)
        self.assertRegex(failed.err, "connection broke while a transaction was open|terminating connection")
        ended = self.run_steps({"10_a.sql": "select pg_terminate_backend(pg_backend_pid());"}, code=1)
        self.assertIn("PlatformServiceError", ended.err)
        self.assertIn("Try again when the database works", ended.err)

    def test_pandas_reads_a_query(self):
        if subprocess.run(["python3", "-c", "import pandas"], stderr=subprocess.DEVNULL, env=self.env(), check=False).returncode:
            self.skipTest("python3 has no pandas")
        self.python("import pandas, warnings\nwarnings.simplefilter('ignore')\n"
                    "assert list(pandas.read_sql('select 1 as a, %(x)s as b', c, params={'x': 'y'}).iloc[0]) == [1, 'y']\n")

    # Cells, interruption, running again

    def test_sql_cells_of_a_notebook_run_there(self):
        cells = [{"cell_type": "code", "id": "aaaaaaaa", "metadata": {"tags": ["vdk"]}, "outputs": [], "execution_count": None,
                  "source": source} for source in
                 ("%%vdksql\ncreate table t (a int);\ninsert into t values (1)", "n = job_input.execute_query('select a from t')",
                  "print(n)", "%%vdksql\nselect 1;\nselect wrong")]
        failed = self.run_steps({"10_n.ipynb": json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})}, code=1)
        self.assertIn("[(1,)]", failed.out)
        self.assertRegex(failed.err, r"10_n\.ipynb, cell 4.*:3:8")

    def test_a_kernel_runs_scripts_and_gives_up_a_query_that_is_interrupted(self):
        program = (
            "import os, signal, sys, time\n"
            "sys.path.insert(0, sys.argv[1])\n"
            "from vdk.sdk import sql_cell\n"
            "from vdk.sdk.session import StandaloneDataJob\n"
            "def interrupt(*_):\n    raise KeyboardInterrupt\n"
            "signal.signal(signal.SIGALRM, interrupt)\n"
            "with StandaloneDataJob(sys.argv[2]) as job_input:\n"
            "    print(sql_cell.run(job_input, 'create table t (a int);\\ninsert into t values (1);\\nselect a from t'))\n"
            "    for text in ('insert into t values (2);\\nselect nope', 'insert into t values (3);\\nselect 1/0'):\n"
            "        try:\n            sql_cell.run(job_input, text)\n"
            "        except Exception as error:\n            print(str(error).splitlines()[0])\n"
            "    signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
            "    start = time.monotonic()\n"
            "    try:\n        job_input.execute_query('select pg_sleep(60)')\n"
            "    except KeyboardInterrupt:\n        pass\n"
            "    print(job_input.execute_query('select a from t'), time.monotonic() - start < 10)\n")
        job = self.steps({})
        done = subprocess.run([sys.executable, "-c", program, str(ROOT / "plugins" / "job-sdk"), str(job)], capture_output=True,
                              text=True, timeout=60, env=self.env({**self.environment, "VDK_EXECUTABLE": str(BINARY)}), check=False)
        self.assertEqual(done.stdout.splitlines(), ["(['a'], [(1,)])", 'line 2: column "nope" does not exist',
                                                    "line 2: division by zero", "[(1,)] True"], done.stderr)

    def test_a_notebook_goes_on_with_its_connection(self):
        def cells(last):
            sources = ("c = job_input.get_managed_connection()\ncur = c.cursor()\ncur.execute('create table t (a int)')\n"
                       "c.commit()\ncur.execute('select ARRAY[7]')", last)
            return json.dumps({"cells": [{"cell_type": "code", "id": f"cell{n}", "metadata": {"tags": ["vdk"]}, "outputs": [],
                                          "execution_count": None, "source": source} for n, source in enumerate(sources)],
                               "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

        job = self.steps({"10_n.ipynb": cells("1 / 0")})
        self.run_steps(job, code=1)
        (job / "10_n.ipynb").write_text(cells("print(cur.fetchall())\ncur.execute('select count(*) from t')\nprint(cur.fetchall())"))
        again = self.run_steps(job, "--from-failed")
        self.assertIn("1 of 2 steps run", again.err)
        self.assertIn("[([7],)]\n[(0,)]", again.out)

    def test_rows_that_were_sent_are_seen_also_in_a_transaction_that_has_only_read(self):
        self.sql("create table t (a int)")
        self.python("cur = c.cursor()\ncur.execute('select 1')\n"
                    "job_input.send_object_for_ingestion({'a': 1}, 't', method='postgres')\n"
                    "cur.execute('select a from t')\nassert cur.fetchall() == [(1,)]\n"
                    "cur.execute('truncate t')\njob_input.send_object_for_ingestion({'a': 2}, 't', method='postgres')\n"
                    "cur.execute('select a from t')\nassert cur.fetchall() == []\nc.commit()\n")
        self.assertEqual(self.sql("select a from t"), "2")

    def test_ctrl_c_cancels_the_statement_at_the_server(self):
        for files in ({"10_a.sql": "select pg_sleep(600), 'mark-{n}'"},
                      {"10_a.py": "def run(job_input):\n    job_input.execute_query(\"select pg_sleep(600), 'mark'\")\n"}):
            job = self.steps(files)
            process = subprocess.Popen([BINARY, "run", str(job)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       env=self.env(self.environment), start_new_session=True)
            busy = "select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active' and pid <> pg_backend_pid()"
            deadline = time.monotonic() + 10
            while self.sql(busy) != "1":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
            self.assertEqual(process.returncode, 130, said)
            while self.sql(busy) != "0":
                self.assertLess(time.monotonic(), deadline + 5)
                time.sleep(0.05)

    def plan(self, job, *options):
        out = self.run_steps(job, "--plan", "-o", "json", *options).out
        return [(step["step"], step["action"], step["reason"]) for step in json.loads(out)["steps"]]

    def test_running_again_leaves_out_only_what_nobody_can_have_changed(self):
        job = self.steps({"10_a.sql": "create table if not exists t (a int);",
                          "20_b.py": "def run(job_input):\n    job_input.execute_query('insert into t values (1)')\n",
                          "30_c.sql": "insert into t values (2);"})
        self.run_steps(job)
        self.assertEqual({reason for _, _, reason in self.plan(job, "--changed")}, {"unchanged"})
        (job / "30_c.sql").write_text("insert into t values (3);")
        self.assertEqual([reason for _, _, reason in self.plan(job, "--changed")][:2], ["unchanged", "unchanged"])
        self.sql("insert into t values (9)")
        self.assertIn("something was written to the server of the database 'postgres'", self.plan(job, "--changed")[0][2])
        (job / "30_c.sql").write_text("insert into nowhere values (3);")
        self.run_steps(job, code=1)
        self.sql("insert into t values (9)")
        self.assertEqual([reason for _, _, reason in self.plan(job, "--from-failed")][:2], ["unchanged", "unchanged"])
        self.sql(f'drop database "{self.database}"', "postgres")
        self.postgres.create_database(self.database)
        self.assertIn("is another one or gone", self.plan(job, "--from-failed")[0][2])

    def test_a_run_that_was_ended_goes_on_in_the_same_database_only(self):
        busy = ("from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active' and pid <> pg_backend_pid()")
        for how, name in ((signal.SIGKILL, "killed"), (signal.SIGINT, "interrupted")):
            job = self.steps({"10_a.sql": f"create table {name} (a int);", "20_b.sql": "select pg_sleep(600);"})
            process = subprocess.Popen([BINARY, "run", str(job)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       env=self.env(self.environment), start_new_session=True)
            deadline = time.monotonic() + 10
            while self.sql(f"select count(*) {busy}") != "1":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            process.send_signal(how)
            process.wait(10)
            self.sql(f"select pg_terminate_backend(pid) {busy}")
            self.assertEqual([action for _, action, _ in self.plan(job, "--from-failed")], ["skip", "run"])
            self.sql(f'drop database "{self.database}" with (force)', "postgres")
            self.postgres.create_database(self.database)
            self.assertIn("is another one or gone", self.plan(job, "--from-failed")[0][2])

    def test_what_a_session_keeps_makes_the_steps_before_run_again(self):
        for first, why in (("create temp table t (a int);", "it has temporary tables"), ("set work_mem = '8MB';", "a SET has changed it"),
                           ("set datestyle = dmy;", "a SET has changed it"), ("set intervalstyle = iso_8601;", "a SET has changed it"),
                           ("begin; create table x (a int);", "a transaction is open"), ("select pg_advisory_lock(1);", "it holds an advisory lock")):
            job = self.steps({"10_a.sql": first, "20_b.sql": "select 1 / 0;"})
            self.run_steps(job, code=1)
            self.assertIn(why, self.plan(job, "--from-failed")[0][2])
        self.sql(f"alter database \"{self.database}\" set datestyle = 'German, DMY'; alter database \"{self.database}\" set intervalstyle = 'iso_8601'")
        for nothing in ("create table y (a int);", "begin; set transaction isolation level repeatable read, read only; commit;"):
            plain = self.steps({"10_a.sql": nothing, "20_b.sql": "select 1 / 0;"})
            self.run_steps(plain, code=1)
            self.assertEqual(self.plan(plain, "--from-failed")[0][2], "unchanged")

    def test_atomic_steps_says_once_that_it_does_not_cover_postgresql(self):
        told = self.run_steps({"10_a.sql": "select 1;", "20_b.sql": "select 2;"}, "--atomic-steps")
        self.assertEqual(told.err.count("does not cover PostgreSQL"), 1)


if __name__ == "__main__":
    unittest.main()
