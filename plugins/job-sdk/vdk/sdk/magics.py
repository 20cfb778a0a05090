# SPDX-License-Identifier: Apache-2.0
"""What IPython adds to Python, in cells that run without IPython: done where it means something in a run, left out where
it only shows something, refused with the place otherwise."""
import os
import re
import sys

from vdk.api import errors

# They change what a person sees in the notebook, or prepare what a run has anyway.
_SHOW = (
    "matplotlib load_ext reload_ext unload_ext reload_VDK autoreload config precision pdb xmode colors autosave who whos "
    "who_ls history hist pinfo pinfo2 pdoc psource pfile pprint page logstart logstop lsmagic magic quickref pylab "
    "doctest_mode gui prun"
).split()
_SHOW_CELLS = "html HTML javascript js latex markdown svg SVG".split()
_WAY_OUT = {
    "cd": "use os.chdir()",
    "pip": "put it into requirements.txt of the job",
    "conda": "put it into requirements.txt of the job",
    "mamba": "put it into requirements.txt of the job",
    "writefile": "write the file with open()",
    "sql": "write %%vdksql as the first line of the cell",
    "vdksql": "write %%vdksql as the first line of the cell",
    "vdkingest": "write %%vdkingest as the first line of the cell",
}
_KNOWN = ["env", "set_env", "pip", "run", "time", "timeit", "vdksql", "vdkingest", "bash", "sh", "capture"]
_ASSIGN = re.compile(r"^(\s*)([A-Za-z_][\w.\[\]'\", ]*?)\s*=\s*([%!])(?!=)\s*(.+)$")
_LINE = re.compile(r"^(\s*)([%!])(.+)$")
# What IPython takes for a magic without `%`.
_AUTOMAGIC = re.compile(
    r"^\s*((?:pip|conda|mamba|cd|ls|ll|pwd|cat|cp|mv|rm|mkdir|rmdir|env|set_env|run|time|timeit|load_ext|matplotlib)\s+[^=\s].*)$"
)
_DOLLAR = re.compile(r"'[^']*'|\$(\$?)([A-Za-z_][\w.]*)")
_HELP = re.compile(r"^(\s*)(\?{1,2}\s*[\w.*%]+|[\w.*%]+\?{1,2})\s*(;|#.*)?$")


class Translator:
    """Turns the lines of one cell that only IPython understands into calls of `run`; line numbers stay."""

    def __init__(self, notebook, cell):
        self._notebook = notebook
        self._cell = cell
        self.untouched = True
        self.captures = None  # the name that takes what the cell writes

    def refuse(self, line, text, way_out):
        error = errors.UserCodeError(
            "%s, line %d: `%s` is understood by IPython only and cannot run here: %s"
            % (self._cell["label"], line, text.strip(), way_out)
        )
        error.vdk_line = line
        return error

    def cell_magic(self, source):
        """The source without a magic for the whole cell."""
        lines = source.split("\n")
        number = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), None)
        if number is None or not lines[number].startswith("%%"):
            return source
        text = lines[number]
        name, _, arguments = text[2:].strip().partition(" ")
        self.untouched = False
        body = "\n".join(lines[number + 1 :])
        if name in ("time", "timeit", "capture", "prun"):
            if name == "capture":
                self.captures = next((word for word in arguments.split() if not word.startswith("-")), None)
            lines[number] = "pass"
            return "\n".join(lines)
        if name in ("bash", "sh", "script"):
            shell, options = self._script_options(name, arguments.split(), number + 1, text)
            return "\n" * number + "__vdk_magic__('script', %r, %r)" % ((shell, options, body), number + 1)
        if name in _SHOW_CELLS:
            return ""
        if name in ("vdksql", "vdkingest"):
            raise self.refuse(number + 1, text, "it has to be the first line of the cell")
        raise self.refuse(number + 1, text, _way_out(name))

    def _script_options(self, name, words, number, text):
        """The shell, and the names that take what the script writes."""
        options = {}
        while words and words[0] in ("--out", "--err", "--no-raise-error"):
            option = words.pop(0)
            options[option[2:]] = words.pop(0) if option != "--no-raise-error" and words else True
        shell = words.pop(0) if name == "script" and words else name
        if shell not in ("bash", "sh") or any(word.startswith("--") for word in words):
            raise self.refuse(number, text, "only scripts of bash and sh are run, in the foreground; use subprocess.run()")
        return " ".join([shell, *words]), options

    def line_magic(self, source, number):
        """The source with line `number` translated; None when there is nothing of IPython's in it."""
        lines = source.split("\n")
        if not number or number > len(lines):
            return None
        for first in range(number - 1, -1, -1):  # the error may be in a line that continues the one with the magic
            last = first
            while lines[last].endswith("\\") and last + 1 < len(lines):
                last += 1
            if last < number - 1:
                return None
            text = "".join(line[:-1] for line in lines[first:last]) + lines[last]
            changed = self._translate(text, first + 1)
            if changed is not None:
                self.untouched = False
                lines[first : last + 1] = [changed] + [""] * (last - first)
                return "\n".join(lines)
        return None

    def _translate(self, line, number):
        found = _HELP.match(line)
        if found:
            return found.group(1) + "pass"
        found = _ASSIGN.match(line)
        prefix = ""
        if found:
            prefix = found.group(2) + " = "
            indent, sign, text = found.group(1), found.group(3), found.group(4)
        else:
            found = _LINE.match(line)
            if not found:
                if _AUTOMAGIC.match(line):
                    raise self.refuse(number, line, "it lacks the `%` or the `!`")
                return None
            indent, sign, text = found.groups()
        if sign == "!":
            kind = "lines" if prefix or text.startswith("!") else "shell"
            return "%s%s__vdk_magic__(%r, %r, %d)" % (indent, prefix, kind, text.lstrip("!"), number)
        name, _, arguments = text.strip().partition(" ")
        if name in _SHOW:
            return indent + prefix + "None"
        if name in ("time", "timeit"):
            statement = re.sub(r"^(\s*-[nrto]\s*\d*|\s*-[qpc])*\s*", "", arguments)
            return indent + prefix + statement if statement else indent + "pass"
        if name == "pip" and arguments.split()[:1] == ["install"]:
            self._check_installed(arguments.split()[1:], number, line)
            return indent + "pass"
        if name == "pip" and arguments.split()[:1] in (["list"], ["show"], ["freeze"], ["check"], ["--version"]):
            return indent + "pass"
        if name in ("sx", "system"):
            return "%s%s__vdk_magic__('lines', %r, %d)" % (indent, prefix, arguments.strip(), number)
        if name in ("env", "set_env", "run"):
            return "%s%s__vdk_magic__(%r, %r, %d)" % (indent, prefix, name, arguments.strip(), number)
        raise self.refuse(number, line, _way_out(name))

    def _check_installed(self, arguments, number, line):
        """Only what is there already may be asked for: a job's packages come from requirements.txt."""
        from importlib import metadata

        arguments = list(arguments)
        while arguments:
            argument = arguments.pop(0)
            if argument in ("-r", "--requirement") and arguments:
                arguments += self._required(arguments.pop(0), number, line)
                continue
            if argument.startswith("-"):
                if argument not in ("-q", "-qq", "--quiet", "-U", "--upgrade", "--user", "--no-input"):
                    raise self.refuse(number, line, _way_out("pip"))
                continue
            found = re.match(r"^['\"]?([A-Za-z0-9._-]+)(?:\[[^]]*\])?(?:==([\w.+!-]+)|([<>~!=].*))?['\"]?$", argument)
            try:
                version = metadata.version(found.group(1)) if found else None
            except metadata.PackageNotFoundError:
                version = None
            if version is None or (found.group(2) and found.group(2) != version):
                raise self.refuse(number, line, "%s is not installed; %s" % (argument, _way_out("pip")))

    def _required(self, name, number, line):
        """What a file of requirements asks for; those of the job itself are installed with it."""
        path = os.path.join(os.path.dirname(self._notebook.file), name)
        try:
            with open(path, encoding="utf-8") as file:
                wanted = [text.split(" #")[0].split(";")[0].replace(" ", "").strip() for text in file]
        except OSError:
            raise self.refuse(number, line, "there is no %s in the job folder" % name) from None
        return [text for text in wanted if text and not text.startswith("#")]

    # What translated lines call

    def run(self, kind, text, number):
        frame = sys._getframe(1)
        if kind == "script":
            shell, options, body = text
            shell = _words(_expand(shell, frame.f_globals, frame.f_locals))
            return self._script(shell, options, body, number)
        text = _expand(text, frame.f_globals, frame.f_locals)
        if kind in ("env", "set_env"):
            return self._environment(text)
        if kind == "run":
            return self._run_file(text, number)
        return self._shell(text, kind == "lines")

    def _environment(self, text):
        if not text:
            return dict(os.environ)
        name, sign, value = text.partition("=")
        if not sign:
            name, sign, value = text.partition(" ")
        name = name.strip()
        if not sign:
            return os.environ.get(name)
        os.environ[name] = value.strip()
        if name.upper().startswith("VDK_"):
            _say("%s is set now, but the settings of this run were read when it started" % name)
        return None

    def _shell(self, command, capture):
        import subprocess

        _flush()
        pipe = capture or self.captures
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE if pipe else None, stdin=subprocess.DEVNULL)
        self._notebook.names["_exit_code"] = done.returncode
        if done.returncode != 0:
            _say("`!%s` ended with exit code %d" % (command, done.returncode))
        text = done.stdout.decode(errors="replace") if pipe else ""
        if capture:
            return Lines(text.splitlines())
        sys.stdout.write(text)
        return None

    def _script(self, shell, options, body, number):
        import subprocess

        _flush()
        pipes = {"std" + name: subprocess.PIPE for name in ("out", "err") if name in options}
        done = subprocess.run(shell, input=body.encode(), **pipes)
        for name in ("out", "err"):
            if name in options:
                self._notebook.names[options[name]] = getattr(done, "std" + name).decode(errors="replace")
        self._notebook.names["_exit_code"] = done.returncode
        if done.returncode != 0 and "no-raise-error" not in options:
            error = errors.UserCodeError(
                "%s: the %s script ended with exit code %d" % (self._cell["label"], shell[0], done.returncode)
            )
            error.vdk_line = number
            raise error

    def _run_file(self, text, number):
        import runpy
        import shlex

        words = shlex.split(text)
        path = words[0] if words else ""
        base = os.path.dirname(self._notebook.file)
        candidates = [os.path.join(base, path), path]
        found = next((name for name in candidates if path.endswith(".py") and os.path.isfile(name)), None)
        if found is None:
            raise self.refuse(number, "%run " + text, "give the name of a .py file that is in the job folder")
        before, sys.argv = sys.argv, [found, *words[1:]]
        try:
            names = runpy.run_path(found, run_name="__main__")
        finally:
            sys.argv = before
        self._notebook.names.update({k: v for k, v in names.items() if not k.startswith("__")})


def _words(text):
    import shlex

    try:
        return shlex.split(text)
    except ValueError:  # a quotation mark that stands alone
        return text.split()


class Lines(list):
    """Lines that a command wrote, with IPython's short names for them."""

    @property
    def l(self):  # noqa: E743
        return list(self)

    list = l

    @property
    def n(self):
        return "\n".join(self)

    nlstr = n

    @property
    def s(self):
        return " ".join(self)

    spstr = s


class Captured:
    """What a cell with %%capture wrote."""

    def __init__(self, out="", err=""):
        self.stdout, self.stderr = out, err
        self.outputs = []

    def show(self):
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)

    __call__ = show

    def __str__(self):
        return self.stdout


def _expand(text, names, local):
    """{expression} and $name as IPython does: nothing is put in when one of the expressions cannot be."""
    import string

    def named(match):
        if match.group(2) is None:
            return match.group(0)
        if match.group(1):
            return "$" + match.group(2)
        try:
            return str(eval(match.group(2), names, local))
        except Exception:
            return match.group(0)  # the shell may know it

    parts = []
    try:
        for literal, field, form, conversion in string.Formatter().parse(text):
            parts.append(_DOLLAR.sub(named, literal))
            if field is not None:
                value = eval(field, names, local)
                value = {"r": repr, "a": ascii}.get(conversion, str)(value) if conversion else value
                parts.append(format(value, form))
    except Exception:
        return text
    return "".join(parts)


def dedented(source):
    """A cell without the indentation of its first line, as IPython takes it."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    lines = [line[len(indent) :] if line.startswith(indent) else line for line in source.split("\n")]
    return "\n".join(lines)


def _way_out(name):
    if name in _WAY_OUT:
        return _WAY_OUT[name]
    import difflib

    near = difflib.get_close_matches(name, _KNOWN, 1)
    if near:
        return "did you mean %s?" % near[0]
    return "take it out of the cell, or take the tag `vdk` off the cell"


def _flush():
    sys.stdout.flush()
    sys.stderr.flush()


def _say(text):
    print("warning: " + text, file=sys.stderr)
