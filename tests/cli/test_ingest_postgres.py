# SPDX-License-Identifier: Apache-2.0
"""The ingestion method `postgres` on a real PostgreSQL, without a Python driver."""
import json
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


class IngestPostgresTest(VdkTest):
    @classmethod
    def setUpClass(cls):
        cls.postgres = postgres.running(cls.addClassCleanup)

    def setUp(self):
        super().setUp()
        self.url = None
        self.address = self.postgres.create_database()
        self.database = self.address.rsplit("/", 1)[1]
        self.settings = (f"[owner]\nteam = red\n[vdk]\ningest_method_default = postgres\npostgres_host = 127.0.0.1\n"
                         f"postgres_port = {self.postgres.port}\npostgres_user = {self.postgres.USER}\n"
                         f"postgres_dbname = {self.database}\n")
        self.secret = {"VDK_POSTGRES_PASSWORD": self.postgres.password}

    def sql(self, text):
        return self.postgres.psql(text, self.database)

    def step(self, body, config=None):
        name = f"pg-{len(list(self.dir.glob('pg-*')))}"
        return self.job(name, {"config.ini": self.settings if config is None else config,
                               "10_send.py": "def run(job_input):\n" + "".join(f"    {line}\n" for line in body.splitlines())})

    def send(self, body, code=0, config=None, env=None):
        result = self.vdk("run", self.step(body, config), code=code, env=self.secret if env is None else env)
        for secret in (self.postgres.password, self.address.split("@")[0]):
            self.assertNotIn(secret, result.out + result.err)
        return result

    def test_a_missing_table_is_made_with_types_that_hold_every_value(self):
        self.send("import datetime as d, decimal, uuid\n"
                  "utc = d.timezone(d.timedelta(hours=2))\n"
                  "row = dict(i=-2**63, big=2**70, f=0.1, b=True, t='тест \\t\\n\\\\ \\u2603 \"', y=b'\\x00\\xff\\\\',"
                  " n=decimal.Decimal('1234567890.123456789012345678'), ts=d.datetime(2024, 2, 29, 1, 2, 3, 456789),"
                  " tz=d.datetime(2024, 2, 29, 1, tzinfo=utc), day=d.date(1, 1, 1), clock=d.time(23, 59),"
                  " u=uuid.UUID(int=7), o={'a': [1, float('nan'), 'ü']}, l=[1, decimal.Decimal('0.123456789012345678901')], none=None)\n"
                  "job_input.send_object_for_ingestion(row, 'Every')\n"
                  "job_input.send_object_for_ingestion(dict.fromkeys(row), 'Every')\n"
                  "job_input.send_object_for_ingestion({**dict.fromkeys(row), 'i': 1, 'f': float('inf')}, 'Every')")
        types = self.sql("select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position)"
                         " from information_schema.columns where table_name = 'every'")
        self.assertEqual(types, "i bigint, big numeric, f double precision, b boolean, t text, y bytea, n numeric, "
                         "ts timestamp without time zone, tz timestamp with time zone, day date, "
                         "clock time without time zone, u uuid, o jsonb, l jsonb, none text")
        row = json.loads(self.sql("set timezone = 'UTC'; select to_json(e) from every e where i < 0"))
        self.assertEqual(row["t"], 'тест \t\n\\ \u2603 "')
        self.assertEqual((row["i"], row["big"], row["f"], row["b"]), (-2**63, 2**70, 0.1, True))
        self.assertEqual((row["y"], row["o"], row["l"]), ("\\x00ff5c", {"a": [1, None, "ü"]}, [1, 0.123456789012345678901]))
        self.assertEqual(row["ts"], "2024-02-29T01:02:03.456789")
        self.assertEqual(row["tz"], "2024-02-28T23:00:00+00:00")
        self.assertEqual((row["day"], row["clock"]), ("0001-01-01", "23:59:00"))
        self.assertEqual(self.sql("select n, l ->> 1, u from every where i < 0"),
                         "1234567890.123456789012345678|0.123456789012345678901|00000000-0000-0000-0000-000000000007")
        self.assertEqual(self.sql("select count(*) from every where num_nulls(i, big, f, t, o, none) = 6"), "1")
        self.assertEqual(self.sql("select f from every where i = 1"), "Infinity")

    def test_many_rows_keep_their_order_and_are_complete_when_the_next_step_starts(self):
        job = self.step("job_input.send_tabular_data_for_ingestion(([i, 'x' * (i % 50)] for i in range(20000)), ['id', 'pad'], 'many')")
        (job / "20_count.sql").write_text("select 1")
        self.assertIn("20000 rows ingested", self.vdk("run", job, env=self.secret).err)
        self.assertEqual(self.sql("select count(*), sum(id), sum(length(pad)) from many"),
                         f"20000|{sum(range(20000))}|{sum(i % 50 for i in range(20000))}")

    def test_an_existing_table_keeps_its_schema_defaults_and_written_names(self):
        self.sql('create schema s; create table s."Mixed" (id serial primary key, "Name" varchar(5), "A b" money, num int)')
        self.send("job_input.send_object_for_ingestion({'Name': 'x', 'A b': 2, 'NUM': 3.0}, 's.Mixed')")
        self.assertEqual(self.sql('select * from s."Mixed"'), "1|x|$2.00|3")
        wrong = self.send("job_input.send_object_for_ingestion({'Name': 'x', 'missing': 2}, 's.Mixed')", code=1)
        self.assertIn("the table has no column 'missing'", wrong.err)

    def test_a_value_that_does_not_fit_is_named_by_row_and_column_and_its_batch_is_not_stored(self):
        self.sql("create table t (a int primary key, b varchar(3))")
        summary = self.dir / "summary.json"
        send = "job_input.send_tabular_data_for_ingestion([[i, 'ok'] for i in range(150)] + [%s], ['a', 'b'], 't')"
        for bad, expected in (("['x', 'y']", "the value in column 'a' of row 151 of those that this step sent there: invalid input syntax"),
                              ("[1000, 'long']", "the value in column 'b' of row 151 of those that this step sent there: value too long"),
                              ("[120, 'ok']", "row 151 of those that this step sent there: duplicate key"),
                              ("[151, 'a\\0']", "the value in column 'b' of row 151 of those that this step sent there has a NUL"),
                              ("[151, {'k': float('inf')}]", "the value in column 'b' of row 151 of those that this step sent there holds infinity"),
                              ("[151, {'k': chr(0)}]", "the value in column 'b' of row 151 of those that this step sent there")):
            with self.subTest(bad):
                self.sql("truncate t")
                result = self.send(send % bad, code=1, env={**self.secret, "VDK_JOB_RUN_SUMMARY_FILE_PATH": str(summary)})
                self.assertIn(expected, " ".join(result.err.split()))
                self.assertEqual(json.loads(summary.read_text())["blamee"], "User Error")
                self.assertEqual(self.sql("select count(*) from t"), "100")  # the batch before
        for table, refusal in (("nowhere.t", "schema \"nowhere\" does not exist"), ("guarded", "not on Sundays")):
            self.sql("drop table if exists guarded; create table guarded (a int); create or replace function no() returns trigger"
                     " language plpgsql as $$ begin raise 'not on Sundays'; end $$;"
                     "create trigger no before insert on guarded for each row execute function no()")
            result = self.send(f"job_input.send_object_for_ingestion({{'a': 1}}, '{table}')", code=1)
            self.assertIn(refusal, result.err)
            self.assertIn("UserCodeError", result.err)
        self.sql("truncate t")
        broken = self.send(send % "[151, chr(0xd800)]", code=1)
        self.assertIn("the value in column 'b' of row 151 of those that this step sent there holds text that is not valid Unicode", broken.err)

    def test_a_column_name_that_the_server_would_cut_is_refused_before_a_table_is_made(self):
        name = "a" * 64
        self.assertIn(name, self.send(f"job_input.send_object_for_ingestion({{'{name}': 1}}, 'long')", code=1).err)
        self.assertEqual(self.sql("select to_regclass('long') is null"), "t")
        self.send(f"job_input.send_object_for_ingestion({{'{name[1:]}': 1}}, 'long')")
        self.assertEqual(self.sql("select count(*) from long"), "1")

    def test_a_target_is_an_address_and_the_password_may_come_from_a_setting(self):
        bare = "[owner]\nteam = red\n"
        row = "job_input.send_object_for_ingestion({'a': 1}, 't', method='POSTGRES', target=%r)"
        self.send(row % self.address, config=bare, env={})
        without = self.address.replace(self.address.split("@")[0].split("//")[1], self.postgres.USER)
        self.send(row % without, config=bare)
        self.send(row % f"host=127.0.0.1 port={self.postgres.port} user=vdk dbname={self.database}", config=bare)
        self.send("job_input.send_object_for_ingestion({'a': 1}, 't')", config=bare + "[vdk]\ningest_method_default = postgres\n",
                  env={**self.secret, "VDK_POSTGRES_DSN": without})
        self.send(row % "other", config=f"{bare}[vdk_other]\npostgres_dsn = {without}\n",
                  env={"VDK_OTHER_POSTGRES_PASSWORD": self.postgres.password})
        self.assertEqual(self.sql("select sum(a) from t"), "5")

    def test_wrong_addresses_and_passwords_are_told_without_the_password(self):
        row = "job_input.send_object_for_ingestion({'a': 1}, 't', method='postgres', target=%r)"
        bare = "[owner]\nteam = red\n"
        for target in ("postgresql://u:tops@cret@127.0.0.1/db", "postgresql://u:tops/cret@127.0.0.1/db",
                       "postgresql://u:tops%zcret@127.0.0.1/db", "host=127.0.0.1 password=tops cret"):
            with self.subTest(target):
                result = self.vdk("run", self.step(row % target, bare), code=1)
                self.assertIn("no valid connection string", " ".join(result.err.split()))
                self.assertNotIn("cret", result.err)
                self.assertNotIn("tops", result.err)
        for other in ("jdbc:postgresql://u:topscret@127.0.0.1/db", "u:topscret@127.0.0.1"):  # a name of a database to libpq
            told = self.send(row % "", code=1, env={**self.secret, "VDK_POSTGRES_DSN": other})
            self.assertIn("no valid connection string", " ".join(told.err.split()))
            self.assertNotIn("cret", told.err.replace("secret", ""))
        wrong = self.send("job_input.send_object_for_ingestion({'a': 1}, 't')", code=1, env={"VDK_POSTGRES_PASSWORD": "not-this"})
        self.assertIn("password authentication failed", wrong.err)
        self.assertNotIn("not-this", wrong.err)
        nowhere = self.send(row % "", code=1, config=bare, env={})
        self.assertIn("no database is given", nowhere.err)
        gone = self.send(row % "postgresql://vdk@127.0.0.1:1/db", code=1, config=bare, env={})
        self.assertIn("refused", gone.err)
        hidden = self.run_vdk("config", "explain", "postgres_password", env=self.secret)
        self.assertNotIn(self.postgres.password, hidden.out + hidden.err)

    def test_a_connection_that_broke_between_two_sends_is_made_anew(self):
        self.sql("create table t (a int)")
        kill = (f"import subprocess\nsubprocess.run([{str(self.postgres.programs / 'psql')!r}, {self.address!r}, '-c', "
                "\"select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vdk'\"], check=True)\n")
        send = "job_input.send_object_for_ingestion({'a': 1}, 't')\n"
        self.vdk("run", self.step(send + kill + send),
                 env={**self.secret, "VDK_INGESTER_WAIT_TO_FINISH_AFTER_EVERY_SEND": "true"})
        self.assertEqual(self.sql("select count(*) from t"), "2")

    def test_ctrl_c_ends_a_run_whose_table_is_locked(self):
        self.sql("create table t (a int)")
        lock = subprocess.Popen([self.postgres.programs / "psql", "-X", "-q", self.address], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        self.addCleanup(lock.wait)
        self.addCleanup(lock.stdin.close)
        self.addCleanup(lock.stdout.close)
        lock.stdin.write(b"begin; lock table t; select 'held';\n")
        lock.stdin.flush()
        while b"held" not in lock.stdout.readline():
            pass
        run = subprocess.Popen([str(BINARY), "run", str(self.step("job_input.send_object_for_ingestion({'a': 1}, 't')"))],
                               env=self.env(self.secret), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.dir)
        self.wait_until(lambda: self.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "1")
        begin = time.monotonic()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
        self.assertNotEqual(run.returncode, 0)
        self.assertLess(time.monotonic() - begin, 10)
        self.wait_until(lambda: self.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "0")


if __name__ == "__main__":
    unittest.main()
