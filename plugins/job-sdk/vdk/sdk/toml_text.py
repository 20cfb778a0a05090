# SPDX-License-Identifier: Apache-2.0
"""TOML: the standard library's reader where there is one (Python 3.11), else what configurations of flows are made of:
tables, arrays of tables, keys, strings, numbers, booleans, arrays and inline tables."""
import re


def loads(text):
    """The document as a dictionary; ValueError with the line in `line` otherwise."""
    try:
        import tomllib
    except ImportError:
        return _Reader(text).document()
    try:
        return tomllib.loads(text)
    except ValueError as error:
        found = re.search(r"line (\d+)", str(error))
        error.line = int(found.group(1)) if found else None
        raise


_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_WORD = re.compile(r"[A-Za-z0-9_.+-]+")


class _Reader:
    def __init__(self, text):
        self._text = text.replace("\r\n", "\n")
        self._at = 0

    def document(self):
        root = table = {}
        while True:
            self._space(True)
            if self._at >= len(self._text):
                return root
            if self._take("[["):
                table = self._descend(root, self._keys(), True)
                self._need("]]")
            elif self._take("["):
                table = self._descend(root, self._keys(), False)
                self._need("]")
            else:
                self._pair(table)
            self._space(False)
            if self._at < len(self._text) and self._text[self._at] != "\n":
                self._fail("expected the end of the line")

    def _pair(self, table):
        keys = self._keys()
        self._need("=")
        target = self._descend(table, keys[:-1], False)
        if keys[-1] in target:
            self._fail("the key %r stands there twice" % keys[-1])
        target[keys[-1]] = self._value()

    def _descend(self, table, keys, append):
        for i, key in enumerate(keys):
            last = append and i == len(keys) - 1
            table = table.setdefault(key, [] if last else {})
            if isinstance(table, list):
                if last:
                    table.append({})
                table = table[-1]
            if not isinstance(table, dict):
                self._fail("%r is a value, not a table" % key)
        return table

    def _keys(self):
        keys = []
        while True:
            self._space(False)
            key = self._match(_KEY, "a key")
            keys.append(self._unquoted(key) if key[0] in "\"'" else key)
            self._space(False)
            if not self._take("."):
                return keys

    def _value(self):
        self._space(False)
        rest = self._text[self._at : self._at + 3]
        if rest in ('"""', "'''"):
            return self._block(rest)
        if rest[:1] == '"':
            return self._unquoted(self._match(_STRING, "the end of the string"))
        if rest[:1] == "'":
            return self._unquoted(self._match(_LITERAL, "the end of the string"))
        if self._take("["):
            return self._items("]", lambda items: items.append(self._value()), [])
        if self._take("{"):
            return self._items("}", self._pair, {})
        word = self._match(_WORD, "a value")
        if word in ("true", "false"):
            return word == "true"
        for kind in (lambda text: int(text, 0), float):
            try:
                return kind(word.replace("_", ""))
            except ValueError:
                pass
        return self._fail("cannot read the value %r" % word)

    def _items(self, end, read, items):
        while True:
            self._space(True)
            if self._take(end):
                return items
            read(items)
            self._space(True)
            if not self._take(","):
                self._need(end)
                return items

    def _block(self, quote):
        start = self._at + 3
        end = self._text.find(quote, start)
        if end < 0:
            self._fail("expected the end of the string")
        self._at = end + 3
        text = self._text[start:end]
        return text[1:] if text.startswith("\n") else text

    def _unquoted(self, text):
        if text[0] == "'":
            return text[1:-1]
        import json

        try:
            return json.loads(text)
        except ValueError:
            return self._fail("cannot read the string %s" % text)

    def _space(self, lines):
        pattern = r"(?:[ \t\n]|#[^\n]*)*" if lines else r"[ \t]*(?:#[^\n]*)?"
        self._at = re.compile(pattern).match(self._text, self._at).end()

    def _take(self, text):
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _need(self, text):
        self._space(False)
        if not self._take(text):
            self._fail("expected %r" % text)

    def _match(self, pattern, what):
        found = pattern.match(self._text, self._at)
        if not found:
            self._fail("expected %s" % what)
        self._at = found.end()
        return found.group(0)

    def _fail(self, why):
        line = self._text.count("\n", 0, self._at) + 1
        error = ValueError("%s (at line %d)" % (why, line))
        error.line = line
        raise error
