#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the control service costs with many jobs, beside nginx that serves the same bytes from a file. Never fails by time.

Usage: bench_server.py [--binary PATH] [--jobs N] [--postgresql] [--seconds N]
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
TABLES = (("data_job", "name"), ("data_job_source", "job_name"), ("desired_data_job_deployment", "data_job_name"),
          ("actual_data_job_deployment", "data_job_name"))
QUERY = ('{ jobs(pageNumber: 1, pageSize: 100, filter: [{ property: "config.team", pattern: "bench", sort: ASC }, '
         '{ property: "jobName", sort: ASC }]) { content { jobName config { team description schedule { scheduleCron }  }  '
         'deployments { enabled status }  }  }  }')


class Bench:
    def __init__(self, options, database_url):
        self.options, self.url = options, database_url
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-bench."))
        self.home = self.dir / "home" / "service"
        (self.dir / "home").mkdir()
        self.config = self.dir / "server.yaml"
        self.config.write_text(f"database:\n  url: {json.dumps(database_url)}\n" if database_url else "{}\n")
        self.config.chmod(0o600)

    def env(self):
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8",
                "VDK_CONTROL_SERVICE_HOME": str(self.home)}

    @contextlib.contextmanager
    def server(self):
        log = self.dir / "server.log"
        with open(log, "wb") as file:
            process = subprocess.Popen([self.options.binary, "server", "--port", "0", "--config", str(self.config)], env=self.env(),
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        try:
            end = time.monotonic() + 30
            while time.monotonic() < end:
                found = re.search(r"listens on (http://\S+)", log.read_text(errors="replace"))
                if found:
                    self.process = process
                    yield found[1].rstrip(".;,")
                    return
                time.sleep(0.05)
            raise SystemExit("the server does not start:\n" + log.read_text(errors="replace")[-2000:])
        finally:
            process.terminate()
            process.wait()

    def vdk(self, *args):
        return subprocess.run([self.options.binary, *map(str, args)], env=self.env(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, cwd=self.dir, check=True).stdout

    def timed(self, work, times=9):
        seconds = []
        for _ in range(times):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds) * 1000

    def multiply(self, first, count):
        """Copies the one deployed job inside the database: what is measured is reading."""
        if not self.url:
            with sqlite3.connect(self.home / "control.db") as store:
                for table, key in TABLES:
                    columns = ", ".join(row[1] for row in store.execute(f"PRAGMA table_info({table})") if row[1] != key)
                    store.execute(f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO "
                                  f"{table} ({key}, {columns}) SELECT printf('many-job-%06d', i), {columns} FROM n, {table} "
                                  f"WHERE {key} = 'bench-deploy'")
            return
        script = ""
        for table, key in TABLES:
            columns = subprocess.run(["psql", self.url, "-Atc", f"SELECT string_agg(column_name, ', ') FROM information_schema.columns "
                                      f"WHERE table_name = '{table}' AND column_name <> '{key}'"], capture_output=True, text=True,
                                     check=True).stdout.strip()
            script += (f"INSERT INTO {table} ({key}, {columns}) SELECT 'many-job-' || lpad(i::text, 6, '0'), {columns} "
                       f"FROM generate_series({first}, {count}) i, {table} WHERE {key} = 'bench-deploy';\n")
        subprocess.run(["psql", self.url, "-qc", script + "ANALYZE;"], check=True, capture_output=True)

    def wrk(self, url):
        done = subprocess.run(["wrk", "-t2", "-c64", f"-d{self.options.seconds}s", "--latency", url], capture_output=True, text=True)
        rate = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
        p99 = re.search(r"99%\s+(\S+)", done.stdout)
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
        return f"{float(rate[1]):9,.0f} /s" if rate else done.stderr[-200:], p99[1] if p99 else "-", bad[1] if bad else "0"

    @contextlib.contextmanager
    def nginx(self, content):
        root = self.dir / "www"
        root.mkdir(exist_ok=True)
        (root / "file").write_bytes(content)
        with __import__("socket").socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = self.dir / "nginx.conf"
        config.write_text(f"daemon off; pid {self.dir}/nginx.pid; error_log {self.dir}/nginx.log; worker_processes 2; "
                          f"{'user root;' if os.geteuid() == 0 else ''} events {{}} http {{ access_log off; default_type application/json; "
                          f"server {{ listen 127.0.0.1:{port}; root {root}; }} }}")
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin")
        process = subprocess.Popen([program, "-c", str(config), "-p", str(self.dir)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            yield f"http://127.0.0.1:{port}/file"
        finally:
            process.terminate()
            process.wait()

    def run(self):
        folder = self.dir / "bench-deploy"
        folder.mkdir()
        (folder / "config.ini").write_text("[owner]\nteam = bench\n[job]\nschedule_cron = 0 0 1 1 *\n")
        (folder / "10_step.py").write_text("def run(job_input):\n    pass\n")
        with self.server() as url:
            self.vdk("create", "--cloud", "-n", "bench-deploy", "-t", "bench", "-u", url)
            self.vdk("deploy", "-p", folder, "-r", "bench", "-u", url)
            self.multiply(1, self.options.jobs - 1)
            print(f"{self.options.jobs:,} deployed jobs in {'PostgreSQL' if self.url else 'SQLite'}")
            query_url = f"{url}/data-jobs/for-team/bench/jobs?query={urllib.parse.quote(QUERY)}"
            job_url = f"{url}/data-jobs/for-team/bench/jobs/bench-deploy"
            def fetch(address):
                with urllib.request.urlopen(address) as answer:
                    return answer.read()
            print(f"first page of the jobs query    {self.timed(lambda: fetch(query_url)):8.1f} ms")
            print(f"vdk list of all over REST       {self.timed(lambda: self.vdk('list', '-t', 'bench', '-u', url), 3):8.1f} ms")
            print(f"GET job                         {self.timed(lambda: fetch(job_url)):8.1f} ms")
            if shutil.which("wrk"):
                for name, address in (("GET job", job_url), ("jobs query", query_url)):
                    rate, p99, bad = self.wrk(address)
                    print(f"wrk -c64 {name:<12} {rate}  p99 {p99}  bad answers {bad}")
                    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin"):
                        with self.nginx(fetch(address)) as peer:
                            rate, p99, bad = self.wrk(peer)
                            print(f"  nginx, same bytes   {rate}  p99 {p99}  bad answers {bad}")
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            print("peak memory of the server       ", re.search(r"VmHWM:\s*(\d+)", status)[1], "kB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.environ.get("VDK_BINARY", str(ROOT / "build" / "release" / "cli" / "vdk")))
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    if options.postgresql:
        import postgres
        context = postgres.Server()
    else:
        context = contextlib.nullcontext()
    with context as database:
        bench = Bench(options, database.create_database() if database else "")
        try:
            bench.run()
        finally:
            shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
