# SPDX-License-Identifier: Apache-2.0
"""A fake of the parts of Google's storage API and token endpoint that reading needs: no emulator checks logins.
The signature of the service account is really checked (by the openssl program), and so are scope, audience and times.

    with GcsServer(folder) as server:     server.account() is the JSON of a service account, server.put(name, bytes)
"""
import base64
import hashlib
import http.server
import json
import pathlib
import secrets
import subprocess
import time
import urllib.parse

from served import Served

SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return base64.b64encode((value ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, text):
        self.answer(status, {"error": {"code": status, "message": text}})

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        problem = self.server.check(form)
        if self.path != "/token" or problem:
            return self.answer(400, {"error": "invalid_grant", "error_description": problem or "no such page"})
        self.server.tokens.add(token := secrets.token_hex(16))
        return self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def do_GET(self):
        path, _, query = self.path.partition("?")
        query = {key: values[0] for key, values in urllib.parse.parse_qs(query).items()}
        self.server.seen.append(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        parts = path.split("/")  # "" storage v1 b BUCKET o [OBJECT]
        if parts[:4] != ["", "storage", "v1", "b"] or parts[4] not in ("plugins", "public") or parts[5] != "o":
            return self.refuse(404, "Not Found")
        if parts[4] == "plugins" and token not in self.server.tokens:
            return self.refuse(401, "Anonymous caller does not have storage.objects.get access")
        return self.one(urllib.parse.unquote(parts[6]), query) if len(parts) > 6 else self.many(query)

    def one(self, name, query):
        versions = self.server.objects.get(name, [])
        wanted = query.get("generation")
        found = [v for v in versions if wanted in (None, v["generation"])]
        if not found:
            return self.refuse(404, f"No such object: {name}")
        latest = found[-1]
        if query.get("alt") == "media":
            return self.answer(200, latest["data"][:-1] + b"?" if name in self.server.spoilt else latest["data"])
        return self.answer(200, {key: value for key, value in latest.items() if key != "data"})

    def many(self, query):
        names = sorted(name for name in self.server.objects if name.startswith(query.get("prefix", "")))
        start = int(query.get("pageToken", 0))
        page = {"items": [{"name": name} for name in names[start:start + 2]]}
        if start + 2 < len(names):
            page["nextPageToken"] = str(start + 2)
        return self.answer(200, page)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def check(self, form):
        """What is wrong with a request for a token; nothing when it is good."""
        if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            return "wrong grant type"
        head, claims, signature = form["assertion"][0].split(".")
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-verify", str(self.public_key), "-signature", "/dev/stdin",
                                 str(self.message(head, claims))], input=unpadded(signature), capture_output=True, check=False)
        if signed.returncode or json.loads(unpadded(head))["alg"] != "RS256":
            return "Invalid JWT Signature."
        said = json.loads(unpadded(claims))
        if said["scope"] != SCOPE or said["iss"] != "robot@example.com" or said["aud"] != self.url + "/token":
            return "wrong claims"
        return "" if said["iat"] <= time.time() + 5 and said["exp"] - said["iat"] <= 3600 else "wrong times"

    def message(self, head, claims):
        path = self.public_key.with_name("message")
        path.write_text(f"{head}.{claims}")
        return path


class GcsServer(Served):
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.url = self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.server.tokens, self.server.objects, self.server.seen, self.server.spoilt = set(), {}, [], set()
        self.server.public_key = self.folder / "public.pem"
        for words in (["genrsa", "-out", "key.pem", "2048"], ["rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"]):
            subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def account(self, **changes):
        account = {"type": "service_account", "client_email": "robot@example.com", "private_key_id": "k1",
                   "private_key": (self.folder / "key.pem").read_text(), "token_uri": self.url + "/token"}
        return json.dumps({**account, **changes})

    def put(self, name, data):
        versions = self.server.objects.setdefault(name, [])
        versions.append({"name": name, "generation": str(1700000000000000 + len(versions)), "size": str(len(data)),
                         "md5Hash": base64.b64encode(hashlib.md5(data).digest()).decode(), "crc32c": crc32c(data),
                         "data": data})
