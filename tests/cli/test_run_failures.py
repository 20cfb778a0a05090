# SPDX-License-Identifier: Apache-2.0
"""How a run that fails or is stopped ends: what it says, what it leaves behind."""
import json
import os
import pathlib
import shlex
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import BINARY, VdkTest

SLEEPER = """import pathlib, subprocess, sys
def run(job_input):
    child = subprocess.Popen(["sleep", "300"])
    other = subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(300)"],
                             stdout=subprocess.PIPE)
    pathlib.Path("pids.new").write_text("%d %s" % (child.pid, other.stdout.readline().decode()))
    pathlib.Path("pids.new").rename("pids")
    child.wait()
"""


def exists(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Run(VdkTest):
    def setUp(self):
        super().setUp()
        self.folder = self.dir / "my job's"
        self.folder.mkdir()
        self.summary_file = self.dir / "summary.json"
        self.termination_file = self.dir / "termination.json"

    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3",
                            "JOB_RUN_SUMMARY_FILE_PATH": str(self.summary_file),
                            "VDK_TERMINATION_MESSAGE_WRITER_OUTPUT_FILE": str(self.termination_file), **(extra or {})})

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def summary(self):
        return json.loads(self.summary_file.read_text())


class Report(Run):
    def report(self, *args, **kwargs):
        kwargs.setdefault("code", 1)
        error = self.vdk("run", self.folder, *args, **kwargs).err
        self.assertIn("Job execution result: ERROR\nStep results:\n", error)
        at = error.find("\nFailed step: ")
        self.assertGreater(at, error.find("Step results:"), error)
        return error[at + 1:].rstrip("\n").split("\n")

    def test_the_parts_of_vdks_own_errors_are_one_sentence_and_the_way_out(self):
        self.write("10_a.py", "def run(job_input):\n    job_input.execute_template('load/nothing', {})\n")
        lines = self.report()
        self.assertEqual(lines[3], "    UserCodeError: cannot run the template 'load/nothing': there is no template of that name")
        self.assertTrue(lines[4].startswith("    countermeasures: Check the name"), lines)
        self.assertTrue(lines[5].startswith("Done before it: "), lines)
        self.write("10_a.py", "def run(job_input):\n    job_input.execute_query('select * from nowhere')\n")
        self.assertNotIn("", [line.strip() for line in self.report()])
        self.write("10_a.py", "def run(job_input):\n    raise ValueError('first\\nconsequences: of mine\\n')\n")
        self.assertEqual(self.report()[3:5], ["    ValueError: first", "    consequences: of mine"])

    def test_the_results_have_the_form_of_the_original(self):
        self.write("10_a.py", "def run(job_input):\n    raise ArithmeticError('no way')\n")
        result = self.vdk("run", self.folder, code=1)
        self.assertIn(f"\nStep results:\n10_a.py - ERROR\n  File \"{self.folder}/10_a.py\", line 2, in run\n"
                      "    raise ArithmeticError('no way')\nArithmeticError: no way\n", result.err)
        self.assertEqual(self.summary()["details"], "no way")
        result = self.vdk("run", self.folder, code=1, env={"VDK_LOG_EXECUTION_RESULT": "true"})
        self.assertIn('\n  "data_job_name": "my job\'s",\n', result.err)
        self.assertIn('"exception_name": "ArithmeticError"', result.err)

    def test_the_temporary_folder_is_told_as_it_was_given(self):
        self.write("10_a.py", "def run(job_input):\n    print(repr(job_input.get_temporary_write_directory()))\n")
        self.assertEqual(self.vdk("run", self.folder, env={"VDK_TEMPORARY_WRITE_DIRECTORY": "for now"}).out, "PosixPath('for now')\n")

    def test_a_python_step_with_its_line_and_what_was_done_before(self):
        self.write("10_make.sql", "create table t (a integer)")
        self.write("15_fill.py", "def run(job_input):\n    for i in range(3):\n"
                                 "        job_input.send_object_for_ingestion({'a': i}, 't', method='sqlite')\n")
        self.write("20_load.py", "def run(job_input):\n    x = 1\n    raise ValueError('no such day')\n")
        self.write("30_never.sql", "select 1")
        report = self.report()
        self.assertEqual(report[:-1], [
            "Failed step: 20_load.py", f"    {self.folder}/20_load.py:3", "    3 | raise ValueError('no such day')",
            "    ValueError: no such day", "Done before it: 10_make.sql, 15_fill.py (3 rows ingested)"])
        self.assertTrue(report[-1].startswith("Go on from there: "), report)
        self.assertEqual(shlex.split(report[-1].split(": ", 1)[1]), ["vdk", "run", str(self.folder), "--from-failed"])

    def test_the_printed_command_goes_on(self):
        self.write("10_a.py", "def run(job_input):\n    print('first')\n")
        self.write("20_b.py", "import os\ndef run(job_input):\n    print(job_input.get_arguments()['k'])\n"
                              "    assert os.path.exists('fixed')\n")
        command = self.report("--arguments", json.dumps({"k": "it's $HOME"}))[-1].split(": ", 1)[1]
        (self.dir / "fixed").touch()
        done = subprocess.run(["sh", "-c", command.replace("vdk", str(BINARY), 1)], env=self.env(), cwd=self.dir,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "it's $HOME\n"), done.stderr)

    def test_an_sql_step_shows_the_statement_as_it_is_written(self):
        self.write("10_a.sql", "create table t (a integer);\n\ninsert into t values ({nothing}, 1, 2);\n")
        report = self.report()
        self.assertEqual(report[:3], ["Failed step: 10_a.sql", f"    {self.folder}/10_a.sql:3",
                                      "    3 | insert into t values ({nothing}, 1, 2);"])
        self.assertIn("Done before it: nothing", report)

    def test_a_cell_of_a_notebook(self):
        cells = [{"cell_type": "code", "execution_count": None, "metadata": {"tags": ["vdk"]}, "outputs": [],
                  "source": source, "id": name} for name, source in (("one", "x = 1"), ("two", "# division\nx / 0"))]
        self.write("20_r.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        report = self.report()
        self.assertEqual(report[1:3], [f"    {self.folder}/20_r.ipynb, cell 2 (cell_id:two), line 2", "    2 | x / 0"])
        self.assertIn("ZeroDivisionError", report[3])

    def test_no_command_where_nothing_is_remembered(self):
        self.write("10_a.py", "def run(job_input):\n    return 1 / 0\n")
        self.assertNotIn("--from-failed", "\n".join(self.report(env={"VDK_RUN_STATE_ENABLED": "false"})))

    def test_a_syntax_error_and_a_successful_run(self):
        self.write("10_a.py", "def run(job_input):\n    return (1\n")
        report = self.report()
        self.assertTrue(report[1].startswith(f"    {self.folder}/10_a.py:2"), report)
        self.write("10_a.py", "def run(job_input):\n    pass\n")
        self.assertNotIn("Failed step", self.vdk("run", self.folder).err)


class Stopped(Run):
    def start(self):
        process = subprocess.Popen([str(BINARY), "run", str(self.folder)], env=self.env(), cwd=self.dir, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        return process

    def start_sleeper(self):
        self.write("10_fill.py", "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1}, 't', method='sqlite')\n")
        self.write("20_wait.py", SLEEPER)
        self.write("30_never.py", "def run(job_input):\n    print('never')\n")
        process = self.start()
        self.wait_until(lambda: (self.dir / "pids").exists(), 20, "the step that waits")
        self.children = [int(pid) for pid in (self.dir / "pids").read_text().split()]
        self.assertTrue(all(map(exists, self.children)))
        return process

    def assert_nothing_left(self):
        self.wait_until(lambda: not any(map(exists, self.children)), 20, f"the end of {self.children}")

    def check_stopped(self, number):
        process = self.start_sleeper()
        process.send_signal(number)
        out, error = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (128 + number, ""), error)
        self.assertFalse(any(map(exists, self.children)))
        self.assertEqual([(step["name"], step["status"]) for step in self.summary()["steps"]],
                         [("10_fill.py", "success"), ("20_wait.py", "cancelled")])
        self.assertEqual(self.summary()["status"], "error")
        self.assertEqual(json.loads(self.termination_file.read_text())["status"], "User error")
        with sqlite3.connect(self.dir / "data.db") as database:
            self.assertEqual(database.execute("select a from t").fetchall(), [(1,)])
        self.assertIn("20_wait.py - CANCELLED\n", error)
        self.assertIn("\nCancelled step: 20_wait.py\n", error)
        self.assertIn("Done before it: 10_fill.py (1 row ingested)", error)
        self.write("20_wait.py", "def run(job_input):\n    print('again')\n")
        self.assertEqual(self.vdk("run", self.folder, "--from-failed").out, "again\nnever\n")

    def test_ctrl_c_cancels_the_step_and_keeps_what_is_done(self):
        self.check_stopped(signal.SIGINT)

    def test_sigterm_to_vdk_alone_leaves_no_grandchild(self):
        self.check_stopped(signal.SIGTERM)

    def has_begun(self):
        if not (self.dir / "data.db").exists():
            return False
        with sqlite3.connect(self.dir / "data.db") as database:
            return bool(database.execute("select 1 from sqlite_master where name = 'begun'").fetchall())

    def test_ctrl_c_in_a_long_query(self):
        self.write("10_long.sql", "create table begun (a integer);\nwith recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c")
        process = self.start()
        self.wait_until(self.has_begun, 20, "the query")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, error)
        self.assertEqual(self.summary()["steps"][0]["status"], "cancelled")

    def test_a_second_signal_ends_at_once(self):
        self.write("20_deaf.py", SLEEPER.replace("    child.wait()", "    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                                                 "    pathlib.Path('pids.new').rename('pids')\n    child.wait()")
                   .replace('    pathlib.Path("pids.new").rename("pids")\n', "", 1))
        process = self.start()
        self.wait_until(lambda: (self.dir / "pids").exists(), 20, "the step that waits")
        self.children = [int(pid) for pid in (self.dir / "pids").read_text().split()]
        process.send_signal(signal.SIGINT)
        time.sleep(0.6)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        process.communicate(timeout=20)
        self.assertLess(time.monotonic() - start, 4.5)  # the step itself is pressed after 5 s
        self.assertEqual(process.returncode, 130)
        self.assert_nothing_left()

    def test_a_signal_that_comes_twice_in_a_row_is_one(self):
        process = self.start_sleeper()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(self.summary()["steps"][-1]["status"], "cancelled")

    def test_what_a_step_started_ends_with_a_vdk_that_is_killed(self):
        self.start_sleeper().kill()
        self.assert_nothing_left()

    def test_so_does_what_hides_from_its_parent_and_a_run_within_the_run(self):
        hides = ("import os\nif os.fork():\n    os._exit(0)\nos.setsid()\nif os.fork():\n    os._exit(0)\nimport time\n"
                 "open('hidden.new', 'w').write(str(os.getpid()))\nos.rename('hidden.new', 'hidden')\ntime.sleep(300)\n")
        self.write("20_wait.py", SLEEPER.replace("    child.wait()", f"    subprocess.Popen([sys.executable, '-c', {hides!r}])\n"
                                                                     "    child.wait()"))
        outer = self.job("outer", {"10_run.py": "import subprocess\ndef run(job_input):\n"
                                                f"    subprocess.run([{str(BINARY)!r}, 'run', {str(self.folder)!r}])\n"})
        process = subprocess.Popen([str(BINARY), "run", str(outer)], env=self.env(), cwd=self.dir, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.wait_until(lambda: (self.dir / "hidden").exists() and (self.dir / "pids").exists(), 20, "the step that waits")
        self.children = [int(pid) for name in ("pids", "hidden") for pid in (self.dir / name).read_text().split()]
        self.assertTrue(all(map(exists, self.children)))
        process.kill()
        process.wait()
        self.assert_nothing_left()

    def test_what_a_finished_run_left_in_the_background_goes_on_and_nothing_else_stays(self):
        self.write("20_start.py", "import os, subprocess\ndef run(job_input):\n"
                                  "    print(subprocess.Popen(['sleep', '300'], stdout=-3, stderr=-3).pid)\n"
                                  "    vdk = os.getppid()\n"
                                  "    print(*{*open(f'/proc/{vdk}/task/{vdk}/children').read().split()} - {str(os.getpid())})\n")
        sleeper, warden = self.vdk("run", self.folder, env={"VDK_SQLITE_FILE": str(self.dir / "data.db")}).out.split()
        self.addCleanup(os.kill, int(sleeper), signal.SIGKILL)
        self.assertTrue(exists(sleeper))
        self.assertFalse(exists(warden))

    def test_processes_from_before_the_run_are_left_alone(self):
        self.write("20_wait.py", SLEEPER)
        process = subprocess.Popen(["sh", "-c", 'sleep 60 & echo $! >before; exec "$0" run "$1"', str(BINARY), str(self.folder)],
                                   env=self.env(), cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until(lambda: (self.dir / "pids").exists(), 20, "the step that waits")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 143)
        before = int((self.dir / "before").read_text())
        self.assertTrue(exists(before))
        os.kill(before, signal.SIGKILL)


class Waiting(VdkTest):
    def test_ctrl_c_at_execute_wait_leaves_the_execution_running(self):
        folder = self.dir / "slow-job"
        self.vdk("create", "--local", "-n", "slow-job", "-t", "team", "-p", self.dir)
        for step in folder.glob("*0_*"):
            step.unlink()
        (folder / "10_a.py").write_text("import os, time\ndef run(job_input):\n"
                                       f"    while not os.path.exists({str(self.dir / 'go')!r}):\n        time.sleep(0.1)\n")
        (folder / "requirements.txt").unlink(missing_ok=True)
        self.vdk("deploy", "-n", "slow-job", "-t", "team", "-p", folder, "-r", "first")
        process = subprocess.Popen([str(BINARY), "execute", "--start", "--wait", "-n", "slow-job", "-t", "team"], env=self.env(),
                                   cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_until(lambda: "running" in self.vdk("execute", "--list", "-n", "slow-job", "-t", "team", "-o", "json").out,
                        20, "the execution")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("the execution goes on", error)
        (self.dir / "go").touch()
        command = error.split("wait for it again with `")[1].split("`")[0]
        self.vdk(*shlex.split(command)[1:])


if __name__ == "__main__":
    unittest.main()
