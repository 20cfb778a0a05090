# SPDX-License-Identifier: Apache-2.0
"""The original from the package index beside ours: the same job, the same tables, the same defaults file."""
import os
import shutil
import sqlite3
import subprocess
import unittest

from harness import VdkTest


class Original(VdkTest):
    def install(self):
        """The original in a scratch environment; a visible skip where the package index cannot be reached."""
        constraint = self.dir / "constraint.txt"
        constraint.write_text("setuptools<81\n")  # its dependencies import pkg_resources
        environment = self.dir / "original"
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(environment)], check=True, capture_output=True)
        done = subprocess.run([str(environment / "bin/pip"), "install", "-q", "--no-input", "setuptools", "vdk-core", "vdk-sqlite",
                               "vdk-control-cli"], capture_output=True, text=True, timeout=400,
                              env={**os.environ, "PIP_CONSTRAINT": str(constraint)})
        if done.returncode:
            self.skipTest("the original cannot be installed: " + done.stderr.strip()[-200:])
        return environment

    def original(self, environment, *args, env=None):
        return subprocess.run([str(environment / "bin" / args[0]), *map(str, args[1:])], capture_output=True, text=True, cwd=self.dir,
                              stdin=subprocess.DEVNULL, timeout=120,
                              env=self.env({"VDK_VERSION_CHECK_DISABLED": "true", **(env or {})}))

    def test_the_originals_sample_job_and_defaults_are_understood_by_both(self):
        environment = self.install()
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
                done = self.original(environment, "vdk", "run", folder, env=env)
                self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            with sqlite3.connect(database) as connection:
                tables[who] = (connection.execute("select sql from sqlite_master where name = 'hello_world'").fetchall(),
                               connection.execute("select * from hello_world").fetchall())
        self.assertEqual(tables["ours"], tables["original"])

        self.vdk("set-default", "-t", "team of ours")
        self.original(environment, "vdkcli", "set-default", "-u", "http://127.0.0.1:1/")
        text = (self.home / ".vdk.internal" / "vdk-configuration.ini").read_text()
        self.assertIn("team of ours", text)
        self.assertIn("http://127.0.0.1:1/", text)
        self.assertIn("127.0.0.1", self.run_vdk("list", "-a").err, "our client reads the address that the original set")


if __name__ == "__main__":
    unittest.main()
