"""What zarr reads of a mirror: its files are local ones once they are asked for."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore

from pipeline.store.trees import Stamp


class Parts(Protocol):
    """A tree that gives parts of files."""

    def stamp(self, name: str) -> Stamp | None:
        """Return the state of a file, None where there is none."""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def part(self, name: str, wanted: Any) -> bytes:
        """Return a part of a file as obstore writes one: (start, end), {"offset": ...} or {"suffix": ...}."""


class MirrorStore(LocalStore):
    """The files of a mirror below the name ``below``, which it keeps in the folder ``root``; they are only read."""

    def __init__(self, mirror: Parts, below: str, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        super().__init__(root, read_only=True)
        self._mirror, self._below = mirror, below

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return an object or a part of it, None where there is none."""
        return await asyncio.to_thread(self._got, key, prototype or default_buffer_prototype(), byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects, in this order."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Tell whether there is an object; nothing is asked."""
        return self._mirror.stamp(f"{self._below}/{key}") is not None

    def _got(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None) -> Buffer | None:
        name = f"{self._below}/{key}"
        try:
            content = self._mirror.read(name) if byte_range is None else self._mirror.part(name, _wanted(byte_range))
        except FileNotFoundError:
            return None
        return prototype.buffer.from_bytes(content)


def _wanted(part: ByteRequest) -> tuple[int, int] | dict[str, int]:
    if isinstance(part, RangeByteRequest):
        return part.start, part.end
    return {"offset": part.offset} if isinstance(part, OffsetByteRequest) else {"suffix": part.suffix}
