# SPDX-License-Identifier: Apache-2.0
"""The event stream of a run: every line against the schema, and readers that misbehave."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from harness import BINARY, ROOT, VdkTest

SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())
KNOWN = {"type", "const", "enum", "pattern", "minimum", "required", "properties", "additionalProperties", "items", "oneOf", "$ref",
         "$schema", "$defs", "title", "description"}
TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool, "integer": int}


def is_a(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def faults(value, schema, place="line"):
    """What of a JSON schema a value breaks; the keywords that our schema uses, and no other passes."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return faults(value, SCHEMA["$defs"][schema["$ref"].split("/")[-1]], place)
    if "oneOf" in schema:
        matching = [one for one in schema["oneOf"] if not faults(value, one, place)]
        return [] if len(matching) == 1 else [f"{place}: {value!r} is {len(matching)} of the choices"]
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    found = []
    if types and not any(is_a(value, name) for name in types):
        found.append(f"{place}: {value!r} is no {types}")
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        found.append(f"{place}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{place}: {value!r} has another form")
    if is_a(value, "integer") and value < schema.get("minimum", value):
        found.append(f"{place}: {value} is too small")
    if isinstance(value, dict):
        found += [f"{place}: no {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in schema.get("properties", {}):
                found += faults(member, schema["properties"][name], f"{place}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{place}: {name} is unknown")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += faults(item, schema.get("items", {}), f"{place}[{i}]")
    return found


def py(text):
    return "def run(job_input):\n" + "".join(f"    {line}\n" for line in text.split("\n"))


class Events(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3", **(extra or {})})

    def check(self, text):
        self.assertTrue(text.endswith("\n"), text[-200:])
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([line["seq"] for line in lines], list(range(1, len(lines) + 1)))
        self.assertEqual([line["time"] for line in lines], sorted(line["time"] for line in lines))
        for line in lines:
            self.assertEqual(faults(line, SCHEMA), [], line)
            name = SCHEMA["$defs"][line["event"]]  # what the choice hides
            self.assertEqual(faults(line, name), [], line)
        return lines

    def events(self, job, *args, code=0, **kwargs):
        file = self.dir / "events.jsonl"
        self.last = self.vdk("run", job, "--events", file, *args, code=code, **kwargs)
        return self.check(file.read_text())

    @staticmethod
    def of(lines, *names):
        return [line for line in lines if line["event"] in names]

    def steps(self, lines):
        return [(line["step"], line["status"]) for line in self.of(lines, "step_ended")]


class Stream(Events):
    def test_the_checker_finds_faults(self):
        good = {"v": 1, "seq": 1, "time": "2026-01-31T12:00:00.123Z", "event": "log", "level": "INFO", "logger": "x",
                "message": "x", "exception": None}
        self.assertEqual(faults(good, SCHEMA), [])
        for change in ({"seq": 0}, {"seq": "1"}, {"seq": True}, {"v": 2}, {"time": "2026-01-31T12:00:00Z"}, {"level": 5},
                       {"message": None}, {"more": 1}, {"event": "other"}):
            self.assertTrue(faults({**good, **change}, SCHEMA), change)
        self.assertTrue(faults({k: v for k, v in good.items() if k != "message"}, SCHEMA))

    def test_sql_and_python_steps_with_rows_in_order(self):
        job = self.job("some-job", {
            "10_a.sql": "create table t(x)",
            "20_b.py": py("print('mine')\nfor i in range(3):\n    job_input.send_object_for_ingestion({'x': i}, 't')"),
            "30_c.py": "x = 1\n"})
        lines = self.events(job, env={"VDK_EXECUTION_ID": "exec-1"})
        self.assertEqual(self.last.out, "mine\n")
        run, plan = [line for line in lines if line["event"] != "log"][:2]
        self.assertEqual((run["event"], run["job"], run["execution_id"]), ("run_started", "some-job", "exec-1"))
        self.assertTrue(run["attempt_id"].startswith("exec-1-"))
        self.assertEqual([(s["step"], s["type"], s["action"]) for s in plan["steps"]],
                         [("10_a.sql", "sql", "run"), ("20_b.py", "python", "run"), ("30_c.py", "python", "run")])
        self.assertEqual(self.steps(lines), [("10_a.sql", "success"), ("20_b.py", "success"), ("30_c.py", "not_runnable")])
        self.assertEqual([(s["number"], s["count"]) for s in self.of(lines, "step_started")], [(1, 3), (2, 3), (3, 3)])
        rows = [{"method": "sqlite", "table": "t", "rows": 3}]
        self.assertEqual([s["ingested"] for s in self.of(lines, "step_ended")], [[], rows, []])
        self.assertEqual(sum(line["rows"] for line in self.of(lines, "ingested")), 3)
        result = lines[-1]
        self.assertEqual((result["event"], result["success"], result["exit_code"], result["status"], result["ingested"]),
                         ("result", True, 0, "Success", rows))
        self.assertTrue(any("no function run" in line["message"] and line["level"] == "WARNING" for line in self.of(lines, "log")))

    def test_a_failing_step_says_who_where_and_why(self):
        lines = self.events(self.job("some-job", {"10_a.py": py("x = 1\nraise KeyError('gone')"), "20_b.sql": "select 1"}), code=1)
        (end,) = self.of(lines, "step_ended")
        self.assertEqual((end["status"], end["blamee"], end["exception"], end["line"]), ("error", "User Error", "KeyError", 3))
        self.assertIn("gone", end["message"])
        self.assertEqual((lines[-1]["exit_code"], lines[-1]["status"], lines[-1]["blamee"], lines[-1]["steps_run"]),
                         (1, "User error", "User Error", 1))
        lines = self.events(self.job("other-job", {"10_a.sql": "select * from nowhere"}), code=1)
        self.assertIn("nowhere", self.of(lines, "step_ended")[0]["message"])

    def test_skipping_the_rest(self):
        lines = self.events(self.job("some-job", {"10_a.py": py("job_input.skip_remaining_steps()"), "20_b.sql": "select 1"}))
        self.assertEqual(self.steps(lines), [("10_a.py", "skip_requested")])
        self.assertEqual(lines[-1]["status"], "Success")

    def test_cells_of_a_notebook_and_a_rerun_from_the_one_that_changed(self):
        def book(last):
            cells = [{"cell_type": "code", "id": f"cell{i}", "execution_count": None, "metadata": {"tags": ["vdk"]}, "outputs": [],
                      "source": source} for i, source in enumerate(("x = 1", "%%vdksql\nselect 1", last), 1)]
            return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        job = self.job("some-job", {"n.ipynb": book("y = x")})
        first = self.events(job)
        self.assertEqual([(s["step"], s["type"], s["cell_id"], s["cell_number"]) for s in self.of(first, "step_started")],
                         [("n_1", "python", "cell1", 1), ("n_2", "sql", "cell2", 2), ("n_3", "python", "cell3", 3)])
        (job / "n.ipynb").write_text(book("y = x / 0"))
        (plan,) = [line for line in self.events(job, "--plan") if line["event"] != "log"]
        self.assertEqual((plan["event"], plan["mode"], plan["runs"]), ("plan", "changed", 1))
        self.assertIn("n_3", self.last.out)
        failed = self.events(job, "--changed", code=1)
        self.assertEqual(self.steps(failed), [("n_3", "error")])
        self.assertEqual([s["action"] for s in self.of(failed, "plan")[0]["steps"]], ["skip", "skip", "run"])
        self.assertEqual(self.of(failed, "step_ended")[0]["cell_id"], "cell3")
        (job / "n.ipynb").write_text(book("y = x"))
        again = self.events(job, "--from-failed")
        self.assertEqual(self.of(again, "plan")[0]["mode"], "from-failed")
        runs = [self.of(lines, "run_started")[0] for lines in (failed, again)]
        self.assertEqual(*(run["execution_id"] for run in runs))  # it goes on
        self.assertNotEqual(*(run["attempt_id"] for run in runs))
        self.assertEqual(again[-1]["execution_id"], runs[0]["execution_id"])
        self.assertEqual(self.of(self.events(job, "--changed"), "plan")[0]["runs"], 0)

    def test_steps_of_a_template_come_between_the_lines_of_the_step_that_runs_it(self):
        share = self.dir / "share"
        share.mkdir()
        for entry in ROOT.iterdir():
            (share / entry.name).symlink_to(entry) if entry.name != "templates" else None
        self.job("fill", {"1_t.sql": "create table {table}(x)", "2_t.py":
                               py("job_input.send_object_for_ingestion({'x': 1}, job_input.get_arguments()['table'])")},
                 parent=self.templates(share))
        lines = self.events(self.job("some-job", {"a.py": py("job_input.execute_template('load/fill', {'table': 'made'})")}),
                            env={"VDK_SHARE_DIR": str(share)})
        self.assertEqual([(s["event"], s["step"], s["depth"]) for s in self.of(lines, "step_started", "step_ended")],
                         [("step_started", "a.py", 0), ("step_started", "1_t.sql", 1), ("step_ended", "1_t.sql", 1),
                          ("step_started", "2_t.py", 1), ("step_ended", "2_t.py", 1), ("step_ended", "a.py", 0)])
        self.assertEqual([s["ingested"] != [] for s in self.of(lines, "step_ended")], [False, True, True])
        self.assertEqual(lines[-1]["ingested"], [{"method": "sqlite", "table": "made", "rows": 1}])

    @staticmethod
    def templates(share):
        (share / "templates" / "load").mkdir(parents=True)
        return share / "templates" / "load"

    def test_the_program_of_a_plugins_job_is_a_step(self):
        self.vdk("create", "--local", "-n", "some-job", "-t", "red", "-p", self.dir, "--plugin", "run-command",
                 "--set", "COMMAND=echo mine; exit 3")
        lines = self.events(self.dir / "some-job", code=3)
        (end,) = self.of(lines, "step_ended")
        self.assertEqual((end["type"], end["status"], lines[-1]["exit_code"]), ("program", "error", 3))

    def test_what_never_begins_still_has_a_result(self):
        (result,) = self.events(self.job("some-job", {"10_a.sql": "select 1"}), "--arguments", "{", code=1)
        self.assertEqual((result["event"], result["success"], result["exit_code"], result["status"]), ("result", False, 1, None))
        self.assertEqual(self.events(self.dir / "nowhere", code=2)[-1]["exit_code"], 2)
        self.assertEqual(self.events(self.job("empty-job", {"readme": ""}), code=1)[-1]["status"], "User error")

    def test_what_steps_and_their_programs_print_and_log_is_in_order(self):
        job = self.job("some-job", {"10_a.py": py(
            "import logging, os, subprocess, sys\n"
            "log = logging.getLogger('mine')\n"
            "print('one')\n"
            "log.info('two')\n"
            "print('three', file=sys.stderr)\n"
            "subprocess.run(['sh', '-c', 'echo four; echo five >&2'])\n"
            "try:\n"
            "    1 / 0\n"
            "except ZeroDivisionError:\n"
            "    log.exception('six')\n"
            "os.write(1, b'seven')"), "20_b.sql": "select 1; select 2"})
        lines = self.events(job)
        seen = [(line.get("stream", line.get("logger")), line.get("text", line.get("message")))
                for line in self.of(lines, "output", "log") if line.get("logger") != "vdk"]
        self.assertEqual([item for item in seen if item[0] != "stdout"],
                         [("mine", "two"), ("stderr", "three"), ("stderr", "five"), ("mine", "six")])
        self.assertEqual([item for item in seen if item[0] == "stdout"],
                         [("stdout", "one"), ("stdout", "four"), ("stdout", "seven")])
        self.assertEqual({line["step"] for line in self.of(lines, "output")}, {"10_a.py"})
        (six,) = [line for line in self.of(lines, "log") if line["message"] == "six"]
        self.assertEqual(six["level"], "ERROR")
        self.assertIn("ZeroDivisionError", six["exception"])
        names = [line["event"] for line in lines]
        last = max(i for i, line in enumerate(lines) if line["event"] == "output")
        self.assertLess(last, names.index("step_ended"))
        self.assertEqual([(line["step"], line["text"]) for line in self.of(lines, "progress")], [("20_b.sql", "statement 1 of 2")])
        error = self.last.err
        order = [error.index(text) for text in ("INFO mine: two", "three", "five", "ERROR mine: six", "ZeroDivisionError", "10_a.py: success")]
        self.assertEqual(order, sorted(order), error)
        self.assertNotIn("\x1e", error)

    def test_streams_are_passed_on_byte_for_byte_and_long_lines_are_cut(self):
        job = self.job("some-job", {"10_a.py": py(
            "import os, sys\n"
            "os.write(1, bytes(range(256)) * 40 + b'\\n')\n"
            "sys.stdout.write('x' * 300000 + 'end\\n')\n"
            "os.write(2, b'\\x1e\\x1eno mark\\r\\n')")})
        file = self.dir / "e"
        done = subprocess.run([str(BINARY), "run", str(job), "--events", str(file)], env=self.env(), cwd=self.dir, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.stdout, bytes(range(256)) * 40 + b"\n" + b"x" * 300000 + b"end\n")
        self.assertIn(b"\x1e\x1eno mark\r\n", done.stderr)
        output = self.of(self.check(file.read_text()), "output")
        (cut,) = [line for line in output if line["cut"]]
        self.assertTrue(cut["text"].endswith(" ..."))
        self.assertLess(len(cut["text"]), 17000)
        self.assertTrue(any("\ufffd" in line["text"] for line in output))  # what is no UTF-8
        self.assertEqual([line["text"] for line in output if line["stream"] == "stderr"], ["\x1e\x1eno mark\r"])

    def test_records_of_forked_children_and_threads_and_huge_ones(self):
        job = self.job("some-job", {"10_a.py": py(
            "import logging, os, threading\n"
            "log = logging.getLogger('mine')\n"
            "log.info('parent')\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    log.info('child')\n"
            "    os._exit(0)\n"
            "os.waitpid(pid, 0)\n"
            "threads = [threading.Thread(target=log.info, args=('thread %d', i)) for i in range(20)]\n"
            "[thread.start() for thread in threads]\n"
            "[thread.join() for thread in threads]\n"
            "log.info('\u00e9' * 100000)\n"
            "raise ValueError('x' * 100000)")})
        lines = self.events(job, code=1)
        logged = [line["message"] for line in self.of(lines, "log") if line["logger"] == "mine"]
        self.assertEqual(logged[:2] + sorted(logged[2:22]),
                         ["parent", "child"] + sorted(f"thread {i}" for i in range(20)))
        for text in (logged[22], self.of(lines, "step_ended")[0]["message"]):
            self.assertTrue(text.endswith(" ..."))
            self.assertLess(len(text), 66000)
        self.assertIn("\u00e9" * 100000 + "\n", self.last.err)

    def test_a_closed_standard_output_is_no_obstacle(self):
        job = self.job("some-job", {"10_a.py": py("import sys\nfor i in range(500):\n    print('many' * 500)\nprint('x', file=sys.stderr)")})
        done = subprocess.run(["sh", "-c", '"$0" run "$1" --events e >&-', str(BINARY), str(job)], env=self.env(), cwd=self.dir,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        output = [line["text"] for line in self.of(self.check((self.dir / "e").read_text()), "output")]
        self.assertEqual((output.count("many" * 500), output.count("x")), (500, 1))

    def test_without_events_the_streams_are_those_of_vdk(self):
        job = self.job("some-job", {"10_a.py": py("import os\nfor fd in (1, 2):\n    s = os.fstat(fd)\n    print(s.st_dev, s.st_ino)")})
        with open(self.dir / "out", "wb") as out, open(self.dir / "err", "wb") as err:
            subprocess.run([str(BINARY), "run", str(job)], env=self.env(), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                           timeout=60, check=True)
            wanted = [f"{s.st_dev} {s.st_ino}" for s in map(os.fstat, (out.fileno(), err.fileno()))]
        self.assertEqual((self.dir / "out").read_text().splitlines(), wanted)

    def test_a_program_that_a_step_leaves_behind_holds_nothing_up(self):
        job = self.job("some-job", {"10_a.py": py("import subprocess\nsubprocess.Popen(['sleep', '30'])\nprint('done')")})
        start = time.monotonic()
        lines = self.events(job)
        self.assertLess(time.monotonic() - start, 25)
        self.assertEqual([line["text"] for line in self.of(lines, "output")], ["done"])

    def test_secrets_are_stars(self):
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "red")
        self.vdk("secrets", "-n", "some-job", "-t", "red", "--set", "s", "canary-7731")
        job = self.job("some-job", {"10_a.py": py(
            "job_input.set_all_secrets({'s': 'canary-7731', 'deep': ['canary-later']})\n"
            "import logging\n"
            "print('printed canary-7731')\n"
            "logging.getLogger('mine').error('logged %s', 'canary-later')\n"
            "raise ValueError(job_input.get_secret('s') + ' canary-later canary-set http://u:canary-url@h/ plain')")})
        lines = self.events(job, code=1, env={"VDK_SOME_PASSWORD": "canary-set"})
        text = json.dumps(lines)
        self.assertNotIn("canary", text)
        self.assertEqual([line["text"] for line in self.of(lines, "output")], ["printed ********"])
        self.assertIn("logged ********", [line["message"] for line in self.of(lines, "log")])
        self.assertIn("******** ******** ******** http://u:********@h/ plain", self.of(lines, "step_ended")[0]["message"])


class Executions(Events):
    def test_an_execution_says_at_which_step_it_is_and_keeps_its_events(self):
        job = self.job("some-job", {"config.ini": "[owner]\nteam = red\n", "10_a.sql": "select 1", "20_b.py": py(
            f"import os, time\nprint('printed')\nwhile not os.path.exists({str(self.dir / 'go')!r}):\n    time.sleep(0.05)")})
        self.vdk("deploy", "-p", job, "-t", "red")
        started = self.vdk("execute", "--start", "-n", "some-job", "-t", "red", "-o", "json").json()["execution_id"]

        def message():
            return self.vdk("execute", "--show", "-n", "some-job", "-t", "red", "-i", started, "-o", "json").json()[0].get("message")
        self.wait_until(lambda: message() == "step 2 of 2: 20_b.py", 30)
        (folder,) = self.home.rglob(f"executions/{started}")
        self.assertEqual((folder / "events.jsonl").stat().st_mode & 0o777, 0o600)
        (self.dir / "go").touch()
        self.wait_execution("some-job", "red", started)
        self.assertEqual(message(), "Success")
        lines = self.check((folder / "events.jsonl").read_text())
        self.assertEqual(self.steps(lines), [("10_a.sql", "success"), ("20_b.py", "success")])
        self.assertEqual((lines[-1]["event"], lines[-1]["execution_id"], self.of(lines, "output")), ("result", started, []))
        self.assertIn("printed", self.vdk("execute", "--logs", "-n", "some-job", "-t", "red", "-i", started).out)


class Readers(Events):
    def setUp(self):
        super().setUp()
        self.folder = self.job("some-job", {"10_a.sql": "select 1"})

    def start(self, *args, fds=(), job=None):
        return subprocess.Popen([str(BINARY), "run", str(job or self.folder), *args], env=self.env(), cwd=self.dir, pass_fds=fds,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_what_cannot_be_written_to_is_a_usage_error_and_nothing_runs(self):
        (self.folder / "10_a.py").write_text(py("open('ran', 'w')"))
        os.mkfifo(self.dir / "fifo")
        for where, why in (("2", "standard"), ("77", "not open"), ("99999999999999999999", "no number"), ("", "empty"), (self.dir, "directory"),
                           (self.dir / "no/where", "No such file"), (self.dir / "fifo", "nobody reads")):
            result = self.vdk("run", self.folder, "--events", where, code=2)
            self.assertIn(why, result.err)
        reading = os.open(self.folder / "10_a.sql", os.O_RDONLY)
        process = self.start("--events", str(reading), fds=(reading,))
        self.assertIn("reading only", process.communicate(timeout=20)[1])
        os.close(reading)
        self.assertEqual(process.returncode, 2)
        self.assertFalse((self.dir / "ran").exists())

    def test_a_file_is_for_its_owner_and_replaced(self):
        file = self.dir / "e"
        before = os.umask(0)
        try:
            first = self.vdk("run", self.folder, "--events", file)
        finally:
            os.umask(before)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600, first)
        self.vdk("run", self.folder, "--events", file)
        self.check(file.read_text())

    def test_lines_arrive_at_once_and_the_jobs_programs_do_not_hold_the_descriptor(self):
        job = self.job("slow-job", {"10_a.py": py("import os, subprocess, time\n"
                                                 "subprocess.Popen(['sleep', '30'], stdin=-3, stdout=-3, stderr=-3, close_fds=False)\n"
                                                 "time.sleep(1)")})
        for ours, theirs in (os.pipe(), [end.detach() for end in socket.socketpair()]):
            process = self.start("--events", str(theirs), fds=(theirs,), job=job)
            os.close(theirs)
            text, started = "", None
            while chunk := os.read(ours, 65536):
                text += chunk.decode()
                if started is None and '"step_started"' in text:
                    started = time.monotonic()
            took = time.monotonic() - started
            os.close(ours)
            self.assertEqual(process.wait(20), 0, process.communicate())
            process.communicate()
            self.assertEqual(self.check(text)[-1]["event"], "result")
            self.assertTrue(0.8 < took < 25, took)  # the end came with the run, not with the program that it left behind

    def test_a_reader_that_goes_away_costs_the_stream_and_not_the_run(self):
        for ours, theirs in (os.pipe(), [end.detach() for end in socket.socketpair()]):
            os.close(ours)
            process = self.start("--events", str(theirs), fds=(theirs,))
            os.close(theirs)
            out, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0, err)
            self.assertEqual(err.count("its reader has gone away"), 1, err)
        full = self.vdk("run", self.folder, "--events", "/dev/full")
        self.assertIn("No space left", full.err)

    def test_a_reader_that_is_stuck_is_given_up(self):
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        try:
            while os.write(theirs, b"x" * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(theirs, True)
        start = time.monotonic()
        process = self.start("--events", str(theirs), fds=(theirs,))
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(err.count("has taken nothing for 5 seconds"), 1, err)
        self.assertTrue(4.5 < time.monotonic() - start < 25)
        self.assertTrue(os.get_blocking(theirs))  # whoever shares it is not disturbed
        os.close(ours)
        os.close(theirs)

    def test_an_interrupted_run_has_its_result(self):
        job = self.job("slow-job", {"10_a.py": py("import time\nopen('ready', 'w').close()\ntime.sleep(60)")})
        process = self.start("--events", "e", job=job)
        self.wait_until((self.dir / "ready").exists, 20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.check((self.dir / "e").read_text())[-1]["exit_code"], 130)


if __name__ == "__main__":
    unittest.main()
