# SPDX-License-Identifier: Apache-2.0
"""Runs the real binary with a HOME of its own and nothing else from the caller's environment."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VDK_BINARY", ROOT / "build" / "release" / "cli" / "vdk"))
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class VdkTest(unittest.TestCase):
    """One temporary folder per test: HOME, the service's home and the working folder lie in it."""

    path = SYSTEM_PATH
    url = None  # of the server, where the tests run against one

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-test."))
        self.home = self.dir / "home"
        self.home.mkdir()
        self.servers = []
        self.addCleanup(self._clean)

    def _clean(self):
        for server in self.servers:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
        for pid_file in self.dir.rglob("executions/*/pid"):
            try:
                os.killpg(int(pid_file.read_text().split(":")[0].split()[0]), signal.SIGKILL)
            except (OSError, ValueError, IndexError):
                pass
        shutil.rmtree(self.dir, ignore_errors=True)

    def env(self, extra=None):
        env = {"PATH": self.path, "HOME": str(self.home), "LANG": "C.UTF-8", "TMPDIR": str(self.dir)}
        for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(extra or {})
        return env

    def run_vdk(self, *args, stdin=None, env=None, timeout=120, cwd=None):
        done = subprocess.run([str(BINARY), *map(str, args)], input=stdin, stdin=None if stdin else subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.env(env), timeout=timeout, cwd=cwd or self.dir)
        return Result(done.returncode, done.stdout, done.stderr)

    def vdk(self, *args, code=0, **kwargs):
        """Run and require an exit code; the whole output is shown when it differs."""
        result = self.run_vdk(*args, **kwargs)
        self.assertEqual(result.code, code, f"vdk {' '.join(map(str, args))}\n{result!r}")
        return result

    def job(self, name, files, parent=None):
        folder = (parent or self.dir) / name
        folder.mkdir()
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return folder

    def start_server(self, *args, env=None):
        if "--port" not in args:
            args = ("--port", "0", *args)  # many servers run at once on one machine
        log = open(self.dir / f"server{len(self.servers)}.log", "w+")
        server = subprocess.Popen([str(BINARY), "server", *args], env=self.env(env), stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, cwd=self.dir)
        self.servers.append(server)
        return server

    def serve(self, *args, env=None):
        """Start a server and return the address at which it answers."""
        server = self.start_server(*args, env=env)
        log = self.dir / f"server{len(self.servers) - 1}.log"

        def address():
            found = re.search(r"listens on (http://[0-9.:]+)", log.read_text())
            if not found and server.poll() is not None:
                self.fail("the server does not start:\n" + log.read_text())
            return found and found[1]
        return self.wait_until(address, 60, "the server's address")

    def register(self, name, team="red", env=None):
        """A remote service wants to know a job before its first deployment; the embedded one learns it from that."""
        if self.url:
            self.vdk("create", "--cloud", "-n", name, "-t", team, env=env)

    def store(self):
        (path,) = [p for p in (self.home / ".local/share/vdk").glob("*.db")] or [None]
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def wait_until(self, condition, seconds=60, what="the condition"):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        self.fail(f"{what} did not come true within {seconds} s")

    def wait_execution(self, job, team, execution=None, seconds=60):
        def done():
            rows = self.vdk("execute", "--list", "-n", job, "-t", team, "-o", "json").json()
            for row in rows:
                if (execution is None or row["id"] == execution) and row["status"] not in ("submitted", "running"):
                    return row
            return None
        return self.wait_until(done, seconds, f"execution {execution} of {job}")

    def on_terminal(self, *args, answers=(), env=None, timeout=30):
        """Run on a pseudo terminal; `answers` are (text to wait for, line to type). Returns (exit code, screen text)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execve(str(BINARY), [str(BINARY), *map(str, args)], self.env({"TERM": "xterm", **(env or {})}))
        screen, todo, end = b"", list(answers), time.monotonic() + timeout
        while time.monotonic() < end:
            ready, _, _ = select.select([fd], [], [], 0.2)
            if ready:
                try:
                    chunk = os.read(fd, 65536)
                except OSError:
                    chunk = b""
                if not chunk:
                    break
                screen += chunk
            if todo and todo[0][0].encode() in screen:
                line = todo.pop(0)[1].encode()
                os.write(fd, line if line == b"\x03" else line + b"\n")
        else:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.fail(f"timed out on a terminal; screen so far:\n{screen.decode(errors='replace')}")
        os.close(fd)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), screen.decode(errors="replace")


class Remote:
    """Put before a test class, it runs the same tests through `vdk server` on this home and the REST client.

    Environment that a test gives to a command is what the embedded service would see, so the server gets it too: it is
    started again when that changes.
    """

    def setUp(self):
        super().setUp()
        self.start_service({})

    def start_service(self, extra):
        if self.servers:
            self.servers[-1].send_signal(signal.SIGTERM)
            self.servers[-1].wait(120)  # a roll-out that runs is finished first
        self.extra = extra
        self.url = self.serve(env=extra)

    def start_server(self, *args, env=None):
        url, self.url = self.url, None
        try:
            return super().start_server(*args, env=env)
        finally:
            self.url = url

    def env(self, extra=None):
        env = super().env(extra)
        if self.url:
            env["VDK_CONTROL_SERVICE_REST_API_URL"] = self.url
            env["no_proxy"] = env["NO_PROXY"] = "127.0.0.1"
        return env

    def run_vdk(self, *args, env=None, **kwargs):
        if (env or {}) != self.extra:
            self.start_service(env or {})
        return super().run_vdk(*args, env=env, **kwargs)
