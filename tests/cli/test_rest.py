# SPDX-License-Identifier: Apache-2.0
"""The REST server in the real binary, over plain HTTP: what a client without our code sees."""
import http.client
import io
import json
import socket
import time
import unittest
import urllib.parse
import zipfile

from harness import VdkTest


class Rest(VdkTest):
    def setUp(self):
        super().setUp()
        self.address = urllib.parse.urlsplit(self.serve())

    def call(self, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method, path, data, {"Content-Type": kind} if data is not None else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def until(self, path, wanted, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = json.loads(self.call("GET", path)[1])
            if wanted(found):
                return found
            time.sleep(0.2)
        self.fail(f"{path} stays {found}")

    def test_a_job_lives_from_registration_to_deletion_over_the_wire(self):
        job = "/data-jobs/for-team/Team%20A/jobs/wire-job"
        self.assertEqual(self.call("POST", "/data-jobs/for-team/Team%20A/jobs?name=wire-job", {"job_name": "wire-job"})[0].status, 201)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("any/config.ini", "[owner]\nteam = Team A\n")
            file.writestr("any/10_step.py", "def run(job_input):\n    print('grüße', job_input.get_arguments())\n")
        answer, text = self.call("POST", job + "/sources?reason=why", archive.getvalue(), "application/octet-stream")
        self.assertEqual(answer.status, 200, text)
        version = json.loads(text)["version_sha"]

        # Accepted at once; the synchronizer rolls out in the background.
        self.assertEqual(self.call("POST", job + "/deployments", {"job_version": version})[0].status, 202)
        deployed = self.until(job + "/deployments", lambda rows: rows and rows[0]["status"] != "NONE")
        self.assertEqual((deployed[0]["status"], deployed[0]["job_version"]), ("SUCCESS", version))

        answer, _ = self.call("POST", job + "/deployments/production/executions", {"started_by": "manual/wire", "args": {"a": 1}})
        self.assertEqual(answer.status, 202)
        execution = f"{job}/executions/{answer.headers['Location'].rsplit('/', 1)[1]}"
        done = self.until(execution, lambda row: row["status"] not in ("submitted", "running"))
        self.assertEqual((done["status"], done["started_by"]), ("succeeded", "manual/wire/null"))
        self.assertIn("grüße {'a': 1}", json.loads(self.call("GET", execution + "/logs?tail_lines=200")[1])["logs"])

        self.assertEqual(self.call("DELETE", job)[0].status, 200)
        answer, text = self.call("GET", job)
        self.assertEqual((answer.status, text), (404, b""))

    def test_slow_clients_and_large_requests_do_not_disturb_the_others(self):
        slow = [socket.create_connection((self.address.hostname, self.address.port)) for _ in range(100)]
        for client in slow:
            client.sendall(b"POST /data-jobs/for-team/t/jobs HTTP/1.1\r\nContent-Length: 100\r\n")
        self.assertEqual(self.call("GET", "/data-jobs/for-team/t/info")[0].status, 200)
        self.assertEqual(json.loads(self.call("GET", "/data-jobs/debug/health")[1]), {"status": "UP"})
        metrics = self.call("GET", "/data-jobs/debug/prometheus")[1].decode()
        open_now = [line for line in metrics.splitlines() if line.startswith("http_server_connections ")]
        self.assertGreaterEqual(int(open_now[0].split()[1]), 100)
        for client in slow:
            client.close()
        large = socket.create_connection((self.address.hostname, self.address.port), timeout=20)
        large.sendall(b"PUT /data-jobs/for-team/t/jobs/some-job HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
        self.assertIn(b" 413 ", large.recv(4096))
        large.close()


if __name__ == "__main__":
    unittest.main()
