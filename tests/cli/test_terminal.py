# SPDX-License-Identifier: Apache-2.0
"""What a person and a pipe see: help, errors, prompts, colour, JSON."""
import json
import re
import subprocess
import unittest

from harness import BINARY, ROOT, VdkTest


class Terminal(VdkTest):
    def test_help_shows_an_example_first_for_every_command(self):
        top = self.vdk("--help").out
        for command in ("create", "deploy", "execute", "list", "show", "delete", "run", "server", "properties", "secrets",
                        "download-job", "download-key", "info", "set-default", "reset-default", "version", "config-help"):
            self.assertIn(command, top)
            text = self.vdk(command, "--help").out
            self.assertIn(f"vdk {command}", text)

    def test_mistyped_commands_and_options_are_corrected(self):
        result = self.vdk("depoly", code=2)
        self.assertIn("deploy", result.err)
        self.assertEqual(result.out, "")
        result = self.vdk("deploy", "--enabel", code=2)
        self.assertIn("--enable", result.err)

    def test_nothing_hangs_and_the_missing_flag_is_named(self):
        for args, flag in ((("create",), "--name"), (("delete", "-n", "some-job"), "--yes"), (("execute", "--start"), "--name"),
                           (("deploy", "--show"), "--name"), (("show",), "--name"), (("secrets", "--list"), "--name")):
            result = self.run_vdk(*args, timeout=20)
            self.assertEqual(result.code, 2, (args, result))
            self.assertIn(flag, result.err)

    def test_errors_with_json_output_are_one_object_on_stdout(self):
        result = self.vdk("show", "-n", "no-such-job", "-t", "red", "-o", "json", code=5)
        error = json.loads(result.out)["error"]
        for part in ("what", "why", "consequences", "countermeasures"):
            self.assertTrue(error[part], part)

    def test_errors_as_text_have_the_four_parts_on_stderr(self):
        result = self.vdk("show", "-n", "no-such-job", "-t", "red", code=5)
        self.assertEqual(result.out, "")
        for label in ("error: ", "why: ", "consequences: ", "countermeasures: "):
            self.assertIn("\n" + label, "\n" + result.err)

    def test_a_broken_config_ini_is_shown_with_its_line_and_a_caret(self):
        folder = self.job("some-job", {"config.ini": "[owner]\nteam = red\n[job]\nschedule_cron = 5%\n", "a.sql": "select 1"})
        result = self.vdk("deploy", "-p", folder, code=2)
        self.assertRegex(result.err, r"config\.ini:4(:\d+)?\n")
        self.assertIn("schedule_cron = 5%\n", result.err)
        self.assertRegex(result.err, r"\n +\^")

    def test_an_unknown_key_is_a_warning_with_the_nearest_known_one(self):
        folder = self.job("some-job", {"config.ini": "[owner]\nteam = red\n[job]\nschedule_corn = 5 * * * *\n", "a.sql": "select 1"})
        result = self.vdk("deploy", "-p", folder)
        self.assertRegex(result.err, r"warning: .*schedule_corn.*schedule_cron")

    def test_no_colour_and_no_control_characters_in_a_pipe(self):
        for args in (("--help",), ("list", "-a"), ("config-help",), ("show", "-n", "no-such-job", "-t", "x")):
            result = self.run_vdk(*args)
            self.assertNotIn("\x1b", result.out + result.err)

    def test_no_color_is_honoured_on_a_terminal(self):
        _, screen = self.on_terminal("--help", env={"NO_COLOR": "1"})
        self.assertNotIn("\x1b[", screen)

    def test_create_prompts_on_a_terminal(self):
        code, screen = self.on_terminal("create", "--local", answers=[("Job Name", "asked-job"), ("Job Team", "red"), ("Path", str(self.dir))])
        self.assertEqual(code, 0, screen)
        self.assertTrue((self.dir / "asked-job" / "config.ini").exists())

    def test_a_closed_reader_is_no_error_message(self):
        done = subprocess.run(f"'{BINARY}' config-help | head -n 1", shell=True, capture_output=True, text=True, env=self.env())
        self.assertNotIn("error", done.stderr)

    def test_settings_say_truly_whether_they_have_an_effect(self):
        files = [path for folder in ("libvdk", "cli", "plugins/job-sdk") for path in (ROOT / folder).rglob("*")
                 if path.suffix in (".cpp", ".hpp", ".py") and path.name != "setting_table.cpp"]
        source = "\n".join(path.read_text() for path in files)
        for setting in self.vdk("config-help", "-o", "json").json():
            name = setting["name"]
            with self.subTest(name):
                if "without effect" in setting["help"]:
                    self.assertIsNone(re.search(rf"(get\w*|setting|flag|explain|sequence)\(\s*[\"']{name}[\"']", source))
                else:
                    self.assertTrue(f'"{name}"' in source or f"VDK_{name.upper()}" in source or name.startswith("postgres_"))

    def test_config_explain_names_origin_and_what_it_hides(self):
        folder = self.job("some-job", {"config.ini": "[vdk]\ndb_default_type = SQLITE\n"})
        result = self.vdk("config", "explain", "db_default_type", "-o", "json", cwd=folder, env={"VDK_DB_DEFAULT_TYPE": "other"})
        self.assertIn("VDK_DB_DEFAULT_TYPE", result.out)
        text = self.vdk("config", "explain", "db_default_type", env={"VDK_DB_DEFAULT_TYPE": "other"}).out
        self.assertIn("other", text)

    def test_defaults_are_set_used_and_reset(self):
        self.vdk("set-default", "-t", "blue")
        file = self.home / ".vdk.internal" / "vdk-configuration.ini"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertIn("team-name", file.read_text())
        self.assertEqual(self.vdk("list", "-o", "json").json(), [])
        self.vdk("reset-default", "-t")
        self.assertNotIn("blue", file.read_text())

    def test_version_is_quick_to_say(self):
        self.assertRegex(self.vdk("--version").out, r"\d+\.\d+\.\d+")
        self.assertIn("Version: ", self.vdk("version").out)

    def test_schedule_preview_lists_times_in_utc(self):
        lines = self.vdk("schedule", "preview", "0 12 29 2 *", "-n", "2").out
        self.assertEqual(lines.count("-02-29"), 2, lines)
        self.vdk("schedule", "preview", "0 25 * * *", code=2)

    def test_completion_offers_commands_options_and_job_names(self):
        folder = self.job("some-job", {"config.ini": "[owner]\nteam = red\n", "a.sql": "select 1"})
        self.vdk("deploy", "-p", folder)
        self.assertIn("deploy", self.vdk("__complete", "--", "de").out.split())
        self.assertIn("--enable", self.vdk("__complete", "--", "deploy", "--en").out)
        self.assertIn("some-job", self.vdk("__complete", "--", "show", "-n", "").out)

    def test_completion_scripts_load_in_their_shells(self):
        for shell, command in (("bash", ["bash", "-c", f"source {ROOT}/completions/vdk.bash && complete -p vdk"]),
                               ("zsh", ["zsh", "-fc", f"autoload -U compinit; compinit -u -D; source {ROOT}/completions/_vdk; echo ok"]),
                               ("fish", ["fish", "--no-config", "-c", f"source {ROOT}/completions/vdk.fish; echo ok"])):
            with self.subTest(shell):
                try:
                    done = subprocess.run(command, capture_output=True, text=True, env=self.env(), timeout=30)
                except FileNotFoundError:
                    self.skipTest(f"{shell} is not installed")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_man_pages_render_without_complaint(self):
        for page in sorted((ROOT / "man").glob("*.1")):
            done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True,
                                  env={**self.env(), "MANPAGER": "cat", "MANWIDTH": "80"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)


if __name__ == "__main__":
    unittest.main()
