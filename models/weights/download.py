"""Download one file over HTTP: resumable, with a progress bar, whole or not at all."""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from models.errors import WeightsUnreachable
from models.weights.partial import Origin, begin, drop, forget, noted_origin, origin_of
from models.weights.web import answer, in_plain_words

_CHUNK_BYTES = 1 << 20
_LOOKED_AT = 64
_OK, _PARTIAL, _RANGE_NOT_SATISFIABLE = 200, 206, 416


def download(url: str, target: Path, label: str, size_bytes: int | None = None, *, is_checked: bool = False) -> None:
    """Fetch ``url`` into ``target``, going on where an earlier attempt stopped if it is still the same file.

    Args:
        url: of the file.
        target: where it is put.
        label: what it is called on the screen.
        size_bytes: about, of the file; one of less than half or more than twice as much is refused.
        is_checked: whether the caller knows the file's checksum, so that what another server began may be gone on with.

    Raises:
        WeightsUnreachable: unreachable, refused, cut short, no weights, or led from https to plain http; what arrived
            stays for the next attempt, unless it is no beginning of the file that the server has.
    """
    try:
        if not _transferred(url, target, label, size_bytes, is_checked=is_checked):
            drop(target)
            _transferred(url, target, label, size_bytes, is_checked=is_checked)
        forget(target)
    except (HTTPError, OSError, WeightsUnreachable) as error:
        raise WeightsUnreachable(f"{url}: {in_plain_words(error)}") from error


def _transferred(url: str, target: Path, label: str, size_bytes: int | None, *, is_checked: bool) -> bool:
    """Fetch what is missing; False where what is here is no beginning of what the server has."""
    start = target.stat().st_size if target.exists() else 0
    origin = noted_origin(target) or Origin(url=url)
    if start and origin.url != url and not is_checked:
        return False
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and origin.url == url and origin.validator:
        headers["If-Range"] = origin.validator
    with answer(url, headers) as response:
        found = origin_of(url, response, _total_bytes(response))
        if start and response.status == _RANGE_NOT_SATISFIABLE:
            return found.total == start and origin.may_be(found)
        if response.status not in (_OK, _PARTIAL):
            raise WeightsUnreachable(f"the server answered {response.status} {response.reason}")
        if response.status == _PARTIAL and not start:
            raise WeightsUnreachable("the server sent a part of the file, and was asked for all of it")
        if response.status == _PARTIAL and (_first_byte(response) != start or not origin.may_be(found)):
            return False
        if response.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise WeightsUnreachable("the server answered with a web page")
        _check_size(found.total, size_bytes)
        _receive(response, target, found, label, most=2 * size_bytes if size_bytes else None)
    return True


def _receive(response: BaseHTTPResponse, target: Path, found: Origin, label: str, most: int | None) -> None:
    resumed = response.status == _PARTIAL
    chunks, head = response.stream(_CHUNK_BYTES), b""
    if not resumed:
        while len(head) < _LOOKED_AT and (chunk := next(chunks, b"")):
            head += chunk
        _check_head(head)
        begin(target, found)
    arrived, most = target.stat().st_size if resumed else 0, most if found.total is None else found.total
    with target.open("ab" if resumed else "wb") as file, _progress() as progress:
        task = progress.add_task(label, total=found.total, completed=arrived)
        while chunk := head or next(chunks, b""):
            head, arrived = b"", arrived + len(chunk)
            if most is not None and arrived > most:
                drop(target)
                raise WeightsUnreachable(f"the server sent more than the {most} bytes of the file; it was dropped")
            file.write(chunk)
            progress.advance(task, len(chunk))
    if found.total not in (None, arrived):
        raise WeightsUnreachable(f"the connection ended after {arrived} of {found.total} bytes")


def _check_head(head: bytes) -> None:
    """Make sure that a file begins that may be weights: those begin with bytes that no text has."""
    begun = head[:_LOOKED_AT]
    if not any(byte < 9 or 13 < byte < 32 for byte in begun):
        shown = " ".join(begun.decode(errors="replace").split())
        raise WeightsUnreachable(
            f"the server answered with a web page or other text, no weights: {shown!r}" if begun else "nothing came"
        )


def _check_size(total: int | None, size_bytes: int | None) -> None:
    if total is not None and size_bytes is not None and not size_bytes / 2 <= total <= 2 * size_bytes:
        raise WeightsUnreachable(f"the server's file has {total} bytes, and about {size_bytes} are right: no weights")


def _total_bytes(response: BaseHTTPResponse) -> int | None:
    whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    if whole:
        return int(whole[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if response.status == _OK and length.isdecimal() else None


def _first_byte(response: BaseHTTPResponse) -> int:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else 0


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
    )
