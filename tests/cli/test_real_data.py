# SPDX-License-Identifier: Apache-2.0
"""The flights (200,000 or more, by package version) and the airports of `vega-datasets`: a Python job with pandas and a SQL job over its database."""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import ROOT, VdkTest


def fetch_data():
    """The folder with the data files, fetched once per machine; None where the package index cannot be reached."""
    cache = pathlib.Path(tempfile.gettempdir()) / "vdk-vega-datasets"
    done = subprocess.run([str(ROOT / "scripts" / "fetch-data"), str(cache)], capture_output=True, text=True)
    return cache if done.returncode == 0 else None


class RealData(VdkTest):
    def test_flights_are_ingested_joined_and_aggregated(self):
        data = fetch_data()
        if data is None:
            self.skipTest("the package index cannot be reached")
        database = self.dir / "flights.db"
        jobs = self.dir / "jobs"
        shutil.copytree(ROOT / "tests" / "fixtures" / "jobs", jobs)
        env = {"VDK_SQLITE_FILE": str(database), "FLIGHTS_DATA": str(data)}
        deployed = self.run_vdk("deploy", "-p", jobs / "ingest-flights", env=env, timeout=600)
        if deployed.code and "pandas" in deployed.err and ("No matching distribution" in deployed.err or "not found" in deployed.err):
            self.skipTest("pandas cannot be installed: the package index cannot be reached")
        self.assertEqual(deployed.code, 0, deployed)
        shown = self.vdk("deploy", "--show", "-n", "ingest-flights", "-t", "demo", "-o", "json").json()[0]
        self.assertTrue([r for r in shown["resolved_requirements"] if r.startswith("pandas==")])
        result = self.run_vdk("execute", "--start", "--wait", "-n", "ingest-flights", "-t", "demo", env=env, timeout=300)
        self.assertEqual(result.code, 0, self.run_vdk("execute", "--logs", "-n", "ingest-flights", "-t", "demo"))
        with sqlite3.connect(database) as connection:
            self.assertEqual(connection.execute("select count(*) from flights").fetchone(), (len(json.loads((data / "flights-200k.json").read_text())),))
            self.assertGreater(connection.execute("select count(*) from airports").fetchone()[0], 3000)
        self.vdk("deploy", "-p", jobs / "flight-delays", env=env)
        self.vdk("execute", "--start", "--wait", "-n", "flight-delays", "-t", "demo", env=env)
        with sqlite3.connect(database) as connection:
            rows = connection.execute("select state, flights, average_delay from delays_by_state").fetchall()
            expected = connection.execute(
                "select a.state, count(*), avg(f.delay) from flights f join airports a on a.iata = f.origin group by a.state").fetchall()
        self.assertEqual(sorted(rows, key=str), sorted(expected, key=str))
        self.assertGreater(len(rows), 40)


if __name__ == "__main__":
    unittest.main()
