# SPDX-License-Identifier: Apache-2.0
"""What a demanding user tries: odd input, odd combinations, odd surroundings."""
import sqlite3
import subprocess
import unittest

from harness import BINARY, VdkTest

CONFIG = "[owner]\nteam = team-a\n[job]\nschedule_cron = {cron}\npython_version = {python}\n"


class Walkthrough(VdkTest):
    def test_a_wrong_schedule_points_into_config_ini(self):
        job = self.job("cron-job", {"1.sql": "select 1", "config.ini": CONFIG.format(cron="* 99 * * *", python="")})
        error = self.vdk("deploy", "-p", job, code=2).err
        self.assertIn(f"  --> {job}/config.ini:4:19\n  schedule_cron = * 99 * * *\n                    ^^\n", error)
        place = self.vdk("deploy", "-p", job, "-o", "json", code=2).json()["error"]["location"]
        self.assertEqual((place["file"], place["line"], place["column"]), (f"{job}/config.ini", 4, 19))
        self.assertEqual(self.vdk("list", "-a", "-o", "json").json(), [])

    def test_an_unsupported_python_of_config_ini_points_into_it(self):
        job = self.job("python-job", {"1.sql": "select 1", "config.ini": CONFIG.format(cron="", python="2.7")})
        error = self.vdk("deploy", "-p", job, code=6).err
        self.assertIn(f"  --> {job}/config.ini:5:18\n  python_version = 2.7\n                   ^^^\n", error)
        flag = self.vdk("deploy", "-p", job, "--python-version", "2.8", code=6).err
        self.assertNotIn("-->", flag)

    def test_a_schedule_of_the_command_line_has_no_place_in_a_file(self):
        error = self.vdk("schedule", "preview", "* 99 * * *", code=2)
        self.assertNotIn("-->", error.err)
        self.assertIn("\n  * 99 * * *\n    ^^\n", error.err)
        as_json = self.vdk("schedule", "preview", "* 99 * * *", "-o", "json", code=2).json()
        self.assertNotIn("file", as_json["error"]["location"])

    def test_operations_of_execute_that_exclude_each_other_are_refused(self):
        job = self.job("some-job", {"1.sql": "select 1", "config.ini": CONFIG.format(cron="", python="")})
        self.vdk("deploy", "-p", job)
        for flags in (("--start", "--cancel"), ("--list", "--show"), ("--start", "--list"), ("--wait", "--cancel")):
            error = self.vdk("execute", "-n", "some-job", *flags, code=2).err
            self.assertIn(" together with ", error, flags)
        self.assertEqual(self.vdk("execute", "-n", "some-job", "--list", "-o", "json").json(), [])

    def test_a_team_of_several_lines_is_refused_everywhere(self):
        for where in ("--local", "--cloud"):
            self.vdk("create", "-n", "team-job", "-t", "a\n[job]\nx = 1", where, code=2)
        self.assertEqual(self.vdk("list", "-a", "-o", "json").json(), [])

    def test_a_broken_standard_output_is_an_error_and_no_crash(self):
        for arguments in (["list", "-a"], ["list", "-a", "-o", "json"], ["list", "-o", "yaml", "-ojson"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([str(BINARY), *arguments], env=self.env(), stdin=subprocess.DEVNULL, stdout=full,
                                      stderr=subprocess.PIPE, text=True, cwd=self.dir, timeout=30)
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertIn("error: ", done.stderr)

    def test_a_database_that_cannot_be_written_does_not_print_what_was_to_be_stored(self):
        self.vdk("create", "-n", "some-job", "-t", "team-a", "--cloud")
        path = self.home / ".local/share/vdk/control.db"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TRIGGER refuse BEFORE INSERT ON job_properties "
                             "BEGIN SELECT RAISE(ABORT, 'refused here'); END")
        database.close()
        error = self.vdk("properties", "-n", "some-job", "--set", "key", "hidden-value", code=1).err
        self.assertIn("refused here", error)
        self.assertNotIn("hidden-value", error)
        self.assertNotIn("INSERT", error)

    def test_without_any_python_the_reason_is_said(self):
        tools = self.dir / "tools"
        tools.mkdir()
        self.path = str(tools)
        job = self.job("python-job", {"1.py": "def run(job_input): pass", "config.ini": "[owner]\nteam = team-a\n"})
        self.assertIn("cannot find a Python interpreter", self.vdk("deploy", "-p", job, code=1).err)
        self.assertIn("none: no working Python was found", self.vdk("info").out)


if __name__ == "__main__":
    unittest.main()
