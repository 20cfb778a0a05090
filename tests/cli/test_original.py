# SPDX-License-Identifier: Apache-2.0
"""The original from the package index beside ours: the same job, the same tables, the same defaults file."""
import shutil
import sqlite3
import unittest

import original
from harness import VdkTest


class Original(VdkTest):
    def test_the_originals_sample_job_and_defaults_are_understood_by_both(self):
        environment = original.environment()
        (sample,) = environment.glob("lib/python*/site-packages/vdk/internal/control/job/sample_job")
        folder = self.dir / "sample-job"
        shutil.copytree(sample, folder)
        tables = {}
        for who in ("original", "ours"):
            database = self.dir / f"{who}.db"
            env = {"VDK_SQLITE_FILE": str(database), "VDK_INGEST_TARGET_DEFAULT": str(database)}
            if who == "ours":
                self.vdk("run", folder, env=env)
            else:
                done = original.run(self, "vdk", "run", folder, env=env)
                self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            with sqlite3.connect(database) as connection:
                tables[who] = (connection.execute("select sql from sqlite_master where name = 'hello_world'").fetchall(),
                               connection.execute("select * from hello_world").fetchall())
        self.assertEqual(tables["ours"], tables["original"])

        self.vdk("set-default", "-t", "team of ours")
        original.run(self, "vdkcli", "set-default", "-u", "http://127.0.0.1:1/")
        text = (self.home / ".vdk.internal" / "vdk-configuration.ini").read_text()
        self.assertIn("team of ours", text)
        self.assertIn("http://127.0.0.1:1/", text)
        self.assertIn("127.0.0.1", self.run_vdk("list", "-a").err, "our client reads the address that the original set")


if __name__ == "__main__":
    unittest.main()
