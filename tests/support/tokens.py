# SPDX-License-Identifier: Apache-2.0
"""An issuer whose tokens may be as wrong as a test wants them: keys and signatures by node's crypto module, discovery and
key set by a server of this process."""
import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import time
import unittest

SCRIPT = r"""
const crypto = require('crypto');
const b64 = value => Buffer.from(value).toString('base64url');
const types = {rsa: ['rsa', {modulusLength: 2048}], ec: ['ec', {namedCurve: 'P-256'}], ec384: ['ec', {namedCurve: 'P-384'}], ed: ['ed25519', {}]};
const keys = {};
const key = name => keys[name] ??= crypto.generateKeyPairSync(...types[name.split('-')[0]]);
function sign(t) {
  const header = t.header ?? {alg: t.alg, kid: t.kid ?? t.key, typ: 'JWT'};
  const text = b64(JSON.stringify(header)) + '.' + b64(typeof t.claims === 'string' ? t.claims : JSON.stringify(t.claims));
  if (t.unsigned) return text + '.';
  if (t.hmac) return text + '.' + crypto.createHmac('sha256', key(t.key).publicKey.export(
    t.hmac === 'pem' ? {format: 'pem', type: 'spki'} : {format: 'der', type: 'spki'})).update(text).digest('base64url');
  const options = {key: key(t.key).privateKey};
  if (t.alg.startsWith('PS')) Object.assign(options, {padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST});
  if (t.alg.startsWith('ES')) options.dsaEncoding = t.der ? 'der' : 'ieee-p1363';
  return text + '.' + crypto.sign(t.alg === 'EdDSA' ? null : 'sha' + t.alg.slice(2), Buffer.from(text), options).toString('base64url');
}
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const request = JSON.parse(line);
  const answer = request.keys ? request.keys.map(name => ({...key(name).publicKey.export({format: 'jwk'}), kid: name, use: 'sig'})) : sign(request);
  console.log(JSON.stringify(answer));
});
"""


class Issuer:
    def __init__(self, signer, server):
        self.signer, self.lock = signer, threading.Lock()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.published = ["rsa", "ec", "ec384", "ed"]
        self.fetches = 0

    def ask(self, **question):
        with self.lock:
            self.signer.stdin.write(json.dumps(question) + "\n")
            self.signer.stdin.flush()
            return json.loads(self.signer.stdout.readline())

    def claims(self, user="ann", **more):
        now = int(time.time())
        return {"iss": self.url, "aud": "vdk", "sub": user, "username": user, "iat": now, "nbf": now, "exp": now + 600, **more}

    def token(self, user="ann", key="rsa", alg="RS256", claims=None, **how):
        return self.ask(key=key, alg=alg, claims=self.claims(user, **(claims or {})), **how)


@contextlib.contextmanager
def issuer():
    if not shutil.which("node"):
        raise unittest.SkipTest("node is not installed")
    signer = subprocess.Popen(["node", "-e", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/.well-known/openid-configuration":
                body = {"issuer": found.url, "jwks_uri": found.url + "/keys"}
            else:
                found.fetches += 1
                body = {"keys": found.ask(keys=found.published)}
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Issuer(signer, server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        signer.stdin.close()
        signer.wait(10)
