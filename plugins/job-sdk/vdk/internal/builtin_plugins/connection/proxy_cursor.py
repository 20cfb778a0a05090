# SPDX-License-Identifier: Apache-2.0
"""A cursor that hands everything to another one."""
from vdk.internal.builtin_plugins.connection.pep249.interfaces import PEP249Cursor


class ProxyCursor(PEP249Cursor):
    """What the driver's cursor can do, this one can."""
