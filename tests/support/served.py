# SPDX-License-Identifier: Apache-2.0
"""An HTTP server (`self.server`) that answers in a thread of its own while a `with` block runs."""
import threading


class Served:
    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
