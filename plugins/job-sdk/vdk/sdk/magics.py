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
}
_KNOWN = ["env", "set_env", "pip", "run", "time", "timeit", "vdksql", "vdkingest", "bash", "sh", "capture"]
_ASSIGN = re.compile(r"^(\s*)([A-Za-z_][\w.\[\]'\", ]*?)\s*=\s*([%!])(?!=)\s*(.+)$")
_LINE = re.compile(r"^(\s*)([%!])(.+)$")
_HELP = re.compile(r"^(\s*)(\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")


class Translator:
    """Turns the lines of one cell that only IPython understands into calls of `run`; line numbers stay."""

    def __init__(self, notebook, cell):
        self._notebook = notebook
        self._cell = cell
        self.untouched = True

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
            lines[number] = "pass"
            return "\n".join(lines)
        if name in ("bash", "sh", "script"):
            shell = arguments.strip() if name == "script" else name
            if shell not in ("bash", "sh"):
                raise self.refuse(number + 1, text, "only bash and sh scripts are run; use subprocess.run()")
            return "\n" * number + "__vdk_magic__('script', %r, %r)" % (shell + "\n" + body, number + 1)
        if name in _SHOW_CELLS:
            return ""
        raise self.refuse(number + 1, text, _way_out(name))

    def line_magic(self, source, number):
        """The source with line `number` translated; None when there is nothing of IPython's in it."""
        lines = source.split("\n")
        if not number or number > len(lines):
            return None
        changed = self._translate(lines[number - 1], number)
        if changed is None:
            return None
        self.untouched = False
        lines[number - 1] = changed
        return "\n".join(lines)

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
        if name in ("env", "set_env", "run"):
            return "%s%s__vdk_magic__(%r, %r, %d)" % (indent, prefix, name, arguments.strip(), number)
        raise self.refuse(number, line, _way_out(name))

    def _check_installed(self, arguments, number, line):
        """Only what is there already may be asked for: a job's packages come from requirements.txt."""
        from importlib import metadata

        for argument in arguments:
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

    # What translated lines call

    def run(self, kind, text, number):
        if kind in ("env", "set_env"):
            return self._environment(self._expand(text))
        if kind == "run":
            return self._run_file(text, number)
        if kind == "script":
            shell, _, body = text.partition("\n")
            return self._script(shell, body, number)
        return self._shell(self._expand(text), kind == "lines")

    def _expand(self, text):
        """{expression} and $name as IPython does; what is no name of the notebook stays for the shell."""
        names = self._notebook.names

        def value(match):
            if match.group(1) is not None:
                try:
                    return str(eval(match.group(1), names))
                except Exception:
                    return match.group(0)
            return str(names[match.group(2)]) if match.group(2) in names else match.group(0)

        return re.sub(r"\{([^{}]+)\}|\$([A-Za-z_]\w*)", value, text)

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
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE if capture else None, stdin=subprocess.DEVNULL)
        self._notebook.names["_exit_code"] = done.returncode
        if done.returncode != 0:
            _say("`!%s` ended with exit code %d" % (command, done.returncode))
        return done.stdout.decode(errors="replace").splitlines() if capture else None

    def _script(self, shell, body, number):
        import subprocess

        _flush()
        code = subprocess.run([shell], input=body.encode()).returncode
        if code != 0:
            error = errors.UserCodeError("%s: the %s script ended with exit code %d" % (self._cell["label"], shell, code))
            error.vdk_line = number
            raise error

    def _run_file(self, text, number):
        import runpy

        words = text.split()
        path = words[-1] if words and len(words) == 1 else ""
        base = os.path.dirname(self._notebook.file)
        candidates = [os.path.join(base, path), path]
        found = next((name for name in candidates if path.endswith(".py") and os.path.isfile(name)), None)
        if found is None:
            raise self.refuse(number, "%run " + text, "give the name of one .py file that is in the job folder")
        names = runpy.run_path(found, run_name="__main__")
        self._notebook.names.update({k: v for k, v in names.items() if not k.startswith("__")})


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
