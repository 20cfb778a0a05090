#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of `vdk plugin install` and `vdk plugin sync`, several at once, with a reader all the time.

Whatever dies when, there is one whole generation of what was installed and of what was synced. Usage: plugins_test.py
[--seed N] [--kills N] [--binary PATH].
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUDGET = 40  # seconds for the kills
NAMES = ("alpha", "beta", "gamma")
PLUGIN = "name: {0}\nplugintype: task\npluginversion: {1}\nimage: example.com/{0}:{1}\nentrypoint: {{script: run}}\n"


class PluginCrash:
    def __init__(self, binary, seed, kills):
        self.binary, self.kills, self.random = os.path.abspath(binary), kills, random.Random(seed)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vdk-plugin-crash."))
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8"}
        (self.dir / "home").mkdir()
        (self.dir / "source").mkdir()
        self.config = self.dir / "vdk-plugins.yaml"
        self.errors, self.done, self.stop = [], {"killed": 0, "finished": 0, "looks": 0}, threading.Event()
        self.version = 0

    def publish(self):
        """A new version of every plugin, all of them in one configuration."""
        self.version += 1
        lines = ["plugins:", "  providers:", "  - {type: file, name: local, path: source}", "  plugins:"]
        for name in NAMES:
            (self.dir / "source" / f"{name}-{self.version}.yaml").write_text(PLUGIN.format(name, self.version))
            lines.append(f"  - {{name: {name}, provider: local, path: '{name}-{{version}}.yaml', version: '{self.version}'}}")
        temporary = self.config.with_suffix(".new")
        temporary.write_text("\n".join(lines) + "\n")
        temporary.rename(self.config)

    def install(self):
        return [self.binary, "plugin", "upgrade", "-c", str(self.config)]

    def sync(self):
        return [self.binary, "plugin", "sync", "--plugin-dir", str(self.dir / "synced"), "--server", f"one={self.url}"]

    def spawn(self, argv):
        return subprocess.Popen(argv, env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def run(self, argv):
        process = self.spawn(argv)
        out, _ = process.communicate(timeout=120)
        if process.returncode:
            self.errors.append(f"{' '.join(argv[1:3])} gave {process.returncode}:\n{out}")

    def serve(self):
        log = open(self.dir / "server.log", "w+")
        config = self.dir / "server.yaml"
        config.write_text(f"home: {self.dir / 'service'}\nplugins:\n  plugin_dir: {self.dir / '.plugins'}\n")
        self.server = subprocess.Popen([self.binary, "server", "--port", "0", "--config", str(config)], env=self.env,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = re.search(r"listens on (http://[0-9.:]+)", (self.dir / "server.log").read_text())
            if found:
                return found[1]
            time.sleep(0.05)
        raise SystemExit("the server does not start")

    def look(self, store):
        """Every plugin has one version, the same for all. A generation that is gone as a whole was read too slowly."""
        folder = pathlib.Path(os.path.realpath(store / "current"))
        try:
            seen = {re.search("pluginversion: (.*)", next((folder / name).glob("*/*.yaml")).read_text())[1] for name in NAMES}
        except (OSError, StopIteration, TypeError) as error:
            return f"{folder}: {error!r}" if folder.exists() else None
        return None if len(seen) == 1 else f"{folder}: versions {seen}"

    def read(self):
        while not self.stop.is_set():
            for store in (self.dir / ".plugins", self.dir / "synced" / "synced" / "one"):
                wrong = self.look(store)
                self.done["looks"] += 1
                if wrong:
                    self.errors.append(wrong)
            time.sleep(0.002)

    def kill_some(self, usual):
        """A new version, and some processes at once that die at moments of their own."""
        self.publish()
        running = [self.spawn(self.random.choice((self.install, self.install, self.sync))()) for _ in range(self.random.randint(1, 3))]
        for process in running:
            time.sleep(self.random.random() * usual)
            try:
                process.send_signal(signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.communicate()
            self.done["killed" if process.returncode == -signal.SIGKILL else "finished"] += 1

    def check(self):
        self.run(self.install())
        self.run(self.sync())
        for folder in (self.dir / ".plugins", self.dir / "synced"):
            self.run([self.binary, "plugin", "verify", "--plugin-dir", str(folder)])
        for store in (self.dir / ".plugins", self.dir / "synced" / "synced" / "one"):
            left = list((store / ".staging").iterdir())
            generations = list((store / "generations").iterdir())
            if left or len(generations) > 3:
                self.errors.append(f"{store}: left behind {left}, generations {generations}")

    def main(self):
        self.publish()
        self.run(self.install())
        self.url = self.serve()
        begin = time.monotonic()
        self.run(self.sync())
        usual = time.monotonic() - begin
        reader = threading.Thread(target=self.read)
        reader.start()
        begin = time.monotonic()
        try:
            while self.done["killed"] < self.kills and time.monotonic() - begin < BUDGET and not self.errors:
                self.kill_some(usual)
            self.check()
        finally:
            self.stop.set()
            reader.join()
            self.server.terminate()
            self.server.wait(30)
        for error in self.errors[:5]:
            print("FAILED:", error)
        print(f"plugins: {self.done['killed']} killed, {self.done['finished']} finished before, {self.done['looks']} looks")
        if not self.errors:
            shutil.rmtree(self.dir)
        return 1 if self.errors or self.done["killed"] == 0 else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--binary", default=os.environ.get("VDK_BINARY", ROOT / "build" / "release" / "cli" / "vdk"))
    arguments = parser.parse_args()
    print("seed", arguments.seed)
    sys.exit(PluginCrash(arguments.binary, arguments.seed, arguments.kills).main())
