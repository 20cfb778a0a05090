# SPDX-License-Identifier: Apache-2.0
"""An HTTP source of plugins that can behave as badly as real ones do. Keeps what it was asked.

    python3 plugin_source.py FOLDER      prints its port, serves until its standard input ends

/files/NAME         a file below FOLDER: strong ETag, Range with If-Range
/weak/NAME          the same with a weak ETag and no Range
/auth/KIND/NAME     a file that needs: basic (me:secret), bearer (secret), header (X-Key: secret)
/status/N[/TIMES]   answers N (TIMES times, then 200)
/html, /page        200 with a login page: as text/html, and as application/zip
/cut/N/NAME         the file, but the connection ends after N bytes; a Range request gets its rest
/short/N/NAME       always ends after N bytes, whatever is asked
/changing/NAME      other bytes under another ETag each time; the first answer is cut off
/endless            never stops
/drip, /silent      a byte now and then; a head and nothing more
/to?URL, /loop      redirections
/log                all requests so far as JSON
"""
import hashlib
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

from served import Served

PAGE = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=(), length=None, sent=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body if sent is None else body[:sent])
        if sent is not None:
            self.close_connection = True

    def file(self, name):
        path = os.path.join(self.server.folder, urllib.parse.unquote(name))
        if not os.path.isfile(path):
            self.answer(404, b"there is no such file")
            return None
        with open(path, "rb") as file:
            return file.read()

    def give(self, body, sent=None, etag=None):
        etag = etag or '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        start = self.headers.get("Range", "")
        if start.startswith("bytes=") and self.headers.get("If-Range") == etag:
            first = int(start[6:].rstrip("-"))
            return self.answer(206, body[first:], [("ETag", etag), ("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")])
        return self.answer(200, body, [("ETag", etag), ("Content-Type", "application/octet-stream")], sent=sent)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        what, *rest = path.strip("/").split("/")
        with self.server.lock:
            times = sum(seen["path"] == self.path for seen in self.server.seen) + 1
            if what != "log":
                self.server.seen.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}})
        known = getattr(self, "on_" + what, None)
        if known is None:
            return self.answer(404, b"nothing here")
        return known(rest, query, times)

    def on_log(self, rest, query, times):
        self.answer(200, json.dumps(self.server.seen).encode())

    def on_files(self, rest, query, times):
        body = self.file("/".join(rest))
        if body is not None:
            self.give(body)

    def on_weak(self, rest, query, times):
        body = self.file("/".join(rest))
        if body is not None:
            self.answer(200, body, [("ETag", 'W/"1"')])

    def on_auth(self, rest, query, times):
        name, value = {"basic": ("Authorization", "Basic bWU6c2VjcmV0"), "bearer": ("Authorization", "Bearer secret"),
                       "header": ("X-Key", "secret")}[rest[0]]
        if self.headers.get(name) != value:
            return self.answer(401, b"who are you?", [("WWW-Authenticate", 'Basic realm="x"')])
        return self.on_files(rest[1:], query, times)

    def on_status(self, rest, query, times):
        if len(rest) > 1 and times > int(rest[1]):
            return self.give(b"good at last")
        return self.answer(int(rest[0]), b"not this time", [("Retry-After", "0")])

    def on_html(self, rest, query, times):
        self.answer(200, PAGE, [("Content-Type", "text/html; charset=utf-8")])

    def on_page(self, rest, query, times):
        self.answer(200, PAGE, [("Content-Type", "application/zip")])

    def on_cut(self, rest, query, times):
        self.give(self.file("/".join(rest[1:])), sent=int(rest[0]))

    def on_short(self, rest, query, times):
        body = self.file("/".join(rest[1:]))
        self.answer(200, body, sent=int(rest[0]))

    def on_changing(self, rest, query, times):
        body = self.file("/".join(rest)) + str(times).encode()
        self.give(body, sent=len(body) // 2 if times == 1 else None)

    def on_endless(self, rest, query, times):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def on_drip(self, rest, query, times):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(300):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            pass

    def on_silent(self, rest, query, times):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        time.sleep(30)

    def on_to(self, rest, query, times):
        self.answer(302, b"", [("Location", urllib.parse.unquote(query))])

    def on_loop(self, rest, query, times):
        self.answer(302, b"", [("Location", "/loop")])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


def make_server(folder):
    server = Server(("127.0.0.1", 0), Handler)
    server.folder, server.seen, server.lock = str(folder), [], threading.Lock()
    return server


class PluginSource(Served):
    """The same as a context manager inside a test's process."""

    def __init__(self, folder):
        self.server = make_server(folder)
        self.port = self.server.server_address[1]

    @property
    def seen(self):
        return self.server.seen

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}/{path}"


if __name__ == "__main__":
    listening = make_server(sys.argv[1])
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    print(listening.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
