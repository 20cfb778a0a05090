# SPDX-License-Identifier: Apache-2.0
"""Running only what failed or changed."""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

import original
from harness import BINARY, VdkTest


def notebook(*cells):
    def made(i, item):
        name, source = item if isinstance(item, tuple) else (f"c{i}", item)
        return {"cell_type": "code", "execution_count": None, "metadata": {"tags": ["vdk"]}, "outputs": [], "source": source,
                **({"id": name} if name else {})}
    return json.dumps({"cells": [made(i + 1, item) for i, item in enumerate(cells)], "metadata": {}, "nbformat": 4,
                       "nbformat_minor": 5})


def py(text):
    return "def run(job_input):\n" + "".join(f"    {line}\n" for line in text.split("\n"))


class Rerun(VdkTest):
    def setUp(self):
        super().setUp()
        self.folder = self.dir / "some-job"
        self.folder.mkdir()
        self.database = self.dir / "data.db"

    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3", **(extra or {})})

    def write(self, **files):
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    def run_job(self, *args, code=0, env=None):
        """Run; returns the names of the steps that ran, in order."""
        summary = self.dir / "summary.json"
        summary.unlink(missing_ok=True)
        self.last = self.vdk("run", self.folder, *args, code=code, env={"JOB_RUN_SUMMARY_FILE_PATH": str(summary), **(env or {})})
        return [step["name"] for step in json.loads(summary.read_text())["steps"]] if summary.exists() else None

    def plan(self, *args, env=None):
        steps = self.vdk("run", self.folder, "--plan", "-o", "json", *args, env=env).json()["steps"]
        return {step["step"]: step["reason"] for step in steps if step["action"] == "run"}

    def query(self, sql):
        with sqlite3.connect(self.database) as connection:
            return connection.execute(sql).fetchall()

    def state_file(self):
        (path,) = (self.home / ".local/state/vdk/runs").glob("some-job-*/state.json")
        return path


class Files(Rerun):
    def three(self):
        self.write(a__sql="create table if not exists t(x);\ndelete from t;\ninsert into t values (1)", b__py=py("pass"), c__sql="select 1")

    def test_nothing_changed_runs_nothing_and_says_so(self):
        self.three()
        self.assertEqual(self.run_job(), ["a.sql", "b.py", "c.sql"])
        self.assertEqual(self.run_job("--changed"), [])
        self.assertIn("Nothing to run: unchanged", self.last.err)
        self.assertEqual(self.run_job("--from-failed"), [])
        self.assertIn("did not fail", self.last.err)
        self.assertEqual(self.run_job(), ["a.sql", "b.py", "c.sql"])

    def test_without_a_memory_everything_runs(self):
        self.three()
        self.assertEqual(self.plan()["a.sql"], "nothing is known of an earlier run")
        self.assertEqual(self.run_job("--changed"), ["a.sql", "b.py", "c.sql"])
        self.state_file().write_text("{torn")
        self.assertEqual(self.run_job("--from-failed"), ["a.sql", "b.py", "c.sql"])

    def test_comments_and_layout_do_not_count(self):
        self.three()
        self.run_job()
        self.write(a__sql="-- new\ncreate table if not exists t(x); delete from t;\n\n/* more */ insert  into t values (1)",
                   b__py="# comment\n" + py("\n\npass  # again"))
        self.assertEqual(self.plan(), {})
        self.write(b__py=py("x = 1"))
        self.assertEqual(self.plan(), {"b.py": "its source changed at line 2", "c.sql": "it follows a step that runs"})
        self.assertEqual(self.run_job("--changed"), ["b.py", "c.sql"])
        self.write(a__sql="create table if not exists t(x);\ndelete from t;\ninsert into t values ('1')")
        self.assertEqual(self.run_job("--changed"), ["a.sql", "b.py", "c.sql"])

    def test_added_removed_and_moved_steps_run_what_follows(self):
        self.three()
        self.run_job()
        self.write(aa__sql="select 2")
        self.assertEqual(self.run_job("--changed"), ["aa.sql", "b.py", "c.sql"])
        (self.folder / "aa.sql").unlink()
        self.assertEqual(self.run_job("--changed"), ["b.py", "c.sql"])
        (self.folder / "c.sql").rename(self.folder / "aaa.sql")
        self.assertEqual(self.run_job("--changed"), ["aaa.sql", "b.py"])

    def test_helper_modules_files_and_folders_that_a_step_uses_count(self):
        lib = self.folder / "lib"
        lib.mkdir()
        (lib / "__init__.py").write_text("")
        (lib / "tools.py").write_text("def f():\n    return 1\n")
        (self.folder / "data").mkdir()
        self.write(rows__txt="1", a__sql="select 1", c__sql="select 1",
                   b__py="import os\nfrom lib.tools import f\n" + py("f()\nhere = os.path.dirname(__file__)\n"
                                                               "open(os.path.join(here, 'rows.txt')).read()\nos.listdir(here + '/data')"))
        self.run_job()
        (lib / "tools.py").write_text("# only a comment\ndef f():\n    return 1\n")
        self.assertEqual(self.plan(), {})
        for change, why in ((lambda: (lib / "tools.py").write_text("def f():\n    return 2\n"), "the module 'tools.py' changed"),
                            (lambda: self.write(rows__txt="2"), "rows.txt' changed"),
                            (lambda: (self.folder / "data/x").write_text(""), "data' changed"),
                            (lambda: (lib / "os.py").write_text(""), "a module was added")):
            change()
            self.assertIn(why, self.plan().get("b.py", "not run"))
            self.assertEqual(self.run_job("--changed"), ["b.py", "c.sql"])
        self.assertEqual(self.plan(), {})

    def test_a_module_is_the_one_of_its_text_however_soon_after_a_run_it_was_changed(self):
        (self.folder / "lib").mkdir()
        self.write(a__py="from lib import x\n" + py("print('V', x.V)"))
        for value in "12345":  # Python's own memory of a module goes by the second and the size
            (self.folder / "lib/x.py").write_text(f"V = {value}\n")
            self.assertEqual(self.run_job("--changed"), ["a.py"])
            self.assertIn(f"V {value}", self.last.out)
        self.assertFalse(list(self.folder.rglob("__pycache__")))

    def test_whether_a_file_is_there_counts_where_a_step_asks_that(self):
        asks = ["os.path.exists(p)", "pathlib.Path(p).is_file()", "bool(glob.glob(p))"]
        for question in asks:
            self.write(a__py="import glob, os, pathlib\n" + py(f"p = str(job_input.get_job_directory() / 'flag')\nprint('THERE', {question})"))
            self.run_job("--changed")
            self.assertIn("THERE False", self.last.out)
            self.assertEqual(self.run_job("--changed"), [])
            (self.folder / "flag").touch()
            self.run_job("--changed")
            self.assertIn("THERE True", self.last.out, question)
            (self.folder / "flag").unlink()
            self.assertIn("is gone", self.plan()["a.py"])

    def test_files_that_a_step_names_to_a_program_count(self):
        (self.folder / "d.csv").write_text("1")
        for call in ("subprocess.check_output(['cat', str(d / 'd.csv')])", "subprocess.check_output('cat<d.csv', shell=True, cwd=str(d))"):
            self.write(a__py="import subprocess\n" + py(f"d = job_input.get_job_directory()\nprint({call})"))
            self.run_job()
            self.assertEqual(self.plan(), {})
            (self.folder / "d.csv").write_text((self.folder / "d.csv").read_text() + "2")
            self.assertIn("d.csv' changed", self.plan()["a.py"])
        self.write(a__py="import subprocess\n" + py("subprocess.run(['echo', 'sesame-' + '7731', 'dir/sesame-' + '7731'])"))
        self.run_job()
        self.assertNotIn("sesame-7731", self.state_file().read_text())

    def test_what_is_changed_while_the_step_runs_that_has_read_it_makes_the_step_run_again(self):
        edit = "__import__('subprocess').run(['sh', '-c', 'printf %s 2 > x.py; mv x.py {}'], cwd=str(d))"  # as a person might
        for read, file in (("import lib.x", "lib/x.py"), ("open(str(d / 'data.txt')).read()", "data.txt")):
            (self.folder / "lib").mkdir(exist_ok=True)
            (self.folder / file).write_text("1")
            self.write(a__py=py(f"d = job_input.get_job_directory()\n{read}\n{edit.format(file)}"))
            self.run_job()
            self.assertIn("not everything that it reads is known", self.plan()["a.py"])
            self.write(a__py=py(f"d = job_input.get_job_directory()\n{read}"))
            self.run_job()
            self.assertEqual(self.plan(), {})

    def test_what_a_step_moves_and_removes_itself_is_known(self):
        (self.folder / "inbox").mkdir()
        self.write(a__py="import os, pathlib, shutil, tempfile\n" + py(
            "inbox = job_input.get_job_directory() / 'inbox'\nfor item in list(inbox.iterdir()):\n    item.read_text()\n    os.remove(item)\n"
            "with tempfile.TemporaryDirectory() as t:\n    (pathlib.Path(t) / 'a').write_text('1')\n    os.rename(t + '/a', t + '/b')\n"
            "    open(t + '/b').read()\n    os.mkdir(t + '/c')"))
        (self.folder / "inbox/one").write_text("1")
        self.run_job()
        self.assertEqual(self.plan(), {})
        (self.folder / "inbox/two").write_text("2")
        self.assertIn("inbox' changed", self.plan()["a.py"])

    def test_the_working_folder_counts_for_steps_that_use_it(self):
        (self.dir / "some.txt").write_text("1")
        for source, counts in (("open('some.txt').read()", True), ("import os\nos.path.exists('other')", True), ("import os\nos.getcwd()", True),
                               ("open(str(job_input.get_job_directory() / 'a.py')).read()", False), ("pass", False)):
            self.write(a__py=py(source))
            self.run_job()
            self.assertEqual(self.plan(), {})
            plan = self.vdk("run", self.folder, "--plan", "-o", "json", cwd="/").json()["steps"][0]
            self.assertEqual(plan["action"], "run" if counts else "skip", source)
            self.assertEqual("working folder" in plan["reason"], counts)

    def test_a_file_whose_name_is_no_text_makes_the_step_run_again(self):
        self.write(a__py=py("import os\np = os.path.join(os.fsencode(job_input.get_job_directory()), b'x' + bytes([255]))\n"
                            "open(p, 'w').close()"), b__py=py("pass"))
        self.assertEqual(self.run_job(), ["a.py", "b.py"])
        self.assertIn("not everything", self.plan()["a.py"])

    def test_a_file_that_a_step_wrote_must_be_there(self):
        out = self.dir / "out.txt"
        self.write(a__py=py(f"open({str(out)!r}, 'w').write('x')"))
        self.run_job()
        self.assertEqual(self.plan(), {})
        out.unlink()
        self.assertIn("is gone", self.plan()["a.py"])

    def test_arguments_count_from_their_first_reader(self):
        self.write(a__sql="select 1", b__sql="select '{day}'", c__py=py("job_input.get_arguments()"), d__sql="select 1")
        self.run_job("--arguments", '{"day": "1", "other": 1}')
        self.assertEqual(self.plan("--arguments", '{"other": 1, "day": "1"}'), {})
        self.assertEqual(self.plan("--arguments", '{"day": "2", "other": 1}')["b.sql"], "the argument 'day' changed")
        self.assertEqual(list(self.plan("--arguments", '{"day": "1", "other": 2}')), ["c.py", "d.sql"])
        self.assertEqual(list(self.plan("--arguments", '{"day": "2"}')), ["b.sql", "c.py", "d.sql"])

    def test_properties_count_from_their_first_reader(self):
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "red")
        where = ("-n", "some-job", "-t", "red")
        self.vdk("properties", *where, "--set", "p", "1", "--set", "q", "1")
        self.write(a__sql="select 1", b__sql="select '{p}'", c__py=py("job_input.get_property('q')"), d__py=py("job_input.get_all_properties()"))
        self.run_job()
        self.assertEqual(self.plan(), {})
        self.vdk("properties", *where, "--set", "new", "1")
        self.assertEqual(self.plan(), {"d.py": "the properties changed"})
        self.vdk("properties", *where, "--set", "q", "2")
        self.assertEqual(self.plan()["c.py"], "the property 'q' changed")
        self.vdk("properties", *where, "--set", "p", "2")
        self.assertEqual(list(self.plan()), ["b.sql", "c.py", "d.py"])

    def test_a_resumed_run_goes_on_from_the_properties_that_it_stored_itself(self):
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "red")
        self.write(a__py=py("n = job_input.get_property('last', 0)\njob_input.set_all_properties({'last': n + 1})"), b__py=py("1/0"))
        self.run_job(code=1)
        self.assertEqual(list(self.plan("--from-failed")), ["b.py"])
        self.write(b__py=py("assert job_input.get_property('last') == 1"))
        self.assertEqual(self.run_job("--from-failed"), ["b.py"])
        self.assertEqual(self.plan("--changed")["a.py"], "the property 'last' changed")

    def test_environment_variables_that_a_step_reads_count_by_name(self):
        self.write(a__sql="select 1", b__py="import os\n" + py("os.environ.get('COLOUR')\nos.getenv('SIZE', '1')\n'SHAPE' in os.environ"),
                   c__py=py("pass"))
        given = {"COLOUR": "red-and-blue", "OTHER": "1"}
        self.run_job(env=given)
        self.assertEqual(self.plan(env={"COLOUR": "red-and-blue", "OTHER": "2"}), {})
        self.assertEqual(self.plan(env={"COLOUR": "green"})["b.py"], "the environment variable 'COLOUR' changed")
        self.assertEqual(list(self.plan()), ["b.py", "c.py"])
        self.assertEqual(self.plan(env={**given, "SIZE": "1"})["b.py"], "the environment variable 'SIZE' changed")
        self.assertEqual(self.plan(env={**given, "SHAPE": ""})["b.py"], "the environment variable 'SHAPE' changed")
        self.assertNotIn("red-and-blue", self.state_file().read_text())

    def test_environment_variables_that_a_module_reads_when_it_is_loaded_count(self):
        self.write(tools__py="import os\nMODE = os.environ.get('MODE', 'x')\n", b__py="import tools\n" + py("print(tools.MODE)"),
                   c__py=py("pass"), d__py="import tools\n" + py("print(tools.MODE)"))
        self.run_job(env={"MODE": "1"})
        self.assertEqual(self.plan(env={"MODE": "1"}), {})
        self.assertEqual(self.plan()["b.py"], "the environment variable 'MODE' changed")

    def test_who_walks_through_the_environment_or_gives_it_to_a_program_depends_on_all_of_it(self):
        for use in ("dict(os.environ)", "{k: v for k, v in os.environ.items() if k[0] == 'X'}", "os.system('true')", "len(os.environ)",
                    "import subprocess; subprocess.run(['true'])"):
            with self.subTest(use):
                self.write(a__py="import os\n" + py(use))
                self.run_job(env={"COLOUR": "red"})
                self.assertEqual(self.plan(env={"COLOUR": "red", "SHLVL": "7", "TERM": "x", "SSH_TTY": "/dev/pts/1", "LINES": "5"}), {})
                self.assertEqual(self.plan(env={"COLOUR": "blue"})["a.py"], "the environment variable 'COLOUR' changed")
                self.assertEqual(self.plan(env={"COLOUR": "red", "X": "1"})["a.py"], "an environment variable is new")
        self.write(a__py="import os, subprocess\n" + py("subprocess.run(['true'], env={'PATH': os.environ['PATH']})"))
        self.run_job(env={"COLOUR": "red"})
        self.assertEqual(self.plan(), {})

    def test_time_zone_and_language_count_for_all_steps(self):
        self.write(a__sql="select datetime(0, 'unixepoch', 'localtime')")
        self.run_job(env={"TZ": "UTC"})
        self.assertEqual(self.plan(env={"TZ": "UTC"}), {})
        self.assertEqual(self.plan(env={"TZ": "Asia/Tokyo"})["a.sql"], "the environment variable TZ has changed")
        self.assertEqual(self.plan(env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"})["a.sql"], "the environment variable LC_ALL is new")

    def test_a_variable_that_a_step_sets_to_what_it_was_stays_so(self):
        self.write(a__py="import os\n" + py("os.environ['MODE'] = '1'"), b__py="import os\n" + py("open('/dev/null', 'w').write('')"),
                   c__py="import os\n" + py(f"open({str(self.dir / 'out')!r}, 'w').write(os.environ['MODE'])"))
        self.run_job(env={"MODE": "1"})
        (self.dir / "out").unlink()
        self.assertEqual(self.run_job("--from", "c.py", env={"MODE": "2"}), ["c.py"])
        self.assertEqual((self.dir / "out").read_text(), "1")

    def test_settings_and_databases_count(self):
        self.three()
        self.run_job()
        self.assertEqual(self.plan(env={"VDK_LOG_LEVEL_VDK": "DEBUG", "VDK_EXECUTION_ID": "x", "VDK_LOGGING_FORMAT": "json",
                                        "VDK_RUN_PROGRESS": "no", "VDK_RUN_MARK": "of a run around it"}), {})
        self.assertIn("ingest_method_default", self.plan(env={"VDK_INGEST_METHOD_DEFAULT": "file"})["a.sql"])
        self.assertIn("database sqlite", self.plan(env={"VDK_SQLITE_FILE": str(self.dir / "other.db")})["a.sql"])
        self.write(requirements__txt="x\n")
        self.assertEqual(self.plan()["a.sql"], "requirements.txt has changed")

    def test_writes_of_others_to_the_database_count(self):
        self.three()
        self.run_job()
        self.query("select * from t")
        self.assertEqual(self.plan(), {})
        self.query("insert into t values (5)")
        self.assertIn("changed by something else", self.plan()["a.sql"])
        self.assertEqual(self.run_job("--changed"), ["a.sql", "b.py", "c.sql"])
        self.database.unlink()
        self.assertIn("another one or gone", self.plan()["a.sql"])

    def test_another_interpreter_counts(self):
        self.three()
        self.run_job()
        other = self.dir / "python-copy"
        other.write_text('#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
        other.chmod(0o755)
        self.assertIn("the Python interpreter", self.plan(env={"VDK_PYTHON": str(other)})["a.sql"])

    def test_a_failed_step_runs_again_with_its_execution_id(self):
        self.three()
        self.write(b__py=py("1/0"))
        ids = py("print('IDS', job_input.get_execution_properties()['pa__execution_id'])")
        self.write(a__py=ids)
        self.assertEqual(self.run_job(code=1), ["a.py", "a.sql", "b.py"])
        first = [line for line in self.last.out.splitlines() if line.startswith("IDS")]
        self.assertEqual(list(self.plan("--from-failed")), ["b.py", "c.sql"])
        self.assertEqual(self.run_job("--from-failed", code=1), ["b.py"])
        self.write(b__py=ids)
        self.assertEqual(self.run_job("--from-failed"), ["b.py", "c.sql"])
        self.assertEqual([line for line in self.last.out.splitlines() if line.startswith("IDS")], first)
        self.assertEqual(self.run_job("--changed"), [])

    def test_resuming_does_not_step_over_a_change_before_the_failure(self):
        self.three()
        self.write(b__py=py("1/0"))
        self.run_job(code=1)
        self.write(a__sql="create table if not exists t(x);\ndelete from t;")
        self.assertEqual(self.run_job("--from-failed", code=1), ["a.sql", "b.py"])

    def test_from_and_only_do_as_they_are_told_with_a_warning(self):
        self.three()
        self.assertEqual(self.run_job("--from", "b.py", code=0), ["a.sql", "b.py", "c.sql"])  # nothing was known
        self.assertEqual(self.run_job("--from", "b.py"), ["b.py", "c.sql"])
        self.write(a__sql="select 7")
        self.assertEqual(self.run_job("--only", "b.py"), ["b.py"])
        self.assertIn("a.sql would have to run too", self.last.err)
        self.assertEqual(self.run_job("--changed"), ["a.sql", "b.py", "c.sql"])
        self.run_job("--only", "b.py")
        self.assertEqual(list(self.plan()), ["c.sql"])
        self.run_job("--from", "bb.py", code=2)
        self.assertIn("did you mean 'b.py'", self.last.err)
        self.run_job("--from", "b.py", "--changed", code=2)

    def test_a_step_that_asked_to_skip_the_rest_goes_on_doing_so(self):
        self.write(a__py=py("job_input.skip_remaining_steps()"), b__sql="create table never(x)")
        self.assertEqual(self.run_job(), ["a.py"])
        self.assertEqual(self.run_job("--changed"), [])
        self.write(a__py=py("pass"))
        self.assertEqual(self.run_job("--changed"), ["a.py", "b.sql"])

    def test_one_run_of_a_folder_at_a_time(self):
        self.write(a__py=py("import time\nprint('UP', flush=True)\ntime.sleep(30)"))
        first = subprocess.Popen([BINARY, "run", self.folder], env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertIn(b"UP", first.stdout.readline())
        self.vdk("run", self.folder, "--plan", code=6)
        result = self.vdk("run", self.folder, "--changed", code=6)
        self.assertIn("another run", result.err)
        first.kill()
        first.wait()
        first.stdout.close()
        self.assertEqual(self.plan()["a.py"], "it was interrupted in the last run")

    def test_nothing_is_kept_when_it_is_switched_off_and_no_value_is_kept(self):
        self.write(a__sql="select '{word}'")
        self.run_job(env={"VDK_RUN_STATE_ENABLED": "false"})
        self.assertFalse((self.home / ".local").exists())
        self.run_job("--arguments", '{"word": "sesame"}')
        path = self.state_file()
        self.assertNotIn("sesame", path.read_text())
        self.assertEqual((path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777), (0o600, 0o700))
        (self.folder / ".vdk").mkdir()
        self.run_job()
        self.assertTrue((self.folder / ".vdk/state.json").exists())


class Atomic(Rerun):
    def test_a_failed_step_leaves_the_database_as_it_was(self):
        self.write(a__sql="create table t(x); insert into t values (1)",
                   b__py=py(f"import sqlite3\njob_input.execute_query('insert into t values (2)')\n"
                            f"c = sqlite3.connect({str(self.database)!r})\nc.execute('insert into t values (3)')\nc.commit()\n"
                            "job_input.send_object_for_ingestion({'x': 4}, 't')\n1/0"))
        self.run_job("--atomic-steps", code=1)
        self.assertEqual(self.query("select x from t"), [(1,)])
        self.write(b__py=py("job_input.execute_query('insert into t values (5)')"))
        self.assertEqual(self.run_job("--from-failed", "--atomic-steps"), ["b.py"])
        self.assertEqual(self.query("select x from t"), [(1,), (5,)])

    def test_a_first_step_that_fails_leaves_no_database(self):
        self.write(a__sql="create table t(x);\ninsert into nowhere values (1)")
        self.run_job("--atomic-steps", code=1)
        self.assertFalse(self.database.exists())

    def test_a_killed_run_is_taken_back_by_the_next(self):
        self.write(a__sql="create table t(x)",
                   b__py=py("job_input.execute_query('insert into t values (2)')\nimport time\nprint('UP', flush=True)\ntime.sleep(30)"))
        run = subprocess.Popen([BINARY, "run", self.folder, "--atomic-steps"], env=self.env(), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
        self.assertIn(b"UP", run.stdout.readline())
        run.kill()
        run.wait()
        run.stdout.close()
        self.assertEqual(self.query("select x from t"), [(2,)])
        self.write(b__py=py("job_input.execute_query('insert into t values (3)')"))
        time.sleep(0.3)  # the child dies with its parent, but not before it
        self.assertEqual(self.run_job("--from-failed"), ["b.py"])
        self.assertEqual(self.query("select x from t"), [(3,)])


class Cells(Rerun):
    def test_thirty_cells_with_a_failure_at_the_twentieth(self):
        self.thirty_cells({})

    @unittest.skipUnless(os.path.exists("/usr/bin/pypy3"), "PyPy is not installed")
    def test_thirty_cells_in_pypy(self):
        self.thirty_cells({"VDK_PYTHON": "/usr/bin/pypy3"})

    def thirty_cells(self, env):
        head = ["import dataclasses, enum, collections, functools\nprint('FIRST')",
                "@dataclasses.dataclass\nclass P:\n    x: int = 1\n    y: list = dataclasses.field(default_factory=list)\n"
                "    def go(self):\n        return self.x + K\nclass Q(P):\n    def go(self):\n        return super().go() * 2",
                "K = 5\nclass E(enum.Enum):\n    A = 1\n    B = 2\nN = collections.namedtuple('N', 'a b')",
                "def f(a, b=2):\n    f.calls += 1\n    return a + b + K\nf.calls = 0", "p = P(3); q = p; things = [p, N(1, E.B), Q(4)]",
                "def maker(n):\n    def add(x):\n        nonlocal n\n        n += x\n        return n\n    return add\nadd = maker(10); add(5)",
                "g = lambda z: f(z)\ndb = job_input.get_managed_connection()", "acc = []"]
        body = [f"acc.append(g({i}))\njob_input.execute_query('create table if not exists t(i, v)')\n"
                f"db.execute('delete from t where i = {i}')\njob_input.execute_query('insert into t values ({i}, %d)' % sum(acc))"
                for i in range(len(head) + 1, 31)]
        cells = head + body
        good = "assert q is p and things[0] is p and p.go() == 8 and things[2].go() == 18 and things[1].b is E.B\n" \
               "assert add(1) == 16 and f.calls == 11 and P().y is not P().y and isinstance(things[2], P)\nprint('TWENTY')"
        self.write(n__ipynb=notebook(*cells[:19], "1/0", *cells[20:]))
        self.assertEqual(len(self.run_job(code=1, env=env)), 20)
        self.assertIn("cell 20 (cell_id:c20), line 1 (1/0)", self.last.err)
        self.write(n__ipynb=notebook(*cells[:19], good, *cells[20:]))
        self.assertEqual(self.run_job("--from-failed", env=env), [f"n_{i}" for i in range(20, 31)])
        self.assertIn("TWENTY", self.last.out)
        self.assertNotIn("FIRST", self.last.out)
        resumed = self.query("select * from t order by i")
        self.database.unlink()
        self.assertEqual(len(self.run_job(env=env)), 30)
        self.assertEqual(self.query("select * from t order by i"), resumed)

    def test_inserting_a_cell_does_not_run_those_above(self):
        self.write(n__ipynb=notebook(("a", "x = 1"), ("b", "y = 2"), ("", "z = 3")))
        self.run_job()
        self.write(n__ipynb=notebook(("a", "x = 1  # the same"), ("b", "y = 2"), ("new", "w = x + y"), ("", "z = 3\nassert w == 3")))
        self.assertEqual(self.run_job("--changed"), ["n_3", "n_4"])
        self.write(n__ipynb=notebook(("b", "y = 2"), ("a", "x = 1"), ("new", "w = x + y"), ("", "z = 3\nassert w == 3")))
        self.assertEqual(self.run_job("--changed"), ["n_1", "n_2", "n_3", "n_4"])
        self.assertEqual(self.run_job("--only", "n.ipynb:new"), ["n_3"])
        self.assertEqual(self.run_job("--only", "n:new"), ["n_3"])
        self.assertEqual(self.run_job("--from", "n.ipynb:2"), ["n_2", "n_3", "n_4"])

    def test_what_cannot_be_saved_is_named_and_made_again(self):
        self.write(n__ipynb=notebook("a = 1\nprint('A')", "rows = (i for i in range(9))\nprint('B')", "b = 2", "next(rows)\n1/0"))
        self.run_job(code=1)
        self.write(n__ipynb=notebook("a = 1\nprint('A')", "rows = (i for i in range(9))\nprint('B')", "b = 2", "assert next(rows) == 0"))
        plan = self.plan("--from-failed")
        self.assertEqual(list(plan), ["n_2", "n_3", "n_4"])
        self.assertIn("'rows' cannot be saved", plan["n_2"])
        self.assertEqual(self.run_job("--from-failed"), ["n_2", "n_3", "n_4"])
        self.vdk("run", self.folder, "--only", "n_4", code=1)

    def test_a_snapshot_that_cannot_be_read_runs_the_cells_again(self):
        self.write(n__ipynb=notebook("a = 1", "b = a + 1", "1/0"))
        self.run_job(code=1)
        for path in self.state_file().parent.glob("snapshots/*"):
            path.write_bytes(b"torn")
        self.write(n__ipynb=notebook("a = 1", "b = a + 1", "assert b == 2"))
        self.assertEqual(self.run_job("--from-failed"), ["n_1", "n_2", "n_3"])
        self.assertIn("cannot be restored", self.last.err)

    def test_state_outside_of_the_names_is_carried_too(self):
        (self.folder / "lib").mkdir()
        (self.folder / "lib/counter.py").write_text("count = 0\nclass C:\n    seen = 0\n")
        self.write(a__py="import os\nfrom lib import counter\n" + py(
                       "counter.count += 5\ncounter.C.seen = 7\nos.environ['SET_BY_A'] = 'x'\njob_input.get_arguments()['more'] = 1"),
                   b__ipynb=notebook("from os import environ\nimport lib.counter as c\nthe = c\nlist_ = [1]\nsame = {'l': list_}", "1/0"))
        self.run_job(code=1)
        self.write(b__ipynb=notebook("from os import environ\nimport lib.counter as c\nthe = c\nlist_ = [1]\nsame = {'l': list_}",
                                     "import os\nassert environ is os.environ and environ['SET_BY_A'] == 'x'\nassert the.count == 5 and "
                                     "c.C.seen == 7\nassert job_input.get_arguments() == {'more': 1} and same['l'] is list_"))
        self.assertEqual(self.run_job("--from-failed"), ["b_2"])

    def test_a_run_that_starts_behind_saved_names_has_its_own_arguments(self):
        self.write(n__ipynb=notebook("a = 1", "print('ARGUMENTS', job_input.get_arguments())"))
        self.run_job("--arguments", '{"day": 1}')
        self.assertEqual(self.run_job("--changed", "--arguments", '{"day": 2}'), ["n_2"])
        self.assertIn("ARGUMENTS {'day': 2}", self.last.out)

    def test_threads_that_wait_for_work_do_not_count_and_a_running_one_is_named(self):
        listening = ("import logging.handlers, queue\nq = queue.Queue()\nlogging.handlers.QueueListener(q).start()\n"
                     "logging.getLogger('some').addHandler(logging.handlers.QueueHandler(q))\nlogging.getLogger('some').error('said')\n"
                     "q.join()\ndel q\nx = 1")
        pool = ("from concurrent.futures import ThreadPoolExecutor as P\nimport time\nP.kept = P(2)\n"
                "list(P.kept.map(str, range(9)))\nlist(P.kept.map(str, range(9)))\ntime.sleep(0.05)\nx = 1")
        awaited = "import asyncio\nx = await asyncio.to_thread(len, 'a')" if sys.version_info >= (3, 9) else "x = 1"
        for made in (listening, pool, awaited):
            with self.subTest(made):
                self.write(n__ipynb=notebook(made, "x += 1", "1/0"))
                self.run_job(code=1)
                self.assertEqual(list(self.plan()), ["n_3"])
        running = "import threading, time\nthreading.Thread(target=time.sleep, args=(3,), name='poller', daemon=True).start()\nx = 1"
        busy = pool + "\nP.kept.submit(time.sleep, 3)"
        for made, name in ((running, "poller"), (busy, "ThreadPoolExecutor")):
            self.write(n__ipynb=notebook(made, "x += 1", "1/0"))
            self.run_job(code=1)
            self.assertIn("behind it 'the thread " + name, self.plan()["n_1"])
            self.assertIn("it is still running", self.plan()["n_1"])

    def test_a_killed_run_of_many_cells_is_known_up_to_where_it_was(self):
        self.write(n__ipynb=notebook(*[f"v{i} = {i}" for i in range(30)], "import os\nos.kill(os.getppid(), 9)", "assert v29 == 29"))
        self.run_job(code=-signal.SIGKILL)
        cells = [f"v{i} = {i}" for i in range(30)]
        self.write(n__ipynb=notebook(*cells, "v30 = 30", "assert v29 == 29"))
        self.assertEqual(list(self.plan("--from-failed")), ["n_31", "n_32"])
        log = self.state_file().parent / "state.log"
        log.write_bytes(log.read_bytes()[:-40])  # as a full disk leaves it
        self.assertEqual(self.run_job("--from-failed")[-2:], ["n_31", "n_32"])
        self.assertEqual(list(self.plan()), [])

    def test_open_transactions_and_temporary_tables_are_not_stepped_over(self):
        for opening, word in (("job_input.execute_query('create temp table u(x)')", "temporary tables"),
                              ("job_input.get_managed_connection().execute('begin')", "transaction")):
            self.write(n__ipynb=notebook("a = 1", opening, "1/0"))
            self.run_job(code=1)
            self.assertIn(word, self.plan()["n_2"])
        self.write(n__ipynb=notebook("%%vdksql\ncreate temp table v(x)", "%%vdksql\nselect * from nowhere"))
        self.run_job(code=1)
        self.assertIn("temporary tables", self.plan()["n_1"])

    def test_secrets_are_not_saved(self):
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "red")
        self.vdk("secrets", "-n", "some-job", "-t", "red", "--set", "s", "canary-7731")
        self.write(n__ipynb=notebook("a = 1", "word = ['x', job_input.get_secret('s')]", "b = 2", "1/0"))
        self.run_job(code=1)
        for path in self.state_file().parent.rglob("*"):
            self.assertFalse(path.is_file() and b"canary-7731" in path.read_bytes(), path)
        self.assertIn("'word' cannot be saved (it holds a secret of the job)", self.plan()["n_2"])

    def test_other_databases_that_a_step_opens_count_as_files(self):
        other = self.dir / "other.db"
        with sqlite3.connect(other) as connection:
            connection.execute("create table t(x)")
        self.write(a__py=py(f"import sqlite3\nsqlite3.connect({str(other)!r}).execute('select * from t').fetchall()"))
        self.run_job()
        self.assertEqual(self.plan(), {})
        with sqlite3.connect(other) as connection:
            connection.execute("insert into t values (1)")
        self.assertIn("other.db' changed", self.plan()["a.py"])

    def test_a_new_step_does_not_run_the_steps_before_that_import_from_the_folder(self):
        (self.folder / "lib").mkdir()
        (self.folder / "lib/tools.py").write_text("")
        self.write(a__py="import lib.tools\n" + py("pass"))
        self.run_job()
        self.write(b__sql="select 1")
        self.assertEqual(list(self.plan()), ["b.sql"])

    def test_large_states_are_not_kept(self):
        self.write(n__ipynb=notebook("a = b'x' * 3_000_000", "1/0"))
        self.run_job(code=1, env={"VDK_RUN_SNAPSHOT_LIMIT_MB": "2"})
        self.assertIn("'a' cannot be saved (it is larger than 2 MB)", self.plan()["n_1"])

    def test_arrays_that_share_memory_go_on_sharing_it_and_frames_are_saved(self):
        env = {"VDK_PYTHON": str(original.plugins() / "bin" / "python"), "VDK_PYTHON_PLUGINS": "no"}
        cells = ["import numpy as np, pandas as pd", "a = np.arange(12).reshape(3, 4); b = a[1:, ::2]; c = a.T; r = a[::-1]; e = a[:0]",
                 "o = np.array(['x', 'y'], dtype=object); p = o[1:]; bits = np.arange(2, dtype='i4'); raw = bits.view('u1')",
                 "df = pd.DataFrame({'a': range(5), 'c': list('xyzuv')}); s = df['a']; v = df.iloc[1:3]"]
        check = "a[1, 0] = 99; o[1] = 'q'; bits[0] = 258\nassert b[0, 0] == c[0, 1] == r[1, 0] == 99 and e.shape == (0, 4)\n" \
                "assert p[0] == 'q' and raw[0] == 2 and raw[1] == 1 and s.sum() == df.a.sum() == 10 and v.shape == (2, 2)"
        self.write(n__ipynb=notebook(*cells, "1/0"))
        self.run_job(code=1, env=env)
        self.write(n__ipynb=notebook(*cells, check))
        self.assertEqual(self.run_job("--from-failed", env=env), ["n_5"])
        self.write(n__ipynb=notebook(cells[0], "big = np.zeros(3_000_000); part = big[:3]", "1/0"))  # would be saved whole
        self.run_job(code=1, env=env)
        self.assertIn("shares memory", self.plan("--from-failed", env=env)["n_2"])

    @unittest.skipUnless(os.path.exists("/usr/bin/pypy3"), "PyPy is not installed")
    def test_states_are_restored_in_pypy(self):
        env = {"VDK_PYTHON": "/usr/bin/pypy3"}
        cells = ["def f(x):\n    return x + k\nk = 2\nclass A:\n    def go(self):\n        return f(1)", "a = A()\nn = [f]"]
        self.write(n__ipynb=notebook(*cells, "1/0"))
        self.run_job(code=1, env=env)
        self.write(n__ipynb=notebook(*cells, "assert a.go() == 3 and n[0] is f and isinstance(a, A)"))
        self.assertEqual(self.run_job("--from-failed", env=env), ["n_3"])

    @unittest.skipUnless(os.path.exists("/usr/bin/pypy3"), "PyPy is not installed")
    def test_steps_that_used_the_connection_are_left_out_in_pypy(self):
        env = {"VDK_PYTHON": "/usr/bin/pypy3"}
        used = "def run(job_input):\n    job_input.execute_query('create table t(x)')\n"
        self.write(a__py=used, b__py="1/0")
        self.run_job(code=1, env=env)
        self.write(b__py="")
        self.assertEqual(self.run_job("--from-failed", env=env), ["b.py"])


if __name__ == "__main__":
    unittest.main()
