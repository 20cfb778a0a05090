# SPDX-License-Identifier: Apache-2.0
"""The same jobs under our binary and under the original from the package index: exit code, steps, blame, output, tables."""
import concurrent.futures
import json
import sqlite3
import unittest

import original
from harness import VdkTest
from original_jobs import ARGUMENTS, JOBS, MORE, step


def tables(folder):
    """The columns and rows of all databases in the folder."""
    found = {}
    for file in sorted(folder.glob("*.db")):
        with sqlite3.connect(file) as connection:
            for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
                columns = [(column[1].lower(), column[2]) for column in connection.execute(f'pragma table_info("{name}")')]
                found[file.name, name] = columns, sorted(connection.execute(f'select * from "{name}"').fetchall(), key=repr)
    return found


class OriginalJobs(VdkTest):
    def outcome(self, name, files, who):
        """What comes out of a job under 'ours' or the 'original'."""
        folder = self.dir / who / name
        folder.mkdir(parents=True)
        job = self.job(name, files, self.dir / who / name)
        env = {"VDK_DB_DEFAULT_TYPE": "sqlite", "VDK_INGEST_METHOD_DEFAULT": "sqlite", "VDK_SQLITE_FILE": str(folder / "main.db"),
               "VDK_INGEST_TARGET_DEFAULT": str(folder / "main.db"), "JOB_RUN_SUMMARY_FILE_PATH": str(folder / "summary.json"),
               "VDK_INGESTION_PAYLOAD_AGGREGATOR_TIMEOUT_SECONDS": "0"}  # the original waits two seconds otherwise
        args = ["run", job, *(["--arguments", ARGUMENTS[name]] if name in ARGUMENTS else [])]
        if who == "ours":
            done = self.run_vdk(*args, env=env, cwd=folder)
            code, out = done.code, done.out
        else:
            done = original.run(self, "vdk", *args, env=env, cwd=folder, folder=original.runner())
            code, out = done.returncode, done.stdout
        summary = json.loads((folder / "summary.json").read_text())
        steps = {one["name"]: one["status"] for one in summary["steps"]}
        return {"code": code, "steps": steps, "blamed": summary["blamee"] if code else None,
                "out": [line for line in out.splitlines() if line.strip()], "tables": tables(folder)}

    def outcomes(self, jobs, who):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            running = {name: pool.submit(self.outcome, name, about[0], who) for name, about in jobs.items()}
            return {name: one.result() for name, one in running.items()}

    def test_jobs_end_as_they_do_in_the_original(self):
        ours = self.outcomes(JOBS, "ours")
        for name, (_, code, blamed, steps) in JOBS.items():
            with self.subTest(job=name):
                self.assertEqual((ours[name]["code"], ours[name]["blamed"], ours[name]["steps"]), (code, blamed, steps))
        original.runner()
        theirs = self.outcomes(JOBS, "original")
        for name in JOBS:
            with self.subTest(job=name, beside="the original"):
                self.assertEqual(ours[name], theirs[name])

    def test_what_the_original_fails_at_works(self):
        for name, done in self.outcomes(MORE, "ours").items():
            with self.subTest(job=name):
                self.assertEqual(done["code"], 0)
        original.runner()
        for name, done in self.outcomes(MORE, "original").items():
            with self.subTest(job=name, beside="the original"):
                self.assertEqual(done["code"], MORE[name][1])

    def test_what_a_failed_run_says_has_the_form_of_the_original(self):
        def said(who):
            folder = self.dir / who
            folder.mkdir()
            job = self.job("told", {"10.py": step("print('fine')"), "20.py": step("helper()", "def helper():\n    raise KeyError('gone')")},
                           folder)
            env = {"JOB_RUN_SUMMARY_FILE_PATH": str(folder / "summary.json"), "VDK_TEMPORARY_WRITE_DIRECTORY": "work"}
            log = (self.run_vdk("run", job, env=env, cwd=folder).err if who == "ours" else
                   original.run(self, "vdk", "run", job, env=env, cwd=folder, folder=original.runner()).stderr)
            results = log.split("Step results:\n")[1].split("KeyError: 'gone'")[0].replace(str(folder), "")
            return results, json.loads((folder / "summary.json").read_text())["details"]
        self.assertEqual(said("ours"), said("original"))

    def test_queries_print_what_the_original_prints(self):
        queries = (("sqlite-query", "create table cars (day text, name text, price real, count int)"),
                   ("sql-query", "insert into cars values ('2024-01-31', 'a', 123.0, 1), (null, 'béta', 1.25, 20), ('x', '', -3.5, null)"),
                   ("sqlite-query", "select * from cars order by name"), ("sql-query", "select * from cars order by name"),
                   ("sqlite-query", "select name, count from cars where 0"), ("sql-query", "select count, count(*) from cars"))

        def printed(who):
            env = {"VDK_DB_DEFAULT_TYPE": "sqlite", "VDK_SQLITE_FILE": str(self.dir / f"{who}.db")}
            for command, query in queries:
                if who == "ours":
                    yield self.vdk(command, "-q", query, env=env).out
                else:
                    yield original.run(self, "vdk", command, "-q", query, env=env, code=0, folder=original.runner()).stdout.strip("\n") + "\n"
        theirs = list(printed("original"))
        self.assertEqual(list(printed("ours")), ["" if text == "\n" else text for text in theirs])


if __name__ == "__main__":
    unittest.main()
