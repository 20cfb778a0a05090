# SPDX-License-Identifier: Apache-2.0
"""Rows on their way to vdk, which writes them. Batches grow to about half a megabyte."""
import copy
import datetime
import json
import sys

from vdk.api import errors

_FRAME_BYTES = 512 * 1024
_MAX_ROWS = 5000
_PAGE = 10000


def _plain(value):
    """What JSON has no form for, as something that it has."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$vdk:bytes": bytes(value).hex()}
    kind = type(value).__name__
    if hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return value.tolist()  # an array of numpy
    try:
        if kind == "Decimal":
            return _number(value)
        if value != value:  # NaT and other "not a" values
            return None
    except (TypeError, ValueError):
        return None  # pandas.NA refuses to be compared
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if kind == "datetime64":
        return str(value)  # item() would be a number of nanoseconds
    if kind == "UUID":
        return str(value)
    if hasattr(value, "item") and hasattr(value, "dtype"):  # numpy scalars
        return value.item()
    raise errors.UserCodeError(
        "cannot ingest a value of type %s: only numbers, text, bytes, dates, None, lists and dictionaries can be sent"
        % kind
    )


def _float(decimal):
    """The nearest 64-bit number; None for the Decimals that are no numbers."""
    if decimal.is_nan():
        return None
    number = float(decimal)
    if number in (float("inf"), float("-inf")) and not decimal.is_infinite():
        raise errors.UserCodeError("cannot ingest a Decimal beyond 1.8e308: send it as text")
    return number


def _number(decimal):
    """A float where that is the same number, else the digits; None for the Decimals that are no numbers."""
    number = _float(decimal)
    if number is None or decimal.is_infinite() or type(decimal)(repr(number)) == decimal:
        return number
    return {"$vdk:numeric": str(decimal)}


def _finite(value):
    """NaN becomes None (SQL's NULL); infinity is marked, JSON has no word for it."""
    if hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return _finite(value.tolist())
    if isinstance(value, float) or hasattr(value, "dtype"):
        if type(value).__name__ == "datetime64":
            return _plain(value)
        if hasattr(value, "item"):
            value = value.item()
        if value != value:
            return None
        if value in (float("inf"), float("-inf")):
            return {"$vdk:float": "inf" if value > 0 else "-inf"}
        return value
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if type(value).__name__ == "Decimal":
        return _finite(_number(value))
    return value


_encode = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":"), check_circular=True).encode


def _encode_rows(rows):
    try:
        return _encode(rows)
    except ValueError as error:
        if "ircular" in str(error):
            raise errors.UserCodeError("cannot ingest a value that contains itself") from None
        return _encode(_finite(rows))
    except (TypeError, RecursionError) as error:
        raise errors.UserCodeError("cannot ingest these rows: %s" % error) from None


_INT64 = 2**63


def _typed(value):
    """A value for a method whose columns have more types than JSON."""
    kind = type(value)
    if value is None or kind is str or kind is float or kind is bool:
        return value
    if kind is int:
        return value if -_INT64 <= value < _INT64 else {"$vdk:numeric": str(value)}
    if isinstance(value, datetime.datetime):
        if value != value:
            return None  # pandas.NaT
        return {"$vdk:timestamp" if value.tzinfo is None else "$vdk:timestamptz": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$vdk:date": value.isoformat()}
    if isinstance(value, datetime.time) and value.tzinfo is None:
        return {"$vdk:time": value.isoformat()}
    if kind.__name__ == "Decimal":
        return None if value.is_nan() else {"$vdk:numeric": str(value)}
    if kind.__name__ == "UUID":
        return {"$vdk:uuid": str(value)}
    return value


def _encode_typed(rows):
    return _encode_rows([[_typed(value) for value in row] for row in rows])


def _encode_located(rows, head, first, encode=_encode_rows):
    """As `encode`; the error names row and column."""
    try:
        return encode(rows)
    except errors.UserCodeError:
        for number, row in enumerate(rows, first):
            for name, value in zip(head[4], row):
                try:
                    encode([[value]])
                except errors.UserCodeError as error:
                    raise errors.UserCodeError(
                        "%s (the value in column %r of row %d of those that this step sent to %r)"
                        % (error, name, number, head[2])
                    ) from None
        raise


class Ingester:
    """One per run; all contexts (templates too) share it."""

    def __init__(self, channel, default_method=None, methods=(), servers=(), threshold=0):
        self._channel = channel
        self._default_method = default_method
        self._methods = methods  # vdk's own
        self._typed = {"postgres", *servers}  # methods that have columns for what JSON has no word for
        self._head = None
        self._rows = []
        self._sent = {}  # rows of this step so far, by where they went
        self._limit = 100
        self._threshold = threshold  # bytes of a batch for plugins and addresses, which may not take more
        self._measured = False  # the batch that waits is one of those
        self._size = 0
        self.through = None  # ingestion methods of plugins, where there are some
        self.plugin_failure = None

    def _add(self, head, row):
        if head != self._head:
            self.flush()
            self._head = head
            self._measured = self._threshold > 0 and self._is_measured(head[0])
        if self._measured:
            size = sys.getsizeof(str(dict(zip(head[4], row))))  # as the original measures
            if self._rows and self._size + size > self._threshold:
                self.flush()
            self._size += size
        self._rows.append(row)
        if len(self._rows) >= self._limit:
            self.flush()

    def flush(self):
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        self._size = 0
        if self.through is not None and self.through.takes(self._head[0]):
            self._store(rows)
        else:
            self._send(self._head, rows)

    def _store(self, rows):
        """Through plugins. A failure belongs to the step, whether or not its code catches it."""
        self._limit = _MAX_ROWS
        if self.plugin_failure is None:
            try:
                self.through.store(self._head, rows, self._send, self._channel.drain)
            except Exception as error:
                if self.through.may_fail():
                    self.through.warn(error)
                else:
                    self.plugin_failure = error
        if self.plugin_failure is not None:
            raise self.plugin_failure

    def _send(self, head, rows):
        method, target, table, collection, columns = head
        first = self._sent.get((method, target, table), 0) + 1
        encode = _encode_typed if self._is_typed(method) else _encode_rows
        body = _encode_located(rows, head, first, encode).encode("ascii")
        self._sent[(method, target, table)] = first + len(rows) - 1
        head = json.dumps(
            {"method": method, "target": target, "table": table, "collection": collection, "columns": columns,
             "first": first}
        ).encode("ascii")
        self._limit = max(1, min(_MAX_ROWS, _FRAME_BYTES * len(rows) // len(body)))
        self._channel.send_batch(b'{"req":"ingest","head":' + head + b',"rows":' + body + b"}\n")

    def check_method(self, method):
        """An unknown method is told before the rows are looked at."""
        name = (method or self._default_method or "sqlite").lower()
        if self._methods and name not in self._methods and not (self.through is not None and self.through.has(name)):
            known = sorted(set(self._methods) | set(self.through.names() if self.through is not None else ()))
            raise errors.VdkConfigurationError(
                "cannot ingest rows with method %r" % name,
                "there is no ingestion method of that name; known: " + ", ".join(known),
                "the rows are not stored, and the step fails unless it catches the error",
                "Pass another method, or correct ingest_method_default in config.ini",
            )

    def _is_measured(self, method):
        return (method or self._default_method or "").lower() == "http" or (self.through is not None and self.through.takes(method))

    def _is_typed(self, method):
        return (method or self._default_method or "").lower() in self._typed

    @property
    def pending(self):
        """Whether rows wait here for more to come."""
        return bool(self._rows)

    def wait(self):
        self.flush()
        self._channel.drain()
        if self.plugin_failure is not None:
            raise self.plugin_failure

    def _next_row(self, head):
        waiting = len(self._rows) if head == self._head else 0
        return self._sent.get(head[:3], 0) + waiting + 1

    def discard(self):
        self._rows = []
        self._size = 0
        self._sent = {}
        self.plugin_failure = None
        self._channel.forget_errors()

    def send_object(self, payload, table, method, target, collection):
        self.check_method(method)
        with self._channel.lock:
            if hasattr(payload, "itertuples") and hasattr(payload, "columns"):
                self.send_rows(payload.itertuples(index=False, name=None), list(payload.columns), table, method,
                               target, collection)
                return
            if not isinstance(payload, dict):
                raise errors.UserCodeError(
                    "cannot ingest an object of type %s: the payload must be a dictionary or a DataFrame"
                    % type(payload).__name__
                )
            if not payload:
                raise errors.UserCodeError("cannot ingest an empty dictionary: a row needs at least one column")
            for name in payload:
                if not isinstance(name, (str, int, float)):
                    raise errors.UserCodeError("cannot ingest a dictionary with the key %r: keys must be text" % (name,))
            columns = tuple(str(name) for name in payload)
            values = list(payload.values())
            head = (method, target, table, collection, columns)
            if self.through is not None and self.through.takes(method):
                _encode_located([values], head, self._next_row(head))  # plugins, too, get what JSON can say
            if any(isinstance(v, (list, dict, bytearray)) for v in values):
                # The caller may change them before they are sent.
                if self._is_typed(method) or (self.through is not None and self.through.takes(method)):
                    values = copy.deepcopy(values)
                else:
                    values = json.loads(_encode_located([values], head, self._next_row(head)))[0]
            self._add(head, values)

    def send_rows(self, rows, column_names, table, method, target, collection):
        self.check_method(method)
        if hasattr(rows, "itertuples") and hasattr(rows, "columns"):
            if not column_names:
                column_names = list(rows.columns)
            rows = rows.itertuples(index=False, name=None)
        columns = tuple(str(name) for name in (column_names if column_names is not None else ()))
        if not columns:
            raise errors.UserCodeError(
                "cannot ingest rows without column names: give column_names, in the order of the values in each row"
            )
        head = (method, target, table, collection, columns)
        count = len(columns)
        as_text = self.through is not None and self.through.takes(method)
        with self._channel.lock:
            for row in _pages(rows):
                if type(row) is not tuple and type(row) is not list:
                    row = _as_list(row)
                if len(row) != count:
                    raise errors.UserCodeError(
                        "cannot ingest row %d of those that this step sent to %r: it has %d values, there are %d column "
                        "names (%s)" % (self._next_row(head), table, len(row), count, _some(columns))
                    )
                if as_text:
                    row = tuple(_for_plugin(value) for value in row)
                self._add(head, row if type(row) is tuple else list(row))


def _some(names):
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


def _for_plugin(value):
    """Plugins get dates of tabular rows as text, as the original sends them."""
    if hasattr(value, "isoformat") or type(value).__name__ in ("UUID", "datetime64"):
        return _plain(value)
    if hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return value.tolist()
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") else value


def _as_list(row):
    if isinstance(row, (str, bytes, dict)):
        raise errors.UserCodeError(
            "cannot ingest a row of type %s: each row must be a list or a tuple of values" % type(row).__name__
        )
    try:
        return list(row)
    except TypeError:
        raise errors.UserCodeError(
            "cannot ingest a row of type %s: each row must be a list or a tuple of values" % type(row).__name__
        ) from None


def _pages(rows):
    # The module is called _sqlite3 in PyPy; subclasses count too.
    if any(kind.__module__.lstrip("_").startswith("sqlite3") for kind in type(rows).__mro__):
        return _aside(rows)
    if hasattr(rows, "fetchmany"):
        return _fetch(rows)
    try:
        return iter(rows)
    except TypeError:
        raise errors.UserCodeError(
            "cannot ingest rows from an object of type %s: it is no iterable and no cursor" % type(rows).__name__
        ) from None


def _aside(cursor):
    """The rows of an SQLite cursor, page by page. An open one holds a lock that would keep the writer out of the same file,
    so what is more than a page waits in a temporary file."""
    first = cursor.fetchmany(_PAGE)
    return first if len(first) < _PAGE else _through_file(first, cursor)


def _through_file(page, cursor):
    import pickle
    import tempfile

    with tempfile.TemporaryFile(prefix="vdk-rows.") as file:
        while page:
            # Rows of a row_factory become plain ones: sqlite3.Row cannot be written.
            pickle.dump([row if type(row) in (tuple, list) else _as_list(row) for row in page], file, protocol=4)
            page = cursor.fetchmany(_PAGE)
        end = file.tell()
        file.seek(0)
        while file.tell() < end:
            yield from pickle.load(file)


def _fetch(cursor):
    while True:
        page = cursor.fetchmany(_PAGE)
        if not page:
            return
        for row in page:
            yield row
