# SPDX-License-Identifier: Apache-2.0
"""Run, edit, `--changed` leaves what a full run of a fresh copy leaves, whatever the steps depend on."""
import os
import shutil
import sqlite3
import unittest

from harness import VdkTest
from test_rerun import notebook
from test_rerun import py

PYTHON = os.environ.get("VDK_PYTHON", "/usr/bin/python3")


def kept(value):
    """Lines of a step that keep a value in the database, however often they run."""
    return ("job_input.execute_query('create table if not exists r(v)')\njob_input.execute_query('delete from r')\n"
            f"job_input.get_managed_connection().execute('insert into r values (?)', (str({value}),))")


class Edits(VdkTest):
    def run_in(self, root, *options, env=None):
        return self.run_vdk("run", root / "job", *options, cwd=root, env={
            "VDK_SQLITE_FILE": f"{root}/data.db", "VDK_PYTHON": PYTHON, "VDK_STATE_DIR": f"{root}/state", "HOME": str(root), **(env or {})})

    def made(self, name, make):
        root = self.dir / name
        (root / "job").mkdir(parents=True)
        (root / "data").mkdir()
        make(root)
        return root

    def left(self, root):
        with sqlite3.connect(root / "data.db") as connection:
            tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table' order by 1")]
            rows = {name: sorted(connection.execute(f"select * from {name}").fetchall(), key=repr) for name in tables}
        files = {path.name: path.read_text() for path in (root / "data").glob("out*")}
        return repr((rows, files)).replace(str(root), "ROOT")

    def check(self, make, edit, env=None, later=None, settles=True):
        """`make` and `edit` get the folder in which job/ and data/ lie."""
        changed, fresh = self.made(f"changed-{self.count}", make), self.made(f"fresh-{self.count}", make)
        self.count += 1
        self.assertEqual(self.run_in(changed, env=env).code, 0)
        if settles:
            self.assertIn("Nothing to run", self.run_in(changed, "--changed", env=env).err)
        edit(changed)
        edit(fresh)
        later = env if later is None else later
        told = self.run_in(changed, "--changed", env=later)
        self.assertEqual((told.code, self.run_in(fresh, env=later).code), (0, 0), told.err)
        self.assertEqual(self.left(changed), self.left(fresh), told.err)
        if settles:
            self.assertIn("Nothing to run", self.run_in(changed, "--changed", env=later).err)

    def setUp(self):
        super().setUp()
        self.count = 0

    def check_data(self, source, name="d.txt", before="1", after="22", settles=True, **files):
        """A step of this text, of which {data} is the folder of the file that is edited."""
        def make(root):
            (root / "data" / name).write_text(before)
            for file, text in {"a.py": source, **files}.items():
                (root / "job" / file).write_text(text.replace("{data}", str(root / "data")))

        self.check(make, lambda root: (root / "data" / name).write_text(after), settles=settles)

    def check_cells(self, *cells):
        """The last cell, in which {n} is another number, runs alone behind what the ones before it have left."""
        def make(root):
            (root / "job/n.ipynb").write_text(notebook(*(cell.replace("{n}", "1") for cell in cells)))

        def edit(root):
            (root / "job/n.ipynb").write_text(notebook(*(cell.replace("{n}", "2") for cell in cells)))

        self.check(make, edit)

    def test_files_count_however_they_are_read(self):
        for source in (
            "import threading\n" + py("o = []\nt = threading.Thread(target=lambda: o.append(open('{data}/d.txt').read()))\nt.start(); t.join()\n" + kept("o")),
            "import mmap, os\n" + py("x = mmap.mmap(os.open('{data}/d.txt', os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]\n" + kept("x")),
            "import os\n" + py("d = os.open('{data}', os.O_RDONLY)\nx = os.read(os.open('d.txt', os.O_RDONLY, dir_fd=d), 9)\n" + kept("x")),
            "import os\n" + py("os.chdir('{data}')\n" + kept("open('d.txt').read()")),
            "import os\n" + py(kept("os.popen('cat {data}/d.txt').read()")),
            "import subprocess\n" + py(kept("subprocess.check_output(['cat', 'd.txt'], cwd='{data}')")),
            "import glob\n" + py(kept("[open(p).read() for p in glob.glob('{data}/**/*.txt', recursive=True)]")),
        ):
            with self.subTest(source):
                self.check_data(source)

    def test_what_a_process_of_the_step_reads_is_not_known_so_it_runs_again(self):
        forked = "r, w = os.pipe()\nif os.fork() == 0:\n    os.write(w, open('{data}/d.txt', 'rb').read()); os._exit(0)\nos.wait()\n"
        self.check_data("import os\n" + py(forked + kept("os.read(r, 9)")), settles=False)
        read = "def read(p):\n    return open(p).read()\n"
        for way in ("fork", "spawn"):
            pool = f"with mp.get_context('{way}').Pool(1) as p:\n    x = p.map(tools.read, ['{{data}}/d.txt'])\n"
            self.check_data("import multiprocessing as mp\nimport tools\n" + py(pool + kept("x")), settles=False, **{"tools.py": read})

    def test_modules_that_lie_elsewhere_count(self):
        for source in (
            "import sys\n" + py("sys.path.insert(0, '{data}')\nimport other\n" + kept("other.V")),
            "import importlib.util as u\n" + py("s = u.spec_from_file_location('m', '{data}/other.py')\nm = u.module_from_spec(s)\n"
                                                "s.loader.exec_module(m)\n" + kept("m.V")),
            "import runpy\n" + py(kept("runpy.run_path('{data}/other.py')['V']")),
        ):
            with self.subTest(source):
                self.check_data(source, "other.py", "V = 1\n", "V = 22\n")

    def test_data_of_a_package_of_the_job_count(self):
        def make(root):
            (root / "job/pack").mkdir()
            (root / "job/pack/__init__.py").write_text("")
            (root / "job/pack/q.txt").write_text("1")
            (root / "job/a.py").write_text("import pkgutil\n" + py(kept("pkgutil.get_data('pack', 'q.txt')")))

        self.check(make, lambda root: (root / "job/pack/q.txt").write_text("2"))

    def test_size_and_time_count_where_they_are_asked_for(self):
        for asked in ("os.path.getsize('{data}/d.txt')", "os.stat('{data}/d.txt').st_size", "pathlib.Path('{data}/d.txt').stat().st_size"):
            with self.subTest(asked):
                self.check_data("import os, pathlib\n" + py(kept(asked)))
        self.check_data("import os, pathlib\n" + py(kept("[os.path.exists('{data}/d.txt'), pathlib.Path('{data}/d.txt').is_file()]")))

    def test_where_a_link_leads_counts(self):
        def make(root):
            for name in "12":
                (root / "data" / name).write_text(name)
            (root / "data/link").symlink_to("1")
            (root / "job/a.py").write_text("import os\n" + py(kept(f"{read}({str(root / 'data/link')!r}){more}")))

        def edit(root):
            (root / "data/link").unlink()
            (root / "data/link").symlink_to("2")

        for read, more in (("open", ".read()"), ("os.readlink", "")):
            self.check(make, edit)

    def test_an_output_that_somebody_changed_is_made_again(self):
        def make(root):
            out = str(root / "data/out")
            (root / "job/a.py").write_text(py(f"with open({out!r}, 'w') as file:\n    file.write('1')"))
            (root / "job/b.py").write_text(py(f"with open({out!r}, 'a') as file:\n    file.write('2')"))
            (root / "job/c.py").write_text(py(kept(f"open({out!r}).read()")))

        for edit in (lambda root: (root / "data/out").write_text("by hand"), lambda root: shutil.rmtree(root / "data") or (root / "data").mkdir()):
            self.check(make, lambda root, edit=edit: edit(root) if (root / "data.db").exists() else None)

    def test_databases_that_are_attached_count(self):
        def make(root):
            with sqlite3.connect(root / "data/o.db") as connection:
                connection.executescript("create table t(x); insert into t values (1)")
            attach = f"attach '{root}/data/o.db' as o"
            (root / "job" / name).write_text(text.replace("{attach}", attach))

        def edit(root):
            with sqlite3.connect(root / "data/o.db") as connection:
                connection.execute("update t set x = 2")

        in_python = "c = job_input.get_managed_connection()\nc.cursor().execute(\"{attach}\")\nx = c.execute('select x from o.t').fetchall()\nc.execute('detach o')\n"
        for name, text in (("a.sql", "{attach}; create table if not exists r(v); delete from r; insert into r select x from o.t; detach o"),
                           ("a.py", py(in_python + kept("x")))):
            self.check(make, edit, settles="pypy" not in PYTHON or name == "a.sql")  # PyPy does not tell which file it is

    def test_the_environment_counts(self):
        for read in ("os.environ['FLAVOUR']", "sorted(v for k, v in os.environ.items() if k[:4] == 'FLAV')", "os.popen('echo $FLAVOUR').read()"):
            self.check(lambda root, read=read: (root / "job/a.py").write_text("import os\n" + py(kept(read))), lambda root: None,
                       env={"FLAVOUR": "1"}, later={"FLAVOUR": "2"})

    def test_state_of_the_process_is_carried(self):
        for before, value in (
            ("import os\nos.umask(0o027)", "oct(os.umask(0o027))"),
            ("import os, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()", "time.localtime(0).tm_hour"),
            ("import logging\nlogging.getLogger('some').setLevel(5)", "logging.getLogger('some').level"),
            ("import warnings\nwarnings.simplefilter('error')", "warnings.filters[0][0]"),
            ("import decimal\ndecimal.getcontext().prec = 5", "decimal.Decimal(1) / 3"),
            ("import random\nrandom.seed(3)", "random.random()"),
            ("import builtins\nbuiltins.marked = 5", "marked"),
            ("class C:\n    items = [1]\no = C()\nC.items.append(2)", "o.items"),
            ("def f(x, seen=[]):\n    seen.append(x)\n    return list(seen)\nf(1)", "f(2)"),
        ):
            with self.subTest(before):
                self.check_cells(before, "y = 1", kept(f"({value}, {{n}})"))

    def test_a_class_of_a_module_that_a_step_has_patched_stays_so(self):
        def make(root):
            (root / "job/m.py").write_text("class C:\n    def f(self):\n        return 1\n")
            (root / "job/a.py").write_text(py("import m\nm.C.f = lambda self: 2"))
            (root / "job/b.py").write_text(py("import m\n" + kept("(m.C().f(), 1)")))

        self.check(make, lambda root: (root / "job/b.py").write_text(py("import m\n" + kept("(m.C().f(), 2)"))))

    def test_a_step_that_replaces_functions_of_json_does_not_break_the_run(self):
        def make(root):
            (root / "job/a.py").write_text("import json\n" + py("json.dumps = json.loads = None\n" + kept("1")))

        self.check(make, lambda root: (root / "job/a.py").write_text("import json\n" + py("json.dumps = json.loads = None\n" + kept("2"))))

    def test_cells_may_be_moved_renamed_and_removed(self):
        first = [("A", "x = 1"), ("B", "x = x * 10 if 'x' in globals() else 5"), ("C", kept("x"))]
        for then in ([first[1], first[0], first[2]], [first[0], ("Z", first[1][1]), first[2]], [first[0], first[2]]):
            self.check(lambda root: (root / "job/n.ipynb").write_text(notebook(*first)),
                       lambda root, then=then: (root / "job/n.ipynb").write_text(notebook(*then)))


if __name__ == "__main__":
    unittest.main()
