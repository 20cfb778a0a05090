# SPDX-License-Identifier: Apache-2.0
"""How jobs end when Python plugins fail, or see their queries."""
import json
import sqlite3
import sys
import unittest

import original
import test_python_plugins
from harness import ROOT
from harness import VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402


class MoreRealPlugins(VdkTest):
    def setUp(self):
        super().setUp()
        self.path = f"{original.plugins()}/bin:{type(self).path}"

    def test_a_dag_of_jobs_runs_on_our_server(self):
        remote = {"VDK_CONTROL_SERVICE_REST_API_URL": self.serve(), "no_proxy": "127.0.0.1",
                  **{f"DAGS_{name}_SECONDS": "0" for name in ("DAG_EXECUTION_CHECK_TIME_PERIOD", "TIME_BETWEEN_STATUS_CHECK")}}
        write = f"open({str(self.dir / 'trace')!r}, 'a').write('%s\\n' % job_input.get_arguments())"
        for name, body in (("first-job", write), ("broken-job", "1 / 0"), ("last-job", write)):
            job = self.job(name, {"10_a.py": f"def run(job_input):\n    {body}\n", "config.ini": "[owner]\nteam = red\n"})
            self.vdk("create", "--cloud", "-n", name, "-t", "red", env=remote)
            self.vdk("deploy", "-n", name, "-t", "red", "-p", job, "-r", "first", env=remote)
        for fails, code in ((False, 0), (True, 1)):
            dag = self.job(f"dag-{code}", {"10_a.py": f"""
from vdk.plugin.dag.dag_runner import DagInput
def run(job_input):
    DagInput().run_dag([
        dict(job_name="first-job", team_name="red", depends_on=[], arguments={{"n": 1}}),
        dict(job_name="broken-job", team_name="red", depends_on=["first-job"], fail_dag_on_error={fails}),
        dict(job_name="last-job", team_name="red", depends_on=["first-job", "broken-job"], arguments={{"n": 2}}),
    ])
"""})
            self.vdk("run", dag, code=code, env=remote)
        self.assertEqual((self.dir / "trace").read_text().split("\n"), ["{'n': 1}", "{'n': 2}", "{'n': 1}", ""])


class PluginOutcomes(test_python_plugins.PluginFolder):
    def test_a_failure_of_a_plugin_is_not_the_job_authors(self):
        context = "@hookimpl\ndef initialize_job(context):\n    context."
        keeps = "def read_properties(*_):\n    raise OSError('no')\n" + context + "properties.set_properties_factory_method"
        rows = "import sys\ndef ingest_payload(**_):\n    raise KeyError('no')\npre_ingest_process = ingest_payload\n" + context
        rows += "ingester.add_ingester_factory_method('acme', lambda: sys.modules[__name__])\n"
        send = "job_input.send_object_for_ingestion({'a': 1}, 't', %r)"
        for number, (plugin, step, env, blamee) in enumerate((
                ("@hookimpl\ndef initialize_job(context):\n    raise KeyError('no')\n", "pass", {}, "Platform error"),
                ("@hookimpl(tryfirst=True)\ndef run_step(context, step):\n    raise KeyError('no')\n", "pass", {}, "Platform error"),
                ("@hookimpl\ndef finalize_job(context):\n    raise KeyError('no')\n", "pass", {}, "Platform error"),
                ("import sys\n" + keeps + "('default', lambda: sys.modules[__name__])\n", "job_input.get_property('a')", {},
                 "Platform error"),
                (keeps + "('default', read_properties)\n", "job_input.get_property('a')", {}, "Platform error"),
                (rows, send % "acme", {}, "Platform error"),
                (rows, send % "sqlite", {"VDK_INGEST_PAYLOAD_PREPROCESS_SEQUENCE": "acme"}, "Platform error"),
                (rows, "raise KeyError('no')", {}, "User Error"),
                (rows, "{}['no']", {}, "User Error"),
                (rows, "job_input.send_object_for_ingestion({'a': object()}, 't', 'acme')", {}, "User Error"))):
            with self.subTest(number, plugin=plugin):
                self.plugin(plugin)
                summary = self.dir / f"{number}.json"
                job = self.job(f"blame-{number}", {"10_a.py": f"def run(job_input):\n    {step}\n"})
                self.vdk("run", job, code=1, env={"JOB_RUN_SUMMARY_FILE_PATH": str(summary), **env})
                self.assertEqual(json.loads(summary.read_text())["blamee"], blamee)

    def test_plugins_hear_the_end_of_a_run_that_one_of_them_keeps_from_beginning(self):
        job = self.job("ends", {"10_a.py": "def run(job_input):\n    print('never')\n"})
        for failing in ("vdk_initialize", "initialize_job", "run_job"):
            (self.dir / "hooks").unlink(missing_ok=True)
            self.plugin(f"""
@hookimpl
def {failing}(context):
    raise KeyError('no')
@hookimpl
def vdk_exception(exception):
    note("exception", type(exception).__name__)
@hookimpl
def vdk_exit(context, exit_code):
    note("exit", exit_code)
""")
            result = self.vdk("run", job, code=1, env={"PYTHONDONTWRITEBYTECODE": "1"})  # edited within a second
            self.assertEqual((result.out, self.hooks()), ("", ["exception KeyError", "exit 1"]), failing)
            self.assertIn(failing, result.err)

    def test_a_processor_that_does_not_know_the_method_is_called_without_it(self):
        self.plugin("""
import sys
def pre_ingest_process(payload, destination_table=None, target=None, collection_id=None, metadata=None):
    return [dict(row, more="x") for row in payload], metadata
@hookimpl
def initialize_job(context):
    context.ingester.add_ingester_factory_method("old", lambda: sys.modules[__name__])
""")
        job = self.job("older", {"10_a.py": "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1}, 't')\n"
                                            "    print(job_input.execute_query('select * from t'))\n"})
        self.assertEqual(self.vdk("run", job, env={"VDK_INGEST_PAYLOAD_PREPROCESS_SEQUENCE": "old"}).out, "[(1, 'x')]\n")

    def test_a_post_processor_is_told_what_became_of_the_rows(self):
        self.plugin("""
import sys
def post_ingest_process(payload=None, destination_table=None, target=None, collection_id=None, metadata=None, exception=None):
    print(len(payload), type(exception).__name__)
@hookimpl
def initialize_job(context):
    context.ingester.add_ingester_factory_method("post", lambda: sys.modules[__name__])
""")
        env = {"VDK_INGEST_PAYLOAD_POSTPROCESS_SEQUENCE": "post"}
        step = "def run(job_input):\n    job_input.send_object_for_ingestion({'a': %s}, 't')\n"
        self.assertEqual(self.vdk("run", self.job("good", {"10_a.py": step % "1"}), env=env).out, "1 NoneType\n")
        failed = self.vdk("run", self.job("bad", {"10_a.py": step % "2 ** 63"}), env=env, code=1)
        self.assertEqual(failed.out, "1 UserCodeError\n")
        self.assertIn("which SQLite cannot hold", failed.err)

    def test_what_a_pre_processor_must_return_is_said(self):
        for number, (returned, told) in enumerate((("payload", "pre_ingest_process returned list, not (payload, metadata)"),
                                                   ("None", "pre_ingest_process returned NoneType, not (payload, metadata)"),
                                                   ("['x'], None", "a row of type str: pre-processors must return dictionaries"))):
            with self.subTest(returned):
                self.plugin("import sys\ndef pre_ingest_process(payload, **_):\n    return " + returned + """
@hookimpl
def initialize_job(context):
    context.ingester.add_ingester_factory_method("pre", lambda: sys.modules[__name__])
""")
                job = self.job(f"job-{number}", {"10_a.py": "def run(job_input):\n    for i in (1, 2):\n"
                                                  "        job_input.send_object_for_ingestion({'a': i}, 't')\n"})
                self.assertIn(told, self.vdk("run", job, code=1, env={"VDK_INGEST_PAYLOAD_PREPROCESS_SEQUENCE": "pre"}).err)

    def test_queries_on_vdks_own_databases_pass_through_the_hooks_of_plugins_that_have_some(self):
        self.plugin("""
@hookimpl
def db_connection_validate_operation(operation, parameters):
    note("validate", operation.strip(), parameters)
    if "drop" in operation:
        raise ValueError("drop is not allowed")
@hookimpl
def db_connection_on_operation_failure(operation, exception):
    note("failure", type(exception).__name__)
""")
        job = self.job("watched", {
            "10_a.sql": "create table t (a);\ninsert into t values ({n});",
            "20_b.py": "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 2}, 't')\n"
                       "    print(job_input.execute_query('select * from t order by 1'))\n"
                       "    cursor = job_input.get_managed_connection().cursor()\n"
                       "    cursor.execute('select ?', (7,))\n    print(cursor.fetchall())\n",
            "30_c.sql": "[second]\nselect 3;\nselect nonsense", "config.ini": "[vdk_second]\nsqlite_file = second.db\n"})
        result = self.vdk("run", job, "--arguments", '{"n": 1}', code=1)
        self.assertEqual(result.out.splitlines(), ["[(1,), (2,)]", "[(7,)]"])
        self.assertIn("line 3 of", result.err)
        self.assertEqual(self.hooks(), [
            "validate create table t (a) None", "validate insert into t values (1) None", "validate select * from t order by 1 None",
            "validate select ? (7,)", "validate select 3 None", "validate select nonsense None", "failure OperationalError"])
        job = self.job("forbidden", {"10_a.py": "def run(job_input):\n    job_input.execute_query('drop table t')\n"})
        self.assertIn("drop is not allowed", self.vdk("run", job, code=1).err)
        self.assertEqual(sqlite3.connect(self.dir / "vdk-sqlite.db").execute("select count(*) from t").fetchall(), [(2,)])

    def test_the_error_of_a_templates_sql_step_is_one_of_the_driver_as_well(self):
        template = self.job("failing", {"10_t.sql": "{statement}"})
        self.plugin("import pathlib\n@hookimpl\ndef initialize_job(context):\n"
                    f"    context.templates.add_template('failing', pathlib.Path({str(template)!r}))\n")
        job = self.job("catching", {"10_a.sql": "create table t (a unique); insert into t values (1)", "20_b.py": """
import sqlite3
from vdk.api.errors import UserCodeError
def run(job_input):
    for statement, kind in (("select * from nowhere", sqlite3.OperationalError), ("insert into t values (1)", sqlite3.IntegrityError)):
        try:
            job_input.execute_template("failing", {"statement": statement})
        except kind as error:
            print(type(error).__name__, isinstance(error, UserCodeError), "10_t.sql" in str(error))
"""})
        self.assertEqual(self.vdk("run", job).out.splitlines(), ["OperationalError True True", "IntegrityError True True"])

    def test_it_is_one_of_postgresql_where_the_step_ran_there(self):
        server = postgres.running(self.addCleanup)
        template = self.job("failing", {"10_t.sql": "select * from nowhere"})
        self.plugin("import pathlib\n@hookimpl\ndef initialize_job(context):\n"
                    f"    context.templates.add_template('failing', pathlib.Path({str(template)!r}))\n")
        job = self.job("catching", {"20_b.py": """
def run(job_input):
    try:
        job_input.execute_template("failing", {})
    except job_input.get_managed_connection().ProgrammingError as error:
        print(type(error).__module__, type(error).__name__)
"""})
        self.assertEqual(self.vdk("run", job, env={
            "VDK_POSTGRES_DSN": server.create_database(), "VDK_DB_DEFAULT_TYPE": "postgres"}).out, "vdk.sdk.postgres_errors ProgrammingError\n")


if __name__ == "__main__":
    unittest.main()
