# SPDX-License-Identifier: Apache-2.0
"""Sees what a step depends on besides its own text: files that it opens, folders that it lists, modules of the job, values
that it asks for."""
import os
import sys

_LIMIT = 2000


class Watch:
    def __init__(self, directory, databases=()):
        self._databases = {os.path.realpath(path) for path in databases}  # what happens to them is seen in another way
        self._directory = os.path.realpath(directory) + os.sep
        self._sdk = sdk = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, sdk}
        # What belongs to the system or to the interpreter is no input of a job.
        self._apart = tuple(sorted(os.path.realpath(root) + os.sep for root in roots if len(root) > 1)) + (
            "/proc/", "/dev/", "/sys/", "/usr/", "/lib/", "/lib64/", "/bin/")
        self._on = False
        self.seen = True
        self._clear()
        try:
            sys.addaudithook(self._event)
        except AttributeError:
            self.seen = False

    def _clear(self):
        self.read, self.written, self.listed = set(), set(), set()
        self.values = {"arguments": set(), "properties": set(), "secrets": set()}

    def begin(self):
        self._clear()
        self._on = True

    def pause(self):
        self._on = False

    def note(self, store, name):
        self.values[store].add(name)

    def end(self):
        """What the step that ends here depended on."""
        self._on = False
        found = {name: sorted(values) for name, values in self.values.items()}
        found["modules"] = {name: self._file(sys.modules[name]) for name in self.job_modules()}
        sources = set(found["modules"].values())
        found["read"] = sorted(self.read - sources)
        found["written"] = sorted(self.written)
        found["listed"] = sorted(self.listed)
        found["complete"] = self.seen and len(self.read) + len(self.written) + len(self.listed) <= _LIMIT
        if not found["complete"]:
            found["read"] = found["written"] = found["listed"] = []
        return found

    def job_modules(self):
        """Names of the loaded modules that lie in the job folder, steps excepted."""
        names = []
        for name, module in list(sys.modules.items()):
            path = self._file(module)
            if path and path.startswith(self._directory) and not name.startswith("step_") and name != "__main__":
                names.append(name)
        return names

    @staticmethod
    def _file(module):
        path = getattr(module, "__file__", None)
        return os.path.realpath(path) if isinstance(path, str) else ""

    def _event(self, event, arguments):
        if not self._on:
            return
        try:
            if event == "open":
                self._opened(*arguments)
            elif event in ("os.listdir", "os.scandir"):
                if not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
                    self._add(self.listed, arguments[0] or ".")
            elif event == "sqlite3.connect" and arguments[0] not in (":memory:", ""):
                if os.path.realpath(os.fspath(arguments[0])) not in self._databases:
                    self._add(self.read, arguments[0])
        except Exception:
            self.seen = False  # whatever it was, it is not known now

    def _opened(self, path, mode, flags):
        caller = "" if isinstance(path, int) else sys._getframe(2).f_code.co_filename
        if not caller or caller.startswith(("<frozen importlib", self._sdk + os.sep)):
            return
        writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if not mode else any(c in mode for c in "wax")
        self._add(self.written if writes else self.read, path)
        if mode and "+" in mode:
            self._add(self.read, path)

    def _add(self, found, path):
        path = os.fspath(path)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        path = os.path.realpath(path)
        if not path.startswith(self._apart) or path.startswith(self._directory):
            found.add(path)
