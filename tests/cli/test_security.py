# SPDX-License-Identifier: Apache-2.0
"""Who gets in: tokens right and wrong, and every endpoint for everybody."""
import base64
import http.client
import json
import pathlib
import sys
import time
import unittest
import urllib.parse

from harness import VdkTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import oidc_provider  # noqa: E402
import tokens  # noqa: E402

CONFIG = """security:
  enabled: true
  oauth2: {{jwtIssuerUris: "{issuer}", audience: {audience}}}
  authorization: {{adminRoles: vdk-admin}}
"""


class SecureTest(VdkTest):
    def secure(self, issuer, extra="", audience="vdk"):
        config = self.dir / "server.yaml"
        config.write_text(CONFIG.format(issuer=issuer, audience=audience) + extra)
        self.address = urllib.parse.urlsplit(self.serve("--config", str(config)))

    def call(self, method, path, token=None, body=None, kind="application/json"):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        headers = {"Content-Type": kind} if data is not None else {}
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode(errors="replace")
        connection.close()
        return answer

    def log(self):
        return (self.dir / f"server{len(self.servers) - 1}.log").read_text()


class Tokens(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.secure(self.issuer.url, "  failedLogins: {burst: 1000}\n")

    def status(self, token):
        return self.call("GET", "/data-jobs/for-team/blue/info", token).status

    def test_every_accepted_algorithm_lets_in_and_nothing_else_does(self):
        issuer = self.issuer
        for alg, key in [("RS256", "rsa"), ("RS384", "rsa"), ("RS512", "rsa"), ("PS256", "rsa"), ("PS384", "rsa"), ("PS512", "rsa"),
                         ("ES256", "ec"), ("ES384", "ec384"), ("EdDSA", "ed")]:
            with self.subTest(alg):
                self.assertEqual(self.status(issuer.token(alg=alg, key=key)), 200)
        self.assertEqual(self.status(issuer.token(claims={"aud": ["other", "vdk"]})), 200)
        self.assertEqual(self.status(issuer.token(claims={"exp": int(time.time()) - 30})), 200, "within the skew of clocks")
        now = int(time.time())
        good = issuer.token()
        head, payload, signature = good.split(".")
        forged = json.dumps(issuer.claims("eve")).encode()
        wrong = {
            "none": issuer.token(unsigned=True, header={"alg": "none", "typ": "JWT"}),
            "none in capitals": issuer.token(unsigned=True, header={"alg": "NONE", "kid": "rsa"}),
            "HMAC with the public key": issuer.token(hmac="pem", header={"alg": "HS256", "kid": "rsa"}),
            "HMAC with its bytes": issuer.token(hmac="der", header={"alg": "HS256", "kid": "rsa"}),
            "HMAC that says RSA": issuer.token(hmac="pem", header={"alg": "RS256", "kid": "rsa"}),
            "a key of another kind": issuer.token(alg="RS256", key="rsa", kid="ec"),
            "another algorithm in the header": issuer.token(alg="RS256", header={"alg": "PS256", "kid": "rsa"}),
            "an ECDSA signature in DER": issuer.token(alg="ES256", key="ec", der=True),
            "a foreign key under our name": issuer.token(key="rsa-evil", kid="rsa"),
            "an unknown key": issuer.token(key="rsa-evil"),
            "expired": issuer.token(claims={"exp": now - 120}),
            "without an end": issuer.token(claims={"exp": None}),
            "an end that is text": issuer.token(claims={"exp": "9999999999"}),
            "not valid yet": issuer.token(claims={"nbf": now + 300}),
            "issued in the future": issuer.token(claims={"iat": now + 300}),
            "another audience": issuer.token(claims={"aud": "other"}),
            "a list of other audiences": issuer.token(claims={"aud": ["other", "vdkx"]}),
            "no audience": issuer.token(claims={"aud": None}),
            "another issuer": issuer.token(claims={"iss": issuer.url + "/"}),
            "no user": issuer.token(claims={"username": ""}),
            "a user with a line end": issuer.token(claims={"username": "ann\nroot"}),
            "a critical extension": issuer.token(header={"alg": "RS256", "kid": "rsa", "crit": ["x"], "x": 1}),
            "a logout token": issuer.token(header={"alg": "RS256", "kid": "rsa", "typ": "logout+jwt"}),
            "claims that were changed": ".".join([head, tokens_base64(forged), signature]),
            "a signature that is cut": good[:-4],
            "no signature": head + "." + payload + ".",
            "padding": good + "=",
            "four parts": good + ".x",
            "too long": "a" * 7000,
            "garbage": "garbage",
            "empty": "",
        }
        for name, token in wrong.items():
            with self.subTest(name):
                answer = self.call("GET", "/data-jobs/for-team/blue/info", token)
                self.assertEqual((answer.status, answer.text), (401, ""))
                self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        self.assertEqual(self.status(good), 200)
        self.assertNotIn(payload[:40], self.log())

    def test_keys_may_change_and_the_provider_may_go_away(self):
        self.assertEqual(self.status(self.issuer.token()), 200)
        self.issuer.published = ["rsa-two"]
        self.assertEqual(self.status(self.issuer.token(key="rsa-two")), 200)
        self.assertEqual(self.status(self.issuer.token(key="rsa")), 401, "the old key is gone")
        before = self.issuer.fetches
        for number in range(30):
            self.assertEqual(self.status(self.issuer.token(key="rsa-evil", kid=f"unknown-{number}")), 401)
        self.assertLess(self.issuer.fetches - before, 8, "unknown keys are looked for, but not each time")
        self.assertEqual(self.status(self.issuer.token(key="rsa-two")), 200)

    def test_people_and_machines_of_a_real_provider_get_in(self):
        with oidc_provider.provider(claims={"alice": {"teams": ["blue"]}}) as provider:
            self.servers[-1].terminate()
            self.servers[-1].wait(20)
            self.secure(provider.issuer, audience="vdk-control-service")
            token = provider.user_token("alice")["access_token"]
            self.assertEqual(self.call("GET", "/data-jobs/for-team/blue/jobs/no-such-job", token).status, 404)
            self.assertEqual(self.call("GET", "/data-jobs/for-team/red/jobs/no-such-job", token).status, 403)
            machine = provider.client_credentials()
            self.assertEqual(self.call("GET", "/data-jobs/for-team/blue/jobs/no-such-job", machine).status, 403)
            provider.rotate_keys()
            self.assertEqual(self.call("GET", "/data-jobs/for-team/blue/info", provider.client_credentials()).status, 200)
            self.assertEqual(self.call("GET", "/data-jobs/for-team/blue/info", token).status, 401)


def tokens_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


P = "/data-jobs/for-team/{team}"
J = P + "/jobs/{job}"
D = J + "/deployments"
E = J + "/executions/no-such-execution"
JOB = {"job_name": "{job}"}
# method, path, body, what the right team gets; the rest of each row follows from the rule.
TEAM = [
    ("GET", J, None, 200), ("PUT", J, JOB, 200), ("GET", J + "/keytab", None, 501),
    ("GET", D, None, 200), ("POST", D, {"job_version": "0" * 40}, 404), ("GET", D + "/x", None, 404),
    ("PATCH", D + "/x", {"enabled": False}, 404), ("DELETE", D + "/x", None, 202),
    ("GET", J + "/executions", None, 200), ("GET", D + "/x/executions", None, 200),
    ("POST", D + "/x/executions", {"args": {}}, 404), ("GET", E, None, 404), ("DELETE", E, None, 404),
    ("GET", E + "/logs?tail_lines=1", None, 404),
    ("GET", D + "/x/properties", None, 200), ("PUT", D + "/x/properties", {"a": "canary"}, 204),
    ("GET", D + "/x/secrets", None, 200), ("PUT", D + "/x/secrets", {"a": "canary"}, 202),
    ("GET", J + "/sources", None, 404), ("POST", J + "/sources?reason=r", "not a zip", 400), ("DELETE", J + "/sources", None, 200),
    ("GET", "/data-jobs/teams/{team}/oauth-credentials", None, 501),
    ("PUT", "/data-jobs/teams/{team}/oauth-credentials", {"clientId": "c", "clientSecret": "s"}, 501),
    ("POST", P + "/jobs?name={job}-new", {"job_name": "{job}-new"}, 201),
    ("PUT", J + "/team/{team}", {}, 200),
    ("DELETE", J, None, 200),
]
ANY_TEAM = [
    ("GET", P + "/info", None, 200), ("GET", P + "/jobs", None, 200),
    ("GET", "/plugins/v1/index", None, 404), ("GET", "/plugins/v1/blob/sha256/" + "0" * 64, None, 404), ("GET", "/plugins", None, 404),
]
NO_LOGIN = [
    ("GET", "/data-jobs/teams/{team}/oauth-credentials/client-id", None, 501),
    ("POST", "/data-jobs/oauth-credentials/client-ids", ["blue"], 501),
    ("GET", "/data-jobs/debug/health", None, 200), ("GET", "/data-jobs/debug/health/readiness", None, 200),
    ("GET", "/data-jobs/debug/health/liveness", None, 200), ("GET", "/data-jobs/debug/prometheus", None, 200),
    ("GET", "/data-jobs/debug/servertime", None, 200), ("GET", "/data-jobs/debug/servertime-millis", None, 200),
    ("GET", "/data-jobs/debug/echo/x", None, 200), ("GET", "/data-jobs/api-docs", None, 200),
    ("GET", "/data-jobs/swagger-ui.html", None, 200), ("GET", "/", None, 200), ("GET", "/app.js", None, 200),
]


class Matrix(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.secure(self.issuer.url, "  failedLogins: {burst: 1000}\n")
        blue = {"teams": ["blue"]}
        self.people = {
            "nobody": None,
            "expired": self.issuer.token("ann", claims={**blue, "exp": int(time.time()) - 300}),
            "other service": self.issuer.token("ann", claims={**blue, "aud": "other"}),
            "other team": self.issuer.token("bob", claims={"teams": ["red", "Blue", "blue "]}),
            "right team": self.issuer.token("ann", claims=blue),
            "admin": self.issuer.token("root", claims={"perms": ["vdk-admin"]}),
        }

    def create(self, team, job, token=None):
        answer = self.call("POST", f"/data-jobs/for-team/{team}/jobs?name={job}", token or self.people["admin"], {"job_name": job})
        self.assertEqual(answer.status, 201, answer.text)

    def row(self, method, path, body, who, job):
        fill = lambda text: text.replace("{team}", "blue").replace("{job}", job)  # noqa: E731
        data = {key: fill(value) if isinstance(value, str) else value for key, value in body.items()} if isinstance(body, dict) else body
        kind = "application/octet-stream" if isinstance(body, str) else "application/json"
        return self.call(method, fill(path), self.people[who], data, kind)

    def test_every_endpoint_for_everybody(self):
        for job in ("job-right-team", "job-admin"):
            self.create("blue", job)
        found = {}
        wanted = {}
        for who in self.people:
            job = "job-admin" if who == "admin" else "job-right-team"
            for rows, other in ((TEAM, 403), (ANY_TEAM, None), (NO_LOGIN, None)):
                for method, path, body, status in rows:
                    refused = who in ("nobody", "expired", "other service") and rows is not NO_LOGIN
                    key = (who, method, path)
                    wanted[key] = 401 if refused else (other or status) if who == "other team" else status
                    answer = self.row(method, path, body, who, job)
                    found[key] = answer.status
                    if answer.status == 401:
                        self.assertEqual(answer.text, "")
                    if answer.status == 403:
                        self.assertIn("You may not work with the team 'blue'.", json.loads(answer.text)["what"])
        self.maxDiff = None
        self.assertEqual(found, wanted)
        self.assertEqual(len(found), 6 * (len(TEAM) + len(ANY_TEAM) + len(NO_LOGIN)))
        self.assertNotIn("canary", self.log())

    def test_the_matrix_knows_every_endpoint_of_the_document(self):
        document = json.loads(self.call("GET", "/data-jobs/api-docs").text)
        plain = lambda path: "/".join("{}" if "{" in part else part for part in path.split("?")[0].split("/"))  # noqa: E731
        names = {"x": "{}", "no-such-execution": "{}", "0" * 64: "{}"}
        mine = {(method, plain("/".join(names.get(part, part) for part in path.split("?")[0].split("/"))))
                for method, path, _, _ in TEAM + ANY_TEAM + NO_LOGIN}
        theirs = {(method.upper(), plain(path)) for path, methods in document["paths"].items() for method in methods
                  if method in ("get", "post", "put", "patch", "delete")}
        self.assertEqual(theirs - mine, set())

    def test_lists_have_the_own_teams_rows_only(self):
        for team, job in (("blue", "blue-one"), ("red", "red-one"), ("red", "red-two"), ("Blue", "capital-one")):
            self.create(team, job)

        def ask(who, query):
            path = "/data-jobs/for-team/blue/jobs?query=" + urllib.parse.quote(query)
            answer = self.call("GET", path, self.people[who])
            self.assertEqual(answer.status, 200, answer.text)
            data = json.loads(answer.text)["data"]
            return [row["jobName"] for row in data["content"]], data["totalItems"], data["totalPages"]
        every = "{ jobs(pageNumber: 1, pageSize: 1) { content { jobName } totalItems totalPages } }"
        self.assertEqual(ask("admin", every)[1:], (4, 4))
        self.assertEqual(ask("right team", every), (["blue-one"], 1, 1))
        named = '{ jobs(pageNumber: 1, pageSize: 9, filter: [{property: "config.team", pattern: "%s"}]) { content { jobName } totalItems totalPages } }'
        self.assertEqual(ask("right team", named % "red")[0:2], ([], 0))
        self.assertEqual(ask("right team", named % "%")[0:2], (["blue-one"], 1))
        self.assertEqual(ask("right team", named % "blue")[0:2], (["blue-one"], 1), "the team's other spelling is another team")
        search = '{ jobs(pageNumber: 1, pageSize: 9, search: "one") { content { jobName config { team } } totalItems totalPages } }'
        self.assertEqual(ask("right team", search)[0:2], (["blue-one"], 1))
        posted = self.call("POST", "/data-jobs/for-team/blue/jobs", self.people["right team"], every, "application/graphql")
        self.assertEqual([row["jobName"] for row in json.loads(posted.text)["data"]["content"]], ["blue-one"])
        for query in ('{ executions(filter: {teamNameIn: ["red"]}) { content { id } totalItems } }', "{ executions { content { id } totalItems } }"):
            answer = self.call("GET", "/data-jobs/for-team/blue/jobs?query=" + urllib.parse.quote(query), self.people["right team"])
            self.assertEqual(json.loads(answer.text)["data"]["totalItems"], 0)

    def test_another_teams_job_is_not_there_below_the_own_team(self):
        self.create("red", "secret-job")
        token = self.people["right team"]
        for path in ("", "/sources", "/executions", "/deployments", "/deployments/x/properties", "/deployments/x/secrets"):
            with self.subTest(path):
                self.assertEqual(self.call("GET", "/data-jobs/for-team/blue/jobs/secret-job" + path, token).status, 404)
        answer = self.call("PUT", "/data-jobs/for-team/blue/jobs/secret-job/deployments/x/secrets", token, {"stolen": "yes"})
        self.assertEqual(answer.status, 404)
        # A job goes to another team only by somebody who belongs to both.
        self.create("blue", "blue-job", token)
        self.assertEqual(self.call("PUT", "/data-jobs/for-team/blue/jobs/blue-job/team/red", token).status, 403)
        self.assertEqual(self.call("PUT", "/data-jobs/for-team/red/jobs/secret-job/team/blue", token).status, 403)
        both = self.issuer.token("cleo", claims={"teams": ["blue", "red"]})
        self.assertEqual(self.call("PUT", "/data-jobs/for-team/blue/jobs/blue-job/team/red", both).status, 200)
        self.assertIn("user ann", self.log())


class Traces(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.secure(self.issuer.url, "  auditLog: audit.log\n  failedLogins: {burst: 5, perMinute: 1}\n")

    def test_each_change_leaves_one_line_without_secrets(self):
        token = self.issuer.token("ann", claims={"teams": ["blue"]})
        jobs = "/data-jobs/for-team/blue/jobs"
        self.call("POST", jobs + "?name=some-job", token, {"job_name": "some-job"})
        self.call("PUT", jobs + "/some-job/deployments/x/secrets", token, {"password": "canary"})
        self.call("GET", jobs + "/some-job", token)
        self.call("DELETE", "/data-jobs/for-team/red/jobs/some-job", token)
        self.call("DELETE", jobs + "/some-job")
        file = self.dir / "audit.log"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual([(line["user"], line["method"], line["status"]) for line in lines],
                         [("ann", "POST", 201), ("ann", "PUT", 202), ("ann", "DELETE", 403), ("", "DELETE", 401)])
        self.assertEqual(lines[1]["path"], jobs + "/some-job/deployments/x/secrets")
        self.assertEqual({line["address"] for line in lines}, {"127.0.0.1"})
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        for text in (file.read_text(), self.log()):
            self.assertNotIn("canary", text)
            self.assertNotIn(token.split(".")[2], text)

    def test_wrong_logins_are_slowed_down_and_right_ones_are_not(self):
        def status(token):
            return self.call("GET", "/data-jobs/for-team/blue/info", token)
        self.assertEqual([status("wrong").status for _ in range(7)], [401] * 5 + [429] * 2)
        self.assertIn(int(status("wrong").headers["Retry-After"]), range(1, 61))
        self.assertEqual(status(self.issuer.token()).status, 200)
        self.assertEqual(status(None).status, 401, "no login is no wrong one")


class Rules(SecureTest):
    def test_teams_and_roles_come_from_the_claims_that_are_named(self):
        with tokens.issuer() as issuer:
            config = self.dir / "server.yaml"
            config.write_text(f"""security:
  enabled: true
  oauth2: {{jwtIssuerUris: "{issuer.url}", audience: vdk}}
  teams:
    blue: [group-1, group-2]
    Team With Blanks: group-3
  metricsWithoutLogin: false
  authorization:
    jwtClaimUsername: email
    teamsClaimName: realm.groups
    authoritiesClaimName: scope
    authorizedRoles: [jobs, owner]
    adminRoles: owner
    customClaimName: org
    authorizedCustomClaimValues: [one]
""")
            self.address = urllib.parse.urlsplit(self.serve("--config", str(config)))

            def status(team, path="/jobs/no-such-job", **claims):
                token = issuer.token(claims={"email": "ann@example.com", "org": "one", "scope": "openid jobs", **claims})
                return self.call("GET", f"/data-jobs/for-team/{urllib.parse.quote(team)}{path}", token).status
            self.assertEqual(status("blue", realm={"groups": ["group-2"]}), 404)
            self.assertEqual(status("Team With Blanks", realm={"groups": ["group-3"]}), 404)
            self.assertEqual(status("Team With Blanks", realm={"groups": ["group-1"]}), 403)
            self.assertEqual(status("blue", realm={"groups": ["blue"]}), 403, "the dictionary says what opens a team")
            self.assertEqual(status("blue"), 403)
            self.assertEqual(status("any team", scope="owner"), 404)
            self.assertEqual(status("blue", "/info", scope="openid"), 403)
            self.assertEqual(status("blue", "/info", org="two"), 403)
            self.assertEqual(status("blue", "/info", email=None), 401)
            self.assertEqual(self.call("GET", "/data-jobs/debug/prometheus").status, 401)
            self.assertEqual(self.call("GET", "/data-jobs/debug/health").status, 200)

    def test_without_logins_only_this_machine_reaches_the_server(self):
        result = self.vdk("server", "--host", "0.0.0.0", "--port", "0", code=2)
        self.assertIn("without logins", result.err)
        self.assertIn("security.allowUnauthenticatedRemoteAccess", result.err)
        self.serve("--host", "0.0.0.0", env={"VDK_SERVER_SECURITY_ALLOW_UNAUTHENTICATED_REMOTE_ACCESS": "true"})
        self.assertIn("NOBODY NEEDS A LOGIN", self.log())

    def test_a_login_that_cannot_be_checked_is_no_login(self):
        with tokens.issuer() as issuer:
            token = issuer.token()
            url = issuer.url
        self.secure(url)
        answer = self.call("GET", "/data-jobs/for-team/blue/info", token)
        self.assertEqual(answer.status, 503)
        self.assertIn("Retry-After", answer.headers)
        self.assertEqual(self.call("GET", "/data-jobs/debug/health").status, 200)


if __name__ == "__main__":
    unittest.main()
