"""An S3 server on loopback (moto), in a process of its own, with the faults that real ones have.

Prints its address. ``FOLDER/requests`` gets a line a request. Files there tell what goes wrong: ``expired``,
credentials are refused; ``unconditional``, conditional writes are taken for plain ones, as by older servers; ``ahead``,
its clock is as many seconds ahead; ``read_only``, nothing may be written or deleted.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class FaultyBuckets:
    """Moto's application behind the faults, one request at a time: S3 decides on conditional writes one by one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moto, self._turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def __call__(self, asked: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        if (self._folder / "unconditional").exists():
            asked.pop("HTTP_IF_MATCH", None)
            asked.pop("HTTP_IF_NONE_MATCH", None)

        def noted(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            with (self._folder / "requests").open("a") as log:
                log.write(f"{status[:3]} {asked['REQUEST_METHOD']} {asked['PATH_INFO']}?{asked['QUERY_STRING']}\n")
            return answer(status, [(name, self._later(name, value)) for name, value in headers], *more)

        with self._turn:
            if (self._folder / "expired").exists():
                noted("400 Bad Request", [("Content-Type", "application/xml"), ("Content-Length", str(len(EXPIRED)))])
                return [] if asked["REQUEST_METHOD"] == "HEAD" else [EXPIRED]
            if (self._folder / "read_only").exists() and asked["REQUEST_METHOD"] not in ("GET", "HEAD"):
                noted("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(DENIED)))])
                return [DENIED]
            return list(self._moto(asked, noted))

    def _later(self, name: str, value: str) -> str:
        ahead = self._folder / "ahead"
        if name.lower() not in ("last-modified", "date") or not ahead.exists():
            return value
        return format_datetime(parsedate_to_datetime(value) + timedelta(seconds=float(ahead.read_text())), usegmt=True)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing: what was asked is in the file."""


def main() -> None:
    """Serve until killed."""
    buckets = FaultyBuckets(Path(sys.argv[1]))
    server = make_server("127.0.0.1", 0, buckets, threaded=True, request_handler=_Quiet)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
