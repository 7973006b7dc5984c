"""Download one file over HTTP: resumable, with a progress bar, whole or not at all."""

import contextlib
import re
import sys
from pathlib import Path

import urllib3
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from models.errors import WeightsUnavailable

_CHUNK_BYTES = 1 << 20
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_OK, _PARTIAL, _RANGE_NOT_SATISFIABLE = 200, 206, 416


def download(url: str, target: Path, label: str) -> None:
    """Fetch ``url`` into ``target``, going on where an earlier attempt stopped.

    Raises:
        WeightsUnavailable: unreachable, refused, cut short, or led from https to plain http; what arrived stays for
            the next attempt.
    """
    start = target.stat().st_size if target.exists() else 0
    try:
        with urllib3.PoolManager(timeout=_TIMEOUT, retries=3) as pool:
            response = _request(pool, url, start)
            if start and _holds_all(response, start):
                return
            if start and not _continues(response, start):
                response.close()
                start = 0
                response = _request(pool, url, start)
            with contextlib.closing(response):
                _receive(response, target, start, label)
    except (HTTPError, OSError, WeightsUnavailable) as error:
        raise WeightsUnavailable(f"{url}: {error}") from error


def _request(pool: urllib3.PoolManager, url: str, start: int) -> BaseHTTPResponse:
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    response = pool.request("GET", url, headers=headers, preload_content=False, enforce_content_length=False)
    led_to = [hop.redirect_location or "" for hop in response.retries.history] if response.retries else []
    if url.startswith("https:") and any(place.startswith("http:") for place in led_to):
        response.close()
        raise WeightsUnavailable("the server leads to an address without encryption")
    return response


def _holds_all(response: BaseHTTPResponse, start: int) -> bool:
    """Whether nothing follows what an earlier attempt left."""
    return response.status == _RANGE_NOT_SATISFIABLE and _total_bytes(response) == start


def _continues(response: BaseHTTPResponse, start: int) -> bool:
    """Whether what comes can be used; not if it begins elsewhere, or the file is shorter than what is here."""
    if response.status == _PARTIAL:
        return _first_byte(response) == start
    return response.status != _RANGE_NOT_SATISFIABLE


def _receive(response: BaseHTTPResponse, target: Path, start: int, label: str) -> None:
    if response.status not in (_OK, _PARTIAL):
        raise WeightsUnavailable(f"the server answered {response.status} {response.reason}")
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise WeightsUnavailable("the server answered with a web page")
    if response.status == _PARTIAL and _first_byte(response) != start:
        raise WeightsUnavailable(f"the server sent bytes from {_first_byte(response)} on instead of from {start} on")
    total = _total_bytes(response)
    resumed = start if response.status == _PARTIAL else 0
    with target.open("ab" if resumed else "wb") as file, _progress() as progress:
        task = progress.add_task(label, total=total, completed=resumed)
        for chunk in response.stream(_CHUNK_BYTES):
            file.write(chunk)
            progress.advance(task, len(chunk))
    arrived = target.stat().st_size
    if total not in (None, arrived):
        raise WeightsUnavailable(f"the connection ended after {arrived} of {total} bytes")


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
