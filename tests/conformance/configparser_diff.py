# SPDX-License-Identifier: Apache-2.0
"""Compare our ini reader with Python's configparser over generated files (fixed seed)."""
import configparser
import json
import pathlib
import random
import subprocess
import sys
import tempfile

COUNT = 3000
SEED = 20240611

KEYS = ["team", "schedule_cron", "Key", "KEY", "a", "b", "c", "d", "with space", "x.y", "é", "Ünder", "", "k-1", "[odd",
        "notified_on_job_failure_user_error", "a%b", "Привет"]
SECTIONS = ["owner", "job", "vdk", "VDK", "DEFAULT", "default", "contacts", "vdk_first", "a]b", " spaced ", "x" * 60, "ж"]
VALUES = ["", "1", "11 23 5 8 1", "a@b.c; d@e.f ; g@h.i", "x ; not a comment", "x # not a comment", "a = b : c", ": x",
          "%", "50%", "%%", "%(a)s", "%(A)s-%(b)s", "%(missing)s", "%(a", "%()s", "%(a)d", "%%(a)s", "%(a)s%(a)s", "%(key)s",
          "\"quoted\"", "tab\there", "y" * 230, ("mail%d@example.com;" % 7) * 40, "ünïcödé", "日本語", "\u00a0x\u00a0",
          "\u3000wide", "trailing   ", "\\", "[x]", "=", "\x0b", "\x1cx", "last\x85"]
INDENTS = ["", "", "", "", " ", "  ", "\t", "    ", "\u00a0 "]
ENDS = ["\n"] * 8 + ["\r\n"] * 3 + ["\r"]


def line(rng):
    kind = rng.random()
    indent = rng.choice(INDENTS)
    if kind < 0.16:
        return rng.choice(["", "", "", " "]) + "[" + rng.choice(SECTIONS) + "]" + rng.choice(["", "", "", " ; c", " x", "  "])
    if kind < 0.70:
        delimiter = rng.choice(["=", "=", " = ", " = ", ":", ": ", "  =\t", " := "])
        return rng.choice(["", "", "", indent]) + rng.choice(KEYS) + delimiter + rng.choice(VALUES)
    if kind < 0.78:
        return indent + rng.choice("#;") + rng.choice([" comment", "", "[x]", "a=b"])
    if kind < 0.86:
        return rng.choice(["", " ", "\t  ", "\u00a0"])
    if kind < 0.97:
        return rng.choice([" ", "\t", "     ", "  "]) + rng.choice(VALUES)
    if kind < 0.985:
        return rng.choice(["[", "[]", "[open", "]", "bare", "[]=x", "=x", "[a", "[a=b", "[[x]]"])
    return "".join(rng.choice("ab=:;#[]% \t()s") for _ in range(rng.randrange(12)))


def plausible(rng):
    """Files that are mostly accepted: distinct keys below distinct sections."""
    out = []
    for section in rng.sample(SECTIONS, rng.randrange(1, 5)):
        out.append("[" + section + "]")
        keys, seen = [], set()
        for key in rng.sample(KEYS, rng.randrange(0, 7)):
            if key and not key.startswith("[") and key.lower() not in seen:
                seen.add(key.lower())
                keys.append(key)
        for key in keys:
            value = rng.choice(VALUES)
            if "%" in value and rng.random() < 0.8:
                value = value.replace("%", "%%")
            out.append(key + rng.choice([" = ", "=", ": ", " : "]) + value)
            while rng.random() < 0.25:
                out.append(rng.choice(["    ", "\t", " "]) + rng.choice(VALUES).replace("%", "%%"))
            if rng.random() < 0.2:
                out.append(rng.choice(["", "# c", "  ; c", "   "]))
    return out


def generate(rng):
    lines = plausible(rng) if rng.random() < 0.6 else [line(rng) for _ in range(rng.randrange(0, 14))]
    if rng.random() < 0.35 and lines and not lines[0].startswith("["):
        lines.insert(0, "[first]")
    end = rng.choice(ENDS)
    text = "".join(l + (end if rng.random() < 0.97 else rng.choice(ENDS)) for l in lines)
    if rng.random() < 0.2:
        text = text.rstrip("\r\n")
    data = text.encode()
    if rng.random() < 0.06:
        data = b"\xef\xbb\xbf" + data
    if rng.random() < 0.01:
        position = rng.randrange(len(data) + 1)
        data = data[:position] + rng.choice([b"\xff", b"\xc3", b"\xe2\x82", b"\xc0\x80"]) + data[position:]
    return data


def python_answer(path):
    """(sections, None) or (None, error). We also accept a byte order mark, hence utf-8-sig."""
    parser = configparser.ConfigParser()
    try:
        with open(path, encoding="utf-8-sig") as stream:
            parser.read_file(stream)
        return [[s, [[k, parser.get(s, k)] for k in parser.options(s)]] for s in parser.sections()], None
    except (configparser.Error, UnicodeDecodeError) as error:
        return None, error


def compare(path, ours):
    expected, error = python_answer(path)
    if error is not None:
        if "error" not in ours:
            return "Python refuses (%s), we accept: %r" % (str(error)[:200], ours["sections"])
        if not ours["line"] or not ours["column"]:
            return "refusal without a place: %s" % ours["error"]
        known = getattr(error, "lineno", None)
        if isinstance(error, (configparser.MissingSectionHeaderError, configparser.DuplicateOptionError,
                              configparser.DuplicateSectionError)) and ours["line"] > known:
            return "Python refuses line %s, we refuse line %s" % (known, ours["line"])
        return None
    if "error" in ours:
        return "Python accepts, we refuse line %(line)s: %(error)s" % ours
    if sorted(map(sorted_values, expected)) != sorted(map(sorted_values, ours["sections"])):
        return "different values:\n  python %r\n  ours   %r" % (expected, ours["sections"])
    if [s for s, _ in expected] != [s for s, _ in ours["sections"]]:
        return "different order of sections"
    return None


def sorted_values(section):
    return [section[0], sorted(section[1])]


def main():
    rng = random.Random(SEED)
    accepted = failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for index in range(COUNT):
            pathlib.Path(folder, "%05d.ini" % index).write_bytes(generate(rng))
        out = subprocess.run([sys.argv[1], folder], check=True, stdout=subprocess.PIPE).stdout.decode()
        answers = [json.loads(l) for l in out.splitlines()]
        if len(answers) != COUNT:
            sys.exit("expected %d answers, got %d" % (COUNT, len(answers)))
        for ours in answers:
            path = pathlib.Path(folder, ours["name"])
            accepted += "error" not in ours
            problem = compare(path, ours)
            if problem:
                failures += 1
                if failures <= 5:
                    print("%s: %s\n  file %r" % (ours["name"], problem, path.read_bytes()))
    print("%d files, %d accepted by both, %d refused by both, %d differences" %
          (COUNT, accepted, COUNT - accepted, failures))
    if accepted < COUNT // 5 or COUNT - accepted < COUNT // 5:
        sys.exit("the generator is too one-sided to prove anything")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
