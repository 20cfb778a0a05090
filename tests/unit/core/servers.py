# SPDX-License-Identifier: Apache-2.0
"""Servers that behave badly, for the tests of the HTTP and mail clients. Prints its port, ends with its standard input.

servers.py http | tls CERT KEY | smtp FOLDER [CERT KEY] | canned RULES LOG
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


class Canned(Handler):
    """Answers by rules {method, path, status, headers, body}: the first one that fits is used up unless it is the last of
    its method and path. A path that ends in `*` fits every longer one. Every request is logged as a line of JSON."""
    rules, log, lock = [], None, threading.Lock()

    @classmethod
    def rule_for(cls, method, path):
        fits = [rule for rule in cls.rules if rule["method"] == method and
                (path == rule["path"] or rule["path"].endswith("*") and path.startswith(rule["path"][:-1]))]
        if len(fits) > 1:
            cls.rules.remove(fits[0])
        return fits[0] if fits else {"status": 418, "body": "no rule for this"}

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("latin-1")
        with self.lock:
            rule = self.rule_for(self.command, self.path)
            with open(self.log, "a") as log:
                log.write(json.dumps({"method": self.command, "path": self.path, "body": body,
                                      "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")
        self.answer(rule["status"], rule.get("body", "").encode(), rule.get("headers", {}).items())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


def serve_canned(rules, log):
    with open(rules) as file:
        Canned.rules = json.load(file)
    Canned.log = log
    return serve_http(handler=Canned)


def serve_http(certificate=None, key=None, handler=Handler):
    server = Server(("127.0.0.1", 0), handler)
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
    serve = {"smtp": serve_smtp, "canned": serve_canned}.get(kind, serve_http)
    print(serve(*arguments), flush=True)
    sys.stdin.read()
    os._exit(0)


main()
