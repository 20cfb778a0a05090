#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs many small plugins from a web server of its own beside `curl` and `tar` one after the other, in the same run.
Prints ratios; never fails by time.

Usage: bench_plugins.py [--binary PATH] [--plugins N] [--runs N]
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from plugin_server import PluginServer, tar_gz  # noqa: E402

YAML = "name: {0}\nplugintype: task\npluginversion: 1\nimage: example.com/{0}:1\nentrypoint:\n  script: run\n"


class Bench:
    def __init__(self, binary, count):
        self.binary, self.dir = str(binary), pathlib.Path(tempfile.mkdtemp(prefix="vdk-bench."))
        self.server = PluginServer()
        self.names = [f"plugin-{i:03}" for i in range(count)]
        for name in self.names:
            self.server.files[f"/{name}.tar.gz"] = tar_gz({"plugin.yaml": YAML.format(name), "readme.txt": name * 50})
        entries = "".join(f"  - {{provider: web, path: {name}.tar.gz, name: {name}}}\n" for name in self.names)
        (self.dir / "vdk-plugins.yaml").write_text(
            f"plugins:\n  providers:\n  - {{type: http, name: web, url: '{self.server.url}'}}\n  plugins:\n{entries}")
        (self.dir / "urls").write_text("".join(f"{name}\n" for name in self.names))

    def clean(self):
        for name in (".plugins", "home", "plain"):
            shutil.rmtree(self.dir / name, ignore_errors=True)
        (self.dir / "vdk-plugins.lock").unlink(missing_ok=True)

    def time(self, *command):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir / "home"), "LANG": "C.UTF-8",
               "no_proxy": "127.0.0.1"}
        start = time.perf_counter()
        subprocess.run(command, cwd=self.dir, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return time.perf_counter() - start

    def plain(self):
        script = ('mkdir -p plain; while read -r name; do curl -fsS -o plain/file "$0/$name.tar.gz" && '
                  'mkdir -p "plain/$name" && tar -xzf plain/file -C "plain/$name" || exit 1; done < urls')
        return self.time("sh", "-c", script, self.server.url)

    def run(self, runs):
        plain, first, again = [], [], []
        for _ in range(runs):
            self.clean()
            plain.append(self.plain())
            first.append(self.time(self.binary, "plugin", "install"))
            asked = len(self.server.requests)
            again += [self.time(self.binary, "plugin", "install") for _ in range(5)]
            assert len(self.server.requests) == asked, "the second run asked the server"
        return tuple(statistics.median(times) for times in (plain, first, again))

    def close(self):
        self.server.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/cli/vdk")
    parser.add_argument("--plugins", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("curl"):
        print("skipped: curl is not installed")
        return
    bench = Bench(options.binary.resolve(), options.plugins)
    try:
        plain, first, again = bench.run(options.runs)
    finally:
        bench.close()
    print(f"{options.plugins} plugins: curl and tar one by one {plain * 1000:.0f} ms; vdk plugin install {first * 1000:.0f} ms "
          f"({plain / first:.1f} times as fast), again {again * 1000:.1f} ms ({plain / again:.0f} times as fast)")


if __name__ == "__main__":
    main()
