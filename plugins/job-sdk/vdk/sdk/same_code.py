# SPDX-License-Identifier: Apache-2.0
"""Says which pairs of Python sources mean the same: comments and layout do not count. Reads and writes JSON; runs nothing."""
import ast
import json
import sys


def tree(source):
    return ast.dump(ast.parse(source))


def same(old, new):
    if old == new:
        return True
    try:
        return tree(old) == tree(new)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # cells with magics among them


if __name__ == "__main__":
    json.dump([same(old, new) for old, new in json.load(sys.stdin)], sys.stdout)
