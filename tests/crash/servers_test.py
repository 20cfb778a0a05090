#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two servers on one PostgreSQL; kill -9 of either at random moments while jobs are due every minute and deploys go on.

Afterwards no acknowledged deploy may be lost, no scheduled time started twice, no deployment or execution stuck. Minutes
fly by: the servers see accelerated time, the database real time.

Usage: servers_test.py [--seed N] [--kills N] [--binary PATH]
"""
import argparse
import collections
import http.client
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import fast_clock  # noqa: E402
import postgres  # noqa: E402

TEAM = "crash"
JOBS = 6
SPEED = 30  # seconds of the servers per second
STEP = """import os
def run(job_input):
    properties = job_input.get_execution_properties()
    with open({runs!r}, "a") as file:
        file.write(properties["pa__execution_id"] + "\\n")
    print("tag {tag} end", flush=True)
"""


class Servers:
    def __init__(self, binary, seed, kills, url):
        self.binary, self.kills, self.url = str(binary), kills, url
        self.random = random.Random(seed)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-servers."))
        self.home = self.dir / "home" / "service"
        (self.dir / "home").mkdir()
        self.runs = self.dir / "runs"
        self.runs.touch()
        self.config = self.dir / "server.yaml"
        self.config.write_text(f"database:\n  url: {json.dumps(url)}\n")
        self.config.chmod(0o600)
        self.jobs = [f"crash-job-{i}" for i in range(JOBS)]
        self.acknowledged = {}  # job -> version of the newest deploy that was answered with 202
        self.tried = collections.defaultdict(set)  # job -> versions tried after that
        self.slots = [None, None]  # (process, port, log)
        self.counts = collections.Counter()
        self.errors = []
        self.clock = fast_clock.environment(self.dir, SPEED)
        self.over = threading.Event()
        self.lock = threading.Lock()

    def fail(self, text):
        print("FAIL " + text, flush=True)
        self.errors.append(text)

    # --- servers

    def env(self):
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8", "TMPDIR": str(self.dir),
                "VDK_CONTROL_SERVICE_HOME": str(self.home), "TZ": "UTC"}

    def start(self, slot):
        log_path = self.dir / f"server-{slot}-{self.counts['starts']}.log"
        self.counts["starts"] += 1
        with open(log_path, "wb") as log:
            process = subprocess.Popen([self.binary, "server", "--port", "0", "--config", str(self.config)],
                                       env={**self.env(), **self.clock},
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir, start_new_session=True)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = re.search(r"listens on http://[^:]+:(\d+)", log_path.read_text(errors="replace"))
            if found:
                with self.lock:
                    self.slots[slot] = (process, int(found[1]), log_path)
                return
            if process.poll() is not None:
                break
            time.sleep(0.02)
        self.fail(f"a server does not start: {log_path.read_text(errors='replace')[-2000:]}")
        self.over.set()

    def kill(self, slot):
        with self.lock:
            process, self.slots[slot] = self.slots[slot][0], None
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.counts["kills"] += 1

    def stop_all(self):
        for slot in self.slots:
            if slot:
                slot[0].send_signal(signal.SIGTERM)
                try:
                    slot[0].wait(20)
                except subprocess.TimeoutExpired:
                    self.fail("a server does not stop")
                    slot[0].kill()

    # --- requests

    def request(self, method, path, body=None, content_type="application/json"):
        """Answer of any server that is alive; None when none answered."""
        with self.lock:
            ports = [slot[1] for slot in self.slots if slot]
        random.shuffle(ports)
        for port in ports:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request(method, path, body=body, headers={"Content-Type": content_type} if body is not None else {})
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
        return None

    def path(self, job, rest=""):
        return f"/data-jobs/for-team/{TEAM}/jobs/{job}{rest}"

    def insist(self, method, path, body=None, content_type="application/json", wanted=(200, 201, 202, 204)):
        end = time.monotonic() + 60
        answer = None
        while time.monotonic() < end:
            answer = self.request(method, path, body, content_type)
            if answer and (answer[0] in wanted or answer[0] == 409 and method == "POST"):
                return answer
            time.sleep(0.1)
        self.fail(f"{method} {path} gets no answer: {answer}")
        return 0, b""

    def archive(self, job, tag):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(f"{job}/10_step.py", STEP.format(runs=str(self.runs), tag=tag))
        return data.getvalue()

    def deploy(self, job, tag):
        answer = self.request("POST", self.path(job, "/sources?reason=test"), self.archive(job, tag), "application/octet-stream")
        if not answer or answer[0] != 200:
            return self.note("upload", answer)
        version = json.loads(answer[1])["version_sha"]
        self.tried[job].add(version)
        answer = self.request("POST", self.path(job, "/deployments"), json.dumps({"job_version": version}))
        if answer and answer[0] == 202:
            self.acknowledged[job] = version
            self.tried[job] = {version}
            self.counts["deploys"] += 1
            return True
        return self.note("deploy", answer)

    def note(self, what, answer):
        self.counts[f"{what} unanswered" if not answer else f"{what} {answer[0]}"] += 1
        if answer and answer[0] not in (503,):
            self.fail(f"{what} is answered {answer[0]}: {answer[1][:500]}")
        return False

    def deployer(self):
        tag = 0
        while not self.over.is_set():
            tag += 1
            self.deploy(random.choice(self.jobs), tag)
            time.sleep(0.4)  # a deployment does not look back: deployed every minute, a job would never be due

    # --- the plan

    def run(self):
        self.start(0)
        self.start(1)
        for job in self.jobs:
            body = json.dumps({"job_name": job, "description": "", "team": TEAM, "config": {"schedule": {"schedule_cron": "* * * * *"}}})
            self.insist("POST", f"/data-jobs/for-team/{TEAM}/jobs?name={job}", body)
            while not self.deploy(job, 0) and not self.over.is_set():
                time.sleep(0.1)
        thread = threading.Thread(target=self.deployer)
        thread.start()
        for _ in range(self.kills):
            if self.over.is_set():
                break
            time.sleep(self.random.uniform(0.05, 1.2))
            slot = self.random.randrange(2)
            self.kill(slot)
            if self.random.random() < 0.3:
                time.sleep(self.random.uniform(0, 0.3))
            self.start(slot)
        self.over.set()
        thread.join()
        if not self.errors:
            self.check()
        self.stop_all()

    def deployments(self):
        result = {}
        for job in self.jobs:
            shown = json.loads(self.insist("GET", self.path(job, "/deployments"))[1] or b"[]")
            result[job] = shown[0] if shown else {}
        return result

    def check(self):
        # Let the schedules go on for a while with both servers up, then stop them.
        before = self.lines()
        self.wait(lambda: len(self.lines()) > len(before), 30, "nothing is started any more after the kills")
        self.wait(lambda: all(d.get("status") == "SUCCESS" for d in self.deployments().values()), 60,
                  "a deployment is stuck: ", self.deployments)
        for job, shown in self.deployments().items():
            if shown.get("job_version") not in self.tried[job]:
                self.fail(f"{job}: the acknowledged deploy of {self.acknowledged[job]} is lost, {shown.get('job_version')} runs")
        for job in self.jobs:
            self.insist("PATCH", self.path(job, "/deployments/production"), json.dumps({"enabled": False}))
        self.wait(lambda: not self.unfinished(), 60, "an execution is stuck: ", self.unfinished)
        repeated = [line for line, number in collections.Counter(self.lines()).items() if number > 1]
        if repeated:
            self.fail(f"started more than once: {repeated[:5]}")
        seen = collections.Counter()
        for job in self.jobs:
            for row in json.loads(self.insist("GET", self.path(job, "/executions"))[1]):
                seen[row["status"]] += 1
        self.counts.update({f"execution {status}": number for status, number in seen.items()})
        self.counts["distinct starts"] = len(set(self.lines()))
        if self.counts["distinct starts"] < 10 or self.counts["deploys"] < self.kills / 4:
            self.fail(f"the test did too little to mean something: {dict(self.counts)}")

    def lines(self):
        return self.runs.read_text().split()

    def unfinished(self):
        rows = []
        for job in self.jobs:
            rows += [row["id"] for row in json.loads(self.insist("GET", self.path(job, "/executions"))[1])
                     if row["status"] in ("submitted", "running")]
        return rows

    def wait(self, condition, seconds, text, detail=lambda: ""):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.3)
        self.fail(f"{text}{detail()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--binary", default=os.environ.get("VDK_BINARY", ROOT / "build" / "release" / "cli" / "vdk"))
    parser.add_argument("--keep", action="store_true", help="leave the folder with all logs")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        server = postgres.Server()
    except postgres.Unavailable as problem:
        print(f"SKIPPED {problem}")
        return 0
    with server:
        test = Servers(options.binary, options.seed, options.kills, server.create_database() + "?connect_timeout=3600")  # of accelerated seconds
        try:
            test.run()
        finally:
            if not options.keep and not test.errors:
                shutil.rmtree(test.dir, ignore_errors=True)
            else:
                print("logs in", test.dir)
    print(f"seed {options.seed}: {dict(test.counts)} in {time.monotonic() - start:.0f} s")
    print("ok" if not test.errors else f"{len(test.errors)} failures")
    return 1 if test.errors else 0


if __name__ == "__main__":
    sys.exit(main())
