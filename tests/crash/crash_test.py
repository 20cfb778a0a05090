#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of deploy, redeploy, execute and server; afterwards nothing acknowledged may be missing.

Usage: crash_test.py [--seed N] [--kills N] [--binary PATH]. The seed is printed; the same seed kills in the same plan (not
at the same instruction: the machine has its own mind).
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEAM = "crash"
BUDGET = 110  # seconds for the kills; what is left of 150 is for the final checks
STEP = """import os, sys
def run(job_input):
    properties = job_input.get_execution_properties()
    with open({runs!r}, "a") as file:
        file.write(properties["pa__execution_id"] + "\\n")
    print("tag {tag} end", flush=True)
"""
CONFIG = """[owner]
team = {team}
[job]
schedule_cron = * * * * *
"""


def failpoints():
    """Every name that the sources know; those of plugins have a test of their own."""
    names = set()
    for folder in ("libvdk", "cli"):
        for file in (ROOT / folder).rglob("*.cpp"):
            names.update(re.findall(r'failpoint\("([^"]+)"\)', file.read_text()))
    return sorted(name for name in names if not name.startswith("plugin."))


class Crash:
    def __init__(self, binary, seed, kills):
        self.binary, self.kills = str(binary), kills
        self.random = random.Random(seed)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-crash."))
        self.service = self.dir / "home" / "service"
        (self.dir / "home").mkdir()
        self.runs = self.dir / "runs"
        self.runs.touch()
        self.jobs = [f"crash-job-{i}" for i in range(3)]
        self.tag = collections.Counter()           # the newest content that a deploy tried
        self.acknowledged = collections.Counter()  # the newest content whose deploy said yes
        self.points = failpoints()
        self.server = None
        self.done = collections.Counter()
        self.usual = {"deploy": 0.3, "execute": 0.2, "server": 1.0}
        self.errors = []

    def env(self, extra=None):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8",
               "VDK_CONTROL_SERVICE_HOME": str(self.service)}
        env.update(extra or {})
        return env

    def spawn(self, *args, point=None, log=subprocess.PIPE):
        return subprocess.Popen([self.binary, *args], env=self.env({"VDK_FAILPOINT": point} if point else None),
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)

    def vdk(self, *args, timeout=60):
        process = self.spawn(*args)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"vdk {' '.join(args)} hangs")
            return 1, "", "hangs"
        return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")

    def fail(self, text):
        print("FAIL " + text, flush=True)
        self.errors.append(text)

    # --- the operations that are killed

    def write_job(self, job):
        self.tag[job] += 1
        folder = self.dir / job
        folder.mkdir(exist_ok=True)
        (folder / "config.ini").write_text(CONFIG.format(team=TEAM))
        (folder / "10_step.py").write_text(STEP.format(runs=str(self.runs), tag=self.tag[job]))
        return folder

    def deploy_command(self, job):
        return ["deploy", "-n", job, "-t", TEAM, "-p", str(self.write_job(job)), "-r", "crash test"]

    def killed(self, kind, command):
        """Run a command and kill it at a random moment or place; True when it ended well before that."""
        point = self.random.choice(self.points) if self.points and self.random.random() < 0.4 else None
        process = self.spawn(*command, point=point)
        try:
            # A failpoint that is not on the way lets the command end by itself.
            process.communicate(timeout=20 if point else self.random.uniform(0, 1.2 * self.usual[kind]))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self.done["at a failpoint" if point and process.returncode == -9 else
                  "at a moment" if process.returncode == -9 else "too late"] += 1
        return process.returncode == 0, process.returncode == -9

    def kill_deploy(self):
        job = self.random.choice(self.jobs)
        command = self.deploy_command(job)
        good, killed = self.killed("deploy", command)
        if good:
            self.acknowledged[job] = self.tag[job]
        elif not killed:
            self.check_repeat(job)
        self.check_shown(job)
        return killed

    def check_repeat(self, job):
        """A deploy that failed without being killed has to work when it is repeated."""
        code, _, err = self.vdk("deploy", "-n", job, "-t", TEAM, "-p", str(self.dir / job), "-r", "again")
        if code:
            self.fail(f"deploy of {job} does not recover: {err}")
        else:
            self.acknowledged[job] = self.tag[job]

    def kill_execute(self):
        job = self.random.choice(self.jobs)
        if not self.acknowledged[job]:
            return False
        _, killed = self.killed("execute", ["execute", "--start", "-n", job, "-t", TEAM])
        return killed

    def kill_server(self):
        if self.server is None or self.server.poll() is not None:
            self.start_server()
            time.sleep(self.random.uniform(0, self.usual["server"]))
        died_by_itself = self.server.poll() is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.done["server"] += 0 if died_by_itself else 1
        self.server = None
        if self.random.random() < 0.7:
            self.start_server(self.random.choice(self.points) if self.points and self.random.random() < 0.3 else None)
        return not died_by_itself

    def kill_supervisor(self):
        mark = f"{self.service}/executions/".encode()
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
                    self.done["supervisor"] += 1
                    return True
            except OSError:
                continue
        return False

    def start_server(self, point=None):
        with open(self.dir / "server.log", "ab") as log:
            self.server = self.spawn("server", "--port", "0", point=point, log=log)

    # --- what must hold

    def check_shown(self, job):
        if not self.acknowledged[job]:
            return
        code, out, err = self.vdk("deploy", "--show", "-n", job, "-t", TEAM, "-o", "json")
        try:
            shown = json.loads(out)
            shown = shown[0] if isinstance(shown, list) else shown
            if code or not shown.get("job_version"):
                raise ValueError("no job_version")
        except (ValueError, IndexError, AttributeError) as error:
            self.fail(f"deploy --show of {job} after an acknowledged deploy: exit {code}, {error}: {out} {err}")

    def finished(self, job, execution):
        code, out, _ = self.vdk("execute", "--show", "-n", job, "-t", TEAM, "-i", execution, "-o", "json")
        try:
            row = json.loads(out)
            row = row[0] if isinstance(row, list) else row
        except (ValueError, IndexError):
            return None
        return row if not code and str(row.get("status", "")).lower() not in ("submitted", "running", "") else None

    def start_execution(self, job):
        for _ in range(150):  # an execution that is under way refuses another one
            code, out, err = self.vdk("execute", "--start", "-n", job, "-t", TEAM, "-o", "json")
            if code == 0:
                document = json.loads(out)
                return (document[0] if isinstance(document, list) else document).get("execution_id")
            time.sleep(0.1)
        self.fail(f"no execution of {job} can be started: {out} {err}")
        return None

    def check_runs(self, job):
        """The acknowledged deployment (or a newer one) runs to its end and says who it is."""
        execution = self.start_execution(job) if self.acknowledged[job] else None
        if not execution:
            return
        end = time.monotonic() + 30
        row = None
        while row is None and time.monotonic() < end:
            row = self.finished(job, execution)
            time.sleep(0 if row else 0.05)
        _, out, _ = self.vdk("execute", "--logs", "-n", job, "-t", TEAM, "-i", execution)
        tags = [int(tag) for tag in re.findall(r"tag (\d+) end", out)]
        if not row or str(row["status"]).lower() not in ("succeeded", "success", "finished"):
            self.fail(f"execution {execution} of {job}: {row} {out[-2000:]}")
        elif not tags or not self.acknowledged[job] <= tags[-1] <= self.tag[job]:
            self.fail(f"{job} runs tag {tags}; acknowledged {self.acknowledged[job]}, tried {self.tag[job]}")

    def store(self):
        (file,) = list(self.service.glob("*.db")) + list(self.service.glob("*.sqlite*"))[:1]
        return sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)

    def check_nothing_runs_for_ever(self):
        if self.server is None or self.server.poll() is not None:
            self.start_server()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            rows = []
            for job in self.jobs:
                _, out, _ = self.vdk("execute", "--list", "-n", job, "-t", TEAM, "-o", "json")
                rows += [row for row in json.loads(out or "[]")
                         if str(row.get("status", "")).lower() in ("running", "submitted")]
            if not rows:
                return
            time.sleep(0.3)
        self.fail(f"still running: {json.dumps(rows, indent=1)}")

    def check_started_once(self):
        with self.store() as store:
            twice = store.execute("SELECT job_name, scheduled_time, count(*) FROM data_job_execution WHERE scheduled_time "
                                  "IS NOT NULL GROUP BY job_name, scheduled_time HAVING count(*) > 1").fetchall()
            scheduled = store.execute("SELECT count(*) FROM data_job_execution WHERE scheduled_time IS NOT NULL").fetchone()
        ran = collections.Counter(self.runs.read_text().split())
        if twice:
            self.fail(f"several executions for one scheduled time: {twice}")
        for execution, times in ran.items():
            if times > 1:
                self.fail(f"execution {execution} ran {times} times")
        print(f"{len(ran)} executions ran, {scheduled[0]} were scheduled", flush=True)

    # --- the plan

    def measure(self):
        for job in self.jobs:
            start = time.monotonic()
            code, _, err = self.vdk(*self.deploy_command(job))
            if code:
                self.fail(f"the first deploy of {job}: {err}")
                return False
            self.acknowledged[job] = self.tag[job]
            self.usual["deploy"] = time.monotonic() - start
        start = time.monotonic()
        self.check_runs(self.jobs[0])
        self.usual["execute"] = min(0.5, (time.monotonic() - start) / 2)
        return not self.errors

    def run(self):
        actions = ([self.kill_deploy] * 10 + [self.kill_execute] * 6 + [self.kill_server] * 5 + [self.kill_supervisor] * 3)
        if not self.measure():
            return 1
        start, count, attempts = time.monotonic(), 0, 0
        while count < self.kills and time.monotonic() - start < BUDGET:
            attempts += 1
            count += 1 if self.random.choice(actions)() else 0
            if attempts % 25 == 0:
                self.check_runs(self.random.choice(self.jobs))
            if len(self.errors) > 5:
                break
        for job in self.jobs:
            self.check_shown(job)
            self.check_runs(job)
        self.check_nothing_runs_for_ever()
        self.check_started_once()
        kinds = ", ".join(f"{number} {name}" for name, number in sorted(self.done.items()))
        print(f"{count} kills in {time.monotonic() - start:.0f} s ({kinds})", flush=True)
        if count < self.kills:
            self.fail(f"only {count} of {self.kills} kills within {BUDGET} s") if count < self.kills / 2 else None
        return 1 if self.errors else 0

    def clean(self):
        if self.server and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        for _ in range(50):
            if not self.kill_supervisor():
                break
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--binary", default=os.environ.get("VDK_BINARY", ROOT / "build" / "release" / "cli" / "vdk"))
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    crash = Crash(options.binary, options.seed, options.kills)
    try:
        code = crash.run()
    finally:
        if options.keep:
            print(f"kept {crash.dir}")
            if crash.server:
                crash.server.kill()
        else:
            crash.clean()
    print("crash test: " + ("failed" if code else "passed"))
    return code


if __name__ == "__main__":
    sys.exit(main())
