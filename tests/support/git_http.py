# SPDX-License-Identifier: Apache-2.0
"""A git server over HTTP: git's own http-backend, behind basic authentication.

    python3 git_http.py FOLDER USER PASSWORD      prints its port, serves the repositories below FOLDER until SIGTERM
"""
import base64
import http.server
import os
import subprocess
import sys

from served import Served


def make_server(root, user, password):
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def answer(self):
            content = self.body() if self.command == "POST" else b""
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                   "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": user,
                   "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                   "CONTENT_LENGTH": str(len(content)), "GIT_CONFIG_NOSYSTEM": "1", "HOME": root,
                   "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
            # The user who runs the tests may not own the folder: git's check of that is not what is tested here.
            env.update({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"})
            done = subprocess.run(["git", "http-backend"], input=content, env=env, capture_output=True, check=False)
            head, _, rest = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            status = next((value.split()[0] for name, value in fields if name.lower() == "status"), "200")
            self.send_response(int(status))
            for name, value in fields:
                if name.lower() not in ("status", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest)

        do_GET = do_POST = answer

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class GitServer(Served):
    """The same as a context manager inside a test's process."""

    def __init__(self, root, user="git", password="secret"):
        self.server = make_server(str(root), user, password)
        self.port = self.server.server_address[1]


if __name__ == "__main__":
    listening = make_server(*sys.argv[1:4])
    print(listening.server_address[1], flush=True)
    listening.serve_forever()
