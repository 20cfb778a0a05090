# SPDX-License-Identifier: Apache-2.0
"""A job_input outside of a run: in a notebook kernel, a test, any program. A vdk process behind it does what is native."""
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

from vdk.api import errors

_SDK = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def executable():
    """The vdk program: VDK_EXECUTABLE, the one this SDK was installed with, or the first on PATH that is no script."""
    given = os.environ.get("VDK_EXECUTABLE")
    if given:
        return given
    beside = os.path.join(_SDK, "..", "..", "..", "bin", "vdk")
    if os.access(beside, os.X_OK):
        return os.path.abspath(beside)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = shutil.which("vdk", path=folder)
        if program and _is_binary(program):
            return program
    raise errors.VdkConfigurationError(
        "cannot find the vdk program: there is none on PATH. Install it, or set VDK_EXECUTABLE to its path"
    )


def _is_binary(program):
    # The original's vdk is a Python script of the same name.
    with open(program, "rb") as file:
        return file.read(4) == b"\x7fELF"


class Session:
    """The vdk process behind a job_input, and the host of its Python side."""

    def __init__(self, directory, name, arguments, extra_plugins=()):
        self._lines = []
        self._start(directory, name, arguments)
        try:
            from vdk.sdk.host import Host

            self.host = Host(self._fd, self._gone, extra_plugins)
            self.host.channel.early = None  # vdk sends commands only while it answers a request
            self.job_input = self.host.first_input(str(directory or ""))
        except BaseException:
            self.end()
            raise

    def _start(self, directory, name, arguments):
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [executable(), "__session", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in the kernel ends a cell, not this
            )
        self._fd = ours.detach()
        # A program may give its own file for the folder; there is nothing to be read then.
        folder = "" if os.path.isfile(str(directory or "")) else str(directory or "")
        given = {"directory": folder, "name": name or "", "arguments": arguments}
        with self._process.stdin as stdin:
            stdin.write(json.dumps(given).encode("ascii"))
        self._reader = threading.Thread(target=self._copy_log, daemon=True)
        self._reader.start()

    def _copy_log(self):
        """What vdk says, where the notebook shows it."""
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace")
            self._lines.append(text)
            del self._lines[:-20]
            try:
                sys.stderr.write(text)
            except (AttributeError, OSError, ValueError):
                pass

    def _gone(self):
        self._process.wait()
        self._reader.join(1)
        said = "".join(self._lines).strip()
        raise errors.PlatformServiceError("the vdk process of this job has ended" + (": " + said if said else ""))

    def end(self):
        """Let the vdk process end."""
        if self._fd is None:
            return
        os.close(self._fd)
        self._fd = None
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1)
        self._process.stderr.close()


class StandaloneDataJob:
    """A job whose steps are not run: `with` gives its job_input."""

    def __init__(self, data_job_directory=None, name=None, job_args=None, extra_plugins=(), template_name=None):
        if data_job_directory is None and name is None:
            raise ValueError("cannot make a job_input: give data_job_directory, name or both")
        self._directory = None if data_job_directory is None else os.path.abspath(str(data_job_directory))
        self._name = name or (os.path.basename(self._directory) if self._directory else None)
        self._arguments = {} if job_args is None else job_args
        self._extra_plugins = list(extra_plugins)
        self._template_name = template_name
        self._session = None

    def __enter__(self):
        self._session = Session(self._directory, self._name, self._arguments, self._extra_plugins)
        host = self._session.host
        try:
            if host.plugins is not None:
                host.plugins.open(self._template_name)
        except BaseException:
            self._session.end()
            raise
        if self._directory and self._directory not in sys.path:
            sys.path.insert(0, self._directory)
        return self._session.job_input

    def __exit__(self, exc_type, exc_value, exc_traceback):
        session, self._session = self._session, None
        if session is None:
            return False
        try:
            if exc_value is None:
                session.host.run.ingester.wait()
        finally:
            try:
                if session.host.plugins is not None:
                    session.host.plugins.close(exc_value)
            finally:
                for connection in session.host.run.connections.values():
                    connection.close()
                if self._directory in sys.path:
                    sys.path.remove(self._directory)
                session.end()
        return False
