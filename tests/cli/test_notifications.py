# SPDX-License-Identifier: Apache-2.0
"""Mails on deployments and executions, received by a real SMTP server on loopback."""
import email
import email.policy
import signal
import socket
import sys
import unittest

from harness import VdkTest

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's package, also for another Python than Debian's
try:
    from aiosmtpd.controller import Controller
except ImportError:
    Controller = None

CONTACTS = """[owner]
team = red
[contacts]
notified_on_job_deploy = deploy@example.com
notified_on_job_success = good@example.com
notified_on_job_failure_user_error = first@example.com; second@example.com
notified_on_job_failure_platform_error = platform@example.com
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sink:
    """Keeps what it is given; refuses the addresses in `refused`."""

    def __init__(self, port, refused=()):
        self.mails, self.refused = [], refused
        self.controller = Controller(self, hostname="127.0.0.1", port=port)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("html",)).get_content()
        self.mails.append((message["Subject"], sorted(envelope.rcpt_tos), body, message["From"]))
        return "250 OK"

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def subjects(self):
        return sorted(mail[0] for mail in self.mails)


@unittest.skipIf(Controller is None, "python3-aiosmtpd is not installed")
class Notifications(VdkTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.config = self.dir / "server.yaml"
        self.config.write_text("notificationOwnerEmail: vdk@example.com\n"
                               "notificationCcEmails: ops@example.com\n"
                               f"mail:\n  smtp:\n    host: 127.0.0.1\n    port: {self.port}\n")
        self.config.chmod(0o600)

    def env(self, extra=None):
        return super().env({"VDK_SERVER_CONFIG": str(self.config), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null",
                            **(extra or {})})

    def sql_job(self, name, step="SELECT 1", files=None):
        return self.job(name, {"config.ini": CONTACTS, "10.sql": step, **(files or {})})

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(30), 0)

    def test_results_of_deployments_and_executions_reach_their_contacts_once(self):
        with Sink(self.port, refused=("second@example.com",)) as sink:
            self.serve()
            self.vdk("deploy", "-p", self.sql_job("good-job"))
            self.run_vdk("deploy", "-p", self.sql_job("bad-job", files={"requirements.txt": "no-such-thing==1\n",
                                                                        "20.py": "def run(job_input): pass\n"}))
            self.vdk("deploy", "-p", self.sql_job("failing-job", "SELECT * FROM <b>"))
            for name, status in (("good-job", "succeeded"), ("failing-job", "user_error")):
                started = self.vdk("execute", "--start", "-n", name, "-t", "red", "-o", "json").json()["execution_id"]
                self.assertEqual(self.wait_execution(name, "red", started)["status"], status)
            wanted = sorted(["[deploy][data job success] good-job", "[deploy][data job failure] bad-job",
                             "[deploy][data job success] failing-job", "[success][data job run] good-job",
                             "[user error][data job run] failing-job"])
            self.wait_until(lambda: len(sink.mails) >= len(wanted), 60, f"all mails; there are {sink.subjects()}")
            self.vdk("deploy", "-p", self.dir / "good-job")  # changes nothing
            self.stop(self.servers[0])
            self.serve()
            self.assertEqual(sink.subjects(), wanted)
            mails = {mail[0]: mail for mail in sink.mails}
            _, recipients, body, sender = mails["[deploy][data job failure] bad-job"]
            self.assertEqual(recipients, ["deploy@example.com", "ops@example.com"])
            self.assertIn("vdk@example.com", sender)
            for text in ("WHAT HAPPENED", "WHY", "CONSEQUENCES", "COUNTERMEASURES", "no-such-thing"):
                self.assertIn(text, body)
            _, recipients, body, _ = mails["[user error][data job run] failing-job"]
            self.assertEqual(recipients, ["first@example.com"], "the refused address is left out")
            self.assertIn("near &quot;&lt;&quot;", body)
            self.assertNotIn('near "<"', body)
            self.assertEqual(mails["[success][data job run] good-job"][1], ["good@example.com"])

    def test_a_mail_waits_for_a_mail_server_that_is_away_and_survives_a_restart(self):
        self.serve()
        self.vdk("deploy", "-p", self.sql_job("good-job"))
        log = self.dir / "server0.log"
        self.wait_until(lambda: "is not sent yet" in log.read_text(), 30, "the failed attempt")
        self.stop(self.servers[0])
        with Sink(self.port) as sink:
            self.serve()
            self.wait_until(lambda: sink.mails, 60, "the mail")
            self.assertEqual(sink.subjects(), ["[deploy][data job success] good-job"])


if __name__ == "__main__":
    unittest.main()
