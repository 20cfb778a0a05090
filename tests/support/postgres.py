#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of its own for tests: on loopback with a free port, without fsync, gone at the end.

    with postgres.Server() as server:
        url = server.create_database()      # postgresql://vdk:PASSWORD@127.0.0.1:PORT/NAME

    python3 tests/support/postgres.py -- COMMAND...     # with VDK_TEST_DATABASE_URL in its environment
"""
import glob
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest


class Unavailable(Exception):
    """PostgreSQL's programs are not on this machine."""


def programs():
    """The folder with initdb and postgres, the newest version first."""
    found = shutil.which("initdb")
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]), reverse=True)
    for folder in folders + ([os.path.dirname(os.path.realpath(found))] if found else []):
        if os.access(f"{folder}/initdb", os.X_OK) and os.access(f"{folder}/postgres", os.X_OK):
            return pathlib.Path(folder)
    raise Unavailable("PostgreSQL is not installed (Debian: apt-get install postgresql)")


class Server:
    USER = "vdk"

    def __init__(self, password="an 'odd' p@ss:word/%"):
        self.programs = programs()
        self.password = password
        self.process = None
        self.port = 0
        self._number = 0
        self._owner = None  # PostgreSQL refuses to run as root
        if os.geteuid() == 0:
            for name in ("postgres", "nobody"):
                try:
                    self._owner = pwd.getpwnam(name)
                    break
                except KeyError:
                    continue
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vdk-pg-"))

    def __enter__(self):
        try:
            self._create()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run_as_owner(self):
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": [], "cwd": str(self.folder),
                "env": {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}}

    def _create(self):
        secret = self.folder / "password"
        secret.write_text(self.password + "\n")
        if self._owner is not None:
            for path in (self.folder, secret):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        done = subprocess.run(
            [self.programs / "initdb", "-D", self.folder / "data", "-U", self.USER, "--pwfile", secret, "-E", "UTF8",
             "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self._run_as_owner())
        if done.returncode:
            raise RuntimeError("initdb failed: " + done.stdout.decode(errors="replace"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self):
        """Also after stop(): the same data at the same address."""
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
                    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": 300,
                    "shared_buffers": "64MB", "log_min_messages": "warning"}
        command = [self.programs / "postgres", "-D", self.folder / "data"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            **self._run_as_owner())
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start: " + (self.folder / "log").read_text(errors="replace"))
            ready = subprocess.run([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                   stdin=subprocess.DEVNULL, check=False)
            if ready.returncode == 0:
                return
            time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown: connections are ended
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(30)
        self.process = None

    def kill(self):
        """As a machine that loses power, but its disk does not."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        self.process = None

    def psql(self, sql, database="postgres"):
        done = subprocess.run(
            [self.programs / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", self.USER, "-d", database],
            input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PGPASSWORD": self.password}, check=False)
        if done.returncode:
            raise RuntimeError("psql failed: " + done.stderr.decode(errors="replace"))
        return done.stdout.decode().rstrip("\n")

    def create_database(self, name=None):
        """The address of a new, empty database; user and password are in it."""
        if name is None:
            self._number += 1
            name = f"test_{self._number}_{secrets.token_hex(3)}"
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name):
        from urllib.parse import quote
        return f"postgresql://{self.USER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{name}"


def running(add_cleanup, **options):
    """A server until the cleanups run of a test, a class (addClassCleanup) or a module; without PostgreSQL they are skipped."""
    try:
        server = Server(**options)
    except Unavailable as reason:
        raise unittest.SkipTest(str(reason)) from reason
    server.__enter__()
    add_cleanup(server.__exit__)
    return server


def main(arguments):
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    try:
        server = Server()
    except Unavailable as reason:
        print(f"SKIPPED {' '.join(command)}: {reason}", flush=True)
        return 0
    # A test run that is stopped must not leave a database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with server:
        return subprocess.run(command, env={**os.environ, "VDK_TEST_DATABASE_URL": server.create_database("vdk")},
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
