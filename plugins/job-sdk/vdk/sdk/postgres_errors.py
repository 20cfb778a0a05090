# SPDX-License-Identifier: Apache-2.0
"""The exceptions of DB-API 2.0, as a PostgreSQL server's refusals are raised."""


class Warning(Exception):  # noqa: A001
    """DB-API 2.0 asks for it; never raised."""


class Error(Exception):
    """Base of all. `pgcode` is the SQLSTATE, `diag` has what else the server said."""

    pgcode = None
    pgerror = None
    vdk_blamee = None  # who has to act, where that is not the job

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.diag = Diagnostics({})
        self.cursor = None


class InterfaceError(Error):
    pass


class DatabaseError(Error):
    pass


class DataError(DatabaseError):
    pass


class OperationalError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class InternalError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


class QueryCanceledError(OperationalError):
    pass


class TransactionRollbackError(OperationalError):
    pass


_BY_CLASS = {
    "0A": NotSupportedError, "20": ProgrammingError, "21": ProgrammingError, "22": DataError, "23": IntegrityError,
    "24": InternalError, "25": InternalError, "26": OperationalError, "27": OperationalError, "28": OperationalError,
    "2B": InternalError, "2D": InternalError, "2F": InternalError, "34": OperationalError, "38": InternalError,
    "39": InternalError, "3B": InternalError, "3D": ProgrammingError, "3F": ProgrammingError,
    "40": TransactionRollbackError, "42": ProgrammingError, "44": ProgrammingError, "F0": InternalError,
    "P0": InternalError, "XX": InternalError,
}


class Diagnostics:
    """Fields of the server's message; None for what it did not say."""

    def __init__(self, fields):
        self._fields = fields

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._fields.get("pgcode" if name == "sqlstate" else name) or None


def kind_of(code):
    """The class of errors for an SQLSTATE, which may be empty."""
    if code == "57014":
        return QueryCanceledError
    return _BY_CLASS.get(code[:2], OperationalError if not code or code[:1] in "05H" else DatabaseError)


def _where(sql, position):
    """The line of a character, counted from 1, with a caret below it."""
    before = sql[: position - 1]
    start = before.rfind("\n") + 1
    line = sql[start:].split("\n", 1)[0]
    head = "LINE %d: " % (before.count("\n") + 1)
    return "\n%s%s\n%s^" % (head, line, " " * (len(head) + position - 1 - start))


def of(fields, sql=""):
    """The exception for what the server said."""
    text = fields["message_primary"]
    if fields["position"] and sql:
        text += _where(sql, fields["position"])
    for name, title in (("message_detail", "DETAIL"), ("message_hint", "HINT"), ("context", "CONTEXT")):
        if fields[name]:
            text += "\n%s:  %s" % (title, fields[name])
    error = kind_of(fields["pgcode"])(text + "\n")
    error.pgcode = fields["pgcode"] or None
    error.pgerror = "ERROR:  " + text + "\n"
    error.diag = Diagnostics(fields)
    error.vdk_line = sql.count("\n", 0, fields["position"] - 1) + 1 if fields["position"] and sql else None
    if fields["blamee"] != "user":
        error.vdk_blamee = fields["blamee"]
    return error
