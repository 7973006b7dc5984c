"""Tables as Parquet files among others, written whole and checked when they are read."""

import abc
import contextlib
import io
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.errors import CorruptStore
from pipeline.store.kept_objects import KeptObjects


class TableFiles(abc.ABC):
    """Files of which some are tables."""

    @property
    @abc.abstractmethod
    def kept(self) -> KeptObjects:
        """What this machine keeps of files elsewhere."""

    @abc.abstractmethod
    def is_local(self) -> bool:
        """Tell whether the files lie in a folder of this machine."""

    @abc.abstractmethod
    def path(self, *parts: str) -> str:
        """Return the path of a file."""

    @abc.abstractmethod
    def read_bytes(self, *parts: str) -> bytes:
        """Return the content of a file."""

    @abc.abstractmethod
    def open(self, *parts: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a file for reading."""

    @abc.abstractmethod
    def write_bytes(self, content: bytes, *parts: str) -> None:
        """Write a file."""

    def write_table(self, table: pa.Table, *parts: str) -> None:
        """Write a Parquet table, whole or not at all."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        self.write_bytes(sink.getvalue().to_pybytes(), *parts)

    def read_table(self, *parts: str) -> pa.Table:
        """Read a Parquet table; raises ``FileNotFoundError``, ``NotReadableNow`` and ``CorruptStore``."""
        with _parquet_errors(self.path(*parts), "delete it and run its stage again"):
            table = pq.read_table(pa.BufferReader(self.read_bytes(*parts)), page_checksum_verification=True)
            table.validate(full=True)
        return table

    def write_once(self, content: bytes, *parts: str) -> None:
        """Write a file under a name that no other content ever gets."""
        self.write_bytes(content, *parts)
        if not self.is_local():
            self.kept.keep("/".join(parts), "", content)

    @contextlib.contextmanager
    def open_once(self, *parts: str) -> Iterator[IO[bytes]]:
        """Open a file that ``write_once`` has written: of a bucket, this machine gets it once."""
        if self.is_local():
            with self.open(*parts) as file:
                yield file
            return
        name = "/".join(parts)
        content = self.kept.get(name, "")
        if content is None:
            content = self.read_bytes(*parts)
            self.kept.keep(name, "", content)
        yield io.BytesIO(content)

    @contextlib.contextmanager
    def open_parquet(self, *parts: str, is_written_once: bool = False) -> Iterator[pq.ParquetFile]:
        """Open a Parquet file for reading parts of it.

        is_written_once: by ``write_once``.

        Raises:
            FileNotFoundError: there is none.
            CorruptStore: it is none, or turns out damaged, or without a column, while it is read in the block.
        """
        advice = "put a copy of it back, or have it made again"
        opened = self.open_once if is_written_once else self.open
        with opened(*parts) as file, _parquet_errors(self.path(*parts), advice):
            yield pq.ParquetFile(file, page_checksum_verification=True)


@contextlib.contextmanager
def _parquet_errors(path: str, advice: str) -> Iterator[None]:
    """Turn what pyarrow makes of damaged bytes into ``CorruptStore`` that ends with ``advice``.

    Errors of the file system pass as they are.
    """
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, KeyError) as error:
        if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) is not None:
            raise
        raise CorruptStore(f"{path} is no Parquet file ({error}): {advice}") from error
