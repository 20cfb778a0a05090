# SPDX-License-Identifier: Apache-2.0
"""Every kind of value on its way into SQLite, a file and a server: stored as the tables say, or an error with its place."""
import http.server
import json
import math
import sqlite3
import threading
import unittest
from decimal import Decimal

from harness import VdkTest

HEAD = """
import datetime, decimal, math, uuid
from decimal import Decimal
inf = float("inf")
"""

# What a step sends, what SQLite gives back, what JSON gives back.
GOOD = [
    ("None", None, None),
    ("True", 1, True),
    ("False", 0, False),
    ("0", 0, 0),
    ("-2**63", -2**63, -2**63),
    ("2**63 - 1", 2**63 - 1, 2**63 - 1),
    ("0.1", 0.1, 0.1),
    ("5e-324", 5e-324, 5e-324),
    ("1.7976931348623157e308", 1.7976931348623157e308, 1.7976931348623157e308),
    ("float('nan')", None, None),
    ("Decimal('0.10')", 0.1, 0.1),
    ("Decimal('-12345.678')", -12345.678, -12345.678),
    ("Decimal('9007199254740993')", "9007199254740993", 9007199254740993),
    ("Decimal('0.12345678901234567890123')", "0.12345678901234567890123", Decimal("0.12345678901234567890123")),
    ("Decimal('1e-400')", "1E-400", Decimal("1e-400")),
    ("Decimal('NaN')", None, None),
    ("Decimal('sNaN')", None, None),
    ("''", "", ""),
    ("'é\\U0001F600'", "é\U0001F600", "é\U0001F600"),
    ("'a\\0b'", "a\0b", "a\0b"),
    ("'it\\'s \"quoted\"; \\n\\\\'", "it's \"quoted\"; \n\\", "it's \"quoted\"; \n\\"),
    ("'x' * 1000000", "x" * 1000000, "x" * 1000000),
    ("b''", b"", ""),
    ("b'\\x00\\xff'", b"\x00\xff", "00ff"),
    ("bytearray(b'ab')", b"ab", "6162"),
    ("datetime.date(2024, 1, 31)", "2024-01-31", "2024-01-31"),
    ("datetime.datetime(2024, 1, 31, 23, 59, 58, 7)", "2024-01-31T23:59:58.000007", "2024-01-31T23:59:58.000007"),
    ("datetime.datetime(2024, 1, 31, tzinfo=datetime.timezone.utc)", "2024-01-31T00:00:00+00:00",
     "2024-01-31T00:00:00+00:00"),
    ("datetime.time(1, 2)", "01:02:00", "01:02:00"),
    ("uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    ("[1, [None, 'é'], {}]", '[1,[null,"é"],{}]', [1, [None, "é"], {}]),
    ("{'a': {'b': [True, 0.5]}}", '{"a":{"b":[true,0.5]}}', {"a": {"b": [True, 0.5]}}),
    ("{'a': b'\\xff', 'b': datetime.date(2024, 1, 31), 'c': Decimal('1.5')}", '{"a":"ff","b":"2024-01-31","c":1.5}',
     {"a": "ff", "b": "2024-01-31", "c": 1.5}),
    ("[float('nan')]", "[null]", [None]),
    ("[Decimal('0.12345678901234567890123'), float('nan')]", "[0.12345678901234567890123,null]",
     [Decimal("0.12345678901234567890123"), None]),
    ("(1, 2)", "[1,2]", [1, 2]),
    ("{'$vdk:numeric': '1-2'}", '{"$vdk:numeric":"1-2"}', {"$vdk:numeric": "1-2"}),
    ("{'$vdk:bytes': 'xyz'}", '{"$vdk:bytes":"xyz"}', {"$vdk:bytes": "xyz"}),
]

# What SQLite refuses, or a server and a file, or all of them; and a word of the reason.
BAD = [
    ("2**64", "all", "64 bits"),
    ("-2**63 - 1", "all", "64 bits"),
    ("[{'a': 2**70}]", "all", "64 bits"),
    ("2**63", "sqlite", "64 bits"),
    ("'\\ud800'", "all", "Unicode"),
    ("['a', {'\\udfff': 1}]", "all", "Unicode"),
    ("inf", "json", "infinite"),
    ("Decimal('-Infinity')", "json", "infinite"),
    ("[1, -inf]", "all", "infinite"),
    ("Decimal('1e400')", "all", "beyond 1.8e308"),
    ("{1, 2}", "all", "type set"),
    ("object()", "all", "type object"),
    ("1j", "all", "type complex"),
    ("datetime.timedelta(1)", "all", "type timedelta"),
    ("{(1, 2): 3}", "all", "keys must be"),
]

FRAME = """
class Frame:  # what is asked of a DataFrame
    def __init__(self, columns, rows):
        self.columns, self._rows = columns, rows
    def itertuples(self, index=True, name="Pandas"):
        assert index is False and name is None
        return iter(self._rows)

class Scalar:  # a number of numpy
    dtype = "int64"
    def __init__(self, value):
        self.value = value
    def item(self):
        return self.value

class Missing:  # pandas.NA
    def __ne__(self, other):
        return self
    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

class Array:  # numpy.ndarray
    dtype, ndim = "int64", 1
    def tolist(self):
        return [1, 2]
    def item(self):
        raise ValueError("more than one")
    def __ne__(self, other):
        return Missing()
"""


def parse(text):
    """JSON whose fractions are floats where those say the same, else Decimals."""
    def number(digits):
        return float(digits) if Decimal(repr(float(digits))) == Decimal(digits) else Decimal(digits)
    return json.loads(text, parse_float=number)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.rows += parse(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class IngestValues(VdkTest):
    def serve_rows(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        server.rows = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, f"http://127.0.0.1:{server.server_port}/"

    def send(self, body, code=0, name="values"):
        job = self.job(name, {"10.py": HEAD + body})
        return self.vdk("run", job, code=code, env={"VDK_SQLITE_FILE": f"{self.dir}/data.db"})

    def rows(self, sql):
        connection = sqlite3.connect(self.dir / "data.db")
        self.addCleanup(connection.close)
        return connection.execute(sql).fetchall()

    def test_every_good_value_comes_back_from_every_method_sent_as_a_row_or_as_an_object(self):
        server, address = self.serve_rows()
        file = self.dir / "out.json"
        values = ", ".join(text for text, _, _ in GOOD)
        self.send(f"""
def run(job_input):
    values = [{values}]
    for method, target in (("sqlite", None), ("file", {str(file)!r}), ("http", {address!r})):
        for n, value in enumerate(values):  # a table each: SQLite converts to the type of a column
            job_input.send_tabular_data_for_ingestion([[n, value]], ["n", "v"], f"t{{n}}", method, target)
            job_input.send_object_for_ingestion({{"n": n, "v": value}}, f"t{{n}}", method, target)
""")
        lines = [parse(line) for line in file.read_text().splitlines()]
        for n, (text, in_sqlite, in_json) in enumerate(GOOD):
            with self.subTest(text):
                self.assertEqual(self.rows(f"select n, v, typeof(v) from t{n}"),
                                 [(n, in_sqlite, self.type_of(in_sqlite))] * 2)
                self.assertEqual([row["v"] for row in lines if row["n"] == n], [in_json] * 2)
                self.assertEqual([row["v"] for row in server.rows if row["n"] == n], [in_json] * 2)
        self.assertEqual(len(lines), 2 * len(GOOD))

    @staticmethod
    def type_of(value):
        return {int: "integer", float: "real", str: "text", bytes: "blob", type(None): "null"}[type(value)]

    def test_every_bad_value_is_the_users_error_that_names_row_and_column(self):
        server, address = self.serve_rows()
        targets = {"sqlite": None, "file": f"{self.dir}/bad.json", "http": address}
        cases = [(text, method, why) for text, where, why in BAD for method in targets
                 if where == "all" or (where == "sqlite") == (method == "sqlite")]
        for number, (text, method, why) in enumerate(cases):
            with self.subTest(text, method=method):
                result = self.send(f"""
def run(job_input):
    good = [[i, "x"] for i in range(150)]
    job_input.send_tabular_data_for_ingestion(good + [[150, {text}]], ["n", "the value"], "t", {method!r}, {targets[method]!r})
""", code=1, name=f"bad-{number}")
                self.assertIn(why, result.err)
                self.assertIn("'the value' of row 151 ", result.err)
                self.assertNotIn("Platform", result.err)
        self.assertEqual(len(server.rows) % 100, 0)  # whole batches or nothing

    def test_no_column_of_sqlite_drops_digits_silently(self):
        self.send("""
def run(job_input):
    for kind in ("integer", "real", "numeric", "text", "blob"):
        job_input.execute_query(f"create table {kind}_ (v {kind})")
    send = job_input.send_tabular_data_for_ingestion
    send([[Decimal("9007199254740993")], [2**53 + 1], [Decimal("0.5")]], ["v"], "integer_")
    send([[Decimal("9007199254740993")], [2**53 + 1], [0.1 + 0.2]], ["v"], "numeric_")
    send([[2**53], [2**53 + 2], [-2**63], [0.1 + 0.2]], ["V"], "real_")
    send([[Decimal("0.10000000000000000001")], [0.1 + 0.2], [1.0], [2**53 + 1]], ["v"], "text_")
    send([[Decimal("0.10000000000000000001")], [0.1 + 0.2]], ["v"], "blob_")
    send([[Decimal("0.10000000000000000001")], [0.1 + 0.2], [0.25]], ["v"], "made")
""")
        for table, values in {"integer_": [2**53 + 1, 2**53 + 1, 0.5], "numeric_": [2**53 + 1, 2**53 + 1, 0.1 + 0.2],
                              "real_": [2.0**53, 2.0**53 + 2, -2.0**63, 0.1 + 0.2],
                              "text_": ["0.10000000000000000001", "0.30000000000000004", "1.0", "9007199254740993"],
                              "blob_": ["0.10000000000000000001", 0.1 + 0.2],
                              "made": ["0.10000000000000000001", "0.30000000000000004", "0.25"]}.items():
            with self.subTest(table):
                self.assertEqual([v for v, in self.rows(f"select v from {table}")], values)
        for number, (value, kind) in enumerate([("Decimal('0.10000000000000000001')", "real"), ("2**53 + 1", "double"),
                                                ("Decimal('9007199254740993.5')", "int"), ("Decimal(2**53 + 1)", "real"),
                                                ("2**63 - 1", "float"), ("Decimal('1.00000000000000000001')", "decimal")]):
            with self.subTest(value, column=kind):
                result = self.send(f"""
def run(job_input):
    job_input.execute_query("create table d{number} (v {kind})")
    job_input.send_tabular_data_for_ingestion([[1], [{value}]], ["v"], "d{number}")
""", code=1, name=f"drops-{number}")
                self.assertIn("more digits than its column of numbers can keep", result.err)
                self.assertIn("'v' of row 2 ", result.err)
                self.assertEqual(self.rows(f"select * from d{number}"), [])

    def test_an_unknown_method_is_told_before_the_rows_are_read(self):
        result = self.send("""
def rows():
    raise ZeroDivisionError("they were read")
    yield
def run(job_input):
    for send in (lambda: job_input.send_tabular_data_for_ingestion(rows(), ["v"], "t", "nowhere"),
                 lambda: job_input.send_object_for_ingestion([1], "t", "nowhere")):
        try:
            send()
        except Exception as error:
            print(type(error).__name__, error)
    send()
""", code=1)
        self.assertEqual(result.out.count("VdkConfigurationError cannot ingest rows with method 'nowhere'"), 2)
        self.assertIn("known: file, http, postgres, s3, sqlite", result.err)

    def test_a_cursor_of_the_same_file_is_read_before_its_rows_are_written(self):
        self.send("""
import sqlite3
def run(job_input):
    connection = job_input.get_managed_connection()
    for n in (0, 1, 10000, 10001, 20000):
        job_input.execute_query("create table if not exists s as select '' as t, 0 as i where 0")
        connection.execute("delete from s")
        connection.execute("insert into s with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)"
                           " select 'é', i from n where i <= ?", (n, n))
        for kind in (None, sqlite3.Row):
            cursor = connection.cursor()
            cursor.row_factory = kind
            cursor.execute("select * from s order by i")
            names = [column[0] for column in cursor.description]
            job_input.send_tabular_data_for_ingestion(cursor, names, f"d{n}")
            job_input.execute_query("select 1")
            cursor.execute("select 1")  # it is still open
""")
        for n in (1, 10000, 10001, 20000):
            self.assertEqual(self.rows(f"select t, count(*), sum(i) from d{n}"), [("é", 2 * n, n * (n + 1))])

    def test_infinity_is_a_number_for_sqlite(self):
        self.send("def run(job_input):\n"
                  "    job_input.send_tabular_data_for_ingestion([[inf], [-inf], [Decimal('inf')]], ['v'], 't')\n")
        self.assertEqual([v for v, in self.rows("select v from t")], [math.inf, -math.inf, math.inf])

    def test_a_failure_of_the_table_names_the_row(self):
        result = self.send("""
def run(job_input):
    job_input.execute_query("create table t (a integer unique)")
    job_input.send_tabular_data_for_ingestion([[1], [2], [1]], ["a"], "t")
""", code=1)
        self.assertIn("UNIQUE", result.err)
        self.assertIn("row 3 ", result.err)

    def test_a_row_of_another_width_is_named(self):
        result = self.send("def run(job_input):\n"
                           "    job_input.send_tabular_data_for_ingestion([[1, 2], [1]], ['a', 'b'], 't')\n", code=1)
        self.assertIn("row 2 ", result.err)

    def test_two_thousand_columns_reach_every_method_and_one_more_is_told(self):
        server, address = self.serve_rows()
        self.send(f"""
def run(job_input):
    names = [f"c{{i}}" for i in range(2000)]
    rows = [list(range(r, r + 2000)) for r in range(30)]
    for method, target in (("sqlite", None), ("file", {str(self.dir / "wide.json")!r}), ("http", {address!r})):
        job_input.send_tabular_data_for_ingestion(rows, names, "wide", method, target)
""")
        rows = self.rows("select * from wide order by c0")
        self.assertEqual(rows, [tuple(range(r, r + 2000)) for r in range(30)])
        self.assertEqual([list(row.values())[1:] for row in server.rows], [list(row) for row in rows])
        self.assertEqual([list(json.loads(line).values()) for line in (self.dir / "wide.json").read_text().splitlines()],
                         [list(row) for row in rows])
        result = self.send("def run(job_input):\n    job_input.send_tabular_data_for_ingestion([[0] * 2001], "
                           "[f'c{i}' for i in range(2001)], 'wider')\n", code=1, name="wider")
        self.assertIn("too many columns", result.err)

    def test_a_data_frame_is_taken_by_what_it_can_do(self):
        self.send(FRAME + """
def run(job_input):
    frame = Frame(["n", "when", 3], [(Scalar(1), datetime.datetime(2024, 1, 31), Array()), (Missing(), None, float("nan"))])
    job_input.send_object_for_ingestion(frame, "a")
    job_input.send_tabular_data_for_ingestion(frame, None, "a")
    job_input.send_tabular_data_for_ingestion(frame, ["x", "y", "z"], "b")
    job_input.send_object_for_ingestion(Frame(["n"], []), "empty")
""")
        expected = [(1, "2024-01-31T00:00:00", "[1,2]"), (None, None, None)]
        self.assertEqual(self.rows('select n, "when", "3" from a'), expected * 2)
        self.assertEqual(self.rows("select x, y, z from b"), expected)


MILLION = """
FROM_CURSOR = False

def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

def run(job_input):
    import os
    n = job_input.get_arguments()["n"]
    rows = ((i, i * 0.5, "some text of this row", None) for i in range(n))
    if FROM_CURSOR:
        rows = job_input.get_managed_connection().execute(
            "with recursive n(i) as (select 0 union all select i + 1 from n where i < %d)"
            " select i, i * 0.5, 'some text of this row', null from n" % (n - 1))
    job_input.send_tabular_data_for_ingestion(rows, ["a", "b", "c", "d"], "t")
    job_input.execute_query("select 1")  # waits until all are stored
    print("PEAK", status(os.getpid()), status(os.getppid()))
"""


class Memory(VdkTest):
    def test_the_memory_of_a_million_rows_is_that_of_a_hundred_thousand(self):
        self.compare(MILLION)

    def test_so_is_that_of_a_cursor_with_a_million_rows(self):
        self.compare(MILLION.replace("FROM_CURSOR = False", "FROM_CURSOR = True"))

    def compare(self, step):
        job = self.job("many", {"10.py": step})
        peaks = []
        for n in (100_000, 1_000_000):
            file = self.dir / f"{n}.db"
            out = self.vdk("run", job, "--arguments", json.dumps({"n": n}), env={"VDK_SQLITE_FILE": str(file)}).out
            peaks.append([int(kb) for kb in out.split("PEAK")[1].split()[:2]])
            self.assertEqual(sqlite3.connect(file).execute("select count(*), sum(a) from t").fetchone(),
                             (n, n * (n - 1) // 2))
        for who, few, many in zip(("Python", "vdk"), *peaks):
            self.assertLess(many, few + 4096, f"{who}: {few} kB for 100,000 rows, {many} kB for 1,000,000")
            self.assertLess(many, 80 * 1024, who)


if __name__ == "__main__":
    unittest.main()
