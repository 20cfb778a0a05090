# SPDX-License-Identifier: Apache-2.0
"""Jobs that are made from YAML plugins: the survey, the macros, the two phases of a run, the plugins that ship."""
import datetime
import fcntl
import http.server
import json
import os
import pathlib
import pty
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import termios
import threading
import time
import unittest

import harness
from harness import VdkTest

sys.path.insert(0, str(harness.ROOT / "tests" / "support"))
import fast_clock  # noqa: E402
import postgres  # noqa: E402

ECHO = """name: echo-all
pluginversion: 1.2.0
plugintype: task
image: example.com/echo:1
questions:
- name: WORD
  prompt: A word
  help: It is printed.
  regexp: ^[a-z]+$
  validationerror: small letters only
  required: true
- name: COUNT
  type: int
  min: 1
  max: 9
  default: 3
- name: LOUD
  type: bool
  default: no
- name: MODE
  options: [plain, marked]
  default: plain
  subquestions:
  - ifvalue: marked
    questions:
    - name: MARK
      required: true
- name: PARTS
  type: multiselect
  options: [head, body, foot]
- name: WHEN_MANY
  when: {name: COUNT, matches: '[5-9]'}
  required: true
- name: KEY
  type: secret
  prompt: Key
defaultconfig:
- name: DAY
  value: "{{ .DSTART | Date }}"
- name: WORD
  value: never
defaultassets:
- name: sub/text.txt
  value: "from {{ .DSTART | Date }} to {{ .DEND | Date }}\\n"
entrypoint:
  script: |
    echo "word=$WORD count=$COUNT day=$DAY"
    # a comment, a here-document and an if, which need their lines
    if [ -n "$KEY" ]; then
      cat <<END
    key has ${#KEY} characters
    END
    fi
    cat "$JOB_DIR/in/sub/text.txt"
"""
ANSWERS = "WORD: hello\nCOUNT: 7\nLOUD: true\nMODE: marked\nMARK: '!'\nPARTS: [foot, head]\nWHEN_MANY: many\n"


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class PluginTest(VdkTest):
    def setUp(self):
        super().setUp()
        self.plugin = self.dir / "echo.yaml"
        self.plugin.write_text(ECHO)

    def write(self, name, text):
        (self.dir / name).write_text(text)
        return self.dir / name

    def create(self, *args, name="my-job", code=0, **kwargs):
        return self.vdk("create", "-n", name, "-t", "red", *args, code=code, **kwargs)

    def secret(self, key, value, name="my-job", env=None):
        self.vdk("create", "--cloud", "-n", name, "-t", "red", env=env)
        self.vdk("secrets", "-n", name, "-t", "red", "--set-stdin", key, stdin=value, env=env)


class Survey(PluginTest):
    def test_a_terminal_and_an_answer_file_give_the_same_bytes_and_the_job_runs(self):
        (self.dir / "typed").mkdir()
        (self.dir / "given").mkdir()
        code, screen = self.on_terminal(
            "create", "-n", "my-job", "-t", "red", "-p", "typed", "--plugin", "echo.yaml", "--save-answers", "saved.yaml",
            answers=[("A word", "?"), ("It is printed.", "HELLO"), ("small letters only", "hello"),
                     ("whole number) [3]", "12"), ("must be from 1 to 9", "7"), ("LOUD (y/n) [no]", "yes"),
                     ("2) marked", "2"), ("MARK", "!"), ("3) foot", "3, head"), ("WHEN_MANY", "many"), ("Key (", "")])
        self.assertEqual(code, 0, screen)
        self.create("-p", "given", "--plugin", "echo.yaml", "--answers", self.write("a.yaml", ANSWERS))
        typed, given = tree(self.dir / "typed" / "my-job"), tree(self.dir / "given" / "my-job")
        self.assertEqual(sorted(typed), ["assets/sub/text.txt", "config.ini", "job.yaml"])
        self.assertEqual(typed, given)
        (self.dir / "again").mkdir()
        self.create("-p", "again", "--plugin", "echo.yaml", "--answers", "saved.yaml")
        self.assertEqual(tree(self.dir / "again" / "my-job"), given)
        text = given["job.yaml"].decode()
        self.assertIn('WORD: "hello"', text)
        self.assertIn('PARTS: "head,foot"', text)
        self.assertIn('LOUD: "true"', text)
        self.assertIn('version: "1.2.0"', text)
        self.assertIn('KEY: "{{.secret.KEY}}"', text)
        self.secret("KEY", "se'cret")
        run = self.vdk("run", "typed/my-job")
        self.assertRegex(run.out, r"word=hello count=7 day=\d{4}-\d\d-\d\d\nkey has 7 characters\nfrom \d{4}")
        self.assertIn("The image example.com/echo:1 is not used", run.err)
        self.assertNotIn("se'cret", run.out + run.err)

    def test_without_a_terminal_everything_that_is_missing_or_wrong_is_said_at_once(self):
        result = self.create("--plugin", "echo.yaml", "--set", "COUNT=6", "--set", "MODE=markd", "--set", "NOPE=1",
                             "--set", "LOUD=perhaps", code=2)
        for line in ("WORD is missing: A word", "MODE: --set: 'markd' is none of 'plain' and 'marked'; did you mean 'marked'?",
                     "WHEN_MANY is missing", "NOPE: --set: there is no such question", "LOUD: --set: 'perhaps' is neither"):
            self.assertIn(line, result.err)
        self.assertFalse((self.dir / "my-job").exists())
        error = self.create("--plugin", "echo.yaml", "--no-input", "-o", "json", code=2).json()["error"]
        self.assertIn("WORD is missing", error["why"])

    def test_set_wins_over_the_file_which_wins_over_a_variable(self):
        self.plugin.write_text(ECHO.replace("  required: true\n- name: COUNT", "  env: MY_WORD\n  required: true\n- name: COUNT"))
        env = {"MY_WORD": "variable"}
        self.create("--plugin", "echo.yaml", "--defaults", name="by-variable", env=env)
        self.create("--plugin", "echo.yaml", "--answers", self.write("a.json", '{"word": "file"}'), name="by-file", env=env)
        self.create("--plugin", "echo.yaml", "--answers", "a.json", "--set", "WORD=set", name="by-set", env=env)
        for name in ("variable", "file", "set"):
            self.assertIn(f'WORD: "{name}"', (self.dir / f"by-{name}" / "job.yaml").read_text())

    def test_an_answer_to_a_question_that_is_not_asked_is_told(self):
        self.assertIn("'MARK' is not used", self.create("--plugin", "echo.yaml", "--set", "WORD=a", "--set", "MARK=x").err)

    def test_the_value_of_a_secret_is_refused_in_files_and_arguments_and_never_repeated(self):
        for args in (("--set", "KEY=hush-hush"), ("--answers", self.write("a.yaml", "KEY: hush-hush\n"))):
            result = self.create("--plugin", "echo.yaml", "--set", "WORD=a", *args, code=2)
            self.assertIn("a secret's value does not belong here", result.err)
            self.assertNotIn("hush-hush", result.err + result.out)
        self.create("--plugin", "echo.yaml", "--set", "WORD=a", "--set", "KEY={{ .secret.OTHER }}")
        self.assertIn("{{ .secret.OTHER }}", (self.dir / "my-job" / "job.yaml").read_text())

    def test_ctrl_c_at_a_secret_leaves_a_terminal_that_shows_what_is_typed(self):
        (self.dir / "hidden.yaml").write_text("name: hidden\nplugintype: task\npluginversion: 1.0.0\nimage: example.com/x:1\n"
                                              "questions: [{name: KEY, type: secret}]\nentrypoint: {script: run}\n")
        leader, terminal = pty.openpty()
        self.addCleanup(os.close, leader)
        self.addCleanup(os.close, terminal)

        def shows():
            return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

        process = subprocess.Popen([str(harness.BINARY), "create", "-n", "my-job", "-t", "team", "--local", "--plugin", "./hidden.yaml"],
                                   cwd=self.dir, env=self.env(), stdin=terminal, stdout=terminal, stderr=terminal,
                                   start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        deadline = time.monotonic() + 30
        while shows() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(shows())
        os.write(leader, b"half\x03")
        self.assertEqual(process.wait(30), -signal.SIGINT)
        self.assertTrue(shows())
        self.assertFalse((self.dir / "my-job").exists())

    def test_a_secret_that_is_typed_goes_to_the_service_and_into_no_file(self):
        code, screen = self.on_terminal("create", "-n", "my-job", "-t", "red", "--plugin", "echo.yaml", "--defaults",
                                        "--set", "WORD=a", answers=[])
        self.assertEqual(code, 0, screen)
        self.assertIn("--set-prompt KEY", screen)
        code, screen = self.on_terminal(
            "create", "-n", "other-job", "-t", "red", "--plugin", "echo.yaml", "--set", "WORD=a", "--set", "COUNT=1",
            "--set", "LOUD=no", "--set", "MODE=plain", "--set", "PARTS=", answers=[("Key (", "hush-hush")])
        self.assertEqual(code, 0, screen)
        self.assertNotIn("hush-hush", screen)
        self.assertIn("Stored 1 secrets", screen)
        for name, content in tree(self.dir).items():
            self.assertNotIn(b"hush-hush", content, name)
        self.assertEqual(self.vdk("secrets", "-n", "other-job", "-t", "red", "--get", "KEY", "-o", "json").json()["KEY"], "hush-hush")
        self.assertIn("key has 9 characters", self.vdk("run", "other-job").out)

    def test_a_dry_run_shows_the_files_and_makes_none(self):
        result = self.create("--plugin", "echo.yaml", "--set", "WORD=a", "--dry-run", "--save-answers", "s.yaml", "-o", "json")
        self.assertEqual(sorted(result.json()["files"]), ["assets/sub/text.txt", "job.yaml"])
        self.assertEqual(sorted(os.listdir(self.dir)), ["echo.yaml", "home"])
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        self.assertEqual(result.json()["files"]["job.yaml"], (self.dir / "my-job" / "job.yaml").read_text())

    def test_an_existing_folder_and_wrong_names_are_refused(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        self.create("--plugin", "echo.yaml", "--set", "WORD=b", code=6)
        self.assertIn('"a"', (self.dir / "my-job" / "job.yaml").read_text())
        self.assertIn("did you mean 'sql-to-sql'?", self.create("--plugin", "sql-to-sq", name="new-job", code=5).err)
        self.create("--plugin", "sql-to-sql@9", name="new-job", code=5)
        self.assertIn("it is a hook", self.create("--plugin", "row-count-check", name="new-job", code=2).err)
        self.assertIn("give the plugin with --plugin", self.create("--set", "A=b", name="new-job", code=2).err)

    def test_an_installed_plugin_goes_by_its_name_and_before_one_that_ships(self):
        (self.dir / "repo").mkdir()
        for name in ("echo-all", "run-command"):
            (self.dir / "repo" / f"{name}.yaml").write_text(ECHO.replace("echo-all", name))
        self.write("vdk-plugins.yaml", "plugins:\n  providers:\n  - {type: file, name: here, path: repo}\n  plugins:\n"
                   "  - {provider: here, path: echo-all.yaml}\n  - {provider: here, path: run-command.yaml}\n")
        self.vdk("plugin", "install")
        made = self.create("--plugin", "echo-all@1.2.0", "--set", "WORD=a", "-o", "json").json()
        self.assertEqual(made["plugin"], {"name": "echo-all", "version": "1.2.0", "origin": "install"})
        made = self.create("--plugin", "run-command", "--set", "WORD=a", "-o", "json", name="other-job").json()
        self.assertEqual(made["plugin"]["origin"], "install")
        self.assertIn("there is version '1.2.0'", self.create("--plugin", "echo-all@9", name="new-job", code=5).err)
        self.secret("KEY", "k")
        self.vdk("run", "my-job")

    def test_one_of_several_versions_in_a_file(self):
        self.write("many.yaml", "version: 2\nname: many\nplugin_versions:\n  default:\n    entrypoint: {script: echo old}\n"
                   "    image: example.com/many\n  lab: {entrypoint: {script: echo new}}\ndefault_config: {A: b}\n")
        for version, said in (("", "old"), ("@lab", "new")):
            self.create("--plugin", f"many.yaml{version}", name=f"job-{said}")
            self.assertEqual(self.vdk("run", f"job-{said}").out, said + "\n")
        self.assertIn("'default' and 'lab'", self.create("--plugin", "many.yaml@x", name="new-job", code=5).err)

    def test_a_job_yaml_with_a_mistake_is_not_deployed(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        job = self.dir / "my-job" / "job.yaml"
        job.write_text(job.read_text().replace("24h", "24x"))
        self.assertIn("'24x' is no size", self.vdk("deploy", "-p", "my-job", "-t", "red", "-r", "test", code=2).err)

    def test_a_broken_plugin_shows_every_line_at_fault(self):
        self.plugin.write_text(ECHO.replace("^[a-z]+$", "'['").replace("default: 3", "default: 30").replace("questions:", "qestions:", 1))
        result = self.create("--plugin", "echo.yaml", code=2)
        self.assertIn("unknown key 'qestions'", result.err)
        self.plugin.write_text(ECHO.replace("^[a-z]+$", "'['").replace("default: 3", "default: 30"))
        result = self.create("--plugin", "echo.yaml", code=2)
        self.assertIn("9:11: the pattern cannot be compiled", result.err)
        self.assertIn("16:12: the default of 'COUNT' is no valid answer: must be from 1 to 9", result.err)


STEP = "name: {name}\npluginversion: '1'\nplugintype: hook\nhooktype: {type}\n{more}entrypoint: \"echo {name} $SEEN\"\n"


class Running(PluginTest):
    def hook(self, name, kind, more=""):
        return self.write(f"{name}.yaml", STEP.format(name=name, type=kind, more=more))

    def task(self, script, more=""):
        self.plugin.write_text("name: the-task\npluginversion: '1'\nplugintype: task\n" + more +
                               "entrypoint:\n  script: |\n" + "".join(f"    {line}\n" for line in script.splitlines()))

    def test_hooks_run_before_after_and_on_failure_each_after_those_it_depends_on(self):
        self.task('echo task; exit $CODE', "questions:\n- name: CODE\n  default: 0\n")
        self.hook("before", "pre")
        self.hook("after-b", "post", "dependson: [after-a]\ndefaultconfig:\n- {name: SEEN, value: 'code {{.task.CODE}}'}\n")
        self.hook("after-a", "post")
        self.hook("alarm", "fail")
        hooks = [arg for name in ("after-b", "alarm", "before", "after-a") for arg in ("--hook", f"{name}.yaml")]
        self.create("--plugin", "echo.yaml", *hooks)
        self.assertEqual(self.vdk("run", "my-job").out.split("\n")[:-1], ["before", "task", "after-a", "after-b code 0"])
        summary = self.dir / "summary.json"
        failed = self.vdk("run", "my-job", "--arguments", '{"CODE": 7}', code=7,
                          env={"VDK_JOB_RUN_SUMMARY_FILE_PATH": str(summary)})
        self.assertEqual(failed.out.split("\n")[:-1], ["before", "task", "alarm"])
        steps = json.loads(summary.read_text())["steps"]
        self.assertEqual([(s["name"], s["status"]) for s in steps],
                         [("before", "success"), ("the-task", "error"), ("alarm", "success")])
        self.assertIn("the program ended with exit code 7", failed.err)

    def test_a_circle_of_hooks_is_found(self):
        self.task("true")
        self.hook("one", "pre", "dependson: [two]\n")
        self.hook("two", "pre", "dependson: [one]\n")
        self.create("--plugin", "echo.yaml", "--hook", "one.yaml", "--hook", "two.yaml")
        self.assertIn("depends on itself", self.vdk("run", "my-job", code=2).err)

    def test_a_macro_without_a_value_stops_the_step_before_its_program(self):
        self.task('echo started', "defaultconfig:\n- {name: A, value: '{{ .proj.region }}'}\n"
                  "defaultassets:\n- {name: q.sql, value: \"select 1\\n  from {{ .secret.T }}\"}\n")
        self.create("--plugin", "echo.yaml")
        result = self.vdk("run", "my-job", code=1)
        self.assertIn("there is no value .proj.region", result.err)
        self.assertIn("vdk properties --set region", result.err)
        self.assertEqual(result.out, "")
        self.vdk("create", "--cloud", "-n", "my-job", "-t", "red")
        self.vdk("properties", "-n", "my-job", "-t", "red", "--set", "region", "eu")
        result = self.vdk("run", "my-job", code=1)
        self.assertIn("there is no value .secret.T", result.err)
        self.assertIn("assets/q.sql:2:", result.err)

    def test_values_reach_the_program_unchanged(self):
        self.task('printf %s "$A" > got.bin')
        self.create("--plugin", "echo.yaml")
        evil = "a'b\"c$(touch x)`id`;\\ \t{é}"
        self.vdk("run", "my-job", "--arguments", json.dumps({"A": evil + "\nlast"}))
        self.assertEqual((self.dir / "got.bin").read_text(), evil + "\nlast")
        self.assertFalse((self.dir / "x").exists())

    def test_a_job_with_steps_stays_what_it_is_whatever_its_job_yaml_holds(self):
        job = self.job("plain-job", {"10_a.sql": "select 1", "job.yaml": "not: [ours"})
        self.vdk("run", job)

    def test_the_program_is_ended_with_the_run(self):
        self.task('trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.1; done')
        self.create("--plugin", "echo.yaml")
        run = subprocess.Popen([str(harness.BINARY), "run", "my-job"], cwd=self.dir, env=self.env(), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(run.stdout.readline(), "ready\n")
        run.send_signal(signal.SIGTERM)
        out, _ = run.communicate(timeout=20)
        self.assertEqual(out, "got it\n")
        self.assertEqual(run.returncode, 143)
        self.assertEqual([p for p in os.listdir(self.dir) if p.startswith("vdk-executor")], [])

    def test_deployed_it_runs_on_the_schedule_s_machinery_with_its_secret(self):
        self.task('echo "key ${#KEY} region $REGION"; ls -A "$JOB_DIR/in"; command -v python3; test "$KEY" = "s e c"',
                  "questions:\n- {name: KEY, type: secret}\ndefaultconfig:\n- {name: REGION, value: '{{.proj.region}}'}\n")
        self.create("--plugin", "echo.yaml")
        self.vdk("deploy", "-p", "my-job", "-t", "red", "-r", "test")
        self.vdk("properties", "-n", "my-job", "-t", "red", "--set", "region", "eu")
        self.vdk("secrets", "-n", "my-job", "-t", "red", "--set-stdin", "KEY", stdin="s e c")
        self.vdk("execute", "--start", "--wait", "-n", "my-job", "-t", "red")
        log = self.vdk("execute", "--logs", "-n", "my-job", "-t", "red").out
        self.assertIn("key 5 region eu\n.env\n" + str(self.home / ".local/share/vdk/environments"), log)
        self.assertNotIn("s e c", log)
        left = [str(p) for p in self.home.rglob("vdk-executor*")]
        self.assertEqual(left, [])
        self.vdk("secrets", "-n", "my-job", "-t", "red", "--set-stdin", "KEY", stdin="other")
        self.vdk("execute", "--start", "--wait", "-n", "my-job", "-t", "red", code=1)
        self.assertEqual(self.wait_execution("my-job", "red")["status"], "user_error")


    def test_a_scheduled_run_is_about_the_time_for_which_it_was_scheduled(self):
        self.task('sleep 3; echo "at $SCHEDULED_AT"')
        self.create("--plugin", "echo.yaml")
        config = self.dir / "my-job" / "config.ini"
        config.write_text(re.sub("schedule_cron = .*", "schedule_cron = * * * * *", config.read_text()))
        self.vdk("deploy", "-p", "my-job", "-t", "red", "-r", "test")
        self.start_server(env=fast_clock.environment(self.dir, 30))

        def done():
            rows = self.vdk("execute", "--list", "-n", "my-job", "-t", "red", "-o", "json").json()
            return [row for row in rows if row["status"] == "succeeded"]
        row = self.wait_until(done, 60, "a scheduled execution")[-1]
        log = self.vdk("execute", "--logs", "-n", "my-job", "-t", "red", "-i", row["id"]).out
        minutes = int(row["id"].split("-")[2])
        time_of = datetime.datetime.fromtimestamp(minutes * 60, datetime.timezone.utc)
        self.assertIn(f"at {time_of:%Y-%m-%dT%H:%M:%SZ}", log)


class Executor(PluginTest):
    def job_with_secret(self, env=None):
        self.create("--plugin", "echo.yaml", "--set", "WORD=hello", env=env)
        self.vdk("create", "--cloud", "-n", "my-job", "-t", "red", env=env)
        self.vdk("deploy", "-p", "my-job", "-t", "red", "-r", "test", env=env)
        self.vdk("secrets", "-n", "my-job", "-t", "red", "--set-stdin", "KEY", stdin="q'u\"o$te\nline", env=env)

    def check_boot(self, env=None):
        init = ("executor", "init", "--job", "my-job", "--team", "red", "--output", "shared", "--scheduled-at",
                "2026-03-04T10:00:00Z")
        result = self.vdk(*init, env=env)
        self.assertNotIn("q'u", result.err + result.out)
        inside = self.dir / "shared" / "in"
        self.assertEqual((inside / "sub" / "text.txt").read_text(), "from 2026-03-03 to 2026-03-04\n")
        for path in [inside, *inside.rglob("*")]:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        script = f"set -a; . {inside}/.env; . {inside}/.secret; printf '%s|%s|%s' \"$WORD\" \"$DAY\" \"$KEY\""
        for shell in ("/bin/sh", "/bin/dash", "/bin/bash"):
            if os.path.exists(shell):
                out = subprocess.run([shell, "-eu", "-c", script], capture_output=True, text=True, check=True).stdout
                self.assertEqual(out, "hello|2026-03-03|q'u\"o$te\nline")
        before = tree(inside)
        before.pop(".env"), before.pop(".executor.json")  # they hold the time of the run
        self.vdk(*init, env=env)
        after = tree(inside)
        self.assertEqual({k: v for k, v in after.items() if k in before}, before)
        self.assertEqual(os.listdir(self.dir / "shared"), ["in"])
        run = self.vdk("executor", "run", "--output", "shared", env=env)
        self.assertIn("word=hello count=3 day=2026-03-03\nkey has 13 characters", run.out)

    def test_the_boot_step_writes_a_private_folder_that_any_shell_can_read(self):
        self.job_with_secret()
        self.check_boot()
        result = self.vdk("executor", "init", "--job", "my-job", "--output", "shared", "-o", "json").json()
        self.assertEqual(result["secrets"], ["KEY"])
        self.assertEqual(result["assets"], ["sub/text.txt"])

    def test_the_boot_step_works_over_rest(self):
        url = self.serve()
        env = {"VDK_CONTROL_SERVICE_REST_API_URL": url, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        self.job_with_secret(env)
        self.check_boot(env)

    def test_names_that_change_what_programs_do_are_refused_unless_the_job_allows_them(self):
        self.plugin.write_text(ECHO.replace("- name: DAY", "- name: LD_PRELOAD"))
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        init = ("executor", "init", "--job", "my-job", "--job-path", "my-job", "--data-stdin", "--output", "shared")
        data = '{"secrets": {"KEY": "k"}}'
        self.assertIn("cannot give 'LD_PRELOAD'", self.vdk(*init, stdin=data, code=1).err)
        self.assertFalse((self.dir / "shared" / "in").exists())
        job = self.dir / "my-job" / "job.yaml"
        job.write_text(job.read_text() + 'allow_env: ["LD_PRELOAD"]\n')
        self.vdk(*init, stdin=data)

    def test_a_failed_or_killed_boot_leaves_the_folder_of_the_one_before(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        init = ("executor", "init", "--job", "my-job", "--job-path", "my-job", "--data-stdin", "--output", "shared")
        self.vdk(*init, stdin='{"secrets": {"KEY": "k"}}')
        before = tree(self.dir / "shared" / "in")
        self.vdk(*init, stdin="{}", code=1)
        self.assertEqual(tree(self.dir / "shared" / "in"), before)
        killed = self.run_vdk(*init, stdin='{"secrets": {"KEY": "other"}}', env={"VDK_FAILPOINT": "executor.staged"})
        self.assertEqual(killed.code, -signal.SIGKILL)
        self.assertEqual(tree(self.dir / "shared" / "in"), before)
        self.vdk(*init, stdin='{"secrets": {"KEY": "new"}}')
        self.assertEqual(os.listdir(self.dir / "shared"), ["in"])
        self.assertIn(b"KEY='new'", (self.dir / "shared" / "in" / ".secret").read_bytes())

    def test_boot_steps_of_one_folder_wait_for_each_other(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        init = [str(harness.BINARY), "executor", "init", "--job", "my-job", "--job-path", "my-job", "--data-stdin", "--output", "shared"]
        running = [subprocess.Popen(init, cwd=self.dir, env=self.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for _ in range(6)]
        for process in running:
            process.stdin.write('{"secrets": {"KEY": "k"}}')
            process.stdin.close()
        ends = [(process.wait(60), process.stderr.read(), process.stdout.close(), process.stderr.close()) for process in running]
        self.assertEqual([end[0] for end in ends], [0] * 6, ends)
        self.assertEqual(os.listdir(self.dir / "shared"), ["in"])

    def test_a_boot_step_says_why_it_cannot_use_its_folder(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        (self.dir / "file").write_text("")
        (self.dir / "nowhere").symlink_to(self.dir / "missing")
        for output in ("file", "file/below", "nowhere", "/proc/nothing"):
            with self.subTest(output=output):
                result = self.run_vdk("executor", "init", "--job", "my-job", "--job-path", "my-job", "--data-stdin",
                                      "--output", output, stdin='{"secrets": {"KEY": "k"}}')
                self.assertNotIn(result.code, (0, 70))
                self.assertIn("cannot use the folder '" + output + "'", result.err)

    def test_assets_that_lead_out_of_the_folder_are_refused(self):
        self.create("--plugin", "echo.yaml", "--set", "WORD=a")
        (self.dir / "my-job" / "assets" / "link").symlink_to("/etc/passwd")
        init = ("executor", "init", "--job", "my-job", "--job-path", "my-job", "--data-stdin", "--output", "shared")
        self.assertIn("cannot use the asset 'link'", self.vdk(*init, stdin='{"secrets": {"KEY": "k"}}', code=1).err)

    def test_run_without_init_and_init_of_an_ordinary_job_say_what_to_do(self):
        self.assertIn("vdk executor init", self.vdk("executor", "run", "--output", "nowhere", code=5).err)
        job = self.job("plain-job", {"10_a.sql": "select 1"})
        result = self.vdk("executor", "init", "--job", "plain-job", "-p", job, "--data-stdin", "--output", "x", stdin="{}", code=1)
        self.assertIn("was not made from a plugin", result.err)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/closed") and self.headers.get("Authorization") != "Bearer t0ken":
            self.send_error(401)
            return
        body = {"/csv": 'a,b\n1,"x, y"\n2,\n', "/lines": '{"a": 1}\n{"a": 2, "c": [3]}\n'}.get(
            self.path.split("?")[0], json.dumps({"data": {"items": [{"a": 1, "b": "x"}, {"a": None, "b": {"z": 1}}]}}))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


class Shipped(PluginTest):
    def rows(self, query):
        connection = sqlite3.connect(self.dir / "out.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def life(self, name, code=0):
        """The job runs here, and deployed."""
        self.vdk("run", name, code=code)
        self.vdk("deploy", "-p", name, "-t", "red", "-r", "test")
        self.vdk("execute", "--start", "--wait", "-n", name, "-t", "red", code=code)

    def test_sql_to_sql_with_a_check_of_its_rows(self):
        self.create("--plugin", "sql-to-sql", "--hook", "row-count-check", "--set", f"DATABASE={self.dir}/out.db",
                    "--set", "TABLE=daily", "--set", "LOAD_METHOD=APPEND", "--set", "row-count-check.MAX_ROWS=2")
        self.life("my-job")
        self.assertEqual(self.rows("select count(*), count(distinct day) from daily"), [(2, 1)])
        failed = self.vdk("run", "my-job", code=1)
        self.assertIn("daily has 3 rows, more than 2", failed.err)
        (self.dir / "my-job" / "assets" / "query.sql").write_text("select 1; drop table daily")
        self.vdk("run", "my-job", code=1)
        self.assertEqual(self.rows("select count(*) from daily"), [(3,)])

    def test_http_to_table(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}"
        env = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        common = ("--plugin", "http-to-table", "--set", f"DATABASE={self.dir}/out.db")
        self.create(*common, "--set", f"URL={url}/x?day={{{{ .DSTART | Date }}}}", "--set", "RECORDS=data.items", "--set",
                    "TABLE=t", name="json-job")
        self.vdk("run", "json-job", env=env)
        self.assertEqual(self.rows("select * from t"), [("1", "x"), (None, '{"z": 1}')])
        self.create(*common, "--set", f"URL={url}/csv", "--set", "FORMAT=csv", "--set", "TABLE=t", name="csv-job")
        self.vdk("run", "csv-job", env=env)
        self.assertEqual(self.rows("select a, b from t"), [("1", "x"), (None, '{"z": 1}'), ("1", "x, y"), ("2", "")])
        self.create(*common, "--set", f"URL={url}/closed", "--set", "AUTH=bearer", "--set", "RECORDS=data.items", "--set",
                    "TABLE=u", name="auth-job")
        self.secret("TOKEN", "wrong", name="auth-job")
        self.assertIn("401", self.vdk("run", "auth-job", env=env, code=1).err)
        self.vdk("secrets", "-n", "auth-job", "-t", "red", "--set-stdin", "TOKEN", stdin="t0ken")
        self.vdk("run", "auth-job", env=env)
        self.assertEqual(self.rows("select count(*) from u"), [(2,)])

    def test_run_command_leaves_the_templates_of_other_tools_alone(self):
        self.create("--plugin", "run-command", "--set", "COMMAND=cat model.sql; echo {{ .DSTART | Date }}; exit 3")
        (self.dir / "my-job" / "assets").mkdir()
        (self.dir / "my-job" / "assets" / "model.sql").write_text("select * from {{ ref('orders') }}\n")
        result = self.vdk("run", "my-job", code=3)
        self.assertRegex(result.out, r"^select \* from \{\{ ref\('orders'\) \}\}\n\d{4}-\d\d-\d\d\n$")

    def test_on_postgresql_the_password_comes_from_the_secret_and_is_seen_nowhere(self):
        server = postgres.running(self.addCleanup)
        database = server.create_database().rsplit("/", 1)[1]
        self.create("--plugin", "sql-to-sql", "--hook", "row-count-check", "--set", "ENGINE=postgresql", "--set",
                    "PGHOST=127.0.0.1", "--set", f"PGPORT={server.port}", "--set", f"PGDATABASE={database}", "--set",
                    f"PGUSER={server.USER}", "--set", "TABLE=public.daily", "--set", "LOAD_METHOD=APPEND")
        self.secret("PGPASSWORD", server.password)
        for _ in range(2):
            result = self.vdk("run", "my-job")
        self.assertIn("public.daily has 2 rows: right", result.out)
        self.assertNotIn(server.password, result.out + result.err)
        (self.dir / "my-job" / "assets" / "query.sql").write_text("select nonsense")
        self.vdk("run", "my-job", code=3)

    def test_the_plugins_that_ship_are_right(self):
        for file in sorted((harness.ROOT / "plugins" / "yaml").glob("*.yaml")):
            result = self.run_vdk("create", "-n", "any-job", "--plugin", file, "--dry-run", "--no-input")
            self.assertNotIn("mistake", result.err, file)


if __name__ == "__main__":
    unittest.main()
