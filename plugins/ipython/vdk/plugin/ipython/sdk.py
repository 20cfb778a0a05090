# SPDX-License-Identifier: Apache-2.0
"""Finds the job SDK, which comes with the vdk program, so that both always fit each other."""
import importlib
import os
import shutil
import subprocess
import sys


def find():
    """Put the SDK on the path unless it is there."""
    try:
        importlib.import_module("vdk.sdk.session")
        return
    except ImportError:
        pass
    program = _program()
    done = subprocess.run([program, "__session", "sdk"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    folder = done.stdout.strip()
    if done.returncode or not os.path.isdir(folder):
        raise ImportError("cannot use %s for notebooks: %s" % (program, done.stderr.strip() or "it is another vdk"))
    os.environ["VDK_EXECUTABLE"] = program
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith(("vdk.api", "vdk.internal"))]:
        del sys.modules[name]  # of an installed vdk-core
    importlib.import_module("vdk.sdk.session")


def _program():
    given = os.environ.get("VDK_EXECUTABLE")
    if given:
        return given
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = shutil.which("vdk", path=folder)
        if program:
            with open(program, "rb") as file:
                if file.read(4) == b"\x7fELF":  # the original's vdk is a script
                    return program
    raise ImportError("cannot find the vdk program: there is none on PATH. Install it, or set VDK_EXECUTABLE to its path")
