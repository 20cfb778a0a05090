#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the whole test suite of a build folder and ends with the line `N passed, N failed, N skipped`.

C++ programs and helper checks come from ctest's list; their doctest cases are counted one by one. The end-to-end tests
are unittest cases in tests/cli and tests/conformance. The crash test comes last.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOTAL = {"passed": 0, "failed": 0, "skipped": 0}
FAILURES = []


def note(name, passed, failed, skipped, seconds):
    TOTAL["passed"] += passed
    TOTAL["failed"] += failed
    TOTAL["skipped"] += skipped
    skips = f", {skipped} skipped" if skipped else ""
    print(f"{'ok  ' if not failed else 'FAIL'} {name}: {passed} passed, {failed} failed{skips} ({seconds:.1f} s)", flush=True)
    if failed:
        FAILURES.append(name)


def run_program(name, command, cwd, timeout):
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout)
        output, code = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as expired:
        output, code = (expired.stdout or b"").decode(errors="replace") + f"\ntimed out after {timeout} s", 1
    cases = re.search(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed", output)
    passed, failed = (int(cases[2]), int(cases[3])) if cases else (1 - bool(code), int(bool(code)))
    if code and not failed:
        failed = 1  # it died after its last case
    if failed:
        print(output[-20000:], flush=True)
    skips = [line for line in output.splitlines() if line.startswith("SKIPPED ")]
    if skips and not cases and not code:
        print("\n".join(skips), flush=True)
        passed = 0
    else:
        skips = []
    note(name, passed, failed, len(skips), time.monotonic() - start)


def run_ctest(build):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        if "command" not in test:
            note(test["name"], 0, 1, 0, 0)
            continue
        run_program(test["name"], test["command"], properties.get("WORKING_DIRECTORY", build),
                    float(properties.get("TIMEOUT", 600)))


class Skips(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIPPED {test.id()}: {reason}", flush=True)


def run_file(file, report):
    """One file of tests in this process; `report` gets its numbers."""
    sys.path.insert(0, str(file.parent))
    suite = unittest.defaultTestLoader.loadTestsFromName(file.stem)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0, resultclass=Skips).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    pathlib.Path(report).write_text(json.dumps([max(0, result.testsRun - failed - skipped), failed, skipped]))


def run_in_process(file):
    """A file of tests in a process of its own: its output and numbers."""
    start = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        child = subprocess.Popen([sys.executable, "-W", "ignore", __file__, "--file", str(file), "--report", report.name],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = child.communicate(timeout=900)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output = child.communicate()[0] + b"\ntimed out after 900 s\n"
        numbers = pathlib.Path(report.name).read_text()
    passed, failed, skipped = json.loads(numbers) if numbers and child.returncode >= 0 else (0, 1, 0)
    return output.decode(errors="replace"), passed, failed, skipped, time.monotonic() - start


def run_unittest(folder):
    """Two files at a time: most tests wait for servers and clocks more than they compute. The biggest files first."""
    files = sorted(folder.glob("test_*.py"), key=lambda file: (-file.stat().st_size, file.name))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        pending = {pool.submit(run_in_process, file): file for file in files}
        for done in concurrent.futures.as_completed(pending):
            output, passed, failed, skipped, seconds = done.result()
            if failed or skipped:
                print(output[-20000:], flush=True)
            note(f"{folder.name}/{pending[done].name}", passed, failed, skipped, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", nargs="?", default=str(ROOT / "build" / "release"))
    parser.add_argument("--without-crash", action="store_true")
    parser.add_argument("--file", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.file:
        run_file(options.file, options.report)
        return 0
    os.environ["VDK_BINARY"] = str(pathlib.Path(options.build).resolve() / "cli" / "vdk")
    run_ctest(options.build)
    with tempfile.TemporaryDirectory(prefix="vdk-shared.") as scratch:
        os.environ["VDK_TEST_SHARED"] = scratch
        for folder in ("conformance", "cli"):
            run_unittest(ROOT / "tests" / folder)
    for name in ("crash_test.py", "servers_test.py", "plugins_test.py") if not options.without_crash else ():
        run_program(f"crash/{name}", [sys.executable, str(ROOT / "tests" / "crash" / name)], str(ROOT), 900)
    if FAILURES:
        print("failed: " + ", ".join(FAILURES))
    skips = f", {TOTAL['skipped']} skipped" if TOTAL["skipped"] else ""
    print(f"{TOTAL['passed']} passed, {TOTAL['failed']} failed{skips}")
    return 1 if TOTAL["failed"] or not TOTAL["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
