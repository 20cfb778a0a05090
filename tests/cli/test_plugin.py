# SPDX-License-Identifier: Apache-2.0
"""`vdk plugin`: install, lock, upgrade, and what is left when something goes wrong."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from harness import BINARY, VdkTest
from plugin_server import PluginServer, sha256, tar_gz, zip_file

YAML = "name: {0}\nplugintype: task\npluginversion: 1\nimage: example.com/{0}:1\nentrypoint:\n  script: run\n"


def snapshot(*roots):
    """Every name, kind, target and byte below some paths."""
    found = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))] if root.exists() else []:
            if path.is_symlink():
                found[str(path)] = os.readlink(path)
            elif path.is_file():
                found[str(path)] = path.read_bytes()
            else:
                found[str(path)] = None
    return found


class PluginTest(VdkTest):
    def setUp(self):
        super().setUp()
        self.server = PluginServer()
        self.addCleanup(self.server.stop)
        self.config = self.dir / "vdk-plugins.yaml"
        self.lock = self.dir / "vdk-plugins.lock"
        self.folder = self.dir / ".plugins"

    def publish(self, name, text="hello\n", **files):
        data = tar_gz({"plugin.yaml": YAML.format(name), "data.txt": text, **files})
        self.server.files[f"/{name}.tar.gz"] = data
        return data

    def configure(self, *plugins, extra="", provider=""):
        """Each plugin is the rest of its YAML entry, or only its name."""
        text = f"plugins:\n  providers:\n  - type: http\n    name: web\n    url: {self.server.url}\n{provider}{extra}"
        text += "  plugins:\n"
        for plugin in plugins:
            text += f"  - provider: web\n    path: {plugin}.tar.gz\n" if ":" not in plugin else plugin
        self.config.write_text(text)

    def install(self, *args, code=0, **kwargs):
        return self.vdk("plugin", "install", *args, code=code, **kwargs)

    def current(self):
        return self.folder / "current"

    def text_of(self, name, file="data.txt"):
        return (self.current() / name / file).read_text()

    def installed(self):
        return {row["name"]: row for row in self.vdk("plugin", "list", "-o", "json").json()}

    def drop_cache(self):
        shutil.rmtree(self.home / ".cache", ignore_errors=True)

    def assert_unchanged(self, before):
        after = snapshot(self.folder, self.lock)
        ours = lambda all_: {k: v for k, v in all_.items() if not k.endswith("/.lock")}
        self.assertEqual(ours(before), ours(after))

    def state(self):
        return snapshot(self.folder, self.lock)


class Install(PluginTest):
    def test_what_the_configuration_lists_is_installed_and_locked(self):
        for name in ("one", "two"):
            self.publish(name)
        self.configure("one", "two")
        result = self.install("-o", "json").json()
        self.assertEqual([(c["change"], c["name"]) for c in result["changes"]], [("added", "one"), ("added", "two")])
        self.assertEqual(self.text_of("one"), "hello\n")
        lock = json.loads(self.lock.read_text())
        self.assertEqual(lock["plugins"]["two"]["platforms"]["any"]["sha256"], sha256(self.server.files["/two.tar.gz"]))
        self.assertEqual(lock["plugins"]["two"]["platforms"]["any"]["resolved"], f"{self.server.url}/two.tar.gz")
        self.assertEqual({n: r["state"] for n, r in self.installed().items()}, {"one": "installed", "two": "installed"})

    def test_a_second_run_asks_nobody_and_touches_nothing(self):
        self.publish("one")
        self.configure("one")
        self.install()
        before, asked = self.state(), len(self.server.requests)
        result = self.install("-o", "json").json()
        self.assertEqual(result["changes"], [])
        self.assertEqual(result["network_requests"], 0)
        self.assertEqual(len(self.server.requests), asked)
        self.assertEqual(before, self.state())

    def test_the_order_of_the_configuration_does_not_change_the_lock_file(self):
        for name in ("one", "two"):
            self.publish(name)
        self.configure("one", "two")
        self.install()
        first = self.lock.read_bytes()
        self.configure("two", "one")
        asked = len(self.server.requests)
        self.install()
        self.assertEqual(first, self.lock.read_bytes())
        self.assertEqual(len(self.server.requests), asked)

    def test_all_failures_are_told_at_once_and_nothing_is_changed(self):
        self.publish("one")
        self.configure("one")
        self.install()
        before = self.state()
        self.publish("two")
        self.server.files["/bad.tar.gz"] = b"this is no archive but text\n" * 40
        self.configure("one", "two", "  - {provider: web, path: bad.tar.gz, archive: tar.gz}\n", "gone")
        result = self.install(code=1)
        self.assertIn("2 plugins cannot be installed", result.err)
        self.assertIn("bad: ", result.err)
        self.assertIn("gone: ", result.err)
        self.assert_unchanged(before)
        error = self.install("-o", "json", code=1).json()["error"]
        self.assertIn("Nothing was changed", error["consequences"])

    def test_one_failure_keeps_its_own_exit_code(self):
        self.configure("gone")
        self.install(code=5)
        self.server.stop()
        self.configure("gone", provider="    retries: 0\n")
        self.install(code=8)
        self.server = PluginServer()

    def test_what_left_the_configuration_leaves_the_disk_unless_it_may_stay(self):
        for name in ("one", "two"):
            self.publish(name)
        self.configure("one", "two")
        self.install()
        self.configure("one")
        self.install("--no-prune")
        self.assertEqual(set(self.installed()), {"one", "two"})
        self.assertIn("remove two", self.install().out)
        self.assertEqual(set(self.installed()), {"one"})
        self.assertFalse((self.current() / "two").exists())

    def test_a_dry_run_and_a_check_tell_and_change_nothing(self):
        self.publish("one")
        self.configure("one")
        self.assertEqual(self.install("--dry-run").out, "add one\n")
        self.assertIn("add one", self.install("--check", code=3).err)
        self.assertEqual(self.server.requests, [])
        self.assertEqual(self.state(), {})
        self.install()
        self.assertEqual(self.install("--check").out, "")
        (self.current() / "one/data.txt").write_text("edited")
        self.assertIn("change one", self.install("--check", code=3).err)

    def test_files_that_somebody_edited_are_put_back_without_a_network(self):
        self.publish("one")
        self.configure("one")
        self.install()
        (self.current() / "one/data.txt").write_text("edited")
        (self.current() / "one/more.txt").write_text("extra")
        drift = self.vdk("plugin", "verify", code=3)
        self.assertIn("data.txt", drift.out)
        self.assertIn("more.txt", drift.out)
        asked = len(self.server.requests)
        self.install()
        self.assertEqual(len(self.server.requests), asked)
        self.assertEqual(self.text_of("one"), "hello\n")
        self.assertTrue(self.vdk("plugin", "verify", "-o", "json").json()["clean"])

    def test_damaged_files_of_the_folder_itself_are_written_anew(self):
        self.publish("one")
        self.configure("one")
        self.install()
        damages = (lambda: (self.current() / "receipt.json").write_text("{"),
                   lambda: (self.current() / "receipt.json").unlink(),
                   lambda: [p.write_text("x") for p in self.current().iterdir() if p.is_file()],
                   lambda: shutil.rmtree(self.current().resolve()))
        for damage in damages:
            damage()
            self.install()
            self.assertEqual(self.text_of("one"), "hello\n")
            self.vdk("plugin", "verify")

    def test_a_yaml_plugin_that_nobody_can_use_is_told_when_it_is_installed(self):
        self.server.files["/x.tar.gz"] = tar_gz({"plugin.yaml": "name: x\nimge: y\n", "other.yaml": "[]"})
        self.configure("x")
        result = self.install()
        self.assertRegex(result.err, r"x: plugin\.yaml:\d+ is no usable YAML plugin: ")
        self.assertNotIn("other.yaml", result.err)

    def test_the_lock_file_of_local_files_is_the_same_in_every_checkout(self):
        locks = []
        for name in ("a", "b"):
            root = self.dir / name
            (root / "files").mkdir(parents=True)
            (root / "files/one.tar.gz").write_bytes(tar_gz({"x": "1"}))
            (root / "vdk-plugins.yaml").write_text("plugins:\n  providers: [{type: file, name: here, path: files}]\n"
                                                   "  plugins: [{provider: here, path: one.tar.gz}]\n")
            self.install("-c", root / "vdk-plugins.yaml")
            locks.append((root / "vdk-plugins.lock").read_text())
        self.assertEqual(*locks)

    def test_a_plugin_may_be_one_yaml_file_a_zip_or_a_part_of_an_archive(self):
        self.server.files["/optimus-plugin-echo.yaml"] = YAML.format("echo").encode()
        self.server.files["/neo.zip"] = zip_file({"top/a.yaml": YAML.format("a"), "top/b.yaml": YAML.format("b"), "top/x": "x"})
        self.configure("  - {provider: web, path: optimus-plugin-echo.yaml, name: echo}\n",
                       "  - {provider: web, path: neo.zip, strip_components: 1, include: ['**/*.yaml', '*.yaml']}\n")
        self.install()
        self.assertEqual(self.text_of("echo", "optimus-plugin-echo.yaml"), YAML.format("echo"))
        self.assertEqual(sorted(p.name for p in (self.current() / "neo").iterdir()), ["a.yaml", "b.yaml"])

    def test_a_file_keeps_a_name_that_an_address_could_not_have(self):
        for name in ("a&b ?[1].yaml", "fo o#%20.yaml"):
            with self.subTest(name=name):
                (self.dir / "odd").mkdir(exist_ok=True)
                (self.dir / "odd" / name).write_text(YAML.format("odd"))
                self.config.write_text("plugins:\n  providers:\n  - {name: here, type: file, path: odd}\n  plugins:\n"
                                       f"  - {{name: odd, provider: here, path: {json.dumps(name)}}}\n")
                self.install()
                self.assertEqual(self.text_of("odd", name), YAML.format("odd"))
                vendored = self.dir / ("vendored" + name[:2])
                self.vdk("plugin", "vendor", vendored, "-c", self.config)
                self.assertTrue((vendored / "odd" / name).is_file())

    def test_the_flat_list_of_the_older_tool_installs(self):
        data = self.publish("one")
        self.publish("two")
        (self.dir / "files").mkdir()
        (self.dir / "files/three.yaml").write_text(YAML.format("three"))
        self.config.write_text(f"plugin:\n  artifacts:\n  - {self.server.url}/one.tar.gz?checksum=sha256:{sha256(data)}\n"
                               f"  - {self.server.url}/two.tar.gz\n  - ./files/three.yaml\n")
        self.install()
        self.assertEqual(set(self.installed()), {"one", "two", "three"})
        self.config.write_text(f"plugin:\n  artifacts:\n  - {self.server.url}/one.tar.gz?checksum=sha256:{'0' * 64}\n")
        self.assertIn("does not have the sha256 of the configuration", self.install("--upgrade", code=1).err)

    def test_an_empty_list_removes_everything(self):
        self.publish("one")
        self.configure("one")
        self.install()
        self.configure()
        self.assertIn("remove one", self.install().out)
        self.assertEqual(self.installed(), {})

    def test_progress_is_shown_on_a_terminal_only(self):
        def slow(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            for i in range(0, len(data), len(data) // 4):
                handler.wfile.write(data[i:i + len(data) // 4])
                handler.wfile.flush()
                time.sleep(0.12)
        data = tar_gz({"x": os.urandom(400_000)})
        self.server.files["/slow.tar.gz"] = slow
        self.configure("slow")
        code, screen = self.on_terminal("plugin", "install")
        self.assertEqual(code, 0, screen)
        self.assertIn("Fetching slow", screen)
        shutil.rmtree(self.folder)
        self.lock.unlink()
        self.assertNotIn("Fetching", self.install().err)


class LockFile(PluginTest):
    def test_changed_bytes_under_the_same_address_are_refused_and_upgrade_takes_them(self):
        self.publish("one", "first\n")
        self.configure("one")
        self.install()
        before = self.state()
        shutil.rmtree(self.folder)
        self.drop_cache()
        self.publish("one", "second\n")
        result = self.install(code=1)
        self.assertIn("is not the one that was locked", result.err)
        self.assertIn("vdk plugin upgrade one", result.err)
        self.assertEqual(self.lock.read_bytes(), before[str(self.lock)])
        self.assertFalse(self.current().exists())
        self.vdk("plugin", "upgrade", "one")
        self.assertEqual(self.text_of("one"), "second\n")
        self.assertNotEqual(self.lock.read_bytes(), before[str(self.lock)])

    def test_another_machine_gets_the_same_bytes_or_an_error(self):
        self.publish("one")
        self.configure("one")
        self.install()
        lock = self.lock.read_bytes()
        shutil.rmtree(self.folder)
        self.drop_cache()
        self.install("--locked")
        self.assertEqual(lock, self.lock.read_bytes())
        self.assertEqual(self.text_of("one"), "hello\n")

    def test_locked_wants_a_lock_file_that_says_everything(self):
        self.publish("one")
        self.publish("two")
        self.configure("one")
        self.assertIn("there is no lock file", self.install("--locked", code=2).err)
        self.install()
        self.configure("one", "two")
        before = self.state()
        self.assertIn("'two'", self.install("--locked", code=2).err)
        self.assert_unchanged(before)
        self.install("--locked", "--upgrade", code=2)

    def test_locked_never_writes_the_lock_file_and_believes_no_other_version(self):
        self.publish("one")
        self.configure("  - {provider: web, path: one.tar.gz, version: '1.0'}\n")
        self.install()
        lock = json.loads(self.lock.read_text())
        self.lock.write_text(json.dumps(lock))  # laid out by hand
        shutil.rmtree(self.folder)
        self.install("--locked")
        self.assertEqual(self.lock.read_text(), json.dumps(lock))
        lock["plugins"]["one"]["version"] = "9.9"
        self.lock.write_text(json.dumps(lock))
        self.publish("one", "other\n")
        shutil.rmtree(self.folder)
        self.install("--locked", code=2)
        self.assertFalse(self.current().exists())

    def test_offline_uses_the_cache_and_nothing_else(self):
        self.publish("one")
        self.configure("one")
        self.install()
        shutil.rmtree(self.folder)
        asked = len(self.server.requests)
        self.install("--offline")
        self.assertEqual(self.text_of("one"), "hello\n")
        self.publish("two")
        self.configure("one", "two")
        self.assertIn("cannot be installed offline", self.install("--offline", code=5).err)
        self.assertEqual(len(self.server.requests), asked)

    def test_a_spoilt_cache_is_noticed_and_fetched_again(self):
        self.publish("one")
        self.configure("one")
        self.install()
        shutil.rmtree(self.folder)
        (cached,) = [p for p in (self.home / ".cache").rglob("*") if p.is_file() and len(p.name) == 64]
        cached.chmod(0o644)
        cached.write_bytes(b"spoilt")
        self.install()
        self.assertEqual(self.text_of("one"), "hello\n")

    def test_hashes_of_other_platforms_are_locked_and_survive(self):
        for platform in ("linux-amd64", "linux-arm64"):
            self.server.files[f"/x-1.0-{platform}.tar.gz"] = tar_gz({"data.txt": platform})
        entry = "  - {provider: web, path: 'x-{version}-{os}-{arch}.tar.gz', name: x, version: '1.0'%s}\n"
        self.configure(entry % ", platforms: [linux/amd64, linux/arm64]")
        self.install()
        lock = json.loads(self.lock.read_text())
        self.assertEqual(sorted(lock["plugins"]["x"]["platforms"]), ["linux/amd64", "linux/arm64"])
        own = {"x86_64": "linux-amd64", "aarch64": "linux-arm64"}[os.uname().machine]
        self.assertEqual((self.current() / "x/1.0/data.txt").read_text(), own)
        platforms = lock["plugins"]["x"]["platforms"]
        self.assertNotEqual(platforms["linux/amd64"]["tree_sha256"], platforms["linux/arm64"]["tree_sha256"])
        self.configure(entry % "")
        self.install()
        self.assertEqual(json.loads(self.lock.read_text())["plugins"]["x"]["platforms"], platforms)
        self.configure(entry % ", platforms: [plan9/mips]")
        self.assertIn("is not made for this machine", self.install(code=1).err)

    def test_a_damaged_lock_file_is_an_error_with_its_place(self):
        self.publish("one")
        self.configure("one")
        self.install()
        good = self.lock.read_text()
        before = snapshot(self.folder)
        for spoil, line, message in (
                (good.replace('"size"', '"seize"'), None, "the key 'seize' is unknown"),
                (good[:len(good) // 2], None, "is not JSON from here on"),
                (good.replace("{", "<<<<<<< HEAD\n{", 1), 1, "conflict marks"),
                (good.replace('"version": 1', '"version": 9'), 15, "it has version 9"),
                (good.replace('"one": {', '"../one": {'), None, "is no name of a plugin"),
                (good.replace('"sha256": "', '"sha256": "zz'), None, "64 hexadecimal digits"),
                (good.replace('"config"', '"version": 1, "config"'), None, "stands in it twice")):
            self.lock.write_text(spoil)
            result = self.install(code=2)
            self.assertIn(message, result.err)
            self.assertIn("vdk-plugins.lock", result.err)
        self.assertEqual(before, snapshot(self.folder))
        self.lock.write_text(good)
        self.install("--locked")

    def test_configuration_and_lock_file_that_disagree_about_a_hash(self):
        data = self.publish("one")
        self.configure("one")
        self.install()
        self.configure(f"  - {{provider: web, path: one.tar.gz, sha256: {sha256(data)}}}\n")
        self.install()
        self.configure(f"  - {{provider: web, path: one.tar.gz, sha256: {'0' * 64}}}\n")
        self.assertIn("disagree about plugin 'one'", self.install(code=6).err)

    def test_the_lock_file_may_lie_elsewhere(self):
        self.publish("one")
        (self.dir / "state").mkdir()
        self.configure("one", extra="  lock_file: state/my.lock\n")
        self.install()
        self.assertTrue((self.dir / "state/my.lock").exists())
        self.assertFalse(self.lock.exists())


class Versions(PluginTest):
    def setUp(self):
        super().setUp()
        self.release("1.0.0", "1.2.0", "2.0.0-rc.1")

    def release(self, *versions):
        for version in versions:
            self.server.files[f"/tool-{version}.tar.gz"] = tar_gz({"data.txt": version})
        known = [p[len("/tool-"):-len(".tar.gz")] for p in self.server.files if p.startswith("/tool-")]
        self.server.files["/versions.json"] = json.dumps(known).encode()

    def want(self, version):
        self.configure(f"  - {{provider: web, path: 'tool-{{version}}.tar.gz', version: '{version}'}}\n")

    def test_a_constraint_takes_the_newest_and_the_lock_file_holds_it(self):
        self.want("^1")
        self.assertEqual(self.install().out, "add tool 1.2.0\n")
        self.release("1.3.0")
        asked = len(self.server.requests)
        self.install()
        self.assertEqual(len(self.server.requests), asked)
        rows = self.vdk("plugin", "outdated", "-o", "json").json()
        self.assertEqual(rows, [{"name": "tool", "installed": "1.2.0", "wanted": "1.3.0", "newest": "1.3.0",
                                 "outdated": True}])
        self.vdk("plugin", "outdated", "--check", code=3)
        self.assertEqual(self.vdk("plugin", "upgrade", "--dry-run").out, "change tool 1.2.0 -> 1.3.0\n")
        self.assertEqual(self.vdk("plugin", "upgrade").out, "change tool 1.2.0 -> 1.3.0\n")
        self.vdk("plugin", "outdated", "--check")
        self.assertEqual((self.current() / "tool/1.3.0/data.txt").read_text(), "1.3.0")

    def test_a_version_that_fits_no_more_is_resolved_anew_and_one_that_does_is_kept(self):
        self.want("~1.0")
        self.install()
        self.want(">=1")
        self.assertEqual(self.install().out, "")
        self.want("^2.0.0-rc.0")
        self.assertEqual(self.install().out, "change tool 1.0.0 -> 2.0.0-rc.1\n")
        self.want("^7")
        self.assertIn("has no version that fits ^7", self.install(code=5).err)

    def test_upgrade_of_one_leaves_the_others(self):
        self.server.files["/other/versions.json"] = b'["1.0"]'
        self.server.files["/other/x-1.0.tar.gz"] = tar_gz({"x": "1"})
        self.configure("  - {provider: web, path: 'tool-{version}.tar.gz', version: '^1'}\n",
                       "  - {provider: web, path: 'other/x-{version}.tar.gz', version: '*'}\n")
        self.install()
        self.release("1.9.0")
        self.server.files["/other/x-1.5.tar.gz"] = tar_gz({"x": "2"})
        self.server.files["/other/versions.json"] = b'["1.0", "1.5"]'
        self.assertEqual(self.vdk("plugin", "upgrade", "x").out, "change x 1.0 -> 1.5\n")
        self.assertIn("Did you mean 'tool'?", self.vdk("plugin", "upgrade", "tol", code=5).err)

    def test_rollback_goes_back_and_install_forward(self):
        self.want("1.0.0")
        self.install()
        self.want("1.2.0")
        self.install()
        self.vdk("plugin", "rollback")
        self.assertTrue((self.current() / "tool/1.0.0/data.txt").exists())
        rows = self.vdk("plugin", "rollback", "--list", "-o", "json").json()
        self.assertEqual([row["current"] for row in rows], [True, False])
        self.assertIn("no older installation", self.vdk("plugin", "rollback", code=5).err)
        self.vdk("plugin", "rollback", "--to", "99", code=5)
        self.install()
        self.assertTrue((self.current() / "tool/1.2.0/data.txt").exists())
        for version in ("1.0.0", "1.2.0", "1.0.0"):
            self.want(version)
            self.install()
        self.assertEqual(len(self.vdk("plugin", "rollback", "--list", "-o", "json").json()), 3)


class Policy(PluginTest):
    def test_a_demanded_checksum_must_be_known_before_anything_is_fetched(self):
        data = self.publish("one")
        policy = "  policy: {require_checksum: true}\n"
        self.configure("one", extra=policy)
        self.assertIn("require_checksum", self.install(code=2).err)
        self.assertEqual(self.server.requests, [])
        self.configure(f"  - {{provider: web, path: one.tar.gz, sha256: {sha256(data)}}}\n", extra=policy)
        self.install()
        self.configure("one", extra=policy)
        self.install()  # the lock file knows it

    def test_limits_of_the_configuration_hold(self):
        self.publish("one", "x" * 100_000)
        self.configure("one", extra="  policy: {limits: {unpacked_bytes: 1000}}\n")
        self.assertIn("larger than 1000 bytes", self.install(code=1).err)
        self.assertFalse(self.current().exists())

    def test_no_secret_is_written_or_said(self):
        self.server.token = "s3cr3t-value"
        self.publish("one")
        for auth in ("env:TOKEN", "file:token", "s3cr3t-value", "base64:czNjcjN0LXZhbHVl"):
            (self.dir / "token").write_text("s3cr3t-value\n")
            (self.dir / "token").chmod(0o600)
            self.configure("one", provider=f"    auth: {auth}\n")
            outputs = [self.install("-v", "DEBUG", env={"TOKEN": "s3cr3t-value"}),
                       self.vdk("plugin", "info", "one", "-o", "json"),
                       self.vdk("plugin", "list", "-o", "json")]
            self.assertEqual("a secret stands in the file" in outputs[0].err, not auth.startswith(("env:", "file:")))
            for output in outputs:
                self.assertNotIn("s3cr3t", output.out + output.err)
            for path in [self.lock, *self.folder.rglob("*"), *(self.home / ".cache").rglob("*")]:
                if path.is_file():
                    self.assertNotIn(b"s3cr3t", path.read_bytes(), path)
            shutil.rmtree(self.folder)
            self.lock.unlink()
            self.drop_cache()
        self.configure("one", provider="    auth: env:NOT_SET\n")
        self.assertIn("NOT_SET", self.install(code=2).err)
        self.configure("one", provider="    auth: env:TOKEN\n")
        wrong = self.install(code=4, env={"TOKEN": "wr0ng"})
        self.assertNotIn("wr0ng", wrong.out + wrong.err)


@unittest.skipUnless(shutil.which("minisign"), "minisign is not installed")
class Signatures(PluginTest):
    def key(self, name):
        subprocess.run(["minisign", "-G", "-W", "-f", "-p", f"{name}.pub", "-s", f"{name}.key"], cwd=self.dir, check=True,
                       capture_output=True)
        return (self.dir / f"{name}.pub").read_text().splitlines()[1]

    def sign(self, plugin, key):
        file = self.dir / "to-sign"
        file.write_bytes(self.server.files[f"/{plugin}.tar.gz"])
        subprocess.run(["minisign", "-S", "-s", f"{key}.key", "-m", "to-sign", "-x", "out.minisig"], cwd=self.dir, check=True,
                       capture_output=True)
        self.server.files[f"/{plugin}.tar.gz.minisig"] = (self.dir / "out.minisig").read_bytes()

    def test_signatures_are_checked_and_their_key_is_remembered(self):
        keys = {name: self.key(name) for name in ("a", "b")}
        provider = f"    trusted_keys: [{keys['a']}, {keys['b']}]\n"
        signed = "  - {provider: web, path: one.tar.gz, signature: true}\n"
        self.publish("one")
        self.configure(signed, provider=provider)
        self.install(code=5)  # no signature there: never a warning
        self.sign("one", "a")
        self.install()
        lock = json.loads(self.lock.read_text())["plugins"]["one"]
        self.assertTrue(lock["signer"])
        before = self.state()
        self.publish("one", "other\n")
        self.assertIn("one", self.vdk("plugin", "upgrade", code=1).err)  # the old signature does not fit
        self.sign("one", "b")
        self.assertIn("signed by another key", self.vdk("plugin", "upgrade", code=6).err)
        self.assert_unchanged(before)
        self.vdk("plugin", "upgrade", "--accept-new-signer")
        self.assertNotEqual(json.loads(self.lock.read_text())["plugins"]["one"]["signer"], lock["signer"])
        self.configure("one", provider=provider)
        self.assertIn("was signed and now is not", self.install(code=6).err)
        self.configure(signed, provider=f"    trusted_keys: [{keys['a']}]\n")
        self.install(code=1)  # the key is not trusted any more
        self.configure(signed, provider=provider)
        asked = len(self.server.requests)
        shutil.rmtree(self.folder)
        self.install("--offline")
        self.assertEqual(len(self.server.requests), asked)

    def test_a_policy_that_demands_signatures_fails_closed(self):
        self.publish("one")
        self.configure("one", extra="  policy: {require_signature: true}\n")
        self.assertIn("this plugin has none", self.install(code=2).err)


class Trouble(PluginTest):
    points = ("plugin.unpack.file", "plugin.store.described", "plugin.store.renamed", "plugin.store.switched",
              "plugin.install.unpacked", "plugin.install.staged", "plugin.install.locked", "plugin.install.done")

    def test_killed_anywhere_the_old_or_the_new_state_is_whole_and_a_rerun_repairs(self):
        for point in self.points:
            with self.subTest(point):
                shutil.rmtree(self.folder, ignore_errors=True)
                self.lock.unlink(missing_ok=True)
                self.publish("one", "old\n")
                self.publish("two", "old\n")
                self.configure("one", "two")
                self.install()
                for name in ("one", "two"):
                    self.publish(name, "new\n")
                killed = self.run_vdk("plugin", "upgrade", env={"VDK_FAILPOINT": point})
                self.assertEqual(killed.code, -signal.SIGKILL, killed)
                self.assertEqual(self.text_of("one"), self.text_of("two"))
                self.vdk("plugin", "verify")
                self.vdk("plugin", "upgrade")
                self.assertEqual((self.text_of("one"), self.text_of("two")), ("new\n", "new\n"))
                self.install("--locked", "--check")
                self.assertEqual([p.name for p in self.folder.glob(".staging/*")], [])

    def test_a_lock_file_that_is_ahead_is_caught_up_without_a_network(self):
        self.publish("one")
        self.configure("one")
        self.run_vdk("plugin", "install", env={"VDK_FAILPOINT": "plugin.install.locked"})
        self.assertTrue(self.lock.exists())
        self.assertFalse(self.current().exists())
        asked = len(self.server.requests)
        self.install("--locked")
        self.assertEqual(len(self.server.requests), asked)

    def stuck(self, name="stuck"):
        """A plugin whose server never finishes."""
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            handler.wfile.write(b"\x1f\x8b" + b"x" * 1000)
            handler.wfile.flush()
            started.append(1)
            time.sleep(20)
        started = []
        self.server.files[f"/{name}.tar.gz"] = answer
        return started

    def start_install(self, *args):
        return subprocess.Popen([str(BINARY), "plugin", "install", *args], env=self.env(), cwd=self.dir,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_ctrl_c_ends_it_cleanly(self):
        self.publish("one")
        self.configure("one")
        self.install()
        before = self.state()
        started = self.stuck()
        self.configure("one", "stuck")
        process = self.start_install()
        self.wait_until(lambda: started, 20, "the request")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("interrupted", err)
        self.assert_unchanged(before)
        self.assertEqual([p for p in (self.home / ".cache").rglob("fetch.*")], [])

    def test_one_writer_at_a_time_and_the_other_is_told_who_it_is(self):
        started = self.stuck()
        self.configure("stuck")
        process = self.start_install()
        self.wait_until(lambda: started, 20, "the request")
        refused = self.install("--lock-wait", "0", code=6)
        self.assertIn(str(process.pid), refused.err)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    def test_eight_at_once_agree(self):
        names = [f"p{i}" for i in range(6)]
        for name in names:
            self.publish(name)
        self.configure(*names)
        processes = [self.start_install() for _ in range(8)]
        for process in processes:
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
        self.assertEqual(set(self.installed()), set(names))
        self.assertEqual(len(self.vdk("plugin", "rollback", "--list", "-o", "json").json()), 1)
        self.vdk("plugin", "verify")

    def test_a_full_disk_leaves_what_was_there(self):
        small = self.dir / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], capture_output=True).returncode:
            self.skipTest("cannot mount a small disk here")
        self.addCleanup(lambda: subprocess.run(["umount", small], capture_output=True))
        self.folder = small / "plugins"
        self.publish("one")
        self.configure("one", extra=f"  plugin_dir: {self.folder}\n")
        self.install()
        before = self.state()
        self.publish("big", os.urandom(7_000_000).hex())
        self.configure("one", "big", extra=f"  plugin_dir: {self.folder}\n")
        self.assertIn("No space left", self.install(code=1).err)
        self.assert_unchanged(before)
        self.configure("one", extra=f"  plugin_dir: {self.folder}\n")
        self.install()
        self.vdk("plugin", "verify")

    def test_the_folder_may_lie_on_another_disk(self):
        other = pathlib.Path("/dev/shm")
        if not os.access(other, os.W_OK) or other.stat().st_dev == self.dir.stat().st_dev:
            self.skipTest("there is no second file system")
        import tempfile
        with tempfile.TemporaryDirectory(dir=other) as folder:
            self.folder = pathlib.Path(folder) / "plugins"
            self.publish("one")
            self.configure("one", extra=f"  plugin_dir: {self.folder}\n")
            self.install()
            self.assertEqual(self.text_of("one"), "hello\n")

    def test_a_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            (self.dir / "file").write_text("")  # nothing is read-only for root
            target = "file/plugins"
        else:
            (self.dir / "closed").mkdir(mode=0o500)
            target = "closed/plugins"
        self.publish("one")
        self.configure("one", extra=f"  plugin_dir: {target}\n")
        self.install(code=1)
        self.assertFalse(self.lock.exists())

    def test_without_a_home(self):
        self.publish("one")
        self.configure("one")
        env = self.env({"XDG_CACHE_HOME": str(self.dir / "cache")})
        del env["HOME"]
        done = subprocess.run([str(BINARY), "plugin", "install"], env=env, cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_two_configurations_do_not_wipe_each_other(self):
        self.publish("one")
        self.publish("two")
        self.configure("one")
        self.install()
        before = self.state()
        (self.dir / "other").mkdir()
        first = self.config
        self.config = self.dir / "other/vdk-plugins.yaml"
        self.configure("two", extra="  plugin_dir: ../.plugins\n")
        refused = self.install("-c", "other/vdk-plugins.yaml", code=6)
        self.assertIn(str(first), refused.err)
        self.assert_unchanged(before)
        self.install("-c", "other/vdk-plugins.yaml", "--no-prune")
        self.assertEqual({p.name for p in self.current().iterdir() if p.is_dir()}, {"one", "two"})


class Commands(PluginTest):
    def test_uninstall_removes_the_entry_and_keeps_every_comment(self):
        for name in ("one", "two", "three"):
            self.publish(name)
        head = f"# my plugins\nplugins:\n  providers:\n  - {{type: http, name: web, url: '{self.server.url}'}}\n  plugins:\n"
        one = "  # the first\n  - provider: web   # from the web\n    path: one.tar.gz\n"
        two = "  -\n    provider: web\n    # inside\n    path: two.tar.gz\n"
        three = "\n  # the last\n  - provider: web\n    path: three.tar.gz\n# end\n"
        self.config.write_text(head + one + two + three)
        self.config.chmod(0o640)
        self.install()
        self.assertEqual(self.vdk("plugin", "uninstall", "two", "--dry-run").out, "remove two\n")
        self.assertEqual(self.vdk("plugin", "uninstall", "two").out, "remove two\n")
        self.assertEqual(self.config.read_text(), head + one + three)
        self.assertEqual(self.config.stat().st_mode & 0o777, 0o640)
        self.assertEqual(set(self.installed()), {"one", "three"})
        self.vdk("plugin", "uninstall", "one", "three")
        self.assertEqual(self.config.read_text(), head + "  # the first\n" + "\n  # the last\n# end\n")
        self.assertEqual(self.installed(), {})

    def test_uninstall_changes_nothing_that_it_cannot_do_well(self):
        self.publish("one")
        self.config.write_text(f"plugins: {{providers: [{{type: http, name: web, url: '{self.server.url}'}}],\n"
                               "  plugins: [{provider: web, path: one.tar.gz}]}\n")
        self.install()
        before, text = self.state(), self.config.read_text()
        refused = self.vdk("plugin", "uninstall", "one", code=1)
        self.assertIn("vdk-plugins.yaml:2", refused.err)
        self.vdk("plugin", "uninstall", "none", code=5)
        self.assertEqual(self.config.read_text(), text)
        self.assert_unchanged(before)

    def test_uninstall_puts_the_configuration_back_when_the_rest_cannot_be_installed(self):
        self.publish("one")
        self.configure("one")
        self.install()
        self.configure("one", "gone")
        text = self.config.read_text()
        self.vdk("plugin", "uninstall", "one", code=5)
        self.assertEqual(self.config.read_text(), text)

    def test_vendor_makes_a_folder_that_installs_without_a_network(self):
        self.publish("one")
        for platform in ("linux-amd64", "linux-arm64"):
            self.server.files[f"/x-2.0-{platform}.tar.gz"] = tar_gz({"bin/x": platform}, mode=0o755)
        self.configure("one", "  - {provider: web, path: 'x-{version}-{os}-{arch}.tar.gz', name: x, version: '2.0', "
                              "platforms: [linux/amd64, linux/arm64], strip_components: 1}\n")
        self.vdk("plugin", "vendor", "out", code=2)
        self.install()
        result = self.vdk("plugin", "vendor", "out", "-o", "json").json()
        self.assertEqual(result["files"], 3)
        self.vdk("plugin", "vendor", "out", code=6)
        self.drop_cache()
        asked = len(self.server.requests)
        self.vdk("plugin", "install", "-c", "out/vdk-plugins.yaml")
        self.assertEqual(len(self.server.requests), asked)
        self.assertEqual(snapshot(self.current().resolve() / "x").values().__len__(),
                         snapshot((self.dir / "out/.plugins/current").resolve() / "x").values().__len__())
        self.assertTrue(os.access(self.dir / "out/.plugins/current/x/2.0/x", os.X_OK))
        file = next((self.dir / "out/one").rglob("*.tar.gz"))
        file.write_bytes(file.read_bytes() + b"x")
        shutil.rmtree(self.dir / "out/.plugins")
        self.drop_cache()
        self.vdk("plugin", "install", "-c", "out/vdk-plugins.yaml", code=1)

    def test_list_and_info_tell_what_is_wanted_and_what_is_there(self):
        self.publish("one")
        self.configure("one")
        rows = self.installed()
        self.assertEqual(rows["one"]["state"], "not installed")
        self.install()
        self.publish("two")
        self.configure("two")
        states = {name: row["state"] for name, row in self.installed().items()}
        self.assertEqual(states, {"one": "not configured", "two": "not installed"})
        record = self.vdk("plugin", "info", "one", "-o", "json").json()
        self.assertEqual(record["locked"]["files"][0]["sha256"], record["installed"][0]["archive_sha256"])
        self.assertTrue(pathlib.Path(record["installed"][0]["folder"]).is_dir())
        self.assertRegex(self.vdk("plugin", "info", "one").out, r"locked\.files\.sha256 +[0-9a-f]{64}\n")
        self.assertIn("did you mean 'one'", self.vdk("plugin", "info", "onne", code=5).err.lower())
        self.assertIn("one", self.vdk("plugin", "list", "--plugin-dir", self.folder, cwd=self.home).out)
        self.assertEqual(self.vdk("plugin", "list", cwd=self.home).out, "No Data.\n")
        shipped = {row["name"]: row["state"] for row in self.vdk("plugin", "list", "--all", "-o", "json", cwd=self.home).json()}
        self.assertEqual(shipped["run-command"], "built in")

    def test_validate_finds_mistakes_in_plugins_and_configuration(self):
        good = self.dir / "good.yaml"
        good.write_text(YAML.format("good"))
        self.assertIn("1 file checked, 0 mistakes", self.vdk("plugin", "validate", "--path", good).err)
        (self.dir / "folder").mkdir()
        (self.dir / "folder/bad.yaml").write_text("name: bad\nimge: x\n")
        shutil.copy(good, self.dir / "folder")
        result = self.vdk("plugin", "validate", "--path", "folder", "-o", "json", code=2).json()
        self.assertFalse(result["valid"])
        self.assertEqual(result["files"], 2)
        self.assertTrue(any(p["line"] == 2 for p in result["problems"]))
        self.vdk("plugin", "validate", "--path", "none", code=5)
        self.assertIn("--config", self.vdk("plugin", "validate", code=5).err)
        self.config.write_text("plugins:\n  plugin: []\n")
        self.assertIn("did you mean 'plugins'", self.vdk("plugin", "validate", code=2).err)
        (problem,) = self.vdk("plugin", "validate", "-o", "json", code=2).json()["problems"]
        self.assertEqual((problem["line"], problem["column"], problem["severity"]), (2, 3, "error"))
        self.publish("one")
        self.configure("one")
        self.install()
        self.assertIn("2 files checked", self.vdk("plugin", "validate").err)

    def test_the_cache_is_shown_and_emptied(self):
        self.publish("one")
        self.publish("two")
        self.configure("one", "two")
        self.install()
        self.assertEqual(self.vdk("plugin", "cache", "show", "-o", "json").json()["files"], 2)
        self.configure("one")
        self.install()
        self.assertEqual(self.vdk("plugin", "cache", "prune", "--dry-run", "-o", "json").json()["files"], 1)
        self.vdk("plugin", "cache", "prune")
        shown = self.vdk("plugin", "cache", "show", "-o", "json").json()
        self.assertEqual((shown["files"], shown["not_needed_files"]), (1, 0))
        self.vdk("plugin", "cache", "prune", "--all")
        self.assertEqual(self.vdk("plugin", "cache", "show", "-o", "json").json()["files"], 0)

    def test_wrong_usage_is_one_json_document(self):
        self.config.write_text("plugins: {providers: [{type: htp}]}\n")
        for args in (("install",), ("list",), ("install", "--parallel", "0"), ("cache",), ("cache", "nothing"), ("bogus",)):
            result = self.run_vdk("plugin", *args, "-o", "json")
            if args != ("cache",):
                self.assertEqual(result.code, 2, result)
                self.assertIn("error", result.json())
        self.assertIn("plugin cache prune", self.vdk("plugin", "cache", "--help").out)
        self.assertIn("plugin cache prune", self.vdk("plugin", "--help").out)


if __name__ == "__main__":
    unittest.main()
