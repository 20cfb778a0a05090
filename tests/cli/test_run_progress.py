# SPDX-License-Identifier: Apache-2.0
"""The live line of a run on a real (pseudo) terminal: what a person sees, and what is left when it ends."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest

from harness import BINARY, ROOT, VdkTest

QUIET = "def run(job_input):\n    import time\n    time.sleep(0.9)\n"
LOUD = """import logging, os, subprocess, sys, time
log = logging.getLogger("mine")
def run(job_input):
    print("terminal", sys.stdout.isatty(), sys.stderr.isatty())
    for i in range(2):
        time.sleep(0.8)
        print("print", i)
        log.info("log %d", i)
    time.sleep(0.8)
    subprocess.run(["sh", "-c", "echo child out; echo child err >&2"])
    os.write(1, b"half")
    time.sleep(0.8)
    os.write(2, b" and half\\n")
    job_input.send_tabular_data_for_ingestion(([i] for i in range(12400)), ["i"], "t")
    time.sleep(0.8)
"""


def screen_of(raw):
    """The lines that a terminal shows in the end; fails on what our programs have no business to send."""
    lines, column = [""], 0
    for part in re.findall(r"\x1b\[K|\r|\n|[^\x1b\r\n]+|\x1b", raw):
        if part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
        elif part == "\x1b[K":
            lines[-1] = lines[-1][:column]
        else:
            assert part != "\x1b", raw
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part):]
            column += len(part)
    return lines


class Progress(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3", **(extra or {})})

    def on_wide(self, columns, *args, env=None):
        """On a terminal of that width; what it was sent."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([str(BINARY), *map(str, args)], env=self.env({"TERM": "xterm", **(env or {})}), cwd=self.dir,
                                   stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        raw, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:
                    break
                raw += chunk
        os.close(ours)
        self.assertEqual(process.wait(20), 0, raw)
        return raw.decode()

    def test_it_comes_while_a_step_is_silent_and_never_between_what_the_step_prints(self):
        job = self.job("some-job", {"config.ini": "[owner]\nteam = red\n", "10_a.py": LOUD})
        code, raw = self.on_terminal("run", job, timeout=60)
        self.assertEqual(code, 0, raw)
        self.assertRegex(raw, r"\r\x1b\[K\[1/1\] 10_a\.py 00:00")
        self.assertRegex(raw, r"\[1/1\] 10_a\.py 00:0\d · \d\d,\d{3} rows ingested")
        lines = screen_of(raw)
        self.assertRegex(lines[8], r"^10_a\.py: success \(\d+ ms, 12400 rows ingested\)$")
        self.assertEqual(lines[:8], ["terminal True True", "print 0", "INFO mine: log 0", "print 1", "INFO mine: log 1", "child out",
                                     "child err", "half and half"])
        self.assertEqual(lines[9:], ["Job execution result: SUCCESS", "Step results:", "10_a.py - SUCCESS", ""])
        self.assertNotRegex(raw.split("half")[1][:5], r"\x1b")  # nothing is drawn behind half a line

    def test_a_sql_script_says_which_statement_runs(self):
        count = "with recursive c(x) as (select 1 union all select x + 1 from c where x < 10000000) select count(*) from c"
        job = self.job("some-job", {"10_a.sql": f"create table if not exists a(x);\n{count};\nselect ';';"})
        _, raw = self.on_terminal("run", job, timeout=60)
        self.assertRegex(raw, r"\[1/1\] 10_a\.sql 00:0\d · statement 2 of 3")
        _, plain = self.on_terminal("run", job, env={"LANG": "C"}, timeout=60)
        self.assertRegex(plain, r"\[1/1\] 10_a\.sql 00:0\d, statement 2 of 3")
        self.assertFalse([line for line in screen_of(raw) if "[1/1]" in line])

    def test_steps_of_a_template_are_named_behind_the_step_that_runs_it(self):
        share = self.dir / "share"
        (share / "templates" / "load").mkdir(parents=True)
        for entry in ROOT.iterdir():
            (share / entry.name).symlink_to(entry) if entry.name != "templates" else None
        self.job("fill", {"1_t.py": QUIET}, parent=share / "templates" / "load")
        job = self.job("some-job", {"10_a.py": "x = 1\n", "20_b.py": "def run(job_input):\n    job_input.execute_template('load/fill', {})\n"})
        _, raw = self.on_terminal("run", job, env={"VDK_SHARE_DIR": str(share)}, timeout=60)
        self.assertRegex(raw, r"\[2/2\] 20_b\.py > 1_t\.py 00:0\d")

    def test_the_width_is_kept(self):
        raw = self.on_wide(16, "run", self.job("some-job", {"10_a_step_with_a_long_name.py": QUIET}))
        self.assertEqual(set(re.findall(r"\r\x1b\[K([^\r\n]*)", raw)) - {""},
                         {"[1/1] 10_a_step", re.findall(r"10_a_step_with_a_long_name.py: .*\)", raw)[0]})

    def test_no_line_for_a_dumb_terminal_json_collected_logs_or_when_it_is_not_wanted(self):
        job = self.job("some-job", {"10_a.py": QUIET})
        for env, args in (({"TERM": "dumb"}, ()), ({}, ("--log-format", "json")), ({"VDK_LOG_CONFIG": "CLOUD"}, ()),
                          ({"VDK_RUN_PROGRESS": "false"}, ())):
            code, raw = self.on_terminal("run", job, *args, env=env)
            self.assertEqual((code, "[1/1]" in raw, "\x1b" in raw), (0, False, False), raw)

    def test_no_colour_with_no_color(self):
        _, raw = self.on_terminal("run", self.job("some-job", {"10_a.py": QUIET}), env={"NO_COLOR": "1"})
        self.assertIn("[1/1]", raw)
        self.assertNotRegex(raw, r"\x1b\[[0-9;]*m")

    def test_nothing_is_left_behind_after_ctrl_c(self):
        job = self.job("some-job", {"10_a.py": "def run(job_input):\n    import time\n    time.sleep(60)\n"})
        code, raw = self.on_terminal("run", job, answers=[("[1/1]", "\x03")], timeout=30)
        self.assertEqual(code, 130, raw)
        self.assertFalse([line for line in screen_of(raw) if "[1/1]" in line], raw)
        self.assertIn("Cancelled step: 10_a.py", raw)

    def test_a_result_as_json_comes_after_it_whole(self):
        job = self.job("some-job", {"10_a.py": "def run(job_input):\n    import time\n    time.sleep(0.7)\n    print('mine')\n"})
        code, raw = self.on_terminal("run", job, "-o", "json")
        self.assertEqual(code, 0, raw)
        lines = screen_of(raw)
        self.assertIn("mine", lines)
        self.assertEqual(json.loads("".join(lines[lines.index("Step results:") + 2:]))["status"], "success")

    def test_a_step_that_asks_gets_its_answer(self):
        job = self.job("some-job", {"10_a.py": "def run(job_input):\n    import time\n    answer = input('name? ')\n    time.sleep(0.6)\n"
                                               "    print('hello ' + answer)\n"})
        code, raw = self.on_terminal("run", job, answers=[("name? ", "Ada")], timeout=30)
        self.assertEqual(code, 0, raw)
        self.assertIn("hello Ada", raw)


if __name__ == "__main__":
    unittest.main()
