"""Arrays kept by the content they were computed from, in a folder that may be deleted at any time."""

import contextlib
import hashlib
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.atomic import draft
from models.own_folder import find_own, own_folder

FOLDER = "youtube-occ-arrays"
"""Subfolder of the folder that is named, made and marked by the cache."""

_KEY = re.compile(r"[0-9a-f]{64}")
_OWN_NAME = re.compile(r"[0-9a-f]{64}\.npz(\.[0-9a-f]{8}\.part)?")
"""What the cache writes, and all that it ever deletes: entries and their drafts."""

CachedArrays = Mapping[str, NDArray[np.generic]]


def content_key(*parts: str | bytes) -> str:
    """Return a SHA-256 over the parts and their lengths, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def tensors_key(tensors: Iterable[Tensor]) -> str:
    """Return a SHA-256 over the values of tensors, in order, wherever they lie."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().data)
    return digest.hexdigest()


class ArrayCache:
    """Files ``<key>.npz`` in a subfolder of ``folder``; keys come from ``content_key``.

    folder: anybody's; nothing in it is changed but the subfolder, which the cache makes and marks. Entries that earlier
    releases left in ``folder`` itself are read and never deleted. max_bytes: what the subfolder may hold; what was not
    used for longest goes first. Any number of processes may share it, and one that is killed leaves nothing that is
    ever read.
    """

    def __init__(self, folder: Path, max_bytes: float = math.inf) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def load(self, key: str) -> CachedArrays | None:
        """Return what was stored under ``key``; nothing where it is missing or damaged."""
        own = find_own(self._folder, FOLDER)
        stored = _read(own / _name(key)) if own else None
        if own and stored is not None:
            with contextlib.suppress(OSError):
                os.utime(own / _name(key))
        return stored if stored is not None else _read(self._folder / _name(key))

    def store(self, key: str, arrays: CachedArrays) -> None:
        """Store arrays under ``key``, whole or not at all, also when several processes do so at once."""
        if find_own(self._folder, FOLDER) is None:
            self._tell_of_earlier_entries()
        own = own_folder(self._folder, FOLDER)
        # another process may find the folder too full, and delete what is being written
        with contextlib.suppress(FileNotFoundError), draft(own / _name(key)) as part:
            _write(part, arrays)
        self._forget_oldest(own)

    def _forget_oldest(self, own: Path) -> None:
        """Delete what is too much of what the cache wrote, drafts that a killed process left among it."""
        held = 0
        for _, size, path in sorted(_entries(own), reverse=True):
            held += size
            if held > self._max_bytes:
                path.unlink(missing_ok=True)

    def _tell_of_earlier_entries(self) -> None:
        sizes = [size for _, size, _ in _entries(self._folder)]
        if sizes:
            sys.stderr.write(
                f"{self._folder}: {len(sizes)} entries of an earlier release ({sum(sizes) / 1e9:.1f} GB) are read, but "
                f"no longer deleted when space runs out; new ones lie in {FOLDER}\n"
            )


def _name(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key: take it from content_key")
    return f"{key}.npz"


def _read(path: Path) -> CachedArrays | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except Exception:  # noqa: BLE001  (damaged bytes fail anywhere in zipfile and NumPy, and all are as good as none)
        return None


def _write(path: Path, arrays: CachedArrays) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _entries(folder: Path) -> list[tuple[int, int, Path]]:
    """Return when each file with a name of the cache was last used, its size and path; links and folders are not."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if _OWN_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):  # another process deleted it meanwhile
                    state = entry.stat(follow_symlinks=False)
                    found.append((state.st_mtime_ns, state.st_size, Path(entry.path)))
    return found
