# SPDX-License-Identifier: Apache-2.0
"""Sees which environment variables are read, by name, and which are written."""
import os
import sys

_SDK = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
# Modules between os.environ and who asks it.
_BETWEEN = ("os", "_collections_abc", "collections.abc", __name__)
_watching = None


class _Environ(os._Environ):
    def __getitem__(self, key):
        _watching.asked(key)
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        _watching.changed(key)

    def __delitem__(self, key):
        super().__delitem__(key)
        _watching.changed(key)

    def __iter__(self):
        _watching.walked()
        for key in super().__iter__():
            _watching.passed.add(key)
            yield key

    def __len__(self):
        _watching.walked()
        return super().__len__()

    def __repr__(self):
        _watching.walked()
        return super().__repr__()


class Variables:
    """`*` stands for all: the environment was walked through, or a program has got it."""

    def __init__(self):
        global _watching
        self.early = set()  # by plugins and what they import, before there is a step
        self.written = set()  # since the process began
        self.passed = set()  # by a walk, which may ask for the value next: dict() does so at its end
        self._read = self.early
        _watching = self
        os.environ.__class__ = os.environb.__class__ = _Environ

    def begin(self):
        self._read = set()
        self.passed = set()

    def end(self):
        """Names that the step read, or what was loaded before it."""
        found, self._read = self.early | (self._read or set()), None
        return sorted(found)

    def asked(self, key):
        if self._read is None or not isinstance(key, (str, bytes)):
            return
        if key in self.passed:
            self.passed.remove(key)
        else:
            self._read.add(os.fsdecode(key))

    def changed(self, key):
        self.written.add(os.fsdecode(key))

    def all(self):
        if self._read is not None:
            self._read.add("*")

    def walked(self):
        if self._read is None:
            return
        frame = sys._getframe(2)
        while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
            frame = frame.f_back
        if frame is None or not _is_exempt(frame.f_code.co_filename, frame.f_globals.get("__name__") or ""):
            self._read.add("*")


def _is_exempt(file, module):
    """vdk's own walks, and that of progress bars: it looks for names of its own, which change only how they look."""
    return (file.startswith(_SDK) and not file.endswith("magics.py")) or module.startswith("tqdm.")
