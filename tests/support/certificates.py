# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test, by the openssl command."""
import pathlib
import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def _openssl(folder, *args):
    done = subprocess.run(["openssl", *map(str, args)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"openssl {args}: {done.stderr}")


class Authority:
    def __init__(self, folder, name="test authority"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "authority.pem"
        _openssl(self.folder, "req", "-x509", *EC, "-nodes", "-keyout", "authority.key", "-out", self.file, "-days", 3650,
                 "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, name, days=365, authority=False, issuer="authority", subject="vdk.example.com", key=EC):
        """Files NAME.pem and NAME.key, signed by `issuer`; the certificate's file has no chain."""
        extension = "basicConstraints=critical,CA:TRUE" if authority else "subjectAltName=IP:127.0.0.1,DNS:localhost"
        _openssl(self.folder, "req", *key, "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", f"/CN={subject}",
                 "-addext", extension)
        _openssl(self.folder, "x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                 "-copy_extensions", "copy", "-days", days, "-out", name + ".pem")
        (self.folder / (name + ".key")).chmod(0o600)
        return self.folder / (name + ".pem"), self.folder / (name + ".key")
