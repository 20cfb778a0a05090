# SPDX-License-Identifier: Apache-2.0
"""Login at the operations page: a real server, a real OpenID Connect provider, and what a browser sends."""
import base64
import contextlib
import http.client
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from harness import ROOT, VdkTest
from test_page import chromium, driver_folder
from test_webhooks import Hook

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402
from oidc_provider import provider  # noqa: E402

CLAIMS = {"alice": {"teams": ["red"]}, "bob": {"teams": ["blue"]}, "root": {"perms": ["vdk-admin"]}}
JOBS = "/data-jobs/for-team/no-team-specified/jobs?query=" + urllib.parse.quote(
    "{ jobs(pageNumber: 1, pageSize: 50) { content { jobName } totalItems } }")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self):
        return json.loads(self.text)

    @property
    def location(self):
        return self.headers.get("Location")

    def cookies(self):
        """name -> (value, attributes) of each Set-Cookie."""
        found = {}
        for line in self.headers.get_all("Set-Cookie") or []:
            pair, *attributes = [part.strip() for part in line.split(";")]
            name, value = pair.split("=", 1)
            found[name] = (value, attributes)
        return found


class Visitor:
    """A browser as far as cookies go."""

    def __init__(self, test, address, name="127.0.0.1"):
        self.test, self.address, self.jar = test, urllib.parse.urlsplit(address), {}
        self.host = f"{name}:{self.address.port}"

    def ask(self, method, path, headers=None, cookies=None, body=None):
        if self.address.scheme == "https":
            connection = http.client.HTTPSConnection("127.0.0.1", self.address.port, timeout=60, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=60)
        jar = self.jar if cookies is None else cookies
        sent = {"Host": self.host, **({"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}), **(headers or {})}
        connection.request(method, path, body, sent)
        raw = connection.getresponse()
        answer = Answer(raw.status, raw.headers, raw.read().decode())
        connection.close()
        for name, (value, attributes) in answer.cookies().items():
            if "Max-Age=0" in attributes:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def begin(self, to="#/"):
        answer = self.ask("GET", "/login?" + urllib.parse.urlencode({"to": to}))
        self.test.assertEqual(answer.status, 303, answer.text)
        return answer

    def callback(self, address):
        """The path with which the provider sends the browser back."""
        target, _ = self.test.provider.sign_in(address, self.who, visit=False)
        parts = urllib.parse.urlsplit(target)
        self.test.assertEqual(parts.path, "/login/callback", target)
        return f"{parts.path}?{parts.query}"

    def log_in(self, who="alice", to="#/"):
        self.who = who
        return self.ask("GET", self.callback(self.begin(to).location))

    def jobs(self, **more):
        answer = self.ask("GET", JOBS, **more)
        return [row["jobName"] for row in answer.json()["data"]["content"]] if answer.status == 200 else answer.status

    def session(self, **more):
        answer = self.ask("GET", "/login/session", **more)
        self.test.assertEqual(answer.status, 200, answer.text)
        return answer.json()


class PageLoginTest(VdkTest):
    provider_options = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.port = free_port()
        cls.provider = cls.stack.enter_context(provider(claims=CLAIMS, pages=[f"http://127.0.0.1:{cls.port}", f"http://localhost:{cls.port}"],
                                                        **cls.provider_options))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def configure(self, page="", top="", security=""):
        (self.dir / "page-secret").write_text("page-secret\n")
        (self.dir / "page-secret").chmod(0o600)
        config = self.dir / "server.yaml"
        config.write_text(f"""security:
  enabled: true
  oauth2: {{jwtIssuerUris: "{self.provider.issuer}", audience: vdk-control-service}}
  authorization: {{adminRoles: vdk-admin}}
  auditLog: audit.log
{security}  page:
    clientId: vdk-page
    clientSecretFile: page-secret
    scopes: openid offline_access api
{page}{top}""")
        return config

    def start_page(self, **config):
        self.address = self.serve("--config", str(self.configure(**config)), "--port", str(self.port))
        return self.address

    def fill(self):
        admin = self.provider.user_token("root")["access_token"]
        for team, job in (("red", "red-job"), ("blue", "blue-job")):
            body = json.dumps({"job_name": job, "team": team, "config": {"schedule": {}}})
            answer = Visitor(self, self.address).ask("POST", f"/data-jobs/for-team/{team}/jobs?name={job}", body=body,
                                                     headers={"Authorization": "Bearer " + admin, "Content-Type": "application/json"})
            self.assertEqual(answer.status, 201, answer.text)

    def log(self):
        return "".join((self.dir / f"server{number}.log").read_text() for number in range(len(self.servers)))


class People(PageLoginTest):
    def setUp(self):
        super().setUp()
        self.start_page()
        self.fill()
        self.visitor = Visitor(self, self.address)

    def test_a_person_sees_the_jobs_of_the_own_team_only(self):
        self.assertEqual(self.visitor.jobs(), 401)
        self.assertEqual(self.visitor.session(), {"needed": True, "offered": True, "user": None, "ended": False})
        answer = self.visitor.log_in("alice", "#/jobs/red-job?x=1")
        self.assertEqual((answer.status, answer.location), (303, "../#/jobs/red-job?x=1"), answer.text)
        self.assertEqual(self.visitor.session()["user"], "alice")
        self.assertEqual(self.visitor.jobs(), ["red-job"])
        self.assertEqual(self.visitor.ask("GET", "/data-jobs/for-team/red/jobs/red-job").status, 200)
        self.assertEqual(self.visitor.ask("GET", "/data-jobs/for-team/blue/jobs/blue-job").status, 403)
        other = Visitor(self, self.address)
        other.log_in("bob")
        self.assertEqual(other.jobs(), ["blue-job"])
        admin = Visitor(self, self.address)
        admin.log_in("root")
        self.assertEqual(admin.jobs(), ["blue-job", "red-job"])
        self.assertEqual(self.visitor.jobs(), ["red-job"])

    def test_a_bearer_token_counts_more_than_a_cookie(self):
        self.visitor.log_in("alice")
        self.assertEqual(self.visitor.jobs(headers={"Authorization": "Bearer " + self.provider.user_token("bob")["access_token"]}), ["blue-job"])
        self.assertEqual(self.visitor.jobs(headers={"Authorization": "Bearer wrong"}), 401)

    def test_the_cookie_reads_what_the_page_shows_and_nothing_else(self):
        self.visitor.log_in("alice")
        job = "/data-jobs/for-team/red/jobs/red-job"
        for path in (job, job + "/deployments", job + "/executions"):
            self.assertEqual(self.visitor.ask("GET", path).status, 200, path)
        for method, path in (("GET", job + "/deployments/x/secrets"), ("GET", job + "/deployments/x/properties"), ("GET", job + "/sources"),
                             ("DELETE", job), ("PUT", job), ("DELETE", job + "/deployments/x"), ("POST", job + "/deployments/x/executions"),
                             ("POST", "/data-jobs/for-team/red/jobs?name=more")):
            self.assertEqual(self.visitor.ask(method, path, headers={"Content-Type": "application/json"}, body="{}").status, 401, (method, path))
        for site in ("cross-site", "same-site"):
            self.assertEqual(self.visitor.jobs(headers={"Sec-Fetch-Site": site}), 401, site)
        self.assertEqual(self.visitor.jobs(headers={"Sec-Fetch-Site": "same-origin"}), ["red-job"])

    def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self):
        begun = self.visitor.begin()
        value, attributes = begun.cookies()["vdk-login"]
        self.assertEqual(set(attributes), {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=300"})
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(begun.location).query)
        self.assertEqual((query["code_challenge_method"], query["response_type"]), (["S256"], ["code"]))
        self.assertEqual(query["redirect_uri"], [f"http://127.0.0.1:{self.port}/login/callback"])
        for secret in (query["state"][0], query["nonce"][0]):
            self.assertNotIn(secret, value)
            self.assertNotIn(secret, bytes.fromhex(value).decode(errors="replace"))
        self.visitor.who = "alice"
        answer = self.visitor.ask("GET", self.visitor.callback(begun.location))
        cookies = answer.cookies()
        self.assertEqual(set(cookies["vdk-session"][1]), {"Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"})
        self.assertRegex(cookies["vdk-session"][0], "^[0-9a-f]{64}$")
        self.assertEqual(cookies["vdk-login"][0], "")

    def test_a_login_that_did_not_begin_in_this_browser_is_refused(self):
        self.visitor.who = "alice"
        path = self.visitor.callback(self.visitor.begin().location)
        stranger = Visitor(self, self.address)
        self.assertEqual(stranger.ask("GET", path).status, 400)
        stranger.begin()  # one on its way, but another
        answer = stranger.ask("GET", path)
        self.assertEqual(answer.status, 400)
        self.assertIn("This login is not known", answer.text)
        self.assertNotIn("vdk-session", stranger.jar)
        self.assertEqual(self.visitor.ask("GET", path).status, 303, "the right browser still can")

    def test_a_wrong_state_a_changed_cookie_and_a_missing_code_are_refused(self):
        self.visitor.who = "alice"
        path = self.visitor.callback(self.visitor.begin().location)
        good = dict(self.visitor.jar)
        changed = good["vdk-login"][:-1] + ("0" if good["vdk-login"][-1] != "0" else "1")
        self.assertEqual(self.visitor.ask("GET", re.sub("state=[0-9a-f]{8}", "state=00000000", path), cookies=good).status, 400)
        self.assertEqual(self.visitor.ask("GET", path, cookies={"vdk-login": changed}).status, 400)
        self.assertEqual(self.visitor.ask("GET", path, cookies={"vdk-login": ""}).status, 400)
        self.assertEqual(self.visitor.ask("GET", re.sub("code=[^&]*", "code=", path), cookies=good).status, 400)
        self.assertEqual(self.visitor.ask("GET", "/login/callback", cookies=good).status, 400)
        self.assertEqual(self.visitor.ask("GET", "/login/callback?state=%FF", cookies=good).status, 400)
        self.assertNotIn("vdk-session", self.visitor.jar)

    def test_the_way_back_works_once(self):
        self.visitor.who = "alice"
        path = self.visitor.callback(self.visitor.begin().location)
        before = dict(self.visitor.jar)
        self.assertEqual(self.visitor.ask("GET", path).status, 303)
        asked = len(self.provider.log())
        again = self.visitor.ask("GET", path, cookies=before)
        self.assertEqual(again.status, 400)
        self.assertNotIn("vdk-session", again.cookies())
        self.assertEqual(len(self.provider.log()), asked, "the provider is not asked again")

    def test_a_refusal_of_the_provider_is_told_as_text(self):
        begun = self.visitor.begin()
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(begun.location).query)["state"][0]
        answer = self.visitor.ask("GET", "/login/callback?" + urllib.parse.urlencode(
            {"state": state, "error": "access_denied", "error_description": "<script>alert(1)</script>"}))
        self.assertEqual(answer.status, 400)
        self.assertIn("access_denied: &lt;script&gt;", answer.text)
        self.assertNotIn("<script", answer.text)

    def test_a_session_of_somebody_else_in_the_browser_is_replaced(self):
        planted = Visitor(self, self.address)
        planted.log_in("bob")
        self.visitor.jar = dict(planted.jar)
        self.visitor.log_in("alice")
        self.assertNotEqual(self.visitor.jar["vdk-session"], planted.jar["vdk-session"])
        self.assertEqual(self.visitor.session()["user"], "alice")
        self.assertEqual(planted.jobs(), 401, "the planted one is over")
        made_up = "ab" * 32
        self.visitor.jar["vdk-session"] = made_up
        self.assertEqual(self.visitor.jobs(), 401)
        self.visitor.log_in("alice")
        self.assertNotEqual(self.visitor.jar["vdk-session"], made_up)

    def test_people_without_a_role_learn_that_they_may_not(self):
        self.servers[-1].terminate()
        self.servers[-1].wait(20)
        config = self.configure()
        config.write_text(config.read_text().replace("adminRoles: vdk-admin", "adminRoles: vdk-admin, authorizedRoles: staff"))
        self.address = self.serve("--config", str(config), "--port", str(self.port))
        answer = self.visitor.log_in("alice")
        self.assertEqual(answer.status, 403)
        self.assertIn("You may not use this service", answer.text)
        self.assertIn(f"{self.provider.issuer}/session/end?client_id=vdk-page", answer.text)
        self.assertNotIn("vdk-session", self.visitor.jar)

    def test_nobody_is_sent_to_another_site(self):
        for wanted in ("https://evil.example.com/", "//evil.example.com", "#//evil.example.com", "javascript:alert(1)", "/x", "#/a\r\nX: y", "#/" + "a" * 600):
            where = self.visitor.log_in("alice", wanted).location
            self.assertTrue(where.startswith("../#/"), where)
            self.assertNotIn("\r", where)

    def test_logout_ends_it_here_and_at_the_provider(self):
        self.visitor.log_in("alice")
        session = self.visitor.jar["vdk-session"]
        for headers in ({}, {"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                        {"Origin": "null"}, {"Origin": "http://127.0.0.1"}):
            self.assertEqual(self.visitor.ask("POST", "/logout", headers=headers).status, 403, headers)
        self.assertEqual(self.visitor.ask("GET", "/logout").status, 405)
        self.assertEqual(self.visitor.jobs(), ["red-job"])
        answer = self.visitor.ask("POST", "/logout", headers={"Origin": self.address})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertTrue(answer.json()["location"].startswith(self.provider.issuer + "/session/end?"), answer.text)
        self.assertNotIn("vdk-session", self.visitor.jar)
        self.assertEqual(self.visitor.jobs(cookies={"vdk-session": session}), 401)
        self.assertIn("POST /token/revocation", self.provider.log())
        again = self.visitor.ask("POST", "/logout", headers={"Sec-Fetch-Site": "same-origin"})
        self.assertEqual(again.status, 200, "twice is no mistake")

    def test_answers_tell_browsers_what_they_may_do(self):
        for path, kind in (("/", "text/html"), ("/login/callback", "text/html"), ("/login", "")):
            answer = self.visitor.ask("GET", path)
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn("default-src 'self'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer.headers["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(answer.headers["X-Frame-Options"], "DENY")
            self.assertTrue((answer.headers["Content-Type"] or "").startswith(kind), path)
        self.visitor.log_in("alice")
        for path in (JOBS, "/login/session", "/login"):
            self.assertEqual(self.visitor.ask("GET", path).headers["Cache-Control"], "no-store", path)

    def test_nothing_secret_is_kept_in_clear_or_logged(self):
        self.visitor.log_in("alice")
        session = self.visitor.jar["vdk-session"]
        database = (self.home / ".local/share/vdk/control.db").read_bytes()
        self.assertNotIn(session.encode(), database)
        self.assertNotIn(b"eyJ", database, "no token")
        for text in (self.log(), (self.dir / "audit.log").read_text()):
            self.assertNotIn(session, text)
            self.assertNotIn("eyJ", text)
            self.assertNotIn("page-secret\n", text)
        entries = [json.loads(line) for line in (self.dir / "audit.log").read_text().splitlines()]
        login = [entry for entry in entries if entry["path"] == "/login/callback"]
        self.assertEqual([(entry["user"], entry["status"]) for entry in login], [("alice", 303)])
        self.assertIn("alice logged in to the operations page from 127.0.0.1", self.log())

    def test_wrong_answers_are_slowed_down(self):
        statuses = [self.visitor.ask("GET", f"/login/callback?state=x&code={number}").status for number in range(25)]
        self.assertEqual(statuses[:20], [400] * 20)
        self.assertEqual(set(statuses[20:]), {429})


class Asked(PageLoginTest):
    def test_the_authorization_webhook_decides_about_the_page_as_well(self):
        hook = Hook()
        self.addCleanup(hook.server.server_close)
        self.addCleanup(hook.server.shutdown)
        config = self.configure(security="  authorizationEnabled: true\n")
        config.write_text(config.read_text().replace(
            "adminRoles: vdk-admin", f"adminRoles: vdk-admin, webhookUri: {hook.url}, webhookAuthenticationEnabled: true"))
        self.address = self.serve("--config", str(config), "--port", str(self.port))
        visitor = Visitor(self, self.address)
        visitor.log_in("alice")
        self.assertEqual(visitor.jobs(), [])
        path, body, headers = hook.asked[-1]
        self.assertEqual((body["requester_user_id"], body["requested_permission"]), ("alice", "read"))
        payload = headers["Authorization"].removeprefix("Bearer ").split(".")[1]
        self.assertIn("alice", base64.urlsafe_b64decode(payload + "==").decode(), "with the person's own token")
        hook.answers = [(403, "not today")]
        self.assertEqual(visitor.jobs(), 403)


class Ends(PageLoginTest):
    provider_options = {"accessTokenSeconds": 4}

    def test_a_login_outlives_its_tokens_and_ends_when_the_provider_says_so(self):
        self.start_page()
        self.fill()
        visitor = Visitor(self, self.address)
        visitor.log_in("alice")
        asked = sum(line == "POST /token" for line in self.provider.log())
        # Many requests meet one renewal: the provider would take a second use of the refresh token for a theft.
        found, end = [], time.monotonic() + 9

        def look():
            while time.monotonic() < end:
                found.append(visitor.jobs())
        threads = [threading.Thread(target=look) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([one for one in found if one != ["red-job"]], [])
        renewals = sum(line == "POST /token" for line in self.provider.log()) - asked
        self.assertIn(renewals, range(2, 7))
        self.assertGreater(self.provider.revoke_all("alice"), 0)
        self.wait_until(lambda: visitor.jobs() == 401, 15, "the end of the login")
        self.assertEqual(visitor.session(), {"needed": True, "offered": True, "user": None, "ended": True})
        self.assertNotIn("vdk-session", visitor.jar)

    def test_the_longest_time_ends_it_in_any_case(self):
        self.start_page(page="    sessionMinutes: 1\n")
        visitor = Visitor(self, self.address)
        visitor.log_in("alice")
        with sqlite3.connect(self.home / ".local/share/vdk/control.db") as database:
            (end,) = database.execute("SELECT MAX(end_time) FROM page_session").fetchone()
            self.assertLess(end / 1e6, time.time() + 301)
            database.execute("UPDATE page_session SET end_time = 1")
        self.assertEqual(visitor.jobs(), 401)


class Places(PageLoginTest):
    def test_behind_a_proxy_with_https_cookies_are_for_that_host_alone(self):
        self.start_page(page="    publicUrl: https://jobs.example.com/vdk/\n")
        visitor = Visitor(self, self.address)
        begun = visitor.begin()
        _, attributes = begun.cookies()["__Host-vdk-login"]
        self.assertIn("Secure", attributes)
        self.assertIn("redirect_uri=https%3A%2F%2Fjobs.example.com%2Fvdk%2Flogin%2Fcallback", begun.location)

    def test_with_encryption_here_the_page_knows_its_address(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90",
                        "-subj", "/CN=localhost", "-keyout", self.dir / "key.pem", "-out", self.dir / "cert.pem"], check=True, capture_output=True)
        (self.dir / "key.pem").chmod(0o600)
        config = self.configure(top="tls: {certificate: cert.pem, key: key.pem}\n")
        self.start_server("--config", str(config), "--port", str(self.port))
        address = self.wait_until(lambda: re.search(r"listens on (https://\S+)", self.log()), 60, "the address")[1]
        visitor = Visitor(self, address, "jobs.example.com")
        begun = visitor.begin()
        _, attributes = begun.cookies()["__Host-vdk-login"]
        self.assertLessEqual({"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}, set(attributes))
        self.assertIn(urllib.parse.quote(f"https://jobs.example.com:{self.port}/login/callback", safe=""), begun.location)

    def test_without_https_only_this_machine_logs_in(self):
        self.start_page()
        for host in ("jobs.example.com", "evil\"host", "127.0.0.1.example.com", "localhost.example.com", "localhost/x", "a@127.0.0.1"):
            visitor = Visitor(self, self.address)
            answer = visitor.ask("GET", "/login", headers={"Host": host})
            self.assertEqual(answer.status, 400, host)
            self.assertIn("security.page.publicUrl", answer.text)

    def test_without_a_client_the_page_has_no_login_and_says_so(self):
        config = self.configure()
        config.write_text(config.read_text().split("  page:")[0])
        visitor = Visitor(self, self.serve("--config", str(config), "--port", "0"))
        self.assertEqual(visitor.session(), {"needed": True, "offered": False, "user": None, "ended": False})
        self.assertEqual(visitor.ask("GET", "/login").status, 404)
        open_to_all = Visitor(self, self.serve(env={"VDK_CONTROL_SERVICE_HOME": str(self.dir / "other")}))
        self.assertEqual(open_to_all.session(), {"needed": False, "offered": False, "user": None, "ended": False})

    def test_the_configuration_is_checked(self):
        config = self.configure(page="    publicUrl: http://jobs.example.com\n    sessionMinutes: 0\n    clientSecret: canary-secret\n")
        result = self.vdk("server", "--config", config, "--check-config", code=2)
        for words in ("security.page.publicUrl", "sessionMinutes"):
            self.assertIn(words, result.out + result.err)
        self.assertNotIn("canary-secret", result.out + result.err)


class InChromium(PageLoginTest):
    """`localhost` is another site than the provider's 127.0.0.1, as it is in real life: same-site rules hold."""

    def setUp(self):
        super().setUp()
        folder = driver_folder()
        self.start_page()
        self.fill()
        self.driver = subprocess.Popen(["node", "driver.mjs", chromium()], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env={**os.environ, "HOME": str(self.dir)})
        self.addCleanup(self.driver.wait, 20)
        self.addCleanup(self.driver.stdin.close)

    def browse(self, scenario, **data):
        question = {"scenario": scenario, "base": f"http://localhost:{self.port}", "issuer": self.provider.issuer, **data}
        self.driver.stdin.write(json.dumps(question) + "\n")
        self.driver.stdin.flush()
        answer = json.loads(self.driver.stdout.readline() or '{"error": "the driver ended"}')
        self.assertNotIn("error", answer, answer.get("error"))

    def test_people_log_in_and_out_in_a_browser(self):
        lost = "Failed to load resource|net::ERR"
        self.browse("person", dark=False, expect=lost)
        self.browse("person", dark=True, expect=lost)
        self.browse("other", expect=lost)
        self.browse("over", expect=lost)
        self.browse("leave", expect=lost)
        self.browse("mistaken", expect=lost)


class SeveralServers(PageLoginTest):
    provider_options = {"accessTokenSeconds": 4}

    def test_a_login_counts_on_every_server_and_ends_on_all_of_them(self):
        with contextlib.ExitStack() as stack:
            database = postgres.running(stack.callback)
            config = self.configure(top=f"database:\n  url: {database.create_database()}\n")
            config.chmod(0o600)
            key = {"VDK_SECRETS_KEY": "5e" * 32}
            first, second = (self.serve("--config", str(config), env={**key, "VDK_CONTROL_SERVICE_HOME": str(self.dir / name)})
                             for name in ("one", "two"))
            self.address = first
            self.fill()
            visitor = Visitor(self, first)
            visitor.who = "alice"
            path = visitor.callback(visitor.begin().location)
            before = dict(visitor.jar)
            other = Visitor(self, second)
            other.jar = visitor.jar
            self.assertEqual(other.ask("GET", path).status, 303, "the way back may end at another server")
            self.assertEqual(visitor.ask("GET", path, cookies=before).status, 400, "once, on whichever server")
            end = time.monotonic() + 6
            while time.monotonic() < end:
                self.assertEqual((visitor.jobs(), other.jobs()), (["red-job"], ["red-job"]))
            self.assertEqual(visitor.ask("POST", "/logout", headers={"Sec-Fetch-Site": "same-origin"}).status, 200)
            self.assertEqual(other.jobs(cookies={"vdk-session": "0" * 64}), 401)
            self.assertEqual(other.jobs(), 401)
            for server in self.servers:
                server.terminate()
                server.wait(30)


if __name__ == "__main__":
    unittest.main()
