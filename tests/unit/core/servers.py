# SPDX-License-Identifier: Apache-2.0
"""Servers that behave badly, for the tests of the HTTP and mail clients. Prints its port, ends with its standard input.

servers.py http | tls CERT KEY | smtp
"""
import collections
import http.server
import json
import logging
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import warnings

SEEN = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path
        SEEN[path] += 1
        if path.startswith("http://"):
            return self.answer(200, b"by proxy: " + path.encode())
        what, *rest = urllib.parse.unquote(path.split("?")[0]).strip("/").split("/")
        if what == "echo":
            return self.answer(200, json.dumps({
                "method": self.command, "path": path, "body": body.decode("latin-1"), "port": self.client_address[1],
                "headers": {k.lower(): v for k, v in self.headers.items()}}).encode(), [("X-Twice", "a"), ("X-Twice", "b")])
        if what == "fail":  # /fail/STATUS/TIMES/RETRY-AFTER/KEY
            if SEEN[path] <= int(rest[1]):
                return self.answer(int(rest[0]), b"not now", [("Retry-After", rest[2])] if rest[2] != "-" else [])
            return self.answer(200, str(SEEN[path]).encode())
        if what == "reset":  # /reset/TIMES/KEY
            if SEEN[path] <= int(rest[0]):
                return self.reset()
            return self.answer(200, str(SEEN[path]).encode())
        if what == "count":  # /count/PATH
            return self.answer(200, str(SEEN["/" + "/".join(rest)]).encode())
        if what == "slow":  # /slow/SECONDS
            time.sleep(float(rest[0]))
            return self.answer(200, b"slow")
        if what == "big":  # /big/BYTES
            return self.answer(200, b"x" * int(rest[0]))
        if what == "redirect":
            return self.answer(302, b"", [("Location", "/echo")])
        if what == "away":  # /away/PORT
            return self.answer(302, b"", [("Location", f"http://127.0.0.1:{rest[0]}/echo")])
        return self.answer(404, b"nothing here")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


def serve_http(certificate=None, key=None):
    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Sink:
    """Keeps mails as files in a folder; refuses recipients that start with `no`, and senders that start with `bad`."""

    def __init__(self, folder):
        self.folder = folder

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("bad"):
            return "553 we do not like this sender"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550-first line\r\n550 there is no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = os.path.join(self.folder, f"mail{len(os.listdir(self.folder))}.json")
        with open(name + ".new", "w") as file:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                       "login": str(session.auth_data.login, "ascii") if session.auth_data else None,
                       "data": envelope.content.decode("ascii")}, file)
        os.rename(name + ".new", name)
        return "250 kept"


def serve_smtp(folder, certificate=None, key=None):
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=good, auth_data=data if good else None, handled=good)

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Controller(Sink(folder), hostname="127.0.0.1", port=port, authenticator=authenticate, auth_require_tls=False,
               tls_context=context).start()
    return port


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    kind, *arguments = sys.argv[1:]
    print(serve_smtp(*arguments) if kind == "smtp" else serve_http(*arguments), flush=True)
    sys.stdin.read()
    os._exit(0)


main()
