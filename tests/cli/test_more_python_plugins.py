# SPDX-License-Identifier: Apache-2.0
"""More plugins of the original from the package index, each alone beside the job's Python, without what others bring."""
import http.server
import json
import subprocess
import sys
import threading

import original
from harness import ROOT
from harness import VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import shared  # noqa: E402

PACKAGES = ["vdk-structlog", "vdk-audit", "vdk-data-sources", "vdk-logging-ltsv", "python-json-logger", "toml", "click", "pluggy"]


def packages():
    """A folder with the plugins; their dependencies but those named are left out, vdk-core above all."""

    def make(folder):
        done = subprocess.run([original.plugins() / "bin" / "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-input",
                               "--disable-pip-version-check", "--target", folder, *PACKAGES], capture_output=True, text=True, timeout=300)
        return "the plugins cannot be installed: " + done.stderr.strip()[-200:] if done.returncode else ""

    return shared.made_once("more-plugins", make)


class MorePlugins(VdkTest):
    path = "/usr/bin:/bin"

    def with_plugin(self, name, job, *args, code=0, env=None):
        """Run the job where this is the only plugin that is installed."""
        site = self.dir / "site"
        if not site.exists():
            site.mkdir()
            for item in packages().iterdir():
                entry_points = item / "entry_points.txt"
                if item.name.startswith(name) or not entry_points.exists() or "vdk.plugin.run" not in entry_points.read_text():
                    (site / item.name).symlink_to(item)
        return self.vdk("run", job, *args, code=code, env={"PYTHONPATH": str(site), "VDK_PYTHON": "/usr/bin/python3", **(env or {})})

    def test_structlog_writes_the_jobs_log_lines_as_it_is_told(self):
        job = self.job("logging", {"10_a.py": "import logging\ndef run(job_input):\n    logging.getLogger('mine').warning('hello %s', 1)\n",
                                   "config.ini": "[vdk]\nstructlog_format = json\n"})
        result = self.with_plugin("vdk_structlog", job)
        lines = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
        self.assertEqual([(line["message"], line["level"], line["lineno"]) for line in lines], [("hello 1", "WARNING", 3)])

    def test_logging_ltsv_gets_the_name_of_the_job_and_the_attempt(self):
        job = self.job("labelled", {"10_a.py": "import logging\ndef run(job_input):\n    logging.getLogger('mine').warning('hello')\n"})
        result = self.with_plugin("vdk_logging_ltsv", job, env={"VDK_ATTEMPT_ID": "try-7"})
        (line,) = [dict(part.split(":", 1) for part in line.split("\t")) for line in result.err.splitlines() if line.startswith("@timestamp")]
        self.assertEqual([line[key] for key in ("jobname", "attemptid", "level", "message")], ["labelled", "try-7", "WARNING", "hello"])

    def test_audit_ends_a_run_that_does_what_is_forbidden(self):
        job = self.job("curious", {"10_a.py": "import os\ndef run(job_input):\n    print('before', flush=True)\n    os.system('echo never')\n"})
        result = self.with_plugin("vdk_audit", job, code=1)
        self.assertEqual(result.out, "before\n")
        self.assertIn("FORBIDDEN", result.err)
        self.assertEqual(self.with_plugin("vdk_audit", job, env={"VDK_AUDIT_HOOK_ENABLED": "false"}).out, "before\nnever\n")

    def test_a_plugin_whose_hook_fails_is_named_with_the_hook(self):
        job = self.job("refusing", {"10_a.py": "def run(job_input): print('ran')\n"})
        site = self.dir / "site"
        (site / "acme-1.0.dist-info").mkdir(parents=True)
        (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[vdk.plugin.run]\nacme-login = acme\n")
        (site / "acme.py").write_text("from vdk.api.plugin.hook_markers import hookimpl\n@hookimpl\ndef initialize_job(context):\n"
                                      "    raise KeyError('no login')\n")
        result = self.with_plugin("acme", job, code=1)
        self.assertEqual(result.out, "")
        for text in ("acme-login", "initialize_job", "KeyError: 'no login'"):
            self.assertIn(text, result.err)

    def test_data_sources_flow_in_cells_and_steps_and_keep_their_state(self):
        flow = '%%vdkingest\n[sources.s]\nname = "auto-generated-data"\nconfig = {num_records = 3}\n[destinations.d]\n' \
               'method = "sqlite"\n[[flows]]\nfrom = "s"\nto = "d"\n'
        cell = {"cell_type": "code", "metadata": {"tags": ["vdk"]}, "outputs": [], "source": flow, "execution_count": None}
        step = "from vdk.plugin.data_sources.mapping.data_flow import DataFlowInput\n" \
               "from vdk.plugin.data_sources.mapping.definitions import *\ndef run(job_input):\n" \
               "    source = SourceDefinition(id='a', name='auto-generated-data', config={'num_records': 2})\n" \
               "    with DataFlowInput(job_input) as flows:\n" \
               "        flows.start(DataFlowMappingDefinition(source, DestinationDefinition(id='b', method='sqlite')))\n" \
               "    print(job_input.execute_query('select count(*) from stream_0'), list(job_input.get_all_properties().values()))\n"
        job = self.job("flowing", {"10.ipynb": json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}),
                                   "20.py": step})
        result = self.with_plugin("vdk_data_sources", job, env={"VDK_SQLITE_FILE": f"{self.dir}/j.db", "VDK_PROPERTIES_DEFAULT_TYPE": "memory"})
        self.assertEqual(result.out, "[(5,)] [{'a': {'streams': {'stream_0': {'last_id': 2}}}}]\n")

    def test_ingest_http_posts_rows_with_their_table(self):
        bodies = []
        with_plugin = f"{original.plugins()}/bin:{type(self).path}"

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(500 if self.path == "/broken" else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"http://127.0.0.1:{server.server_port}"
        job = self.job("post", {
            "10_send.py": "import datetime\ndef run(job_input):\n    job_input.send_tabular_data_for_ingestion(\n"
                          "        [[1, datetime.date(2024, 1, 31)]], ['a', 'day'], 'things', method='http')\n",
        })
        self.vdk("run", job, env={"VDK_INGEST_TARGET_DEFAULT": f"{address}/ok", "PATH": with_plugin})
        self.assertEqual(bodies, [[{"a": 1, "day": "2024-01-31", "@table": "things"}]])
        failed = self.vdk("run", job, code=1, env={"VDK_INGEST_TARGET_DEFAULT": f"{address}/broken", "PATH": with_plugin})
        self.assertIn("10_send.py - ERROR", failed.err)
        many = self.job("many", {
            "10_send.py": "def run(job_input):\n    job_input.send_tabular_data_for_ingestion(\n"
                          "        ([i, i + 1, 'hi'] for i in range(100)), ['index', 'next', 'word'], 'test', method='http')\n"})
        for path in (with_plugin, type(self).path):  # the plugin's and vdk's own
            bodies.clear()
            self.vdk("run", many, env={"VDK_INGEST_TARGET_DEFAULT": address, "PATH": path,
                                       "VDK_INGESTER_PAYLOAD_SIZE_BYTES_THRESHOLD": "1000"})
            self.assertEqual((len(bodies), [row["index"] for body in bodies for row in body]), (10, list(range(100))))


if __name__ == "__main__":
    import unittest

    unittest.main()
