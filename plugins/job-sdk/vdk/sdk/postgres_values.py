# SPDX-License-Identifier: Apache-2.0
"""Python values as SQL of PostgreSQL, and the server's texts as Python values."""
import datetime
import json
import re
from decimal import Decimal

from vdk.sdk.postgres_errors import DataError
from vdk.sdk.postgres_errors import ProgrammingError

# To SQL


def quote(value):
    """A text as a string of SQL, whatever standard_conforming_strings is."""
    if "\0" in value:
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")
    value = str.replace(value, "'", "''")
    return "'%s'" % value if "\\" not in value else " E'%s'" % value.replace("\\", "\\\\")


def _float(value):
    if value != value:
        return "'NaN'::float"
    if value in (float("inf"), float("-inf")):
        return "'%sInfinity'::float" % ("-" if value < 0 else "")
    return _signed(float.__repr__(value))


def _signed(text):
    return " " + text if text.startswith("-") else text  # not to become a comment behind another minus


def _decimal(value):
    if value.is_nan():
        return "'NaN'::numeric"
    if value.is_infinite():
        return "'%sInfinity'::numeric" % ("-" if value < 0 else "")
    return _signed(str(value))


def _datetime(value):
    return "'%s'::timestamp%s" % (value.isoformat(), "tz" if value.tzinfo is not None else "")


def _time(value):
    return "'%s'::time%s" % (value.isoformat(), "tz" if value.tzinfo is not None else "")


def _interval(value):
    return "'%d days %d.%06d seconds'::interval" % (value.days, value.seconds, value.microseconds)


def _list(values):
    if not values:
        return "'{}'"
    if all(value is None for value in values):
        return "'{%s}'" % ",".join("NULL" for _ in values)
    return "ARRAY[%s]" % ", ".join(literal(value) for value in values)


def _tuple(values):
    if not values:
        raise ProgrammingError("can't use an empty tuple in a query: `IN ()` is no SQL. Leave the condition out")
    return "(%s)" % ", ".join(literal(value) for value in values)


_WRITERS = (
    (bool, lambda value: "true" if value else "false"),
    (int, lambda value: _signed(int.__repr__(value))),
    (float, _float),
    (str, quote),
    (Decimal, _decimal),
    ((bytes, bytearray, memoryview), lambda value: "E'\\\\x%s'::bytea" % bytes(value).hex()),
    (datetime.datetime, _datetime),
    (datetime.date, lambda value: "'%s'::date" % value.isoformat()),
    (datetime.time, _time),
    (datetime.timedelta, _interval),
    (list, _list),
    (tuple, _tuple),
    (dict, lambda value: quote(json.dumps(value))),
)


def literal(value):
    """A value as SQL text."""
    if value is None:
        return "NULL"
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            # A missing time of pandas is a datetime that is unequal to itself.
            return "NULL" if kind is datetime.datetime and value != value else write(value)
    module = type(value).__module__.partition(".")[0]
    if module == "uuid":
        return "'%s'::uuid" % value
    if module == "ipaddress":
        return "'%s'::inet" % value
    if module == "numpy" and hasattr(value, "tolist"):
        return literal(value.tolist())
    if module == "pandas" and type(value).__name__ in ("NAType", "NaTType"):
        return "NULL"
    raise ProgrammingError("can't adapt type '%s'" % type(value).__name__)


_PLACE = re.compile(r"%(?:\(([^)]*)\))?(.?)", re.DOTALL)


def substitute(sql, parameters):
    """The query with its parameters for %s or %(name)s."""
    named = hasattr(parameters, "keys")
    values = iter(() if named else parameters)

    def replace(match):
        name, kind = match.groups()
        if kind == "%" and name is None:
            return "%"
        if kind not in ("s", "b", "t"):
            raise ProgrammingError(
                "only %%s and %%(name)s are placeholders, %r at offset %d is none: write %%%% for a percent sign"
                % (match.group(), match.start())
            )
        if (name is not None) != named:
            needed = "a sequence of parameters" if named else "parameters by name"
            raise ProgrammingError("%s in the query needs %s" % (match.group(), needed))
        if named:
            return literal(parameters[name])
        try:
            return literal(next(values))
        except StopIteration:
            raise ProgrammingError("the query has more placeholders than there are parameters") from None

    text = _PLACE.sub(replace, sql)
    # As psycopg2 does, a query without any placeholder is taken as it is.
    if not named and text != sql and next(values, values) is not values:
        raise ProgrammingError("not all parameters are used: the query has fewer placeholders")
    return text


# From the server


def _days(text):
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise DataError("the date %r is none that Python has: read it as text (column::text)" % text) from None


def _read_date(text):
    if text.endswith("infinity"):
        return datetime.date.min if text[0] == "-" else datetime.date.max
    return _days(text)


_CLOCK = re.compile(r"(\d+):(\d+):(\d+)(?:\.(\d+))?(?:([+-])(\d+)(?::(\d+))?(?::(\d+))?)?$")


def _clock(text):
    """(hours, minutes, seconds, microseconds, zone) of a time of day."""
    match = _CLOCK.match(text)
    if match is None:
        raise DataError("the time %r cannot be read: read it as text (column::text)" % text)
    hours, minutes, seconds, fraction, sign, *offset = match.groups()
    zone = None
    if sign:
        zone = datetime.timedelta(hours=int(offset[0]), minutes=int(offset[1] or 0), seconds=int(offset[2] or 0))
        zone = datetime.timezone(-zone if sign == "-" else zone)
    return int(hours), int(minutes), int(seconds), int(((fraction or "") + "000000")[:6]), zone


def _read_time(text):
    hours, minutes, seconds, micros, zone = _clock(text)
    return datetime.time(hours % 24, minutes, seconds, micros, zone)


def _read_timestamp(text):
    if text.endswith("infinity"):
        return datetime.datetime.min if text[0] == "-" else datetime.datetime.max
    day, _, clock = text.partition(" ")
    if clock.endswith("BC") or len(day) != 10:
        raise DataError("the time %r is none that Python has: read it as text (column::text)" % text)
    return datetime.datetime(int(day[:4]), int(day[5:7]), int(day[8:]), *_clock(clock))


def _read_timestamptz(text):
    value = _read_timestamp(text)
    return value if value.tzinfo is not None else value.replace(tzinfo=datetime.timezone.utc)


_UNITS = re.compile(r"([+-]?\d+) (year|mon|day)s?")
_SPAN = re.compile(r"([+-]?)(\d+):(\d+):(\d+)(?:\.(\d+))?$")


def _read_interval(text):
    days = sum(int(number) * {"year": 365, "mon": 30, "day": 1}[unit] for number, unit in _UNITS.findall(text))
    match = _SPAN.search(text)
    span = datetime.timedelta()
    if match:
        sign, hours, minutes, seconds, fraction = match.groups()
        micros = int(((fraction or "") + "000000")[:6])
        span = datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=micros)
        span = -span if sign == "-" else span
    try:
        return datetime.timedelta(days=days) + span
    except OverflowError:
        raise DataError("the interval %r is longer than Python's: read it as text (column::text)" % text) from None


_OCTAL = re.compile(rb"\\(\\|[0-7]{3})")


def _read_bytes(text):
    if text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    return _OCTAL.sub(
        lambda match: b"\\" if match.group(1) == b"\\" else bytes([int(match.group(1), 8)]), text.encode()
    )


_READERS = {
    17: _read_bytes, 114: json.loads, 3802: json.loads, 1082: _read_date, 1083: _read_time, 1266: _read_time,
    1114: _read_timestamp, 1184: _read_timestamptz, 1186: _read_interval, 1700: Decimal,
}

_TEXTS = (25, 1043, 1042, 18, 19, 2950, 869, 650)
# Type of an array -> type of its elements.
_ARRAYS = {
    1000: 16, 1005: 21, 1007: 23, 1016: 20, 1028: 26, 1021: 700, 1022: 701, 1231: 1700, 1001: 17, 1182: 1082,
    1183: 1083, 1270: 1266, 1115: 1114, 1185: 1184, 1187: 1186, 199: 114, 3807: 3802, 1009: 25, 1015: 1043, 1014: 1042, 1002: 18,
    1003: 19, 2951: 2950, 1041: 869, 651: 650,
}
_NUMBERS = {16: lambda text: text == "t", 20: int, 21: int, 23: int, 26: int, 700: float, 701: float}
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},])|([^{},"]+)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _array_reader(element):
    read = _NUMBERS.get(element) or _READERS.get(element) or str

    def array(text):
        stack = [[]]
        body = text[text.index("=") + 1 :] if text.startswith("[") else text  # other lower bounds
        for match in _TOKEN.finditer(body):
            quoted, mark, plain = match.groups()
            if mark == "{":
                stack.append([])
            elif mark == "}":
                done = stack.pop()
                stack[-1].append(done)
            elif quoted is not None:
                stack[-1].append(read(_ESCAPE.sub(r"\1", quoted)))
            elif plain is not None:
                stack[-1].append(None if plain == "NULL" else read(plain))
        return stack[0][0]

    return array


_READERS.update((array, _array_reader(element)) for array, element in _ARRAYS.items())


def readers(columns):
    """[(index, function)] of the columns whose texts have to be turned into values."""
    return [(index, _READERS[column[1]]) for index, column in enumerate(columns) if column[1] in _READERS]


def rows(piece, functions):
    """Rows of a message as tuples of values."""
    for index, read in functions:
        for row in piece:
            if row[index] is not None:
                row[index] = read(row[index])
    return [tuple(row) for row in piece]


class TypeObject:
    """Equal to the type codes of one kind, as DB-API 2.0 asks."""

    def __init__(self, name, *codes):
        self.name = name
        self.values = codes

    def __eq__(self, other):
        return other in self.values if isinstance(other, int) else self is other

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return "<type %s of PostgreSQL>" % self.name


STRING = TypeObject("STRING", *_TEXTS)
BINARY = TypeObject("BINARY", 17)
NUMBER = TypeObject("NUMBER", 20, 21, 23, 700, 701, 1700)
DATETIME = TypeObject("DATETIME", 1082, 1083, 1114, 1184, 1186, 1266)
ROWID = TypeObject("ROWID", 26)
