# SPDX-License-Identifier: Apache-2.0
"""The operations page of a real server in a real headless Chromium: tests/page holds what the browser does."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import shared  # noqa: E402

PAGE = ROOT / "libvdk" / "control" / "server" / "page"
HOSTILE = "<img src=x onerror=window.hacked=1>"
BULK = 130
LOST = "Failed to load resource|net::ERR"
STEPS = {
    "flights-ingest": f"def run(job_input):\n    print('{HOSTILE}')\n    for i in range(1500):\n        print('row', i, 'loaded')\n",
    "weather-broken": f"def run(job_input):\n    raise ValueError('no clouds today {HOSTILE}')\n",
    "requirements-broken": "def run(job_input):\n    pass\n",
    "paused-job": "def run(job_input):\n    pass\n",
    "long-runner": "import os, time\n\n\ndef run(job_input):\n    end = time.monotonic() + 300\n"
                   "    while not os.path.exists('RELEASE') and time.monotonic() < end:\n"
                   "        print('tick', flush=True)\n        time.sleep(0.5)\n",
}
TEAMS = {"long-runner": "ground", "paused-job": "ground"}


def chromium():
    return next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


def driver_folder():
    """The driver with its packages; a visible skip where that cannot be done."""
    if not chromium():
        raise unittest.SkipTest("Chromium is not installed")
    return shared.made_once("page", lambda folder: shared.npm_install(ROOT / "tests" / "page", folder, "the browser's driver"))


class Served(VdkTest):
    """One server with real jobs for all tests of this file."""

    def runTest(self):
        pass

    def serve(self, port=0):
        server = self.start_server("--port", str(port))
        log = self.dir / f"server{len(self.servers) - 1}.log"

        def address():
            if server.poll() is not None:
                self.fail("the server ended: " + log.read_text()[-2000:])
            return re.search(r"listens on (http://\S+)", log.read_text())
        self.base = self.wait_until(address, 60, "the address of the server")[1]

    def rest(self, method, path, body=None):
        request = urllib.request.Request(f"{self.base}/data-jobs/for-team/{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def register(self, name, team, description=""):
        team_path = urllib.parse.quote(team, safe="")
        self.rest("POST", f"{team_path}/jobs?name={name}", {"job_name": name, "team": team, "description": description, "config": {"schedule": {}}})

    def deploy(self, name, *options, code=0):
        team = TEAMS.get(name, "air")
        files = {"config.ini": f"[owner]\nteam = {team}\n[job]\nschedule_cron = 0 2 * * *\n[contacts]\nnotified_on_job_success = ops@example.com\n",
                 "10_step.py": STEPS[name].replace("RELEASE", str(self.dir / "release"))}
        if name == "requirements-broken":
            files["requirements.txt"] = "--no-index\nno-such-package==1.0\n"
        self.vdk("deploy", "-p", self.job(name, files), "-r", "first", *options, code=code)

    def fill(self):
        for name in STEPS:
            self.deploy(name, *(["--disable", "-n", name, "-t", "ground"] if name == "paused-job" else []), code=int(name == "requirements-broken"))
        self.serve()
        self.register("never-deployed", HOSTILE, HOSTILE)
        for i in range(BULK):
            self.register(f"bulk-job-{i:03}", "bulk")
        for name in ("long-runner", "flights-ingest", "weather-broken"):
            self.vdk("execute", "--start", "-n", name, "-t", TEAMS.get(name, "air"))
        for name in ("flights-ingest", "weather-broken"):
            self.wait_execution(name, "air")


class OperationsPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = driver_folder()
        cls.served = Served()
        cls.served.setUp()
        cls.addClassCleanup(cls.served.doCleanups)
        cls.served.fill()
        cls.driver = subprocess.Popen(["node", "driver.mjs", chromium()], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, env={**os.environ, "HOME": str(cls.served.dir)})
        cls.addClassCleanup(cls.stop_driver)

    @classmethod
    def stop_driver(cls):
        cls.driver.stdin.close()
        try:
            cls.driver.wait(20)
        except subprocess.TimeoutExpired:
            cls.driver.kill()
            cls.driver.wait()
        cls.driver.stdout.close()

    def browse(self, scenario, **data):
        self.driver.stdin.write(json.dumps({"scenario": scenario, "base": self.served.base, **data}) + "\n")
        self.driver.stdin.flush()
        answer = json.loads(self.driver.stdout.readline() or '{"error": "the driver ended"}')
        if "error" in answer:
            self.fail(answer["error"])

    def test_the_list_shows_team_schedule_python_deployment_and_last_run(self):
        self.browse("list")

    def test_search_narrows_the_list_and_can_be_shared_as_an_address(self):
        self.browse("search")

    def test_filters_by_deployment_team_and_last_run(self):
        self.browse("filter")

    def test_columns_sort_both_ways_and_say_so(self):
        self.browse("sort")

    def test_long_lists_are_paged_by_the_server(self):
        self.browse("pages", total=BULK)

    def test_everything_is_reached_by_keyboard_with_visible_focus(self):
        self.browse("keyboard")

    def test_a_job_shows_configuration_deployment_and_executions(self):
        self.browse("job")

    def test_the_log_of_an_execution_shows_its_end_or_all_of_it(self):
        self.browse("log")

    def test_schedules_and_times_are_said_in_words_only_where_they_are_exact(self):
        self.browse("words")

    def test_z_a_running_execution_is_followed_to_its_end_without_a_click(self):
        self.browse("live", release=str(self.served.dir / "release"))

    def test_refreshing_keeps_focus_scroll_and_rows_and_can_be_paused(self):
        self.browse("refresh")

    def test_hostile_names_messages_and_logs_stay_text(self):
        self.browse("hostile", expect="Content Security Policy|" + LOST)

    def test_what_is_not_there_is_said(self):
        self.browse("missing", expect=LOST)

    def test_a_refusal_of_the_server_is_shown_with_its_reason(self):
        self.browse("refused", expect=LOST)

    def test_nothing_overflows_a_narrow_screen(self):
        self.browse("narrow", expect=LOST)

    def test_light_pages_pass_the_accessibility_rules(self):
        self.browse("accessible", expect=LOST)

    def test_dark_pages_pass_the_accessibility_rules(self):
        self.browse("accessible", dark=True, expect=LOST)

    def test_zz_a_stopped_server_is_said_and_found_again(self):
        stopped, restarted = self.served.dir / "stopped", self.served.dir / "restarted"

        def play_the_server():
            self.served.wait_until(lambda: pathlib.Path(f"{stopped}.wanted").exists(), 60)
            server = self.served.servers[-1]
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            stopped.touch()
            self.served.wait_until(lambda: pathlib.Path(f"{restarted}.wanted").exists(), 60)
            self.served.serve(urllib.parse.urlsplit(self.served.base).port)
            restarted.touch()
        player = threading.Thread(target=play_the_server, daemon=True)
        player.start()
        self.browse("away", expect=LOST, stopped=str(stopped), restarted=str(restarted))
        player.join(60)


class PageFiles(VdkTest):
    serve = Served.serve

    def test_files_come_with_their_type_a_hash_and_a_strict_policy(self):
        self.serve()
        wanted = {"/": "text/html", **{f"/{file.name}": {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[file.suffix[1:]]
                                       for file in PAGE.iterdir() if file.suffix != ".html"}}
        for path, kind in wanted.items():
            with urllib.request.urlopen(self.base + path) as answer:
                self.assertTrue(answer.headers["Content-Type"].startswith(kind), path)
                self.assertEqual(answer.read(), (PAGE / ("index.html" if path == "/" else path[1:])).read_bytes())
                self.assertIn("default-src 'self'", answer.headers["Content-Security-Policy"])
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
                tag = answer.headers["ETag"]
            with self.assertRaises(urllib.error.HTTPError) as same:
                urllib.request.urlopen(urllib.request.Request(self.base + path, headers={"If-None-Match": tag}))
            self.assertEqual(same.exception.code, 304, path)
            same.exception.close()

    def test_no_script_makes_markup_from_text_and_no_page_needs_another_server(self):
        markup = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|createContextualFragment")
        inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", re.I)
        for file in PAGE.iterdir():
            text = file.read_text()
            self.assertIsNone(markup.search(text), file.name)
            outside = [a for a in re.findall(r"https?://[^\s\"'`]+", text) if a != "http://www.w3.org/2000/svg"]
            self.assertEqual(outside, [], file.name)
        self.assertIsNone(inline.search((PAGE / "index.html").read_text()))


if __name__ == "__main__":
    unittest.main()
