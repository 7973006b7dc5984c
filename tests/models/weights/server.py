"""A web server on the loopback interface with one file, which it serves as well or as badly as the path says."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import numpy as np

MEGABYTE = 1 << 20
CONTENT = np.random.default_rng(0).bytes(3 * MEGABYTE)


class WeightsServer(ThreadingHTTPServer):
    """Notes the ``Range`` of every request, and all headers; ``released`` lets the path ``/stalled`` go on.

    ``/tagged`` serves ``tagged``, a file with an ETag, whole or by halves, and heeds ``If-Range``.
    """

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ranges: list[str | None] = []
        self.headers: list[tuple[str, dict[str, str]]] = []
        self.tagged = (b"", "")
        self.released = threading.Event()

    def handle_error(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        """Say nothing of clients that hang up, which is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


@contextmanager
def running() -> Iterator[WeightsServer]:
    with WeightsServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: WeightsServer
    protocol_version = "HTTP/1.1"
    timeout = 5
    """Seconds that a connection may be kept open without a request."""

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        self.server.headers.append((self.path, {name.title(): value for name, value in self.headers.items()}))
        start = int(asked[6:-1]) if asked else 0
        served: dict[str, Callable[[int], None]] = {
            "/whole": self.whole,
            "/stubborn": lambda _: self.whole(0),
            "/cut": lambda start: self.whole(start, stop=start + (len(CONTENT) - start) // 2),
            "/stalled": self.stalled,
            "/shifted": self.shifted,
            "/tagged": self.tagged,
            "/tagged-half": lambda start: self.tagged(start, cut=True),
            "/text": self.text,
            "/page": self.page,
            "/chunked": lambda _: self.chunked(CONTENT),
            "/chunked-and-cut": lambda _: self.chunked(CONTENT[:MEGABYTE], ended=False),
            "/unsized": self.unsized,
            "/nonsense-length": self.nonsense_length,
            "/unsatisfiable": lambda _: self.unsatisfiable("bytes */0"),
            "/moved": lambda _: self.moved("/whole"),
            "/loop": lambda _: self.moved("/loop"),
            "/hang-up": lambda _: self.hang_up(),
            "/busy": lambda _: self.send_error(503),
        }
        path = urlsplit(self.path).path  # to a proxy whole addresses are sent
        if path.startswith("/to/"):
            self.moved(f"http://{path.removeprefix('/to/')}")
            return
        served.get(path, lambda _: self.send_error(404))(start)

    def whole(self, start: int, stop: int | None = None) -> None:
        """Serve from ``start`` as asked, and hang up at ``stop``."""
        if start >= len(CONTENT):
            self.unsatisfiable(f"bytes */{len(CONTENT)}")
            return
        self.begin(start)
        self.wfile.write(CONTENT[start:stop])
        self.close_connection = stop is not None

    def begin(self, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()

    def stalled(self, start: int) -> None:
        """Stop for the first request after two megabytes; whoever resumes is served."""
        if start:
            self.whole(start)
            return
        self.begin(0)
        self.wfile.write(CONTENT[: 2 * MEGABYTE])
        self.wfile.flush()
        self.server.released.wait(60)
        self.wfile.write(CONTENT[2 * MEGABYTE :])

    def shifted(self, start: int) -> None:
        """Send something else than was asked for, as a broken proxy does, unless the whole file is asked for."""
        self.whole(start + 1 if start else 0)

    def tagged(self, start: int, *, cut: bool = False) -> None:
        content, etag = self.server.tagged
        start = start if self.headers.get("If-Range", etag) == etag else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(content[start : len(content) // 2] if cut else content[start:])
        self.close_connection = cut

    def text(self, _: int) -> None:
        """A page that is sent as weights would be, padded to their size."""
        page = b"\n<!DOCTYPE html><title>Sign in</title>".ljust(len(CONTENT))
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def page(self, _: int) -> None:
        page = b"<html>Please log in to the network</html>"
        self.send_response(200)
        self.send_header("Content-Type", "Text/HTML; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def chunked(self, content: bytes, *, ended: bool = True) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(content) + content + b"\r\n" + (b"0\r\n\r\n" if ended else b""))
        self.close_connection = not ended

    def unsized(self, _: int) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)
        self.close_connection = True

    def nonsense_length(self, _: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "three megabytes")
        self.end_headers()
        self.wfile.write(CONTENT)
        self.close_connection = True

    def unsatisfiable(self, content_range: str) -> None:
        self.send_response(416)
        self.send_header("Content-Range", content_range)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def moved(self, path: str) -> None:
        self.send_response(302)
        self.send_header("Location", path if "://" in path else self.server.url(path))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
