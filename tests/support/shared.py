# SPDX-License-Identifier: Apache-2.0
"""What several files of tests need and what takes long to make: made once in a test run, whichever process comes first."""
import atexit
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


def _root():
    """The folder of this test run (tests/run.py names it); a file of tests that runs alone makes one of its own."""
    if "VDK_TEST_SHARED" not in os.environ:
        scratch = tempfile.mkdtemp(prefix="vdk-shared.")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        os.environ["VDK_TEST_SHARED"] = scratch
    return pathlib.Path(os.environ["VDK_TEST_SHARED"])


def made_once(name, make):
    """The folder `name` after `make(folder)` filled it; a visible skip with the text that `make` returns when it cannot."""
    folder = _root() / name
    said = _root() / f"{name}.said"
    with open(_root() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            said.write_text(make(folder) or "")
        problem = said.read_text()
    if problem:
        raise unittest.SkipTest(problem)
    return folder


def npm_install(source, folder, what):
    """`source` with its packages in `folder`; the problem when that cannot be done."""
    for file in source.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    if not shutil.which("npm"):
        return "npm is not installed"
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, capture_output=True, text=True, timeout=300)
    return f"{what} cannot be installed: " + done.stderr.strip()[-200:] if done.returncode else ""
