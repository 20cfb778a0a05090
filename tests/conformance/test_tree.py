# SPDX-License-Identifier: Apache-2.0
"""Rules of the house that a compiler does not check."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Who may include whom; an arrow that runs up is a failure.
ALLOWED = {
    "core": {"core"},
    "config": {"config", "core"},
    "auth": {"auth", "config", "core"},
    "job": {"job", "config", "core"},
    "run": {"run", "job", "config", "core"},
    "target": {"target", "job", "config", "core"},
    "control": {"control", "target", "job", "auth", "config", "core"},
    "plugin": {"plugin", "job", "auth", "config", "core"},
}
MODULES = set(ALLOWED)


def sources():
    for folder in ("libvdk", "cli"):
        for suffix in ("*.cpp", "*.hpp"):
            yield from (ROOT / folder).rglob(suffix)


def module_of(path):
    parts = path.relative_to(ROOT / "libvdk").parts
    return parts[2] if parts[:2] == ("include", "vdk") else parts[0]


def violations(path, text):
    """Includes of `path` that its module may not have."""
    module = module_of(path)
    for include in re.findall(r'#include "([^"]+)"', text):
        parts = include.split("/")
        wanted = parts[1] if parts[0] == "vdk" else parts[0]
        if parts[0] == "cli" or wanted in MODULES and wanted not in ALLOWED[module]:
            yield f"{path.relative_to(ROOT)} includes {include}"
        if module == "control" and include == "vdk/target/local.hpp":
            yield f"{path.relative_to(ROOT)} knows a concrete target"


class Tree(unittest.TestCase):
    def test_includes_point_down_only(self):
        bad = [line for path in (ROOT / "libvdk").rglob("*.[ch]pp") for line in violations(path, path.read_text())]
        self.assertEqual(bad, [])

    def test_the_include_check_finds_an_upward_arrow(self):
        self.assertTrue(list(violations(ROOT / "libvdk/core/x.cpp", '#include "vdk/job/job.hpp"\n')))
        self.assertTrue(list(violations(ROOT / "libvdk/control/x.cpp", '#include "vdk/target/local.hpp"\n')))

    def test_public_headers_name_no_third_party_type(self):
        bad = []
        for path in (ROOT / "libvdk" / "include").rglob("*.hpp"):
            for include in re.findall(r"#include <([^>]+)>", path.read_text()):
                if "/" in include and not include.startswith("sys/"):
                    bad.append(f"{path.name}: {include}")
        self.assertEqual(bad, [])

    def test_no_source_file_is_longer_than_600_lines(self):
        long = [f"{p.relative_to(ROOT)}: {n}" for p in sources() if (n := len(p.read_text().splitlines())) > 600]
        self.assertEqual(long, [])

    def test_every_source_file_names_its_licence(self):
        self.assertEqual([str(p.relative_to(ROOT)) for p in sources() if "SPDX-License-Identifier" not in p.read_text()[:200]], [])

    def test_sources_are_formatted(self):
        if subprocess.run(["which", "clang-format"], capture_output=True).returncode:
            self.skipTest("clang-format is not installed")
        files = [str(p) for p in sources()]
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])


if __name__ == "__main__":
    unittest.main()
