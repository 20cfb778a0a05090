#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/images/operations-*.png: a real server with jobs deployed by vdk and a made-up history of their executions.

Needs VDK_BINARY, Chromium, npm; looks best with Debian's fonts-inter and fonts-jetbrains-mono, and optipng makes the files small.
"""
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
from test_page import Served, chromium, driver_folder  # noqa: E402

STEP = "def run(job_input):\n    pass\n"
LOAD = """import time


def run(job_input):
    for airport in ("SFO", "ORD", "ATL", "DEN", "JFK", "LAX", "SEA", "BOS"):
        print("loaded", airport, flush=True)
        time.sleep(20)
"""
# name, team, description, schedule, Python, options, weights of success / user error / platform error
JOBS = [
    ("airport-weather", "flight-data", "Hourly observations of 300 airports", "12 * * * *", 0, [], (40, 0, 0)),
    ("baggage-claims", "operations", "Claims of the last day by airport and carrier", "30 4 * * *", 0, [], (30, 1, 0)),
    ("booking-funnel", "growth", "From search to seat, by market and device", "*/15 * * * *", 1, [], (60, 0, 1)),
    ("carbon-report", "finance", "Fuel burned and offsets bought, by route", "0 6 1 * *", 0, [], (9, 0, 0)),
    ("crew-roster", "operations", "Duty times of crews against the legal limits", "0 */4 * * *", 2, [], (40, 2, 0)),
    ("currency-rates", "finance", "Daily reference rates for the ledger", "45 15 * * 1-5", 0, [], (30, 0, 0)),
    ("customer-churn", "growth", "Scores of frequent flyers who may leave", "0 3 * * 1", 1, [], (9, 4, 0)),
    ("delay-forecast", "flight-data", "Departure delays for the next twelve hours", "*/30 * * * *", 1, [], (60, 0, 0)),
    ("fare-history", "growth", "Every published fare since 2019", "20 1 * * *", 0, ["--disable"], (12, 0, 0)),
    ("flights-ingest", "flight-data", "Departures and arrivals of yesterday, cleaned and joined with weather", "0 2 * * *", 0, [], (36, 2, 1)),
    ("fuel-invoices", "finance", "Matches invoices with what was pumped", "15 7 * * 1-5", 2, [], (20, 0, 2)),
    ("gate-changes", "operations", "Late changes of gates, for the app", "*/5 * * * *", 0, [], (80, 0, 0)),
    ("loyalty-tiers", "growth", "Who moves up, who moves down", "0 5 1 * *", 1, ["broken"], (6, 0, 0)),
    ("maintenance-log", "operations", "Findings of technicians as rows", "10 * * * *", 0, [], (40, 0, 0)),
]
VERSIONS = sys.argv[1].split(",") if len(sys.argv) > 1 else ["3.11", "3.11", "3.11"]
SECOND = 1_000_000


def deploy(served, name, team, schedule, python, options):
    files = {"config.ini": f"[owner]\nteam = {team}\n[job]\nschedule_cron = {schedule}\npython_version = {VERSIONS[python]}\n"
                           "[contacts]\nnotified_on_job_failure_user_error = data@example.com\n",
             "10_load.py": LOAD if name == "flights-ingest" else STEP}
    if "broken" in options:
        files["requirements.txt"] = "--no-index\npandas-extras==2.1\n"
    flags = ["--disable", "-n", name, "-t", team] if "--disable" in options else []
    served.vdk("deploy", "-p", served.job(name, files), "-r", "first", *flags, code=int("broken" in options))


def describe(served, name, team, text):
    job = json.loads(served.rest("GET", f"{team}/jobs/{name}"))
    served.rest("PUT", f"{team}/jobs/{name}", {**job, "description": text})


def make_history(served, name, weights, chance):
    """Older executions after the model of the real one, which goes away unless it is still running."""
    (path,) = [p for p in served.home.rglob("*.db")]
    with sqlite3.connect(path, timeout=30) as store:
        store.row_factory = sqlite3.Row
        row = dict(store.execute("SELECT * FROM data_job_execution WHERE job_name = ? ORDER BY submitted_time LIMIT 1", [name]).fetchone())
        unit = 1000 if row["submitted_time"] < 10**14 else SECOND
        gap = {"*/5": 300, "*/15": 900, "*/30": 1800}.get(row["job_schedule"].split()[0], 3600 * 24 if row["job_schedule"].split()[1].isdigit() else 3600)
        begin = row["submitted_time"] - chance.randrange(400, max(401, gap)) * unit
        for i in range(sum(weights)):
            status = chance.choices((2, 6, 7), weights)[0] if i or weights[1] < 3 else 6
            start = begin - i * gap * unit
            took = chance.gauss(140, 30) if status == 2 else chance.uniform(5, 90)
            message = {2: "", 6: "Step 20_join.py: KeyError: 'tail_number'", 7: "The database closed the connection"}[status]
            new = {**row, "id": f"{name}-{29921240 - i * gap // 60}", "status": status, "type": 1, "started_by": "scheduled/runtime", "message": message,
                   "submitted_time": start, "scheduled_time": start, "start_time": start, "end_time": start + int(max(3, took) * unit)}
            store.execute(f"INSERT INTO data_job_execution ({', '.join(new)}) VALUES ({', '.join('?' * len(new))})", list(new.values()))
        if row["end_time"]:
            store.execute("DELETE FROM data_job_execution WHERE id = ?", [row["id"]])


def main():
    served, chance = Served(), random.Random(7)
    served.path = ":".join([*sys.argv[2:], served.path])
    served.setUp()
    try:
        served.serve()
        for name, team, text, schedule, python, options, weights in JOBS:
            deploy(served, name, team, schedule, python, options)
            describe(served, name, team, text)
            if "broken" not in options and name != "flights-ingest":
                served.vdk("execute", "--start", "-n", name, "-t", team)
                served.wait_execution(name, team)
                make_history(served, name, weights, chance)
        served.register("no-show-model", "growth", "A first sketch, not deployed yet")
        served.vdk("execute", "--start", "-n", "flights-ingest", "-t", "flight-data")
        served.wait_until(lambda: json.loads(served.rest("GET", "flight-data/jobs/flights-ingest/executions"))[0]["status"] == "running", 30)
        make_history(served, "flights-ingest", (36, 2, 1), chance)
        images = ROOT / "docs" / "images"
        done = subprocess.run(["node", "shots.mjs", chromium(), served.base, str(images)], cwd=driver_folder(), timeout=120)
        for image in images.glob("operations-*.png"):
            if shutil.which("optipng"):
                subprocess.run(["optipng", "-quiet", "-o5", str(image)], check=True)
            print(image.name, image.stat().st_size, "bytes")
        return done.returncode
    finally:
        served.doCleanups()


if __name__ == "__main__":
    sys.exit(main())
