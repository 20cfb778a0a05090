# SPDX-License-Identifier: Apache-2.0
"""Packages of the package index, above all the original's clients and plugins, installed once per test run into scratch
environments."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import shared  # noqa: E402

PACKAGES = ["setuptools", "vdk-core", "vdk-sqlite", "vdk-control-cli", "vdk-plugin-control-cli", "vdk-heartbeat"]
RUNNER = ["setuptools", "vdk-core", "vdk-sqlite", "vdk-notebook"]  # without the clients: they ask a service at each run
PLUGINS = ["setuptools", "wheel", "vdk-csv", "vdk-duckdb", "vdk-postgres", "vdk-ingest-http", "vdk-trino", "vdk-properties-fs", "vdk-gdp-execution-id",
           "vdk-dag", "vdk-control-service-api>=1.0.13",
           "ipykernel", "jupyter-client"]


def virtual_environment(name, packages):
    """A virtual environment with packages from the index; a visible skip where the index cannot be reached."""

    def make(scratch):
        constraint = scratch / "constraint.txt"
        constraint.write_text("setuptools<81\n")  # its dependencies import pkg_resources
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(scratch / "venv")], check=True, capture_output=True)
        pip = [str(scratch / "venv/bin/pip"), "install", "-q", "--no-input", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *packages], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "PIP_CONSTRAINT": str(constraint)})
        return f"{packages[-1]} cannot be installed: " + done.stderr.strip()[-200:] if done.returncode else ""

    return shared.made_once(name, make) / "venv"


def environment():
    """The environment with the original's clients."""
    return virtual_environment("clients", PACKAGES)


def runner():
    """The environment with what the original needs to run jobs on this machine."""
    return virtual_environment("runner", RUNNER)


def plugins():
    """The environment with its plugins, and a Jupyter kernel."""
    return virtual_environment("plugins", PLUGINS)


def run(test, *args, env=None, code=None, cwd=None, timeout=180, folder=None):
    """Run a program of the original with the test's HOME; requires the exit code where one is given."""
    folder = folder or environment()
    done = subprocess.run([str(folder / "bin" / args[0]), *map(str, args[1:])], capture_output=True, text=True, cwd=cwd or test.dir,
                          stdin=subprocess.DEVNULL, timeout=timeout,
                          env=test.env({"VDK_VERSION_CHECK_DISABLED": "true", "PATH": f"{folder}/bin:{test.path}", **(env or {})}))
    if code is not None:
        test.assertEqual(done.returncode, code, f"{' '.join(map(str, args))}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
    return done
