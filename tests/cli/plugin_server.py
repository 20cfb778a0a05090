# SPDX-License-Identifier: Apache-2.0
"""A web server of plugins for the tests of `vdk plugin`: it remembers every request."""
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile


def tar_gz(files, mode=0o644):
    """Bytes of a tar.gz that are the same every time."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
    import gzip
    return gzip.compress(raw.getvalue(), mtime=0)


def zip_file(files):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return raw.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class PluginServer:
    """`files` maps a path to bytes, or to a function that gets the request's handler and answers by itself."""

    def __init__(self):
        self.files, self.requests, self.token = {}, [], None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(self.path)
                found = outer.files.get(self.path.split("?")[0])
                if outer.token and self.headers.get("Authorization") != "Bearer " + outer.token:
                    self.answer(401, b"who are you?")
                elif found is None:
                    self.answer(404, b"not here")
                elif callable(found):
                    found(self)
                else:
                    self.answer(200, found)

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients are killed in these tests
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
