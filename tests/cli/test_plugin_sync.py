# SPDX-License-Identifier: Apache-2.0
"""vdk plugin sync: from real servers of ours, and from the answers that Optimus's server and worse ones give."""
import hashlib
import http.client
import http.server
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import unittest
import zipfile

from harness import BINARY, VdkTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tokens  # noqa: E402

PLUGIN = """name: {name}
description: {text}
plugintype: task
pluginversion: {version}
image: example.com/{name}:{version}
entrypoint:
  script: "true"
"""


def zip_of(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


class Answers:
    """A server that answers what a test says: path -> (status, content type, body). Optimus runs nowhere any more."""

    def __enter__(self):
        self.paths, self.asked, self.delay = {}, [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                time.sleep(outer.delay)
                status, kind, body, *cut = outer.paths.get(self.path, (404, "text/plain", b"404 page not found\n"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body) + (cut[0] if cut else 0)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class SyncTest(VdkTest):
    def env(self, extra=None):
        return super().env({"VDK_CONTROL_HTTP_TOTAL_RETRIES": "0", "VDK_CONTROL_HTTP_CONNECT_RETRIES": "0",
                            "VDK_CONTROL_HTTP_READ_RETRIES": "0", **(extra or {})})

    def publish(self, home, plugins):
        """Install plugins (name -> version) into a folder that a server publishes."""
        folder = self.dir / home
        source = folder / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        lines = ["plugins:", "  providers:", "  - {type: file, name: local, path: source}", "  plugins:"]
        for name, version in plugins.items():
            (source / f"{name}-{version}.yaml").write_text(PLUGIN.format(name=name, version=version, text=f"from {home}"))
            lines.append(f"  - {{name: {name}, provider: local, path: '{name}-{{version}}.yaml', version: '{version}'}}")
        (folder / "vdk-plugins.yaml").write_text("\n".join(lines) + "\n")
        self.vdk("plugin", "install", "--upgrade", "-c", folder / "vdk-plugins.yaml")
        return folder / ".plugins"

    def serve_plugins(self, home, plugins):
        folder = self.publish(home, plugins)
        config = self.dir / home / "server.yaml"
        config.write_text(f"home: {self.dir / home / 'service'}\nplugins:\n  plugin_dir: {folder}\n")
        return self.serve("--config", str(config))

    def sync(self, *servers, code=0, args=(), env=None):
        given = [part for server in servers for part in ("--server", server)]
        return self.vdk("plugin", "sync", "--plugin-dir", self.dir / "mine", *given, *args, code=code, env=env)

    def names(self, server):
        current = self.dir / "mine" / "synced" / server / "current"
        receipt = json.loads((current / "receipt.json").read_text())
        for plugin in receipt["plugins"]:
            (file,) = (current / plugin["folder"]).glob("*.yaml")
            self.assertIn(f"name: {plugin['name']}\n", file.read_text())
        return {plugin["name"]: plugin["version"] for plugin in receipt["plugins"]}

    def listed(self):
        rows = self.vdk("plugin", "list", "--plugin-dir", self.dir / "mine", "-o", "json").json()
        rows = rows if isinstance(rows, list) else rows["plugins"]
        return {(row["name"], row["origin"]): row["state"] for row in rows}


class OurServer(SyncTest):
    def test_several_servers_side_by_side_follow_new_generations_without_restart_and_fetch_what_is_missing(self):
        one = self.serve_plugins("one", {"bq2bq": "1.0", "neo": "0.2"})
        two = self.serve_plugins("two", {"bq2bq": "2.0"})
        both = (f"one={one}", f"two={two}/")
        rows = self.sync(*both, args=("-o", "json")).json()["servers"]
        self.assertEqual([(row["server"], row["downloads"], len(row["changes"])) for row in rows], [("one", 2, 2), ("two", 1, 1)])
        self.assertEqual(self.names("one"), {"bq2bq": "1.0", "neo": "0.2"})
        self.assertEqual(self.listed(), {("bq2bq", "sync:one"): "installed", ("neo", "sync:one"): "installed",
                                         ("bq2bq", "sync:two"): "shadowed"})
        # The order of the servers is their precedence.
        rows = self.sync(both[1], both[0], args=("-o", "json")).json()["servers"]
        self.assertEqual([(row["downloads"], row["changes"], row["network_requests"]) for row in rows], [(0, [], 1), (0, [], 1)])
        self.assertEqual(self.listed()["bq2bq", "sync:one"], "shadowed")
        # A new generation is served at once, and only what is new is fetched.
        self.publish("one", {"bq2bq": "1.0", "neo": "0.3"})
        self.sync(both[0], args=("--check",), code=3)
        self.assertEqual(self.names("one")["neo"], "0.2")
        out = self.sync(both[0]).out
        self.assertEqual(out, "one: change neo 0.2 -> 0.3\n")
        self.assertEqual(self.names("one"), {"bq2bq": "1.0", "neo": "0.3"})
        self.publish("one", {"bq2bq": "1.0"})
        self.assertEqual(self.sync(both[0], args=("--dry-run",)).out, "one: remove neo 0.3\n")
        self.assertEqual(self.sync(both[0]).out, "one: remove neo 0.3\n")
        # What somebody changed here is mended, though the server has nothing new.
        (file,) = (self.dir / "mine/synced/one/current/bq2bq").rglob("*.yaml")
        file.write_text("spoilt")
        self.assertEqual(self.sync(both[0]).out, "one: change bq2bq 1.0\n")
        self.assertEqual(self.names("one"), {"bq2bq": "1.0"})

    def test_the_documents_of_the_server_have_tags_and_old_clients_get_a_zip(self):
        self.assertEqual(self.get(self.serve(), "/plugins")[0], 404)
        url = self.serve_plugins("one", {"bq2bq": "1.0"})
        status, headers, body = self.get(url, "/plugins/v1/index")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        (entry,) = json.loads(body)["entries"]
        for path, kind in (("/plugins/v1/index", "application/json"), ("/plugins", "application/zip"),
                           ("/plugins/v1/blob/sha256/" + entry["sha256"], "application/octet-stream")):
            status, headers, body = self.get(url, path)
            self.assertEqual((status, headers["Content-Type"]), (200, kind))
            self.assertEqual(self.get(url, path, {"If-None-Match": headers["ETag"]})[0::2], (304, b""))
            self.assertEqual(self.get(url, path, {"If-None-Match": '"other"'})[0], 200)
            self.assertEqual(self.get(url, path)[2], body)
        (name,) = zipfile.ZipFile(io.BytesIO(self.get(url, "/plugins")[2])).namelist()
        self.assertEqual(name, "optimus-plugin-bq2bq.yaml")
        self.assertEqual(self.get(url, "/plugins/v1/blob/sha256/" + "0" * 64)[0], 404)
        self.assertEqual(self.get(url, "/plugins/v1/blob/sha256/..%2f..%2freceipt.json")[0], 404)

    def get(self, url, path, headers=None):
        connection = http.client.HTTPConnection(url.split("//")[1], timeout=20)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    def test_a_login_is_needed_where_the_service_needs_one_and_goes_to_nobody_else(self):
        folder = self.publish("one", {"bq2bq": "1.0"})
        with tokens.issuer() as issuer:
            config = self.dir / "server.yaml"
            config.write_text(f"home: {self.dir / 'service'}\nplugins: {{plugin_dir: {folder}}}\nsecurity:\n  enabled: true\n"
                              f"  oauth2: {{jwtIssuerUris: {issuer.url}, audience: vdk}}\n")
            url = self.serve("--config", str(config))
            result = self.sync(code=4, env={"VDK_CONTROL_SERVICE_REST_API_URL": url})
            self.assertIn("needs a login", result.err)
            env = {"VDK_CONTROL_SERVICE_REST_API_URL": url, "VDK_ACCESS_TOKEN": issuer.token("ann", claims={"aud": "vdk"})}
            self.sync(env=env)
            self.assertEqual(self.names("control-service"), {"bq2bq": "1.0"})
            with Answers() as stranger:
                config = self.dir / "vdk-plugins.yaml"
                config.write_text(f"plugins:\n  servers:\n  - {{name: stranger, url: '{stranger.url}'}}\n")
                self.sync(code=5, env=env, args=("-c", config))
                self.assertEqual([head.get("Authorization") for _, head in stranger.asked], [None, None])
                self.sync(f"typed={stranger.url}", code=5, env=env)
                self.assertTrue(stranger.asked[-1][1]["Authorization"].startswith("Bearer "))
                stranger.paths = {"/plugins": (200, "application/zip", zip_of({"a.yaml": PLUGIN.format(name="a", version="1", text="")}))}
                result = self.sync(f"plain={stranger.url.replace('127.0.0.1', '0.0.0.0')}", env=env)
                self.assertIn("the connection is not encrypted", result.err)
                self.assertNotIn("Authorization", stranger.asked[-1][1])


class WorseServers(SyncTest):
    def setUp(self):
        super().setUp()
        context = Answers()
        self.other = context.__enter__()
        self.addCleanup(context.__exit__)
        self.url = None
        self.good = zip_of({"optimus-plugin-bq2bq.yaml": PLUGIN.format(name="bq2bq", version="1.0", text="old server")})

    def answer(self, status, kind, body, *cut):
        self.other.paths = {"/plugins": (status, kind, body, *cut)}

    def state(self):
        return sorted((str(path), path.read_bytes() if path.is_file() else b"") for path in (self.dir / "mine").rglob("*"))

    def test_an_old_server_that_has_the_zip_only(self):
        self.answer(200, "application/zip", self.good)
        rows = self.sync(f"old={self.other.url}", args=("-o", "json")).json()["servers"]
        self.assertTrue(rows[0]["legacy"])
        self.assertEqual(self.names("old"), {"bq2bq": "1.0"})
        before = self.state()
        self.assertEqual(self.sync(f"old={self.other.url}").out, "")
        self.assertEqual(self.state(), before)
        # A path before the API is kept, and one bad file does not hide the good ones.
        self.other.paths = {"/base/plugins": (200, "application/zip", zip_of({
            "optimus-plugin-a.yaml": PLUGIN.format(name="a", version="1", text=""), "optimus-plugin-b.yaml": "name: [", "README": "x"}))}
        result = self.sync(f"old={self.other.url}/base/")
        self.assertIn("'optimus-plugin-b.yaml' is left out", result.err)
        self.assertEqual(self.names("old"), {"a": "1"})

    def test_a_bad_answer_leaves_the_old_plugins_intact(self):
        self.answer(200, "application/zip", self.good)
        self.sync(f"old={self.other.url}")
        before = self.state()
        for name, answer, code in (
                ("page for a missing file", (200, "text/html", b"<html>404 page not found</html>"), 1),
                ("nothing there", (404, "text/plain", b"no"), 5),
                ("broken", (500, "text/plain", b"oops"), 1),
                ("login", (401, "text/plain", b""), 4),
                ("cut off in the zip", (200, "application/zip", self.good[:-30]), 1),
                ("cut off on the way", (200, "application/zip", self.good[:50], 400), 8),
                ("empty zip", (200, "application/zip", zip_of({})), 1),
                ("no bytes", (200, "application/zip", b""), 1),
                ("zip without plugins", (200, "application/zip", zip_of({"README": "x"})), 1),
                ("traversal", (200, "application/zip", zip_of({"../.plugins-evil/optimus-plugin-x.yaml": "name: x"})), 1)):
            with self.subTest(name):
                self.answer(*answer)
                result = self.sync(f"old={self.other.url}", code=code)
                self.assertIn("stay as they were", result.err)
                self.assertEqual(self.state(), before)
        self.assertEqual(list(self.dir.glob("**/.plugins-evil")), [])

    def test_an_index_that_lies_changes_nothing(self):
        content = PLUGIN.format(name="bq2bq", version="2.0", text="").encode()
        digest = hashlib.sha256(content).hexdigest()
        blob = f"/plugins/v1/blob/sha256/{digest}"
        right = {"name": "bq2bq", "version": "2.0", "file": "bq2bq.yaml", "size": len(content), "sha256": digest}

        def index(*entries, **more):
            body = json.dumps({"format": 1, "generation": 1, "entries": list(entries), **more}).encode()
            return {"/plugins/v1/index": (200, "application/json", body), blob: (200, "application/octet-stream", content)}

        self.other.paths = index(right)
        self.sync(f"new={self.other.url}")
        before = self.state()
        newer = {**right, "version": "3.0", "sha256": "f" * 64}
        wrong = {
            "bytes of another hash": {**index(newer), "/plugins/v1/blob/sha256/" + "f" * 64: (200, "x/y", content)},
            "a size that is not true": index({**right, "version": "3.0", "sha256": digest[::-1], "size": 1}),
            "a name that climbs": index({**right, "name": "../../evil"}),
            "a version that climbs": index({**right, "version": "../.."}),
            "a file that climbs": index({**right, "file": "../x.yaml"}),
            "a file that is no YAML": index({**right, "file": "x.sh"}),
            "a hash that is none": index({**right, "sha256": "../" + "0" * 61}),
            "twice the same": index(right, right),
            "no entries": {"/plugins/v1/index": (200, "application/json", b'{"format":1}')},
            "another format": index(right, format=2),
            "a page": {"/plugins/v1/index": (200, "text/html", b"<html>welcome</html>")},
            "a huge one": index({**right, "version": "3.0", "size": 1 << 40}),
        }
        for name, paths in wrong.items():
            with self.subTest(name):
                self.other.paths = paths
                result = self.run_vdk("plugin", "sync", "--plugin-dir", self.dir / "mine", "--server", f"new={self.other.url}")
                self.assertIn(result.code, (1, 5), repr(result))
                self.assertEqual(self.state(), before)
        self.assertEqual(list(self.dir.glob("**/evil*")), [])

    def test_a_server_that_fails_does_not_stop_the_others(self):
        self.answer(200, "application/zip", self.good)
        result = self.sync("gone=http://127.0.0.1:9", f"old={self.other.url}", args=("-o", "json"), code=8).json()
        self.assertEqual([(row["server"], row["error"] is None) for row in result["servers"]], [("gone", False), ("old", True)])
        self.assertEqual(self.names("old"), {"bq2bq": "1.0"})
        text = self.sync("gone=http://127.0.0.1:9", "gone2=http://127.0.0.1:9", f"old={self.other.url}", code=8)
        self.assertIn("2 of 3 servers", text.err)

    def test_what_cannot_be_used_is_told_before_anybody_is_asked(self):
        for server, code in (("x", 2), ("=http://127.0.0.1", 2), ("UP=http://127.0.0.1:9", 2), ("a=ftp://127.0.0.1", 2),
                             ("a=http://user:secret@127.0.0.1", 2), ("../a=http://127.0.0.1:9", 2)):
            with self.subTest(server):
                result = self.sync(server, code=code)
                self.assertNotIn("secret", result.out + result.err)
        self.sync(f"a={self.other.url}", f"a={self.other.url}", code=2)
        self.sync(code=2)
        self.assertEqual(self.other.asked, [])


class Killed(SyncTest):
    """kill -9 at every named step of unpacking, storing and syncing: what is there is one whole generation."""

    def test_a_sync_that_is_killed_anywhere_leaves_the_old_or_the_new_plugins(self):
        url = self.serve_plugins("one", {"a": "1", "b": "1"})
        self.sync(f"one={url}")
        version = 1
        for point in ("plugin.sync.fetched", "plugin.store.staged", "plugin.sync.staged", "plugin.store.described",
                      "plugin.store.renamed", "plugin.store.linked", "plugin.store.switched"):
            with self.subTest(point):
                self.publish("one", {"a": str(version + 1), "b": str(version + 1)})
                self.sync(f"one={url}", code=-9, env={"VDK_FAILPOINT": point})
                self.assertIn(self.names("one"), ({"a": str(version), "b": str(version)}, {"a": str(version + 1), "b": str(version + 1)}))
                self.vdk("plugin", "verify", "--plugin-dir", self.dir / "mine")
                self.sync(f"one={url}")
                version += 1
                self.assertEqual(self.names("one"), {"a": str(version), "b": str(version)})
                self.assertEqual(list((self.dir / "mine/synced/one/.staging").iterdir()), [])

    def test_many_syncs_and_a_reader_at_once(self):
        url = self.serve_plugins("one", {"a": "1", "b": "1"})
        self.sync(f"one={url}")
        stop, wrong = threading.Event(), []

        def read():
            while not stop.is_set():
                try:
                    folder = pathlib.Path(os.path.realpath(self.dir / "mine/synced/one/current"))
                    seen = {path.read_text().split("pluginversion: ")[1].split("\n")[0] for path in sorted(folder.glob("*/*/*.yaml"))}
                    if len(seen) != 1:
                        wrong.append(seen)
                except OSError as error:
                    wrong.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        for version in ("2", "3"):
            self.publish("one", {"a": version, "b": version})
            running = [subprocess.Popen([str(BINARY), "plugin", "sync", "--plugin-dir", str(self.dir / "mine"), "--server", f"one={url}"],
                                        env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                       for _ in range(8)]
            for process in running:
                out, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, out + err)
        stop.set()
        reader.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.names("one"), {"a": "3", "b": "3"})


if __name__ == "__main__":
    unittest.main()
