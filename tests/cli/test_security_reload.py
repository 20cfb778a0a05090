# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: who may do what changes while the server runs, all of it or nothing."""
import json
import pathlib
import signal
import sys
import threading
import unittest

from test_security import CONFIG, SecureTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tokens  # noqa: E402

INFO = "/data-jobs/for-team/blue/info"
JOB = "/data-jobs/for-team/blue/jobs/no-such-job"


class Reload(SecureTest):
    def setUp(self):
        super().setUp()
        context = tokens.issuer()
        self.issuer = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.secure(self.issuer.url, "  failedLogins: {burst: 3, perMinute: 1}\n")

    def rewrite(self, text, words="Configuration read again"):
        (self.dir / "server.yaml").write_text(text)
        seen = self.log().count(words)
        self.servers[-1].send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.log().count(words) > seen, 20, words)

    def text(self, extra="", issuer=None):
        return CONFIG.format(issuer=issuer or self.issuer.url, audience="vdk") + extra

    def status(self, path, token):
        return self.call("GET", path, token).status

    def test_teams_roles_claims_and_audience_of_the_new_file_decide(self):
        token = self.issuer.token("ann", claims={"teams": ["group-1"], "scope": "jobs", "email": "ann@example.com"})
        self.assertEqual(self.status(JOB, token), 403)
        self.rewrite(self.text("  teams: {blue: group-1}\n"))
        self.assertEqual(self.status(JOB, token), 404)
        self.rewrite(self.text("  teams: {blue: group-2}\n"))
        self.assertEqual(self.status(JOB, token), 403)
        rules = "  authorization: {authoritiesClaimName: scope, adminRoles: jobs, jwtClaimUsername: email}\n  auditLog: audit.log\n"
        self.rewrite(self.text().replace("  authorization: {adminRoles: vdk-admin}\n", rules))
        self.assertEqual(self.status(JOB, token), 404)
        self.call("DELETE", JOB, token)
        (line,) = (self.dir / "audit.log").read_text().splitlines()
        self.assertEqual(json.loads(line)["user"], "ann@example.com")
        self.rewrite(self.text().replace("audience: vdk", "audience: other"))
        self.assertEqual(self.status(INFO, token), 401)

    def test_issuers_come_and_go_and_keys_of_those_that_stay_are_kept(self):
        with tokens.issuer() as second:
            ours, theirs = self.issuer.token(), second.token()
            self.assertEqual((self.status(INFO, ours), self.status(INFO, theirs)), (200, 401))
            before = self.issuer.fetches
            self.rewrite(self.text(issuer=f"{self.issuer.url},{second.url}"))
            self.assertEqual((self.status(INFO, ours), self.status(INFO, theirs)), (200, 200))
            self.assertEqual(self.issuer.fetches, before)
            self.rewrite(self.text(issuer=second.url))
            self.assertEqual((self.status(INFO, ours), self.status(INFO, theirs)), (401, 200))

    def test_the_limit_of_wrong_logins_changes_and_does_not_forget(self):
        self.assertEqual([self.status(INFO, "wrong") for _ in range(4)], [401] * 3 + [429])
        self.rewrite(self.text("  failedLogins: {burst: 3, perMinute: 1}\n"))
        self.assertEqual(self.status(INFO, "wrong"), 429, "a hangup is no way around the limit")

    def test_a_wrong_file_changes_nothing_and_every_mistake_is_told(self):
        token = self.issuer.token("ann", claims={"teams": ["blue"]})
        failed = "the configuration was not read again"
        for text, words in [("security: [", "line"),
                            (self.text("  teams: blue\n"), "security.teams"),
                            (self.text("  auditLog: no/such/folder/audit.log\n"), "security.auditLog"),
                            (self.text(issuer="http://login.example.com"), "is no https address"),
                            (self.text("  failedLogins: {burst: none}\n  teamz: {}\n"), "did you mean security.teams?")]:
            with self.subTest(words):
                self.rewrite(text, failed)
                self.assertIn(words, self.log())
                self.assertEqual((self.status(JOB, token), self.status(INFO, None)), (404, 401))

    def test_logins_are_not_switched_off_where_others_reach_the_server(self):
        self.servers[-1].terminate()
        self.servers[-1].wait(20)
        self.secure(self.issuer.url, "service: {host: 0.0.0.0}\n")
        self.rewrite("service: {host: 0.0.0.0}\n", "the configuration was not read again")
        self.assertEqual(self.status(INFO, None), 401)
        self.rewrite("service: {host: 127.0.0.1}\n", "the configuration was not read again")
        self.assertEqual(self.status(INFO, None), 401, "the address changes at the next start only")

    def test_no_request_is_lost_while_the_configuration_is_read_again_and_again(self):
        token = self.issuer.token("ann", claims={"teams": ["blue"]})
        stop, found = threading.Event(), []

        def load():
            while not stop.is_set():
                found.append(self.status(JOB, token))
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number in range(6):
                self.rewrite(self.text("  auditLog: audit.log\n" if number % 2 else ""))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(found), {404})
        self.assertGreater(len(found), 50)


if __name__ == "__main__":
    unittest.main()
