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
        code = self._compile(cell, filename)
        self.flags |= code.co_flags & _FUTURES
        if code.co_flags & _IS_COROUTINE:
            self._await(eval(code, self.names))
        else:
            exec(code, self.names)

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
            return first
        from vdk.sdk import magics

        translator = magics.Translator(self, cell)
        source = translator.cell_magic(source)
        while True:
            code = _compiled(source, filename, self.flags)
            if not isinstance(code, SyntaxError):
                self.names[_MAGIC] = translator.run
                return code
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


def file_name(notebook, number):
    """What tracebacks call a cell."""
    return "%s, cell %d" % (notebook, number)


def remember_source(filename, source):
    """Tracebacks show the lines of cells."""
    import linecache

    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)


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

