# SPDX-License-Identifier: Apache-2.0
"""`vdk server`: executions by schedule, adoption after a restart, one server per home. Real minutes pass here."""
import signal
import unittest

from harness import VdkTest

CONFIG = "[owner]\nteam = red\n[job]\nschedule_cron = * * * * *\n"


class Schedule(VdkTest):
    def executions(self, name="every-minute"):
        return self.vdk("execute", "--list", "-n", name, "-t", "red", "-o", "json").json()

    def test_scheduled_executions_disable_restart_and_adoption(self):
        folder = self.job("every-minute", {"config.ini": CONFIG, "a.py": "def run(job_input):\n    print('tick')\n"})
        slow = self.job("slow-manual", {"config.ini": "[owner]\nteam = red\n",
                                        "a.py": "import time\ndef run(job_input):\n    time.sleep(8)\n"})
        deployed = self.vdk("deploy", "-p", folder)
        self.assertIn("vdk server", deployed.err)
        self.vdk("deploy", "-p", slow)
        server = self.start_server()
        second = self.run_vdk("server", timeout=20)
        self.assertEqual(second.code, 6, second)
        rows = self.wait_until(lambda: [r for r in self.executions() if r["status"] == "succeeded"], 90, "a scheduled execution")
        self.assertEqual(rows[0]["type"], "scheduled")
        self.assertIn("tick", self.vdk("execute", "--logs", "-n", "every-minute", "-t", "red", "-i", rows[0]["id"]).out)

        # A running execution outlives its server and is finished by the next one.
        started = self.vdk("execute", "--start", "-n", "slow-manual", "-t", "red", "-o", "json").json()["execution_id"]
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(30), 0)
        self.start_server()
        self.assertEqual(self.wait_execution("slow-manual", "red", started)["status"], "succeeded")

        # No scheduled time is started twice.
        with self.store() as store:
            times = store.execute("select scheduled_time, count(*) from data_job_execution where scheduled_time is not null "
                                  "group by job_name, scheduled_time having count(*) > 1").fetchall()
        self.assertEqual(times, [])


if __name__ == "__main__":
    unittest.main()
