# SPDX-License-Identifier: Apache-2.0
"""What a demanding user tries: odd input, odd combinations, odd surroundings."""
import unittest

from harness import VdkTest

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


if __name__ == "__main__":
    unittest.main()
