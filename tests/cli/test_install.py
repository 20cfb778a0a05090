# SPDX-License-Identifier: Apache-2.0
"""Installs the build, moves the tree elsewhere and uses it: the binary, the library, pkg-config and the packages."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import BINARY, ROOT, VdkTest

BUILD = BINARY.resolve().parents[1]


def call(*command, env=None, cwd=None):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, env=env, cwd=cwd)
    if done.returncode:
        raise AssertionError(f"{command} exits {done.returncode}\n{done.stdout[-5000:]}")
    return done.stdout


class Install(VdkTest):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="vdk-install."))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        call("cmake", "--install", BUILD, "--prefix", cls.root / "first")
        cls.tree = cls.root / "moved to another place"
        (cls.root / "first").rename(cls.tree)
        cls.compiled = list(cls.tree.rglob("__pycache__"))
        cls.library = next(cls.tree.rglob("vdk.pc")).parents[1]

    def setUp(self):
        super().setUp()
        built, harness.BINARY = harness.BINARY, self.tree / "bin" / "vdk"
        self.addCleanup(setattr, harness, "BINARY", built)

    def test_a_moved_binary_creates_runs_deploys_and_executes(self):
        self.vdk("create", "-n", "moved-job", "-t", "red", "-p", self.dir, "--local")
        folder = self.dir / "moved-job"
        (folder / "30_place.py").write_text(
            "import vdk.api.job_input as m\ndef run(job_input):\n    print('sdk at', m.__file__)\n")
        ran = self.vdk("run", folder)
        self.assertIn(f"sdk at {self.tree}/share/vdk/job-sdk/", ran.out + ran.err, "the moved tree is used, not the sources")
        self.vdk("deploy", "-p", folder, "-r", "first")
        started = self.vdk("execute", "--start", "-n", "moved-job", "-t", "red", "-o", "json").json()
        done = self.wait_execution("moved-job", "red", started["execution_id"])
        self.assertEqual(done["status"], "succeeded", done)
        made = self.vdk("create", "-n", "plugin-job", "-t", "red", "--plugin", "run-command", "--set", "COMMAND=true", "-o", "json")
        self.assertEqual(made.json()["plugin"]["origin"], "vdk", "the plugins that ship are installed too")
        self.vdk("run", "plugin-job")

    def test_manual_and_completions_lie_where_the_system_looks(self):
        for file in ("share/man/man1/vdk.1", "share/man/man1/vdk-deploy.1", "share/zsh/site-functions/_vdk",
                     "share/bash-completion/completions/vdk", "share/fish/vendor_completions.d/vdk.fish"):
            self.assertGreater((self.tree / file).stat().st_size, 100, file)
        self.assertEqual(self.compiled, [], "nothing compiled is installed")

    def test_another_project_finds_the_library(self):
        consumer, build = self.dir / "consumer", self.dir / "consumer-build"
        shutil.copytree(ROOT / "tests/install/consumer", consumer)
        call("cmake", "-S", consumer, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.tree}", env=self.env())
        for leak in ("mold", "-Werror", "-Wconversion", str(ROOT)):
            self.assertNotIn(leak, (build / "build.ninja").read_text(), "our own settings stay with us")
        call("cmake", "--build", build, env=self.env())
        self.check_consumer(build / "consumer")

    def test_pkg_config_is_enough_to_link(self):
        plain = self.root / "plain"
        if not plain.exists():
            shutil.copytree(self.tree, plain)  # compilers' response to blanks in -I is not the matter here
        env = self.env({"PKG_CONFIG_PATH": str(plain / self.library.relative_to(self.tree) / "pkgconfig")})
        flags = call("pkg-config", "--cflags", "--libs", "vdk", env=env).split()
        self.assertIn("-lvdk_core", flags)
        call("c++", ROOT / "tests/install/consumer/main.cpp", "-o", self.dir / "consumer", *flags, env=env)
        self.check_consumer(self.dir / "consumer")

    def check_consumer(self, program):
        job = self.job("steps-job", {"20_b.py": "", "10_a.sql": "", "notes.txt": ""})
        self.assertEqual(call(program, job), "deploy\n10_a.sql sql\n20_b.py python\n")

    def test_the_packages_hold_the_binary_and_name_what_they_need(self):
        packages = self.dir / "packages"
        call("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", packages)
        (deb,), (archive,) = packages.glob("*.deb"), packages.glob("*.tar.xz")
        call("dpkg-deb", "-x", deb, self.dir / "deb")
        harness.BINARY = self.dir / "deb/usr/bin/vdk"
        self.vdk("version")
        self.vdk("create", "-n", "packaged-job", "-t", "red", "-p", self.dir, "--local")
        self.assertRegex(call("dpkg-deb", "-f", deb, "Depends"), r"libgit2.*libsqlite3")
        self.assertIn("usr/bin/vdk", call("tar", "tf", archive).split())


if __name__ == "__main__":
    unittest.main()
