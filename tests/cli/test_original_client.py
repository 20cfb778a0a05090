# SPDX-License-Identifier: Apache-2.0
"""The original Python clients, unmodified, against `vdk server`; and the rows that they and our client leave behind."""
import json
import subprocess
import unittest

import original
from harness import VdkTest

STEP = """import time

def run(job_input):
    arguments = job_input.get_arguments()
    print("hello from the step, arguments", arguments)
    time.sleep(float(arguments.get("sleep", 0)))
"""
CONFIG = """[owner]
team = some team
[job]
schedule_cron = 0 0 1 1 *
python_version = 3.11
[contacts]
notified_on_job_deploy = deploy@example.invalid; other@example.invalid
notified_on_job_success = success@example.invalid
"""


class OriginalClient(VdkTest):
    def setUp(self):
        super().setUp()
        original.environment()
        self.url = self.serve()
        self.team = ["-t", "some team", "-u", self.url]
        self.named = ["-n", "some-job", *self.team]

    def vdkcli(self, *args, code=0):
        return original.run(self, "vdkcli", *args, code=code)

    def rows(self, *args):
        return json.loads(self.vdkcli(*args, "-o", "json").stdout)

    def folder(self, config=CONFIG):
        return self.job("some-job", {"config.ini": config, "10_step.py": STEP, "requirements.txt": "", "data/a file.txt": "content\n"})

    def deployed(self, **wanted):
        def fits():
            shown = self.rows("deploy", "--show", *self.named)
            return shown[0] if shown and all(shown[0][key] == value for key, value in wanted.items()) else None
        return self.wait_until(fits, 60, f"a deployment with {wanted}")

    def finished(self, execution):
        def over():
            row = self.rows("execute", "--show", "-i", execution, *self.named)
            row = row[0] if isinstance(row, list) else row
            return row if row["status"] not in ("submitted", "running") else None
        return self.wait_until(over, 60, f"execution {execution}")

    def start(self, *args):
        return self.rows("execute", "--start", *args, *self.named)["execution_id"]

    def test_the_whole_life_of_a_job(self):
        info = self.vdkcli("info", *self.team).stdout
        self.assertIn("\t3.11", info)
        created = self.vdkcli("create", "--cloud", *self.named)
        self.assertIn("created and registered", created.stderr)
        again = self.vdkcli("create", "--cloud", *self.named)
        self.assertIn("already exists in cloud runtime", again.stderr)
        self.assertEqual(self.rows("list", *self.team), [{"job_name": "some-job", "job_team": "some team", "status": "NOT_DEPLOYED"}])

        folder = self.folder()
        answer = self.rows("deploy", "-p", folder, "-r", "why not", *self.named)
        self.assertEqual(answer["python_version"], "3.11")
        version = answer["job_version"]
        shown = self.deployed(job_version=version)
        self.assertEqual((shown["python_version"], shown["enabled"]), ("3.11", True))
        self.vdkcli("deploy", "-p", folder, "-r", "nothing new", *self.named)
        self.assertEqual(self.deployed()["job_version"], version)

        plain = self.rows("list", *self.team)
        self.assertEqual(plain, [{"job_name": "some-job", "job_team": "some team", "status": "ENABLED", "schedule_cron": "0 0 1 1 *"}])
        self.assertEqual(self.rows("list", "-m", *self.team)[0]["job_version"], version)
        contacts = self.rows("list", "-mm", *self.team)[0]
        self.assertEqual(contacts["notified_on_deploy"], ["deploy@example.invalid", "other@example.invalid"])
        self.assertIn("│ some-job   │ some team  │ ENABLED  │ 0 0 1 1 *", self.vdkcli("list", *self.team).stdout)

        self.vdkcli("deploy", "--disable", *self.named)
        self.assertEqual(self.rows("list", *self.team)[0]["status"], "DISABLED")
        self.vdkcli("deploy", "--enable", *self.named)
        self.deployed(enabled=True)

        execution = self.start("--arguments", '{"who": "original"}')
        row = self.finished(execution)
        self.assertEqual((row["status"], row["type"], row["job_version"]), ("succeeded", "manual", version))
        self.assertEqual(row["started_by"], "manual/vdk-control-cli/null")
        self.assertIn("hello from the step, arguments {'who': 'original'}", self.vdkcli("execute", "--logs", "-i", execution, *self.named).stdout)
        self.assertIn("hello from the step", self.vdkcli("execute", "--logs", *self.named).stdout)
        self.assertEqual(self.rows("list", "-mmm", *self.team)[0]["last_execution_status"].lower(), "succeeded")

        slow = self.start("--arguments", '{"sleep": 60}')
        busy = self.vdkcli("execute", "--start", *self.named, code=2)
        self.assertIn("currently being executed", busy.stderr)
        self.vdkcli("execute", "--cancel", "-i", slow, *self.named)
        self.assertEqual(self.finished(slow)["status"], "cancelled")
        over = self.vdkcli("execute", "--cancel", "-i", slow, *self.named, code=2)
        self.assertIn("cannot be cancelled", over.stderr)
        self.assertEqual(len(self.rows("execute", "--list", *self.named)), 2)

        self.vdkcli("properties", "--set", "number", "5", "--set", "text", "ünï", *self.named)
        self.assertEqual(self.rows("properties", "--list", *self.named), {"number": "5", "text": "ünï"})
        self.vdkcli("properties", "--delete", "number", *self.named)
        self.assertEqual(self.rows("properties", "--get", "text", *self.named), {"text": "ünï"})
        self.vdkcli("secrets", "--set", "password", "s3cret", *self.named)
        self.assertEqual(self.rows("secrets", "--list", *self.named), {"password": "s3cret"})

        downloads = self.dir / "downloads"
        downloads.mkdir()
        self.vdkcli("download-job", "-p", downloads, *self.named)
        done = subprocess.run(["diff", "-r", str(folder), str(downloads / "some-job")], capture_output=True, text=True)
        self.assertEqual(done.stdout, "")

        everything = self.rows("show", *self.named)
        self.assertEqual(everything["deployments"][0]["job_version"], version)
        self.assertEqual(len(everything["executions"]), 2)

        (folder / "10_step.py").write_text(STEP + "# changed\n")
        second = self.rows("deploy", "-p", folder, "-r", "a change", *self.named)["job_version"]
        self.assertNotEqual(second, version)
        self.deployed(job_version=second)
        self.vdkcli("deploy", "--update", "--job-version", version, *self.named)
        self.deployed(job_version=version)
        self.vdkcli("deploy", "--update", "--vdk-version", "1.2.3", *self.named)
        self.deployed(job_version=version)

        (folder / "config.ini").write_text(CONFIG.replace("3.11", "2.7"))
        refused = self.vdkcli("deploy", "-p", folder, "-r", "an old Python", *self.named, code=2)
        self.assertIn("Not supported python version: '2.7'", refused.stderr)
        self.assertEqual(self.deployed()["python_version"], "3.11")

        self.vdkcli("deploy", "--remove", *self.named)
        self.wait_until(lambda: self.rows("deploy", "--show", *self.named) == [], what="the removal")
        self.vdkcli("delete", "--yes", *self.named)
        self.assertEqual(self.rows("list", *self.team), [])
        gone = self.vdkcli("show", *self.named, code=2)
        self.assertIn("what:", gone.stderr)

    def test_the_plugin_of_vdk_core_works_too_and_creates_the_sample(self):
        (self.dir / "jobs").mkdir()
        original.run(self, "vdk", "create", "-p", self.dir / "jobs", *self.named, code=0)
        folder = self.dir / "jobs" / "some-job"
        self.assertTrue((folder / "20_python_step.py").exists())
        original.run(self, "vdk", "deploy", "-p", folder, "-r", "the sample", *self.named, code=0)
        self.deployed(enabled=True)
        execution = self.start()
        self.assertEqual(self.finished(execution)["status"], "succeeded")

    def test_errors_are_told_by_the_originals_client_in_the_services_own_words(self):
        self.vdkcli("create", "--cloud", "-n", "some-job", *self.team)
        short = self.vdkcli("create", "--cloud", "-n", "short", *self.team, code=2)  # 5 letters: the client lets it pass
        self.assertIn("what: ", short.stderr)
        other = self.vdkcli("deploy", "--disable", "-n", "some-job", "-t", "other team", "-u", self.url, code=2)
        self.assertIn("what: ", other.stderr)
        undeployed = self.vdkcli("execute", "--start", *self.named, code=2)
        self.assertIn("The Data Job 'some-job' is not deployed", undeployed.stderr)
        missing = self.vdkcli("execute", "--show", "-i", "no-such-execution", *self.named, code=2)
        self.assertIn("no-such-execution", missing.stderr)
        keytab = self.vdkcli("download-key", "-p", self.dir, *self.named, code=2)
        self.assertIn("Kerberos", keytab.stderr)

    def test_heartbeat_the_originals_own_check_of_a_service_passes(self):
        done = original.run(self, "vdk-heartbeat", timeout=400, env={
            "CONTROL_API_URL": self.url, "JOB_NAME": "heartbeat-job", "JOB_TEAM": "taurus", "DATAJOB_DIRECTORY_NAME": "simple",
            "JOB_RUN_TEST_MODULE_NAME": "vdk.internal.heartbeat.simple_run_test", "JOB_RUN_TEST_CLASS_NAME": "SimpleRunTest",
            "RUN_TEST_TIMEOUT_SECONDS": "240", "DATAJOB_DEPLOYMENT_PYTHON_VERSION": "3.11",
            "REPORT_JUNIT_XML_FILE_PATH": str(self.dir / "heartbeat.xml")})
        self.assertEqual(done.returncode, 0, done.stderr[-6000:])


class SameRows(VdkTest):
    """One sequence of commands, once by the original client and once by ours, each against a server of its own."""

    # Ids, times and who sent the request differ by nature.
    COLUMNS = {
        "data_job": "name, team, description, schedule, db_default_type, contacts, generate_keytab, enable_execution_notifications, "
                    "notification_delay_period_minutes",
        "desired_data_job_deployment": "data_job_name, python_version, vdk_version, schedule, last_deployed_by, enabled, contacts, status",
        "actual_data_job_deployment": "data_job_name, python_version, vdk_version, schedule, last_deployed_by, enabled, contacts",
        "data_job_execution": "job_name, type, status, message, started_by, arguments_json, job_python_version, job_schedule, enabled",
        "job_properties": "job_name, properties_json",
        "data_job_source": "job_name, tree_oid",
    }

    def live(self, program, url):
        named = ["-n", "some-job", "-t", "some team", "-u", url]
        folder = self.dir / program.__name__ / "some-job"
        folder.mkdir(parents=True)
        for name, content in {"config.ini": CONFIG, "10_step.py": STEP}.items():
            (folder / name).write_text(content)
        program("create", "--cloud", *named)
        program("deploy", "-p", folder, "-r", "why not", *named)
        self.wait_until(lambda: json.loads(program("deploy", "--show", "-o", "json", *named)), what="the deployment")
        self.wait_until(lambda: self.statuses() == [0], what="the roll-out")
        program("deploy", "--disable", *named)
        self.wait_until(lambda: self.statuses() == [0], what="the roll-out")
        program("properties", "--set", "a", "1", *named)
        program("execute", "--start", "--arguments", '{"a": 1}', *named)
        self.wait_until(lambda: all(row["status"] == "succeeded" for row in json.loads(program("execute", "--list", "-o", "json", *named))),
                        what="the execution")

    def statuses(self):
        with self.store() as store:
            return [row[0] for row in store.execute("select status from desired_data_job_deployment")]

    def dump(self):
        with self.store() as store:
            return {table: store.execute(f"select {columns} from {table} order by 1").fetchall() for table, columns in self.COLUMNS.items()}

    def test_our_client_and_the_original_leave_the_same_rows(self):
        original.environment()

        def theirs(*args):
            return original.run(self, "vdkcli", *args, code=0).stdout

        def ours(*args):
            return self.vdk(*args).out
        dumps = {}
        for program in (theirs, ours):
            self.home = self.dir / f"home-{program.__name__}"
            self.home.mkdir()
            url = self.serve()
            self.live(program, url)
            dumps[program.__name__] = self.dump()
        self.maxDiff = None
        self.assertEqual(len(dumps["ours"]["data_job_execution"]), 1)
        self.assertEqual(dumps["ours"], dumps["theirs"])


if __name__ == "__main__":
    unittest.main()
