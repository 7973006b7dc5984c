"""Download one file over HTTP: resumable, with a progress bar, whole or not at all."""

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
        WeightsUnavailable: unreachable, refused, or cut short; what arrived stays for the next attempt.
    """
    have = target.stat().st_size if target.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib3.PoolManager(timeout=_TIMEOUT, retries=3) as pool:
            response = pool.request("GET", url, headers=headers, preload_content=False, enforce_content_length=False)
            _receive(response, target, have, label)
    except (HTTPError, OSError) as error:
        raise WeightsUnavailable(f"{url}: {error}") from error


def _receive(response: BaseHTTPResponse, target: Path, have: int, label: str) -> None:
    total = _total_bytes(response)
    if response.status == _RANGE_NOT_SATISFIABLE and total == have:
        return
    if response.status not in (_OK, _PARTIAL):
        raise WeightsUnavailable(f"the server answered {response.status} {response.reason}")
    resumed = have if response.status == _PARTIAL else 0
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
    length = response.headers.get("Content-Length")
    return int(length) if response.status == _OK and length else None


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
