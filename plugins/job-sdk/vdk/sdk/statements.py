# SPDX-License-Identifier: Apache-2.0
"""A SQL script as the statements that a driver takes one at a time."""
import re

from vdk.api import errors

TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(\w*)\$.*?\$\1\$|;""", re.DOTALL
)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# Bodies hold semicolons that end nothing, so a script with one of these is sent as it is.
_BODY = re.compile(
    r"^\s*(create\s+(or\s+replace\s+)?(procedure|function|trigger|package|macro)\b|declare\b|do\b|begin\s+(?!;|transaction\b|work\b|"
    r"tran\b)\S)",
    re.IGNORECASE,
)


def split(script):
    """(offset, statement) of each statement, without its semicolon; comments stay with the statement after them."""
    parts = []
    start = 0
    for token in TOKEN.finditer(script):
        if token.group() == ";":
            parts.append((start, script[start : token.start()]))
            start = token.end()
    parts.append((start, script[start:]))
    parts = [(at, text) for at, text in parts if COMMENT.sub("", text).strip()]
    if len(parts) > 1 and any(_BODY.match(COMMENT.sub("", text)) for _, text in parts):
        return [(0, script)]
    return [(at + len(text) - len(text.lstrip()), text.strip()) for at, text in parts]


def line_of(script, offset):
    """Line of an offset, from 1."""
    return script.count("\n", 0, offset) + 1


def failure(kind, *lines):
    """An error of vdk that is an error of the database's driver, too: code of a job may catch either."""
    both = (errors.UserCodeError, kind)
    try:
        return type(kind.__name__, both, {"__module__": kind.__module__, "__doc__": kind.__doc__})(*lines)
    except TypeError:  # a class that cannot be combined, or wants more than a text
        return errors.UserCodeError(*lines)


def commit(connection):
    """Statements stay when their step ends, whether or not the driver commits by itself."""
    try:
        connection.commit()
    except Exception as error:
        if "transaction" not in str(error).lower():  # "no transaction is active" and the like
            raise
