# SPDX-License-Identifier: Apache-2.0
"""Webhooks of the administrator: what they are told, and what their answers do. The webhook is a real HTTP server."""
import contextlib
import http.server
import json
import pathlib
import signal
import socket
import sys
import threading
import time
import unittest
import urllib.parse

from test_security import CONFIG, SecureTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tokens  # noqa: E402

TEAM = "/data-jobs/for-team/blue"
JOBS = TEAM + "/jobs"


class Hook:
    """Writes down what it is asked and answers as it is told: a list of (status, text), the last one for ever."""

    def __init__(self):
        self.asked, self.answers, self.pause = [], [(200, "")], 0
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                time.sleep(hook.pause)
                hook.asked.append((self.path, json.loads(body) if body.startswith("{") else body, dict(self.headers)))
                answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                status, text = answer(body) if callable(answer) else answer
                data = text.encode()
                with contextlib.suppress(OSError):  # the server may have given up
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(data)))
                    if status == 302:
                        self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):  # the server gives up what is too slow or too long
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        found, self.asked = self.asked, []
        return found


class HookTest(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.hook = Hook()
        self.addCleanup(self.hook.close)
        self.ann = self.issuer.token("ann", claims={"teams": ["blue"]})

    def start(self, extra="", authorization="", top=""):
        text = CONFIG.format(issuer=self.issuer.url, audience="vdk").replace("adminRoles: vdk-admin", "adminRoles: vdk-admin" + authorization)
        (self.dir / "server.yaml").write_text(text + extra + top)
        (self.dir / "server.yaml").chmod(0o600)
        self.address = urllib.parse.urlsplit(self.serve("--config", str(self.dir / "server.yaml")))

    def ask_first(self, more="", top=""):
        self.start("  authorizationEnabled: true\n", f", webhookUri: \"{self.hook.url}\"{more}", top)

    def create(self, job, token=None):
        return self.call("POST", f"{JOBS}?name={job}", token or self.ann, {"job_name": job, "team": "blue"})


class Authorization(HookTest):
    def test_the_webhook_is_told_who_wants_what(self):
        self.ask_first()
        team = "/data-jobs/for-team/" + urllib.parse.quote("Team Blue")
        root = self.issuer.token("root", claims={"perms": ["vdk-admin"]})
        rows = [("POST", JOBS + "?name=new-job", {"job_name": "new-job"}, "blue", "new-job", "write", "blue"),
                ("GET", JOBS + "/some-job", None, "blue", "some-job", "read", "blue"),
                ("GET", TEAM + "/info", None, "blue", "", "read", "blue"),
                ("PUT", JOBS + "/some-job/team/red", {}, "blue", "some-job", "write", "red"),
                ("PATCH", JOBS + "/some-job/deployments/production", {"enabled": False}, "blue", "some-job", "write", "blue"),
                ("DELETE", team + "/jobs/some-job", None, "Team Blue", "some-job", "write", "Team Blue"),
                ("GET", "/data-jobs/teams/blue/oauth-credentials", None, "blue", "", "read", "blue")]
        for method, path, body, team_name, job, permission, new_team in rows:
            with self.subTest(method + path):
                self.call(method, path, root, body)
                ((where, asked, headers),) = self.hook.take()
                self.assertEqual(where, "/hook")
                self.assertEqual(asked, {
                    "requester_user_id": "root", "requested_resource_team": team_name, "requested_resource_name": "data-job",
                    "requested_resource_id": job, "requested_http_path": path.split("?")[0], "requested_http_verb": method,
                    "requested_resource_new_team": new_team, "requested_permission": permission})
                self.assertEqual(headers["Content-Type"], "application/json")
                self.assertNotIn("Authorization", headers)
        for path, token in (("/data-jobs/debug/health", None), ("/", None), ("/data-jobs/debug/prometheus", root), (TEAM + "/info", None),
                            (TEAM + "/info", "wrong"), ("/data-jobs/for-team/red/jobs/some-job", self.ann)):
            self.call("GET", path, token)
        self.assertEqual(self.hook.take(), [], "who needs no login, has none or may not anyway is nothing to ask about")

    def test_a_denial_is_passed_on_and_nothing_happens(self):
        self.ask_first()
        self.assertEqual(self.create("old-job").status, 201)
        for status, text, kind in ((403, "Ann may not do this.", "text/plain; charset=utf-8"), (404, "", None),
                                   (401, '{"why": "no"}', "application/json"), (422, "\u00fcber", "text/plain; charset=utf-8")):
            with self.subTest(status):
                self.hook.answers = [(status, text)]
                answer = self.create("new-job")
                self.assertEqual((answer.status, answer.text, answer.headers["Content-Type"]), (status, text, kind))
                self.assertEqual(self.call("DELETE", JOBS + "/old-job", self.ann).status, status)
                self.assertEqual(self.call("GET", JOBS + "/old-job", self.ann).status, status)
        self.hook.answers = [(403, "Ann may not do this.")]
        url = self.address.geturl()
        shown = self.vdk("delete", "--yes", "-n", "old-job", "-t", "blue", "-u", url, code=4, env={"VDK_ACCESS_TOKEN": self.ann})
        self.assertIn("Ann may not do this.", shown.err)
        self.hook.answers = [(200, "")]
        self.assertEqual(self.call("GET", JOBS + "/new-job", self.ann).status, 404)
        self.assertEqual(self.call("GET", JOBS + "/old-job", self.ann).status, 200)

    def test_without_an_answer_nobody_may_do_anything(self):
        self.ask_first(top="webHooks: {timeoutSeconds: 1}\n")
        tries = {500: 2, 503: 2, 302: 1}
        for status, count in tries.items():
            with self.subTest(status):
                self.hook.answers = [(status, "no")]
                answer = self.create("new-job")
                self.assertEqual(answer.status, 503)
                self.assertIn("Retry-After", answer.headers)
                self.assertEqual(json.loads(answer.text)["what"],
                                 f"Authorization Server encountered an error: Webhook server returned non successful status code: {status}.")
                self.assertEqual(len(self.hook.take()), count)
        self.hook.answers = [(500, ""), (204, "")]
        self.assertEqual(self.create("new-job").status, 201, "the second try")
        self.hook.answers, self.hook.pause = [(200, "")], 12
        begin = time.monotonic()
        answer = self.call("GET", TEAM + "/info", self.ann)
        self.assertEqual((answer.status, json.loads(answer.text)["what"]), (503, "Authorization Server encountered an error: it gives no answer."))
        self.assertLess(time.monotonic() - begin, 9)
        self.hook.pause = 0
        self.hook.answers = [(200, "x" * 100000)]
        self.assertEqual(self.call("GET", TEAM + "/info", self.ann).status, 503, "an answer without end is none")
        self.hook.close()
        self.assertEqual(self.call("GET", TEAM + "/info", self.ann).status, 503)
        self.assertNotIn(self.hook.url, answer.text)
        self.assertIn(self.hook.url, self.log())

    def test_a_webhook_that_hangs_leaves_the_rest_of_the_server_alone(self):
        with socket.socket() as silent:  # accepts, never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen(128)
            self.hook.url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            self.ask_first(top="webHooks: {timeoutSeconds: 10}\n")
            found = []
            threads = [threading.Thread(target=lambda: found.append(self.call("GET", TEAM + "/info", self.ann).status)) for _ in range(60)]
            for thread in threads:
                thread.start()
            time.sleep(1)
            begin = time.monotonic()
            for path in ("/", "/app.js", "/data-jobs/debug/health", "/data-jobs/api-docs"):
                self.assertEqual(self.call("GET", path).status, 200)
            self.assertLess(time.monotonic() - begin, 8)
            for thread in threads:
                thread.join()
            self.assertEqual(set(found), {503})

    def test_one_that_is_slow_serves_everybody(self):
        self.ask_first()
        self.hook.pause = 0.05
        found = []
        threads = [threading.Thread(target=lambda: found.append(self.call("GET", TEAM + "/info", self.ann).status)) for _ in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [200] * 60)

    def test_the_webhook_knows_the_server_by_a_login_of_its_own_or_by_the_callers(self):
        self.ask_first(", webhookAuthenticationEnabled: true")
        self.call("GET", TEAM + "/info", self.ann)
        self.assertEqual(self.hook.take()[0][2]["Authorization"], "Bearer " + self.ann)
        self.stop()
        issued = []

        def token(body):
            issued.append(urllib.parse.parse_qs(body))
            return 200, json.dumps({"access_token": f"access-{len(issued)}", "expires_in": 3600})
        provider = Hook()
        self.addCleanup(provider.close)
        provider.answers = [token]
        (self.dir / "refresh").write_text("refresh-secret\n")
        (self.dir / "refresh").chmod(0o600)
        self.ask_first(f", webhookAuthenticationEnabled: true, webhookAuthorizationServerEndpoint: \"{provider.url}\", "
                       "webhookAuthorizationRefreshTokenFile: refresh")
        self.hook.answers = [lambda body: (401 if self.hook.asked[-1][2]["Authorization"].endswith("access-1") and len(issued) < 2 and
                                           len(self.hook.asked) > 2 else 200, "")]
        for _ in range(3):
            self.assertEqual(self.call("GET", TEAM + "/info", self.ann).status, 200)
        self.assertEqual([one[2]["Authorization"] for one in self.hook.take()], ["Bearer access-1"] * 3 + ["Bearer access-2"])
        self.assertEqual(issued[0], {"grant_type": ["refresh_token"], "refresh_token": ["refresh-secret"]})
        self.assertEqual(len(issued), 2, "fetched once, and again when it was refused")
        for secret in ("refresh-secret", "access-1", self.ann.split(".")[2]):
            self.assertNotIn(secret, self.log())
        provider.answers = [(400, '{"error": "invalid_grant"}')]
        self.servers[-1].send_signal(signal.SIGHUP)
        self.wait_until(lambda: "Configuration read again" in self.log(), 20, "the hangup")
        self.assertEqual(self.call("GET", TEAM + "/info", self.ann).status, 503, "no login, no answer")
        self.assertNotIn("refresh-secret", self.log())

    def stop(self):
        self.servers[-1].terminate()
        self.servers[-1].wait(20)

    def test_a_hangup_switches_it_on_and_off(self):
        self.start()
        plain = (self.dir / "server.yaml").read_text()
        self.hook.answers = [(403, "no")]
        self.assertEqual(self.create("first-job").status, 201)
        for text, status in ((plain.replace("adminRoles: vdk-admin", f"webhookUri: \"{self.hook.url}\"") + "  authorizationEnabled: true\n", 403),
                             (plain, 409)):
            (self.dir / "server.yaml").write_text(text)
            seen = self.log().count("Configuration read again")
            self.servers[-1].send_signal(signal.SIGHUP)
            self.wait_until(lambda: self.log().count("Configuration read again") > seen, 20, "the hangup")
            self.assertEqual(self.create("first-job").status, status)


class CreateAndDelete(HookTest):
    def setUp(self):
        super().setUp()
        self.start(top=f"webHooks:\n  postCreate: {{webhookUri: \"{self.hook.url}\"}}\n"
                       f"  postDelete: {{webhookUri: \"{self.hook.url}\", internalErrorsRetries: 1}}\n")

    def body(self, path, verb, job="some-job"):
        return {"requester_user_id": "ann", "requested_resource_team": "blue", "requested_resource_name": "data-job",
                "requested_resource_id": job, "requested_http_path": path, "requested_http_verb": verb, "requested_resource_new_team": None}

    def test_they_are_told_before_the_job_is_stored_or_removed(self):
        self.assertEqual(self.create("some-job").status, 201)
        ((path, body, _),) = self.hook.take()
        self.assertEqual((path, body), ("/hook" + JOBS, self.body(JOBS, "POST")))
        self.assertEqual(self.create("some-job").status, 409)
        self.assertEqual(self.create("x").status, 400)
        self.assertEqual(self.call("DELETE", JOBS + "/no-such-job", self.ann).status, 404)
        self.assertEqual(self.hook.take(), [], "nothing happens, so nobody is told")
        self.assertEqual(self.call("DELETE", JOBS + "/some-job", self.ann).status, 200)
        ((path, body, _),) = self.hook.take()
        self.assertEqual((path, body), ("/hook" + JOBS + "/some-job", self.body(JOBS + "/some-job", "DELETE")))

    def test_a_refusal_changes_nothing_and_errors_are_tried_again(self):
        self.hook.answers = [(409, "not this name")]
        answer = self.create("some-job")
        self.assertEqual((answer.status, answer.text), (409, "not this name"))
        self.hook.answers = [(500, "")]
        self.hook.take()
        answer = self.create("some-job")
        self.assertEqual((answer.status, len(self.hook.take())), (503, 4))
        self.assertIn("Webhook Server encountered an error", json.loads(answer.text)["what"])
        self.assertEqual(self.call("GET", JOBS + "/some-job", self.ann).status, 404)
        self.hook.answers = [(500, ""), (502, ""), (200, "")]
        self.assertEqual(self.create("some-job").status, 201)
        self.hook.take()
        self.hook.answers = [(500, "")]
        self.assertEqual(self.call("DELETE", JOBS + "/some-job", self.ann).status, 503)
        self.assertEqual(len(self.hook.take()), 2)
        self.hook.answers = [(403, "keep it")]
        answer = self.call("DELETE", JOBS + "/some-job", self.ann)
        self.assertEqual((answer.status, answer.text), (403, "keep it"))
        self.assertEqual(self.call("GET", JOBS + "/some-job", self.ann).status, 200)


class Configuration(HookTest):
    def check(self, text, code=2):
        (self.dir / "server.yaml").write_text(text)
        (self.dir / "server.yaml").chmod(0o600)
        result = self.vdk("server", "--check-config", "--config", self.dir / "server.yaml", "-o", "json", code=code).json()
        return [(one["severity"], one["key"], one["message"]) for one in result["problems"]]

    def test_mistakes_are_found_before_the_start(self):
        ((_, key, text),) = self.check("security: {authorizationEnabled: true}\n")
        self.assertEqual((key, text), ("security.authorizationEnabled", "there is no webhook to ask"))
        ((severity, _, text),) = self.check("security: {authorizationEnabled: true, authorization: {webhookUri: https://a.example.com/x}}\n", 0)
        self.assertEqual((severity, text), ("warning", "the webhook is not asked, because nobody needs a login"))
        ((severity, key, _),) = self.check("webHooks: {postCreate: {webhookUri: http://hooks.example.com/x}}\n", 0)
        self.assertEqual((severity, key), ("warning", "webHooks.postCreate.webhookUri"))
        ((severity, key, text),) = self.check("webHooks: {postDelete: {webhookUri: http://hooks.example.com, authenticationEnabled: true}}\n")
        self.assertEqual((severity, key, text), ("error", "webHooks.postDelete.authenticationEnabled", "the token would be sent in clear text"))
        for wrong in ("webHooks: {postCreate: {webhookUri: ftp://x}}\n", "webHooks: {postCreate: {internalErrorsRetries: many}}\n",
                      "webHooks: {timeoutSeconds: 0}\n", "webHooks: {postCreate: {authorizationServerEndpoint: http://127.example.com}}\n", "webHooks: {postCreate: {webhookUri: 'https://user:secret@hooks.example.com'}}\n",
                      "webHooks: {postCreate: {authorizationServerEndpoint: http://login.example.com}}\n"):
            with self.subTest(wrong):
                found = self.check(wrong)
                self.assertEqual([one[0] for one in found], ["error"])
                self.assertNotIn("secret", str(found))


if __name__ == "__main__":
    unittest.main()
