# SPDX-License-Identifier: Apache-2.0
"""What the code of a Python step may do with its process, and what it is given."""
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import BINARY, VdkTest

POOL = """import multiprocessing

def square(x):
    return x * x

def run(job_input):
    with multiprocessing.get_context("{}").Pool(2) as pool:
        print(pool.map_async(square, range(4)).get(20))
"""

FORK = """import os, sys
def run(job_input):
    pid = os.fork()
    if pid == 0:
        {}
    print("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


class Steps(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3", **(extra or {})})

    def run_step(self, text, *args, name="10_Step.py", **kwargs):
        folder = self.job(f"job-{len(list(self.dir.glob('job-*')))}", {name: text})
        return self.vdk("run", folder, *args, **kwargs)

    def test_processes_of_multiprocessing_find_the_functions_of_the_step(self):
        for way in ("fork", "spawn", "forkserver"):
            with self.subTest(way):
                self.assertEqual(self.run_step(POOL.format(way)).out, "[0, 1, 4, 9]\n")

    def test_a_forked_process_that_comes_back_ends_as_python_would_end_it(self):
        for way, code, told in (("return", 0, ""), ("sys.exit(7)", 7, ""), ("raise ValueError('mine')", 1, "ValueError: mine")):
            with self.subTest(way):
                result = self.run_step(FORK.format(way))
                self.assertEqual(result.out, f"child {code}\n")
                self.assertIn(told, result.err)
                self.assertNotIn("host.py", result.err)

    def test_an_async_run_is_awaited_and_a_generator_is_warned_about(self):
        text = "import asyncio\nasync def run(job_input):\n    await asyncio.sleep(0)\n    print(job_input.execute_query('select 1'))\n"
        self.assertEqual(self.run_step(text).out, "[(1,)]\n")
        failed = self.run_step(text + "    raise ValueError('late')\n", code=1)
        self.assertIn("    5 | raise ValueError('late')\n    ValueError: late\n", failed.err)
        self.assertIn("10_Step.py has a `yield`", self.run_step("def run(job_input):\n    yield 1\n").err)

    def test_only_files_are_steps(self):
        folder = self.job("things", {"20.py": "def run(job_input):\n    print('ran')\n"})
        os.mkfifo(folder / "10.sql")
        (folder / "15.py").mkdir()
        self.assertEqual(self.vdk("run", folder).out, "ran\n")

    def test_a_decorated_run_runs(self):
        result = self.run_step("import functools\ndef logged(function):\n    @functools.wraps(function)\n"
                               "    def wrapper(*args, **kwargs):\n        print('begin')\n        return function(*args, **kwargs)\n"
                               "    return wrapper\n@logged\ndef run(job_input):\n    print(job_input.get_name())\n")
        self.assertEqual(result.out, "begin\njob-0\n")

    def test_large_integers_among_the_arguments_keep_their_digits(self):
        number = "-123456789012345678901234567890"
        text = "def run(job_input):\n    print(job_input.get_arguments()['n'] + 1)\n"
        self.assertEqual(self.run_step(text, "--arguments", '{"n": %s}' % number).out, f"{int(number) + 1}\n")
        folder = self.job("sql", {"10.sql": "create table t as select '{n}' as n, '{m}' as m"})
        self.vdk("run", folder, "--arguments", '{"n": %s, "m": [%s, 1e22]}' % (number, number))
        with contextlib.closing(sqlite3.connect(self.dir / "data.db")) as connection:
            self.assertEqual(connection.execute("select * from t").fetchall(), [(number, f"[{number}, 1e+22]")])

    def test_arguments_that_python_could_not_read_are_refused(self):
        result = self.run_step("def run(job_input): pass\n", "--arguments", '{"a":' + "[" * 2000 + "]" * 2000 + "}", code=1)
        self.assertIn("why: they are nested too deeply\n", result.err)
        self.assertNotIn("Traceback", result.err)

    def interrupted(self, body):
        """What a run says that is interrupted half a second after its step has begun, and how long that took."""
        folder = self.job("interrupted", {"10.py": "def run(job_input):\n    open('begun', 'w').close()\n" + body})
        (self.dir / "work").mkdir()
        process = subprocess.Popen([BINARY, "run", str(folder)], env=self.env(), cwd=self.dir / "work", stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True)
        try:
            while not (self.dir / "work/begun").exists():
                time.sleep(0.01)
            time.sleep(0.5)
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            said = process.communicate(timeout=30)[0]
        finally:
            process.kill()
            process.stdout.close()
        self.assertEqual(process.returncode, 130, said)
        self.assertIn("10.py: cancelled", said)
        self.assertNotIn("Traceback", said)
        return said, time.monotonic() - began

    def test_ctrl_c_ends_a_long_query_of_a_step(self):
        endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"
        said, seconds = self.interrupted(f"    job_input.execute_query('{endless}')\n")
        self.assertLess(seconds, 4)
        self.assertIn("    3 | job_input.execute_query(", said)

    def test_ctrl_c_while_rows_wait_to_be_stored_leaves_no_half_message(self):
        said, seconds = self.interrupted("    rows = ([i, 'x' * 500] for i in range(10 ** 9))\n"
                                         "    job_input.send_tabular_data_for_ingestion(rows, ['a', 'b'], 't')\n")
        self.assertLess(seconds, 4)
        self.assertIn("rows ingested", said)

    def test_a_full_disk_leaves_no_half_batch_in_a_file(self):
        target = self.dir / "rows.json"
        folder = self.job("full", {"10.py": "def run(job_input):\n    rows = ([i, 'x' * 1000] for i in range(5000))\n"
                                            "    job_input.send_tabular_data_for_ingestion(rows, ['a', 'b'], 't', 'file', %r)\n"
                                   % str(target)})
        result = subprocess.run([BINARY, "run", str(folder)], env=self.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                restore_signals=False,  # the limit shall be an error, no signal
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)))
        self.assertEqual(result.returncode, 1, result.stderr)
        told = int(re.search(r"(\d[\d,]*) rows ingested", result.stderr).group(1).replace(",", ""))
        self.assertEqual([json.loads(line)["a"] for line in target.read_text().splitlines()], list(range(told)))


class OldPython(VdkTest):
    def test_a_python_that_cannot_run_steps_says_so(self):
        found = next((p for p in ("/usr/bin/python2", *map(str, pathlib.Path.home().glob(".pyenv/versions/2.*/bin/python")))
                      if os.path.exists(p)), None)
        if found is None:
            self.skipTest("there is no Python 2 here")
        result = self.vdk("run", self.job("j", {"10.py": "def run(job_input): pass\n"}), code=1, env={"VDK_PYTHON": found})
        self.assertIn("is Python 2.7, and the steps of a job need 3.8 or newer", result.err)


if __name__ == "__main__":
    unittest.main()
