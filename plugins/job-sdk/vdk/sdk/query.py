# SPDX-License-Identifier: Apache-2.0
"""One query of `vdk sql-query` on a database that vdk reaches through Python only, or through its own PostgreSQL client."""
import decimal
import json
import os
import sys

from vdk.api import errors


def main():
    """Read what to do as JSON, print {"columns", "rows"} or {"error", "blamee"} as JSON."""
    given = json.load(sys.stdin)
    os.environ.setdefault("VDK_EXECUTABLE", given["executable"])
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print is no part of the answer
    try:
        result = _run(given)
    except Exception as error:
        result = {"error": "%s: %s" % (type(error).__name__, error), "blamee": _blamee(error)}
    with answer:
        json.dump(result, answer, default=_text)
    return 0


def _run(given):
    from vdk.sdk import sql_cell
    from vdk.sdk.session import StandaloneDataJob

    with StandaloneDataJob(given["directory"] or None, given["name"]) as job_input:
        columns, rows = sql_cell.run(job_input, given["sql"]) or (None, [])
    return {"columns": columns, "rows": [[_finite(value) for value in row] for row in rows]}


def _finite(value):
    """JSON has no word for what is no number."""
    return str(value) if isinstance(value, float) and value - value != 0 else value


def _blamee(error):
    if isinstance(error, errors.UserCodeError):
        return "user"
    return "configuration" if isinstance(error, errors.VdkConfigurationError) else "platform"


def _text(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        content = bytes(value)
        try:
            return content.decode()
        except UnicodeDecodeError:
            return "X'%s'" % content.hex()
    if isinstance(value, decimal.Decimal) and decimal.Decimal(repr(float(value))) == value:
        return float(value)
    return str(value)
