# SPDX-License-Identifier: Apache-2.0
"""`vdk server`: executions by schedule, adoption after a restart, one server per home. Real minutes pass here."""
import collections
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

from harness import BINARY, VdkTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import fast_clock  # noqa: E402

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
        pid_file = self.home / ".local/share/vdk/server.pid"
        self.wait_until(lambda: pid_file.exists() and pid_file.read_text().strip() == str(server.pid), 20, "the server's lock")
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

    def test_a_server_killed_again_and_again_starts_no_scheduled_time_twice(self):
        """Minutes pass in a second each and the server dies by kill -9 at random moments."""
        runs = self.dir / "runs"
        runs.touch()
        step = (f"def run(job_input):\n    with open({str(runs)!r}, 'a') as file:\n"
                "        file.write(job_input.get_execution_properties()['pa__execution_id'] + '\\n')\n")
        for name in ("minute-one", "minute-two"):
            self.vdk("deploy", "-p", self.job(name, {"config.ini": CONFIG, "a.py": step}))
        seed = random.Random(20)
        with open(self.dir / "storm.log", "w") as log:
            # Steps in the accelerated time must not outrun the deadline of a start, so 30 and not more seconds a second.
            command = [str(BINARY), "server", "--port", "0"]
            clock = fast_clock.environment(self.dir, 30)
            end = time.monotonic() + 25
            kills = 0
            while time.monotonic() < end:
                server = subprocess.Popen(command, env=self.env(clock),
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)
                time.sleep(seed.uniform(0.2, 2.0))
                server.kill()
                server.wait()
                kills += 1
            # The last server lives in the same future and finishes what was left.
            self.servers.append(subprocess.Popen(command, env=self.env(clock),
                                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir))
            time.sleep(5)
            self.servers[-1].send_signal(signal.SIGTERM)
            self.servers[-1].wait(30)
        self.assertGreater(kills, 10)
        with self.store() as store:
            rows = store.execute("select id, job_name, scheduled_time, status from data_job_execution").fetchall()
        times = collections.Counter((job, scheduled) for _, job, scheduled, _ in rows)
        self.assertEqual([key for key, count in times.items() if count > 1], [])
        self.assertGreater(len(times), 10, "the storm has to see scheduled executions")
        ran = collections.Counter(runs.read_text().split())
        self.assertEqual([name for name, count in ran.items() if count > 1], [])
        self.assertEqual(set(ran) - {row[0] for row in rows}, set(), "whatever ran is recorded")
        for name in ("minute-one", "minute-two"):
            self.wait_until(lambda name=name: not [r for r in self.executions(name) if r["status"] in ("submitted", "running")],
                            30, "the end of every execution")


if __name__ == "__main__":
    unittest.main()
