# SPDX-License-Identifier: Apache-2.0
"""Notebooks as jobs: cells as steps, in the real binary with a real interpreter."""
import json
import os
import sqlite3
import unittest

from harness import VdkTest


def cell(source, tags=("vdk",), **more):
    return {"cell_type": "code", "execution_count": None, "metadata": {"tags": list(tags)}, "outputs": [], "source": source,
            **more}


def notebook(*cells, version=None, kernel="python3"):
    cells = [item if isinstance(item, dict) else cell(item, id=f"c-{i + 1}") for i, item in enumerate(cells)]
    language = {"name": "python", **({"version": version} if version else {})}
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5,
                       "metadata": {"kernelspec": {"name": kernel, "language": "python"}, "language_info": language}})


class Notebooks(VdkTest):
    def database(self):
        return self.dir / "data.db"

    def run_job(self, files, *args, code=0, env=None):
        folder = self.job(f"job-{len(list(self.dir.glob('job-*')))}", files)
        return self.vdk("run", folder, *args, code=code, env={"VDK_SQLITE_FILE": str(self.database()), **(env or {})})

    def query(self, sql):
        with sqlite3.connect(self.database()) as connection:
            return connection.execute(sql).fetchall()

    def summary(self, files, *args, **kwargs):
        path = self.dir / "summary.json"
        env = {"JOB_RUN_SUMMARY_FILE_PATH": str(path), **kwargs.pop("env", {})}
        result = self.run_job(files, *args, env=env, **kwargs)
        return json.loads(path.read_text()), result

    def test_cells_run_in_order_between_files_and_share_their_names(self):
        cells = [f"order = {'order + ' if i else ''}[{i}]" for i in range(12)] + ["print('ORDER', order)"]
        summary, result = self.summary({"10_a.sql": "create table t(x);", "20_n.ipynb": notebook(*cells),
                                        "30_b.py": "def run(job_input):\n    print('order' in globals())\n"})
        self.assertIn(f"ORDER {list(range(12))}", result.out)
        self.assertIn("False", result.out)
        self.assertEqual([step["name"] for step in summary["steps"]],
                         ["10_a.sql", *(f"20_n_{i}" for i in range(1, 14)), "30_b.py"])

    def test_two_notebooks_do_not_share_names(self):
        result = self.run_job({"a.ipynb": notebook("x = 1"), "b.ipynb": notebook("print('x' in globals(), __name__)")})
        self.assertIn("False notebook", result.out)

    def test_sql_cells_take_several_statements_databases_and_values(self):
        self.run_job({"n.ipynb": notebook("%%vdksql\ncreate table t(x);\ninsert into t values ('{word}');",
                                          "%%vdksql\n[sqlite]\ninsert into t values (2)",
                                          "assert job_input.execute_query('select count(*) from t') == [(2,)]")},
                     "--arguments", '{"word": "w"}')
        self.assertEqual(self.query("select x from t order by 1"), [(2,), ("w",)])

    def test_a_failing_python_cell_is_named_with_its_line(self):
        summary, result = self.summary({"n.ipynb": notebook("def f():\n    raise KeyError", "x = 1\n\nf()")}, code=1)
        self.assertEqual(summary["blamee"], "User Error")
        self.assertIn("n.ipynb, cell 2 (cell_id:c-2), line 3 (f())", summary["details"])
        self.assertIn("raise KeyError", result.err)

    def test_a_failing_sql_cell_is_named_with_its_line(self):
        summary, result = self.summary({"n.ipynb": notebook("%%vdksql\nselect 1;\nselec 2")}, code=1)
        self.assertIn("cell_id:c-1", summary["details"])
        self.assertIn("cell 1 (cell_id:c-1):3", result.err)
        self.assertIn("selec 2", result.err)
        self.run_job({"n.ipynb": notebook("%%vdksql\n")}, code=1)

    def test_an_error_is_told_with_the_errors_that_led_to_it_and_whatever_its_text_is(self):
        _, result = self.summary({"n.ipynb": notebook("try:\n    {}['deep']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e")},
                                 code=1)
        self.assertIn("{}['deep']", result.err)
        self.assertIn("direct cause", result.err)
        self.assertIn("line 4 (raise RuntimeError", result.err)
        summary, _ = self.summary({"n.ipynb": notebook("raise ValueError('half \\ud83d')")}, code=1)
        self.assertIn("half \\ud83d", summary["details"])
        summary, _ = self.summary({"n.ipynb": notebook("class E(Exception):\n    def __str__(self):\n        raise KeyError\nraise E()")}, code=1)
        self.assertIn("line 4 (raise E())", summary["details"])

    def test_a_syntax_error_is_named_with_its_line(self):
        summary, _ = self.summary({"n.ipynb": notebook("x = 1\ny = (")}, code=1)
        self.assertIn("line 2 (y = ()", summary["details"])
        self.assertEqual(summary["steps"][0]["name"], "n_1")

    def test_the_marks_below_a_line_are_where_python_puts_them(self):
        result = self.run_job({"10.ipynb": notebook("x = int('a')")}, code=1)
        self.assertIn("\n    x = int('a')\n        ^^^^^^^^\n", result.err)

    def test_skipping_ends_the_job_well(self):
        summary, result = self.summary({"n.ipynb": notebook("job_input.skip_remaining_steps()", "print('NEVER')"),
                                        "z.sql": "create table never(x)"})
        self.assertEqual([step["status"] for step in summary["steps"]], ["skip_requested"])
        self.assertNotIn("NEVER", result.out)

    def test_a_caught_query_error_does_not_taint_the_run(self):
        path = self.dir / "termination"
        self.run_job({"n.ipynb": notebook("try:\n    job_input.execute_query('selec')\nexcept Exception: pass")},
                     env={"VDK_TERMINATION_MESSAGE_WRITER_OUTPUT_FILE": str(path)})
        self.assertEqual(json.loads(path.read_text())["status"], "Success")

    def test_classes_of_cells_can_be_pickled_and_be_dataclasses(self):
        self.run_job({"n.ipynb": notebook(
            "from __future__ import annotations\nimport dataclasses, pickle\n",
            "@dataclasses.dataclass\nclass P:\n    x: Later = 1\n", "assert pickle.loads(pickle.dumps(P(3))) == P(3)\nP(1)")})

    def test_what_ipython_adds_is_done(self):
        result = self.run_job({"n.ipynb": notebook(
            "%matplotlib inline\n%load_ext vdk.plugin.ipython\n%reload_VDK\njob_input = VDK.get_initialized_job_input()",
            "%env COLOUR=dark blue\nimport os\nassert os.environ['COLOUR'] == 'dark blue'",
            "word = 'hello'\nlines = !echo {word} $word; echo two\nassert lines == ['hello hello', 'two'], lines",
            "if True:\n    !echo shell says $word\n",
            "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7\nassert await f() == 7",
            "async with asyncio.Lock():\n    pass\ndisplay('shown')\n42",
            "%%time\nx = 9", "assert x == 9\n%time y = 3\nassert y == 3\nx?", "%%bash\necho from bash",
            "text = '''\n%not a magic\n!nor this\n'''\nz = (5\n % 3)\nassert z == 2 and '%not' in text",
            "%run helpers/names.py\nassert NAME == 'n'\nfalse = !false\nassert _exit_code == 1"),
            "helpers/names.py": "NAME = 'n'\n"})
        for line in ("shell says hello", "from bash", "shown"):
            self.assertIn(line, result.out)
        self.assertNotIn("42", result.out)

    def test_values_get_into_commands_as_in_ipython(self):
        result = self.run_job({"n.ipynb": notebook(
            "def f(name):\n    !echo local {name} $name\nf('bob')", "d = {'k': 7}\n!echo key {d['k']:03d} {d!r} '$d' $$HOME {{x}}",
            "!echo one two | awk '{print $2}'", "!echo unknown {no_such_name} $NO_SUCH_NAME.", "!echo first \\\n  second",
            "x = !printf 'a\\nb'\nassert (x.n, x.s, x.l) == ('a\\nb', 'a b', ['a', 'b'])\ny = %sx echo c\nassert y == ['c']")})
        self.assertEqual(result.out.splitlines(), ["local bob bob", f"key 007 {{k: 7}} $d {self.home} {{x}}", "two", "unknown {no_such_name} .",
                                                   "first second"])

    def test_what_a_cell_captures_is_there_afterwards(self):
        result = self.run_job({"n.ipynb": notebook("%%capture cap\nprint('hidden')\n!echo shell", "assert cap.stdout == 'hidden\\nshell\\n'",
                                                   "%%bash --out text\necho from bash", "assert text == 'from bash\\n', text",
                                                   "%%bash -s \"$text\" {1 + 1}\necho \"$1-$2-$3\"",
                                                   "    indented = 1\n    print('deep')\n", "%run tools/x.py a 'b c'\nassert Z == ['a', 'b c']"),
                               "tools/x.py": "import sys\nZ = sys.argv[1:]\n"})
        self.assertEqual(result.out, "from bash\n-2-\ndeep\n")

    def test_tasks_of_one_cell_are_awaited_in_another(self):
        result = self.run_job({"n.ipynb": notebook(
            "import asyncio\nasync def work():\n    await asyncio.sleep(0)\n    return 5\ntask = asyncio.create_task(work())",
            "print('GOT', await task, asyncio.iscoroutinefunction(work))", "print(await asyncio.gather(work(), work()))",
            "print(asyncio.run(work()))")})
        self.assertEqual(result.out, "GOT 5 True\n[5, 5]\n5\n")

    def test_what_ipython_alone_gives_is_explained(self):
        for source, word in (("x = get_ipython()", "a run has no IPython"), ("print(_)", "give it a name"), ("ls", "write !ls"),
                             ("from IPython.display import HTML", "requirements.txt"), ("pip install something", "lacks the `%`"),
                             ("# first\n%%vdksql\nselect 1", "first line of the cell"), ("str.jo*?\n?str\nx", "line 3")):
            summary, _ = self.summary({"n.ipynb": notebook(source)}, code=1, env={"VDK_PYTHON": "/usr/bin/python3"})
            self.assertIn(word, summary["details"], source)

    def test_notebooks_of_other_tools_are_read(self):
        plain = json.loads(notebook("print('one')", "print('two')"))
        for change in ({"nbformat_minor": 0}, {"metadata": None}, {"nbformat_minor": 5, "extra": [1]}):
            self.assertEqual(self.run_job({"n.ipynb": json.dumps({**plain, **change})}).out, "one\ntwo\n")
        self.assertEqual(self.run_job({"n.ipynb": "\ufeff" + json.dumps(plain, indent=1).replace("\n", "\r\n")}).out, "one\ntwo\n")
        cells = [cell("print('tag is text')", tags=[], id="x"), cell("print(1)\r\nprint(2)\r\n", id="x"), cell(["%%vdksql\r\n", "select 1"], id="x")]
        cells[0]["metadata"]["tags"] = "vdk"
        self.assertEqual(self.run_job({"n.ipynb": json.dumps({**plain, "cells": cells})}).out, "tag is text\n1\n2\n")

    @unittest.skipUnless(os.path.exists("/usr/bin/pypy3"), "PyPy is not installed")
    def test_cells_run_in_pypy(self):
        flow = '%%vdkingest\nsources.s1 = {name = "auto-generated-data"}\n[destinations]\nd1 = {method = \'sqlite\'}\n' \
               '[[flows]]  # one\nfrom = "s1"\nto = "d1"\n'
        result = self.run_job({"n.ipynb": notebook("%env A=1\nimport sys\nprint(sys.implementation.name)",
                                                   "async def f():\n    return 7\nassert await f() == 7\n!echo shell", flow)},
                              env={"VDK_PYTHON": "/usr/bin/pypy3"})
        self.assertIn("pypy", result.out)
        self.assertEqual(len(self.query("select * from stream_0")), 2)
        self.run_job({"n.ipynb": notebook(flow.replace("[[flows]]", "[[flows"))}, code=1, env={"VDK_PYTHON": "/usr/bin/pypy3"})

    def test_what_only_ipython_can_do_is_refused_with_its_place(self):
        for source, line, word in (("x = 1\n%cd /tmp", 2, "os.chdir"), ("%pip install no-such-package-here", 1, "requirements"),
                                   ("%%mispelled\nDROP TABLE x", 1, "take the tag"), ("%%vdksqll\nselect 1", 1, "vdksql"),
                                   ("y = %lprun f()", 1, "IPython only"), ("%%bash\nexit 3", 1, "exit code 3"),
                                   ("%%bash -e\nfalse\ntrue", 1, "exit code 1"), ("%%bash --bg\ntrue", 1, "in the foreground"),
                                   ("%pip install -r requirements.txt", 1, "no requirements.txt")):
            summary, _ = self.summary({"n.ipynb": notebook("a = 1", source)}, code=1)
            self.assertIn("n.ipynb, cell 2 (cell_id:c-2)", summary["details"])
            self.assertIn(f"line {line}", summary["details"])
            self.assertIn(word, summary["details"])

    def test_packages_that_are_there_may_be_asked_for(self):
        self.run_job({"n.ipynb": notebook("%pip install -q pip\nx = 1\n%pip install -r requirements.txt\n%pip list"),
                      "requirements.txt": "# these\npip >= 1  # any\n"}, env={"VDK_PYTHON": "/usr/bin/python3"})

    def test_ingestion_cells_send_what_their_flows_name(self):
        flow = '%%vdkingest\n[sources]\ns1 = {name = "auto-generated-data", config = {num_records = 3}}\n' \
               '[destinations.d1]\nmethod = "sqlite"\n[[flows]]\nfrom = "s1"\nto = "d1"\n'
        summary, _ = self.summary({"n.ipynb": notebook(flow)})
        self.assertEqual(self.query("select id, name, stream from stream_0 order by 1")[2], (3, "Stream_0_Name_2", 0))
        for broken, what in ((flow.replace('"s1"', '"s2"'), "'s2'"), (flow.replace("[[flows]]", "[[flows"), "line 6"),
                             (flow.replace("auto-", "magic-"), "vdk-data-sources")):
            summary, _ = self.summary({"n.ipynb": notebook(broken)}, code=1)
            self.assertIn("cell_id:c-1", summary["details"])
            self.assertIn(what, summary["details"])

    def test_a_notebook_that_cannot_be_read_is_the_users_failure(self):
        path = self.dir / "termination"
        result = self.run_job({"n.ipynb": '{"cells": [\n}', "a.sql": "create table never(x)"}, code=1,
                              env={"VDK_TERMINATION_MESSAGE_WRITER_OUTPUT_FILE": str(path)})
        self.assertIn("n.ipynb:2", result.err)
        self.assertEqual(json.loads(path.read_text())["status"], "User error")
        self.assertFalse(self.database().exists())

    def test_a_job_without_marked_cells_has_no_steps_and_says_how_to_mark_them(self):
        result = self.run_job({"n.ipynb": notebook(cell("x = 1", tags=()))}, code=1)
        self.assertIn("# vdk: step", result.err)

    def test_the_template_runs(self):
        self.vdk("create", "--local", "-n", "from-template", "-t", "red", "-p", self.dir, "--template", "notebook")
        result = self.vdk("run", self.dir / "from-template", env={"VDK_SQLITE_FILE": str(self.database())})
        self.assertIn("6", result.out)


class Interpreters(VdkTest):
    """A notebook says which Python wrote it."""

    def fake(self, folder, name, version):
        """An interpreter that says it is another version; everything else is the real one."""
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexport WHICH={name}\ncase "$2" in *version_info*) echo {version}; exit 0;; esac\n'
                        'exec /usr/bin/python3 "$@"\n')
        path.chmod(0o755)

    def run_with(self, version, **kwargs):
        folder = self.job(f"job-{len(list(self.dir.glob('job-*')))}",
                          {"n.ipynb": notebook("import os\nprint('WHICH', os.environ.get('WHICH'))", version=version)})
        for name, text in kwargs.pop("files", {}).items():
            (folder / name).write_text(text)
        return self.vdk("run", folder, **kwargs)

    def test_the_version_of_the_kernel_is_used_when_it_is_there(self):
        self.fake(self.dir / "bin", "python3.4", "3.4")
        result = self.run_with("3.4.9", env={"PATH": f"{self.dir / 'bin'}:{self.path}"})
        self.assertIn("WHICH python3.4", result.out)
        self.assertNotIn("warning", result.err.lower())

    def test_otherwise_a_warning_says_the_way_out(self):
        result = self.run_with("3.4.9")
        self.assertIn("WHICH None", result.out)
        for text in ("n.ipynb", "3.4", "python_version", "VDK_PYTHON"):
            self.assertIn(text, result.err)

    def test_config_ini_wins_and_the_difference_is_told(self):
        self.fake(self.dir / "bin", "python3.5", "3.5")
        result = self.run_with("3.4.9", env={"PATH": f"{self.dir / 'bin'}:{self.path}"},
                               files={"config.ini": "[job]\npython_version = 3.5\n"})
        self.assertIn("WHICH python3.5", result.out)
        self.assertIn("3.4", result.err)

    def test_the_interpreter_of_the_kernel_specification_is_used(self):
        self.fake(self.dir / "own", "my-python", "3.4")
        spec = self.home / ".local/share/jupyter/kernels/mine/kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps({"argv": [str(self.dir / "own/my-python"), "-m", "ipykernel"], "language": "python"}))
        folder = self.job("job-k", {"n.ipynb": notebook("import os\nprint('WHICH', os.environ['WHICH'])", kernel="mine")})
        self.assertIn("WHICH my-python", self.vdk("run", folder).out)


if __name__ == "__main__":
    unittest.main()
