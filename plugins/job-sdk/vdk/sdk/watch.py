# SPDX-License-Identifier: Apache-2.0
"""Sees what a step depends on besides its own text: files that it opens, asks about or names to a program, folders that it
lists, modules of the job, values that it asks for, environment variables."""
import os
import sys

from vdk.sdk import modules
from vdk.sdk.variables import Variables

_LIMIT = 2000
# Audit events of programs that are started, and where their words and their environment are.
_PROGRAMS = {"subprocess.Popen": (1, 3), "os.system": (0, 1), "os.exec": (1, 2), "os.posix_spawn": (1, 2), "os.spawn": (2, 3)}


class _Asking:
    """A function of os that tells about what it was asked. No function: pathlib keeps it as a member of a class."""

    def __init__(self, function, watch, module):
        self.__module__, self.__name__, self.__doc__ = module, function.__name__, function.__doc__
        self._function, self._watch = function, watch

    def __call__(self, path, *arguments, **options):
        if options.get("dir_fd") is None:
            self._watch.asked_about(path, sys._getframe(1))
        return self._function(path, *arguments, **options)

    def __reduce__(self):
        return self.__name__


class _AskingLink(_Asking):
    def __call__(self, path, **options):
        if not options:
            self._watch.followed(path)
        return self._function(path, **options)


class _Opening(_Asking):
    """os.open(); the audit event does not have the folder that the path belongs to."""

    def __call__(self, path, flags, mode=0o777, *, dir_fd=None):
        return self._function(path, flags, mode, dir_fd=dir_fd)


class _AskingWhere(_Asking):
    def __call__(self):
        self._watch.relative = True
        return self._function()


class Watch:
    def __init__(self, directory, databases=()):
        self._databases = {os.path.realpath(path) for path in databases}  # what happens to them is seen in another way
        self._directory = os.path.realpath(directory) + os.sep
        self._sdk = sdk = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, sdk}
        # What belongs to the system or to the interpreter is no input of a job.
        self._apart = tuple(sorted(os.path.realpath(root) + os.sep for root in roots if len(root) > 1)) + (
            "/proc/", "/dev/", "/sys/", "/usr/", "/lib/", "/lib64/", "/bin/")
        self._real = {}  # real paths of module files: there are hundreds, and asking takes long
        self._on = False
        self.seen = True
        self.variables = Variables()
        self._clear()
        try:
            sys.addaudithook(self._event)
        except AttributeError:
            self.seen = False
        self._watch_stat()

    def _watch_stat(self):
        """There is no audit event for a question such as os.path.exists()."""
        real = self._stat = os.stat
        os.stat = _Asking(real, self, "os")
        os.path.lexists = _Asking(os.path.lexists, self, os.path.__name__)
        os.getcwd = _AskingWhere(os.getcwd, self, "os")  # also what makes a relative path whole asks for it
        self._readlink, os.readlink = os.readlink, _AskingLink(os.readlink, self, "os")
        os.open = _Opening(os.open, self, "os")
        os.supports_dir_fd.update((os.open, os.readlink))
        self._watch_processes()
        for group in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
            if real in group:
                group.add(os.stat)

    def _watch_processes(self):
        """What the step's own processes read is not seen here."""

        def forks():
            if self._on:
                self._why = "it started processes of its own, and what they read is not known"

        try:
            os.register_at_fork(before=forks)
        except AttributeError:
            self.seen = False

    def followed(self, path):
        """A symbolic link."""
        if not self._on or isinstance(path, int):
            return
        try:
            path = os.path.abspath(os.fsdecode(path))
            if not path.startswith(self._apart) or path.startswith(self._directory):
                self.links.add(path)
                self._require_text(path)
        except Exception:
            pass

    def asked_about(self, path, frame=None):
        if not self._on or isinstance(path, int) or len(self.asked) > _LIMIT:
            return
        try:
            path = os.path.abspath(os.fsdecode(path))
            if not path.startswith(self._apart) or path.startswith(self._directory):
                self.asked.add(path)
                self._require_text(path)
                if frame is not None and self._wants_more(frame):
                    self.measured.add(path)
        except Exception:
            pass  # of what is no path; the caller gets his own error

    def _wants_more(self, frame):
        """Whether who asks wants to know size or time; libraries most often ask whether there is something."""
        module = frame.f_globals.get("__name__") or ""
        if module == "genericpath":
            return frame.f_code.co_name.startswith("get")
        if module.split(".")[0] == "pathlib":
            caller = frame.f_back.f_globals.get("__name__") or ""
            return frame.f_code.co_name == "stat" and caller.split(".")[0] != "pathlib"
        return not frame.f_code.co_filename.startswith(self._apart + (self._sdk + os.sep, "<frozen"))

    def _clear(self):
        self.read, self.written, self.listed, self.asked = set(), set(), set(), set()
        self.links, self.measured = set(), set()
        self._why = ""  # not everything is known
        self._certain = True
        self.relative = False  # whether the working folder matters
        self._stamps = {}  # of files when they were opened for reading
        self._changed = set()  # by the step itself
        self.values = {"arguments": set(), "properties": set(), "secrets": set()}

    def begin(self):
        self._clear()
        self.variables.begin()
        self._on = True

    def pause(self):
        self._on = False

    def note(self, store, name):
        self.values[store].add(name)
        self._require_text(name)

    def _require_text(self, name):
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            self._certain = False  # it has no name that can be kept

    def end(self):
        """What the step that ends here depended on."""
        self._on = False
        relative = self.relative  # not for what is asked here
        found = {name: sorted(values) for name, values in self.values.items()}
        found["variables"] = self.variables.end()
        for name in found["variables"]:
            self._require_text(name)
        found["modules"] = {name: self._file(sys.modules[name]) for name in self.job_modules()}
        if not self._is_as_used(found["modules"]):
            self._certain = False
        sources = set(found["modules"].values())
        if any(name in sys.modules for name in ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")):
            self._why = "a step started processes of its own, and what they read is not known"
        found["links"], found["measured"], found["why"] = sorted(self.links), sorted(self.measured), self._why
        found["read"] = sorted(self.read - sources)
        found["written"] = sorted(self.written)
        found["listed"] = sorted(self.listed)
        found["relative"] = relative
        found["asked"] = sorted(self.asked - self.read - self.written - sources)
        count = sum(len(found[name]) for name in ("read", "written", "listed", "asked"))
        found["complete"] = self.seen and self._certain and not self._why and count + len(self.links) <= _LIMIT
        if not found["complete"]:
            found.update(dict.fromkeys(("read", "written", "listed", "asked", "links", "measured"), []))
        return found

    def _is_as_used(self, names):
        """Whether nobody has changed what the step had read: vdk notes how it is at the end."""
        files = (path for path in self._stamps if path not in self.written and path not in self._changed)
        return all(self._stamps[path] == self._stamp(path) for path in files) and all(
            modules.is_as_loaded(sys.modules[name]) for name in names
        )

    def _stamp(self, path):
        """How a file is; None of what is no file. Asks without noting that."""
        try:
            found = self._stat(path)
        except (OSError, ValueError):
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found.st_mode & 0o170000 == 0o100000 else None

    def job_modules(self):
        """Names of the loaded modules that lie in the job folder, steps excepted."""
        names = []
        for name, module in list(sys.modules.items()):
            path = self._file(module)
            if path and path.startswith(self._directory) and not name.startswith("step_") and name != "__main__":
                names.append(name)
        return names

    def _file(self, module):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str):
            return ""
        if path not in self._real:
            self._real[path] = os.path.realpath(path)
        return self._real[path]

    def _event(self, event, arguments):
        if not self._on:
            return
        try:
            if event == "open":
                self._opened(*arguments)
            elif event in ("os.listdir", "os.scandir"):
                if not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
                    folder = arguments[0] or "."
                    self._add(self.listed, self._readlink("/proc/self/fd/%d" % folder) if isinstance(folder, int) else folder)
            elif event in ("os.remove", "os.rename"):
                self._changed.update(os.path.realpath(os.fsdecode(path)) for path in arguments[: 1 + (event == "os.rename")])
            elif event == "sqlite3.connect" and arguments[0] not in (":memory:", ""):
                if os.path.realpath(os.fsdecode(arguments[0])) not in self._databases:
                    self._add(self.read, arguments[0])
            elif event in _PROGRAMS:
                words, given = _PROGRAMS[event]
                self._named(arguments[words], arguments[2] if event == "subprocess.Popen" else None)
                if len(arguments) <= given or arguments[given] is None:
                    self.variables.all()
        except Exception:
            self.seen = False  # whatever it was, it is not known now

    def attached(self, name):
        """A database, by a query on the job's connection."""
        if not isinstance(name, str) or name.startswith("file:"):
            self._why = "it attached a database, and which file that is is not known"
        elif name not in ("", ":memory:") and os.path.realpath(name) not in self._databases:
            self._add(self.read, name)

    def _opened(self, path, mode, flags):
        if isinstance(path, int):
            return
        frame = sys._getframe(2)
        if frame.f_code is _Opening.__call__.__code__:
            folder, frame = frame.f_locals["dir_fd"], frame.f_back
            if folder is not None:
                path = os.path.join(self._readlink("/proc/self/fd/%d" % folder), os.fsdecode(path))
        caller = frame.f_code.co_filename
        if caller.startswith(self._sdk + os.sep):
            return
        writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if not mode else any(c in mode for c in "wax")
        compiled = os.sep + "__pycache__" + os.sep in os.fsdecode(path) and ".pyc" in os.path.basename(os.fsdecode(path))
        if caller.startswith("<frozen importlib") or compiled:
            path = None if writes else self._loaded(os.fsdecode(path))
            if path is None:
                return
        self._add(self.written if writes else self.read, path)
        if mode and "+" in mode:
            self._add(self.read, path)
        elif not writes:
            path = os.path.realpath(os.fsdecode(path))
            if path in self.read:
                self._stamps.setdefault(path, self._stamp(path))

    def _loaded(self, path):
        """The file to note when an import opens one; none where that is known otherwise."""
        if path.startswith(self._apart) or "site-packages" in path or "dist-packages" in path:
            return None
        folder, name = os.path.split(path)
        if name.endswith(".pyc") and os.path.basename(folder) == "__pycache__":
            path = os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
        return None if path.endswith((".py", ".pyc")) and os.path.realpath(path).startswith(self._directory) else path

    def _named(self, words, folder):
        """Files that are named to a program: most likely it reads them."""
        import re

        if isinstance(words, (str, bytes)) or not hasattr(words, "__iter__"):
            words = [words]
        for word in [os.fsdecode(word) for word in words]:
            for part in {word, *re.findall(r"""[^\s;|&<>()'"`=,]+""", word)}:
                path = os.path.join(folder or "", part)
                if self._stamp(path):  # nothing else of the words is kept: they may be secret
                    self._add(self.read, path)

    def _add(self, found, path):
        path = os.fspath(path)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        path = os.path.realpath(path)
        if not path.startswith(self._apart) or path.startswith(self._directory):
            found.add(path)
            self._require_text(path)
