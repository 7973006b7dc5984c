"""Arrays kept by the content they were computed from, in a folder that may be deleted at any time."""

import contextlib
import hashlib
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.atomic import draft

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
    """A folder of ``<key>.npz`` files; keys come from ``content_key``.

    max_bytes: what the folder may hold; what was not used for longest goes first. Any number of processes may share it,
    and one that is killed leaves nothing that is ever read.
    """

    def __init__(self, folder: Path, max_bytes: float = math.inf) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def load(self, key: str) -> CachedArrays | None:
        """Return what was stored under ``key``; nothing where it is missing or damaged."""
        path = self._folder / f"{key}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            os.utime(path)
        except Exception:  # noqa: BLE001  (damaged bytes fail anywhere in zipfile and NumPy, and all are as good as none)
            return None
        return arrays

    def store(self, key: str, arrays: CachedArrays) -> None:
        """Store arrays under ``key``, whole or not at all, also when several processes do so at once."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # another process may find the folder too full, and delete what is being written
        with contextlib.suppress(FileNotFoundError), draft(self._folder / f"{key}.npz") as part:
            _write(part, arrays)
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Delete what is too much, drafts that a killed process left among it."""
        found = sorted(map(_used_and_size, self._folder.iterdir()), reverse=True)
        held = 0
        for _, size, path in found:
            held += size
            if held > self._max_bytes:
                path.unlink(missing_ok=True)


def _write(path: Path, arrays: CachedArrays) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _used_and_size(path: Path) -> tuple[int, int, Path]:
    """When a file was last used, how large it is, and its path; one that another process deleted counts nothing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, path
    return found.st_mtime_ns, found.st_size, path
