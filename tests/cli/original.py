# SPDX-License-Identifier: Apache-2.0
"""The original clients from the package index, installed once per test run into a scratch environment."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PACKAGES = ["setuptools", "vdk-core", "vdk-sqlite", "vdk-control-cli", "vdk-plugin-control-cli", "vdk-heartbeat"]
_environment = None
_problem = None


def environment():
    """The environment's folder; a visible skip where the package index cannot be reached."""
    global _environment, _problem
    if _environment is None and _problem is None:
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="vdk-original."))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        constraint = scratch / "constraint.txt"
        constraint.write_text("setuptools<81\n")  # its dependencies import pkg_resources
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(scratch / "venv")], check=True, capture_output=True)
        done = subprocess.run([str(scratch / "venv/bin/pip"), "install", "-q", "--no-input", "--disable-pip-version-check", *PACKAGES],
                              capture_output=True, text=True, timeout=400, env={**os.environ, "PIP_CONSTRAINT": str(constraint)})
        if done.returncode:
            _problem = "the original cannot be installed: " + done.stderr.strip()[-200:]
        else:
            _environment = scratch / "venv"
    if _problem:
        raise unittest.SkipTest(_problem)
    return _environment


def run(test, *args, env=None, code=None, cwd=None, timeout=180):
    """Run a program of the original with the test's HOME; requires the exit code where one is given."""
    folder = environment()
    done = subprocess.run([str(folder / "bin" / args[0]), *map(str, args[1:])], capture_output=True, text=True, cwd=cwd or test.dir,
                          stdin=subprocess.DEVNULL, timeout=timeout,
                          env=test.env({"VDK_VERSION_CHECK_DISABLED": "true", "PATH": f"{folder}/bin:{test.path}", **(env or {})}))
    if code is not None:
        test.assertEqual(done.returncode, code, f"{' '.join(map(str, args))}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
    return done
