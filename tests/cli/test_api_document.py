# SPDX-License-Identifier: Apache-2.0
"""schemathesis (package index) reads our OpenAPI document and sends what it allows and what it forbids."""
import os
import subprocess
import unittest

from harness import VdkTest

CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,unsupported_method,allow_header_conformance,negative_data_rejection")


class ApiDocument(VdkTest):
    def install(self):
        folder = self.dir / "schemathesis"
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(folder)], check=True, capture_output=True)
        done = subprocess.run([str(folder / "bin/pip"), "install", "-q", "--no-input", "--disable-pip-version-check", "schemathesis"],
                              capture_output=True, text=True, timeout=300, env=dict(os.environ))
        if done.returncode:
            self.skipTest("schemathesis cannot be installed: " + done.stderr.strip()[-200:])
        return folder / "bin" / "schemathesis"

    def test_no_answer_contradicts_the_document_and_none_is_a_5xx(self):
        program = self.install()
        url = self.serve()
        # The job that the document's examples name, so that more than 404 is reached.
        folder = self.job("example-job", {"config.ini": "[owner]\nteam = example-team\n", "10_step.sql": "select 1;\n"})
        named = ["-n", "example-job", "-t", "example-team", "-u", url]
        self.vdk("create", "--cloud", *named)
        self.vdk("deploy", "-p", folder, "-r", "example", *named)
        done = subprocess.run([str(program), "run", f"{url}/data-jobs/api-docs", "--checks", CHECKS, "--max-examples",
                               os.environ.get("VDK_SCHEMATHESIS_EXAMPLES", "25"), "--seed", "1", "--phases", "examples,coverage,fuzzing",
                               "--no-shrink", "--continue-on-failure", "--request-timeout", "20", "--suppress-health-check", "all"],
                              capture_output=True, text=True, timeout=900, cwd=self.dir, env=self.env({"HOME": str(self.home)}))
        self.assertEqual(done.returncode, 0, done.stdout[-12000:] + done.stderr[-2000:])
        # The server is alive and the job still answers after all of it.
        self.vdk("list", "-a", "-u", url, "-o", "json")


if __name__ == "__main__":
    unittest.main()
