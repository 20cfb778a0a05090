# SPDX-License-Identifier: Apache-2.0
"""Runs the Python cells of notebooks: one namespace per notebook, what IPython adds to the language handled or refused."""
import builtins
import sys

MODULE = "notebook"
_ALLOW_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_IS_COROUTINE = 0x80  # inspect.CO_COROUTINE
_FUTURES = 0x1FE0000  # the compiler flags of `from __future__ import …`
_MAGIC = "__vdk_magic__"
# Names that this module puts into a namespace itself.
OWN = ("job_input", _MAGIC, "__builtins__", "__name__", "__doc__", "__package__", "__loader__", "__spec__")


class Notebook:
    """One notebook that runs: its namespace and what its cells need besides it."""

    def __init__(self, file):
        self.file = file
        self.module = type(sys)(MODULE)
        self.flags = 0
        self.loop = None

    @property
    def names(self):
        return self.module.__dict__

    def own_names(self):
        """What the cells have defined."""
        return {
            name: value
            for name, value in self.names.items()
            if name not in OWN and value is not _display and not isinstance(value, _Control)
        }

    def prepare(self, job_input):
        # Pickle, dataclasses and typing look a class's module up there; only one notebook runs at a time.
        sys.modules[MODULE] = self.module
        names = self.names
        names["job_input"] = job_input
        names.setdefault("__builtins__", builtins)
        names.setdefault("display", _display)
        names.setdefault("VDK", _Control())
        if isinstance(names["VDK"], _Control):
            names["VDK"].job_input = job_input

    def execute(self, cell):
        """Run one cell: a dictionary with source, number and label."""
        filename = file_name(self.file, cell["number"])
        remember_source(filename, cell["source"])
        code, capture = self._compile(cell, filename)
        self.flags |= code.co_flags & _FUTURES
        if capture:
            self._capture(code, capture, cell["source"])
        else:
            self._execute(code, cell["source"])

    def _execute(self, code, source):
        if code.co_flags & _IS_COROUTINE:
            self._await(eval(code, self.names))
        elif _wants_loop(source):
            self._await(_inside(code, self.names))
        else:
            exec(code, self.names)

    def _capture(self, code, name, source):
        import contextlib
        import io

        from vdk.sdk import magics

        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                self._execute(code, source)
        finally:
            self.names[name] = magics.Captured(out.getvalue(), err.getvalue())

    def _await(self, coroutine):
        import asyncio

        if self.loop is None:
            self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(coroutine)

    def has_tasks(self):
        if self.loop is None:
            return False
        import asyncio

        return bool(asyncio.all_tasks(self.loop))

    def _compile(self, cell, filename):
        source = cell["source"]
        first = _compiled(source, filename, self.flags)
        if not isinstance(first, SyntaxError):
            return first, None
        from vdk.sdk import magics

        translator = magics.Translator(self, cell)
        source = translator.cell_magic(magics.dedented(source))
        while True:
            code = _compiled(source, filename, self.flags)
            if not isinstance(code, SyntaxError):
                self.names[_MAGIC] = translator.run
                return code, translator.captures
            changed = translator.line_magic(source, code.lineno)
            if changed is None:
                raise first if translator.untouched else code
            source = changed


def _compiled(source, filename, flags):
    try:
        return compile(source, filename, "exec", flags, True)
    except SyntaxError as error:
        if "await" not in source and "async" not in source:
            return error
        try:
            return compile(source, filename, "exec", flags | _ALLOW_AWAIT, True)
        except SyntaxError:
            return error


async def _inside(code, names):
    exec(code, names)


# They need an event loop that runs, and cannot be used where one does.
_LOOP = {"create_task", "ensure_future", "get_running_loop", "current_task", "all_tasks"}
_OWN_LOOP = {"run", "run_until_complete", "run_forever"}


def _wants_loop(source):
    """Whether the cell itself, not a function in it, calls what needs the event loop that a notebook has."""
    if not any(name in source for name in _LOOP):
        return False
    import ast

    called = set()
    try:
        waiting = list(ast.parse(source).body)
    except SyntaxError:
        return False  # magics
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            called.add(getattr(node.func, "attr", getattr(node.func, "id", None)))
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
    return bool(called & _LOOP) and not called & _OWN_LOOP


def file_name(notebook, number):
    """What tracebacks call a cell."""
    return "%s, cell %d" % (notebook, number)


def remember_source(filename, source):
    """Tracebacks show the lines of cells."""
    import linecache

    # Every line with its end, as in a file: by that Python counts where its carets go.
    linecache.cache[filename] = (len(source), None, [line + "\n" for line in source.splitlines()], filename)


def failing_line(error, filename):
    """Line within the cell, and its text: where the innermost frame of the cell was, or where the syntax is wrong."""
    import linecache

    number = None
    if isinstance(error, SyntaxError) and error.filename == filename:
        number = error.lineno
    else:
        frame = error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_filename == filename:
                number = frame.tb_lineno
            frame = frame.tb_next
    number = getattr(error, "vdk_line", number)
    if not number:
        return None, ""
    return number, linecache.getline(filename, number).strip()


# Names that only IPython gives.
_HINTS = {
    "get_ipython": "a run has no IPython",
    "In": "a run keeps no history of cells",
    "Out": "a run keeps no history of cells",
    "_": "a run does not keep the value of the last line: give it a name",
    "cd": "write os.chdir()",
    "ls": "write !ls",
    "pwd": "write os.getcwd()",
}


def hint(error):
    """What a person needs to know besides the error, where the cell relies on IPython."""
    if isinstance(error, NameError):
        name = str(error).partition("name '")[2].partition("'")[0]
        return _HINTS.get(name, "")
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "IPython":
        return "display() needs no import in a run; or put ipython into requirements.txt"
    return ""


def _display(*values, **_options):
    for value in values:
        print(value)


class _Control:
    """What `%reload_VDK` gives in a kernel, for notebooks whose first cells are tagged too."""

    def get_initialized_job_input(self):
        return self.job_input

    def finalize(self):
        pass


def run_ingest(cell, job_input):
    from vdk.sdk import ingest_cell

    ingest_cell.run(cell["source"], cell["label"], job_input)

