"""How files below a folder or a prefix are reached: one protocol, which folders, buckets and mirrors of videos speak.

Names are parts joined by ``/``, below the root.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

import fsspec

from pipeline.store.atomic import flush, move, reading

if TYPE_CHECKING:
    from zarr.storage import LocalStore, StoreLike

METADATA = "zarr.json"
"""Without it, what lies below a name is no group: it is removed first and written last."""


class Stamp(NamedTuple):
    """What tells one state of a file from the next without reading it: bytes, and a mark that every write changes."""

    size: int
    mark: str


class Tree(Protocol):
    """Files by name. Reading raises ``FileNotFoundError`` and ``NotReadableNow``."""

    def stamp(self, name: str) -> Stamp | None:
        """Return the state of a file, None where there is none."""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a file for reading."""

    def fetch(self, name: str, local: Path) -> None:
        """Copy a file to a local path."""

    def put(self, local: Path, name: str) -> None:
        """Move a local file to its place, whole or not at all."""

    def remove(self, name: str) -> None:
        """Delete a file; raises ``FileNotFoundError``."""

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; none where there is no such folder."""

    def below(self, name: str) -> dict[str, Stamp]:
        """Return every file below a folder by its name; of a file, the file itself."""

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete files."""

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""

    def zarr_store(self, name: str) -> "StoreLike":
        """Return what zarr opens for reading."""


class PlainTree:
    """The files below ``root`` in a folder of this machine, or in fsspec's memory, which tests take for a bucket."""

    def __init__(self, file_system: fsspec.AbstractFileSystem, root: str, *, is_local: bool) -> None:
        self._file_system, self._root, self._is_local = file_system, root.rstrip("/"), is_local

    def stamp(self, name: str) -> Stamp | None:
        """Return the state of a file or folder, None where there is none."""
        path = self._path(name)
        if not _is_name(path):
            return None
        try:
            with reading(path):
                if self._is_local:
                    found = Path(path).stat()
                    return Stamp(found.st_size, f"{found.st_ino} {found.st_mtime_ns}")
                info = self._file_system.info(path)
        except FileNotFoundError:
            return None
        return Stamp(info["size"] or 0, str(info.get("created")))

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with reading(self._path(name)):
            return bytes(self._file_system.cat_file(self._path(name)))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading; an error of the file system in the block counts as one of reading."""
        with reading(self._path(name)), self._file_system.open(self._path(name)) as file:
            yield file

    def fetch(self, name: str, local: Path) -> None:
        """Copy a file to a local path."""
        with reading(self._path(name)):
            self._file_system.get_file(self._path(name), str(local))

    def put(self, local: Path, name: str) -> None:
        """Move a local file to its place, in a folder so that it outlives a power cut."""
        target = self._path(name)
        self._file_system.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self._is_local:
            flush(local)
            move(local, Path(target))
            return
        self._file_system.put_file(str(local), target)
        local.unlink()

    def remove(self, name: str) -> None:
        """Delete a file."""
        self._file_system.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; a hundred thousand names are wanted at once, not paths."""
        path = self._path(folder)
        try:
            with reading(path):
                found = os.listdir(path) if self._is_local else self._file_system.ls(path, detail=False)  # noqa: PTH208
        except FileNotFoundError:
            return []
        return [name.rstrip("/").rpartition("/")[2] for name in found]

    def below(self, name: str) -> dict[str, Stamp]:
        """Return every file below a folder by its name; of a file, the file itself."""
        path = self._path(name)
        try:
            with reading(path):
                found = self._file_system.find(path, detail=True)
        except FileNotFoundError:
            return {}
        start = len(self._root) + 1
        return {path[start:]: Stamp(info["size"] or 0, str(info.get("mtime"))) for path, info in found.items()}

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete files, whether or not they are still there."""
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                self.remove(name)

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        self._file_system.makedirs(self._path(target).rpartition("/")[0], exist_ok=True)
        self._file_system.cp_file(self._path(source), self._path(target))

    def zarr_store(self, name: str) -> "StoreLike":
        """Return what zarr opens for reading."""
        import zarr

        path = self._path(name)
        if self._is_local:
            store: LocalStore = zarr.storage.LocalStore(path, read_only=True)
            return store
        return zarr.storage.FsspecStore.from_url(self._file_system.unstrip_protocol(path), read_only=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def _is_name(path: str) -> bool:
    """Tell whether a file system can hold a name: without a zero, and text as a whole."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
