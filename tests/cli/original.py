# SPDX-License-Identifier: Apache-2.0
"""Packages of the package index, above all the original's clients and plugins, installed once per test run into scratch
environments."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PACKAGES = ["setuptools", "vdk-core", "vdk-sqlite", "vdk-control-cli", "vdk-plugin-control-cli", "vdk-heartbeat"]
PLUGINS = ["setuptools", "wheel", "vdk-csv", "vdk-duckdb", "vdk-postgres", "vdk-ingest-http", "vdk-trino", "vdk-properties-fs", "vdk-gdp-execution-id",
           "ipykernel", "jupyter-client"]


class Environment:
    """A scratch virtual environment with packages from the index, made at first use and gone at the end."""

    def __init__(self, packages):
        self._packages = packages
        self._folder = None
        self._problem = None

    def folder(self):
        """The environment's folder; a visible skip where the package index cannot be reached."""
        if self._folder is None and self._problem is None:
            self._make()
        if self._problem:
            raise unittest.SkipTest(self._problem)
        return self._folder

    def _make(self):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="vdk-original."))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        constraint = scratch / "constraint.txt"
        constraint.write_text("setuptools<81\n")  # its dependencies import pkg_resources
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(scratch / "venv")], check=True, capture_output=True)
        pip = [str(scratch / "venv/bin/pip"), "install", "-q", "--no-input", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *self._packages], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "PIP_CONSTRAINT": str(constraint)})
        if done.returncode:
            self._problem = f"{self._packages[-1]} cannot be installed: " + done.stderr.strip()[-200:]
        else:
            self._folder = scratch / "venv"


_clients = Environment(PACKAGES)
_plugins = Environment(PLUGINS)


def environment():
    """The environment with the original's clients."""
    return _clients.folder()


def plugins():
    """The environment with its plugins, and a Jupyter kernel."""
    return _plugins.folder()


def run(test, *args, env=None, code=None, cwd=None, timeout=180):
    """Run a program of the original with the test's HOME; requires the exit code where one is given."""
    folder = environment()
    done = subprocess.run([str(folder / "bin" / args[0]), *map(str, args[1:])], capture_output=True, text=True, cwd=cwd or test.dir,
                          stdin=subprocess.DEVNULL, timeout=timeout,
                          env=test.env({"VDK_VERSION_CHECK_DISABLED": "true", "PATH": f"{folder}/bin:{test.path}", **(env or {})}))
    if code is not None:
        test.assertEqual(done.returncode, code, f"{' '.join(map(str, args))}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
    return done
