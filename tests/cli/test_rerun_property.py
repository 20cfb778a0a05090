# SPDX-License-Identifier: Apache-2.0
"""For random jobs, edits and failures: (run, edit, run --changed) leaves what (edit, full run on a fresh copy) leaves.

Steps replace what they wrote before, as an honest job does; every Python cell stores a value that it computes from names of
earlier cells, so that the tables show the namespace too. VDK_PROPERTY_SEED repeats a sequence.
"""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import BINARY, SYSTEM_PATH

SEQUENCES = 50
EDITS = 10
NAMES = {"value": "v{0}", "list": "sum(m{0})", "function": "f{0}(3)", "class": "k{0}.go()", "generator": "next(g{0}, -1)"}


class Step:
    def __init__(self, rnd, kind):
        self.id = rnd.count = getattr(rnd, "count", 0) + 1
        self.kind = kind  # sql, py, cell, sqlcell
        self.rank = rnd.randrange(1000)
        self.flavour = rnd.choice(["value", "value", "list", "mutate", "function", "class", "lambda"] + ["generator"] * (rnd.random() < 0.3))
        self.const = rnd.randrange(1, 100)
        self.reads, self.uses, self.target = [], [], None
        self.argument = rnd.random() < 0.2
        self.helper = kind != "sql" and rnd.random() < 0.3
        self.asks = kind in ("py", "cell") and rnd.random() < 0.2
        self.fails = False
        self.comment = 0
        self.has_id = rnd.random() < 0.8


class Job:
    def __init__(self, rnd):
        self.rnd = rnd
        self.files = [Step(rnd, rnd.choice(["sql", "sql", "py"])) for _ in range(rnd.randrange(1, 4))]
        self.cells = [Step(rnd, rnd.choice(["cell", "cell", "cell", "sqlcell"])) for _ in range(rnd.randrange(0, 6))]
        self.helper = 1
        self.helper_comment = 0
        self.argument = 1
        self.flag = False
        for step in self.files + self.cells:
            self.wire(step)

    def order(self):
        before = sorted((s for s in self.files if s.rank < 500), key=lambda s: (s.rank, s.id))
        return before + self.cells + sorted((s for s in self.files if s.rank >= 500), key=lambda s: (s.rank, s.id))

    def wire(self, step):
        order = self.order()
        before = order[: order.index(step)]
        step.reads = [s.id for s in before if self.rnd.random() < 0.3]
        cells = [s for s in before if s.kind == "cell"]
        step.uses = [s.id for s in cells if self.rnd.random() < 0.4]
        lists = [s.id for s in cells if s.flavour == "list"]
        step.target = self.rnd.choice(lists) if lists else None

    def mend(self):
        """After a step went or moved, nobody may read what is not there before."""
        seen = set()
        for step in self.order():
            step.reads = [r for r in step.reads if r in seen]
            step.uses = [r for r in step.uses if r in seen]
            step.target = step.target if step.target in seen else None
            seen.add(step.id)

    def edit(self):
        rnd = self.rnd
        steps = self.order()
        step = rnd.choice(steps)
        what = rnd.choice(["const", "const", "comment", "insert", "insert", "delete", "move", "fail", "helper", "argument", "wire", "none",
                           "helper comment", "flag"])
        failing = [s for s in steps if s.fails]
        if failing and rnd.random() < 0.7:
            failing[0].fails = False
        if what == "const":
            step.const += 1
        elif what == "comment":
            step.comment += 1
        elif what == "insert":
            kind = rnd.choice(["sql", "py", "cell", "cell", "sqlcell"])
            new = Step(rnd, kind)
            if kind in ("cell", "sqlcell"):
                self.cells.insert(rnd.randrange(len(self.cells) + 1), new)
            else:
                self.files.append(new)
            self.wire(new)
        elif what == "delete" and len(steps) > 1:
            (self.files if step in self.files else self.cells).remove(step)
        elif what == "move":
            if step in self.files:
                step.rank = rnd.randrange(1000)
            else:
                self.cells.remove(step)
                self.cells.insert(rnd.randrange(len(self.cells) + 1), step)
        elif what == "fail":
            step.fails = True
        elif what == "helper":
            self.helper += 1
        elif what == "helper comment":
            self.helper_comment += 1
        elif what == "argument":
            self.argument += 1
        elif what == "flag":
            self.flag = not self.flag
        elif what == "wire":
            self.wire(step)
        self.mend()
        return what

    def write(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "lib").mkdir(parents=True)
        (folder / "lib/h.py").write_text(f"# {self.helper_comment}\nTABLE = [{self.helper}]\n\n\ndef value():\n    return sum(TABLE)\n")
        if self.flag:
            (folder / "flag").touch()
        names = []
        flavours = {s.id: s.flavour for s in self.cells}
        for step in self.order():
            if step.kind == "sql":
                names.append(f"{step.rank:03d}_{step.id}.sql")
                (folder / names[-1]).write_text(sql(step))
            elif step.kind == "py":
                names.append(f"{step.rank:03d}_{step.id}.py")
                lines = ["x = " + number(step)] + tables(step) + store(step) + failure(step)
                (folder / names[-1]).write_text(f"# {step.comment}\ndef run(job_input):\n" + "".join(f"    {line}\n" for line in lines))
            else:
                names.append(f"500_n_{self.cells.index(step) + 1}")
        cells = []
        for step in self.cells:
            source = "%%vdksql\n" + sql(step) if step.kind == "sqlcell" else cell(step, flavours)
            cells.append({"cell_type": "code", "metadata": {"tags": ["vdk"]}, "outputs": [], "source": source,
                          **({"id": f"c{step.id}"} if step.has_id else {})})
        if cells:
            (folder / "500_n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return names


def sql(step):
    reads = "".join(f" + coalesce((select sum(x) from t{r}), 0)" for r in step.reads)
    text = f"-- {step.comment}\ncreate table if not exists t{step.id}(x);\ndelete from t{step.id};\n"
    text += f"insert into t{step.id} select {step.const}{' + {a}' if step.argument else ''}{reads};\n"
    return text + ("select * from nowhere;\n" if step.fails else "")


def number(step):
    text = str(step.const)
    if step.argument:
        text += " + job_input.get_arguments()['a']"
    if step.helper:
        text += " + __import__('lib.h').h.value()"
    if step.asks:
        text += " + 1000 * __import__('os').path.exists(str(job_input.get_job_directory() / 'flag'))"
    return text


def tables(step):
    return [f"x += job_input.execute_query('select coalesce(sum(x), 0) from t{r}')[0][0]" for r in step.reads]


def store(step):
    return [f"job_input.execute_query('create table if not exists t{step.id}(x)')", f"job_input.execute_query('delete from t{step.id}')",
            f"job_input.execute_query('insert into t{step.id} values (%d)' % x)"]


def failure(step):
    return ["1 / 0"] if step.fails else []


def cell(step, flavours):
    i = step.id
    used = "".join(f" + {NAMES['function' if flavours[r] == 'lambda' else flavours[r]].format(r)}" for r in step.uses if flavours[r] in NAMES or
                   flavours[r] == "lambda")
    lines = [f"# {step.comment}", f"x = {number(step)}{used}"] + tables(step)
    made = {"value": f"v{i} = x", "list": f"l{i} = [x]\nm{i} = l{i}", "function": f"def f{i}(y, z=x):\n    return y + z + {step.const}",
            "lambda": f"f{i} = lambda y: y + {step.const}", "generator": f"g{i} = (n for n in range(x, x + 9))",
            "class": f"class K{i}:\n    c = {step.const}\n    def go(self):\n        return self.c + self.own\nk{i} = K{i}()\nk{i}.own = x",
            "mutate": f"l{step.target}.append(x)" if step.target else "pass"}
    return "\n".join(lines + [made[step.flavour]] + store(step) + failure(step))


class Sequence:
    def __init__(self, seed):
        self.seed = seed
        self.rnd = random.Random(seed)
        self.ran = self.total = self.cases = 0

    def run(self):
        with tempfile.TemporaryDirectory(prefix="vdk-property.") as folder:
            self.dir = pathlib.Path(folder)
            job = Job(self.rnd)
            history = ["start"]
            self.vdk(job, "job", "changed.db", "--changed", "--atomic-steps" if self.rnd.random() < 0.2 else "--changed")
            for _ in range(EDITS):
                history.append(job.edit())
                self.compare(job, history)
                self.cases += 1

    def vdk(self, job, place, database, *options):
        folder = self.dir / place / "some-job"
        names = job.write(folder)
        summary = self.dir / "summary.json"
        summary.unlink(missing_ok=True)
        env = {"PATH": SYSTEM_PATH, "HOME": folder.parent.as_posix(), "VDK_PYTHON": "/usr/bin/python3",
               "VDK_SQLITE_FILE": str(self.dir / database), "JOB_RUN_SUMMARY_FILE_PATH": str(summary), "VDK_TEMPORARY_WRITE_DIRECTORY": str(self.dir)}
        if not options:
            env["VDK_RUN_STATE_ENABLED"] = "false"
        done = subprocess.run([BINARY, "run", folder, "--arguments", json.dumps({"a": job.argument}), *dict.fromkeys(options)],
                              env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        steps = json.loads(summary.read_text())["steps"] if summary.exists() else []
        failed = next((s["name"] for s in steps if s["status"] == "error"), None)
        return names, [s["name"] for s in steps], failed, done

    def compare(self, job, history):
        names, ran, failed, output = self.vdk(job, "job", "changed.db", "--changed")
        for path in self.dir.glob("fresh*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        _, all_ran, all_failed, full = self.vdk(job, "fresh", "fresh.db")
        what = f"seed {self.seed}, edits {history}\n--- changed: {ran}\n{output.stderr}\n--- full: {all_ran}\n{full.stderr}"
        assert failed == all_failed and output.returncode == full.returncode, what
        done = names[: names.index(failed)] if failed else names
        ids = [step.id for step, name in zip(job.order(), names) if name in done]
        assert self.tables("changed.db", ids) == self.tables("fresh.db", ids), what
        self.ran += len(ran)
        self.total += len(all_ran)

    def tables(self, database, ids):
        connection = sqlite3.connect(self.dir / database)
        try:
            return {i: connection.execute(f"select x from t{i}").fetchall() for i in ids}
        finally:
            connection.close()


class Property(unittest.TestCase):
    def test_changed_after_an_edit_is_a_full_run_on_a_fresh_copy(self):
        given = os.environ.get("VDK_PROPERTY_SEED")
        start = random.randrange(1_000_000) if given is None else int(given)
        sequences = [Sequence(start + i) for i in range(SEQUENCES if given is None else 1)]
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(sequence.run) for sequence in sequences]:
                future.result()
        ran, total = sum(s.ran for s in sequences), sum(s.total for s in sequences)
        if given is None:
            self.assertGreaterEqual(sum(s.cases for s in sequences), 500)
            self.assertLess(ran, total * 0.8, "hardly anything was left out: the property would hold for full runs too")


if __name__ == "__main__":
    unittest.main()
