# SPDX-License-Identifier: Apache-2.0
"""Whoever does something is named by the login, nothing else; and what a process holds of logins stays in it."""
import io
import json
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
import unittest
import zipfile

from harness import BINARY
from test_security import CONFIG, SecureTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tokens  # noqa: E402

JOB = {"config.ini": "[owner]\nteam = blue\n[job]\nschedule_cron =\n", "10_step.py": "def run(job_input):\n    pass\n"}


class Identity(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.secure(self.issuer.url)

    def token(self, user):
        return self.issuer.token(user, claims={"teams": ["blue"]})

    def commits(self):
        """(author, subject) of the sources' commits, newest first."""
        (repository,) = (self.home / ".local/share/vdk").glob("*.git")
        text = subprocess.run(["git", "-c", "safe.directory=*", "-C", repository, "log", "--format=%an|%cn|%s", "main"], capture_output=True,
                              text=True, check=True).stdout
        return [line.split("|", 2) for line in text.splitlines()]

    def executions(self, job, token):
        return json.loads(self.call("GET", f"/data-jobs/for-team/blue/jobs/{job}/executions", token).text)

    def test_the_remote_client_acts_as_the_user_of_its_token(self):
        folder = self.job("cli-job", JOB)
        url, ann, bob = self.address.geturl(), {"VDK_ACCESS_TOKEN": self.token("ann")}, {"VDK_ACCESS_TOKEN": self.token("bob@example.com")}
        self.vdk("create", "--cloud", "-n", "cli-job", "-t", "blue", "-u", url, env=ann)
        self.vdk("deploy", "-p", folder, "-t", "blue", "-u", url, "-r", "first", env=ann, timeout=240)
        show = ["show", "-n", "cli-job", "-t", "blue", "-u", url, "-o", "json"]
        self.assertEqual(self.vdk(*show, env=bob).json()["deployments"][0]["last_deployed_by"], "ann")
        self.assertEqual(self.commits()[0][:2], ["ann", "ann"])
        self.vdk("execute", "--start", "-n", "cli-job", "-t", "blue", "-u", url, env=bob)
        (row,) = self.executions("cli-job", self.token("ann"))
        self.assertEqual(row["started_by"], "manual/vdk-control-cli/bob@example.com")
        (folder / "10_step.py").write_text("def run(job_input):\n    print(1)\n")
        self.vdk("deploy", "-p", folder, "-t", "blue", "-u", url, "-r", "second", env=bob, timeout=240)
        self.assertEqual(self.vdk(*show, env=ann).json()["deployments"][0]["last_deployed_by"], "bob@example.com")
        self.assertEqual([author for author, _, _ in self.commits()[:2]], ["bob@example.com", "ann"])

    def test_requests_cannot_name_somebody_else(self):
        ann, job = self.token("ann"), "/data-jobs/for-team/blue/jobs/rest-job"
        self.assertEqual(self.call("POST", "/data-jobs/for-team/blue/jobs?name=rest-job", ann, {"job_name": "rest-job"}).status, 201)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as out:
            for name, text in JOB.items():
                out.writestr("rest-job/" + name, text)
        connection = self.call("POST", job + "/sources?reason=somebody%20did%20it", ann, archive.getvalue(), "application/octet-stream")
        self.assertEqual(connection.status, 200, connection.text)
        version = json.loads(connection.text)["version_sha"]
        self.assertEqual(self.commits()[0][0], "ann")
        body = {"job_version": version, "mode": "release", "enabled": True, "last_deployed_by": "somebody", "last_deployed_date": "2001-01-01"}
        self.assertEqual(self.call("POST", job + "/deployments", ann, body).status, 202)
        deployments = lambda: json.loads(self.call("GET", job + "/deployments", ann).text)  # noqa: E731
        self.wait_until(deployments, 120, "the deployment")
        self.assertEqual(deployments()[0]["last_deployed_by"], "ann")
        self.assertEqual(self.call("PATCH", job + "/deployments/x", self.token("bob"), {"enabled": False, "last_deployed_by": "somebody"}).status, 202)
        self.wait_until(lambda: deployments()[0]["last_deployed_by"] == "bob", 60, "the change by bob")
        cleo = self.token("cleo")
        start = lambda: self.call("POST", job + "/deployments/x/executions", cleo, {"started_by": "manual/somebody", "args": {}})  # noqa: E731
        self.wait_until(lambda: start().status == 202, 60, "the roll-out")
        (row,) = self.executions("rest-job", ann)
        self.assertEqual(row["started_by"], "manual/somebody/cleo", "what the client says, then who it is")
        self.assertEqual(self.call("DELETE", job + "/sources?reason=x", self.token("bob")).status, 200)
        self.assertEqual(self.commits()[0][0], "bob")


class Memory(SecureTest):
    """A core file would hold every login and password that the process has."""

    def core_of(self, *args, ready, env=None):
        """Whether the kernel dumps the memory of this command when it is ended by SIGABRT."""
        def unlimited():
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        process = subprocess.Popen(list(map(str, args)), env=self.env(env), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=open(self.dir / "core.log", "w"), preexec_fn=unlimited)
        ready()
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = status
        self.assertTrue(os.WIFSIGNALED(status), (self.dir / "core.log").read_text())
        for core in self.dir.glob("core*"):
            if core.name != "core.log":
                core.unlink()
        return os.WCOREDUMP(status)

    def setUp(self):
        super().setUp()
        if not self.core_of("sleep", "60", ready=lambda: time.sleep(0.2)):
            self.skipTest("this machine writes no core files at all")

    def test_no_core_file_of_a_server(self):
        config = self.dir / "server.yaml"
        config.write_text(CONFIG.format(issuer="http://127.0.0.1:9", audience="vdk"))
        listens = lambda: self.wait_until(lambda: "listens on" in (self.dir / "core.log").read_text(), 60, "the server")  # noqa: E731
        self.assertFalse(self.core_of(BINARY, "server", "--port", "0", "--config", config, ready=listens))

    def test_no_core_file_of_a_command_with_a_login(self):
        for given in ({"VDK_ACCESS_TOKEN": "canary"}, {"VDK_API_TOKEN": "canary", "VDK_API_TOKEN_AUTHORIZATION_URL": "token"}):
            with self.subTest(next(iter(given))), socket.socket() as silent:
                silent.bind(("127.0.0.1", 0))
                silent.listen()
                silent.settimeout(30)
                url = f"http://127.0.0.1:{silent.getsockname()[1]}"
                env = {name: url if value == "token" else value for name, value in given.items()}
                accepted = []
                self.assertFalse(self.core_of(BINARY, "list", "-t", "blue", "-u", url, env=env, ready=lambda: accepted.append(silent.accept())))
                accepted[0][0].close()

    def test_no_core_file_of_a_command_that_reads_secrets_of_a_job(self):
        folder = self.job("some-job", JOB)
        self.vdk("deploy", "-p", folder, "-t", "blue", timeout=240)
        home = self.home / ".local/share/vdk"
        with sqlite3.connect(home / "control.db", isolation_level=None) as store:
            store.execute("BEGIN EXCLUSIVE")  # the command waits for its turn
            waits = lambda: time.sleep(1)  # noqa: E731
            self.assertFalse(self.core_of(BINARY, "secrets", "--list", "-n", "some-job", "-t", "blue", ready=waits))
            store.execute("ROLLBACK")


class Children(SecureTest):
    def test_code_of_packages_that_are_built_does_not_get_the_servers_passwords(self):
        package = self.dir / "probe"
        package.mkdir()
        (package / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
                                                '[project]\nname = "probe"\nversion = "1.0"\n')
        (package / "backend.py").write_text(textwrap.dedent(f"""
            import json, os, zipfile
            def build_wheel(directory, config_settings=None, metadata_directory=None):
                json.dump(dict(os.environ), open({str(self.dir / "seen.json")!r}, "w"))
                name = "probe-1.0-py3-none-any.whl"
                with zipfile.ZipFile(os.path.join(directory, name), "w") as out:
                    out.writestr("probe.py", "")
                    out.writestr("probe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: probe\\nVersion: 1.0\\n")
                    out.writestr("probe-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    out.writestr("probe-1.0.dist-info/RECORD", "")
                return name
        """))
        folder = self.job("some-job", {**JOB, "requirements.txt": f"probe @ file://{package}\n"})
        secret = {"VDK_SERVER_MAIL_SMTP_PASSWORD": "canary-1", "VDK_API_TOKEN": "canary-2", "VDK_ACCESS_TOKEN": "canary-3",
                  "VDK_SERVER_SECURITY_AUTHORIZATION_WEBHOOK_AUTHORIZATION_REFRESH_TOKEN": "canary-4"}
        url = self.serve(env=secret)
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "blue", "-u", url)
        self.vdk("deploy", "-p", folder, "-t", "blue", "-u", url, timeout=240)
        seen = (self.dir / "seen.json").read_text()
        self.assertIn("PATH", json.loads(seen))
        self.assertNotIn("canary", seen)


if __name__ == "__main__":
    unittest.main()
