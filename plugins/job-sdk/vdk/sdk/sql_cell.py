# SPDX-License-Identifier: Apache-2.0
"""SQL text as a step or a notebook cell has it, run in this process: several statements, [db] lines, {values}."""
import re

from vdk.api import errors
from vdk.sdk import statements

_DATABASE = re.compile(r"^\[([^\]\n]+)\][ \t\r]*$", re.MULTILINE)


def run(job_input, text):
    """Run all statements; (column names, rows) of the last one when it gives rows, else None."""
    names = _DATABASE.findall(text)
    script = _DATABASE.sub("", text)
    if not script.strip():
        raise errors.UserCodeError("the cell holds no SQL statement")
    result = None
    for name in names or [None]:
        database = job_input._substitute(name).strip() if name else None
        connection = job_input.get_managed_connection(database)
        if hasattr(connection, "vdk_script"):
            result = _run_by_vdk(job_input, connection, script)
        else:
            result = _run_all(job_input, connection, script)
            statements.commit(connection)
    return result


def _run_by_vdk(job_input, connection, script):
    filled = job_input._substitute(script + "\n") if "{" in script else script
    try:
        return connection.vdk_script(filled)
    except connection.Error as error:
        line = "line %d: " % error.vdk_line if getattr(error, "vdk_line", None) else ""
        raise errors.UserCodeError(line + str(error).strip()) from error


def _run_all(job_input, connection, script):
    result = None
    is_sqlite = any(kind.__module__.lstrip("_").startswith("sqlite3") for kind in type(connection).__mro__)
    parts = _split_for_sqlite(script) if is_sqlite else statements.split(script)
    for offset, statement in parts:
        try:
            result = _run_one(connection, job_input._substitute(statement))
        except Exception as error:
            line = statements.line_of(script, offset)
            raise errors.UserCodeError("line %d: %s" % (line, str(error).strip())) from error
    return result


def _run_one(connection, statement):
    cursor = connection.cursor()
    try:
        cursor.execute(getattr(connection, "vdk_prefix", "") + statement)
        if cursor.description is None:
            return None
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        cursor.close()


def _split_for_sqlite(script):
    """SQLite knows itself where a statement with a body (a trigger) ends."""
    import sqlite3

    parts, start = [], 0
    for token in statements.TOKEN.finditer(script):
        if token.group() == ";" and sqlite3.complete_statement(script[start : token.end()]):
            parts.append((start, script[start : token.end()]))
            start = token.end()
    parts.append((start, script[start:]))
    parts = [(at, text) for at, text in parts if statements.COMMENT.sub("", text).strip(" \t\r\n;")]
    return [(at + len(text) - len(text.lstrip()), text.strip()) for at, text in parts]
