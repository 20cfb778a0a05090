# SPDX-License-Identifier: Apache-2.0
"""Where plugins come from: S3, Google's storage, git and HTTP, each with logins, and where no secret may be found."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import unittest

from harness import VdkTest
from original import virtual_environment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from gcs_server import GcsServer  # noqa: E402
from git_http import GitServer  # noqa: E402
from plugin_source import PluginSource  # noqa: E402
from s3 import S3Server  # noqa: E402

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
EMULATOR_PACKAGES = "gcs", ["gcp-storage-emulator"]
YAML = "name: tool\nplugintype: task\npluginversion: {0}\nimage: example.com/tool:{0}\nentrypoint:\n  script: run\n"


class ProviderTest(VdkTest):
    def setUp(self):
        super().setUp()
        self.work = self.dir / "work"
        self.work.mkdir()

    def env(self, extra=None):
        return super().env({"no_proxy": "127.0.0.1", **(extra or {})})

    def configure(self, provider, *plugins, **more):
        """JSON is YAML too."""
        wanted = [{"provider": "source", **plugin} for plugin in plugins]
        (self.work / "vdk-plugins.yaml").write_text(
            json.dumps({"plugins": {"providers": [{"name": "source", **provider}], "plugins": wanted, **more}}))

    def install(self, *args, code=0, env=None, **kwargs):
        result = self.vdk("plugin", "install", "-v", "DEBUG", *args, code=code, env=env, cwd=self.work, **kwargs)
        with open(self.work / "output.log", "a") as log:
            log.write(result.out + result.err)
        return result

    def lock(self, name="tool"):
        (platform,) = json.loads((self.work / "vdk-plugins.lock").read_text())["plugins"][name]["platforms"].values()
        return platform

    def locked_version(self, name="tool"):
        return json.loads((self.work / "vdk-plugins.lock").read_text())["plugins"][name]["version"]

    def text_of(self, file="data.txt"):
        (found,) = [path for path in (self.work / ".plugins/current").resolve().rglob(pathlib.Path(file).name)
                    if str(path).endswith("/" + file)]
        return found.read_text()

    def drop_cache(self):
        shutil.rmtree(self.home / ".cache", ignore_errors=True)

    def assert_hidden(self, *secrets):
        """None of them is in what was said or written: lock, receipts, plugins, cache, logs."""
        for folder in (self.work, self.home / ".cache"):
            for path in folder.rglob("*"):
                if path.is_file() and path.name != "vdk-plugins.yaml":
                    for secret in secrets:
                        self.assertNotIn(secret.encode(), path.read_bytes(), path)


class Http(ProviderTest):
    def setUp(self):
        super().setUp()
        (self.dir / "served").mkdir()
        (self.dir / "served/tool.yaml").write_text(YAML.format("1"))

    def source(self):
        source = PluginSource(self.dir / "served")
        source.__enter__()
        self.addCleanup(source.__exit__)
        return source

    def test_logins_come_from_outside_of_the_configuration_and_stay_out_of_everything(self):
        source = self.source()
        (self.dir / "token").write_text("secret\n")
        os.chmod(self.dir / "token", 0o600)
        (self.home / ".netrc").write_text("machine 127.0.0.1 login me password secret")
        os.chmod(self.home / ".netrc", 0o600)
        for path, auth in [("auth/basic/tool.yaml", {"type": "basic", "user": "me", "password": "env:MY_SECRET"}),
                           ("auth/bearer/tool.yaml", {"type": "bearer", "token": "file:../token"}),
                           ("auth/header/tool.yaml", {"type": "header", "name": "X-Key", "value": "env:MY_SECRET"}),
                           ("auth/basic/tool.yaml", {"type": "netrc"}),
                           ("auth/basic/tool.yaml", {"type": "netrc", "file": "../home/.netrc"})]:
            with self.subTest(auth["type"]):
                shutil.rmtree(self.work)
                self.work.mkdir()
                self.configure({"type": "http", "url": source.url(), "auth": auth}, {"name": "tool", "path": path})
                self.install(env={"MY_SECRET": "secret"})
                self.drop_cache()
                self.install(env={"MY_SECRET": "secret"})
                self.assert_hidden("secret", "bWU6c2VjcmV0")
                if auth["type"] != "netrc":
                    (self.work / "vdk-plugins.lock").unlink()
                    self.drop_cache()
                    (self.dir / "token").write_text("wrongly")
                    refused = self.install(code=4, env={"MY_SECRET": "wrongly"})
                    self.assertNotIn("wrongly", refused.err)
                    (self.dir / "token").write_text("secret\n")

    def test_a_secret_file_that_others_may_read_is_refused_before_anything_is_asked(self):
        source = self.source()
        (self.work / "token").write_text("secret")
        os.chmod(self.work / "token", 0o644)
        self.configure({"type": "http", "url": source.url(), "auth": {"type": "bearer", "token": "file:token"}},
                       {"name": "tool", "path": "files/tool.yaml"})
        self.assertIn("chmod 600", self.install(code=2).err)
        self.assertEqual(source.seen, [])

    def test_bad_answers_change_nothing_and_have_their_own_exit_codes(self):
        source = self.source()
        for path, code in {"files/none.zip": 5, "status/500": 8, "html": 1, "page": 1, "short/20/tool.yaml": 1,
                           "endless": 2, "loop": 1, "drip": 8, "to?http:%2F%2Ffiles.example.com%2Fx": 1}.items():
            with self.subTest(path):
                self.configure({"type": "http", "url": source.url(), "retries": 1, "timeout": 2},
                               {"name": "tool", "path": path}, policy={"limits": {"download_bytes": 1000000}})
                self.install(code=code)
                self.assertFalse((self.work / "vdk-plugins.lock").exists())
                self.assertFalse((self.work / ".plugins/current").exists())
        self.assertEqual([p for p in (self.home / ".cache/vdk/plugins").rglob("*") if p.is_file()], [])

    def test_a_signature_is_checked_with_the_key_of_its_provider(self):
        if not shutil.which("minisign"):
            self.skipTest("minisign is not installed")
        source = self.source()
        subprocess.run(["minisign", "-G", "-W", "-p", self.dir / "pub", "-s", self.dir / "sec"], check=True, capture_output=True)
        served = self.dir / "served/tool.yaml"
        subprocess.run(["minisign", "-S", "-s", self.dir / "sec", "-m", served], check=True, capture_output=True)
        comment, key = (self.dir / "pub").read_text().splitlines()
        plugin = {"name": "tool", "path": "files/tool.yaml", "signature": "files/tool.yaml.minisig"}
        self.configure({"type": "http", "url": source.url(), "trusted_keys": [key]}, plugin)
        self.install()
        receipt = json.loads((self.work / ".plugins/current/receipt.json").read_text())
        self.assertEqual(receipt["plugins"][0]["signer"], comment.split()[-1])
        shutil.rmtree(self.work / ".plugins")
        (self.work / "vdk-plugins.lock").unlink()
        served.write_text(served.read_text() + "# changed\n")
        self.assertIn("is not the one that the key", self.install(code=1).err)


class S3(ProviderTest):
    @classmethod
    def setUpClass(cls):
        cls.files = pathlib.Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        cls.addClassCleanup(shutil.rmtree, cls.files, ignore_errors=True)
        for name, text in {"tools/1.0.0/tool.yaml": YAML.format("1.0.0"), "tools/1.10.0/tool.yaml": YAML.format("1.10.0"),
                           "tools/1.9.0/tool.yaml": YAML.format("1.9.0"), "tools/2.0.0/tool.yaml": YAML.format("2.0.0"),
                           "tools/1.10.0/notes & more.txt": "x", "moving.txt": "first",
                           "with blank+plus & ü.txt": "names"}.items():
            (cls.files / name).parent.mkdir(parents=True, exist_ok=True)
            (cls.files / name).write_text(text)
        cls.moto = S3Server(cls.files)
        cls.addClassCleanup(cls.moto.stop)
        cls.server = cls.moto.said

    def put(self, key, text):
        (self.dir / "upload").write_text(text)
        self.moto.put(key, self.dir / "upload")

    def provider(self, auth=None, **more):
        return {"type": "s3", "bucket": "plugins", "endpoint": f"http://127.0.0.1:{self.server['port']}", "retries": 0,
                **({"auth": {"type": "sigv4", **auth}} if auth is not None else {}), **more}

    def keys(self):
        return {"access_key": self.server["access_key"], "secret_key": "env:MY_SECRET"}

    @property
    def secret(self):
        return self.server["secret_key"]

    def test_a_signed_request_fetches_and_the_newest_fitting_version_is_found_over_several_pages(self):
        self.configure(self.provider(self.keys(), prefix="tools/"), {"name": "tool", "path": "{version}/tool.yaml", "version": "^1.0"})
        self.install(env={"MY_SECRET": self.secret})
        self.assertEqual(self.locked_version(), "1.10.0")
        self.assertEqual(self.lock()["resolved"], "s3://plugins/tools/1.10.0/tool.yaml")
        self.assert_hidden(self.secret)

    def test_strange_names_are_signed_as_they_are(self):
        self.configure(self.provider(self.keys()), {"name": "tool", "path": "with blank+plus & ü.txt"})
        self.install(env={"MY_SECRET": self.secret})
        self.assertEqual(self.text_of("with blank+plus & ü.txt"), "names")

    def test_the_locked_version_is_fetched_after_the_object_was_replaced(self):
        self.put("moving.txt", "first")
        self.configure(self.provider(self.keys()), {"name": "tool", "path": "moving.txt"})
        self.install(env={"MY_SECRET": self.secret})
        pin = self.lock()["pin"]
        self.assertTrue(pin)
        self.put("moving.txt", "second")
        shutil.rmtree(self.work / ".plugins")
        self.drop_cache()
        self.install(env={"MY_SECRET": self.secret})
        self.assertEqual(self.text_of("moving.txt"), "first")
        self.install("--upgrade", env={"MY_SECRET": self.secret})
        self.assertEqual(self.text_of("moving.txt"), "second")
        self.assertNotEqual(self.lock()["pin"], pin)

    def test_keys_come_from_the_environment_a_profile_or_a_session(self):
        session = self.server["session"]
        folder = self.home / ".aws"
        folder.mkdir()
        (folder / "credentials").write_text(f"[reader]\naws_access_key_id = {self.server['access_key']}\n"
                                            f"aws_secret_access_key = {self.secret}\n")
        os.chmod(folder / "credentials", 0o600)
        outside = {"AWS_ACCESS_KEY_ID": self.server["access_key"], "AWS_SECRET_ACCESS_KEY": self.secret}
        tried = [({}, outside), ({"profile": "reader"}, {}), ({}, {"AWS_PROFILE": "reader"}),
                 ({"access_key": session["access_key"], "secret_key": "env:KEY", "session_token": "env:TOKEN"},
                  {"KEY": session["secret_key"], "TOKEN": session["token"]})]
        for auth, env in tried:
            with self.subTest(auth=list(auth), env=list(env)):
                self.drop_cache()
                shutil.rmtree(self.work / ".plugins", ignore_errors=True)
                self.configure(self.provider(auth), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
                self.install(env=env)
        self.assert_hidden(self.secret, session["secret_key"], session["token"])
        os.chmod(folder / "credentials", 0o644)
        self.drop_cache()
        shutil.rmtree(self.work / ".plugins")
        self.configure(self.provider({"profile": "reader"}), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
        self.assertIn("chmod 600", self.install(code=2).err)

    def test_refusals_are_told_without_the_keys(self):
        for auth, path, env, code in [(self.keys(), "tools/1.0.0/tool.yaml", {"MY_SECRET": "wrong+" + "x" * 30}, 4),
                                      ({}, "tools/1.0.0/tool.yaml", {}, 2), (None, "tools/1.0.0/tool.yaml", {}, 4),
                                      (self.keys(), "tools/9/tool.yaml", {"MY_SECRET": self.secret}, 5)]:
            with self.subTest(auth=auth, path=path):
                self.configure(self.provider(auth), {"name": "tool", "path": path})
                self.install(code=code, env=env)
        self.assert_hidden(self.secret, "wrong+")

    def test_a_public_object_is_asked_for_without_keys(self):
        """moto answers 500 to that while it checks signatures."""
        (self.dir / "tool.yaml").write_text(YAML.format("1"))
        with PluginSource(self.dir) as source:
            self.configure({"type": "s3", "bucket": "files", "endpoint": source.url().rstrip("/")}, {"name": "tool", "path": "tool.yaml"})
            self.install(env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
            (asked,) = source.seen
        self.assertEqual(asked["path"], "/files/tool.yaml")
        self.assertEqual([name for name in asked["headers"] if name.startswith("x-amz") or name == "authorization"], [])


class Gcs(ProviderTest):
    def setUp(self):
        super().setUp()
        server = GcsServer(self.dir / "gcs")
        self.server = server.__enter__()
        self.addCleanup(server.__exit__)
        for version in ("1.0.0", "1.9.0", "1.10.0", "2.0.0"):
            self.server.put(f"tools/{version}/tool.yaml", YAML.format(version).encode())

    def provider(self, **more):
        return {"type": "gcs", "bucket": "plugins", "endpoint": self.server.url, "retries": 0, **more}

    def key_file(self, **changes):
        (self.dir / "account.json").write_text(self.server.account(**changes))
        os.chmod(self.dir / "account.json", 0o600)
        return f"file:{self.dir}/account.json"

    def test_a_service_account_signs_in_once_and_the_newest_fitting_version_is_found(self):
        self.configure(self.provider(service_account=self.key_file(), prefix="tools/"),
                       {"name": "tool", "path": "{version}/tool.yaml", "version": "^1.0"})
        self.install()
        self.assertEqual(self.locked_version(), "1.10.0")
        self.assertEqual(self.lock()["resolved"], "gs://plugins/tools/1.10.0/tool.yaml")
        (token,) = self.server.server.tokens
        self.assert_hidden(token, "PRIVATE KEY", (self.dir / "gcs/key.pem").read_text().splitlines()[1])

    def test_the_base64_of_the_rfc_works_with_a_warning(self):
        import base64
        account = base64.b64encode(self.server.account().encode()).decode()
        self.configure(self.provider(service_account=account), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
        self.assertIn("warning", self.install().err)
        self.assert_hidden(account)

    def test_the_locked_generation_is_fetched_after_the_object_was_replaced(self):
        self.configure(self.provider(service_account=self.key_file()), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
        self.install()
        self.assertEqual(self.lock()["pin"], "1700000000000000")
        self.server.put("tools/1.0.0/tool.yaml", YAML.format("changed").encode())
        shutil.rmtree(self.work / ".plugins")
        self.drop_cache()
        self.install()
        self.assertIn("1.0.0", self.text_of("tool.yaml"))

    def test_bytes_that_differ_from_the_sums_of_the_bucket_are_refused(self):
        self.server.server.spoilt.add("tools/1.0.0/tool.yaml")
        self.configure(self.provider(service_account=self.key_file()), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
        self.assertIn("did not arrive as it is stored", self.install(code=1).err)

    def test_a_service_account_that_cannot_be_right_is_refused_before_its_key_is_used(self):
        plugin = {"name": "tool", "path": "tools/1.0.0/tool.yaml"}
        for changes, text in [({"type": "authorized_user"}, "service_account"), ({"private_key": "nonsense"}, "private_key"),
                              ({"client_email": ""}, "client_email"), ({"token_uri": "http://tokens.example.com/"}, "token_uri")]:
            with self.subTest(text):
                self.configure(self.provider(service_account=self.key_file(**changes)), plugin)
                self.assertIn(text, self.install(code=2).err)
        for uri in (f"{self.server.url}/token", "https://oauth2.googleapis.com.example.com/token", "https://example.com/token",
                    "https://oauth2.googleapis.com:444/token", "https://me@oauth2.googleapis.com/token"):
            with self.subTest(uri):  # the real cloud: only its own token addresses
                self.configure({"type": "gcs", "bucket": "plugins", "service_account": self.key_file(token_uri=uri)}, plugin)
                self.assertIn("token_uri", self.install(code=2).err)
        self.assertEqual(self.server.server.seen, [])

    def test_a_refused_key_and_a_private_bucket_without_one_are_refusals(self):
        subprocess.run(["openssl", "genrsa", "-out", "other.pem", "2048"], cwd=self.dir, check=True, capture_output=True)
        wrong = self.key_file(private_key=(self.dir / "other.pem").read_text())
        for more in ({"service_account": wrong}, {}, {"auth": {"type": "bearer", "token": "env:MY_TOKEN"}}):
            self.configure(self.provider(**more), {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
            self.install(code=4, env={"MY_TOKEN": "hidden"})
        self.assert_hidden("hidden")
        self.configure({**self.provider(), "bucket": "public"}, {"name": "tool", "path": "tools/1.0.0/tool.yaml"})
        self.install()
        self.configure({**self.provider(), "bucket": "public"}, {"name": "other", "path": "tools/9/tool.yaml"})
        self.install(code=5)


class GcsEmulator(ProviderTest):
    def test_an_emulator_that_others_wrote_is_understood(self):
        folder = virtual_environment(*EMULATOR_PACKAGES)
        script = (
            "import json, sys, urllib.request\n"
            "from gcp_storage_emulator.server import create_server\n"
            "server = create_server('127.0.0.1', 0, in_memory=True, default_bucket='plugins')\n"
            "server.start()\n"
            "port = server._api._httpd.server_address[1]\n"
            "for name in ('1.0.0/tool.yaml', '1.2.0/tool.yaml'):\n"
            "    url = f'http://127.0.0.1:{port}/upload/storage/v1/b/plugins/o?uploadType=media&name={name}'\n"
            "    urllib.request.urlopen(urllib.request.Request(url, data=sys.argv[1].encode(), method='POST')).read()\n"
            "print(port, flush=True)\n"
            "sys.stdin.read()\n"
            "server.stop()\n")
        emulator = subprocess.Popen([str(folder / "bin/python"), "-c", script, YAML.format("1.2.0")], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(emulator.wait)
        self.addCleanup(emulator.stdin.close)
        self.addCleanup(emulator.stdout.close)
        port = emulator.stdout.readline().strip()
        self.assertTrue(port, "the emulator does not start")
        self.configure({"type": "gcs", "bucket": "plugins", "endpoint": f"http://127.0.0.1:{port}"},
                       {"name": "tool", "path": "{version}/tool.yaml", "version": ">=1"})
        self.install()
        self.assertEqual(self.locked_version(), "1.2.0")


class Git(ProviderTest):
    def setUp(self):
        super().setUp()
        self.origin = self.dir / "origin"
        self.repository = self.dir / "served/plugins.git"
        self.git("init", "-q", "-b", "main", str(self.origin), cwd=self.dir)
        self.commit("one", {"tools/bq/plugin.yaml": YAML.format("1"), "tools/bq/data.txt": "one", "tools/run": "#!/bin/sh\n",
                            "single.yaml": YAML.format("1")})
        self.git("tag", "-a", "v1.0.0", "-m", "first")
        self.git("clone", "-q", "--bare", str(self.origin), str(self.repository), cwd=self.dir)
        self.git("remote", "add", "served", str(self.repository))

    def git(self, *args, cwd=None):
        env = {"PATH": self.path, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
               "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
        return subprocess.check_output(["git", *args], cwd=cwd or self.origin, env=env, text=True, stderr=subprocess.STDOUT).strip()

    def commit(self, message, files):
        for name, text in files.items():
            (self.origin / name).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self):
        self.git("push", "-q", "--all", "served")
        self.git("push", "-q", "--tags", "served")

    def provider(self, **more):
        return {"type": "git", "url": f"file://{self.repository}", "retries": 0, **more}

    def test_a_folder_of_a_branch_is_installed_at_a_full_commit(self):
        self.configure(self.provider(ref="main"), {"name": "tool", "path": "tools/bq"})
        self.install()
        self.assertEqual(self.text_of(), "one")
        self.assertEqual(self.lock()["pin"], self.git("rev-parse", "HEAD"))
        self.assertNotIn("single.yaml", [p.name for p in (self.work / ".plugins/current").resolve().rglob("*")])

    def test_the_locked_commit_is_fetched_after_the_branch_moved_and_with_the_same_bytes(self):
        self.configure(self.provider(ref="main"), {"name": "tool", "path": "tools/bq"})
        self.install()
        locked = (self.work / "vdk-plugins.lock").read_bytes()
        self.commit("two", {"tools/bq/data.txt": "two"})
        self.push()
        shutil.rmtree(self.work / ".plugins")
        self.drop_cache()
        self.install()
        self.assertEqual(self.text_of(), "one")
        self.assertEqual(locked, (self.work / "vdk-plugins.lock").read_bytes())
        self.install("--upgrade")
        self.assertEqual(self.text_of(), "two")

    def test_a_reference_may_be_a_tag_a_commit_nothing_or_one_for_each_plugin(self):
        first = self.git("rev-parse", "HEAD")
        second = self.commit("two", {"tools/bq/data.txt": "two"})
        self.git("tag", "v1.10.0")
        self.commit("three", {"tools/bq/data.txt": "three"})
        self.git("tag", "v2.0.0")
        self.git("tag", "nightly")
        self.push()
        for more, plugin, text in [({"ref": "v1.0.0"}, {"path": "tools/bq"}, "one"), ({"ref": first}, {"path": "tools/bq"}, "one"),
                                   ({"ref": second}, {"path": "tools/bq"}, "two"), ({}, {"path": "tools/bq"}, "three"),
                                   ({}, {"path": "tools/bq@v1.0.0"}, "one"),
                                   ({}, {"path": "tools/bq@v{version}", "version": "^1"}, "two"), ({}, {"path": "."}, "three")]:
            with self.subTest(more=more, plugin=plugin):
                shutil.rmtree(self.work)
                self.work.mkdir()
                self.configure(self.provider(**more), {"name": "tool", **plugin})
                self.install()
                self.assertEqual(self.text_of(), text)

    def test_one_file_is_itself_and_versions_may_be_folders(self):
        self.commit("many", {f"all/{v}/p.yaml": YAML.format(v) for v in ("0.9.0", "1.0.0", "1.2.0-rc1")})
        self.push()
        self.configure(self.provider(), {"name": "tool", "path": "single.yaml"},
                       {"name": "other", "path": "all/{version}", "version": ">=0.1"})
        self.install()
        self.assertEqual(self.text_of("single.yaml"), YAML.format("1"))
        self.assertEqual(self.locked_version("other"), "1.0.0")

    def test_one_file_of_a_tag_keeps_its_own_name(self):
        self.configure(self.provider(), {"path": "single.yaml@v1.0.0"})
        self.install()
        self.assertEqual(self.text_of("single.yaml"), YAML.format("1"))
        (plugin,) = self.vdk("plugin", "list", "-o", "json", cwd=self.work).json()
        self.assertTrue(plugin["yaml_file"].endswith("/single/single.yaml"), plugin)

    def test_over_http_the_login_is_in_no_argument_and_nowhere_else(self):
        tools = self.dir / "bin"
        tools.mkdir()
        (tools / "git").write_text(f'#!/bin/sh\necho "$@" >> {self.work}/arguments\nexec /usr/bin/git "$@"\n')
        (tools / "git").chmod(stat.S_IRWXU)
        with GitServer(self.dir / "served", "me", "pass-word-1") as server:
            url = f"http://127.0.0.1:{server.port}/plugins.git"
            env = {"MY_PASSWORD": "pass-word-1", "PATH": f"{tools}:{self.path}"}
            self.configure(self.provider(url=url, auth={"type": "basic", "user": "me", "password": "env:MY_PASSWORD"}),
                           {"name": "tool", "path": "tools/bq"})
            self.install(env=env)
            self.assertEqual(self.text_of(), "one")
            self.assertIn("fetch", (self.work / "arguments").read_text())
            self.assert_hidden("pass-word-1", "bWU6cGFzcy13b3JkLTE=")
            (self.work / "vdk-plugins.lock").unlink()
            self.drop_cache()
            self.install(code=4, env={**env, "MY_PASSWORD": "wrong-one"})
            self.configure(self.provider(url=url), {"name": "tool", "path": "tools/bq"})
            self.install(code=4, env=env)
            self.configure(self.provider(url=f"http://me:pass-word-1@127.0.0.1:{server.port}/plugins.git"),
                           {"name": "tool", "path": "tools/bq"})
            self.install(env=env)
            self.assert_hidden("pass-word-1", "wrong-one")

    def test_what_is_missing_is_told(self):
        for more, path, code in [({"ref": "none"}, "tools/bq", 5), ({}, "tools/none", 5), ({"ref": "0" * 40}, "tools/bq", 5),
                                 ({"url": f"file://{self.dir}/nothing.git"}, "tools/bq", 5),
                                 ({"url": "http://127.0.0.1:9/x.git"}, "tools/bq", 8)]:
            with self.subTest(more=more, path=path):
                self.configure(self.provider(**more), {"name": "tool", "path": path})
                self.install(code=code)

    def test_nothing_of_a_repository_or_a_person_is_run(self):
        marker = self.dir / "marker"
        evil = f"#!/bin/sh\ntouch {marker}\n"
        hooks = self.dir / "template/hooks"
        hooks.mkdir(parents=True)
        for hook in ("post-checkout", "reference-transaction", "post-merge"):
            (hooks / hook).write_text(evil)
            (hooks / hook).chmod(stat.S_IRWXU)
        (self.dir / "evil").write_text(evil)
        (self.dir / "evil").chmod(stat.S_IRWXU)
        (self.home / ".gitconfig").write_text(f"[init]\n  templateDir = {self.dir}/template\n[core]\n  fsmonitor = {self.dir}/evil\n"
                                              f"  hooksPath = {hooks}\n[url \"ext::{self.dir}/evil %S\"]\n  insteadOf = file://\n")
        self.commit("submodule", {".gitmodules": f'[submodule "x"]\n  path = x\n  url = ext::{self.dir}/evil\n'})
        self.git("update-index", "--add", "--cacheinfo", "160000," + self.git("rev-parse", "HEAD") + ",x")
        self.git("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "commit", "-q", "-m", "x")
        shutil.rmtree(self.repository)
        self.git("-c", f"url.{self.repository}.insteadOf=x:", "clone", "-q", "--bare", "--template=", str(self.origin),
                 str(self.repository), cwd=self.dir)
        marker.unlink(missing_ok=True)
        self.configure(self.provider(), {"name": "tool", "path": "."})
        result = self.install(env={"GIT_TEMPLATE_DIR": str(self.dir / "template"), "GIT_EXEC_PATH": "/nowhere",
                                   "GIT_TRACE": str(self.dir / "trace")})
        self.assertIn("submodule 'x'", result.err)
        self.assertEqual(self.text_of(), "one")
        self.assertFalse(marker.exists())
        self.assertFalse((self.dir / "trace").exists())

    def test_options_and_other_protocols_are_refused(self):
        for more in ({"ref": "--upload-pack=touch x"}, {"url": "ext::sh -c touch% x"}, {"url": "--upload-pack=x"},
                     {"url": "ssh://-oProxyCommand=x/y"}, {"url": "/etc"}, {"url": "http://example.com/x.git"}):
            with self.subTest(more=more):
                self.configure(self.provider(**more), {"name": "tool", "path": "tools/bq"})
                self.install(code=2)

    def test_limits_of_size_and_time_hold(self):
        (self.origin / "big").write_bytes(os.urandom(3_000_000))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "big")
        self.push()
        self.configure(self.provider(), {"name": "tool", "path": "."}, policy={"limits": {"download_bytes": 500000}})
        self.install(code=2)
        with PluginSource(self.dir) as source:
            self.configure(self.provider(url=source.url("silent"), timeout=2), {"name": "tool", "path": "."})
            self.install(code=8, timeout=20)
        self.assertEqual([p for p in (self.home / ".cache/vdk/plugins").rglob("*") if p.is_file()], [])

    def test_over_ssh_only_the_key_of_the_configuration_is_offered_and_nobody_is_asked(self):
        """ssh is replaced by a script that runs the far end here: what it is called with is what is looked at."""
        tools = self.dir / "bin"
        tools.mkdir()
        (tools / "ssh").write_text('#!/bin/sh\nfor word; do echo "$word"; last=$word; done > ' + f"{self.work}/arguments\n" +
                                   f'key=$(sed -n "s/^-oIdentityFile=//p" {self.work}/arguments)\n' +
                                   f'stat -c %a "$key" > {self.dir}/mode; cp "$key" {self.dir}/offered\nexec sh -c "$last"\n')
        (tools / "ssh").chmod(stat.S_IRWXU)
        env = {"PATH": f"{tools}:{self.path}", "MY_KEY": "-----BEGIN KEY-----\nvery-secret\n-----END KEY-----"}
        for url in (f"ssh://git@host.example.com{self.repository}", f"git@host.example.com:{self.repository}"):
            with self.subTest(url):
                self.drop_cache()
                self.configure(self.provider(url=url, auth={"type": "ssh_key", "key": "env:MY_KEY"}), {"name": "tool", "path": "tools/bq"})
                self.install("--upgrade", env=env)
                self.assertEqual(self.text_of(), "one")
                arguments = (self.work / "arguments").read_text().splitlines()
                for option in ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oIdentitiesOnly=yes", "git@host.example.com"):
                    self.assertIn(option, arguments)
                self.assertEqual((self.dir / "mode").read_text(), "600\n")
                self.assertEqual((self.dir / "offered").read_text(), env["MY_KEY"] + "\n")
                self.assert_hidden("very-secret")


if __name__ == "__main__":
    unittest.main()
