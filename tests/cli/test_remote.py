# SPDX-License-Identifier: Apache-2.0
"""The command line against `vdk server`: the same tests as with the embedded service, and what only a network brings."""
import getpass
import http.client
import http.server
import json
import platform
import re
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import threading
import unittest

import test_lifecycle
import test_python_versions
from harness import Remote, VdkTest

STEP = test_lifecycle.STEP


class RemoteLifecycle(Remote, test_lifecycle.Lifecycle):
    pass


class RemotePythonVersions(Remote, test_python_versions.PythonVersions):
    pass


class SameRows(VdkTest):
    """What the embedded service and a server store for the same commands."""

    VOLATILE = {"id", "op_id", "start_time", "end_time", "job_version", "git_commit_sha", "commit_sha", "last_deployed_date",
                "latest_job_execution_id", "last_execution_end_time", "last_execution_duration", "deployment_version_sha",
                "secrets", "cipher", "scheduled_time", "submitted_time", "revision"}

    def life(self):
        config = ("[owner]\nteam = red\n[job]\nschedule_cron = 11 23 5 8 1\ndb_default_type = sqlite\n[contacts]\n"
                  "notified_on_job_deploy = a@b.c; d@e.f\nenable_execution_notifications = false\n")
        folder = self.dir / "same-job" if (self.dir / "same-job").exists() else \
            self.job("same-job", {"config.ini": config, "a.py": STEP})
        where = ("-n", "same-job", "-t", "red")
        self.register("same-job")
        self.vdk("deploy", "-p", folder, "-r", "why")
        self.vdk("deploy", "--disable", *where)
        self.vdk("properties", *where, "--set", "a", "5")
        self.vdk("execute", "--start", "--wait", *where)

    def rows(self, home):
        (path,) = home.glob("*.db")
        result = {}
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            for table in ("data_job", "desired_data_job_deployment", "actual_data_job_deployment", "data_job_execution",
                          "job_properties"):
                result[table] = [{k: row[k] for k in row.keys() if k not in self.VOLATILE and "deployed_by" not in k}
                                 for row in store.execute(f"select * from {table}")]
        return result

    maxDiff = None

    def test_embedded_and_remote_store_the_same(self):
        self.life()
        embedded = self.rows(self.home / ".local/share/vdk")
        other = self.dir / "other"
        self.url = self.serve(env={"VDK_CONTROL_SERVICE_HOME": str(other)})
        base = self.env
        self.env = lambda extra=None: base({"VDK_CONTROL_SERVICE_REST_API_URL": self.url, "no_proxy": "127.0.0.1", **(extra or {})})
        self.life()
        remote = self.rows(other)
        text = json.dumps(embedded).replace(f"manual/vdk-control-cli/{getpass.getuser()}", "manual/vdk-control-cli/null")
        home = str(self.home / ".local/share/vdk")
        self.assertEqual(json.loads(text.replace(home, str(other))), remote)


class Front(http.server.BaseHTTPRequestHandler):
    """Stands before a server and fails as its script says, then lets everything through."""

    protocol_version = "HTTP/1.1"
    script, seen, target = [], [], None

    def log_message(self, *args):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path))
        failure = self.script.pop(0) if self.script else None
        if failure == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        if failure != "lost" and failure:
            return self.answer(failure, {"Retry-After": "0"}, b"not now")
        connection = http.client.HTTPConnection(self.target)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if failure == "lost":  # the server has done it, its answer does not arrive
            self.close_connection = True
            return self.connection.close()
        keep = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "location", "retry-after")}
        self.answer(answer.status, keep, content)

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any


class BadNetwork(Remote, VdkTest):
    def setUp(self):
        super().setUp()
        Front.script, Front.seen, Front.target = [], [], self.url.removeprefix("http://")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        server.handle_error = lambda *args: None
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def test_failures_that_pass_are_not_seen(self):
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n", "a.py": STEP})
        self.register("first-job")
        Front.script = [503, "reset", 502]
        self.vdk("show", "-n", "first-job", "-t", "red")
        Front.script = ["lost"]
        self.vdk("deploy", "-p", folder)
        Front.script = [503, "lost", "reset"]
        self.assertEqual(len(self.vdk("list", "-t", "red", "-o", "json").json()), 1)

    def test_a_change_is_not_sent_twice_and_doing_it_again_is_safe(self):
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n", "a.py": STEP})
        Front.script = ["lost"]
        self.vdk("create", "--cloud", "-n", "first-job", "-t", "red", code=8)
        self.assertEqual(len([s for s in Front.seen if s[0] == "POST"]), 1)
        again = self.vdk("create", "--cloud", "-n", "first-job", "-t", "red")
        self.assertIn("already exists", again.err)
        self.vdk("deploy", "-p", folder)
        shown = self.vdk("deploy", "--show", "-n", "first-job", "-t", "red", "-o", "json").json()
        self.assertIn("unchanged", self.vdk("deploy", "-p", folder).err)
        self.assertEqual(self.vdk("deploy", "--show", "-n", "first-job", "-t", "red", "-o", "json").json(), shown)
        self.assertIn("It does not belong to team 'blue'", self.vdk("create", "--cloud", "-n", "first-job", "-t", "blue").err)

    def test_a_certificate_is_trusted_by_its_authority_or_when_nothing_is_verified(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        files = {leaf: str(self.dir / leaf) for leaf in ("ca.pem", "ca.key", "server.pem", "server.key", "request", "san")}
        (self.dir / "san").write_text("subjectAltName=IP:127.0.0.1\n")
        for words in (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout",
                       files["ca.key"], "-out", files["ca.pem"]],
                      ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", files["server.key"], "-out",
                       files["request"]],
                      ["x509", "-req", "-in", files["request"], "-CA", files["ca.pem"], "-CAkey", files["ca.key"],
                       "-CAcreateserial", "-days", "2", "-extfile", files["san"], "-out", files["server.pem"]]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        server.handle_error = lambda *args: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files["server.pem"], files["server.key"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.extra = None  # the server behind stays as it is
        address = f"https://127.0.0.1:{server.server_address[1]}"

        def listed(code, **variables):
            self.extra = variables
            return self.vdk("list", "-a", "-u", address, "-o", "json", env=variables, code=code).json()
        self.assertIn("VDK_CONTROL_HTTP_CA_FILE", listed(8)["error"]["countermeasures"])
        self.assertEqual(listed(0, VDK_CONTROL_HTTP_CA_FILE=files["ca.pem"]), [])
        self.assertEqual(listed(0, SSL_CERT_FILE=files["ca.pem"]), [])
        self.assertEqual(listed(0, VDK_CONTROL_HTTP_VERIFY_SSL="false"), [])

    def test_a_refusal_says_what_the_server_says(self):
        Front.script = [501]
        result = self.vdk("info", "-t", "red", code=1)
        self.assertIn("Http error: status: 501 - not now", result.err)


class Addresses(VdkTest):
    def test_a_service_that_is_not_there_is_an_error_of_its_own(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        env = {"VDK_CONTROL_HTTP_CONNECT_RETRIES": "1", "no_proxy": "127.0.0.1"}
        result = self.vdk("list", "-a", "-u", url, env=env, code=8)
        self.assertIn(url, result.err)
        self.assertIn("--rest-api-url", result.err)
        error = self.vdk("list", "-a", "-u", url, "-o", "json", env=env, code=8).json()["error"]
        self.assertEqual(error["kind"], "unreachable")

    def test_a_wrong_address_or_number_is_refused_at_once(self):
        for url in ("localhost:8092", "ftp://host", "http://"):
            self.assertIn("--rest-api-url", self.vdk("list", "-a", "-u", url, code=2).err)
        result = self.vdk("list", "-a", "-u", "http://127.0.0.1:1", env={"VDK_CONTROL_HTTP_TOTAL_RETRIES": "-1"}, code=2)
        self.assertIn("VDK_CONTROL_HTTP_TOTAL_RETRIES", result.err)

    def test_the_default_address_is_used_and_an_empty_variable_switches_it_off(self):
        url = self.serve()
        self.vdk("set-default", "-u", url + "/", "-t", "red")
        env = {"no_proxy": "127.0.0.1"}
        self.vdk("create", "--cloud", "-n", "first-job", env=env)
        self.assertEqual([r["job_name"] for r in self.vdk("list", "-o", "json", env=env).json()], ["first-job"])
        self.vdk("show", "-n", "first-job", env=env)
        self.vdk("deploy", "--show", "-n", "first-job", env={"VDK_CONTROL_SERVICE_REST_API_URL": "", **env})

    def test_a_run_reads_and_writes_properties_of_the_service_only_when_a_step_asks(self):
        url = self.serve()
        env = {"VDK_CONTROL_SERVICE_REST_API_URL": url, "no_proxy": "127.0.0.1"}
        step = ("def run(job_input):\n    p = job_input.get_all_properties()\n    print('read', p)\n"
                "    job_input.set_all_properties({**p, 'b': 7})\n")
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = red\n", "a.py": step})
        self.assertIn("kept for this run only", self.vdk("run", folder, env=env).err)
        self.vdk("create", "--cloud", "-n", "first-job", "-t", "red", env=env)
        self.vdk("properties", "-n", "first-job", "-t", "red", "--set", "a", "1", env=env)
        done = self.vdk("run", folder, env=env)
        self.assertIn("read {'a': '1'}", done.out + done.err)
        self.assertEqual(self.vdk("properties", "-n", "first-job", "-t", "red", "--list", "-o", "json", env=env).json(),
                         {"a": "1", "b": 7})
        quiet = self.job("quiet-job", {"config.ini": "[owner]\nteam = red\n", "a.py": STEP})
        self.vdk("run", quiet, env={**env, "VDK_CONTROL_SERVICE_REST_API_URL": "http://127.0.0.1:1"}, timeout=10)

    def test_commands_and_server_share_the_configuration_that_a_variable_names(self):
        config = self.dir / "server.yaml"
        full = platform.python_version()  # never found on PATH: there versions have two parts
        config.write_text(f"home: {self.dir / 'service'}\nsupportedPythonVersions:\n  '{full}':\n"
                          f"    interpreter: {sys.executable}\n")
        env = {"VDK_SERVER_CONFIG": str(config)}
        self.assertEqual(self.vdk("info", "-o", "json", env=env).json()["supported_python_versions"], [full])
        self.vdk("create", "--cloud", "-n", "first-job", "-t", "red", env=env)
        url = self.serve("--config", str(config))
        self.assertTrue((self.dir / "service" / "control.db").exists())
        self.assertFalse((self.home / ".local/share/vdk/control.db").exists())
        listed = self.vdk("list", "-a", "-u", url, "-o", "json", env={"no_proxy": "127.0.0.1"}).json()
        self.assertEqual([row["job_name"] for row in listed], ["first-job"])
        config.write_text("hoem: x\n")
        self.assertIn("server.yaml:1:1", self.vdk("list", "-a", env=env, code=2).err)

    def test_the_team_need_not_be_typed_and_an_unregistered_job_is_told_how(self):
        url = self.serve()
        env = {"VDK_CONTROL_SERVICE_REST_API_URL": url, "no_proxy": "127.0.0.1"}
        folder = self.job("first-job", {"config.ini": "[owner]\nteam = A team\n", "a.py": STEP})
        refused = self.vdk("deploy", "-p", folder, env=env, code=5)
        self.assertRegex(refused.err, r"vdk create --cloud -n first-job -t 'A team'")
        self.vdk("create", "--cloud", "-n", "first-job", "-t", "A team", env=env)
        self.assertIn("a.py", self.vdk("deploy", "-p", folder, "--dry-run", env=env).out)
        self.vdk("deploy", "-p", folder, env=env)
        self.assertEqual(self.vdk("show", "-n", "first-job", "-o", "json", env=env).json()["team"], "A team")
        followed = self.vdk("execute", "--start", "--wait", "--logs", "-n", "first-job", env=env)
        self.assertIn("hello from first-job", followed.out)
        self.assertTrue(re.search("succeeded", followed.err))


if __name__ == "__main__":
    unittest.main()
