# SPDX-License-Identifier: Apache-2.0
"""Runs steps when vdk asks for it."""
import json
import os
import sys

from vdk.api import errors
from vdk.sdk import modules
from vdk.sdk.channel import Channel
from vdk.sdk.ingest import Ingester
from vdk.sdk.job_input import JobInput
from vdk.sdk.job_input import Run

_SDK = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HEAD = "Traceback (most recent call last):\n"
_ModuleType = type(sys)
_FunctionType = type(lambda: None)


class Host:
    def __init__(self, fd, gone=None, extra_plugins=()):
        self.channel = Channel(fd, gone)
        self.channel.run_step = self.execute
        settings = self.channel.receive()
        ingester = Ingester(self.channel, settings.get("ingest_method"), settings.get("ingest_methods", ()),
                            settings.get("servers", ()), settings.get("ingest_threshold", 0))
        self.run = Run(self.channel, ingester, settings)
        # As text: a document that was read on the way would have lost the digits of large numbers.
        settings["arguments"] = json.loads(settings["arguments"].lstrip("\ufeff") or "{}")
        self.run.arguments[0] = settings["arguments"]
        self.inputs = {}
        self.notebooks = {}
        self.step_error = None
        self.watch = None
        if settings.get("directory"):
            modules.read_from_text(settings["directory"])
        if settings.get("watch"):
            from vdk.sdk.watch import Watch

            self.watch = self.run.watch = Watch(settings["directory"], settings["databases"].values())
        self.plugins = self._find_plugins(extra_plugins) if settings.get("plugins", True) else None
        if self.watch is not None:
            self._remember_start(settings)

    def _find_plugins(self, extra):
        from vdk.sdk import plugins_found

        found = plugins_found.find()
        if not extra and all(item[0] in plugins_found.BUILT_IN for item in found):
            return None
        from vdk.sdk.plugin_host import PluginHost

        return PluginHost(self, found, extra)

    def _remember_start(self, settings):
        """Later runs may leave steps out: what each of them changes is compared with this."""
        from vdk.sdk import process_state

        self.watch.variables.written.clear()
        self.start = {
            "process": process_state.start(),
            "environ": dict(os.environ),
            "cwd": os.getcwd(),
            "path": list(sys.path),
            "recursion": sys.getrecursionlimit(),
            "arguments": json.loads(json.dumps(settings["arguments"])),
        }

    def serve(self):
        if self.plugins is not None:
            self.plugins.serve()
        while True:
            message = self.channel.command()
            if message["cmd"] == "exit":
                return
            self.execute(message)

    def execute(self, message):
        """Do what vdk asks for."""
        if message["cmd"] == "restore":
            self.channel.send(self._restore(message))
        elif message["cmd"] == "step":
            self.run_step(message)
        elif self.plugins is not None:
            self.plugins.execute(message)
        else:
            self.channel.send({"done": "no plugins"})

    def _restore(self, message):
        from vdk.sdk import snapshot

        sys.path.insert(0, message["directory"])
        try:
            snapshot.restore(self, message["snapshot"], self._input(message))
            return {"done": "restored"}
        except Exception as error:
            return {"done": "failed", "why": "%s: %s" % (type(error).__name__, error)}
        finally:
            if message["directory"] in sys.path:
                sys.path.remove(message["directory"])

    def _state(self, message, result):
        """What the step depended on and what it leaves in this process."""
        state = self.watch.end()
        state["packages"] = [p for p in sys.path if p.endswith(("site-packages", "dist-packages")) and os.path.isdir(p)]
        if result["done"] == "error":
            return state
        notebook = self.notebooks.get((0, message["file"])) if "cell" in message else None
        if notebook is None and self._is_untouched():
            state["carry"] = "none"
            return state
        from vdk.sdk import snapshot

        state.update(snapshot.save(self, message["snapshot"], notebook, message["snapshot_limit"]))
        return state

    def _is_untouched(self):
        """Whether nothing of this process can matter to a later step; most jobs need no more than this."""
        start = self.start
        return (
            not self.run.connections
            and not self.watch.variables.written
            and self.plugins is None
            and self._is_process_as_it_was()
            and not any(name in sys.modules for name in ("random", "numpy.random", "decimal", "threading"))
            and not self.watch.job_modules()
            and (os.getcwd(), sys.path, sys.getrecursionlimit()) == (start["cwd"], start["path"], start["recursion"])
            and (dict(os.environ), self.run.arguments[0]) == (start["environ"], start["arguments"])
        )

    def _is_process_as_it_was(self):
        from vdk.sdk import process_state

        return process_state.is_as_it_was(self.start["process"])

    def run_step(self, message):
        result = {"done": "success", "exit_code": 0}
        watched = self.watch is not None and message["context"] == 0
        if watched:
            self.watch.begin()
        directory = message["directory"]
        sys.path.insert(0, directory)
        settings = self.run.settings
        outer, settings["step"] = settings.get("step"), message["name"]
        try:
            if self.plugins is None:
                result["done"] = self._call(message)
            else:
                result["done"] = self.plugins.run_step(message, lambda: self._call(message))
            self.run.ingester.wait()
        except errors.SkipRemainingStepsException:
            try:
                self.run.ingester.wait()
                result["done"] = "skip_requested"
            except BaseException as error:
                result = self._failure(error, message)
        except BaseException as error:
            result = self._failure(error, message)
        finally:
            settings["step"] = outer
            if directory in sys.path:
                sys.path.remove(directory)
        self.run.ingester.discard()
        if watched:
            result["state"] = self._state(message, result)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                pass  # the step closed or replaced it
        self.channel.send(result)

    def _call(self, message):
        own = os.getpid()
        try:
            done = self._run_code(message)
        except BaseException as error:
            if os.getpid() != own:
                _leave_forked(error)
            self.step_error = error
            raise
        if os.getpid() != own:
            _leave_forked(None)
        return done

    def _run_code(self, message):
        if "cell" in message:
            return self._call_cell(message)
        path = message["file"]
        name = modules.of_step(message["name"])
        with open(path, "rb") as file:
            source = file.read()
        if b"log" in source:
            configure_logging(self.run.settings)
        module = _ModuleType(name)
        module.__file__ = path
        sys.modules[name] = module  # pickle, dataclasses and typing look there
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
        if "logging" in sys.modules:
            configure_logging(self.run.settings)
        function = find_run(module)
        if function is None:
            return "not_runnable"
        code = function.__code__
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        takes_any = code.co_flags & 0x08  # **kwargs, as of what functools.wraps makes
        if "job_input" not in parameters and not takes_any:
            raise errors.UserCodeError(
                "cannot call run() of %s: it has no parameter named job_input. Write `def run(job_input):`"
                % message["name"]
            )
        returned = function(job_input=self._input(message))
        if returned is not None:
            _finish(returned, message["name"])
        return "success"

    def first_input(self, directory):
        """The job's own job_input, before there is a step."""
        return self._input({"context": 0, "directory": directory, "database": ""})

    def _call_cell(self, message):
        from vdk.sdk import cells

        cell, job_input = message["cell"], self._input(message)
        if cell["kind"] == "ingest":
            cells.run_ingest(cell, job_input)
            return "success"
        notebook = self.notebook(message["context"], message["file"])
        notebook.prepare(job_input)
        if "log" in cell["source"]:
            configure_logging(self.run.settings)
        notebook.execute(cell)
        return "success"

    def notebook(self, context, file):
        from vdk.sdk import cells

        if (context, file) not in self.notebooks:
            self.notebooks[(context, file)] = cells.Notebook(file)
        return self.notebooks[(context, file)]

    def _input(self, message):
        context = message["context"]
        if context not in self.inputs:
            self.inputs[context] = JobInput(
                self.run, context, message["directory"], self.run.arguments[context], message["database"]
            )
        return self.inputs[context]

    def _failure(self, error, message):
        import traceback

        self.run.last_error = (message["context"], error)
        exit_code = 1
        text = text_of(error)
        if isinstance(error, SystemExit):
            exit_code, text = _exit_of(error)
        frames = self._frames(traceback.extract_tb(error.__traceback__))
        if "cell" in message:
            line, place, text = _in_cell(error, text, message)
        else:
            line = next((f.lineno for f in reversed(frames) if f.filename == message.get("file")), getattr(error, "lineno", None))
        lines = [place + "\n"] if "cell" in message else []
        lines += self._told(traceback, error)
        return {
            "done": "error",
            "exit_code": exit_code,
            "blamee": blame(error, message["directory"], self.plugins is not None and error is not self.step_error),
            "exception_name": type(error).__name__,
            "exception": whole(text),
            "details": whole("".join(lines).rstrip("\n")),
            "line": line,
            "interrupted": isinstance(error, KeyboardInterrupt),
        }

    def _frames(self, frames):
        """Those of the job and of what it uses."""
        hidden = (_SDK + os.sep,) if self.plugins is None else (_SDK + os.sep, os.sep + "pluggy" + os.sep)
        return [f for f in frames if not f.filename.startswith(hidden[0]) and not any(h in f.filename for h in hidden[1:])]

    def _told(self, traceback, error):
        """The error with its traceback, behind the errors that led to it."""
        try:
            told = traceback.TracebackException.from_exception(error)
        except Exception:  # of an error that cannot say what it is
            frames = self._frames(traceback.extract_tb(error.__traceback__))
            return [_HEAD] + traceback.format_list(frames) + [type(error).__name__]
        waiting, seen = [told], set()
        while waiting:
            item = waiting.pop()
            seen.add(id(item))
            item.stack[:] = self._frames(item.stack)
            for name in ("__cause__", "__context__"):
                before = getattr(item, name)
                if before is not None and before.stack and not self._frames(before.stack):
                    setattr(item, name, None)  # only vdk's own code has seen it
                elif before is not None and id(before) not in seen:
                    waiting.append(before)
            waiting += getattr(item, "exceptions", None) or ()
        return [line for line in told.format() if line != _HEAD or told.stack]


def _finish(returned, step):
    """`async def run` is awaited; a generator has done nothing so far, which is never what was meant."""
    if hasattr(returned, "cr_await"):
        import asyncio

        asyncio.run(returned)
    elif type(returned).__name__ in ("generator", "async_generator"):
        print(
            "warning: run() of %s has a `yield`, so Python made a generator of it and nothing in it was done" % step,
            file=sys.stderr,
        )


def _leave_forked(error):
    """The end of a process that the step has forked and that comes back here: as Python would end it."""
    code = error.code if isinstance(error, SystemExit) else (0 if error is None else 1)
    if error is not None and not isinstance(error, SystemExit):
        import traceback

        frame = error.__traceback__
        while frame.tb_next is not None and frame.tb_frame.f_code.co_filename.startswith(_SDK + os.sep):
            frame = frame.tb_next
        traceback.print_exception(type(error), error, frame)
    elif not isinstance(code, (int, type(None))):
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit((code or 0) & 255)


def text_of(error):
    """What the error says, also of one whose __str__ fails."""
    try:
        return str(error)
    except Exception as failure:
        return "its text cannot be made: %s" % type(failure).__name__


def whole(text):
    """Text that can be written: halves of surrogate pairs are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _in_cell(error, text, message):
    """Line within the cell; notebook, cell and line for people; the text of the error with that in front."""
    from vdk.sdk import cells

    cell = message["cell"]
    line, source = cells.failing_line(error, cells.file_name(message["file"], cell["number"]))
    place = cell["label"]
    if text.startswith(place + ", line"):
        return line, "%s, line %s" % (place, line), text
    if text.startswith(place + ": "):
        text = text[len(place) + 2 :]
    if line:
        place += ", line %d" % line
    if source:
        place += " (%s)" % source
    hint = cells.hint(error)
    text += " (%s)" % hint if hint else ""
    return line, place, "%s: %s" % (place, text) if text else place


def _exit_of(error):
    code = error.code
    if code is None or code == 0:
        return 1, "the step ended the process with sys.exit(%s); use job_input.skip_remaining_steps() to stop early" % (
            "" if code is None else code
        )
    if isinstance(code, int):
        return (code & 255) or 1, "the step ended the process with sys.exit(%d)" % code
    return 1, str(code)


def find_run(module):
    function = getattr(module, "run", None)
    if isinstance(function, _FunctionType):
        return function
    for name in sorted(vars(module)):
        value = vars(module)[name]
        if isinstance(value, _FunctionType) and value.__name__ == "run" and value.__module__ == module.__name__:
            return value
    return None


def blame(error, directory, in_plugin=False):
    """Who has to act: what the error says itself, else by where it was raised. `in_plugin`: not by the code of a step."""
    if isinstance(error, errors.BaseVdkError):
        return error.blamee
    if getattr(error, "vdk_reported", None) is not None:
        return error.vdk_reported.vdk_blamee  # a plugin said so
    if getattr(error, "vdk_blamee", None) is not None:
        return error.vdk_blamee  # a server that could not be reached
    innermost = None
    frame = error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if name.startswith(directory.rstrip(os.sep) + os.sep):
            return "user"
        innermost = name
        frame = frame.tb_next
    if in_plugin and isinstance(error, Exception):
        return "platform"
    if isinstance(error, (MemoryError, SyntaxError, OSError, SystemExit, KeyboardInterrupt)):
        return "user"
    if innermost is not None and innermost.startswith(_SDK + os.sep) and not isinstance(error, (ValueError, TypeError)):
        return "platform"
    return "user"


def configure_logging(settings):
    """The job's own log records on stderr, in the shape of vdk's; nothing when the job did that itself."""
    import logging

    root = logging.getLogger()
    if root.handlers:
        return
    from vdk.sdk import log_format

    handler = log_format.Marked(settings["log_mark"]) if settings.get("log_mark") else logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_format.formatter(settings))
    root.addHandler(handler)
    known = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    root.setLevel(settings["log_level"] if settings.get("log_level") in known else "INFO")
    for name, level in settings.get("log_levels", {}).items():
        logging.getLogger(name).setLevel(level)


def main(fd):
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # prints and log lines keep their order
    try:
        Host(fd).serve()
    except KeyboardInterrupt:
        return 130
    return 0
