# SPDX-License-Identifier: Apache-2.0
"""Log lines of a run: as text, as JSON, in the original's shape, and their levels."""
import json
import unittest

from harness import VdkTest

MEMBERS = {"timestamp", "level", "logger", "message", "job_name", "execution_id", "attempt_id", "op_id", "step", "file", "line",
           "func", "exception"}
LOGGING = """import logging
log = logging.getLogger("my.module")
def run(job_input):
    log.debug("deep")
    log.info("fine %s", "day\\u00e9")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("bad\\nline")
    logging.getLogger("noisy").warning("noise")
    print("mine")
"""


class Logs(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_SQLITE_FILE": str(self.dir / "data.db"), "VDK_PYTHON": "/usr/bin/python3", **(extra or {})})

    def json_lines(self, result):
        lines = [json.loads(line) for line in result.err.splitlines()]
        for line in lines:
            self.assertEqual(set(line) - {"result"}, MEMBERS, line)
            self.assertRegex(line["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
        return lines

    def logging_job(self, config=""):
        return self.job("some-job", {"10_a.sql": "select 1", "20_b.py": LOGGING, "config.ini": "[owner]\nteam = red\n" + config})


class Json(Logs):
    def test_every_line_of_vdk_and_of_the_job_is_one_object(self):
        result = self.vdk("run", self.logging_job(), "--log-format", "json",
                          env={"VDK_EXECUTION_ID": "exec", "VDK_ATTEMPT_ID": "exec-1", "VDK_OP_ID": "op"})
        self.assertEqual(result.out, "mine\n")
        lines = self.json_lines(result)
        self.assertEqual({(line["job_name"], line["execution_id"], line["attempt_id"], line["op_id"]) for line in lines},
                         {("some-job", "exec", "exec-1", "op")})
        mine = [line for line in lines if line["logger"] == "my.module"]
        self.assertEqual([(line["level"], line["message"], line["step"], line["file"], line["line"], line["func"]) for line in mine],
                         [("INFO", "fine dayé", "20_b.py", "20_b.py", 5, "run"), ("ERROR", "bad\nline", "20_b.py", "20_b.py", 9, "run")])
        self.assertIn("ZeroDivisionError", mine[1]["exception"])
        self.assertIsNone(mine[0]["exception"])
        ended = [line for line in lines if line["logger"] == "vdk.run" and line["step"]]
        self.assertEqual([line["step"] for line in ended], ["10_a.sql", "20_b.py"])
        self.assertEqual(lines[-1]["result"]["status"], "success")
        self.assertEqual([step["name"] for step in lines[-1]["result"]["steps_list"]], ["10_a.sql", "20_b.py"])
        self.assertIn("Job execution result: SUCCESS", lines[-1]["message"])

    def test_a_failing_run_says_so_in_objects(self):
        lines = self.json_lines(self.vdk("run", self.job("some-job", {"10_a.py": "def run(job_input):\n    raise KeyError('gone')\n"}),
                                         "--log-format", "JSON", code=1))
        (result,) = [line["result"] for line in lines if "result" in line]
        self.assertEqual((result["status"], result["exception_name"], result["blamee"]), ("error", "KeyError", "User Error"))

    def test_errors_before_the_run_are_objects_too(self):
        for args, code in (((self.dir / "nowhere",), 2), ((self.logging_job(), "--from", "nothing"), 2)):
            lines = self.json_lines(self.vdk("run", *args, "--log-format", "json", code=code))
            self.assertEqual(lines[-1]["level"], "ERROR")

    def test_the_setting_and_those_of_the_originals_plugins(self):
        for number, (config, env) in enumerate((("[vdk]\nlog_format = json\n", {}), ("", {"VDK_LOG_FORMAT": "json"}),
                                                ("[vdk]\nlogging_format = JSON\n", {}))):
            job = self.job(f"job-{number}", {"10_a.sql": "select 1", "config.ini": config})
            self.json_lines(self.vdk("run", job, env=env))
        job = self.job("text-job", {"10_a.sql": "select 1", "config.ini": "[vdk]\nlogging_format = json\nlog_format = text\n"})
        self.assertIn("10_a.sql: success", self.vdk("run", job).err.splitlines()[0])
        job = self.job("ltsv-job", {"10_a.sql": "select 1"})
        self.assertIn("LTSV is not supported", self.vdk("run", job, env={"VDK_LOGGING_FORMAT": "LTSV"}).err)

    def test_another_format_is_refused(self):
        self.assertIn("--log-format", self.vdk("run", self.logging_job(), "--log-format", "xml", code=2).err)
        self.assertIn("log_format", self.vdk("run", self.dir / "some-job", env={"VDK_LOG_FORMAT": "xml"}, code=2).err)


class Text(Logs):
    def test_the_originals_line_where_logs_are_collected(self):
        result = self.vdk("run", self.logging_job(), env={"VDK_LOG_CONFIG": "CLOUD", "VDK_ATTEMPT_ID": "exec-1"})
        shape = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[VDK\] some-job \[INFO \] %s {%d} +\w+\.%s:\d+ +\w+ +\[id:exec-1\]- %s"
        for name, kind, text in (("vdk.run", "cpp", "Job execution result: SUCCESS"), ("my.module", "py", "fine")):
            self.assertRegex(result.err, "(?m)" + shape % (name.replace(".", r"\."), 30 - len(name), kind, text))

    def test_levels_of_all_and_of_single_loggers(self):
        result = self.vdk("run", self.logging_job("[vdk]\nlog_level_vdk = WARNING\nlog_level_module = my.module=DEBUG;noisy=ERROR\n"))
        self.assertIn("DEBUG my.module: deep", result.err)
        self.assertNotIn("noise", result.err)
        self.assertNotIn("Job execution result", result.err)
        for setting, value in (("VDK_LOG_LEVEL_VDK", "LOUD"), ("VDK_LOG_LEVEL_MODULE", "x=LOUD")):
            self.assertIn("LOUD", self.run_vdk("run", self.dir / "some-job", env={setting: value}).err)

    def test_the_verbosity_is_that_of_the_steps_log_records_too(self):
        job = self.logging_job()
        for arguments, heard, silent in ((("-v", "DEBUG", "run"), "DEBUG my.module: deep", "nothing at all"),
                                         (("run", "--debug"), "DEBUG my.module: deep", "nothing at all"),
                                         (("-v", "ERROR", "run"), "ERROR my.module: bad", "INFO my.module"),
                                         (("run",), "INFO my.module: fine", "DEBUG my.module")):
            result = self.vdk(*arguments, job)
            self.assertIn(heard, result.err)
            self.assertNotIn(silent, result.err)


if __name__ == "__main__":
    unittest.main()
