# SPDX-License-Identifier: Apache-2.0
"""Packages from the Python index that single tests need, installed once per test run into a scratch environment."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

_environments = {}


def environment(*packages, constraint=""):
    """Folder of an environment with these packages; a visible skip where the index cannot be reached."""
    if packages not in _environments:
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="vdk-packages."))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(scratch / "venv")], check=True, capture_output=True)
        (scratch / "constraint.txt").write_text(constraint + "\n")
        env = {**os.environ, "PIP_CONSTRAINT": str(scratch / "constraint.txt")}
        done = subprocess.run([str(scratch / "venv/bin/pip"), "install", "-q", "--no-input", "--disable-pip-version-check",
                               *packages], capture_output=True, text=True, timeout=400, env=env)
        _environments[packages] = (scratch / "venv", done.stderr.strip()[-200:] if done.returncode else "")
    folder, problem = _environments[packages]
    if problem:
        raise unittest.SkipTest(f"{' '.join(packages)} cannot be installed: {problem}")
    return folder
