# SPDX-License-Identifier: Apache-2.0
"""plugins/ipython in a real kernel, beside an installed vdk-core that must not get in the way; and jobs outside of a run."""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time

import original
from harness import BINARY
from harness import ROOT
from harness import VdkTest

BEGIN = ["%reload_ext vdk.plugin.ipython", "%reload_VDK --path {job}", "job_input = VDK.get_initialized_job_input()"]


class InAKernel(VdkTest):
    _installed = False

    @classmethod
    def setUpClass(cls):
        cls.python = original.plugins() / "bin" / "python"
        if not InAKernel._installed:
            with tempfile.TemporaryDirectory() as folder:  # building writes beside the sources
                source = shutil.copytree(ROOT / "plugins" / "ipython", pathlib.Path(folder) / "ipython")
                subprocess.run([cls.python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation",
                                "--disable-pip-version-check", source], check=True, capture_output=True)
            InAKernel._installed = True
        cls.path = f"{cls.python.parent}:{BINARY.parent}:{VdkTest.path}"

    def cells(self, *sources, env=None):
        done = subprocess.run([self.python, ROOT / "tests" / "support" / "kernel.py"], capture_output=True, text=True, timeout=200,
                              input=json.dumps([source.replace("{job}", str(self.dir / "j")) for source in sources]), cwd=self.dir,
                              env=self.env({"VDK_SQLITE_FILE": f"{self.dir}/j.db", "USE_DEFAULT_CELL_TABLE_OUTPUT": "1", **(env or {})}))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def rows(self, query):
        return sqlite3.connect(self.dir / "j.db").execute(query).fetchall()


    def test_the_life_of_a_job_in_a_notebook(self):
        self.job("j", {"10_a.py": "def run(job_input): raise Exception('steps are not run')\n", "helper.py": "x = 5\n"})
        given = self.cells(
            "%reload_ext vdk.plugin.ipython", "%reload_VDK -p {job} -a '{\"day\": 3}' --no-such-option",
            "%reload_VDK -p {job} -a '{\"day\": 3}'", "VDK.finalize()",
            "job_input = VDK.get_initialized_job_input()\nassert job_input is VDK.get_initialized_job_input()\nimport helper\n"
            "print(job_input.get_name(), job_input.get_job_directory().name, job_input.get_arguments(), helper.x)\n"
            "from vdk.api.job_input import IJobInput\nprint(isinstance(job_input, IJobInput))",
            "job_input.set_all_properties({'k': 1})\nprint(job_input.get_property('k'), job_input.get_all_secrets())",
            "job_input.send_tabular_data_for_ingestion([[1], [2]], ['a'], 't', 'sqlite')\n"
            "print(job_input.execute_query('select sum(a) from t where a < {day}'))",
            "job_input.send_object_for_ingestion({'a': 10}, 't', 'sqlite')\nVDK.finalize()\nVDK.finalize()",
            "print(VDK.get_initialized_job_input() is job_input)",
            "job_input = VDK.get_initialized_job_input()\njob_input.send_object_for_ingestion({'a': 20}, 't', 'sqlite')\n"
            "%reload_VDK --name other",
            "print(VDK.get_initialized_job_input().get_name())\n"
            "VDK.get_initialized_job_input().send_object_for_ingestion({'a': 30}, 't', 'sqlite')")
        self.assertIn("UsageError", given[1]["err"] + str(given[1]["error"]))
        self.assertIn("no job to finalize", given[3]["err"])
        self.assertEqual(given[4]["out"], "j j {'day': 3} 5\nTrue\n", given[4])
        self.assertEqual(given[5]["out"], "1 {}\n", given[5])
        self.assertEqual(given[6]["out"], "[(3,)]\n", given[6])
        self.assertEqual(given[8]["out"], "False\n")
        self.assertEqual(given[10]["out"], "other\n")
        self.assertEqual([cell["error"] for cell in given[3:]], [None] * 8)
        self.assertEqual(self.rows("select a from t order by a"), [(1,), (2,), (10,), (20,), (30,)])  # the last ones at the exit

    def test_vdksql_follows_the_rules_of_sql_steps(self):
        script = "create table t (a int, b text);\ninsert into t values (1, 'x;y'), (2, '{word}');\n" \
                 "create trigger g after insert on t begin update t set b = 'z' where a = new.a; end;\n" \
                 "insert into t values (3, '-'); -- {unknown}\n"
        self.job("j", {"10_a.sql": script, "config.ini": f"[vdk_other]\nsqlite_file = {self.dir}/other.db\n"})
        given = self.cells(
            *BEGIN[:1], "%reload_VDK -p {job} -a '{\"word\": \"w\"}'", "%%vdksql\n" + script,
            "%%vdksql\nselect a, b as name from t order by a", "type(_).__name__", "%%vdksql\nselect 1;\n\nselect x from nowhere",
            "%%vdksql\n[other]\ncreate table o (a int); insert into o values (7); select a from o", "%%vdksql\n  \n", "print('on')", env={"VDK_PYTHON_PLUGINS": "no"})  # vdk-trino refuses sections that are not its own
        self.assertEqual(given[2]["result"], "'Query statement executed successfully.'", given[2])
        self.assertEqual(given[3]["result"].split(), "a name 0 1 x;y 1 2 w 2 3 z".split())
        self.assertEqual(given[4]["result"], "'DataFrame'")
        self.assertTrue(given[5]["err"].startswith("Error:\nline 3: no such table"), given[5])
        self.assertIsNone(given[5]["error"])
        self.assertEqual(given[6]["result"].split(), ["a", "0", "7"])
        self.assertIn("no SQL statement", given[7]["err"])
        self.assertEqual(given[8]["out"], "on\n")
        in_kernel = self.rows("select * from t order by a")
        (self.dir / "j.db").unlink()
        self.vdk("run", self.dir / "j", "--arguments", '{"word": "w"}', env={"VDK_SQLITE_FILE": f"{self.dir}/j.db", "VDK_PYTHON_PLUGINS": "no"})
        self.assertEqual(self.rows("select * from t order by a"), in_kernel)

    def test_cells_begin_a_job_by_themselves_and_the_environment_configures_it(self):
        given = self.cells("%reload_ext vdk.plugin.ipython", f"%env VDK_SQLITE_FILE={self.dir}/late.db",
                           "%%vdksql\ncreate table t as select 5 as five", "%%vdksql\nselect five from t")
        self.assertIn("%reload_VDK has not been called", given[2]["err"])
        self.assertEqual(given[3]["result"].split(), ["five", "0", "5"])
        self.assertTrue((self.dir / "late.db").exists())

    def test_vdkingest_stores_what_its_flows_name(self):
        self.job("j", {})
        flow = '[sources.gen]\nname = "auto-generated-data"\nconfig = { num_records = 4 }\n[destinations.lite]\nmethod = "sqlite"\n' \
               '[[flows]]\nfrom = "gen"\nto = "%s"\n'
        given = self.cells(*BEGIN, "%%vdkingest\n" + flow % "lite", "%%vdkingest\n" + flow % "nowhere",
                           "%%vdksql\nselect name from sqlite_master where type = 'table'")
        self.assertEqual((given[3]["error"], given[3]["err"]), (None, ""), given[3])
        self.assertIn("nowhere", given[4]["error"])
        table = given[5]["result"].split()[-1]
        self.assertEqual(self.rows(f'select count(*) from "{table}"'), [(4,)])

    def test_plugins_of_the_original_work_in_a_notebook(self):
        self.job("j", {"config.ini": f"[vdk]\ndb_default_type = duckdb\ningest_method_default = duckdb\nduckdb_database = {self.dir}/d.db\n"})
        given = self.cells(*BEGIN, "%%vdksql\ncreate table t (a int); insert into t values (1)",
                           "job_input.send_object_for_ingestion({'a': 41}, 't')\nprint(job_input.execute_query('select sum(a) from t'))",
                           "%%vdksql\nselect max(a) as m from t")
        self.assertEqual(given[4]["out"], "[(42,)]\n", given)
        self.assertEqual(given[5]["result"].split(), ["m", "0", "41"])

    def test_the_end_of_the_vdk_process_is_an_error_in_a_cell_not_the_end_of_the_kernel(self):
        self.job("j", {})
        given = self.cells(*BEGIN, "import os, signal\nVDK._job._session._process.kill()", "job_input.get_all_secrets()", "print('alive')")
        self.assertIn("the vdk process of this job has ended", given[4]["error"])
        self.assertEqual(given[5]["out"], "alive\n")

    def test_a_folder_that_is_no_job_is_told_in_the_cell(self):
        given = self.cells(BEGIN[0], "%reload_VDK -p /no/such/folder", "VDK.get_initialized_job_input()")
        self.assertIn("/no/such/folder", given[2]["error"])


class OutsideOfARun(VdkTest):
    """vdk.api.data_job with the system's Python and nothing else."""

    path = "/usr/bin:/bin"

    def python(self, program, code=0, env=None):
        done = subprocess.run(["/usr/bin/python3", "-c", program], capture_output=True, text=True, cwd=self.dir, timeout=60,
                              env=self.env({"PYTHONPATH": str(ROOT / "plugins" / "job-sdk"), "VDK_EXECUTABLE": str(BINARY),
                                            "VDK_SQLITE_FILE": f"{self.dir}/j.db", **(env or {})}))
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_a_program_gets_a_job_input_and_the_hooks_are_called(self):
        self.job("j", {"10_a.py": "raise Exception('steps are not run')\n", "config.ini": "[vdk]\nop_id = o7\n"})
        done = self.python("""
import pathlib
from vdk.api.data_job import StandaloneDataJobFactory
from vdk.api.plugin.hook_markers import hookimpl
class Plugin:
    @hookimpl
    def vdk_start(self, plugin_registry, command_line_args): print("start", command_line_args[0])
    @hookimpl
    def initialize_job(self, context): print("initialize", context.name, context.job_args.get_arguments())
    @hookimpl
    def finalize_job(self, context): print("finalize")
    @hookimpl
    def vdk_exception(self, exception): print(repr(exception))
    @hookimpl
    def vdk_exit(self, context, exit_code): print("exit", exit_code)
with StandaloneDataJobFactory.create(pathlib.Path("j"), job_args={"a": 1}, extra_plugins=[Plugin()]) as job_input:
    job_input.send_object_for_ingestion({"a": 1}, "t", "sqlite")
    print(job_input.execute_query("select a + {a} from t"), job_input.get_execution_properties()["pa__op_id"])
try:
    with StandaloneDataJobFactory.create(None, name="only-a-name", extra_plugins=[Plugin()]) as job_input:
        print(job_input.get_name(), job_input.get_job_directory())
        raise KeyError("k")
except KeyError:
    pass
""")
        self.assertEqual(done.stdout.splitlines(), [
            "start run", "initialize j {'a': 1}", "[(2,)] o7", "finalize", "exit 0",
            "start run", "initialize only-a-name {}", "only-a-name None", "KeyError('k')", "exit 2"])

    def test_a_template_runs_in_the_program(self):
        self.job("t", {"10_make.sql": "create table t as select {n} as a", "20_look.py": "def run(job_input):\n"
                       "    print(job_input.get_name(), job_input.execute_query('select a from t'))\n"})
        done = self.python("""
from vdk.api.data_job import StandaloneDataJobFactory
from vdk.api.plugin.hook_markers import hookimpl
class Plugin:
    @hookimpl
    def initialize_job(self, context): context.templates.add_template("fill", "t")
with StandaloneDataJobFactory.create(None, "n", extra_plugins=[Plugin()]) as job_input:
    print(job_input.execute_template("fill", {"n": 7}).is_success())
    try:
        job_input.execute_template("fill", {"n": 7})
    except Exception as error:
        print(type(error).__name__, "already exists" in str(error))
""")
        self.assertEqual(done.stdout.splitlines(), ["n [(7,)]", "True", "OperationalError True"])

    def test_a_program_may_give_its_own_file_for_the_folder(self):
        (self.dir / "script.py").write_text("")
        done = self.python("from vdk.api.data_job import StandaloneDataJobFactory as F\n"
                           "with F.create('script.py') as j:\n    print(j.get_name(), j.get_job_directory().name, j.execute_query('select 1'))\n")
        self.assertEqual(done.stdout, "script.py script.py [(1,)]\n")

    def test_what_is_wrong_is_said_in_words(self):
        make = "from vdk.api.data_job import StandaloneDataJobFactory as F\n"
        self.assertIn("data_job_directory", self.python(make + "F.create(None)", 1).stderr)
        self.assertIn("nowhere", self.python(make + "F.create('nowhere').__enter__()", 1).stderr)
        self.assertIn("cannot find the vdk program", self.python(make + "F.create('.').__enter__()", 1, {"VDK_EXECUTABLE": ""}).stderr)
        failing = make + "with F.create(None, 'n') as j:\n    j.send_object_for_ingestion({'a': 1}, 't', 'no-such-method')\n"
        self.assertIn("no-such-method", self.python(failing, 1).stderr)
        again = make + "with F.create(None, 'n') as j:\n    try:\n        j.send_object_for_ingestion({'a': 1}, 't', 'none')\n" \
                       "        j._run.ingester.wait()\n    except Exception:\n        j._run.ingester.discard()\n" \
                       "    j.send_object_for_ingestion({'a': 1}, 't')\nprint('stored')\n"
        self.assertEqual(self.python(again).stdout, "stored\n")

    def test_an_interrupted_call_does_not_give_its_answer_to_the_next_one(self):
        done = self.python("""
from vdk.api.data_job import StandaloneDataJobFactory
def interrupt(*taken):
    raise KeyboardInterrupt
with StandaloneDataJobFactory.create(None, "n") as job_input:
    job_input.set_all_secrets({"s": 1})
    channel = job_input._run.channel
    channel.receive = interrupt
    try:
        job_input.get_all_secrets()
    except KeyboardInterrupt:
        del channel.receive
    print(job_input.get_all_properties(), job_input.get_all_secrets())
""")
        self.assertEqual(done.stdout, "{} {'s': 1}\n")

    def test_no_process_stays_behind(self):
        program = "from vdk.api.data_job import StandaloneDataJobFactory as F\nimport os\nj = F.create(None, 'n')\nj.__enter__()\n" \
                  "print(j._session._process.pid, flush=True)\nos._exit(0)\n"
        pid = self.python(program).stdout.strip()
        end = time.monotonic() + 20
        while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())


if __name__ == "__main__":
    import unittest

    unittest.main()
