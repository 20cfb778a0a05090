# SPDX-License-Identifier: Apache-2.0
"""Types of steps."""

TYPE_SQL = "sql"
TYPE_PYTHON = "python"
