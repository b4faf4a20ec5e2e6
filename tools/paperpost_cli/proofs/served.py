"""Files served on loopback as CloudFront serves them: some packed, with the site's headers."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from paperpost.storage.site import content_type

# What of ours CloudFront compresses by itself; Atom, JSON Feed, Markdown, BibTeX are not among it.
# Source: Serving compressed files, Amazon CloudFront Developer Guide, read 2026-11-26.
_PACKED = {
    "text/html",
    "text/css",
    "text/javascript",
    "application/json",
    "application/rss+xml",
    "application/xml",
}


@contextmanager
def served(files: Mapping[str, bytes], headers: Mapping[str, str]) -> Iterator[str]:
    """
    The address below which *files* (path → bytes) are, while the block runs.

    Those in `mail/` come without *headers*: a mail program shows them, whatever a site allows.
    """
    sent = {f"/{path}": _sent(path, body) for path, body in files.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            body, own = sent.get(path, (b"", {}))
            added = {} if path.startswith("/mail/") else headers
            self.send_response(200 if path in sent else 404)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {**own, **added}.items():
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


def _sent(path: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """What goes over the wire of *body*, and its own headers."""
    kind = content_type(path)
    if kind.partition(";")[0] not in _PACKED:
        return body, {"Content-Type": kind}
    return gzip.compress(body, mtime=0), {"Content-Type": kind, "Content-Encoding": "gzip"}
