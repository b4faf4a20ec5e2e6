"""Files served on loopback as CloudFront serves them: packed, with the site's headers."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from paperpost.storage.site import content_type


@contextmanager
def served(files: Mapping[str, bytes], headers: Mapping[str, str]) -> Iterator[str]:
    """The address below which *files* (path → bytes) are, while the block runs."""
    packed = {f"/{path}": gzip.compress(body, mtime=0) for path, body in files.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            body = packed.get(path, b"")
            self.send_response(200 if path in packed else 404)
            if body:
                self.send_header("Content-Type", content_type(path))
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # a tab that goes on does not wait for the rest
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a proof prints one line."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
