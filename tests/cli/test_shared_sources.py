# SPDX-License-Identifier: Apache-2.0
"""Sources of several services in one repository: on a shared path, and at a git server over HTTP."""
import json
import pathlib
import subprocess
import sys
import unittest

from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
from git_http import GitServer  # noqa: E402

CONFIG = "[owner]\nteam = red\n"


class SharedSources(VdkTest):
    def config(self, name, text):
        """The configuration of one service; each has a home of its own."""
        path = self.dir / f"{name}.yaml"
        path.write_text(f"home: {self.dir / name}\n{text}")
        path.chmod(0o600)
        return {"VDK_SERVER_CONFIG": str(path)}

    def git(self, repository, *args):
        done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(repository), *args], capture_output=True,
                              text=True, check=True)
        return done.stdout

    def deploy(self, env, name, step):
        folder = self.dir / "jobs" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.ini").write_text(CONFIG)
        (folder / "10.sql").write_text(step)
        done = self.vdk("deploy", "-p", folder, "-r", f"because of {step}", "-o", "json", env=env)
        return json.loads(done.out)["job_version"]

    def life(self, first, second, repository):
        one = self.deploy(first, "job-one", "SELECT 1")
        two = self.deploy(second, "job-two", "SELECT 2")
        again = self.deploy(first, "job-one", "SELECT 11")
        history = self.git(repository, "log", "--format=%H %b", "HEAD")
        for version in (one, two, again):
            self.assertIn(version, history)
        self.assertIn("because of SELECT 11", history)
        self.assertEqual(sorted(self.git(repository, "ls-tree", "--name-only", "HEAD").split()), ["job-one", "job-two"])
        self.assertEqual(self.deploy(first, "job-one", "SELECT 11"), again, "equal content keeps its version")
        self.vdk("download-job", "-n", "job-one", "-t", "red", "-p", self.dir, env=first)
        self.assertEqual((self.dir / "job-one" / "10.sql").read_text(), "SELECT 11")

    def test_two_services_share_a_repository_on_a_path(self):
        repository = self.dir / "shared" / "jobs.git"
        text = f"deploymentGitUrl: {repository}\n"
        self.life(self.config("a", text), self.config("b", text), repository)

    def test_two_services_share_a_repository_at_a_git_server(self):
        root = self.dir / "served"
        repository = root / "jobs.git"
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(repository)], check=True)
        with GitServer(root, "robot", "s3cret-word") as server:
            text = (f"deploymentGitUrl: http://127.0.0.1:{server.port}/jobs.git\n"
                    "uploadGitReadWriteUsername: robot\nuploadGitReadWritePassword: s3cret-word\n")
            first = self.config("a", text)
            self.life(first, self.config("b", text), repository)
        # The server is gone: nothing is acknowledged that it does not have.
        folder = self.dir / "jobs" / "job-one"
        (folder / "10.sql").write_text("SELECT 111")
        refused = self.run_vdk("deploy", "-p", folder, env=first)
        self.assertNotEqual(refused.code, 0)
        self.assertIn(f"127.0.0.1:{server.port}/jobs.git", refused.err)
        self.assertNotIn("s3cret-word", refused.err)
        for path in pathlib.Path(self.dir / "a").rglob("*"):
            if path.is_file() and path.stat().st_size < 1 << 20:
                self.assertNotIn(b"s3cret-word", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
