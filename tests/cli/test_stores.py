# SPDX-License-Identifier: Apache-2.0
"""Where the properties and secrets of a run are kept, and which values they take."""
import json
import sqlite3
import unittest

from harness import VdkTest

COUNT = """
def run(job_input):
    p = job_input.get_all_properties()
    p["n"] = p.get("n", 0) + 1
    job_input.set_all_properties(p)
    print("N", job_input.get_property("n"))
"""


class Kinds(VdkTest):
    def run_count(self, *config, code=0, env=None, name="counter"):
        folder = self.dir / name
        if not folder.exists():
            self.job(name, {"10.py": COUNT})
        (folder / "config.ini").write_text("\n".join(["[owner]", "team = red", "[vdk]", *config]) + "\n")
        result = self.vdk("run", folder, code=code, env=env)
        return [line for line in result.out.splitlines() if line.startswith("N ")], result.err

    def test_a_file_keeps_properties_of_many_jobs_in_the_format_of_the_original(self):
        kind = ("properties_default_type = fs-properties-client", f"fs_properties_directory = {self.dir}")
        file = self.dir / "vdk_data_jobs.json"
        file.write_text(json.dumps({"red_other__": {"é": [1.50, None]}}))
        self.assertEqual(self.run_count(*kind)[0], ["N 1"])
        self.assertEqual(self.run_count(*kind)[0], ["N 2"])
        self.assertEqual(json.loads(file.read_text()), {"red_other__": {"é": [1.5, None]}, "red_counter__": {"n": 2}})

    def test_a_new_file_is_private_and_its_name_can_be_chosen(self):
        env = {"VDK_PROPERTIES_DEFAULT_TYPE": "fs-properties-client", "VDK_FS_PROPERTIES_FILENAME": "mine.json",
               "VDK_FS_PROPERTIES_DIRECTORY": str(self.dir)}
        self.run_count(env=env)
        self.assertEqual((self.dir / "mine.json").stat().st_mode & 0o777, 0o600)
        sql = self.job("sql", {"10.sql": "create table t as select '{n}' as n", "config.ini": "[owner]\nteam = red\n"})
        self.vdk("run", sql, env={**env, "VDK_SQLITE_FILE": f"{self.dir}/a.db"})
        (self.dir / "mine.json").write_text('{"red_sql__": {"n": 7}}')
        self.vdk("run", sql, env={**env, "VDK_SQLITE_FILE": f"{self.dir}/b.db"})
        self.assertEqual([sqlite3.connect(self.dir / name).execute("select n from t").fetchall() for name in ("a.db", "b.db")],
                         [[("{n}",)], [("7",)]])

    def test_a_broken_file_is_told_and_left_as_it_is(self):
        for content in ("{", "[]", '{"red_counter__": 1}'):
            (self.dir / "vdk_data_jobs.json").write_text(content)
            _, err = self.run_count("properties_default_type = fs-properties-client",
                                    f"fs_properties_directory = {self.dir}", code=1)
            self.assertIn("vdk_data_jobs.json", err)
            self.assertIn("VdkConfigurationError", err)
            self.assertEqual((self.dir / "vdk_data_jobs.json").read_text(), content)

    def test_memory_lives_as_long_as_the_run_and_says_so(self):
        for _ in range(2):
            out, err = self.run_count("properties_default_type = memory")
            self.assertEqual(out, ["N 1"])
            self.assertEqual(err.count("kept in memory only"), 1, err)

    def test_an_unknown_kind_fails_only_those_who_use_it(self):
        _, err = self.run_count("properties_default_type = nowhere", code=1)
        self.assertIn("properties_default_type is 'nowhere'", err)
        self.assertIn("fs-properties-client", err)
        job = self.job("none", {"10.py": "def run(job_input):\n    print('FINE')\n", "20.sql": "select 1",
                                "config.ini": "[vdk]\nproperties_default_type = nowhere\nsecrets_default_type = nowhere\n"})
        self.assertIn("FINE", self.vdk("run", job).out)
        (job / "10.py").write_text("def run(job_input):\n    job_input.get_secret('a')\n")
        self.assertIn("secrets_default_type is 'nowhere'", self.vdk("run", job, code=1).err)

    def test_a_preprocessor_that_no_plugin_has_is_an_error_and_nothing_is_written(self):
        _, err = self.run_count("properties_default_type = fs-properties-client", f"fs_properties_directory = {self.dir}",
                                "properties_write_preprocess_sequence = stamp", code=1)
        self.assertIn("stamp", err)
        self.assertFalse((self.dir / "vdk_data_jobs.json").exists())

    def check_service(self, *where):
        job = self.job("counter", {"10.py": COUNT, "config.ini": "[owner]\nteam = red\n"})
        self.vdk("create", "--cloud", "-n", "counter", "-t", "red", *where)
        for config in ("", "[vdk]\nproperties_default_type = default\n"):
            (job / "config.ini").write_text("[owner]\nteam = red\n" + config)
            self.vdk("run", job)
        shown = self.vdk("properties", "-n", "counter", "-t", "red", "--list", "-o", "json", *where).json()
        self.assertEqual(shown, {"n": 2})
        self.run_count("properties_default_type = memory")
        self.assertEqual(self.vdk("properties", "-n", "counter", "-t", "red", "--list", "-o", "json", *where).json(), shown)

    def test_the_default_is_the_embedded_service(self):
        self.check_service()

    def test_the_default_is_the_service_over_rest(self):
        address = self.serve()
        self.vdk("set-default", "-u", address)
        self.check_service()


class Values(VdkTest):
    def set_in_step(self, store, text, *, code):
        number = len(list(self.dir.glob("v-*")))
        job = self.job(f"v-{number}", {"10.py": f"def run(job_input):\n    v = {text}\n    job_input.set_all_{store}(v)\n"
                                                f"    got = job_input.get_all_{store}()\n    assert got == v, got\n"})
        return self.vdk("run", job, code=code).err

    def test_what_can_be_stored_comes_back(self):
        for store in ("properties", "secrets"):
            self.set_in_step(store, "{'a': 1, 'b': 0.1, 'c': 'é\\U0001F600\\0', 'd': [True, None], 'e': {'x': 2**63}, 'f': None, 'g': -10**25}",
                             code=0)

    def test_what_cannot_be_stored_is_the_users_error_that_names_the_key(self):
        cases = ["{'the-key': True}", "{'the-key': {1}}", "{'the-key': b'x'}", "{'the-key': float('nan')}",
                 "{'the-key': [float('inf')]}", "{'the-key': '\\ud800'}", "{'the-key': {'x': object()}}", "{'the-key': 10**400}",
                 "{'the key': 1}", "{'the-key': (1, 2)}", "{1: 'x'}", "['the-key']"]
        for case in cases:
            with self.subTest(case):
                err = self.set_in_step("properties", case, code=1)
                self.assertIn("UserCodeError", err)
                self.assertRegex(err, "the[- ]key|key 1|got list")

    def test_a_failure_does_not_show_a_secret(self):
        err = self.set_in_step("secrets", "{'token': ['hunter' + '2', float('nan')]}", code=1)
        self.assertIn("'token'", err)
        self.assertNotIn("hunter2", err)


if __name__ == "__main__":
    unittest.main()
