"""A web on the loopback: four hosts, feeds that grow, and videos that come with every fault a transfer can have."""

import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from tests.pipeline.web_host import QuietHandler, QuietServer, running

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
FAULTS = (
    "good",
    "cut",
    "429",
    "429-after",
    "503",
    "404",
    "drip",
    "long",
    "short",
    "redirect",
    "page",
    "text",
    "changed",
)
NEVER = ("404", "text")
PAGE = b"<html><head><title>A house</title></head><body>Nothing to see.</body></html>"
PADDING = 24_000


@dataclass(frozen=True)
class Asked:
    """One request: when, of which host, for which video, answered how."""

    at: float
    host: str
    name: str
    status: int


@dataclass
class Web:
    """``video(i)`` is served under ``url(i)`` with fault ``fault(i)``; ``listed`` videos are in the feeds."""

    film: bytes
    count: int
    listed: int
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)

    def fault(self, index: int) -> str:
        return FAULTS[index % len(FAULTS)]

    def fetchable(self) -> list[int]:
        return [index for index in range(self.count) if self.fault(index) not in NEVER]

    def video(self, index: int, version: int = 1) -> bytes:
        """The film with a box of its own behind it that no player looks at (ISO/IEC 14496-12, 8.1.2)."""
        text = f"video {index} version {version} ".encode()
        return self.film + struct.pack(">I4s", 8 + PADDING, b"free") + (text * (PADDING // len(text) + 1))[:PADDING]

    def url(self, index: int) -> str:
        return f"http://{HOSTS[index % len(HOSTS)]}:{self.port}/v/{index}.mp4"

    def feed(self, kind: str) -> bytes:
        """Every third video, newest first, as RSS or Atom."""
        first = ("rss", "atom").index(kind)
        return feed_of(kind, [self.url(i) for i in reversed(range(first, self.listed, 3))])

    def page(self) -> bytes:
        """All listed videos, newest first, as a page that shows them."""
        shown = "".join(f'<video src="{self.url(i)}"></video>' for i in reversed(range(self.listed)))
        return f"<html><head><title>Tours</title></head><body>{shown}</body></html>".encode()

    def table(self) -> str:
        return "url\n" + "".join(f"{self.url(i)}\n" for i in range(2, self.listed, 3))


def feed_of(kind: str, urls: list[str]) -> bytes:
    if kind == "rss":
        items = "".join(f"<item><title>t</title><link>{url}</link></item>" for url in urls)
        return f'<rss version="2.0"><channel><title>Tours</title>{items}</channel></rss>'.encode()
    entries = "".join(f'<entry><title>t</title><link rel="alternate" href="{url}"/></entry>' for url in urls)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Tours</title>{entries}</feed>'.encode()


@contextmanager
def serving(web: Web) -> Iterator[Web]:
    with running(_Server(web)) as port:
        web.port = port
        yield web


class _Server(QuietServer):
    request_queue_size = 128

    def __init__(self, web: Web) -> None:
        super().__init__(("0.0.0.0", 0), _Handler)
        self.web = web


class _Handler(QuietHandler):
    @property
    def web(self) -> Web:
        return cast("_Server", self.server).web

    def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002
        host = str(self.headers["Host"]).partition(":")[0]
        self.web.asked.append(Asked(time.time(), host, self.path, int(cast("int", code))))

    def do_GET(self) -> None:  # noqa: N802  (the name that http.server gives it)
        if self.path.startswith("/feed."):
            self._send(self.web.feed(self.path.removeprefix("/feed.")), "application/xml")
            return
        if self.path.startswith("/to/"):
            self._redirect(f"http://{self.path.removeprefix('/to/')}:{self.web.port}/feed.rss")
            return
        if self.path == "/page.html":
            self._send(self.web.page(), "text/html")
            return
        index = int(self.path.rpartition("/")[2].removesuffix(".mp4"))
        self.web.tries[self.path] += 1
        fault, nth = self.web.fault(index), self.web.tries[self.path]
        # The first request of a video is yt-dlp's look at it, the second its transfer: faults hit both.
        early = nth <= (1 if fault == "page" else 1 + (index // len(FAULTS)) % 2)
        self._answer(index, fault if early or fault in (*NEVER, "cut", "redirect", "drip", "changed") else "good")

    def _answer(self, index: int, fault: str) -> None:
        content = self.web.video(index)
        if fault in ("429", "429-after", "503", "404"):
            self.send_response(int(fault[:3]))
            if fault == "429-after":
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault == "redirect" and self.path.startswith("/v/"):
            self._redirect(f"/r/{index}.mp4")
        elif fault in ("page", "text"):
            self._send(PAGE, "text/html" if fault == "page" else "video/mp4")
        elif fault == "changed":
            # What was begun before the first transfer ended half way is another file than what is there afterwards.
            version = 1 if self.web.tries[self.path] > 2 else 0
            self._send(self.web.video(index, version), "video/mp4", etag=f'"{version}"', cut=version == 0)
        else:
            longer = {"long": 5000, "short": -(PADDING // 2 + 5000)}.get(fault, 0)
            self._send(content, "video/mp4", cut=fault == "cut", drip=fault == "drip", longer=longer)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(
        self, body: bytes, kind: str, etag: str = "", *, cut: bool = False, drip: bool = False, longer: int = 0
    ) -> None:
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        if etag and self.headers.get("If-Range", etag) != etag:
            start = 0
        if start >= len(body) and start:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - start + longer))
        if etag:
            self.send_header("ETag", etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if longer or (cut and start == 0):
            self.close_connection = True
        end = len(body) // 2 if cut and start == 0 else len(body) + min(longer, 0)
        step = len(body) // 10 if drip else len(body)
        for at in range(start, end, step):
            self.wfile.write(body[at : min(at + step, end)])
            self.wfile.flush()
            time.sleep(0.01 if drip else 0)
