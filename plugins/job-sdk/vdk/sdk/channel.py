# SPDX-License-Identifier: Apache-2.0
"""Messages to and from vdk: one JSON document per line, over a socket."""
import _signal
import json
import os
from _thread import RLock
from _thread import get_ident

from vdk.api import errors

# As they are before a step may put others in their place.
_dumps, _loads = json.dumps, json.loads
# How many batches of rows may be on their way before the sender waits.
WINDOW = 4


def _leave():
    os._exit(1)  # vdk itself is gone


class _Whole:
    """Ctrl-C waits until a message is written or taken: half of one could not be followed by another."""

    def __init__(self):
        self._thread = get_ident()
        self._handler = None
        self._came = False

    def __enter__(self):
        if get_ident() != self._thread or self._handler is not None:
            return
        if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
            try:
                _signal.signal(_signal.SIGINT, self._note)
                self._handler = _signal.default_int_handler
            except ValueError:
                pass  # not Python's main thread

    def _note(self, _number, _frame):
        self._came = True

    def __exit__(self, *_):
        if self._handler is None or get_ident() != self._thread:
            return
        _signal.signal(_signal.SIGINT, self._handler)
        self._handler = None
        if self._came:
            self._came = False
            raise KeyboardInterrupt


class Channel:
    def __init__(self, fd, gone=None):
        os.set_inheritable(fd, False)
        self.lock = RLock()
        self._fd = fd
        self._file = os.fdopen(fd, "rb", buffering=1 << 16, closefd=False)
        self._unacknowledged = 0
        self._abandoned = 0  # replies that nobody waits for any more
        self._pid = os.getpid()
        self._whole = _Whole()
        self.run_step = None
        self._gone = gone or _leave
        self.early = None  # commands that came while the host was starting; a list as long as it is

    def command(self):
        """The next command of vdk."""
        message = self.early.pop(0) if self.early else self.receive()
        if not self.early:
            self.early = None
        return message

    def send_bytes(self, line, sent=None):
        """Write a line and call `sent`, both or neither."""
        if os.getpid() != self._pid:
            raise errors.UserCodeError("job_input cannot be used in a forked process: use it in the step's own process")
        view = memoryview(line)
        try:
            with self._whole:
                while view:
                    view = view[os.write(self._fd, view) :]
                if sent is not None:
                    sent()
        except ConnectionError:
            self._gone()

    def send(self, message):
        line = _dumps(message).encode("ascii")
        if b"\\ud" in line:  # half of a surrogate pair is no character that can be sent
            line = _dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        self.send_bytes(line + b"\n")

    def receive(self, taken=None):
        """The next message. `taken` is called as soon as it is read, whatever interrupts this afterwards."""
        try:
            self._file.peek(1)  # Ctrl-C ends this wait and takes nothing
            with self._whole:
                line = self._file.readline()
                if taken is not None:
                    taken()
        except ConnectionError:
            line = b""
        if not line:
            self._gone()
        return _loads(line)

    def call(self, message, cancels=False):
        """Send a request and return its value; steps that vdk asks for in between (templates) are run here. `cancels`:
        when the wait for it is interrupted, vdk is told to give it up."""
        with self.lock:
            self.drain()
            self._catch_up()
            self.send(message)
            while True:
                taken = []
                try:
                    reply = self.receive(lambda: taken.append(True))
                except KeyboardInterrupt:
                    if taken:
                        raise
                    self._abandoned += 1  # in a notebook the next cell goes on
                    if cancels:
                        self.send({"req": "cancel"})
                        self._abandoned += 1
                    raise
                if "cmd" in reply:
                    if self.early is not None:
                        self.early.append(reply)
                    else:
                        self.run_step(reply)
                    continue
                if reply.get("ok"):
                    return reply.get("value")
                raise errors.by_blamee(reply.get("blamee"), reply.get("message"))

    def _catch_up(self):
        """Read the replies to calls that were interrupted."""
        while self._abandoned:
            reply = self.receive()
            if "cmd" in reply:
                self.send({"done": "error", "exception_name": "KeyboardInterrupt", "exception": "interrupted", "line": None})
            else:
                self._abandoned -= 1

    def send_batch(self, line):
        """Send rows without waiting, unless too many batches are on their way."""
        with self.lock:
            self.send_bytes(line, self._count_batch)
            while self._unacknowledged >= WINDOW:
                self._acknowledge()

    def drain(self):
        """Wait until every batch is stored."""
        with self.lock:
            while self._unacknowledged:
                self._acknowledge()

    def _count_batch(self):
        self._unacknowledged += 1

    def _count_reply(self):
        self._unacknowledged -= 1

    def _acknowledge(self):
        reply = self.receive(self._count_reply)
        if not reply.get("ok"):
            raise errors.by_blamee(reply.get("blamee"), reply.get("message"))

    def forget_errors(self):
        """Read the remaining acknowledgements; vdk itself remembers the failure."""
        with self.lock:
            while self._unacknowledged:
                self.receive(self._count_reply)
