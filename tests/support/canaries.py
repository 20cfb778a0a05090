# SPDX-License-Identifier: Apache-2.0
"""Secrets that can be recognised wherever they come out again: as they are, or as base64, hexadecimal digits or
percent-encoding."""
import base64
import fnmatch
import os
import pathlib
import secrets
import subprocess
import threading
import time
import zipfile
import zlib


def forms(secret):
    """What of it would be visible, whatever stands before it (base64 takes three bytes at a time)."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]}
    found.add("".join(f"%{byte:02X}" for byte in raw).encode())
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw + b"\0" * 3)
        piece = text[(shift * 8 + 5) // 6:(shift + len(raw)) * 8 // 6]
        found |= {piece, piece.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Canaries:
    def __init__(self):
        self.values = {}     # name -> secret
        self.allowed = []    # (name, pattern of a place)
        self._forms, self._known = [], 0

    def make(self, name):
        return self.add(name, "cnry" + secrets.token_hex(12))

    def add(self, name, value):
        self.values[name] = value
        return value

    def allow(self, name, place):
        """This secret (or every one, "*") belongs into this place: a pattern as of file names."""
        self.allowed.append((name, place))

    def _search(self, content):
        if self._known != len(self.values):
            self._forms = [(form, name) for name, value in self.values.items() for form in forms(value)]
            self._known = len(self.values)
        return {name for form, name in self._forms if form in content}

    def found(self, content, place):
        """Sentences about secrets in `content` that do not belong there."""
        content = content.encode(errors="replace") if isinstance(content, str) else content
        return [f"{name} in {place}" for name in sorted(self._search(content))
                if not any(fnmatch.fnmatch(name, who) and fnmatch.fnmatch(place, where) for who, where in self.allowed)]

    def found_below(self, folder):
        """All files, what is packed inside of them, and every object of git repositories."""
        leaks = []
        for path in sorted(pathlib.Path(folder).rglob("*")):
            try:
                if path.is_symlink() or not path.is_file():
                    continue
                content = path.read_bytes()
            except OSError:
                continue  # gone meanwhile
            place = str(path.relative_to(folder))
            leaks += self.found(place, "name of " + place)
            for piece in (content, *unpacked(path, content)):
                leaks += self.found(piece, place)
            if path.name == "HEAD" and (path.parent / "objects").is_dir():
                everything = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(path.parent), "cat-file", "--batch", "--batch-all-objects"],
                                            capture_output=True)
                leaks += self.found(everything.stdout, str(path.parent.relative_to(folder)) + "/objects")
        return leaks


def unpacked(path, content):
    if content[:2] == b"PK":
        try:
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        except zipfile.BadZipFile:
            pass
    for kind in (zlib.MAX_WBITS, 16 + zlib.MAX_WBITS):
        if content[:1] == b"\x78" or content[:2] == b"\x1f\x8b":
            try:
                yield zlib.decompressobj(kind).decompress(content)
            except zlib.error:
                pass


class Watch:
    """Looks at the command lines of all processes, and at the environment of those of other programs, while a test runs."""

    def __init__(self, canaries, mark, programs=("python", "pypy", "pip", "uv", "git", "sh", "bash")):
        self.canaries, self.mark, self.programs = canaries, mark.encode(), programs
        self.lines, self.environments = set(), {}
        self.looks = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _work(self):
        mine = os.getpid()
        while not self._end.wait(0.01):
            self.looks += 1
            for name in os.listdir("/proc"):
                if not name.isdigit() or int(name) == mine:
                    continue
                try:
                    line = pathlib.Path("/proc", name, "cmdline").read_bytes()
                    if not line or line in self.lines:
                        continue
                    environment = pathlib.Path("/proc", name, "environ").read_bytes()
                    if pathlib.Path("/proc", name, "cmdline").read_bytes() != line:
                        continue  # it has become another program meanwhile
                except OSError:
                    continue
                if self.mark not in environment and self.mark not in line:
                    continue
                self.lines.add(line)
                program = os.path.basename(line.split(b"\0")[0]).decode(errors="replace")
                if program.startswith(self.programs):
                    self.environments[line] = environment

    def leaks(self):
        found = [leak for line in self.lines for leak in self.canaries.found(line, "the command line " + shown(line))]
        return found + [leak for line, content in self.environments.items()
                        for leak in self.canaries.found(content, "the environment of " + shown(line))]


def shown(line):
    return line.replace(b"\0", b" ")[:160].decode(errors="replace")
