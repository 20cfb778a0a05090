# SPDX-License-Identifier: Apache-2.0
"""`vdk run` on plain folders, without any control service."""
import json
import sqlite3
import unittest

from harness import VdkTest


class Run(VdkTest):
    def database(self):
        return self.dir / "data.db"

    def run_job(self, files, *args, code=0, env=None):
        number = len(list(self.dir.glob("job-*")))
        folder = self.job(f"job-{number}", files)
        return self.vdk("run", folder, *args, code=code, env={"VDK_SQLITE_FILE": str(self.database()), **(env or {})})

    def query(self, sql):
        with sqlite3.connect(self.database()) as connection:
            return connection.execute(sql).fetchall()

    def test_a_run_creates_no_service_home(self):
        self.run_job({"a.sql": "create table t(x);"})
        self.assertFalse((self.home / ".local/share").exists())

    def test_several_statements_in_one_sql_file_and_substitution(self):
        self.run_job({"10.sql": "create table t(x, y);\ninsert into t values (1, '{word}'), (2, '{unknown}');",
                      "20.sql": "insert into t select x + 10, ';' from t;"}, "--arguments", '{"word": "a;b"}')
        self.assertEqual(self.query("select x, y from t order by x"),
                         [(1, "a;b"), (2, "{unknown}"), (11, ";"), (12, ";")])

    def test_steps_run_in_plain_byte_order(self):
        step = "def run(job_input):\n    print('STEP', __file__.rsplit('/', 1)[1])\n"
        result = self.run_job({name: step for name in ("9_x.py", "10_A.py", "Z.PY", "a.py")})
        self.assertEqual([line.split()[1] for line in result.out.splitlines() if line.startswith("STEP")],
                         ["10_A.py", "9_x.py", "Z.PY", "a.py"])

    def test_exit_codes_of_the_contract(self):
        self.vdk("run", self.dir / "missing", code=2)
        self.run_job({"readme.txt": ""}, code=1)
        self.run_job({"a.py": "x = 1\n"}, code=0)
        self.run_job({"a.py": "def run(job_input:\n"}, code=1)
        self.run_job({"a.py": "def run():\n    pass\n"}, code=1)
        self.run_job({"a.py": "import sys\ndef run(job_input):\n    sys.exit(3)\n"}, code=3)
        self.run_job({"a.py": "import sys\ndef run(job_input):\n    sys.exit(0)\n"}, code=1)
        self.run_job({"a.py": "import os\ndef run(job_input):\n    os._exit(0)\n"}, code=1)
        self.run_job({"a.sql": "selec 1"}, code=1)
        self.run_job({"a.sql": "select 1"}, "--arguments", "{bad", code=1)

    def test_a_failing_step_stops_the_job_and_skip_ends_it_well(self):
        self.run_job({"a.py": "def run(job_input):\n    1/0\n", "b.sql": "create table never(x)"}, code=1)
        self.run_job({"a.py": "def run(job_input):\n    job_input.skip_remaining_steps()\n", "b.sql": "create table never(x)"})
        self.assertEqual(self.query("select name from sqlite_master"), [])

    def test_with_output_json_the_result_is_all_of_standard_output(self):
        step = "import os\ndef run(job_input):\n    print('of the step')\n    os.system('echo of its child')\n"
        result = self.run_job({"a.py": step, "b.sql": "selec 1"}, "-o", "json", code=1)
        document = json.loads(result.out)
        self.assertEqual([(s["name"], s["status"]) for s in document["steps_list"]], [("a.py", "success"), ("b.sql", "error")])
        self.assertEqual((document["status"], document["blamee"]), ("error", "User Error"))
        self.assertIn("of the step\n", result.err)
        self.assertIn("of its child\n", result.err)
        self.assertIn("of the step\n", self.run_job({"a.py": step}).out)

    def test_the_summary_file_says_what_happened(self):
        summary = self.dir / "summary.json"
        self.run_job({"a.py": "def run(job_input):\n    raise ValueError('boom')\n"}, code=1,
                     env={"JOB_RUN_SUMMARY_FILE_PATH": str(summary)})
        data = json.loads(summary.read_text())
        self.assertEqual((data["status"], data["blamee"]), ("error", "User Error"))
        self.assertIn("boom", data["details"])
        self.assertEqual(data["steps"][0]["name"], "a.py")
        self.run_job({"a.sql": "select 1"}, env={"JOB_RUN_SUMMARY_FILE_PATH": str(summary)})
        self.assertEqual(json.loads(summary.read_text()),
                         {"steps": [{"name": "a.sql", "status": "success", "blamee": None, "details": None}],
                          "status": "success", "blamee": None, "details": None})

    def test_the_termination_file_tells_user_from_success(self):
        path = self.dir / "termination"
        env = {"VDK_TERMINATION_MESSAGE_WRITER_OUTPUT_FILE": str(path)}
        self.run_job({"a.sql": "select 1"}, env=env)
        self.assertEqual(json.loads(path.read_text())["status"], "Success")
        self.run_job({"a.sql": "select"}, code=1, env=env)
        self.assertEqual(json.loads(path.read_text())["status"], "User error")

    def test_ingested_rows_are_complete_when_the_next_step_starts(self):
        self.run_job({"10.py": "def run(job_input):\n"
                               "    for i in range(5000):\n"
                               "        job_input.send_object_for_ingestion({'id': i, 'name': f'n{i}'}, 't')\n"
                               "    job_input.send_tabular_data_for_ingestion(([i, None] for i in range(5000, 5100)), ['id', 'name'], 't')\n",
                      "20.py": "def run(job_input):\n"
                               "    assert job_input.execute_query('select count(*) from t') == [(5100,)], "
                               "job_input.execute_query('select count(*) from t')\n"},
                     env={"VDK_INGEST_METHOD_DEFAULT": "sqlite"})
        self.assertEqual(self.query("select count(*), max(id) from t"), [(5100, 5099)])

    def test_a_failed_ingestion_fails_the_step_that_sent_the_rows(self):
        result = self.run_job({"10.py": "def run(job_input):\n"
                                        "    job_input.send_object_for_ingestion({'a': 1}, 't')\n"
                                        "    job_input.send_object_for_ingestion({'other': 1}, 't')\n",
                               "20.sql": "create table later(x)"}, code=1, env={"VDK_INGEST_METHOD_DEFAULT": "sqlite"})
        self.assertIn("10.py", result.err)
        self.assertEqual(self.query("select name from sqlite_master where name = 'later'"), [])

    def test_managed_connection_and_named_databases(self):
        other = self.dir / "other.db"
        self.run_job({"config.ini": f"[vdk_other]\nsqlite_file = {other}\n",
                      "10.py": "def run(job_input):\n"
                               "    with job_input.get_managed_connection() as c:\n"
                               "        cur = c.cursor(); cur.execute('create table t(x)'); cur.execute('insert into t values (7)')\n"
                               "    job_input.execute_query('create table o(x)', database='other')\n"})
        self.assertEqual(self.query("select x from t"), [(7,)])
        with sqlite3.connect(other) as connection:
            self.assertEqual(connection.execute("select name from sqlite_master").fetchall(), [("o",)])

    def test_a_python_error_names_file_line_and_class(self):
        result = self.run_job({"a.py": "def helper():\n    return {}['k']\n\ndef run(job_input):\n    helper()\n"}, code=1)
        self.assertIn("KeyError", result.err)
        self.assertRegex(result.err, r"a\.py.*2")

    def test_a_job_without_python_runs_where_there_is_no_python(self):
        empty = self.dir / "empty-path"
        empty.mkdir()
        self.run_job({"a.sql": "create table t(x)"}, env={"PATH": str(empty)})
        self.assertEqual(self.query("select count(*) from t"), [(0,)])

    def test_config_ini_reaches_the_run_wherever_the_options_stand(self):
        folder = self.job("some-job", {"config.ini": f"[vdk]\nsqlite_file = {self.dir}/ini.db\n", "a.sql": "create table t(x)"})
        self.vdk("run", "--arguments", "{}", folder)
        self.assertTrue((self.dir / "ini.db").exists())


if __name__ == "__main__":
    unittest.main()
