# SPDX-License-Identifier: Apache-2.0
"""Starts the OpenID Connect provider of tests/support/oidc for a test and stops it by its own process."""
import base64
import contextlib
import hashlib
import html
import http.cookiejar
import json
import pathlib
import re
import secrets
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import shared

SOURCE = pathlib.Path(__file__).resolve().parent / "oidc"


def _install():
    """The provider with its packages; a visible skip where that cannot be done."""
    return shared.made_once("oidc", lambda folder: shared.npm_install(SOURCE, folder, "the OpenID Connect provider"))


class Provider:
    def __init__(self, process, issuer):
        self.process, self.issuer = process, issuer

    def metadata(self):
        with urllib.request.urlopen(self.issuer + "/.well-known/openid-configuration") as answer:
            return json.load(answer)

    def rotate_keys(self):
        with urllib.request.urlopen(urllib.request.Request(self.issuer + "/test/keys", method="POST", data=b"")) as answer:
            return json.load(answer)["kid"]

    def revoke_all(self, login):
        """The person takes all grants back; returns how many there were."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.issuer}/test/revoke/{login}", method="POST", data=b"")) as answer:
            return int(answer.read())

    def log(self):
        with urllib.request.urlopen(self.issuer + "/test/log") as answer:
            return json.load(answer)

    def client_credentials(self, client="vdk-ci", secret="ci-secret", scope="api"):
        """An access token of a machine."""
        body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": scope})
        with urllib.request.urlopen(self.issuer + "/token", data=body.encode()) as answer:
            return json.load(answer)["access_token"]

    def sign_in(self, url, login="alice", visit=True):
        """What a person does in a browser: follow `url`, log in, consent, until the provider sends us to a loopback address
        or has nothing more to ask. Returns the last address and page; without `visit` a loopback address is not opened."""
        jar = http.cookiejar.CookieJar()

        class Stop(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, request, fp, code, message, headers, target):
                return None

        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), Stop)
        data = None
        for _ in range(20):
            try:
                answer = opener.open(urllib.request.Request(url, data=data))
            except urllib.error.HTTPError as problem:
                if problem.code not in (301, 302, 303, 307):
                    return url, problem.read().decode(errors="replace")
                target = urllib.parse.urljoin(url, problem.headers["Location"])
                data = None
                if not target.startswith(self.issuer):
                    return target, urllib.request.urlopen(target).read().decode(errors="replace") if visit else ""
                url = target
                continue
            page = answer.read().decode(errors="replace")
            form = re.search(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page, re.S)
            if not form:
                return url, page
            fields = {}
            for tag in re.findall(r"<input[^>]*>", form[2]):
                name = re.search(r"name=\"([^\"]*)\"", tag)
                value = re.search(r"value=\"([^\"]*)\"", tag)
                if name:
                    fields[name[1]] = html.unescape(value[1]) if value else ""
            if "login" in fields:
                fields.update({"login": login, "password": "any"})
            url, data = urllib.parse.urljoin(url, html.unescape(form[1])), urllib.parse.urlencode(fields).encode()
        raise AssertionError("the provider asks for ever: " + url)

    def user_token(self, login="alice", client="vdk-cli"):
        """Access and refresh token of a person, by authorization code with PKCE."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        redirect = "http://127.0.0.1:1/callback"
        query = urllib.parse.urlencode({"client_id": client, "response_type": "code", "redirect_uri": redirect, "prompt": "consent",
                                        "scope": "openid offline_access api", "code_challenge": challenge, "code_challenge_method": "S256",
                                        "state": "s"})
        target, _ = self.sign_in(f"{self.issuer}/auth?{query}", login, visit=False)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)["code"][0]
        body = urllib.parse.urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": client,
                                       "code_verifier": verifier})
        with urllib.request.urlopen(self.issuer + "/token", data=body.encode()) as answer:
            return json.load(answer)


@contextlib.contextmanager
def provider(**options):
    folder = _install()
    process = subprocess.Popen(["node", "provider.mjs", json.dumps(options)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise AssertionError("the OpenID Connect provider does not start")
        yield Provider(process, json.loads(line)["issuer"])
    finally:
        process.terminate()
        process.wait(10)
