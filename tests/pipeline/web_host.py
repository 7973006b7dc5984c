"""Web servers on the loopback: of one file, whole, in halves, drop by drop or not at all; of one answer to all."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

STATUSES = {"404": 404, "410": 410, "403": 403, "429": 429, "503": 503, "500": 500}
PAGE = b"<html><body>No video here.</body></html>"


@dataclass
class Host:
    """``/<what>/house.mp4`` is answered as ``what`` says; ``requests`` holds what was asked for, with its range."""

    content: bytes
    address: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving(content: bytes) -> Iterator[Host]:
    """Serve ``content`` for the time of the block."""
    host = Host(content)
    with running(_Server(host)) as port:
        host.address = f"http://127.0.0.1:{port}"
        yield host


@contextmanager
def answering(answer: bytes, heard: list[bytes]) -> Iterator[str]:
    """Say one thing to everybody who asks for the address yielded; ``heard`` gets what they said."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def running(server: http.server.HTTPServer) -> Iterator[int]:
    """Serve for the time of the block; yields the port."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


class QuietServer(http.server.ThreadingHTTPServer):
    """Answers several clients at a time, whatever becomes of them."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that was killed: that is part of the tests."""


class QuietHandler(http.server.BaseHTTPRequestHandler):
    """Keeps connections open, as hosts do, and prints nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(QuietServer):
    def __init__(self, host: Host) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host


class _Handler(QuietHandler):
    def do_GET(self) -> None:
        what, wanted = self.path.split("/")[1], self.headers.get("Range")
        self.host.requests.append((what, wanted))
        if what in STATUSES:
            self.send_error(STATUSES[what])
        elif what == "reset":
            self.close_connection = True
            self.connection.close()
        elif what in {"page", "disguised"}:
            self._send(PAGE, 0, "text/html" if what == "page" else "video/mp4")
        else:
            start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
            self._send(self.host.content, start, "video/mp4")

    def do_HEAD(self) -> None:
        self.do_GET()

    @property
    def host(self) -> Host:
        return cast("_Server", self.server).host

    def _send(self, body: bytes, start: int, kind: str) -> None:
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            self._send_body(body, start)

    def _send_body(self, body: bytes, start: int) -> None:
        what = self.path.split("/")[1]
        if what == "halves" and start == 0:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        step = len(body) // 40 if what == "dripping" else len(body)
        for at in range(start, len(body), step):
            self.wfile.write(body[at : at + step])
            self.wfile.flush()
            time.sleep(0.1 if what == "dripping" else 0)
