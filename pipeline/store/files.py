"""Files of a data folder or a bucket, by name: the only module that knows how they are reached."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import uuid4

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.extras import extra
from pipeline.contract.errors import CorruptStore
from pipeline.store.atomic import disk_errors, replacing
from pipeline.store.ownership import KEPT, Ownership

if TYPE_CHECKING:
    import zarr


class Files:
    """The files below one folder or URL; names are given in parts.

    Args:
        url: a folder, or any fsspec URL (``s3://bucket/prefix``).
        scratch: local folder for work in progress, of the program's own; beside the data by default.
    """

    def __init__(self, url: str | Path, scratch: Path | None = None) -> None:
        with extra("s3", f"opening {url}"):
            self.file_system, self.root = fsspec.core.url_to_fs(str(url))
        local = self.is_local()
        self._ownership = Ownership(self.file_system, str(self.root), is_local=local)
        beside = Path(self.root) / self._ownership.scratch() if local and scratch is None else None
        self.scratch = scratch or beside or Path.home() / ".cache" / "youtube-occ" / "scratch"

    def path(self, *parts: str) -> str:
        """Return the file system's path of a file."""
        return "/".join((str(self.root).rstrip("/"), *parts))

    def exists(self, *parts: str) -> bool:
        """Tell whether a file exists."""
        return bool(self.file_system.exists(self.path(*parts)))

    def read_bytes(self, *parts: str) -> bytes:
        """Return the content of a small file."""
        return bytes(self.file_system.cat_file(self.path(*parts)))

    @contextlib.contextmanager
    def open(self, *parts: str) -> Iterator[IO[bytes]]:
        """Open a file for reading; raises ``FileNotFoundError``."""
        with self.file_system.open(self.path(*parts)) as file:
            yield file

    def write_bytes(self, content: bytes, *parts: str) -> None:
        """Write a small file so that readers see the old content or the new one, never a part.

        Raises:
            SettingsError: as ``claim``.
        """
        self._claim_for(parts)
        self.scratch.mkdir(parents=True, exist_ok=True)
        draft = self.scratch / f"{uuid4().hex}.part"
        try:
            with disk_errors():
                draft.write_bytes(content)
                self.place(draft, *parts)
        finally:
            draft.unlink(missing_ok=True)

    def place(self, local: Path, *parts: str) -> None:
        """Move a finished local file to its place; raises ``SettingsError`` as ``claim`` does."""
        self._claim_for(parts)
        target = self.path(*parts)
        self.file_system.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self.is_local():
            _move(local, Path(target))
        else:
            self.file_system.put_file(str(local), target)
            local.unlink()

    def remove(self, *parts: str) -> None:
        """Delete a file if it is there; raises ``SettingsError`` as ``claim`` does."""
        self._claim_for(parts)
        with contextlib.suppress(FileNotFoundError):
            self.file_system.rm_file(self.path(*parts))

    def remove_folder(self, *parts: str) -> None:
        """Delete everything below a name, if there is anything; raises ``SettingsError`` as ``claim`` does."""
        self._claim_for(parts)
        folder = self.path(*parts)
        if self.file_system.exists(folder):
            self.file_system.rm(folder, recursive=True)

    def write_table(self, table: pa.Table, *parts: str) -> None:
        """Write a Parquet table, whole or not at all."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.write_bytes(sink.getvalue().to_pybytes(), *parts)

    def read_table(self, *parts: str) -> pa.Table:
        """Read a Parquet table."""
        try:
            return pq.read_table(pa.BufferReader(self.read_bytes(*parts)))
        except pa.ArrowInvalid as error:
            message = f"{self.path(*parts)} is no Parquet file ({error}): delete it and run its stage again"
            raise CorruptStore(message) from error

    @contextlib.contextmanager
    def open_parquet(self, *parts: str) -> Iterator[pq.ParquetFile]:
        """Open a Parquet file for reading parts of it; raises ``FileNotFoundError`` and ``CorruptStore``."""
        with self.open(*parts) as file:
            try:
                opened = pq.ParquetFile(file)
            except pa.ArrowInvalid as error:
                path = self.path(*parts)
                message = f"{path} is no Parquet file ({error}): put a copy of it back, or have it made again"
                raise CorruptStore(message) from error
            yield opened

    def zarr_location(self, *parts: str) -> "zarr.storage.LocalStore | zarr.storage.FsspecStore":
        """Return what zarr opens for reading."""
        import zarr

        path = self.path(*parts)
        if self.is_local():
            return zarr.storage.LocalStore(path, read_only=True)
        return zarr.storage.FsspecStore.from_url(self.file_system.unstrip_protocol(path), read_only=True)

    def claim(self) -> None:
        """Mark the folder as that of a dataset, before anything in it is replaced or deleted.

        Raises:
            SettingsError: it holds files with names of a dataset that none of ours has written.
        """
        self._ownership.claim(self.scratch.name)

    def make_scratch(self) -> Path:
        """Return the folder for work in progress, which is made if need be; raises ``SettingsError`` as ``claim``."""
        self.claim()
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.scratch

    def _claim_for(self, parts: tuple[str, ...]) -> None:
        if parts and parts[0] in KEPT:
            self.claim()

    def is_local(self) -> bool:
        """Tell whether the files lie in a folder of this machine."""
        return "file" in np.atleast_1d(self.file_system.protocol)


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError:
        with replacing(target) as draft:
            shutil.copyfile(source, draft)
        source.unlink()
