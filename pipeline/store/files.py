"""Files of a data folder or a bucket, by name: the only module that knows how they are reached."""

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import fsspec
import numpy as np

from models.extras import extra
from pipeline.contract.errors import SettingsError
from pipeline.store.atomic import disk_errors, flush
from pipeline.store.bucket import open_bucket
from pipeline.store.bucket_tree import BucketTree
from pipeline.store.drafts import draft_in
from pipeline.store.kept_objects import KeptObjects
from pipeline.store.lease import LEASE_S
from pipeline.store.mirror import Mirror
from pipeline.store.objects import BucketObjects, FolderObjects, Objects
from pipeline.store.ownership import KEPT, Ownership
from pipeline.store.parquet import TableFiles
from pipeline.store.scratch import cached_scratch
from pipeline.store.trees import METADATA, PlainTree, Stamp, Tree

if TYPE_CHECKING:
    from zarr.storage import StoreLike

PUTS_AT_ONCE = 8
"""Files of a group that are put into a bucket at a time."""

_CONNECTED = ("objects", "shared", "tree", "_bucket", "_checks", "_ownership")

_CLAIMED: set[str] = set()
"""Buckets that this process has found marked; those of folders may go and come."""


class Files(TableFiles):
    """The files below one folder or URL; names are given in parts.

    Args:
        url: a folder, or any fsspec URL (``s3://bucket/prefix``).
        scratch: local folder for work in progress, of the program's own; by default beside the data, and in the
            user's cache where the data can only be read.

    Raises:
        SettingsError: the URL cannot be understood.
    """

    lease_s = LEASE_S
    """Seconds for which another machine that gives no sign of life keeps what it holds."""

    _checks: tuple[Callable[[], None], ...] = ()

    def __init__(self, url: str | Path, scratch: Path | None = None) -> None:
        if "::" in str(url):
            raise SettingsError(f"{str(url)!r} chains file systems with '::': name one folder or one URL, as s3://a/b")
        with extra("s3", f"opening {url}"):
            # A listing that is kept would hide what other processes have written since.
            self.file_system, self.root = fsspec.core.url_to_fs(str(url), use_listings_cache=False)
        self.scratch = scratch or self._scratch_of_its_own()

    def __getstate__(self) -> dict[str, Any]:  # what holds connections and locks is made anew in another process
        return {name: value for name, value in vars(self).items() if name not in _CONNECTED}

    @functools.cached_property
    def objects(self) -> Objects:
        """Those of the data that several processes change, with versions."""
        if self._bucket is not None:
            return BucketObjects(self._bucket, self._url)
        return FolderObjects(self.file_system, str(self.root), self._make_locks, durable=True)

    @functools.cached_property
    def shared(self) -> Objects:
        """Those by which processes and machines agree and which are no data: in scratch of a folder, in the bucket."""
        if not self.is_local():
            return self.objects
        return FolderObjects(self.file_system, str(self._common().absolute()), self._make_locks)

    @functools.cached_property
    def tree(self) -> Tree:
        """How the files are reached."""
        if self._bucket is not None:
            return BucketTree(self._bucket, self._url)
        return PlainTree(self.file_system, self.path(), is_local=self.is_local())

    @property
    def kept(self) -> KeptObjects:
        """What this machine keeps of a bucket."""
        return KeptObjects(self.scratch / "kept")

    @functools.cached_property
    def _ownership(self) -> Ownership:
        return Ownership(self.tree, self.path())

    @functools.cached_property
    def _bucket(self) -> Any:
        """Obstore's store of a bucket, None for a folder."""
        if {"file", "memory"} & set(np.atleast_1d(self.file_system.protocol)):
            return None
        return open_bucket(self.file_system, self._url)

    @property
    def _url(self) -> str:
        return str(self.file_system.unstrip_protocol(str(self.root)))

    def fenced(self, check: Callable[[], None]) -> Self:
        """Return the same files, of which none is written or removed before ``check`` has been called."""
        same = object.__new__(type(self))
        vars(same).update(vars(self), _checks=(*self._checks, check))
        return same

    def mirrored(self, folder: tuple[str, ...], kept: Path | None = None, *, is_held: bool = False) -> Self:
        """Return the same files, of which those below a folder of a bucket are as they are listed now: see ``Mirror``.

        Those in a folder of this machine are returned as they are.
        """
        if not isinstance(self.tree, BucketTree | Mirror):
            return self
        same = object.__new__(type(self))
        vars(same).update(vars(self), tree=Mirror(self.tree, "/".join(folder), self.kept, kept, is_held=is_held))
        return same

    def path(self, *parts: str) -> str:
        """Return the file system's path of a file."""
        return "/".join((str(self.root).rstrip("/"), *parts))

    def exists(self, *parts: str) -> bool:
        """Tell whether a file or folder exists; raises ``NotReadableNow`` where the file system cannot say."""
        return self.stamp(*parts) is not None

    def stamp(self, *parts: str) -> Stamp | None:
        """Return the state of a file or folder, None where there is none; raises ``NotReadableNow``."""
        return self.tree.stamp("/".join(parts))

    def read_bytes(self, *parts: str) -> bytes:
        """Return the content of a small file; raises ``FileNotFoundError`` and ``NotReadableNow``."""
        return self.tree.read("/".join(parts))

    @contextlib.contextmanager
    def open(self, *parts: str) -> Iterator[IO[bytes]]:
        """Open a file for reading; raises ``FileNotFoundError`` and, while it is read, ``NotReadableNow``."""
        with self.tree.open("/".join(parts)) as file:
            yield file

    def fetch(self, local: Path, *parts: str) -> None:
        """Copy a file to a local path; raises ``FileNotFoundError`` and ``NotReadableNow``."""
        self.tree.fetch("/".join(parts), local)

    def write_bytes(self, content: bytes, *parts: str) -> None:
        """Write a small file so that readers see the old content or the new one, never a part.

        Raises:
            SettingsError: as ``claim``.
        """
        self._may_write(parts)
        with disk_errors(), draft_in(self.scratch) as draft:
            draft.write_bytes(content)
            self.place(draft, *parts)

    def place(self, local: Path, *parts: str) -> None:
        """Move a finished local file to its place, where it also outlives a power cut.

        Raises:
            SettingsError: as ``claim``.
        """
        self._may_write(parts)
        self.tree.put(local, "/".join(parts))

    def place_all(self, local: Mapping[tuple[str, ...], Path]) -> None:
        """Move finished local files to their places, by their names in parts; in a bucket many at a time.

        Raises:
            SettingsError: as ``claim``.
        """
        with ThreadPoolExecutor(PUTS_AT_ONCE) as threads:
            for placed in [threads.submit(self.place, path, *parts) for parts, path in local.items()]:
                placed.result()

    def remove(self, *parts: str) -> None:
        """Delete a file if it is there; raises ``SettingsError`` as ``claim`` does."""
        self._may_write(parts)
        if self.is_read_only() and not self.exists(*parts):
            return
        with disk_errors(), contextlib.suppress(FileNotFoundError):
            self.tree.remove("/".join(parts))

    def remove_folder(self, *parts: str) -> None:
        """Delete everything below a name, if there is anything; raises ``SettingsError`` as ``claim`` does.

        Metadata of groups goes first: what is left of a group when this is cut off is no group.
        """
        self._may_write(parts)
        found = self.tree.below("/".join(parts))
        metadata = sorted((name.count("/"), name) for name in found if name.endswith(f"/{METADATA}"))
        for _, names in itertools.groupby(metadata, key=lambda each: each[0]):
            self.tree.remove_all([name for _, name in names])
        self.tree.remove_all(found.keys() - {name for _, name in metadata})
        if self._bucket is None and self.exists(*parts):  # folders that are empty now
            self.file_system.rm(self.path(*parts), recursive=True)

    def names(self, *parts: str) -> list[str]:
        """Return the names in a folder, sorted; none where there is no such folder."""
        return sorted(self.tree.names("/".join(parts)))

    def below(self, *parts: str) -> dict[str, Stamp]:
        """Return every file below a name, by its name below the root."""
        return self.tree.below("/".join(parts))

    def size(self, *parts: str) -> int:
        """Return the bytes of everything below a name; 0 where there is nothing."""
        return sum(stamp.size for stamp in self.below(*parts).values())

    def move_folder(self, source: tuple[str, ...], target: tuple[str, ...]) -> None:
        """Move a file or a folder to a name that is free, in a bucket file by file and its ``zarr.json`` last."""
        self._may_write(source)
        if self.is_local():
            Path(self.path(*target)).parent.mkdir(parents=True, exist_ok=True)
            Path(self.path(*source)).rename(self.path(*target))
            flush(Path(self.path(*target)).parent)
            return
        old, new = "/".join(source), "/".join(target)
        found = self.below(*source)
        for name in sorted(found, key=lambda name: (name == f"{old}/{METADATA}", name)):
            self._may_write(target)
            self.tree.copy(name, new + name[len(old) :])
        self.tree.remove_all(found)

    def zarr_location(self, *parts: str) -> "StoreLike":
        """Return what zarr opens for reading."""
        return self.tree.zarr_store("/".join(parts))

    def claim(self) -> None:
        """Mark the folder as that of a dataset, before anything in it is replaced or deleted.

        Raises:
            SettingsError: it holds files with names of a dataset that none of ours has written.
        """
        known = self._ownership.is_claimed or (self._bucket is not None and self._url in _CLAIMED)
        if known or self.is_read_only():  # no mark can be written where one may only read
            return
        self._ownership.claim(self.scratch.name if self._is_beside() else self._ownership.scratch())
        _CLAIMED.add(self._url)

    def make_scratch(self) -> Path:
        """Return the folder for work in progress, which is made if need be.

        Raises:
            SettingsError: as ``claim``, where it lies beside the data; that of a bucket lies in the user's cache.
        """
        if self.is_local():
            self.claim()
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.scratch

    def _common(self) -> Path:
        """Return the folder for what all who share the data have in common: beside the data, where that is writable."""
        is_own = not self.is_local() or self.is_read_only() or self._is_beside()
        return self.scratch if is_own else Path(self.root) / self._ownership.scratch()

    def _make_locks(self) -> Path:
        self.claim()
        folder = self._common() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def is_read_only(self) -> bool:
        """Tell whether this is a local folder that this user may read and not write."""
        return self.is_local() and Path(self.root).is_dir() and not os.access(self.root, os.W_OK | os.X_OK)

    def _is_beside(self) -> bool:
        return self.is_local() and self.scratch.parent == Path(self.root)

    def _scratch_of_its_own(self) -> Path:
        if self.is_local() and not self.is_read_only():
            return Path(self.root) / self._ownership.scratch()
        return cached_scratch(str(self.root), self.file_system.protocol, is_local=self.is_local())

    def _may_write(self, parts: tuple[str, ...]) -> None:
        for check in self._checks:
            check()
        if parts and parts[0] in KEPT:
            self.claim()

    def is_local(self) -> bool:
        """Tell whether the files lie in a folder of this machine."""
        return "file" in np.atleast_1d(self.file_system.protocol)
