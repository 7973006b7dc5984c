"""Files that are being written, before they take their place: what a process that died left behind is removed.

A draft's name says which process writes it. Processes of other machines are left alone, as nothing is known of them.
"""

import contextlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = "drafts"
_NAME = re.compile(r"(?P<host>[A-Za-z0-9.-]+)-(?P<process>\d+)-[0-9a-f]{16}\.part")


@contextlib.contextmanager
def draft_in(scratch: Path) -> Iterator[Path]:
    """Give a path for a file that is to be written; it is removed at the end of the block unless it was moved away."""
    folder = scratch / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _swept(folder)
    draft = folder / f"{this_host()}-{os.getpid()}-{secrets.token_hex(8)}.part"
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the drafts of processes of this machine that are no more."""
    for path in folder.iterdir():
        name = _NAME.fullmatch(path.name)
        if name and name["host"] == this_host() and not _is_alive(int(name["process"])):
            path.unlink(missing_ok=True)


@cache
def _swept(folder: Path) -> None:
    """Sweep a folder once a process."""
    sweep(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder of our own, if it is there; raises ``OSError`` if that does not work."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def this_host() -> str:
    """Return this machine's name as part of a file's."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "host"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
