#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cells in a real IPython kernel: JSON list of sources on stdin, JSON list of what each gave on stdout.

Must be started by a Python that has jupyter_client and ipykernel.
"""
import json
import sys

from jupyter_client.manager import KernelManager


def run(client, source):
    given = {"out": "", "err": "", "result": None, "error": None}

    def note(message):
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            given["out" if content["name"] == "stdout" else "err"] += content["text"]
        elif kind == "execute_result":
            given["result"] = content["data"].get("text/plain")
        elif kind == "error":
            given["error"] = "%s: %s" % (content["ename"], content["evalue"])

    client.execute_interactive(source, output_hook=note, allow_stdin=False, timeout=90)
    return given


def main():
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=90)
        results = [run(client, source) for source in json.load(sys.stdin)]
    finally:
        client.shutdown()
        client.stop_channels()
        manager.shutdown_kernel(now=False)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
