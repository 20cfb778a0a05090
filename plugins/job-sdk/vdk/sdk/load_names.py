# SPDX-License-Identifier: Apache-2.0
"""Tables, columns and names, as the load templates speak of them."""
import collections

# name: as it is spelt; kind: its type; computed: the table fills it and nobody else can; numbered: the table fills it
# where no value is given (identity); type_name, category: what PostgreSQL's catalog says of the type
Column = collections.namedtuple("Column", "name kind computed numbered type_name category", defaults=(False, "", ""))

# qualified: quoted, with its schema where that is known; schema: where a table beside it would be made;
# number, can_lock: what PostgreSQL's catalog says of it
Relation = collections.namedtuple("Relation", "qualified schema columns number can_lock", defaults=(0, False))


class Refused(Exception):
    """The database is in no state for a template; the text says why."""


def native(connection):
    """The driver's connection, also where a plugin's stands around it."""
    return getattr(connection, "_db_con", None) or connection


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def in_list(names):
    return ", ".join(quoted(name) for name in names)


def listed(names):
    """Names for a message."""
    return ", ".join(repr(name) for name in names)
