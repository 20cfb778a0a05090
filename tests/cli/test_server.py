# SPDX-License-Identifier: Apache-2.0
"""`vdk server`: address, configuration, signals, status, the systemd service, and what belongs to its home.

systemctl is a stand-in here that writes down what it was asked: no systemd of a user runs where tests do. The case
without any systemd is the real one.
"""
import json
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest
import urllib.request

from harness import BINARY, ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402

CONFIG = "[owner]\nteam = team-a\n[job]\nschedule_cron =\n"


class ServerTest(VdkTest):
    def config(self, text, mode=0o600, name="server.yaml"):
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def server(self, *args, env=None):
        """A running server with its log and its address."""
        server = self.start_server(*args, env=env)
        log = self.dir / f"server{len(self.servers) - 1}.log"

        def address():
            self.assertIsNone(server.poll(), log.read_text())
            found = re.search(r"vdk server listens on (http://\S+)", log.read_text())
            return found and found.group(1)
        return server, log, self.wait_until(address, 30, "the server's address")

    def get(self, address, path):
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            return answer.status, json.loads(answer.read())

    def stop(self, server, signal_number=signal.SIGTERM):
        server.send_signal(signal_number)
        return server.wait(30)


class Serving(ServerTest):
    def test_a_server_serves_its_home_says_where_and_stops_cleanly(self):
        server, log, address = self.server("--port", "0")
        self.assertRegex(address, r"^http://127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual(self.get(address, "/data-jobs/debug/health"), (200, {"status": "UP"}))
        status = self.vdk("server", "--status", "-o", "json").json()
        self.assertTrue(status["running"])
        (one,) = status["servers"]
        self.assertEqual((one["pid"], one["address"], one["health"], one["database"]),
                         (server.pid, address, "UP", "sqlite"))
        self.assertIn(address, self.vdk("server", "--status").out)
        second = self.vdk("server", "--port", "0", code=6)
        self.assertIn(str(server.pid), second.err)
        self.assertEqual(self.stop(server), 0, log.read_text())
        self.assertIn("vdk server stopped", log.read_text())
        self.assertFalse(self.vdk("server", "--status", "-o", "json", code=1).json()["running"])

    def test_a_stop_does_not_wait_for_a_build_and_says_nothing_against_the_deployment(self):
        with socket.socket() as silent:  # a package index that never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
            folder = self.job("some-job", {"config.ini": CONFIG, "10_step.py": "def run(j):\n    pass\n",
                                           "requirements.txt": f"--index-url {index}\nnothing\n"})
            server, log, address = self.server("--port", "0")
            self.vdk("create", "--cloud", "-n", "some-job", "-t", "team-a", "-u", address)
            deploy = subprocess.Popen([str(BINARY), "deploy", "-p", str(folder), "-t", "team-a", "-u", address],
                                      env=self.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                silent.settimeout(60)
                connection, _ = silent.accept()  # pip asks
                self.addCleanup(connection.close)
                connection.settimeout(20)
                begin = time.monotonic()
                self.assertEqual(self.stop(server), 0, log.read_text())
                self.assertLess(time.monotonic() - begin, 10)
                while connection.recv(65536):  # ends when pip has ended: nothing goes on without the server
                    pass
            finally:
                deploy.kill()
                deploy.wait()
            (status,) = self.store().execute("SELECT status FROM desired_data_job_deployment").fetchone()
            self.assertEqual(status, -1, "the build was interrupted, it did not fail")

    def test_a_killed_server_is_not_shown_as_running(self):
        server, _, _ = self.server()
        server.kill()
        server.wait()
        self.assertEqual(self.vdk("server", "--status", "-o", "json", code=1).json()["servers"], [])
        self.server()

    def test_a_taken_port_is_a_conflict_that_names_it(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            error = self.vdk("server", "--port", port, code=6).err
            self.assertIn(str(port), error)
        self.assertNotIn("listens on", error)

    def test_wrong_ports_are_refused(self):
        for port in ("70000", "-1", "http"):
            self.assertIn("--port", self.vdk("server", "--port", port, code=2).err)

    def test_the_file_gives_address_and_home_and_the_flag_wins(self):
        config = self.config("home: other-home\nservice: {host: localhost, internalPort: 1}\n")
        _, log, address = self.server("--config", str(config), "--port", "0", "--host", "127.0.0.1")
        self.assertIn("http://127.0.0.1:", address)
        self.assertTrue((self.dir / "other-home" / "control.db").exists(), log.read_text())
        self.assertFalse((self.home / ".local/share/vdk/control.db").exists())
        status = self.vdk("server", "--status", "--config", config, "-o", "json").json()
        self.assertEqual(status["servers"][0]["config"], str(config))

    def test_a_wrong_file_stops_the_start_with_every_mistake(self):
        config = self.config("servce: {}\nservice:\n  internalPort: many\n")
        error = self.vdk("server", "--config", config, code=2).err
        self.assertIn("server.yaml:1:1: error: servce: there is no such key", error)
        self.assertIn("did you mean service?", error)
        self.assertIn("server.yaml:3:17: error: service.internalPort", error)
        self.assertFalse((self.home / ".local/share/vdk/control.db").exists())
        self.vdk("server", "--config", self.dir / "missing.yaml", code=5)


class Reloading(ServerTest):
    def versions(self, address):
        return self.get(address, "/data-jobs/for-team/team-a/info")[1]["supported_python_versions"]

    def test_a_hangup_reads_the_python_versions_again_and_keeps_them_when_the_file_is_wrong(self):
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        full = python + f".{sys.version_info[2]}"
        entry = f"{{interpreter: {sys.executable}}}"
        config = self.config(f"supportedPythonVersions:\n  {python}: {entry}\n")
        server, log, address = self.server("--config", str(config))
        self.assertEqual(self.versions(address), [python])

        config.write_text(f"supportedPythonVersions:\n  {python}: {entry}\n  {full}: {entry}\n"
                          f"defaultPythonVersion: {python}\nservice: {{internalPort: 7777}}\n")
        server.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.versions(address) == [python, full], 10, "the new versions")
        self.wait_until(lambda: "service.internalPort" in log.read_text(), 10, "the hint at a restart")
        self.assertIn(f"{full} ({sys.executable})", log.read_text())

        for wrong in ("supportedPythonVersions: nonsense\n", "supportedPythonVersions: {3.7: /bin/true}\n"):
            refusals = log.read_text().count("goes on with the old one")
            config.write_text(wrong)
            server.send_signal(signal.SIGHUP)
            self.wait_until(lambda: log.read_text().count("goes on with the old one") > refusals, 10, "the refusal")
            self.assertEqual(self.versions(address), [python, full])
        self.assertIsNone(server.poll())


class CheckConfig(ServerTest):
    def test_mistakes_are_shown_where_they_stand(self):
        config = self.config("supportedPythonVersions:\n  3.11:\n    interpeter: /usr/bin/python3\ndatabase:\n"
                             "  url: mysql://me:hidden@db/vdk\nsecurity: {enabled: true}\nreplicas: 2\n")
        result = self.vdk("server", "--check-config", "--config", config, code=2)
        self.assertIn(f"{config}:3:5: error: supportedPythonVersions.3.11.interpeter: there is no such key\n"
                      "        interpeter: /usr/bin/python3\n        ^\n    hint: did you mean interpreter?\n", result.out)
        self.assertIn(f"{config}:5:8: error: database.url", result.out)
        self.assertIn(f"{config}:6:21: error: security.enabled", result.out)
        self.assertIn(f"{config}:7:1: warning: replicas", result.out)
        self.assertIn("3 mistakes", result.out)
        self.assertNotIn("hidden", result.out + result.err)
        as_json = self.vdk("server", "--check-config", "--config", config, "-o", "json", code=2).json()
        self.assertFalse(as_json["ok"])
        self.assertEqual([(p["severity"], p["line"]) for p in as_json["problems"]],
                         [("error", 3), ("error", 5), ("error", 6), ("warning", 7)])

    def test_interpreters_are_run_before_they_are_believed(self):
        config = self.config("supportedPythonVersions:\n  3.99:\n    interpreter: /bin/true\n"
                             f"  '2.7': {sys.executable}\n")
        out = self.vdk("server", "--check-config", "--config", config, code=2).out
        self.assertIn("server.yaml:3:18: error: supportedPythonVersions.3.99.interpreter: '/bin/true' does not run", out)
        self.assertIn("server.yaml:4:10: error: supportedPythonVersions.2.7.interpreter", out)
        self.assertIn("not 2.7", out)

    def test_a_default_that_no_python_on_path_has_is_told_before_the_server_refuses_it(self):
        config = self.config("defaultPythonVersion: 2.7\n")
        out = self.vdk("server", "--check-config", "--config", config, code=2).out
        self.assertIn("server.yaml:1:23: error: defaultPythonVersion: version 2.7 is not among", out)
        self.vdk("server", "--port", "0", "--config", config, code=2)
        good = self.config(f"defaultPythonVersion: '{sys.version_info[0]}.{sys.version_info[1]}'\n")
        self.vdk("server", "--check-config", "--config", good)

    def test_a_good_file_is_ok_and_a_readable_password_is_a_warning(self):
        config = self.config("database: {url: postgresql://db/vdk, username: me, password: hidden}\n", mode=0o644)
        result = self.vdk("server", "--check-config", "--config", config)
        self.assertIn("warning: database.password: others can read this password", result.out)
        self.assertIn("database         postgresql", result.out)
        self.assertNotIn("hidden", result.out + result.err)
        config.chmod(0o600)
        self.assertEqual(self.vdk("server", "--check-config", "--config", config, "-o", "json").json(),
                         {"ok": True, "file": str(config), "problems": []})
        self.assertIn("ok", self.vdk("server", "--check-config").out)

    def test_a_mistake_of_a_variable_names_the_variable(self):
        result = self.vdk("server", "--check-config", code=2, env={"VDK_SERVER_MAIL_SMTP_PORT": "smtp"})
        self.assertIn("error: VDK_SERVER_MAIL_SMTP_PORT: 'smtp' is not a whole number", result.out)


class Service(ServerTest):
    """The systemd service of the user."""

    def setUp(self):
        super().setUp()
        self.unit = self.home / ".config/systemd/user/vdk-server.service"

    def systemctl(self, failing="nothing"):
        tools = self.dir / "tools"
        tools.mkdir(exist_ok=True)
        script = tools / "systemctl"
        script.write_text(f'#!/bin/sh\necho "$@" >> {self.dir}/asked\n'
                          f'case "$*" in *{failing}*) echo "Job for unit failed" >&2; exit 1;; esac\n')
        script.chmod(0o755)
        self.path = f"{tools}:{VdkTest.path}"

    def asked(self):
        lines = (self.dir / "asked").read_text().splitlines()
        (self.dir / "asked").unlink()
        return lines

    @unittest.skipIf(subprocess.run(["sh", "-c", "systemctl --user show-environment"], capture_output=True).returncode == 0,
                     "systemd runs for this user")
    def test_without_systemd_nothing_is_changed_and_the_reason_is_given(self):
        error = self.vdk("server", "--install", code=1).err
        self.assertIn("cannot install the server as a service", error)
        self.assertRegex(error, "systemd does not run|no systemctl")
        self.assertFalse(self.unit.exists())
        self.assertIn("not installed", self.vdk("server", "--uninstall").out)

    def test_the_service_is_installed_started_and_removed(self):
        self.systemctl()
        config = self.config("service: {internalPort: 0}\n", name="100% $me \"quoted\".yaml")
        self.vdk("server", "--install", "--config", config, "--port", "9000")
        self.assertEqual(self.asked(), ["--user show-environment", "--user daemon-reload",
                                        "--user enable vdk-server.service", "--user restart vdk-server.service"])
        unit = self.unit.read_text()
        self.assertIn(f'ExecStart="{BINARY}" server --config "{self.dir}/100%% $$me \\"quoted\\".yaml" --port "9000"\n',
                      unit)
        self.assertIn("KillMode=process\n", unit)
        self.assertEqual(stat.S_IMODE(self.unit.stat().st_mode), 0o600)
        self.vdk("server", "--uninstall")
        self.assertEqual(self.asked(), ["--user show-environment", "--user disable --now vdk-server.service",
                                        "--user daemon-reload"])
        self.assertFalse(self.unit.exists())
        self.assertEqual(self.vdk("server", "--uninstall", "-o", "json").json()["state"], "not installed")

    def test_a_service_that_does_not_start_leaves_everything_as_it_was(self):
        self.systemctl(failing="restart")
        error = self.vdk("server", "--install", code=1).err
        self.assertIn("Job for unit failed", error)
        self.assertFalse(self.unit.exists())
        self.unit.parent.mkdir(parents=True, exist_ok=True)
        self.unit.write_text("[Service]\nExecStart=/old\n")
        self.vdk("server", "--install", code=1)
        self.assertEqual(self.unit.read_text(), "[Service]\nExecStart=/old\n")

    def test_a_wrong_configuration_is_not_installed(self):
        self.systemctl()
        self.vdk("server", "--install", "--config", self.config("nonsense: 1\n"), code=2)
        self.assertFalse(self.unit.exists())


class Upkeep(ServerTest):
    def deployed(self, name="some-job"):
        self.vdk("deploy", "-p", self.job(name, {"config.ini": CONFIG, "1.sql": "select 1"}))
        return self.home / ".local/share/vdk"

    def test_a_sound_service_passes_fsck_and_a_lost_runtime_is_found_and_restored(self):
        home = self.deployed()
        self.assertEqual(self.vdk("server", "fsck").out, "Nothing is wrong.\n")
        self.assertEqual(self.vdk("server", "fsck", "-o", "json").json(), {"clean": True, "findings": []})
        subprocess.run(["chmod", "-R", "u+w", str(home / "deployments")], check=True)
        subprocess.run(["rm", "-rf", str(home / "deployments"), str(home / "environments")], check=True)
        found = self.vdk("server", "fsck", "-o", "json", code=1).json()
        self.assertIn("some-job", [finding["subject"] for finding in found["findings"]])
        self.vdk("server", "restore")
        self.vdk("execute", "-n", "some-job", "--start", "--wait")
        self.vdk("server", "fsck")

    def test_a_backup_of_a_serving_home_fills_an_empty_one(self):
        self.deployed()
        self.server()
        self.vdk("secrets", "-n", "some-job", "--set", "token", "hidden")
        folder = self.dir / "monday"
        self.assertEqual(self.vdk("server", "backup", folder, "--with-key", "-o", "json").json(),
                         {"directory": str(folder), "with_key": True})
        self.assertIn("not empty", self.vdk("server", "backup", folder, code=6).err)
        other = {"VDK_CONTROL_SERVICE_HOME": str(self.dir / "elsewhere")}
        self.vdk("server", "restore", "--from", folder, env=other)
        self.assertIn("hidden", self.vdk("secrets", "-n", "some-job", "--get", "token", env=other).out)
        self.vdk("execute", "-n", "some-job", "--start", "--wait", env=other)
        self.vdk("server", "restore", "--from", folder, env=other, code=6)


class OnPostgres(ServerTest):
    def setUp(self):
        super().setUp()
        self.database = postgres.running(self.addCleanup)
        self.database.create_database("service")
        password = self.dir / "password"
        password.write_text(self.database.password + "\n")
        password.chmod(0o600)
        self.yaml = self.config(f"home: shared\ndatabase:\n  url: postgresql://127.0.0.1:{self.database.port}/service\n"
                                f"  username: {self.database.USER}\n  passwordFile: password\n")

    def test_a_laptop_grows_into_a_database_that_two_servers_share(self):
        self.vdk("deploy", "-p", self.job("some-job", {"config.ini": CONFIG, "1.sql": "select 1"}))
        self.vdk("secrets", "-n", "some-job", "--set", "token", "precious")
        self.vdk("server", "backup", self.dir / "copy", "--with-key")
        self.vdk("server", "restore", "--from", self.dir / "copy", "--config", self.yaml)
        first, log, _ = self.server("--config", str(self.yaml))
        second, other_log, address = self.server("--config", str(self.yaml))
        status = self.vdk("server", "--status", "--config", self.yaml, "-o", "json").json()
        self.assertEqual(sorted(server["pid"] for server in status["servers"]), sorted([first.pid, second.pid]))
        self.assertEqual({(s["health"], s["database"]) for s in status["servers"]}, {("UP", "postgresql")})
        remote = {"VDK_CONTROL_SERVICE_REST_API_URL": address}
        self.vdk("execute", "-n", "some-job", "-t", "root", "--start", "--wait", env=remote, code=5)
        team = self.vdk("list", "-a", "-o", "json", env=remote).json()[0]["job_team"]
        self.vdk("execute", "-n", "some-job", "-t", team, "--start", "--wait", env=remote)
        self.assertIn("precious", self.vdk("secrets", "-n", "some-job", "-t", team, "--get", "token", env=remote).out)
        self.assertEqual(self.vdk("server", "fsck", "--config", self.yaml).out, "Nothing is wrong.\n")
        self.assertEqual((self.stop(first), self.stop(second)), (0, 0))
        everything = log.read_text() + other_log.read_text()
        self.assertNotIn(self.database.password, everything)

    def test_a_database_that_is_away_or_refuses_is_explained_without_the_password(self):
        yaml = self.yaml.read_text()
        for change, code in ((("/service\n", "/missing\n"), None), (("username: vdk", "username: nobody"), None),
                             ((f":{self.database.port}/", ":1/"), 8)):
            self.yaml.write_text(yaml.replace(*change))
            result = self.run_vdk("server", "--config", self.yaml, "--port", "0")
            self.assertIn(result.code, (code,) if code else (1, 2, 4, 5, 8), result)
            self.assertIn("why: ", result.err)
            self.assertNotIn(self.database.password, result.err)


class Options(ServerTest):
    def test_vdk_options_reach_the_executions_of_the_server(self):
        config = self.config("vdkOptions: |\n  [default]\n  VDK_FOR_ALL=one\n  [my-own-job]\n  VDK_FOR_ONE=two\n")
        seen = self.dir / "seen"
        step = (f"import os, pathlib\ndef run(job_input):\n    pathlib.Path({str(seen)!r}).write_text(\n"
                "        os.environ.get('VDK_FOR_ALL', '') + os.environ.get('VDK_FOR_ONE', '')\n"
                "        + os.environ.get('VDK_SERVER_MAIL_SMTP_PASSWORD', ''))\n")
        job = self.job("my-own-job", {"config.ini": CONFIG, "a.py": step})
        _, _, address = self.server("--config", str(config), env={"VDK_SERVER_MAIL_SMTP_PASSWORD": "hidden"})
        remote = {"VDK_CONTROL_SERVICE_REST_API_URL": address}
        self.vdk("create", "-n", "my-own-job", "-t", "team-a", "--cloud", env=remote)
        self.vdk("deploy", "-p", job, "-t", "team-a", env=remote)
        self.vdk("execute", "-n", "my-own-job", "-t", "team-a", "--start", "--wait", env=remote)
        self.assertEqual(seen.read_text(), "onetwo")


if __name__ == "__main__":
    unittest.main()
