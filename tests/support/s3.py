# SPDX-License-Identifier: Apache-2.0
"""An S3 server that checks signatures: moto (s3_server.py) in an environment of its own."""
import json
import os
import pathlib
import subprocess

from original import virtual_environment

PACKAGES = "s3", ["flask", "flask-cors", "moto[s3]"]


class S3Server:
    def __init__(self, folder):
        """The bucket `plugins` holds the files below `folder`. `said`: {port, access_key, secret_key, session}."""
        python = virtual_environment(*PACKAGES) / "bin/python"
        script = pathlib.Path(__file__).with_name("s3_server.py")
        self.process = subprocess.Popen([str(python), str(script), str(folder)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "3"})
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the S3 server does not start")
        self.said = json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _ask(self, message):
        print(json.dumps(message), file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def put(self, key, file):
        if self._ask({"key": key, "file": str(file)}) != "done\n":
            raise RuntimeError(f"{key} was not stored")

    def objects(self, prefix):
        """{KEY: {text, type}} of the objects below a prefix."""
        return json.loads(self._ask({"list": prefix}))
