# SPDX-License-Identifier: Apache-2.0
"""Login at a real OpenID Connect provider: every flow, renewal, the file shared with the original, and secrets."""
import base64
import contextlib
import http.server
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import original
from harness import BINARY, ROOT, Result, VdkTest
from test_page import chromium, driver_folder

sys.path.insert(0, str(ROOT / "tests" / "support"))
from oidc_provider import provider  # noqa: E402


class Service(http.server.BaseHTTPRequestHandler):
    """What of a control service the tests need: it takes unexpired tokens only, notes them, and has one job that runs."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        if self.path.endswith("/.well-known/openid-configuration"):
            self.reply(200, json.dumps(self.metadata).encode())
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        server.tokens.append(token)
        try:
            part = token.split(".")[1]
            valid = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"] > time.time()
        except (IndexError, ValueError, KeyError):
            valid = False
        if not valid or token in server.refused:
            self.reply(401, b"")
        elif self.path.endswith("/executions/e1"):
            status = "running" if time.monotonic() < server.end else "succeeded"
            self.reply(200, json.dumps({"id": "e1", "job_name": "some-job", "status": status, "type": "manual"}).encode())
        elif self.path.endswith("/info"):
            self.reply(200, json.dumps({"api_version": "1", "supported_python_versions": ["3.11"]}).encode())
        else:
            self.reply(200, json.dumps({"data": {"content": [], "totalItems": 0, "totalPages": 1}, "errors": []}).encode())

    def do_POST(self):
        """A provider that is told what to answer, for what the real one does not do on demand."""
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.forms.append(form)
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, {})
        if answer == {}:
            claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + 900, "username": "eve", "n": len(self.server.forms)}).encode())
            answer = {"access_token": f"e30.{claims.decode().rstrip('=')}.x", "token_type": "Bearer", "expires_in": 900}
        self.reply(status, json.dumps(answer).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class LoginTest(VdkTest):
    provider_options = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.provider = cls.stack.enter_context(provider(**cls.provider_options))
        cls.issuer = cls.provider.issuer

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def setUp(self):
        super().setUp()
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        self.service.tokens, self.service.refused, self.service.end = [], set(), 0
        self.service.forms, self.service.answers = [], []
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)
        self.url = f"http://127.0.0.1:{self.service.server_address[1]}"
        self.file = self.home / ".vdk.internal" / "vdk-cred.json"

    def env(self, extra=None):
        return super().env({"VDK_CONTROL_SERVICE_REST_API_URL": self.url, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1", **(extra or {})})

    def stored(self):
        return json.loads(self.file.read_text())

    def change(self, **values):
        self.file.write_text(json.dumps({**self.stored(), **values}))

    def expire(self):
        self.change(access_token_expiration_time=time.time() - 5)

    def refreshes(self):
        return sum(line == "POST /token" for line in self.provider.log())

    def start(self, *args, env=None, stdin=subprocess.DEVNULL):
        process = subprocess.Popen([str(BINARY), "login", *args], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.env(env), cwd=self.dir)
        self.servers.append(process)
        return process

    def events(self, process):
        """The address or code that the login shows, as its first event."""
        first = json.loads(process.stdout.readline())
        self.assertEqual(json.loads(process.stdout.readline()), {"event": "waiting"})
        return first

    def finish(self, process):
        out, err = process.communicate(timeout=60)
        return Result(process.returncode, out, err)

    def browser_login(self, *args, login="alice", env=None):
        process = self.start("--issuer", self.issuer, "--events", "--no-browser", *args, env=env)
        event = self.events(process)
        self.assertEqual(event["event"], "url", event)
        _, page = self.provider.sign_in(event["url"], login)
        result = self.finish(process)
        self.assertEqual(result.code, 0, f"{result!r}\n{page}")
        return event, result

    def listing(self, code=0, **kwargs):
        return self.vdk("list", "--all", "-o", "json", code=code, **kwargs)


class Flows(LoginTest):
    def test_a_person_logs_in_with_a_browser_and_the_token_reaches_the_service(self):
        event, result = self.browser_login()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(event["url"]).query)
        self.assertEqual(query["code_challenge_method"], ["S256"])
        self.assertRegex(query["redirect_uri"][0], r"^http://127\.0\.0\.1:\d+/callback$")
        self.assertEqual([json.loads(line)["event"] for line in result.out.splitlines()], ["done"])
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(self.stored()["auth_type"], "credentials")
        self.listing()
        self.assertEqual(self.service.tokens, [self.stored()["access_token"]])
        status = self.vdk("auth", "status", "-o", "json").json()
        self.assertEqual((status["logged_in"], status["user"], status["renewable"]), (True, "alice", True))
        self.assertNotIn(self.stored()["access_token"], json.dumps(status))

    def test_the_browser_of_the_environment_is_opened_with_the_address(self):
        script = self.dir / "browser"
        script.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > {self.dir}/opened.part && mv {self.dir}/opened.part {self.dir}/opened\n")
        script.chmod(0o755)
        process = self.start("--issuer", self.issuer, env={"BROWSER": str(script)})
        self.wait_until((self.dir / "opened").exists, what="the browser")
        self.provider.sign_in((self.dir / "opened").read_text())
        result = self.finish(process)
        self.assertEqual((result.code, result.out), (0, "Login Successful\n"), result)

    def test_without_a_browser_the_address_is_printed(self):
        process = self.start("--issuer", self.issuer, "--timeout", "1")
        result = self.finish(process)
        self.assertEqual(result.code, 1, result)
        self.assertIn(self.issuer + "/auth?", result.err)
        self.assertIn("nobody logged in within 1 s", result.out)

    def test_a_device_code_is_entered_elsewhere(self):
        process = self.start("--issuer", self.issuer, "--events", env={"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
        event = self.events(process)
        self.assertEqual(event["event"], "device_code", event)
        self.provider.sign_in(event["verification_uri_complete"], "bob")
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.vdk("auth", "status", "-o", "json").json()["user"], "bob")

    def test_a_machine_logs_in_with_its_secret_and_is_renewed(self):
        self.vdk("login", "--issuer", self.issuer, "-t", "client-credentials", "-i", "vdk-ci", "--client-secret-stdin", "--scope", "api",
                 stdin="ci-secret\n")
        first = self.stored()["access_token"]
        self.expire()
        self.listing()
        self.assertNotEqual(self.stored()["access_token"], first)
        self.assertEqual(self.service.tokens, [self.stored()["access_token"]])

    def test_an_api_token_is_exchanged_as_the_original_does(self):
        token = self.provider.user_token()["refresh_token"]
        result = self.vdk("login", "-u", self.issuer + "/token", "-a", token, "-i", "vdk-cli")
        self.assertEqual(result.out, "Login Successful\n")
        self.assertIn("visible to other users", result.err)
        self.assertEqual(self.stored()["auth_type"], "api-token")
        self.expire()
        self.listing()

    def test_a_token_got_elsewhere_is_stored_or_used_once(self):
        token = self.provider.user_token("carol")["access_token"]
        file = self.dir / "token"
        file.write_text(token + "\n")
        for env in ({"VDK_ACCESS_TOKEN": token}, {"VDK_ACCESS_TOKEN_FILE": str(file)}):
            self.listing(env=env)
            self.assertFalse(self.file.exists())
            self.assertEqual(self.vdk("auth", "status", "-o", "json", env=env).json()["user"], "carol")
        read, write = os.pipe()
        os.write(write, token.encode())
        os.close(write)
        done = subprocess.run([str(BINARY), "list", "--all"], env=self.env({"VDK_ACCESS_TOKEN_FD": str(read)}), pass_fds=[read],
                              capture_output=True, text=True)
        os.close(read)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.service.tokens, [token] * 3)
        self.vdk("login", "--token-stdin", stdin=token)
        self.listing()
        self.assertEqual(self.service.tokens[-1], token)

    def test_logout_revokes_and_deletes(self):
        self.browser_login()
        refresh = self.stored()["refresh_token"]
        self.vdk("logout")
        self.assertFalse(self.file.exists())
        body = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "vdk-cli"}).encode()
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.issuer + "/token", data=body)
        self.assertIn("invalid_grant", refused.exception.read().decode())
        self.vdk("logout")
        self.vdk("auth", "status", code=4)


class Browser(LoginTest):
    def test_a_person_logs_in_with_chromium(self):
        folder = driver_folder()
        process = self.start("--issuer", self.issuer, "--events", "--no-browser")
        done = subprocess.run(["node", "login.mjs", chromium(), self.events(process)["url"], "dora"], cwd=folder, capture_output=True, text=True,
                              timeout=120)
        self.assertIn("You are logged in", done.stdout, done.stderr)
        result = self.finish(process)
        self.assertEqual((result.code, json.loads(result.out)), (0, {"event": "done", "user": "dora"}), result)


class Keyring(LoginTest):
    def session(self, script):
        """Run commands in a session with an unlocked keyring of its own."""
        prepare = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\nsleep 0.5\n"
        return subprocess.run(["dbus-run-session", "--", "bash", "-c", prepare + script], cwd=self.dir, capture_output=True, text=True,
                              timeout=60, env=self.env({"XDG_RUNTIME_DIR": str(self.dir), "VDK": str(BINARY)}))

    def test_secrets_are_in_the_keyring_and_not_in_the_file(self):
        if not shutil.which("gnome-keyring-daemon") or not shutil.which("dbus-run-session"):
            self.skipTest("gnome-keyring or dbus is not installed")
        token = self.provider.user_token()["access_token"]
        (self.dir / "token").write_text(token)
        done = self.session("$VDK login --token-file token --store keyring && cp home/.vdk.internal/vdk-cred.json seen.json && "
                            "$VDK list --all && $VDK logout && ! $VDK auth status")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.service.tokens, [token])
        self.assertNotIn(token, (self.dir / "seen.json").read_text())

    def test_without_a_keyring_nothing_is_stored(self):
        token = self.provider.user_token()["access_token"]
        result = self.vdk("login", "--token-stdin", "--store", "keyring", stdin=token, code=1, env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/no"})
        self.assertIn("keyring", result.out)
        self.assertIn("--store file", result.out)
        self.assertFalse(self.file.exists())


class Answers(LoginTest):
    """Answers that the real provider does not give on demand."""

    def device_login(self, *answers):
        code = {"device_code": "canary-code", "user_code": "AB-CD", "verification_uri": "http://127.0.0.1/d", "expires_in": 60, "interval": 1}
        address = self.url
        self.service.answers = [(200, code), *answers]
        Service.metadata = {"issuer": address + "/data", "token_endpoint": address + "/t", "device_authorization_endpoint": address + "/d"}
        result = self.run_vdk("login", "--issuer", address + "/data", "--device", "--events")
        self.assertNotIn("canary-code", result.out + result.err)
        return result, [json.loads(line) for line in result.out.splitlines()]

    def test_a_device_login_obeys_slow_down(self):
        start = time.monotonic()
        result, events = self.device_login((400, {"error": "authorization_pending"}), (400, {"error": "slow_down"}))
        self.assertEqual(events[-1], {"event": "done", "user": "eve"}, result)
        self.assertGreater(time.monotonic() - start, 1 + 1 + 6 - 0.5)

    def test_a_device_login_that_is_refused_or_too_late_fails(self):
        for error, words in (("access_denied", "refused"), ("expired_token", "expired")):
            result, events = self.device_login((400, {"error": error}))
            self.assertEqual((result.code, events[-1]["event"]), (1, "error"), result)
            self.assertIn(words, events[-1]["error"]["why"])
            self.assertFalse(self.file.exists())

    def test_an_api_token_of_the_environment_is_exchanged_once_and_not_stored(self):
        env = {"VDK_API_TOKEN": "canary-api-token", "VDK_API_TOKEN_AUTHORIZATION_URL": self.url + "/token"}
        self.listing(env=env)
        self.listing(env=env)
        self.assertEqual(self.service.forms, [{"grant_type": "refresh_token", "refresh_token": "canary-api-token"}])
        self.assertNotIn("canary-api-token", self.file.read_text())
        self.listing(env={**env, "VDK_API_TOKEN": "another"})
        self.assertEqual(self.service.forms[-1]["refresh_token"], "another")


class Refusals(LoginTest):
    def callback(self, event, path):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(event["url"]).query)
        base = urllib.parse.urlsplit(query["redirect_uri"][0])
        try:
            with urllib.request.urlopen(f"{base.scheme}://{base.netloc}{path}") as answer:
                return answer.status
        except urllib.error.HTTPError as problem:
            return problem.code

    def test_other_requests_do_not_end_the_wait_and_a_second_one_finds_nobody(self):
        process = self.start("--issuer", self.issuer, "--events", "--no-browser")
        event = self.events(process)
        base = urllib.parse.urlsplit(urllib.parse.parse_qs(urllib.parse.urlsplit(event["url"]).query)["redirect_uri"][0])
        idle = socket.create_connection((base.hostname, base.port))  # as browsers open them in advance
        self.addCleanup(idle.close)
        self.assertEqual(self.callback(event, "/favicon.ico"), 404)
        self.assertEqual(self.callback(event, "/"), 404)
        self.provider.sign_in(event["url"])
        self.assertEqual(self.finish(process).code, 0)
        with self.assertRaises(urllib.error.URLError):
            self.callback(event, "/callback?state=x&code=y")

    def test_a_wrong_state_ends_the_login(self):
        process = self.start("--issuer", self.issuer, "--events", "--no-browser")
        event = self.events(process)
        self.assertEqual(self.callback(event, "/callback?code=stolen&state=requested"), 400)
        result = self.finish(process)
        self.assertEqual(result.code, 1, result)
        self.assertIn("another state", result.out)
        self.assertFalse(self.file.exists())

    def test_missing_arguments_are_told_in_the_originals_words(self):
        result = self.vdk("login", "-t", "credentials", code=1)
        self.assertEqual(result.out, "Login type: credentials requires arguments:, --client-secret, --client-id, --oauth2-exchange-url, "
                                     "--oauth2-discovery-url\n")
        result = self.vdk("login", "-a", "canary-token", code=1)
        self.assertTrue(result.out.startswith("Login failed. Error was: ¯\\_(ツ)_/¯\n\nWhat: Unable to log in.\nWhy: auth_url was not specified.\n"))
        self.assertNotIn("canary-token", result.out + result.err)

    def test_a_refused_renewal_needs_a_login_and_says_which(self):
        self.browser_login()
        self.change(refresh_token="canary-refresh")
        self.expire()
        result = self.listing(code=4)
        self.assertIn(f"vdk login --issuer {self.issuer}", result.json()["error"]["countermeasures"])
        self.assertNotIn("canary-refresh", result.out + result.err)

    def test_a_provider_that_is_away_does_not_end_a_login_that_is_valid(self):
        self.browser_login()
        self.change(authorization_url="http://127.0.0.1:1/token", access_token_expiration_time=time.time() + 30)
        self.listing()
        self.expire()
        self.listing(code=8)

    def test_an_issuer_must_name_itself_and_secrets_do_not_travel_in_clear(self):
        result = self.vdk("login", "--issuer", self.issuer.replace("127.0.0.1", "localhost"), code=1)
        self.assertIn("another issuer", result.out)
        self.vdk("login", "--issuer", "http://login.example.com", code=2)


class Renewal(LoginTest):
    def test_twenty_commands_with_an_expired_token_renew_it_once_and_keep_the_rotated_one(self):
        self.browser_login()
        refresh = self.stored()["refresh_token"]
        self.expire()
        before = self.refreshes()
        commands = [subprocess.Popen([str(BINARY), "list", "--all"], env=self.env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                    for _ in range(20)]
        for command in commands:
            _, err = command.communicate(timeout=120)
            self.assertEqual(command.returncode, 0, err)
        self.assertEqual(self.refreshes() - before, 1)
        self.assertNotEqual(self.stored()["refresh_token"], refresh)
        self.assertEqual(set(self.service.tokens), {self.stored()["access_token"]})
        self.expire()
        self.listing()  # the rotated one is good

    def test_a_token_that_the_service_refuses_is_renewed_once(self):
        self.browser_login()
        first = self.stored()["access_token"]
        self.service.refused.add(first)
        self.listing()
        self.assertEqual(self.service.tokens, [first, self.stored()["access_token"]])

    def test_a_service_that_wants_a_login_ends_with_the_command_for_it(self):
        result = self.listing(code=4)
        self.assertIn("vdk login", result.json()["error"]["countermeasures"])

    def test_an_api_token_of_the_environment_stays_there(self):
        token = self.provider.user_token()["refresh_token"]
        # The original's exchange names no client; this provider wants one in the address of the exchange.
        result = self.listing(code=4, env={"VDK_API_TOKEN": token, "VDK_API_TOKEN_AUTHORIZATION_URL": self.issuer + "/token"})
        self.assertIn("invalid_request", result.json()["error"]["why"])
        self.assertNotIn(token, "".join(p.read_text() for p in self.home.rglob("*") if p.is_file()) + result.out + result.err)


class ShortTokens(LoginTest):
    provider_options = {"accessTokenSeconds": 3}

    def test_a_long_wait_outlives_its_tokens(self):
        self.browser_login()
        self.service.end = time.monotonic() + 7
        self.vdk("execute", "-n", "some-job", "-t", "some-team", "-i", "e1", "--wait", "-o", "json")
        self.assertGreater(len(set(self.service.tokens)), 2)
        self.assertEqual(self.vdk("auth", "status", "-o", "json").json()["logged_in"], True)


class BothClients(LoginTest):
    def test_a_login_of_the_original_is_used_and_renewed(self):
        original.run(self, "vdkcli", "login", "-u", self.url + "/token", "-a", "an-api-token", env={"OAUTHLIB_INSECURE_TRANSPORT": "1"}, code=0)
        self.listing()
        self.assertEqual(self.service.tokens, [self.stored()["access_token"]])
        self.expire()
        self.listing()
        self.assertEqual([form["refresh_token"] for form in self.service.forms], ["an-api-token"] * 2)
        self.assertEqual(self.stored()["api_token"], "an-api-token")

    def test_each_uses_the_login_of_the_other(self):
        process = self.start("--issuer", self.issuer, "--events", "--no-browser", "-i", "vdk-confidential", "-s", "confidential-secret")
        self.provider.sign_in(self.events(process)["url"])
        self.assertEqual(self.finish(process).code, 0)
        original.run(self, "vdkcli", "list", "--all", "-o", "json", env={"OAUTHLIB_INSECURE_TRANSPORT": "1"}, code=0)
        self.assertEqual(self.service.tokens[-1], self.stored()["access_token"])
        self.expire()
        original.run(self, "vdkcli", "list", "--all", "-o", "json", env={"OAUTHLIB_INSECURE_TRANSPORT": "1"}, code=0)
        renewed = self.stored()  # written by the original, which drops our keys
        self.assertNotIn("issuer", renewed)
        self.listing()
        self.assertEqual(self.service.tokens[-1], renewed["access_token"])


class OwnServer(LoginTest):
    provider_options = {"claims": {"alice": {"teams": ["red"]}, "bob": {"teams": ["blue"]}}}

    def test_people_reach_the_jobs_of_their_team_on_a_server_that_asks_for_logins(self):
        config = self.dir / "server.yaml"
        config.write_text("security:\n  enabled: true\n  oauth2:\n"
                          f"    jwtIssuerUris: {self.issuer}\n    audience: vdk-control-service\n"
                          "  authorization:\n    jwtClaimUsername: username\n    teamsClaimName: teams\n")
        address = self.serve("--config", str(config), env={"VDK_CONTROL_SERVICE_REST_API_URL": ""})
        there = {"VDK_CONTROL_SERVICE_REST_API_URL": address}
        self.listing(code=4, env=there)
        self.browser_login(login="alice")
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "red", env=there)
        self.assertEqual([row["job_name"] for row in self.listing(env=there).json()], ["some-job"])
        self.browser_login(login="bob")
        self.assertEqual(self.listing(env=there).json(), [])


class Secrets(LoginTest):
    def test_no_secret_is_found_outside_the_credential_file(self):
        seen = []

        def note(result):
            seen.append(result.out + result.err)

        _, result = self.browser_login()
        note(result)
        secrets = {self.stored()["access_token"], self.stored()["refresh_token"]}
        note(self.vdk("list", "--all", "-vv"))
        self.assertIn("http: > Authorization: ***", seen[-1])
        self.assertIn("http: < 200", seen[-1])
        note(self.vdk("auth", "status"))
        self.expire()
        note(self.vdk("list", "--all", "-v", "DEBUG"))
        secrets |= {self.stored()["access_token"], self.stored()["refresh_token"]}
        self.service.refused.update(secrets)
        note(self.run_vdk("list", "--all", "-v", "DEBUG"))
        secrets |= {self.stored()["access_token"], self.stored()["refresh_token"]}
        self.change(authorization_url="http://127.0.0.1:1/token")
        self.expire()
        note(self.run_vdk("list", "--all", "-v", "DEBUG"))
        note(self.run_vdk("config", "explain"))
        secrets |= {"canary-secret"}
        note(self.run_vdk("login", "--issuer", self.issuer, "-t", "client-credentials", "-i", "vdk-ci", "--client-secret-stdin", "-v", "DEBUG",
                          stdin="canary-secret"))
        note(self.run_vdk("login", "--token-stdin", stdin="canary-secret two"))
        files = [path for path in self.dir.rglob("*") if path.is_file() and path != self.file]
        text = "".join(seen) + "".join(path.read_text(errors="replace") for path in files)
        for secret in secrets:
            self.assertNotIn(secret, text)
        note(self.vdk("logout"))
        everything = "".join(seen) + "".join(path.read_text(errors="replace") for path in self.dir.rglob("*") if path.is_file())
        for secret in secrets:
            self.assertNotIn(secret, everything)


if __name__ == "__main__":
    unittest.main()
