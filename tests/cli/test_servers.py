# SPDX-License-Identifier: Apache-2.0
"""Several `vdk server` processes on one PostgreSQL, as a team would run them: killed, restarted, without their database."""
import json
import shutil
import signal
import sys
import time
import unittest
import urllib.request

from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402

CONFIG = """database:
  url: {url}
  username: {user}
  passwordFile: {secret}
dataJob:
  deployment:
    configuration:
      synchronizationTask:
        leaseSeconds: 3
"""
EVERY_MINUTE = "[owner]\nteam = red\n[job]\nschedule_cron = * * * * *\n"
PLAIN = "[owner]\nteam = red\n"


class Servers(VdkTest):
    def setUp(self):
        super().setUp()
        self.database = postgres.running(self.addCleanup)
        self.name = self.database.create_database("team").rsplit("/", 1)[1]
        secret = self.dir / "secret"
        secret.write_text(self.database.password)
        secret.chmod(0o600)
        self.config = self.dir / "server.yaml"
        self.config.write_text(CONFIG.format(url=f"postgresql://127.0.0.1:{self.database.port}/{self.name}",
                                             user=self.database.USER, secret=secret))

    def sql(self, text):
        return self.database.psql(text, self.name)

    def server(self, env=None):
        """A server's process and address."""
        address = self.serve("--config", self.config, env=env)
        return self.servers[-1], address

    def client(self, address, *args, code=0, timeout=120):
        return self.vdk(*args, env={"VDK_CONTROL_SERVICE_REST_API_URL": address}, code=code, timeout=timeout)

    def deploy(self, address, name, text="one", config=PLAIN):
        folder = self.dir / name
        if not folder.exists():
            self.job(name, {"config.ini": config})
        (folder / "a.py").write_text(f"def run(job_input):\n    print({text!r})\n")
        if self.sql(f"select count(*) from data_job where name = '{name}'") == "0":
            self.client(address, "create", "--cloud", "-n", name, "-t", "red")
        self.client(address, "deploy", "-n", name, "-t", "red", "-p", folder, "-r", "test")

    def rolled_out(self, name):
        return self.wait_until(
            lambda: self.sql("select a.git_commit_sha from actual_data_job_deployment a join desired_data_job_deployment d "
                             "on d.data_job_name = a.data_job_name and d.deployment_version_sha = a.deployment_version_sha "
                             f"where d.status = 0 and a.data_job_name = '{name}'"), 60, f"the roll-out of {name}")

    def health(self, address):
        try:
            with urllib.request.urlopen(address + "/data-jobs/debug/health", timeout=20) as answer:
                return json.load(answer)["status"]
        except OSError:
            return "DOWN"

    def test_two_servers_share_the_work_and_start_each_time_once(self):
        _, one = self.server()
        _, two = self.server()
        self.deploy(one, "every-minute", config=EVERY_MINUTE)
        self.deploy(two, "other-minute", config=EVERY_MINUTE)
        self.rolled_out("every-minute")
        self.rolled_out("other-minute")
        self.wait_until(lambda: self.sql("select count(*) from data_job_execution where status = 2") == "2", 100,
                        "one execution of each job")
        self.assertEqual(self.sql("select job_name, scheduled_time from data_job_execution group by 1, 2 having count(*) > 1"), "")
        self.assertEqual(self.sql("select count(*) from data_job_execution where status not in (0, 1, 2)"), "0")
        for address in (one, two):
            rows = self.client(address, "execute", "--list", "-n", "every-minute", "-t", "red", "-o", "json").json()
            self.assertEqual(rows[-1]["status"], "succeeded")

    def test_a_server_that_dies_in_the_middle_of_a_roll_out_is_replaced(self):
        for point in ("synchronizer.applied", "synchronizer.stored"):
            with self.subTest(point):
                name = "job-" + point.replace(".", "-")
                doomed, _ = self.server(env={"VDK_FAILPOINT": point})
                self.wait_until(lambda: self.sql("select owner from service_lock where lease_until > 0").endswith(f":{doomed.pid}"),
                                30, "the lease of the first server")
                other, address = self.server()
                self.deploy(address, name)
                self.assertEqual(doomed.wait(60), -signal.SIGKILL)
                self.rolled_out(name)
                started = self.client(address, "execute", "--start", "-n", name, "-t", "red", "-o", "json").json()["execution_id"]
                self.wait_until(lambda: self.sql(f"select status from data_job_execution where id = '{started}'") == "2", 60,
                                "the execution's success")
                other.send_signal(signal.SIGTERM)
                self.assertEqual(other.wait(30), 0)
                self.sql("update service_lock set lease_until = 0")

    def test_an_execution_whose_server_died_before_it_started_it_is_started_by_another(self):
        _, address = self.server()
        self.deploy(address, "some-job")
        self.rolled_out("some-job")
        doomed, doomed_address = self.server(env={"VDK_FAILPOINT": "execution.submitted"})
        self.run_vdk("execute", "--start", "-n", "some-job", "-t", "red",
                     env={"VDK_CONTROL_SERVICE_REST_API_URL": doomed_address, "VDK_CONTROL_HTTP_TOTAL_RETRIES": "0"})
        self.assertEqual(doomed.wait(30), -signal.SIGKILL)
        self.wait_until(lambda: self.sql("select status from data_job_execution") == "2", 60, "the execution's success")

    def test_servers_live_through_a_restart_of_their_database(self):
        server, address = self.server()
        self.deploy(address, "some-job")
        self.rolled_out("some-job")
        self.database.kill()
        self.wait_until(lambda: self.health(address) == "DOWN", 30, "bad health")
        self.assertIsNone(server.poll())
        time.sleep(4)  # longer than the lease
        self.database.start()
        self.wait_until(lambda: self.health(address) == "UP", 60, "good health")
        self.deploy(address, "some-job", "two")
        self.deploy(address, "other-job")
        self.rolled_out("other-job")
        self.assertIsNone(server.poll())

    def test_a_lost_runtime_comes_back_from_the_database(self):
        server, address = self.server()
        self.deploy(address, "some-job")
        version = self.rolled_out("some-job")
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(30), 0)
        home = self.home / ".local/share/vdk"
        for lost in ("deployments", "environments"):
            shutil.rmtree(home / lost, ignore_errors=True)
        self.vdk("server", "restore", "--config", self.config)
        _, address = self.server()
        self.assertEqual(self.rolled_out("some-job"), version)
        self.client(address, "execute", "--start", "-n", "some-job", "-t", "red")
        self.wait_until(lambda: self.sql("select status from data_job_execution") == "2", 60, "the execution's success")


if __name__ == "__main__":
    unittest.main()
