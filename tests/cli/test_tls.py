# SPDX-License-Identifier: Apache-2.0
"""Encrypted connections: the server's certificate, what is refused, and a new certificate while it runs."""
import hashlib
import http.client
import io
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import zipfile

from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import certificates  # noqa: E402

P = "/data-jobs/for-team/team-a"
HEALTH = "/data-jobs/debug/health"


class TlsTest(VdkTest):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.dir / "ca")
        self.trust = ssl.create_default_context(cafile=str(self.authority.file))

    def config(self, files, extra=""):
        config = self.dir / "server.yaml"
        config.write_text(f"tls:\n  certificate: {files[0]}\n  key: {files[1]}\n{extra}")
        return config

    def serve_tls(self, files=None, extra=""):
        self.files = files or self.authority.issue("server")
        self.start_server("--config", str(self.config(self.files, extra)))

        def address():
            self.assertIsNone(self.servers[-1].poll(), self.log())
            return re.search(r"listens on (https://\S+)", self.log())
        self.url = self.wait_until(address, 30, "the server's address")[1]
        self.port = urllib.parse.urlsplit(self.url).port

    def log(self):
        return (self.dir / f"server{len(self.servers) - 1}.log").read_text()

    def hang_up(self, words):
        seen = self.log().count(words)
        self.servers[-1].send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.log().count(words) > seen, 20, words)

    def connect(self, trust=None):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=trust or self.trust)

    def ask(self, method, path, body=None, kind="application/json", connection=None):
        own = connection or self.connect()
        own.request(method, path, body, {"Content-Type": kind} if body is not None else {})
        answer = own.getresponse()
        answer.data = answer.read()
        if connection is None:
            own.close()
        return answer

    def serial(self):
        raw = self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20), server_hostname="127.0.0.1")
        with raw:
            return raw.getpeercert()["serialNumber"]

    def s_client(self, *args):
        """What openssl's own client says; the handshake only."""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile", self.authority.file, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr


class Encrypted(TlsTest):
    def test_commands_work_over_https_when_they_trust_the_authority_and_else_say_what_to_do(self):
        self.serve_tls()
        folder = self.job("some-job", {"config.ini": "[owner]\nteam = team-a\n[job]\nschedule_cron =\n",
                                       "10_step.py": "def run(job_input):\n    pass\n"})
        trusting = {"SSL_CERT_FILE": str(self.authority.file)}
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "team-a", "-u", self.url, env=trusting)
        self.vdk("deploy", "-p", folder, "-t", "team-a", "-u", self.url, env=trusting, timeout=240)
        by_setting = {"VDK_CONTROL_HTTP_CA_FILE": str(self.authority.file)}
        rows = self.vdk("list", "-t", "team-a", "-u", self.url, "-o", "json", env=by_setting).json()
        self.assertEqual([row["job_name"] for row in rows], ["some-job"])
        error = self.vdk("list", "-t", "team-a", "-u", self.url, code=8, env={"VDK_CONTROL_HTTP_TOTAL_RETRIES": "0"}).err
        self.assertIn("SSL_CERT_FILE", error)
        self.assertRegex(error, "certificate")
        status = self.vdk("server", "--status", "-o", "json").json()["servers"][0]
        self.assertEqual((status["address"], status["health"]), (self.url, "UP"))
        self.assertEqual(self.servers[-1].poll(), None)

    def test_a_chain_is_sent_and_an_rsa_key_serves(self):
        self.authority.issue("middle", authority=True, subject="the middle")
        leaf, key = self.authority.issue("leaf", issuer="middle", key=["-newkey", "rsa:2048"])
        chain = self.dir / "chain.pem"
        chain.write_text(leaf.read_text() + (self.authority.folder / "middle.pem").read_text())
        self.serve_tls((chain, key))
        self.assertEqual(self.ask("GET", HEALTH).status, 200)

    def test_old_protocols_are_refused_and_new_ones_speak_http_1_1(self):
        self.serve_tls()
        for old in (["-tls1"], ["-tls1_1"], ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA"]):
            with self.subTest(old):
                code, text = self.s_client(*old)
                self.assertNotEqual(code, 0)
                self.assertIn("Cipher is (NONE)", text)
        for new, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            with self.subTest(new):
                code, text = self.s_client(new, "-alpn", "h2,http/1.1", "-verify_return_error")
                self.assertEqual(code, 0, text)
                self.assertIn(name + ", Cipher is", text)
                self.assertIn("ALPN protocol: http/1.1", text)
                self.assertIn("Verify return code: 0 (ok)", text)
        code, text = self.s_client("-alpn", "h2")
        self.assertNotEqual(code, 0)
        self.assertIn("no application protocol", text)

    def test_plain_http_gets_a_short_answer_and_garbage_is_closed(self):
        self.serve_tls()
        plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        plain.request("GET", HEALTH)
        answer = plain.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn("https", json.loads(answer.read())["why"])
        with socket.create_connection(("127.0.0.1", self.port), 20) as raw:
            raw.sendall(b"\x00garbage" * 100)
            while raw.recv(4096):
                pass
        self.assertEqual(self.ask("GET", HEALTH).status, 200)

    def test_the_end_of_an_answer_is_said(self):
        self.serve_tls(extra="server: {keepAliveSeconds: 1}\n")
        for request in (b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"):
            raw = self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20), server_hostname="127.0.0.1",
                                         suppress_ragged_eofs=False)
            with raw:
                raw.sendall(request % HEALTH.encode())
                text = b""
                while chunk := raw.recv(4096):  # an end without close_notify raises
                    text += chunk
                self.assertIn(b'{"status":"UP"}', text)

    def test_large_bodies_go_both_ways_and_requests_may_come_in_small_pieces(self):
        self.serve_tls()
        self.assertEqual(self.ask("POST", P + "/jobs?name=large-job", json.dumps({"job_name": "large-job", "team": "team-a"})).status, 201)
        noise = os.urandom(12 << 20)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("large-job/config.ini", "[owner]\nteam = team-a\n")
            out.writestr("large-job/10_step.py", "def run(job_input):\n    pass\n")
            out.writestr("large-job/noise.bin", noise)
        connection = self.connect()
        sent = self.ask("POST", P + "/jobs/large-job/sources?reason=test", archive.getvalue(), "application/octet-stream", connection)
        self.assertEqual(sent.status, 200, sent.data[:300])
        back = self.ask("GET", P + "/jobs/large-job/sources", connection=connection)
        self.assertEqual(back.status, 200)
        with zipfile.ZipFile(io.BytesIO(back.data)) as got:
            name = next(one for one in got.namelist() if one.endswith("noise.bin"))
            self.assertEqual(hashlib.sha256(got.read(name)).digest(), hashlib.sha256(noise).digest())
        raw = self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20), server_hostname="127.0.0.1")
        with raw:
            for byte in b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % HEALTH.encode():
                raw.sendall(bytes([byte]))
            text = b""
            while chunk := raw.recv(4096):
                text += chunk
        self.assertTrue(text.startswith(b"HTTP/1.1 200"))

    def test_a_slow_reader_gets_a_large_answer_whole(self):
        self.serve_tls()
        self.assertEqual(self.ask("POST", P + "/jobs?name=slow-job", json.dumps({"job_name": "slow-job", "team": "team-a"})).status, 201)
        value = "x" * (6 << 20)  # more than the buffers of the sockets hold
        properties = P + "/jobs/slow-job/deployments/x/properties"
        self.assertEqual(self.ask("PUT", properties, json.dumps({"a": value})).status, 204)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 << 10)
        plain.settimeout(20)
        plain.connect(("127.0.0.1", self.port))
        with self.trust.wrap_socket(plain, server_hostname="127.0.0.1") as raw:
            raw.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % properties.encode())
            time.sleep(1)
            text = b""
            while chunk := raw.recv(1 << 20):
                text += chunk
        self.assertEqual(json.loads(text.split(b"\r\n\r\n", 1)[1])["a"], value)

    def test_half_open_handshakes_hold_nobody_up_and_end(self):
        self.serve_tls(extra="server: {headerTimeoutSeconds: 10}\n")
        self.assertEqual(self.ask("GET", HEALTH).status, 200)
        idle = [socket.create_connection(("127.0.0.1", self.port), 20) for _ in range(200)]
        try:
            for number, one in enumerate(idle):
                if number % 2:
                    one.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a hello
            begin = time.monotonic()
            for _ in range(20):
                self.assertEqual(self.ask("GET", "/data-jobs/for-team/team-a/info").status, 200)
            self.assertLess(time.monotonic() - begin, 9, "nobody waits for the end of their time")
            for one in idle:
                one.settimeout(30)
                self.assertEqual(one.recv(100), b"", "closed after the time of a header")
        finally:
            for one in idle:
                one.close()


class Changed(TlsTest):
    def test_a_hangup_swaps_the_certificate_under_load_and_no_request_is_lost(self):
        self.serve_tls()
        old = self.serial()
        kept = self.connect()
        self.assertEqual(self.ask("GET", HEALTH, connection=kept).status, 200)
        stop, problems, counts = threading.Event(), [], [0] * 4

        def load(number):
            keep = None
            while not stop.is_set():
                try:
                    if number % 2:
                        keep = keep or self.connect()
                        answer = self.ask("GET", P + "/info", connection=keep)
                    else:
                        answer = self.ask("GET", P + "/info")
                    if answer.status != 200:
                        problems.append(answer.status)
                    counts[number] += 1
                except (OSError, http.client.HTTPException) as problem:
                    problems.append(repr(problem))
        threads = [threading.Thread(target=load, args=(number,)) for number in range(len(counts))]
        for thread in threads:
            thread.start()
        serials = [old]
        try:
            for _ in range(4):
                fresh = self.authority.issue("fresh")
                for source, target in zip(fresh, self.files):
                    os.replace(source, target)
                self.hang_up("Connections are encrypted; certificate: vdk.example.com")
                serials.append(self.serial())
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(problems, [])
        self.assertGreater(min(counts), 20)
        self.assertEqual(len(set(serials)), 5, "each new connection gets the new certificate")
        self.assertEqual(self.ask("GET", HEALTH, connection=kept).status, 200)

    def test_a_broken_certificate_keeps_the_old_one_and_is_explained(self):
        self.serve_tls()
        old = self.serial()
        good = [file.read_text() for file in self.files]
        wrong = {"has no certificate": ("nothing", good[1]), "does not belong to the certificate": (good[0], self.authority.issue("other")[1].read_text()),
                 "has expired at": (self.authority.issue("late", days=-1)[0].read_text(), (self.authority.folder / "late.key").read_text()),
                 "has no private key": (good[0], "nothing")}
        for words, texts in wrong.items():
            with self.subTest(words):
                for file, text in zip(self.files, texts):
                    file.write_text(text)
                self.hang_up("the configuration was not read again")
                self.assertIn(words, self.log())
                self.assertEqual(self.serial(), old)
        for file, text in zip(self.files, good):
            file.write_text(text)
        self.config(self.files, "server: {keepAliveSeconds: 3}\n")
        self.hang_up("changes of 'server.keepAliveSeconds' take effect at the next start")
        self.config(["", ""])
        self.hang_up("changes of 'tls.certificate'")
        self.assertEqual(self.serial(), old, "encryption is not switched off while the server runs")


class Checked(TlsTest):
    def check(self, files, code=2):
        result = self.vdk("server", "--check-config", "--config", self.config(files), "-o", "json", code=code).json()
        return [(one["severity"], one["key"], one["message"], one["line"]) for one in result["problems"]]

    def test_every_mistake_is_found_before_the_start(self):
        good, key = self.authority.issue("server")
        self.assertEqual(self.check((good, key), 0), [])
        self.assertIn("encryption       on", self.vdk("server", "--check-config", "--config", self.config((good, key))).out)
        other = self.authority.issue("other")
        text = self.dir / "text.pem"
        text.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        empty = self.dir / "empty.key"
        empty.write_text("")
        empty.chmod(0o600)
        locked = self.dir / "locked.key"
        subprocess.run(["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:x"], check=True, capture_output=True)
        locked.chmod(0o600)
        backwards = self.dir / "backwards.pem"
        backwards.write_text(self.authority.file.read_text() + good.read_text())
        weak = self.authority.issue("weak", key=["-newkey", "rsa:1024"])
        for files, key_name, words in [
                (("missing.pem", key), "tls.certificate", "missing.pem' cannot be read"),
                ((good, "missing.key"), "tls.key", "missing.key' cannot be read"),
                ((key, key), "tls.certificate", "has no certificate"), ((good, empty), "tls.key", "has no private key"),
                ((text, key), "tls.certificate", "cannot be read"), ((good, locked), "tls.key", "protected by a passphrase"),
                ((good, other[1]), "tls.key", "does not belong to the certificate"),
                ((backwards, key), "tls.key", "does not belong to the certificate"),
                (self.authority.issue("late", days=-1), "tls.certificate", "has expired at"),
                (weak, "tls.certificate", "OpenSSL refuses it: ee key too small")]:
            with self.subTest(words):
                found = [one for one in self.check(files) if one[0] == "error"]
                self.assertEqual([one[1] for one in found], [key_name], found)
                self.assertIn(words, found[0][2])
                self.assertEqual(found[0][3], 2 if key_name == "tls.certificate" else 3)
                error = self.vdk("server", "--config", self.config(files), "--port", "0", code=2).err
                self.assertNotIn("listens on", error)
        key.chmod(0o644)
        self.assertIn("everybody on this machine can read the key", self.check((good, key))[0][2])
        for one in ("certificate", "key"):
            config = self.dir / "half.yaml"
            config.write_text(f"tls: {{{one}: {good}}}\n")
            self.assertIn("but no", self.vdk("server", "--check-config", "--config", config, code=2).out)

    def test_a_certificate_that_ends_soon_is_a_warning(self):
        soon = self.authority.issue("soon", days=5)
        (found,) = self.check(soon, 0)
        self.assertEqual(found[:2], ("warning", "tls.certificate"))
        self.assertIn("expires at", found[2])
        self.serve_tls(soon)
        self.assertIn("tls.certificate: the certificate expires at", self.log())


if __name__ == "__main__":
    unittest.main()
