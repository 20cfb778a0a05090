# SPDX-License-Identifier: Apache-2.0
"""Small jobs whose outcome is the same in the original: what they need, and what comes out of them."""
import json
import textwrap


def step(body, before=""):
    """The text of a .py step whose `run` has this body."""
    return textwrap.dedent(before) + "\n\ndef run(job_input):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def notebook(*cells):
    """A notebook whose cells are all steps."""
    return json.dumps({
        "cells": [{"cell_type": "code", "id": f"cell-{number}", "execution_count": None, "outputs": [],
                   "metadata": {"tags": ["vdk"]}, "source": cell.splitlines(keepends=True)} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4, "nbformat_minor": 5})


USER, PLATFORM, CONFIGURATION = "User Error", "Platform error", "Configuration error"

# name: (files, exit code, who is blamed, the status of each step that began); `arguments` are given to the jobs named there
JOBS = {
    "stops-early": ({"10.py": step("print('one')"), "20.py": step("job_input.skip_remaining_steps()\nprint('never')"),
                     "30.py": step("print('never')")},
                    0, None, {"10.py": "success", "20.py": "skip_requested"}),
    "forgives": ({"10.py": step("""
        try:
            job_input.execute_query("insert into cars values (1)")
        except Exception as error:
            print(isinstance(error, sqlite3.OperationalError))
            job_input.execute_query("create table cars (id)")
        job_input.execute_query("insert into cars values (1)")
        """, "import sqlite3")}, 0, None, {"10.py": "success"}),
    "bad-json": ({"10.py": step("json.loads('{1}')", "import json")}, 1, USER, {"10.py": "error"}),
    "bad-iterator": ({"10.py": step("""
        def rows():
            yield [1]
            raise FloatingPointError("of the user")
        job_input.send_tabular_data_for_ingestion(rows(), column_names=["id"], destination_table="cars")
        """)}, 1, USER, {"10.py": "error"}),
    "bad-sql": ({"10.sql": "create table cars (id)", "20.sql": "insert into nowhere values (1)", "30.sql": "drop table cars"},
                1, USER, {"10.sql": "success", "20.sql": "error"}),
    "bad-syntax": ({"10.py": "def run(job_input:\n"}, 1, USER, {"10.py": "error"}),
    "bad-signature": ({"10.py": "def run(input):\n    pass\n"}, 1, USER, {"10.py": "error"}),
    "platform-error": ({"10.py": step("raise PlatformServiceError('it', 'is', 'down', 'wait')",
                                      "from vdk.internal.core.errors import PlatformServiceError")},
                       1, PLATFORM, {"10.py": "error"}),
    "unknown-database": ({"10.py": step("job_input.execute_query('select 1', database='nowhere')")},
                         1, CONFIGURATION, {"10.py": "error"}),
    "unknown-method": ({"10.py": step("""
        job_input.send_tabular_data_for_ingestion([[1]], column_names=["id"], destination_table="cars", method="nowhere")
        """)}, 1, CONFIGURATION, {"10.py": "error"}),
    "unknown-method-first": ({"10.py": step("""
        job_input.send_tabular_data_for_ingestion((1 / 0 for _ in "a"), column_names=["id"], destination_table="cars", method="nowhere")
        """)}, 1, CONFIGURATION, {"10.py": "error"}),
    "exits": ({"10.py": step("sys.exit(3)", "import sys")}, 3, USER, {"10.py": "error"}),
    "order": ({name: step(f"print({name!r})") for name in ("9_b.py", "10_a.py", "a.py", "Z.py", "10-x.py", "_z.py")},
              0, None, {name: "success" for name in ("10-x.py", "10_a.py", "9_b.py", "Z.py", "_z.py", "a.py")}),
    "neighbours": ({"names.py": "NAME = 'cars'\n", "lib/__init__.py": "", "lib/tools.py": "def double(x):\n    return x * 2\n",
                    "10.py": step("os.environ['MARK'] = double(NAME)", "import os\nfrom lib.tools import double\nfrom names import NAME"),
                    "20.py": step("print(os.environ['MARK'], pathlib.Path(__file__).parent == job_input.get_job_directory())",
                                  "import os\nimport pathlib")},
                   0, None, {"10.py": "success", "20.py": "success", "names.py": "not_runnable"}),
    "arguments": ({"10.sql": "create table {table} as select '{unknown}' as a, '{count}' as b, '{{count}}' as c, '{ count }' as d",
                   "20.py": step("""
                       job_input.execute_query("insert into {table} (a) values ('{flag}{nothing}')")
                       print(job_input.get_arguments())
                       """)},
                  0, None, {"10.sql": "success", "20.py": "success"}),
    "sections": ({"config.ini": "[vdk_east]\nsqlite_file=\"east.db\"\n[vdk_west]\nsqlite_file=west.db\n",
                  "10.sql": "[east]\n[west]\ncreate table cars (id)", "20.sql": "[west]\ninsert into cars values (2)",
                  "30.py": step("job_input.execute_query('insert into cars values (3)', database='EAST')")},
                 0, None, {"10.sql": "success", "20.sql": "success", "30.py": "success"}),
    "statements": ({"10.sql": "-- only words; no statement\n/* none */\n",
                    "20.sql": "create table cars as select 'a;b -- c' as v, '100%' as p, ':name ?' as q, case when 1 then 'd' end as w;\n-- e\n",
                    "30.sql": "create trigger more after insert on cars begin\n  update cars set p = ';';\n  delete from cars where v = 'gone';\nend;\n",
                    "40.sql": "insert into cars (v) values ('gone'), ('kept')",
                    "50.sql": "create temp table aside as select 7 as n",
                    "60.sql": "create table kept as with t as (select n from aside) select * from t",
                    "70.sql": "pragma user_version = 4"},
                   0, None, {f"{number}.sql": "success" for number in range(10, 80, 10)}),
    "results": ({"10.py": step("""
        query = job_input.execute_query
        for text in ("create table cars (id int, name text, mark blob)", "insert into cars values (1, 'é', x'00ff'), (null, null, null)",
                     "select * from cars", "select id, id from cars where 0", "update cars set id = 3 where id = 1",
                     "select 9223372036854775807, 1e308, 0.1", "with t as (select 1) select * from t", "-- nothing"):
            print(query(text))
        """)}, 0, None, {"10.py": "success"}),
    "cursor": ({"10.py": step("""
        connection = job_input.get_managed_connection()
        cursor = connection.cursor()
        cursor.execute("create table cars (id, name)")
        cursor.executemany("insert into cars values (?, ?)", [(1, "a"), (2, "b"), (3, "c")])
        connection.commit()
        cursor.execute("insert into cars values (?, ?)", (4, "undone"))
        connection.rollback()
        cursor.execute("select * from cars order by id")
        print(cursor.fetchone(), cursor.fetchmany(1), cursor.fetchall(), [column[0] for column in cursor.description])
        cursor.execute("insert into cars values (5, 'not committed')")
        """)}, 0, None, {"10.py": "success"}),
    "sends": ({"10.sql": "create table cars (id int, name text)", "20.py": step("""
        job_input.send_tabular_data_for_ingestion(((i, str(i)) for i in range(5)), column_names=["id", "name"], destination_table="cars")
        job_input.send_object_for_ingestion({"id": 7, "name": None}, "cars", method="SQLITE", collection_id="more")
        job_input.send_tabular_data_for_ingestion([], column_names=["id"], destination_table="cars")
        """)}, 0, None, {"10.sql": "success", "20.py": "success"}),
    "makes-tables": ({"10.py": step("""
        job_input.send_object_for_ingestion({"id": 1, "name": "a", "good": True, "weight": 1.5, "hole": None}, "cars")
        """)}, 0, None, {"10.py": "success"}),
    "notebook": ({"10.sql": "create table cars (id int, name text)",
                  "20_cells.ipynb": notebook("rows = [[1, 'a']]", "%%vdksql\ninsert into cars values (2, 'b');",
                                             "# nothing to do\n", "rows.append([3, 'c'])",
                                             "job_input.send_tabular_data_for_ingestion(rows, ['id', 'name'], 'cars')\nprint(rows)"),
                  "30.py": step("print('after')")},
                 0, None, {"10.sql": "success", **{f"20_cells_{number}": "success" for number in range(1, 6)}, "30.py": "success"}),
    "notebook-fails": ({"cells.ipynb": notebook("word = 'a'", "print(word + 1)", "print('never')")},
                       1, USER, {"cells_1": "success", "cells_2": "error"}),
    "notebook-magic": ({"cells.ipynb": notebook("word = 'a'", "%%unheard\nselect 1", "print('never')")},
                       1, USER, {"cells_1": "success", "cells_2": "error"}),
}
ARGUMENTS = {"arguments": '{"table": "cars", "count": 3, "flag": true}'}

# What the original cannot do, and ours does (docs/differences.md): name, files, the original's exit code
MORE = {
    "nested": ({"10.py": step('job_input.send_object_for_ingestion({"id": 1, "more": {"a": [1]}}, "cars")')}, 1),
    "exact-values": ({"10.py": step("""
        job_input.send_object_for_ingestion({"price": Decimal("1.25"), "day": date(2020, 1, 2)}, "cars")
        """, "from datetime import date\nfrom decimal import Decimal")}, 1),
    "other-case": ({"10.sql": "create table cars (ID, Name)",
                    "20.py": step('job_input.send_object_for_ingestion({"id": 1, "NAME": "a"}, "cars")')}, 1),
    "upper-case-name": ({"10.PY": step("print('here')")}, 1),
    "own-classes": ({"10.py": step("print(Car())", 'import dataclasses\n\n\n@dataclasses.dataclass\nclass Car:\n    id: "int" = 1\n')}, 1),
    "skipping-cell": ({"cells.ipynb": notebook("job_input.skip_remaining_steps()", "1 / 0")}, 1),
}
