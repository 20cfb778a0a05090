# SPDX-License-Identifier: Apache-2.0
"""A Python version per deployment: discovered or declared, validated, stored, shown, and really run."""
import json
import pathlib
import subprocess
import unittest

from harness import VdkTest

STEP = ("import platform\ndef run(job_input):\n"
        "    print('RUNS ON', platform.python_implementation(), '.'.join(platform.python_version_tuple()[:2]))\n")


def version_of(interpreter):
    done = subprocess.run([interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
    return done.stdout.strip()


class PythonVersions(VdkTest):
    def deploy(self, name, version, env=None, code=0):
        folder = self.job(name, {"config.ini": f"[owner]\nteam = red\n[job]\npython_version = {version}\n", "a.py": STEP})
        self.register(name, env=env)
        return self.vdk("deploy", "-p", folder, env=env, code=code)

    def logs(self, name, env=None):
        self.vdk("execute", "--start", "--wait", "-n", name, "-t", "red", env=env)
        return self.vdk("execute", "--logs", "-n", name, "-t", "red", env=env).out

    def test_two_interpreters_serve_two_jobs(self):
        if not pathlib.Path("/usr/bin/pypy3").exists():
            self.skipTest("pypy3 is not installed")
        cpython, pypy = version_of("/usr/bin/python3"), version_of("/usr/bin/pypy3")
        self.assertNotEqual(cpython, pypy)
        self.deploy("on-cpython", cpython)
        self.deploy("on-pypy-job", pypy)
        self.assertIn(f"RUNS ON CPython {cpython}", self.logs("on-cpython"))
        self.assertIn(f"RUNS ON PyPy {pypy}", self.logs("on-pypy-job"))
        shown = self.vdk("deploy", "--show", "-n", "on-pypy-job", "-t", "red", "-o", "json").json()[0]
        self.assertEqual(shown["python_version"], pypy)
        info = self.vdk("info", "-t", "red").out
        self.assertIn(cpython, info)
        self.assertIn(pypy, info)
        rows = self.vdk("execute", "--list", "-n", "on-pypy-job", "-t", "red", "-o", "json").json()
        self.assertEqual(rows[0]["python_version"], pypy)

    def test_an_unsupported_version_is_refused_with_the_supported_ones_and_nothing_is_stored(self):
        result = self.deploy("wants-old-python", "2.7", code=6)
        self.assertIn("Not supported python version: '2.7'", result.err)
        self.assertIn(version_of("/usr/bin/python3"), result.err)
        listed = self.vdk("list", "-a", "-o", "json").json()
        self.assertEqual([row["status"] for row in listed], ["NOT_DEPLOYED"] if self.url else [])
        self.vdk("download-job", "-n", "wants-old-python", "-t", "red", "-p", self.home, code=5)

    def test_the_administrators_dictionary_decides_and_three_ten_stays_three_ten(self):
        env = {"VDK_SUPPORTED_PYTHON_VERSIONS": json.dumps({"3.10": {"interpreter": "/usr/bin/python3"}}),
               "VDK_DEFAULT_PYTHON_VERSION": "3.10"}
        self.deploy("three-ten-job", "3.10", env=env)
        text = self.vdk("deploy", "--show", "-n", "three-ten-job", "-t", "red", env=env).out
        self.assertIn("3.10", text)
        self.assertIn("Supported python versions:\n\t3.10\n", self.vdk("info", "-t", "red", env=env).out)
        self.deploy("three-eleven-job", "3.11", env=env, code=6)

    def test_a_shim_that_fails_is_not_believed(self):
        shims = self.dir / "shims"
        shims.mkdir()
        (shims / "python3.9").write_text("#!/bin/sh\necho 'version not installed' >&2\nexit 127\n")
        (shims / "python3.9").chmod(0o755)
        info = self.vdk("info", "-t", "red", env={"PATH": f"{shims}:{self.path}"}).out
        if not pathlib.Path("/usr/bin/pypy3").exists():
            self.assertNotIn("3.9", info)
        self.assertIn(version_of("/usr/bin/python3"), info)


if __name__ == "__main__":
    unittest.main()
