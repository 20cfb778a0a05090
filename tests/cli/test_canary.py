# SPDX-License-Identifier: Apache-2.0
"""Secrets that sing: pushed through every command, every refusal and a whole server, then looked for everywhere."""
import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from harness import BINARY, ROOT, VdkTest
from test_page_login import Visitor

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402
from canaries import Canaries, Watch, forms  # noqa: E402
from git_http import GitServer  # noqa: E402
from oidc_provider import provider  # noqa: E402

JOB = ("-n", "canary-job", "-t", "red")
# How each command is called; one that is missing here fails the test. A word in braces is a file of the test.
CALLS = {
    "create": [(*JOB, "--cloud"), (*JOB, "--local", "-p", "{scratch}"), (*JOB, "-p", "/proc/no-such-folder"),
               (*JOB, "-p", "{scratch}", "--plugin", "sql-to-sql", "--set", "DATABASE=x.db", "--set", "TABLE=t")],
    "deploy": [(*JOB, "-p", "{job}", "-r", "why"), (*JOB, "--show"), (*JOB, "--disable"), (*JOB, "--remove"), (*JOB, "-p", "{job}", "--dry-run"),
               (*JOB, "-p", "{broken}", "-r", "why")],
    "execute": [(*JOB, "--start"), (*JOB, "--list"), (*JOB, "--show", "-i", "no-such"), (*JOB, "--cancel", "-i", "no-such"), (*JOB, "--logs"),
                (*JOB, "--start", "--wait"), (*JOB, "--start", "--arguments", "not json")],
    "list": [("--all",), ("-t", "red"), ("--all", "-mmm"), ("--all", "-u", "ftp://u:{argv}@x"), ("--all", "-u", "http://u:{argv}@127.0.0.1:1/x")],
    "show": [JOB],
    "delete": [(*JOB, "--yes")],
    "download-job": [(*JOB, "-p", "{scratch}")],
    "download-key": [(*JOB, "-p", "{scratch}")],
    "properties": [(*JOB, "--set-file", "key", "{property}"), (*JOB, "--overwrite-all-job-properties", "{broken-json}"), (*JOB, "--delete", "key"),
                   (*JOB, "--set", "key", "{argv-property}")],
    "secrets": [(*JOB, "--set", "key", "{argv}"), (*JOB, "--set-file", "key", "{secret}"), (*JOB, "--overwrite-all-job-secrets", "{broken-json}"), (*JOB, "--delete", "key")],
    "info": [("-t", "red")],
    "login": [("-t", "api-token", "--api-token-stdin", "-u", "{service}/token"), ("--issuer", "{service}", "--no-browser", "--timeout", "1"),
              ("--issuer", "{service}", "-t", "client-credentials", "-i", "id", "--client-secret-stdin"),
              ("--issuer", "{service}", "--device", "--timeout", "1"), ("--token-stdin", "--store", "keyring"), ("-t", "api-token", "-u", "{service}/token", "-a", "{argv}"),
              ("-t", "api-token", "-u", "ftp://u:{argv}@x", "-a", "{argv}"), ("--issuer", "https://u:{argv}@127.0.0.1:1/x", "--no-browser"),
              ("-t", "credentials", "-i", "id", "-s", "{argv}", "-d", "{service}/auth", "-e", "http://u:{argv}@127.0.0.1:1/t", "--timeout", "1")],
    "logout": [()],
    "auth status": [()],
    "run": [("{job}",), ("{broken}",), ("{job}", "--arguments", "not json"), ("no-such-folder",)],
    "sql-query": [("-q", "select 1"), ("-q", "nonsense"), ()],
    "sqlite-query": [("-q", "select 1"), ("-q", "nonsense"), ()],
    "set-default": [("-t", "red"), ("-u", "http://u:{argv}@127.0.0.1:1/x")],
    "reset-default": [("-t",)],
    "config explain": [(), ("api_token",), ("team_client_secret",)],
    "config-help": [()],
    "schedule preview": [("0 0 * * *",), ("nonsense",)],
    "version": [()],
    "plugin install": [("-c", "{plugins}"), ("-c", "{plugins}", "--dry-run"), ("-c", "{broken-config}")],
    "plugin sync": [("-c", "{plugins}", "--plugin-dir", "{scratch}/p"), ("--plugin-dir", "{scratch}/p", "--server", "typed={service}"),
                    ("--plugin-dir", "{scratch}/p", "--server", "a=http://u:{argv}@127.0.0.1"),
                    ("--plugin-dir", "{scratch}/p", "--server", "a=http://u:{argv}@two words")],
    "plugin list": [("-c", "{plugins}")],
    "plugin info": [("-c", "{plugins}", "one")],
    "plugin outdated": [("-c", "{plugins}")],
    "plugin upgrade": [("-c", "{plugins}")],
    "plugin uninstall": [("-c", "{plugins}", "one")],
    "plugin verify": [("-c", "{plugins}")],
    "plugin validate": [("-c", "{plugins}"), ("-c", "{broken-config}")],
    "plugin vendor": [("-c", "{plugins}", "{scratch}/vendor")],
    "plugin rollback": [("-c", "{plugins}", "--list")],
    "plugin cache show": [("-c", "{plugins}")],
    "plugin cache prune": [("-c", "{plugins}", "--all")],
    "executor init": [("--job", "canary-job", "-o", "{scratch}/out", "-p", "{job}"), ("--job", "canary-job", "-o", "{scratch}/out", "-t", "red")],
    "executor run": [("-o", "{scratch}/no-such")],
    "server": [("--check-config", "--config", "{config}"), ("--check-config", "--config", "{broken-config}"), ("--status",),
               ("--config", "{broken-config}"), ("--config", "{unreachable-config}", "--port", "0")],
    "server fsck": [("--config", "{config}"), ("--config", "{unreachable-config}")],
    "server backup": [("{scratch}/backup", "--config", "{config}"), ("{scratch}/backup-2", "--config", "{unreachable-config}")],
    "server restore": [("--config", "{config}"), ("--from", "{scratch}/no-such", "--config", "{config}")],
}
MODES = ("401", "403", "404", "409", "500", "html", "not-json", "half", "redirect", "silent", "gone")


class Service(http.server.BaseHTTPRequestHandler):
    """A control service, or what stands in its place, on its worst days; the first part of the path says how."""
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        mode = self.path.split("/")[1]
        if mode == "silent":
            time.sleep(1.5)
            self.close_connection = True
        elif mode == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"what\": ")
            self.close_connection = True
        elif mode == "redirect":
            self.reply(302, b"", {"Location": f"http://localhost:{self.server.elsewhere}/data-jobs"})
        elif mode == "html":
            self.reply(200, b"<html>proxy</html>", {"Content-Type": "text/html"})
        elif mode == "not-json":
            self.reply(200, b'{"data": [', {"Content-Type": "application/json"})
        else:
            body = json.dumps({"what": "It is so.", "why": "because", "consequences": "none", "countermeasures": "none", "error": "invalid_grant"})
            self.reply(int(mode) if mode.isdigit() else 404, body.encode(), {"Content-Type": "application/json"})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.heads.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *args):
        pass


def listen(test, handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server


class CanaryTest(VdkTest):
    def setUp(self):
        super().setUp()
        self.canaries = Canaries()
        self.leaks = []
        self.lock = threading.Lock()

    def check(self, result, name):
        with self.lock:
            self.leaks += self.canaries.found(result.out, "stdout of " + name) + self.canaries.found(result.err, "stderr of " + name)

    def logged_in(self, home):
        """A login whose every part is a canary."""
        make = self.canaries.make
        file = home / ".vdk.internal" / "vdk-cred.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        names = ("refresh_token", "access_token", "client_secret", "api_token")
        parts = {name: self.canaries.values.get(name) or make(name) for name in names}
        file.write_text(json.dumps({**parts, "authorization_url": "http://127.0.0.1:1/token", "access_token_expiration_time": time.time() + 9999,
                                    "client_id": "vdk-cli", "auth_type": "credentials", "issuer": "http://127.0.0.1:1",
                                    "revocation_url": "http://127.0.0.1:1/revoke", "api_token_authorization_url": ""}))
        file.chmod(0o600)

    def assert_silent(self):
        self.maxDiff = None
        self.assertEqual(sorted(set(self.leaks)), [])


class Self(unittest.TestCase):
    def test_a_leak_is_found_in_every_dress(self):
        canaries = Canaries()
        secret = canaries.make("secret")
        for text in (secret, "x" + secret, secret.encode().hex(), base64.b64encode(b"user:" + secret.encode()).decode(),
                     base64.b64encode(b"a:" + secret.encode() + b"zz").decode(), base64.urlsafe_b64encode(b"ab:" + secret.encode()).decode(),
                     urllib.parse.quote(json.dumps({"a": secret}))):
            self.assertEqual(canaries.found(text, "here"), ["secret in here"], text)
        self.assertEqual(canaries.found("nothing of it", "here"), [])
        canaries.allow("sec*", "h*")
        self.assertEqual(canaries.found(secret, "here"), [])
        self.assertGreater(len(forms(secret)), 7)


class EveryCommand(CanaryTest):
    def commands(self):
        page = self.vdk("__generate", "docs", self.dir / "cli.md")
        self.assertEqual(page.err, "")
        return re.findall(r"^## vdk (.+)$", (self.dir / "cli.md").read_text(), re.M)

    def files(self):
        make = self.canaries.make
        job = {"config.ini": "[owner]\nteam = red\n[vdk]\ndb_default_type = sqlite\n", "10.sql": "SELECT 1"}
        broken = {"config.ini": f"[owner]\nteam = red\n[vdk]\nmy_db_password = {make('config.ini password')}%(no)s\n", "10.py": "def run(job_input):\n    raise ValueError('no')\n"}
        database, mail, git, key = make("database password"), make("mail password"), make("git password"), make("key file")
        common = (f"mail: {{smtp: {{host: 127.0.0.1, port: 1, auth: true, user: u, password: {mail}}}}}\nnotificationOwnerEmail: a@example.com\n"
                  f"uploadGitReadWriteUsername: robot\nuploadGitReadWritePassword: {git}\n")
        texts = {"property": make("property"), "secret": make("job secret"), "broken-json": '{"a": "' + make("broken json") + '",',
                 "config": common, "unreachable-config": common + f"database: {{url: 'postgresql://u:{database}@127.0.0.1:1/x'}}\n",
                 "plugins": ("plugins:\n  providers:\n  - {type: http, name: web, url: 'SERVICE', retries: 0, auth: {type: bearer, token: 'env:VDK_TEAM_CLIENT_SECRET'}}\n"
                             f"  - {{type: http, name: basic, url: 'SERVICE/b', auth: {{type: basic, user: u, password: {make('plugin password')}}}}}\n"
                             "  plugins:\n  - {provider: web, path: one.tar.gz}\n  - {provider: basic, path: two.tar.gz}\n"),
                 "broken-config": common + f"database: {{url: 'mysql://u:{database}@host/x', passwordd: {key}}}\nsecurity: {{page: {{clientSecret: {key}}}}}\n"}
        places = {}
        for name, text in texts.items():
            places[name] = self.dir / "given" / name
            places[name].parent.mkdir(exist_ok=True)
            places[name].write_text(text.replace("SERVICE", f"http://127.0.0.1:{self.service.server_address[1]}/plugins"))
            places[name].chmod(0o600)
        self.canaries.allow("*", "given/*")
        self.canaries.allow("config.ini password", "broken-job/config.ini")
        places.update(job=self.job("canary-job", job), broken=self.job("broken-job", broken))
        return places

    def call(self, number, command, call, mode):
        home = self.dir / "homes" / str(number)
        home.mkdir(parents=True)
        self.logged_in(home)
        scratch = home / "scratch"
        scratch.mkdir()
        address = f"http://127.0.0.1:{1 if mode == 'gone' else self.service.server_address[1]}/{mode}"
        given = {"argv": self.canaries.values["argv"], "argv-property": self.canaries.values["argv property"]}
        words = [word.format(**self.places, **given, scratch=scratch, service=address) for word in call]
        env = {"HOME": str(home), "VDK_TEAM_CLIENT_SECRET": self.canaries.values["team secret"],
               "VDK_NOTIFICATION_SMTP_LOGIN_PASSWORD": self.canaries.values["mail setting"], "VDK_SECRETS_KEY": self.key,
               "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost",
               **{f"VDK_CONTROL_HTTP_{name}": "0" for name in ("TOTAL_RETRIES", "CONNECT_RETRIES", "READ_RETRIES")},
               "VDK_CONTROL_HTTP_READ_TIMEOUT_SECONDS": "1"}
        if mode:
            env["VDK_CONTROL_SERVICE_REST_API_URL"] = address
        if number % 3 == 1:
            env["VDK_ACCESS_TOKEN"] = self.canaries.values["given token"]
        output = () if command.startswith("executor") else ("-o", "json")
        words += [(), output, ("-v", "DEBUG"), ("-v", "DEBUG", *output)][number % 4]
        stdin = self.canaries.values["typed"] + "\n" if any("stdin" in word for word in words) else None
        try:
            result = self.run_vdk(*command.split(), *words, env=env, stdin=stdin, timeout=60)
        except subprocess.TimeoutExpired:
            with self.lock:
                self.leaks.append(f"vdk {command} {' '.join(words)} hangs against {mode}")
            return None
        self.check(result, f"vdk {command} {' '.join(map(str, call))} ({mode or 'here'})")
        return result.code

    def test_no_command_lets_a_secret_out_however_it_fails(self):
        commands = self.commands()
        self.assertEqual(sorted(set(commands) - set(CALLS)), [], "teach CALLS how they are called")
        for name in ("team secret", "mail setting", "given token", "typed", "argv", "argv property"):
            self.canaries.make(name)
        self.key = self.canaries.add("service key", "5ec4e7" + os.urandom(29).hex())
        self.service = listen(self, Service)
        self.places = self.files()
        elsewhere = listen(self, Elsewhere)
        elsewhere.heads = []
        self.service.elsewhere = elsewhere.server_address[1]
        self.canaries.allow("*_token", "homes/*/.vdk.internal/vdk-cred.json")
        self.canaries.allow("client_secret", "homes/*/.vdk.internal/vdk-cred.json")
        self.canaries.allow("typed", "homes/*/.vdk.internal/vdk-cred.json")
        self.canaries.allow("*property", "homes/*/control.db*")  # only secrets are encrypted
        self.canaries.allow("argv*", f"the command line {BINARY} *")  # as the original takes it, with a warning
        local = {"executor run", "run", "sql-query", "sqlite-query", "set-default", "reset-default", "config explain", "config-help", "schedule preview", "version"}
        plan = []
        for command in commands:
            remote = command == "plugin sync" or command not in local and not command.startswith(("server", "plugin"))
            for call in CALLS[command]:
                plan += [(command, call, mode) for mode in ((MODES if remote else ()) if command == "login" else (("", *MODES) if remote else ("",)))]
        codes = set()
        with Watch(self.canaries, str(self.dir)) as watch, concurrent.futures.ThreadPoolExecutor(3) as pool:
            done = [pool.submit(self.call, number, *one) for number, one in enumerate(plan)]
            codes = {one.result() for one in done}
        self.assertGreater(len(plan), 200)
        self.assertLessEqual({0, 1, 2, 4, 5, 8}, codes, "the refusals are reached")
        self.leaks += watch.leaks() + self.canaries.found_below(self.dir)
        self.leaks += [leak for head in elsewhere.heads for leak in self.canaries.found(head, "a request to another host")]
        self.assertGreater(watch.looks, 20)
        self.assert_silent()

    def test_a_jobs_secrets_are_ciphertext_in_the_database_and_its_backup(self):
        value, second = self.canaries.make("job secret"), self.canaries.make("piped secret")
        folder = self.job("canary-job", {"config.ini": "[owner]\nteam = red\n", "10.py": (
            "import os\ndef run(job_input):\n    assert job_input.get_secret('key')\n"
            "    open(os.environ['SEEN'], 'w').write(repr(dict(os.environ)))\n    1 / 0\n")})
        self.canaries.allow("job secret", "given")
        (self.dir / "given").write_text(value)
        env = {"SEEN": str(self.dir / "seen"), "VDK_SECRETS_KEY": self.canaries.add("service key", os.urandom(32).hex())}
        self.vdk("deploy", "-p", folder, "-r", "first", env=env)
        self.check(self.vdk("secrets", *JOB, "--set-file", "key", self.dir / "given", env=env), "set-file")
        self.check(self.vdk("secrets", *JOB, "--set-stdin", "piped", stdin=second, env=env), "set-stdin")
        shown = self.vdk("secrets", *JOB, "--list", "-o", "json", env=env)
        self.assertEqual(shown.json(), {"key": value, "piped": second}, "this is what it is asked for")
        self.check(self.run_vdk("execute", *JOB, "--start", "--wait", "-v", "DEBUG", env=env), "execute")
        self.assertTrue((self.dir / "seen").exists(), "the step has run")
        self.check(self.run_vdk("run", folder, "-v", "DEBUG", env=env), "run")
        self.vdk("server", "backup", "copy", env=env)
        with contextlib.closing(self.store()) as database:
            (cipher,) = database.execute("SELECT ciphertext FROM job_secrets").fetchone()
        self.assertRegex(cipher, "^[0-9a-f]+$")
        self.assertEqual(len(cipher) // 2, 12 + 16 + len(json.dumps({"key": value, "piped": second}, separators=(",", ":"))), "nonce, tag, text")
        wrong = self.run_vdk("secrets", *JOB, "--list", env={"VDK_SECRETS_KEY": "00" * 32})
        self.assertNotEqual(wrong.code, 0)
        self.check(wrong, "another key")
        self.leaks += self.canaries.found_below(self.dir)
        self.assert_silent()


class Refusing(socketserver.StreamRequestHandler):
    """A mail server that takes nobody's login."""

    def handle(self):
        self.wfile.write(b"220 mail\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"EHLO":
                self.wfile.write(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
            elif word == b"AUTH":
                self.server.logins += 1
                self.wfile.write(b"535 no\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


STEP = """import os, time

def run(job_input):
    assert job_input.get_secret('key') and job_input.get_property('key') and job_input.get_arguments()
    with open({seen!r}, 'w') as file:
        file.write(repr(dict(os.environ)))
    time.sleep(0.5)
    raise ValueError('the step ends here')
"""


class WholeServer(CanaryTest):
    """PostgreSQL, a git server, a mail server that refuses, logins: each with a password that sings."""

    def setUp(self):
        super().setUp()
        make = self.canaries.make
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        try:
            self.postgres = self.stack.enter_context(postgres.Server(password=make("database password")))
        except postgres.Unavailable as problem:
            self.skipTest(str(problem))
        self.provider = self.stack.enter_context(provider(claims={"alice": {"teams": ["red"]}, "bob": {"teams": ["blue"]}}))
        served = self.dir / "served"
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(served / "jobs.git")], check=True)
        self.git = GitServer(served, "robot", make("git password"))
        self.stack.enter_context(self.git)
        self.mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing)
        self.mail.logins, self.mail.daemon_threads = 0, True
        threading.Thread(target=self.mail.serve_forever, daemon=True).start()
        self.stack.callback(self.mail.server_close)
        self.stack.callback(self.mail.shutdown)
        (self.dir / "page-secret").write_text("page-secret")
        (self.dir / "page-secret").chmod(0o600)
        self.config = self.dir / "server.yaml"
        self.config.write_text(f"""home: {self.dir}/service
database: {{url: "{self.postgres.create_database()}"}}
deploymentGitUrl: http://127.0.0.1:{self.git.port}/jobs.git
uploadGitReadWriteUsername: robot
uploadGitReadWritePassword: {self.canaries.values["git password"]}
notificationOwnerEmail: vdk@example.com
mail: {{smtp: {{host: 127.0.0.1, port: {self.mail.server_address[1]}, auth: true, user: u}}}}
security:
  enabled: true
  auditLog: audit.log
  oauth2: {{jwtIssuerUris: "{self.provider.issuer}", audience: vdk-control-service}}
  page: {{clientId: vdk-page, clientSecretFile: page-secret, scopes: openid offline_access api}}
webHooks:
  postDelete:
    webhookUri: http://127.0.0.1:1/hook
    internalErrorsRetries: 0
    authenticationEnabled: true
    authorizationServerEndpoint: {self.provider.issuer}/token
    authorizationRefreshToken: {make("webhook's token")}
""")
        self.config.chmod(0o600)
        for place in ("server.yaml", "given/*"):
            self.canaries.allow("*", place)
        key = self.canaries.add("service key", os.urandom(32).hex())
        (self.dir / "given").mkdir()
        self.address = self.serve("--config", str(self.config), "-v", "DEBUG", env={"VDK_SECRETS_KEY": key, "VDK_SERVER_MAIL_SMTP_PASSWORD": make("mail password")})

    def person(self, name):
        answer = self.provider.user_token(name)
        token = self.canaries.add(f"token of {name}", answer["access_token"])
        self.canaries.add(f"signature of {name}", token.split(".")[2])
        self.canaries.add(f"refresh token of {name}", answer["refresh_token"])
        return {"VDK_ACCESS_TOKEN": token, "VDK_CONTROL_SERVICE_REST_API_URL": self.address}

    def given(self, name):
        path = self.dir / "given" / name.replace(" ", "-")
        path.write_text(self.canaries.make(name))
        return path

    def ask(self, method, path, token=None, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        head = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {}), **(headers or {})}
        connection.request(method, path, body, head)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def life(self, alice):
        step = STEP.format(seen=str(self.dir / "seen"))
        folder = self.job("canary-job", {"config.ini": "[owner]\nteam = red\n[contacts]\nnotified_on_job_deploy = a@example.com\n", "10.py": step})
        self.check(self.vdk("create", *JOB, "--cloud", env=alice), "create")
        self.check(self.vdk("secrets", *JOB, "--set-file", "key", self.given("job secret"), env=alice), "secrets")
        self.check(self.vdk("properties", *JOB, "--set-file", "key", self.given("property"), env=alice), "properties")
        self.check(self.vdk("deploy", *JOB, "-p", folder, "-r", "first", "-v", "DEBUG", env=alice), "deploy")
        arguments = json.dumps({"password": self.canaries.make("argument")})
        start = f"/data-jobs/for-team/red/jobs/canary-job/deployments/production/executions"
        begun = self.ask("POST", start, alice["VDK_ACCESS_TOKEN"], json.dumps({"args": json.loads(arguments), "started_by": "test"}))
        self.assertEqual(begun.status, 202)
        execution = begun.headers["Location"].split("/")[-1]
        wait = self.run_vdk("execute", *JOB, "-i", execution, "--wait", "-v", "DEBUG", env=alice)
        self.assertEqual(wait.code, 1, wait)
        self.check(wait, "execute --wait")
        log = self.vdk("execute", *JOB, "-i", execution, "--logs", env=alice)
        self.check(log, "execute --logs")
        self.assertIn("the step ends here", log.out + log.err)
        self.assertTrue((self.dir / "seen").exists())
        self.check(self.vdk("execute", *JOB, "--list", "-o", "json", env=alice), "execute --list")
        self.check(self.vdk("show", *JOB, "-o", "json", env=alice), "show")

    def mistakes(self, alice, bob):
        job = "/data-jobs/for-team/red/jobs/canary-job"
        token = alice["VDK_ACCESS_TOKEN"]
        self.check(self.run_vdk("secrets", *JOB, "--list", env=bob), "another team")
        wrong = self.canaries.make("wrong token")
        for method, path, who, body in (
                ("GET", job, wrong, None), ("GET", job, "a." + wrong + ".b", None),
                ("GET", f"{job}?access_token={self.canaries.make('token in the address')}", None, None),
                ("PUT", job + "/deployments/production/secrets", token, '{"key": "' + self.canaries.make("secret of a broken body")),
                ("PUT", job + "/deployments/production/secrets", token, json.dumps(["x", self.canaries.make("secret of a wrong body")])),
                ("PUT", job + "/deployments/production/secrets", bob["VDK_ACCESS_TOKEN"], json.dumps({"key": self.canaries.make("stolen secret")})),
                ("PUT", job + "/deployments/production/properties", token, '{"key": ' + self.canaries.make("property of a broken body")),
                ("GET", f"/login/callback?code={self.canaries.make('code')}&state={self.canaries.make('state')}", None, None),
                ("GET", "/data-jobs/for-team/red/jobs?query=" + self.canaries.make("query"), token, None)):
            answer = self.ask(method, path, who, body)
            self.assertGreaterEqual(answer.status, 400, path)
        refused = self.run_vdk("delete", *JOB, "--yes", env={**alice, "VDK_CONTROL_HTTP_TOTAL_RETRIES": "0"})
        self.assertNotEqual(refused.code, 0, "its webhook gets no token")
        self.check(refused, "delete")
        self.ask("GET", "/data-jobs/for-team/no-team-specified/jobs", headers={"Cookie": "vdk-session=" + self.canaries.add("made-up session", os.urandom(32).hex())})

    def outages(self, alice):
        self.postgres.stop()
        down = self.run_vdk("list", "--all", env={**alice, "VDK_CONTROL_HTTP_TOTAL_RETRIES": "0"})
        self.assertEqual(down.code, 1, down)
        self.check(down, "without the database")
        self.check(self.run_vdk("server", "fsck", "--config", self.config), "fsck without the database")
        self.postgres.start()
        self.git.__exit__()
        folder = self.dir / "canary-job"
        (folder / "20.sql").write_text("SELECT 1")
        away = self.run_vdk("deploy", *JOB, "-p", folder, "-r", "second", env={**alice, "VDK_CONTROL_HTTP_TOTAL_RETRIES": "0"})
        self.assertNotEqual(away.code, 0, away)
        self.check(away, "without the git server")

    def test_a_whole_server_keeps_its_secrets(self):
        with Watch(self.canaries, str(self.dir)) as watch:
            alice, bob = self.person("alice"), self.person("bob")
            self.life(alice)
            visitor = Visitor(self, self.address)
            visitor.log_in("alice")
            self.canaries.add("session", visitor.jar["vdk-session"])
            self.assertEqual(visitor.jobs(), ["canary-job"])
            self.mistakes(alice, bob)
            self.wait_until(lambda: self.mail.logins, 30, "a refused mail")
            self.outages(alice)
            self.servers[0].terminate()
            self.servers[0].wait(60)
        self.canaries.allow("argument", "service/executions/*/spec.json")  # for the execution that gets them
        for spec in (self.dir / "service" / "executions").glob("*/spec.json"):
            self.assertEqual(spec.parent.parent.stat().st_mode & 0o077, 0, "nobody else gets there")
        self.leaks += watch.leaks() + self.canaries.found_below(self.dir)
        self.assertTrue(any(b"python" in line for line in watch.environments), "the step's process was seen")
        for name in ("property", "argument"):  # what the database keeps in clear, as the original does
            self.canaries.allow(name, "data/base/*")
            self.canaries.allow(name, "data/pg_wal/*")
        self.canaries.allow("database password", "password")  # the test's own file
        self.leaks += self.canaries.found_below(self.postgres.folder)
        self.assertIn("POST /data-jobs/for-team/red/jobs", (self.dir / "server0.log").read_text(), "the log is a full one")
        self.assert_silent()


if __name__ == "__main__":
    unittest.main()
