# SPDX-License-Identifier: Apache-2.0
"""Ingestion to S3: moto checks every signature."""
import csv
import http.client
import http.server
import io
import json
import pathlib
import sys
import tempfile
import threading
import unittest

from harness import VdkTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from s3 import S3Server  # noqa: E402

ROWS = [{"id": 1, "text": 'a "b", c\nd', "more": [1, {"x": None}], "ok": True, "f": 1.5},
        {"id": 2, "text": "", "more": None, "ok": False, "f": -2.0},
        {"id": 3, "text": "grün 😀", "more": "x,y", "ok": None, "f": None}]
SEND = "inf = float('inf')\n\n\ndef run(job_input):\n    for row in %r:\n        job_input.send_object_for_ingestion(row, %r)\n"


class Stumbling(http.server.BaseHTTPRequestHandler):
    """Passes signed requests on to the real server, after as many refusals as were asked for."""
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.path)
        if self.server.refusals > 0:
            self.server.refusals -= 1
            status, answer = 503, b"<Error><Code>SlowDown</Code></Error>"
        else:
            onward = http.client.HTTPConnection("127.0.0.1", self.server.onward)
            onward.request("PUT", self.path, body, dict(self.headers))
            got = onward.getresponse()
            status, answer = got.status, got.read()
            onward.close()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class IngestS3(VdkTest):
    @classmethod
    def setUpClass(cls):
        empty = tempfile.TemporaryDirectory()
        cls.addClassCleanup(empty.cleanup)
        cls.s3 = S3Server(empty.name)
        cls.addClassCleanup(cls.s3.stop)

    def setUp(self):
        super().setUp()
        self.prefix = self.id().rsplit(".", 1)[1]

    def settings(self, **more):
        said = self.s3.said
        env = {"VDK_INGEST_METHOD_DEFAULT": "s3", "VDK_INGEST_TARGET_DEFAULT": f"s3://plugins/{self.prefix}",
               "VDK_INGEST_S3_ENDPOINT": f"http://127.0.0.1:{said['port']}", "VDK_INGEST_S3_ACCESS_KEY": said["access_key"],
               "VDK_INGEST_S3_SECRET_KEY": said["secret_key"], "VDK_EXECUTION_ID": "run-1", "no_proxy": "127.0.0.1"}
        return {name: value for name, value in {**env, **more}.items() if value is not None}

    def run_job(self, files, code=0, **settings):
        folder = self.job(f"job-{len(list(self.dir.glob('job-*')))}", files)
        result = self.vdk("run", folder, code=code, env=self.settings(**settings))
        for secret in (self.s3.said["secret_key"], self.s3.said["session"]["token"], self.s3.said["session"]["secret_key"]):
            self.assertNotIn(secret, result.out + result.err)
        return result

    def objects(self):
        """Names below the prefix of the test."""
        return {key[len(self.prefix) + 1:]: value for key, value in self.s3.objects(self.prefix + "/").items()}

    def test_numbers_keep_all_their_digits(self):
        step = ("from decimal import Decimal\n\n\ndef run(job_input):\n"
                "    for d in ('0.123456789012345678901', '-9007199254740993', '0.5'):\n"
                "        job_input.send_object_for_ingestion({'v': Decimal(d), 'l': [Decimal(d)]}, 't')\n")
        for form, text in (("jsonl", '{"v": 0.123456789012345678901, "l": [0.123456789012345678901]}\n'
                                     '{"v": -9007199254740993, "l": [-9007199254740993]}\n{"v": 0.5, "l": [0.5]}\n'),
                           ("csv", "v,l\r\n0.123456789012345678901,[0.123456789012345678901]\r\n"
                                   "-9007199254740993,[-9007199254740993]\r\n0.5,[0.5]\r\n")):
            self.prefix = form
            self.run_job({"10_send.py": step}, VDK_INGEST_S3_FORMAT=form)
            self.assertEqual([value["text"] for value in self.objects().values()], [text])

    def test_rows_become_json_lines_in_an_object_named_after_table_run_step_and_number(self):
        self.run_job({"10_a.py": SEND % (ROWS, "some/table ü"), "20_b.py": SEND % ([{"id": 9}], "other")})
        objects = self.objects()
        self.assertEqual(list(objects), ["other/run-1/20_b.py/000001.jsonl", "some%2Ftable ü/run-1/10_a.py/000001.jsonl"])
        first = objects["some%2Ftable ü/run-1/10_a.py/000001.jsonl"]
        self.assertEqual([json.loads(line) for line in first["text"].split("\n")[:-1]], ROWS)
        self.assertEqual(first["type"], "application/x-ndjson")

    def test_csv_has_a_header_the_order_of_the_columns_and_quotes_only_where_they_are_needed(self):
        self.run_job({"a.py": SEND % (ROWS, "t"), "b.py": SEND % ([{"only, one": None}, {"only, one": b"\x00\xff"}, {"only, one": float("inf")}], "u")},
                     VDK_INGEST_S3_FORMAT="CSV")
        objects = self.objects()
        self.assertEqual(objects["t/run-1/a.py/000001.csv"]["text"],
                         'id,text,more,ok,f\r\n1,"a ""b"", c\nd","[1,{""x"":null}]",true,1.5\r\n2,"",,false,-2.0\r\n'
                         '3,grün 😀,"x,y",,\r\n')
        self.assertEqual(objects["t/run-1/a.py/000001.csv"]["type"], "text/csv; charset=utf-8")
        read = list(csv.reader(io.StringIO(objects["u/run-1/b.py/000001.csv"]["text"], newline="")))
        self.assertEqual(read, [["only, one"], [""], ["00ff"], ["inf"]])
        failed = self.run_job({"c.py": SEND % ([{"l": [1]}, {"l": [float("inf")]}], "v")}, code=1, VDK_INGEST_S3_FORMAT="csv")
        self.assertIn("column 'l' of row 2", failed.err)
        self.assertNotIn("v/run-1/c.py/000001.csv", self.objects())

    def test_many_rows_are_all_there_once_in_numbered_objects(self):
        self.run_job({"a.py": "def run(job_input):\n    job_input.send_tabular_data_for_ingestion(([i] for i in range(12000)), ['i'], 't')\n"})
        objects = self.objects()
        self.assertEqual(sorted(objects), [f"t/run-1/a.py/{n:06}.jsonl" for n in range(1, len(objects) + 1)])
        self.assertGreater(len(objects), 1)
        rows = [json.loads(line)["i"] for key in sorted(objects) for line in objects[key]["text"].splitlines()]
        self.assertEqual(rows, list(range(12000)))

    def test_a_batch_of_megabytes_is_one_object(self):
        self.run_job({"a.py": "def run(job_input):\n    job_input.send_object_for_ingestion({'x': 'y' * 3000000}, 't')\n"})
        ((name, found),) = self.objects().items()
        self.assertEqual((name, len(found["text"])), ("t/run-1/a.py/000001.jsonl", 3000010))

    def test_a_repeated_run_replaces_its_objects_and_another_one_adds_its_own(self):
        for rows, run in ([{"i": 1}], "run-1"), ([{"i": 2}], "run-1"), ([{"i": 3}], "run-2"):
            self.run_job({"a.py": SEND % (rows, "t")}, VDK_EXECUTION_ID=run)
        self.assertEqual({key: value["text"] for key, value in self.objects().items()},
                         {"t/run-1/a.py/000001.jsonl": '{"i": 2}\n', "t/run-2/a.py/000001.jsonl": '{"i": 3}\n'})

    def test_keys_and_endpoint_come_from_the_usual_variables_too(self):
        session = self.s3.said["session"]
        settings = {name: None for name in ("VDK_INGEST_S3_ENDPOINT", "VDK_INGEST_S3_ACCESS_KEY", "VDK_INGEST_S3_SECRET_KEY")}
        self.run_job({"a.py": SEND % ([{"i": 1}], "t")}, **settings, AWS_ACCESS_KEY_ID=session["access_key"],
                     AWS_SECRET_ACCESS_KEY=session["secret_key"], AWS_SESSION_TOKEN=session["token"], AWS_REGION="eu-west-1",
                     AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{self.s3.said['port']}")
        self.assertEqual(list(self.objects()), ["t/run-1/a.py/000001.jsonl"])

    def test_refusals_fail_the_step_that_sent_the_rows_and_are_told_without_keys(self):
        files = {"10_a.py": SEND % ([{"i": 1}], "t"), "20_b.sql": "create table never (x)"}
        refused = self.run_job(files, code=1, VDK_INGEST_S3_SECRET_KEY="wrong+" + "x" * 30)
        self.assertIn("status 403 (SignatureDoesNotMatch)", refused.err)
        self.assertNotIn("wrong+", refused.out + refused.err)
        missing = self.run_job(files, code=1, VDK_INGEST_TARGET_DEFAULT="s3://nobodys/x")
        self.assertIn("status 404 (NoSuchBucket): there is no bucket 'nobodys'", missing.err)
        for result in refused, missing:
            self.assertIn("10_a.py", result.err)
            self.assertNotIn("20_b.sql", result.err)
        self.assertEqual(self.objects(), {})

    def test_wrong_settings_are_told_before_anything_is_sent(self):
        for settings, expected in [
                ({"VDK_INGEST_S3_SECRET_KEY": None}, "one of the access key and the secret key is missing"),
                ({"VDK_INGEST_S3_SECRET_KEY": None, "VDK_INGEST_S3_ACCESS_KEY": None}, "there are no keys"),
                ({"VDK_INGEST_S3_FORMAT": "xml"}, "ingest_s3_format is 'xml'"),
                ({"VDK_INGEST_S3_ENDPOINT": "http://storage.example.com"}, "ingest_s3_insecure"),
                ({"VDK_INGEST_S3_ENDPOINT": "https://me:hidden@example.com"}, "is no address of a server"),
                ({"VDK_INGEST_TARGET_DEFAULT": "s3://key:hidden@plugins/x"}, "no name of a bucket"),
                ({"VDK_INGEST_TARGET_DEFAULT": "s3://plugins/a/../b"}, "the prefix of the target"),
                ({"VDK_INGEST_TARGET_DEFAULT": "rows.json"}, "does not begin with s3://"),
                ({"VDK_INGEST_TARGET_DEFAULT": None}, "no target was given")]:
            with self.subTest(expected):
                result = self.run_job({"a.py": SEND % ([{"i": 1}], "t")}, code=1, **settings)
                self.assertIn(expected, result.err)
                self.assertNotIn("hidden", result.out + result.err)

    def test_a_storage_with_problems_is_asked_again_and_given_up_at_last(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stumbling)
        server.daemon_threads, server.onward, server.seen = True, self.s3.said["port"], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        endpoint = {"VDK_INGEST_S3_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        server.refusals = 2
        self.run_job({"a.py": SEND % ([{"i": 1}], "t")}, **endpoint)
        self.assertEqual(server.seen, [f"/plugins/{self.prefix}/t/run-1/a.py/000001.jsonl"] * 3)
        self.assertEqual([value["text"] for value in self.objects().values()], ['{"i": 1}\n'])
        server.refusals, server.seen = 100, []
        failed = self.run_job({"a.py": SEND % ([{"i": 2}], "t")}, code=1, **endpoint)
        self.assertIn("status 503 (SlowDown), several times", failed.err)
        self.assertEqual(len(server.seen), 6)
        self.assertEqual([value["text"] for value in self.objects().values()], ['{"i": 1}\n'])


if __name__ == "__main__":
    unittest.main()
