# SPDX-License-Identifier: Apache-2.0
"""Create, run, deploy, show, execute, list, delete: the main job of vdk on the embedded service."""
import json
import stat
import unittest

from harness import VdkTest

STEP = "def run(job_input):\n    print('hello from', job_input.get_name())\n"


class Lifecycle(VdkTest):
    def deploy(self, name="first-job", files=None, config="[owner]\nteam = red\n[job]\nschedule_cron = 11 23 5 8 1\n"):
        folder = self.job(name, {"config.ini": config, **(files or {"10_step.py": STEP})})
        self.register(name)
        self.vdk("deploy", "-p", folder, "-r", "first")
        return folder

    def show(self, name="first-job", team="red"):
        rows = self.vdk("deploy", "--show", "-n", name, "-t", team, "-o", "json").json()
        return rows[0] if rows else None

    def test_the_whole_life_of_a_job(self):
        self.vdk("create", "-n", "first-job", "-t", "red", "-p", self.dir, "--local")
        folder = self.dir / "first-job"
        self.assertEqual({p.name for p in folder.iterdir()},
                         {"10_sql_step.sql", "20_python_step.py", "config.ini", "requirements.txt", "README.md"})
        self.assertRegex((folder / "config.ini").read_text(), r"(?m)^team = red$")
        self.vdk("run", folder)
        self.register("first-job")
        deployed = self.vdk("deploy", "-p", folder, "-r", "first", "-o", "json").json()
        self.assertEqual(list(deployed), ["job_name", "job_version", "python_version"])
        shown = self.show()
        self.assertEqual(list(shown)[:6], ["job_name", "job_version", "last_deployed_by", "last_deployed_date",
                                           "python_version", "enabled"])
        self.assertEqual(shown["job_version"], deployed["job_version"])
        self.assertRegex(shown["job_version"], "^[0-9a-f]{40}$")
        started = self.vdk("execute", "--start", "-n", "first-job", "-t", "red", "-o", "json").json()
        self.assertEqual(list(started), ["job_name", "team", "execution_id"])
        done = self.wait_execution("first-job", "red", started["execution_id"])
        self.assertEqual(done["status"], "succeeded", done)
        self.assertEqual(done["type"], "manual")
        self.assertTrue(done["started_by"].startswith("manual/vdk-control-cli"))
        self.assertEqual(done["job_version"], deployed["job_version"])
        self.assertEqual(done["python_version"], shown["python_version"])
        logs = self.vdk("execute", "--logs", "-n", "first-job", "-t", "red").out
        self.assertIn("20_python_step.py", logs)
        listed = self.vdk("list", "-t", "red", "-o", "json").json()
        self.assertEqual(listed, [{"job_name": "first-job", "job_team": "red", "status": "ENABLED",
                                   "schedule_cron": "11 23 5 8 1", "last_deployment_status": "SUCCESS"}]
                         if "last_deployment_status" in listed[0] else
                         [{"job_name": "first-job", "job_team": "red", "status": "ENABLED", "schedule_cron": "11 23 5 8 1"}])
        self.vdk("delete", "-n", "first-job", "-t", "red", "--yes")
        self.assertEqual(self.vdk("list", "-t", "red", "-o", "json").json(), [])
        self.vdk("deploy", "--show", "-n", "first-job", "-t", "red", code=5)

    def test_an_unchanged_redeploy_keeps_version_and_date(self):
        folder = self.deploy()
        before = self.show()
        again = self.vdk("deploy", "-p", folder)
        self.assertRegex(again.err, "(?i)unchanged|nothing")
        self.assertEqual(self.show(), before)

    def test_rolling_back_and_editing_give_the_expected_versions(self):
        folder = self.deploy()
        first = self.show()["job_version"]
        (folder / "10_step.py").write_text(STEP + "# two\n")
        self.vdk("deploy", "-p", folder)
        second = self.show()["job_version"]
        self.assertNotEqual(first, second)
        self.vdk("deploy", "--update", "-n", "first-job", "-t", "red", "--job-version", first)
        self.assertEqual(self.show()["job_version"], first)
        (folder / "10_step.py").write_text(STEP)
        self.vdk("deploy", "-p", folder)
        self.assertNotIn(self.show()["job_version"], (first, second), "reverted content is a new commit")

    def test_an_unknown_version_is_refused_and_the_deployment_stays(self):
        self.deploy()
        before = self.show()
        result = self.run_vdk("deploy", "--update", "-n", "first-job", "-t", "red", "--job-version", "f" * 40)
        self.assertNotEqual(result.code, 0, result)
        self.assertEqual(self.show(), before)

    def test_disable_keeps_through_a_redeploy_and_enable_brings_it_back(self):
        folder = self.deploy()
        self.vdk("deploy", "--disable", "-n", "first-job", "-t", "red")
        self.assertFalse(self.show()["enabled"])
        (folder / "10_step.py").write_text(STEP + "# two\n")
        self.vdk("deploy", "-p", folder)
        self.assertFalse(self.show()["enabled"])
        self.assertEqual(self.vdk("list", "-t", "red", "-o", "json").json()[0]["status"], "DISABLED")
        self.vdk("deploy", "--enable", "-n", "first-job", "-t", "red")
        self.assertTrue(self.show()["enabled"])

    def test_a_first_deploy_may_be_disabled(self):
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n", "a.py": STEP})
        self.register("first-job")
        self.vdk("deploy", "-p", folder, "--disable")
        self.assertFalse(self.show()["enabled"])

    def test_remove_takes_the_deployment_and_keeps_the_job(self):
        self.deploy()
        self.vdk("deploy", "--remove", "-n", "first-job", "-t", "red")
        self.assertIsNone(self.show())
        self.assertEqual(self.vdk("list", "-t", "red", "-o", "json").json(),
                         [{"job_name": "first-job", "job_team": "red", "status": "NOT_DEPLOYED"}])
        self.assertEqual(self.vdk("deploy", "--show", "-n", "first-job", "-t", "red").out.strip().splitlines()[-1], "No Data.")

    def test_dry_run_names_the_changed_file_and_stores_nothing(self):
        folder = self.deploy()
        before = self.show()
        (folder / "20_new.sql").write_text("select 1;")
        result = self.vdk("deploy", "-p", folder, "--dry-run")
        self.assertIn("20_new.sql", result.out + result.err)
        self.assertEqual(self.show(), before)

    def test_a_bad_schedule_is_refused_before_anything_is_stored(self):
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n[job]\nschedule_cron = 61 * * * *\n", "a.py": STEP})
        result = self.vdk("deploy", "-p", folder, code=2)
        self.assertIn("minute", result.err)
        self.assertIn("61", result.err)
        self.assertEqual(self.vdk("list", "-a", "-o", "json").json(), [])

    def test_broken_requirements_are_a_user_error_and_the_previous_deployment_goes_on(self):
        folder = self.deploy()
        version = self.show()["job_version"]
        (folder / "requirements.txt").write_text("./no-such-wheel-1.0-py3-none-any.whl\n")
        result = self.run_vdk("deploy", "-p", folder, env={"PIP_NO_INDEX": "1"})
        self.assertEqual(result.code, 1, result)
        self.assertIn("requirements", result.err)
        started = self.vdk("execute", "--start", "-n", "first-job", "-t", "red", "-o", "json").json()
        done = self.wait_execution("first-job", "red", started["execution_id"])
        self.assertEqual((done["status"], done["job_version"]), ("succeeded", version))

    def test_download_gives_the_deployed_files_back(self):
        folder = self.deploy(files={"10_step.py": STEP, "lib/helper.py": "x = 1\n"})
        target = self.dir / "elsewhere"
        target.mkdir()
        self.vdk("download-job", "-n", "first-job", "-t", "red", "-p", target)
        self.assertEqual((target / "first-job" / "lib" / "helper.py").read_text(), "x = 1\n")
        self.assertEqual((target / "first-job" / "config.ini").read_text(), (folder / "config.ini").read_text())
        self.assertNotEqual(self.run_vdk("download-job", "-n", "first-job", "-t", "red", "-p", target).code, 0)

    def test_properties_and_secrets_reach_a_deployed_run_and_secrets_are_encrypted_on_disk(self):
        self.deploy(files={"10_step.py": "def run(job_input):\n"
                                         "    assert job_input.get_property('a') == '5', job_input.get_all_properties()\n"
                                         "    assert job_input.get_secret('s') == 'canary-' + '5121', 'no secret'\n"
                                         "    p = job_input.get_all_properties(); p['b'] = 7\n"
                                         "    job_input.set_all_properties(p)\n"})
        where = ("-n", "first-job", "-t", "red")
        self.vdk("properties", *where, "--set", "a", "5")
        self.vdk("secrets", *where, "--set", "s", "canary-5121")
        started = self.vdk("execute", "--start", *where, "-o", "json").json()
        self.assertEqual(self.wait_execution("first-job", "red", started["execution_id"])["status"], "succeeded",
                         self.run_vdk("execute", "--logs", *where))
        self.assertEqual(self.vdk("properties", *where, "--list", "-o", "json").json(), {"a": "5", "b": 7})
        for file in self.home.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"canary-5121", file.read_bytes(), file)

    def test_a_failing_job_is_a_user_error_with_its_reason_in_the_logs(self):
        self.deploy(files={"10_step.py": "def run(job_input):\n    raise KeyError('lost')\n"})
        result = self.run_vdk("execute", "--start", "--wait", "-n", "first-job", "-t", "red")
        self.assertEqual(result.code, 1, result)
        rows = self.vdk("execute", "--list", "-n", "first-job", "-t", "red", "-o", "json").json()
        self.assertEqual(rows[0]["status"], "user_error")
        logs = self.vdk("execute", "--logs", "-n", "first-job", "-t", "red").out
        self.assertIn("KeyError", logs)
        self.assertRegex(logs, r"\[VDK\] first-job \[")

    def test_a_second_start_conflicts_and_cancel_ends_the_first(self):
        self.deploy(files={"10_step.py": "import time\ndef run(job_input):\n    time.sleep(600)\n"})
        where = ("-n", "first-job", "-t", "red")
        started = self.vdk("execute", "--start", *where, "-o", "json").json()["execution_id"]
        self.vdk("execute", "--start", *where, code=6)
        self.wait_until(lambda: self.vdk("execute", "--show", *where, "-i", started, "-o", "json").out.find("running") > 0)
        self.vdk("execute", "--cancel", *where, "-i", started)
        self.assertEqual(self.wait_execution("first-job", "red", started)["status"], "cancelled")
        again = self.vdk("execute", "--start", *where, "-o", "json").json()["execution_id"]
        self.vdk("execute", "--cancel", *where, "-i", again)
        self.assertEqual(self.wait_execution("first-job", "red", again)["status"], "cancelled")

    def test_another_team_does_not_find_the_job(self):
        self.deploy()
        for command in (("show",), ("deploy", "--show"), ("execute", "--list"), ("delete", "--yes"), ("download-job", "-p", self.home)):
            result = self.run_vdk(*command, "-n", "first-job", "-t", "blue")
            self.assertEqual(result.code, 5, (command, result))

    def test_a_keytab_in_the_folder_is_refused(self):
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n", "a.py": STEP, "sub/x.keytab": "k"})
        result = self.vdk("deploy", "-p", folder, code=2)
        self.assertIn("x.keytab", result.err)

    def test_files_of_the_service_are_private(self):
        self.deploy()
        home = self.home / ".local/share/vdk"
        self.assertEqual(stat.S_IMODE(home.stat().st_mode), 0o700)

    def test_arguments_reach_the_steps_of_an_execution(self):
        self.deploy(files={"10_step.py": "def run(job_input):\n    print('got', job_input.get_arguments()['word'])\n"})
        self.vdk("execute", "--start", "--wait", "-n", "first-job", "-t", "red", "--arguments", json.dumps({"word": "o'k"}))
        self.assertIn("got o'k", self.vdk("execute", "--logs", "-n", "first-job", "-t", "red").out)
        self.vdk("execute", "--start", "-n", "first-job", "-t", "red", "--arguments", "{bad", code=2)


class Names(VdkTest):
    def test_the_name_rule_is_six_to_fifty(self):
        for name in ("short", "Upper-case", "1digit-first", "under_score", "x" * 51):
            result = self.run_vdk("create", "-n", name, "-t", "red", "-p", self.dir, "--local")
            self.assertEqual(result.code, 2, (name, result))
            self.assertFalse((self.dir / name).exists())
        self.vdk("create", "-n", "x" * 50, "-t", "red", "-p", self.dir, "--local")

    def test_create_does_not_touch_an_existing_folder(self):
        (self.dir / "first-job").mkdir()
        (self.dir / "first-job" / "mine").write_text("mine")
        self.vdk("create", "-n", "first-job", "-t", "red", "-p", self.dir, "--local", code=6)
        self.assertEqual([p.name for p in (self.dir / "first-job").iterdir()], ["mine"])

    def test_every_template_makes_a_job_that_runs(self):
        for template in ("sql", "python", "notebook", "ingest"):
            name = f"{template}-template-job"
            self.vdk("create", "-n", name, "-t", "red", "-p", self.dir, "--local", "--template", template)
            self.vdk("run", self.dir / name)


if __name__ == "__main__":
    unittest.main()
