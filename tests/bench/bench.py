#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the budgets of the design cost here, as ratios against a peer measured in the same run. Never fails by time.

Usage: bench.py [--binary PATH] [--no-original] [--jobs N]. The peer is `python3 -c pass` and, where the package index can be
reached, the original vdk in a scratch environment.
"""
import argparse
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = "[owner]\nteam = bench\n[job]\nschedule_cron = 0 0 1 1 *\n"
INGEST = """def run(job_input):
    rows = ({"a": i, "b": "text %d" % i, "c": i * 0.5} for i in range(100000))
    job_input.send_tabular_data_for_ingestion(
        rows=([r["a"], r["b"], r["c"]] for r in rows), column_names=["a", "b", "c"],
        destination_table="numbers", method="sqlite", target="DATABASE")
"""


GNU_TIME = shutil.which("time")


class Bench:
    def __init__(self, options):
        self.binary = str(pathlib.Path(options.binary).resolve())
        self.options = options
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-bench."))
        (self.dir / "home").mkdir()
        self.rows = []
        self.original = None

    def env(self):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8",
               "VDK_CONTROL_SERVICE_HOME": str(self.dir / "home" / "service"), "VDK_VERSION_CHECK_DISABLED": "true"}
        for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL",
                     "PIP_CERT", "PIP_FIND_LINKS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            if name in os.environ:
                env[name] = os.environ[name]
        return env

    def once(self, command, cwd=None):
        """(seconds, exit code, peak memory in MiB, stderr) of one process."""
        # A child of this interpreter would report the interpreter's own peak: GNU time, when installed, is the small parent.
        peak = self.dir / "peak"
        if GNU_TIME:
            command = [GNU_TIME, "-q", "-f", "%M", "-o", str(peak), *command]
        start = time.perf_counter()
        process = subprocess.Popen(command, env=self.env(), cwd=cwd or self.dir, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=open(self.dir / "stderr", "wb"))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        kilobytes = int(peak.read_text().split()[-1]) if GNU_TIME else usage.ru_maxrss
        return (seconds, process.returncode, kilobytes / 1024,
                (self.dir / "stderr").read_text(errors="replace"))

    def measure(self, command, times=15, cwd=None, before=None):
        """Median seconds and greatest memory; nothing when the command fails."""
        seconds, memory = [], 0
        for _ in range(times):
            if before:
                before()
            took, code, peak, err = self.once(command, cwd)
            if code:
                print(f"  {' '.join(map(str, command))}: exit {code}: {err.strip()[-400:]}", file=sys.stderr)
                return None
            seconds.append(took)
            memory = max(memory, peak)
        return statistics.median(seconds), memory

    def vdk(self, *args, **kwargs):
        return self.measure([self.binary, *map(str, args)], **kwargs)

    def note(self, what, ours, budget_ms, peer=None, peer_name=""):
        self.rows.append((what, f"{ours[0] * 1000:.1f} ms" if ours else "failed",
                          f"{peer[0] * 1000:.1f} ms ({peer_name})" if peer else "-",
                          f"{peer[0] / ours[0]:.1f}x" if ours and peer else "-",
                          f"{budget_ms:.0f} ms",
                          "-" if not ours else "yes" if ours[0] * 1000 <= budget_ms else "NO"))

    def job(self, name, files):
        folder = self.dir / name
        folder.mkdir(exist_ok=True)
        for file, content in {"config.ini": CONFIG, **files}.items():
            (folder / file).write_text(content)
        return folder

    def install_original(self):
        if self.options.no_original:
            return
        environment = self.dir / "original"
        # Its dependencies import pkg_resources, also while they are built: newer setuptools lack it.
        constraint = self.dir / "constraint.txt"
        constraint.write_text("setuptools<81\n")
        for command in ([sys.executable, "-m", "venv", str(environment)],
                        [str(environment / "bin/pip"), "install", "-q", "--no-input", "setuptools", "vdk-core",
                         "vdk-sqlite"]):
            try:
                # Here the settings of the caller decide from where packages come.
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=240,
                                      env={**os.environ, "PIP_CONSTRAINT": str(constraint)})
            except subprocess.TimeoutExpired:
                return
            if done.returncode:
                print("  the original cannot be installed here: " + done.stderr.decode(errors="replace").strip()[-300:],
                      file=sys.stderr)
                return
        self.original = str(environment / "bin/vdk")

    def peer(self, *args, times=3, cwd=None):
        return self.measure([self.original, *map(str, args)], times=times, cwd=cwd) if self.original else None

    def run(self):
        python = self.measure(["/usr/bin/python3", "-c", "pass"])
        self.install_original()
        help_text, version = self.vdk("--help"), self.vdk("--version")
        self.note("vdk --help", help_text, 10, python, "python3 -c pass")
        if self.original:
            self.note("vdk --help", help_text, 10, self.peer("--help"), "original")
        self.note("vdk --version", version, 10, self.peer("version"), "original: version")
        self.run_jobs(python)
        self.service()
        self.many()
        self.memory(help_text)

    def run_jobs(self, python):
        sql = self.job("bench-sql", {"config.ini": "[vdk]\ndb_default_type = SQLITE\n", "10_make.sql": "CREATE TABLE IF NOT EXISTS t (a INTEGER);", "20_add.sql":
                                     "INSERT INTO t VALUES (1);"})
        step = self.job("bench-step", {"10_step.py": "def run(job_input):\n    pass\n"})
        self.note("run: SQL only", self.vdk("run", sql), 20, self.peer("run", sql), "original")
        one = self.vdk("run", step)
        budget = (python[0] * 1000 if python else 0) + 40
        self.note("run: one trivial Python step", one, budget, python, "python3 -c pass")
        if self.original:
            self.note("run: one trivial Python step", one, budget, self.peer("run", step), "original")
        self.ingest(100_000, 1000)
        # The original with one worker: with its ten it is faster and loses most of the rows.
        self.ingest(10_000, 1000, with_peer=True)
        many = self.ingest(1_000_000, 10_000)
        if many:
            self.rows.append(("peak memory: ingest 1,000,000 x 3", f"{many[1]:.1f} MiB", "-", "-", "-", "-"))

    def ingest(self, count, budget_ms, with_peer=False):
        """A step that sends so many rows to SQLite; every row has to be there afterwards."""
        what = f"ingest {count:,} x 3 into SQLite"
        database = self.dir / "numbers.db"
        settings = "[vdk]\ndb_default_type = SQLITE\ningester_number_of_worker_threads = 1\n"
        code = INGEST.replace("DATABASE", str(database)).replace("100000", str(count))
        job = self.job("bench-ingest", {"config.ini": settings, "10_step.py": code})

        def measured(command):
            database.unlink(missing_ok=True)
            with sqlite3.connect(database) as store:
                store.execute("CREATE TABLE numbers (a INTEGER, b TEXT, c REAL)")
            result = self.measure(command, times=1)
            with sqlite3.connect(database) as store:
                stored = store.execute("SELECT count(*) FROM numbers").fetchone()[0]
            if stored != count:
                print(f"  {what}: {command[0]} stored {stored} of {count} rows", file=sys.stderr)
            return result

        ours = measured([self.binary, "run", str(job)])
        peer = measured([self.original, "run", str(job)]) if with_peer and self.original else None
        self.note(what, ours, budget_ms, peer, "original, one worker")
        return ours

    def service(self):
        folder = self.job("bench-deploy", {"10_step.py": "def run(job_input):\n    pass\n"})
        command = ("deploy", "-n", "bench-deploy", "-t", "bench", "-p", folder, "-r", "bench")
        self.note("first deploy (builds the environment)", self.vdk(*command, times=1), 5000)
        self.note("redeploy, unchanged", self.vdk(*command, times=7), 50)
        edits = iter(range(1000))

        def edit():
            (folder / "10_step.py").write_text(f"def run(job_input):\n    print({next(edits)})\n")

        self.note("deploy, one step edited", self.vdk(*command, times=7, before=edit), 150)

    def many(self):
        """Copies the one deployed job inside the store: what is measured is reading."""
        (store_file,) = (self.dir / "home/service").glob("*.db")
        with sqlite3.connect(store_file) as store:
            for table, key in (("data_job", "name"), ("data_job_source", "job_name"),
                               ("desired_data_job_deployment", "data_job_name"),
                               ("actual_data_job_deployment", "data_job_name")):
                columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
                others = ", ".join(c for c in columns if c != key)
                store.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                              f"INSERT INTO {table} ({key}, {others}) SELECT printf('many-job-%06d', i), {others} "
                              f"FROM n, {table} WHERE {key} = 'bench-deploy'", (self.options.jobs - 1,))
        self.note(f"list over {self.options.jobs:,} deployed jobs", self.vdk("list", "-t", "bench", times=7), 100)
        self.note(f"list -mm -o json over {self.options.jobs:,} jobs", self.vdk("list", "-t", "bench", "-mm", "-o", "json", times=7), 100)

    def memory(self, help_text):
        for what, measured, budget in (("peak memory: vdk --help", help_text, 15),
                                       ("peak memory: vdk version", self.vdk("version", times=1), 15)):
            if measured:
                self.rows.append((what, f"{measured[1]:.1f} MiB", "-", "-", f"{budget} MiB",
                                  "yes" if measured[1] <= budget else "NO"))
        server = subprocess.Popen([self.binary, "server", "--port", "0"], env=dict(self.env(), VDK_CONTROL_SERVICE_HOME=str(self.dir / "idle")),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
        try:
            status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
            peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
            self.rows.append(("peak memory: idle server", f"{peak:.1f} MiB", "-", "-", "40 MiB", "yes" if peak <= 40 else "NO"))
        except (OSError, StopIteration):
            self.rows.append(("peak memory: idle server", "failed", "-", "-", "40 MiB", "-"))
        server.terminate()
        server.wait()

    def show(self):
        head = ("what", "vdk", "peer", "faster", "budget", "within")
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(len(head))]
        for row in [head, tuple("-" * width for width in widths), *self.rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.environ.get("VDK_BINARY", ROOT / "build" / "release" / "cli" / "vdk"))
    parser.add_argument("--no-original", action="store_true", help="do not install the original vdk as a peer")
    parser.add_argument("--jobs", type=int, default=10000)
    options = parser.parse_args()
    if not pathlib.Path(options.binary).is_file():
        parser.error(f"there is no {options.binary}: build it (cmake --preset release) or name it with --binary")
    bench = Bench(options)
    try:
        bench.run()
    finally:
        bench.show()
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
