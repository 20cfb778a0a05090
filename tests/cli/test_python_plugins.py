# SPDX-License-Identifier: Apache-2.0
"""Plugins of the original, unmodified from the package index, and plugins made here for each hook, in jobs that vdk runs."""
import json
import sqlite3
import subprocess
import sys
import unittest

import original
from harness import ROOT
from harness import VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402


class RealPlugins(VdkTest):
    """Each test says what of one plugin works."""

    def setUp(self):
        super().setUp()
        self.path = f"{original.plugins()}/bin:{type(self).path}"

    def test_duckdb_gives_its_database_to_sql_and_python_steps_and_takes_rows(self):
        job = self.job("duck", {
            "10_make.sql": "create table t (a int, b varchar);\ninsert into t values (0, 'semi;colon');",
            "20_rows.py": "def run(job_input):\n    job_input.send_tabular_data_for_ingestion([[1, 'x'], [2, 'y']], ['a', 'b'], 't')\n",
            "30_more.sql": "insert into t values (3, '{word}')",
            "40_read.py": "def run(job_input):\n    print(job_input.execute_query('select * from t order by a'))\n"
                          "    print(job_input.get_managed_connection().cursor().execute('select 1'))\n",
            "config.ini": f"[owner]\nteam = red\n[vdk]\ndb_default_type = duckdb\ningest_method_default = duckdb\n"
                          f"duckdb_database = {self.dir}/d.db\n",
        })
        out = self.vdk("run", job, "--arguments", '{"word": "of {word}"}').out
        self.assertIn("[(0, 'semi;colon'), (1, 'x'), (2, 'y'), (3, 'of {word}')]", out)
        shown = self.vdk("duckdb-query", "-q", "select b from t where a = 2", env={"VDK_DUCKDB_DATABASE": f"{self.dir}/d.db"})
        self.assertIn("y", shown.out)

    def test_an_unknown_database_is_told_with_the_ones_of_plugins(self):
        result = self.vdk("run", self.job("lost", {"10_a.sql": "[nowhere]\nselect 1"}), code=1)
        self.assertIn("'nowhere'", result.err)
        self.assertIn("duckdb", result.err)

    def test_a_failing_statement_of_a_plugins_database_is_the_users_error_with_its_line(self):
        job = self.job("duck", {
            "10_bad.sql": "select 1;\n\nselect nonsense from nowhere;\n",
            "config.ini": f"[vdk]\ndb_default_type = duckdb\nduckdb_database = {self.dir}/d.db\n",
        })
        result = self.vdk("run", job, code=1, env={"VDK_JOB_RUN_SUMMARY_FILE_PATH": f"{self.dir}/s.json"})
        self.assertIn("line 3 of", result.err)
        self.assertIn("nowhere", result.err)
        self.assertEqual(json.loads((self.dir / "s.json").read_text())["blamee"], "User Error")

    def test_postgres_works_against_a_real_server(self):
        try:
            server = postgres.Server(password="secret")
        except postgres.Unavailable as why:
            self.skipTest(str(why))
        with server:
            name = server.create_database().rsplit("/", 1)[1].split("?")[0]
            job = self.job("pg", {
                "10_make.sql": "create table t (a int, b text);",
                "20_rows.py": "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1, 'b': 'x'}, 't')\n",
                "30_more.sql": "insert into t values (2, '100%');\ninsert into t values (3, null);",
                "40_read.py": "def run(job_input):\n    print(job_input.execute_query('select * from t order by a'))\n",
                "config.ini": "[vdk]\ndb_default_type = postgres\ningest_method_default = postgres\n"
                              f"postgres_host = 127.0.0.1\npostgres_port = {server.port}\npostgres_user = {server.USER}\n"
                              f"postgres_dbname = {name}\n",
            })
            secret = {"VDK_POSTGRES_PASSWORD": "secret"}
            out = self.vdk("run", job, env=secret).out
            self.assertIn("[(1, 'x'), (2, '100%'), (3, None)]", out)
            wrong = self.vdk("run", job, code=1, env={"VDK_POSTGRES_PASSWORD": "wrong"})
            self.assertIn("password authentication failed", wrong.err)

    def test_properties_fs_keeps_properties_that_sql_steps_see(self):
        files = {
            "10_set.py": "def run(job_input):\n    p = job_input.get_all_properties()\n    p['day'] = p.get('day', 0) + 1\n"
                         "    job_input.set_all_properties(p)\n",
            "20_use.sql": "create table if not exists t (a int);\ninsert into t values ({day});",
            "config.ini": f"[owner]\nteam = red\n[vdk]\nproperties_default_type = fs-properties-client\n"
                          f"fs_properties_directory = {self.dir}\nsqlite_file = {self.dir}/j.db\n",
        }
        job = self.job("props", files)
        self.vdk("run", job)
        self.vdk("run", job)
        self.assertEqual(json.loads((self.dir / "vdk_data_jobs.json").read_text()), {"red_props__": {"day": 2}})
        self.assertEqual(sqlite3.connect(self.dir / "j.db").execute("select a from t").fetchall(), [(1,), (2,)])

    def test_config_help_lists_the_settings_of_plugins(self):
        known = {record["name"]: record for record in self.vdk("config-help", "-o", "json").json()}
        self.assertEqual(known["trino_port"]["default"], "28080")
        self.assertTrue(known["postgres_password"]["secret"])
        self.assertIn("sqlite_file", known)

    def test_csv_brings_commands_that_vdk_lists_and_runs(self):
        (self.dir / "in.csv").write_text("a,b\n1,x\n2,y\n")
        env = {"VDK_SQLITE_FILE": f"{self.dir}/j.db", "VDK_DB_DEFAULT_TYPE": "sqlite", "VDK_INGEST_METHOD_DEFAULT": "sqlite"}
        self.assertIn("ingest-csv", self.vdk("--help").out)
        self.vdk("ingest-csv", "-f", "in.csv", "-t", "things", env=env)
        self.vdk("export-csv", "-q", "select b from things order by a", "-f", "out.csv", env=env)
        self.assertEqual((self.dir / "out.csv").read_text(), "x\ny\n")
        again = self.vdk("export-csv", "-q", "select 1", "-f", "out.csv", code=1, env=env)
        self.assertIn("already exists", again.err)
        self.assertIn("Usage: vdk ingest-csv", self.vdk("ingest-csv", "--help").out)
        self.vdk("export-csv", code=2)
        self.assertIn("no such command 'ingest-cvs'", self.vdk("ingest-cvs", code=2).err)

    def test_commands_of_plugins_are_listed_unless_vdk_has_one_of_that_name(self):
        site = self.dir / "site"
        (site / "acme-1.0.dist-info").mkdir(parents=True)
        (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[vdk.plugin.run]\nacme = acme\n")
        (site / "acme.py").write_text("import click\nfrom vdk.api.plugin.hook_markers import hookimpl\n@hookimpl\n"
                                      "def vdk_command_line(root_command):\n    for name in ('server', 'acme-hello'):\n"
                                      "        root_command.add_command(click.Command(name, help='Says hello.'))\n")
        shown = self.vdk("--help", env={"PYTHONPATH": str(site)}).out.partition("Commands of Python plugins:")[2]
        self.assertIn("acme-hello", shown)
        self.assertNotIn("server", shown)

    def test_trino_loads_is_configured_and_registers_database_and_templates(self):
        job = self.job("tr", {
            "10_look.py": "def run(job_input):\n    from vdk.plugin.trino import trino_config\n"
                          "    print(trino_config.trino_templates_data_to_target_strategy)\n"
                          "    job_input.execute_query('select 1', database='trino')\n",
            "config.ini": "[vdk]\ntrino_host = 127.0.0.1\ntrino_port = 1\ntrino_use_ssl = false\ntrino_retries_on_error = 0\n"
                          "trino_templates_data_to_target_strategy = RENAME\n",
        })
        result = self.vdk("run", job, code=1)
        self.assertIn("RENAME", result.out)
        self.assertRegex(result.err, "(?i)connection|refused")

    def test_gdp_execution_id_adds_its_column_before_rows_reach_sqlite(self):
        job = self.job("gdp", {
            "10_send.py": "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1}, 't')\n",
            "config.ini": f"[vdk]\nsqlite_file = {self.dir}/j.db\ningest_method_default = sqlite\n"
                          "ingest_payload_preprocess_sequence = vdk-gdp-execution-id\n",
        })
        self.vdk("run", job, env={"VDK_EXECUTION_ID": "run-7"})
        rows = sqlite3.connect(self.dir / "j.db").execute("select * from t").fetchall()
        self.assertEqual(rows, [(1, "run-7")])


PLUGIN = """
import os
from vdk.api.plugin.hook_markers import hookimpl
log = open(os.environ["HOOK_LOG"], "a", buffering=1)
def note(*words):
    print(*words, file=log)
"""


class PluginFolder(VdkTest):
    """Makes plugins; the small hook manager of the SDK calls them: the system's Python has no pluggy."""

    path = "/usr/bin:/bin"

    def plugin(self, body, name="acme"):
        folder = self.dir / "site"
        (folder / f"{name}-1.0.dist-info").mkdir(parents=True, exist_ok=True)
        (folder / f"{name}_plugin.py").write_text(PLUGIN + body)
        (folder / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(f"[vdk.plugin.run]\n{name} = {name}_plugin\n")

    def env(self, extra=None):
        return super().env({"PYTHONPATH": f"{self.dir}/site", "HOOK_LOG": f"{self.dir}/hooks", **(extra or {})})

    def hooks(self):
        return (self.dir / "hooks").read_text().splitlines()


class OwnPlugins(PluginFolder):
    """Hooks one by one."""

    def test_the_hooks_of_a_run_are_called_in_the_originals_order(self):
        self.plugin("""
@hookimpl
def vdk_start(plugin_registry, command_line_args):
    note("start", command_line_args[0])
@hookimpl
def vdk_configure(config_builder):
    config_builder.add("acme_level", 3)
    note("configure")
@hookimpl
def vdk_initialize(context):
    note("initialize", context.configuration.get_value("ACME_LEVEL") + 1)
@hookimpl
def initialize_job(context):
    note("initialize_job", context.name, context.job_args.get_arguments())
@hookimpl(hookwrapper=True)
def run_job(context):
    note("run_job begins")
    outcome = yield
    result = outcome.get_result()
    note("run_job ends", result.status.value, [step.name for step in result.steps_list])
@hookimpl(hookwrapper=True, tryfirst=True)
def run_step(context, step):
    note("step", step.name, step.type)
    outcome = yield
    note("ended", step.name, outcome.get_result().status.value)
@hookimpl
def finalize_job(context):
    note("finalize_job")
@hookimpl
def vdk_exit(context, exit_code):
    note("exit", exit_code)
""")
        job = self.job("hooked", {"10_a.sql": "select 1", "20_b.py": "def run(job_input): pass\n", "30_c.py": "x = 1\n",
                                  "config.ini": "[vdk]\nacme_level = 41\n"})
        self.vdk("run", job, "--arguments", '{"k": 1}')
        self.assertEqual(self.hooks(), [
            "start run", "configure", "initialize 42", "initialize_job hooked {'k': 1}", "run_job begins", "step 10_a.sql sql",
            "ended 10_a.sql success", "step 20_b.py python", "ended 20_b.py success", "step 30_c.py python",
            "ended 30_c.py not_runnable", "run_job ends success ['10_a.sql', '20_b.py', '30_c.py']", "finalize_job", "exit 0"])

    def test_a_plugin_sees_the_error_of_a_sql_step_and_may_handle_it(self):
        self.plugin("""
@hookimpl
def vdk_exception(exception):
    note(type(exception).__name__)
    return "HANDLE" in os.environ
@hookimpl
def vdk_exit(context, exit_code):
    note("exit", exit_code)
@hookimpl(hookwrapper=True)
def run_step(context, step):
    yield
""")
        job = self.job("failing", {"10_a.sql": "select 1;\nselect * from nowhere"})
        result = self.vdk("run", job, code=1)
        self.assertIn("line 2 of", result.err)
        self.vdk("run", job, code=0, env={"HANDLE": "1"})
        self.assertEqual(self.hooks(), ["UserCodeError", "exit 1", "UserCodeError", "exit 0"])

    def test_a_step_may_be_answered_by_a_plugin_instead(self):
        self.plugin("""
from vdk.internal.builtin_plugins.run.execution_results import StepResult
from vdk.internal.builtin_plugins.run.run_status import ExecutionStatus
@hookimpl
def run_step(context, step):
    if step.name.startswith("20"):
        return StepResult(step.name, step.type, None, None, ExecutionStatus.SKIP_REQUESTED)
""")
        job = self.job("skipping", {f"{n}_a.py": f"def run(job_input): print('step {n}')\n" for n in (10, 20, 30)})
        self.assertEqual(self.vdk("run", job).out, "step 10\n")

    def test_what_would_replace_the_runner_is_refused_by_name(self):
        self.plugin("@hookimpl\ndef run_job(context):\n    return 'mine'\n", "other")
        job = self.job("refused", {"10_a.py": "def run(job_input): print('ran')\n"})
        result = self.vdk("run", job, code=1)
        self.assertEqual(result.out, "")
        self.assertIn("plugin other cannot be used", result.err)
        self.assertIn("run_job", result.err)
        self.assertEqual(self.vdk("run", job, env={"VDK_PYTHON_PLUGINS": "false"}).out, "ran\n")

    def test_steps_that_a_plugin_adds_are_refused_with_a_reason(self):
        self.plugin("@hookimpl\ndef initialize_job(context):\n    from vdk.internal.builtin_plugins.run.step import Step\n"
                    "    context.step_builder.add_step(Step('extra', 'python', None, None, None))\n")
        result = self.vdk("run", self.job("extra", {"10_a.py": "def run(job_input): pass\n"}), code=1)
        self.assertIn("cannot add the step 'extra'", result.err)

    def test_a_plugin_that_cannot_be_loaded_fails_the_run_and_is_named(self):
        self.plugin("import no_such_module\n")
        result = self.vdk("run", self.job("broken", {"10_a.sql": "select 1"}), code=1)
        self.assertIn("cannot load the Python plugin acme", result.err)
        self.assertIn("no_such_module", result.err)

    def test_a_failure_at_the_end_of_the_job_is_the_result_of_the_run(self):
        self.plugin("@hookimpl\ndef finalize_job(context):\n    raise RuntimeError('cannot flush')\n")
        result = self.vdk("run", self.job("ending", {"10_a.py": "def run(job_input): pass\n"}), code=1)
        self.assertIn("the Python plugin acme failed in its hook finalize_job\n    RuntimeError: cannot flush\n", result.err)

    def test_rows_pass_through_processors_and_reach_methods_of_plugins(self):
        self.plugin("""
from vdk.api.plugin.plugin_input import IIngesterPlugin
class Upper(IIngesterPlugin):
    def pre_ingest_process(self, payload, destination_table=None, target=None, collection_id=None, metadata=None, method=None):
        rows = [{**row, "b": row["b"].upper()} for row in payload]
        return rows, {IIngesterPlugin.UPDATED_DYNAMIC_PARAMS: {IIngesterPlugin.DESTINATION_TABLE_KEY: "big"}}
    def post_ingest_process(self, payload=None, destination_table=None, target=None, collection_id=None, metadata=None,
                            exception=None, method=None):
        note("after", len(payload), destination_table, exception)
class Keep(IIngesterPlugin):
    def ingest_payload(self, payload, destination_table, target=None, collection_id=None, metadata=None):
        if destination_table == "bad":
            raise ValueError("refused")
        note("kept", payload, destination_table, target, collection_id)
@hookimpl
def initialize_job(context):
    context.ingester.add_ingester_factory_method("UPPER", Upper)
    context.ingester.add_ingester_factory_method("keep", Keep)
""")
        send = "def run(job_input):\n    job_input.send_tabular_data_for_ingestion([[1, 'x']], ['a', 'b'], 't', {})\n"
        both = {"VDK_INGEST_PAYLOAD_PREPROCESS_SEQUENCE": "upper", "VDK_INGEST_PAYLOAD_POSTPROCESS_SEQUENCE": "upper",
                "VDK_SQLITE_FILE": f"{self.dir}/j.db", "VDK_OP_ID": "op"}
        self.vdk("run", self.job("native", {"10_a.py": send.format("")}), env=both)
        self.assertEqual(sqlite3.connect(self.dir / "j.db").execute("select * from big").fetchall(), [(1, "X")])
        self.vdk("run", self.job("own", {"10_a.py": send.format("method='keep', target='there'")}), env={"VDK_OP_ID": "op"})
        self.assertEqual(self.hooks(), ["after 1 big None", "kept [{'a': 1, 'b': 'x'}] t there own|op"])

    def test_a_step_fails_when_a_plugin_could_not_store_its_rows_though_its_code_caught_the_error(self):
        self.plugin("""
class Bad:
    def ingest_payload(self, payload, destination_table, target=None, collection_id=None, metadata=None):
        raise ValueError("disk is full")
@hookimpl
def initialize_job(context):
    context.ingester.add_ingester_factory_method("bad", Bad)
""")
        job = self.job("lossy", {"10_a.py": "def run(job_input):\n    try:\n        for i in range(20000):\n"
                                            "            job_input.send_object_for_ingestion({'a': i}, 't', 'bad')\n"
                                            "    except ValueError:\n        pass\n", "20_b.py": "def run(job_input): print('no')\n"})
        result = self.vdk("run", job, code=1)
        self.assertIn("disk is full", result.err)
        self.assertEqual(result.out, "")
        self.vdk("run", job, env={"VDK_INGESTER_SHOULD_RAISE_EXCEPTION_ON_FAILURE": "false"})

    def test_connections_templates_secrets_and_query_hooks_of_a_plugin(self):
        template = self.job("tmpl", {"10_t.sql": "insert into t values ({n})", "20_t.py": "def run(job_input):\n"
                                     "    print(job_input.get_name(), job_input.get_arguments())\n"})
        self.plugin(f"""
import sqlite3
from vdk.internal.builtin_plugins.connection.managed_connection_base import ManagedConnectionBase
class Connection(ManagedConnectionBase):
    def _connect(self):
        note("connect")
        return sqlite3.connect({str(self.dir / 'own.db')!r})
    def db_connection_recover_operation(self, recovery_cursor):
        if "flaky" not in str(recovery_cursor.get_exception()):
            raise recovery_cursor.get_exception()
        recovery_cursor.execute("create table flaky (a int)")
        recovery_cursor.retry_operation()
class Secrets:
    def read_secrets(self, job_name, team_name):
        return {{"password": "p of " + job_name}}
@hookimpl
def initialize_job(context):
    context.connections.add_open_connection_factory_method("MINE", Connection)
    context.templates.add_template("fill", {str(template)!r}, "mine")
    context.secrets.set_secrets_factory_method("vault", Secrets)
@hookimpl
def db_connection_before_operation(operation):
    note(operation.get_operation())
@hookimpl
def db_connection_validate_operation(operation, parameters):
    if "drop" in operation:
        raise ValueError("no drops here")
""")
        job = self.job("rich", {
            "10_a.sql": "[mine]\ncreate table t (a int);",
            "20_b.py": "def run(job_input):\n    print(job_input.get_secret('password'))\n"
                       "    job_input.execute_template('fill', {'n': 7}, database='mine')\n"
                       "    print(job_input.execute_query('select a from t', 'mine'))\n"
                       "    print(job_input.execute_query('select count(*) from flaky', 'mine'))\n"
                       "    try:\n        job_input.execute_query('drop table t', 'mine')\n    except ValueError as e:\n        print(e)\n"})
        out = self.vdk("run", job).out
        self.assertEqual(out.splitlines(), ["p of rich", "rich {'n': 7}", "[(7,)]", "[(0,)]", "no drops here"])
        self.assertEqual(self.hooks()[0], "connect")
        self.assertIn("insert into t values (7)", self.hooks())
        self.assertEqual(self.hooks().count("connect"), 1)

    def test_plugins_see_the_queries_on_vdks_own_databases_and_may_forbid_them(self):
        self.plugin("""
@hookimpl
def db_connection_validate_operation(operation, parameters):
    if operation.startswith("drop"):
        raise ValueError("no drops here")
@hookimpl(tryfirst=True)
def db_connection_before_operation(operation):
    note("before", operation.get_operation())
    if "one" in operation.get_operation():
        operation.set_operation(operation.get_operation().replace("one", "1"))
@hookimpl
def db_connection_on_operation_failure(operation, exception):
    note("failed", "nowhere" in str(exception))
""")
        database = {"VDK_SQLITE_FILE": f"{self.dir}/j.db"}
        files = {"10_a.sql": "create table t (a int);\ninsert into t values ({n});",
                 "15_t.sql": "create table u (a int)",
                 "20_b.py": "def run(job_input):\n    print(job_input.execute_query('select a + one from t'))\n"
                            "    job_input.execute_template('insert', {'source_view': 't', 'target_table': 'u'})\n"}
        out = self.vdk("run", self.job("seen", files), "--arguments", '{"n": 5}', env=database).out
        self.assertEqual(out, "[(6,)]\n")
        for name, text, word in (("bad", "select * from nowhere", "nowhere"), ("forbidden", "insert into t values (6);\ndrop table t", "no drops")):
            self.assertIn(word, self.vdk("run", self.job(name, {"10_a.sql": text}), code=1, env=database).err)
        self.assertEqual(self.hooks(), ["before create table t (a int)", "before insert into t values (5)", "before create table u (a int)", "before select a + one from t",
                                        "before select * from nowhere", "failed True", "before insert into t values (6)"])
        self.assertEqual(sqlite3.connect(self.dir / "j.db").execute("select a from t").fetchall(), [(5,), (6,)])
        self.assertEqual(sqlite3.connect(self.dir / "j.db").execute("select a from u").fetchall(), [(5,)])

    def test_secrets_of_the_service_configure_a_plugin_unless_the_environment_does(self):
        self.plugin("""
@hookimpl
def vdk_configure(config_builder):
    config_builder.add("acme_password")
@hookimpl
def initialize_job(context):
    note(context.core_context.configuration.get_value("acme_password"))
""")
        job = self.job("secretive", {"10_a.py": "def run(job_input): pass\n",
                                     "config.ini": "[owner]\nteam = red\n[vdk]\nacme_password = from-the-file\n"})
        self.vdk("create", "--cloud", "-n", "secretive", "-t", "red")
        self.vdk("secrets", "-n", "secretive", "-t", "red", "--set", "acme_password", "from-the-service")
        self.vdk("run", job)
        self.vdk("run", job, env={"VDK_ACME_PASSWORD": "from-the-environment"})
        self.assertEqual(self.hooks(), ["from-the-service", "from-the-environment"])

    def test_values_pass_through_the_configured_kinds_before_they_are_written(self):
        self.plugin("""
class Stamp:
    def write_properties(self, job_name, team_name, properties):
        return {**properties, "by": team_name + "/" + job_name}
@hookimpl
def initialize_job(context):
    context.properties.set_properties_factory_method("stamp", Stamp)
""")
        job = self.job("stamped", {
            "10_a.py": "def run(job_input):\n    job_input.set_all_properties({'a': 1})\n    print(job_input.get_all_properties())\n",
            "config.ini": "[owner]\nteam = red\n[vdk]\nproperties_default_type = memory\n"
                          "properties_write_preprocess_sequence = stamp\n"})
        self.assertEqual(self.vdk("run", job).out, "{'a': 1, 'by': 'red/stamped'}\n")
        self.vdk("run", job, code=1, env={"VDK_PROPERTIES_WRITE_PREPROCESS_SEQUENCE": "stamp,nobody"})

    def test_an_installed_copy_of_what_is_built_in_is_left_alone(self):
        self.plugin("raise Exception('loaded')\n", "vdk_notebook")
        self.vdk("run", self.job("plain", {"10_a.py": "def run(job_input): pass\n"}))

    def test_plugins_of_a_python_behind_a_version_managers_shim_are_found_when_it_starts(self):
        self.plugin("@hookimpl\ndef finalize_job(context):\n    raise RuntimeError('at the end')\n")
        shim = self.dir / "bin"
        shim.mkdir()
        (shim / "python3").write_text(f"#!/bin/sh\nPYTHONPATH={self.dir}/site exec /usr/bin/python3 \"$@\"\n")
        (shim / "python3").chmod(0o755)
        self.path = f"{shim}:/usr/bin:/bin"
        job = self.job("shimmed", {"10_a.py": "def run(job_input): pass\n"})
        self.assertIn("at the end", self.vdk("run", job, code=1, env={"PYTHONPATH": ""}).err)

    def test_secrets_and_sections_configure_a_plugin(self):
        self.plugin("""
@hookimpl
def vdk_configure(config_builder):
    config_builder.add("acme_password", None, is_sensitive=True)
    config_builder.add("acme_retries", 1)
@hookimpl
def initialize_job(context):
    c = context.core_context.configuration
    note(c.get_value("acme_password"), c.get_value("ACME_RETRIES"), c.get_value("acme_retries", "dwh"), c.list_sections())
""")
        job = self.job("configured", {"10_a.py": "def run(job_input): pass\n",
                                      "config.ini": "[vdk]\nacme_retries = 2\n[vdk_dwh]\nacme_retries = 3\n"})
        self.vdk("run", job, env={"ACME_PASSWORD": "bare"})
        self.vdk("run", job, env={"VDK_DWH_ACME_RETRIES": "4", "VDK_ACME_RETRIES": "5"})
        self.assertEqual(self.hooks(), ["bare 2 3 ['vdk', 'dwh']", "None 5 4 ['vdk', 'dwh']"])
        bad = self.vdk("run", job, code=1, env={"VDK_ACME_RETRIES": "many"})
        self.assertIn("acme_retries=many", bad.err)

    def test_a_job_without_plugins_starts_no_python_for_sql_and_imports_nothing_of_theirs(self):
        shim = self.dir / "bin"
        shim.mkdir()
        (shim / "python3").write_text("#!/bin/sh\necho started >&2\nexit 9\n")
        (shim / "python3").chmod(0o755)
        self.path = f"{shim}:/usr/bin:/bin"
        self.assertNotIn("started", self.vdk("run", self.job("plain", {"10_a.sql": "select 1"})).err)
        self.path = type(self).path
        job = self.job("python", {"10_a.py": "import sys\ndef run(job_input):\n"
                                             "    print([m for m in sys.modules if 'plugin' in m or m.startswith('vdk.internal')])\n"})
        self.assertEqual(self.vdk("run", job).out, "[]\n")


class HookRules(unittest.TestCase):
    """The SDK's hook manager and pluggy give the same answers."""

    PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "own":
    from vdk.sdk import hooks
else:
    import pluggy as hooks
spec, impl = hooks.HookspecMarker("p"), hooks.HookimplMarker("p")
said = []
class Spec:
    @spec(historic=True)
    def late(self, a): pass
    @spec(firstresult=True)
    def first(self, a): pass
    @spec
    def all(self, a, b): pass
def plugin(name, value=None, **options):
    wraps = options.get("hookwrapper") or options.get("wrapper")
    class Plugin:
        if options.get("hookwrapper"):
            @impl(**options)
            def all(self, a):
                said.append(name + " in")
                outcome = yield
                said.append((name, outcome.get_result()))
                outcome.force_result(outcome.get_result() + [name])
        elif options.get("wrapper"):
            @impl(**options)
            def all(self):
                said.append(name + " in")
                try:
                    result = yield
                except ValueError as error:
                    return [str(error)]
                return result + [name]
        else:
            @impl(**options)
            def all(self, b):
                said.append(name)
                if value == "raise":
                    raise ValueError("broken")
                return value
            @impl(**options)
            def first(self, a):
                said.append("first " + name)
                return value
            @impl
            def late(self, a):
                said.append("late " + name + a)
    return Plugin()
def manager(*plugins):
    pm = hooks.PluginManager("p")
    pm.add_hookspecs(Spec)
    for n, p in enumerate(plugins):
        pm.register(p, str(n))
    return pm
pm = manager(plugin("a", 1), plugin("b", None), plugin("last", 9, trylast=True), plugin("c", 3), plugin("firstly", 0, tryfirst=True),
             plugin("d", 4), plugin("w1", hookwrapper=True), plugin("w2", hookwrapper=True, tryfirst=True), plugin("w3", wrapper=True))
said.append(pm.hook.all(a=1, b=2))
said.append(pm.hook.first(a=1))
pm.hook.late.call_historic(kwargs={"a": "!"})
pm.register(plugin("z", 5), "z")
said.append(sorted(name for name, _ in pm.list_name_plugin()))
try:
    manager(plugin("x", "raise"), plugin("w", hookwrapper=True)).hook.all(a=1, b=2)
except ValueError as error:
    said.append("raised " + str(error))
said.append(manager(plugin("x", "raise"), plugin("w", wrapper=True)).hook.all(a=1, b=2))
pm.unregister(name="z")
said.append(pm.has_plugin("z"))
for item in said:
    print(item)
"""

    def test_own_rules_are_pluggys(self):
        python = original.plugins() / "bin" / "python"
        answers = [subprocess.run([python, "-c", self.PROGRAM, ROOT / "plugins" / "job-sdk", kind], capture_output=True, text=True,
                                  check=True).stdout for kind in ("own", "pluggy")]
        self.assertEqual(*answers)
        self.assertGreater(len(answers[0].splitlines()), 20)


class SplitsStatements(unittest.TestCase):
    def test_semicolons_that_end_nothing_are_left_alone(self):
        sys.path.insert(0, str(ROOT / "plugins" / "job-sdk"))
        self.addCleanup(sys.path.remove, str(ROOT / "plugins" / "job-sdk"))
        from vdk.sdk import statements

        script = "-- a; b\nselect ';', \"x;y\" /* ; */;\n\n;select $$;$$, $t$ ; $t$; -- end;\n"
        self.assertEqual([text for _, text in statements.split(script)],
                         ["-- a; b\nselect ';', \"x;y\" /* ; */", "select $$;$$, $t$ ; $t$"])
        whole = "drop table x;\ncreate procedure p() begin insert into t values (1); end;"
        self.assertEqual(statements.split(whole), [(0, whole)])
        self.assertEqual([text for _, text in statements.split("begin; insert into t values (1); commit")],
                         ["begin", "insert into t values (1)", "commit"])


if __name__ == "__main__":
    unittest.main()
