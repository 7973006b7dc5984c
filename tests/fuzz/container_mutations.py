"""Changes inside containers whose lengths and checksums are made right again, so that what they hold is reached."""

import io
import pickletools
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz import hostile
from tests.fuzz.byte_mutations import changed_bytes
from tests.fuzz.tree_mutations import changed_json

_GLOBALS = (
    b"cos\nsystem\n(S'true'\ntR.",
    b"cbuiltins\neval\n(S'1'\ntR.",
    b"cnumpy\nload\n.",
    b"(lp0\n",
    b"]" * 3000,
    b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"r\xff\xff\xff\x7f",
    b"h\xff",
    b"X\xff\xff\xff\x7f",
    b"B\xff\xff\xff\x7f",
    b"\x8b\xff\xff\xff\x7f",
    b"I9" + b"9" * 5000 + b"\n",
    b"\x80\xff",
    b"\x82\x01",
    b"P0\n",
    b"Q",
    b"e",
    b"u",
    b"b",
    b"R",
    b"\x81",
    b"\x93",
    b"0",
    b"2",
)
_VALUES: tuple[Any, ...] = (
    None,
    -1,
    0,
    2**31 - 1,
    2**63 - 1,
    float("nan"),
    float("inf"),
    True,
    "",
    [],
    b"\xff",
    {"a": 1},
)


def changed_pickle(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return a pickle with an operation left out, repeated or put in, or with its bytes changed."""
    if rng.random() < 0.5:
        return changed_bytes(rng, content, others)
    try:
        places = [place for _, _, place in pickletools.genops(content)]
    except ValueError:
        return changed_bytes(rng, content, others)
    for _ in range(rng.choice((1, 1, 2))):
        index = rng.randrange(len(places) - 1)
        start, end = places[index], places[index + 1]
        put = rng.choice((b"", content[start:end] * 2, rng.choice(_GLOBALS), rng.choice(_GLOBALS) + content[start:end]))
        content = content[:start] + put + content[end:]
    return content


def changed_zip(rng: random.Random, content: bytes) -> bytes:
    """Return an archive with a member changed, renamed, left out or twice there; checksums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    place = rng.randrange(len(members))
    name, held = members[place]
    kind = rng.choice(("changed", "changed", "changed", "gone", "renamed", "twice", "swapped"))
    if kind == "changed":
        members[place] = (name, _changed_member(rng, name, held))
    elif kind == "gone":
        del members[place]
    elif kind == "renamed":
        members[place] = (rng.choice(("../../outside/kept.txt", "/x", "a/data.pkl", "error.npy", "x" * 300)), held)
    elif kind == "twice":
        members.append((name, _changed_member(rng, name, held)))
    else:
        members[place] = (name, rng.choice(members)[1])
    return _zipped(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _changed_member(rng: random.Random, name: str, held: bytes) -> bytes:
    if name.endswith(".pkl"):
        return changed_pickle(rng, held, ())
    if name.endswith(".npy") and rng.random() < 0.7:
        return _changed_npy(rng, held)
    return changed_bytes(rng, held)


def _changed_npy(rng: random.Random, held: bytes) -> bytes:
    """Return an array file with another header."""
    header, rest = held[10:128].decode("latin1"), held[128:]
    kind = rng.choice(("shape", "descr", "text"))
    if kind == "shape":
        shape = rng.choice(("()", "(0,)", "(-1,)", "(1,)", "(99999999999,)", "(2**40,)", "(1, 1, 1)", "(None,)", "'a'"))
        header = header.replace(header[header.find("'shape': ") + 9 : header.find(")") + 1], shape)
    elif kind == "descr":
        descr = rng.choice(("|O", "<f8", "<U4", "|V9", "<i2", "<M8[s]", "|S0", ">c16", "|b1", "xx"))
        begin = header.find("'descr': '") + 10
        header = header[:begin] + descr + header[header.find("'", begin) :]
    else:
        header = changed_bytes(rng, header.encode("latin1")).decode("latin1")
    padded = (header.rstrip(" \n") + " " * 118)[:117] + "\n"
    return held[:8] + len(padded).to_bytes(2, "little") + padded.encode("latin1") + rest


def _zipped(members: list[tuple[str, bytes]], method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, held in members:
            archive.writestr(zipfile.ZipInfo(name), held, method)
    return made.getvalue()


def changed_safetensors(rng: random.Random, content: bytes) -> bytes:
    """Return tensors under a changed header of the right length."""
    length = int.from_bytes(content[:8], "little")
    header = changed_json(rng, content[8 : 8 + length])
    stated = len(header) if rng.random() < 0.95 else rng.choice((0, 2**63, len(header) + 1, len(content)))
    return struct.pack("<Q", stated) + header + content[8 + length :]


def changed_png(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return a picture with a chunk changed, its checksum made right."""
    place, chunks = 8, []
    while place + 8 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += length + 12
    index = rng.randrange(len(chunks))
    kind, held = chunks[index]
    if kind == b"IDAT" and rng.random() < 0.5:
        held = zlib.compress(changed_bytes(rng, zlib.decompress(held), others), 1)
    else:
        held = changed_bytes(rng, held, others)
    chunks[index] = (kind, held)
    made = (struct.pack(">I", len(h)) + k + h + struct.pack(">I", zlib.crc32(k + h)) for k, h in chunks)
    return content[:8] + b"".join(made)


def changed_parquet(rng: random.Random, content: bytes) -> bytes:
    """Return a table with a column of another type, name or content, or with other metadata."""
    table = pq.read_table(pa.BufferReader(content))
    for _ in range(rng.choice((1, 1, 2))):
        table = _changed_table(rng, table)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rng.choice((1, 1000)))
    return sink.getvalue().to_pybytes()


def _changed_table(rng: random.Random, table: pa.Table) -> pa.Table:
    kind = rng.choice(("metadata", "metadata", "value", "value", "column", "gone", "renamed", "rows", "twice"))
    if kind == "metadata" and table.schema.metadata:
        return _changed_metadata(rng, table)
    if not table.num_columns:
        return table
    place = rng.randrange(table.num_columns)
    name = table.column_names[place]
    if kind == "renamed":
        names = list(table.column_names)
        names[place] = rng.choice((name.upper(), "", "\0", "video_id", name + "_"))
        return table.rename_columns(names)
    if kind == "column":
        return table.set_column(place, name, pa.array([rng.choice(_VALUES)] * table.num_rows))
    changes: dict[str, Callable[[], pa.Table]] = {
        "gone": lambda: table.remove_column(place),
        "rows": lambda: rng.choice((table.slice(0, 0), pa.concat_tables([table] * 3), table.slice(1))),
        "twice": lambda: table.append_column(name, table.column(place)),
    }
    return changes.get(kind, lambda: table.set_column(place, name, _other_values(rng, table.column(place))))()


def _changed_metadata(rng: random.Random, table: pa.Table) -> pa.Table:
    metadata = dict(table.schema.metadata)
    key = rng.choice(list(metadata))
    try:
        metadata[key] = changed_json(rng, metadata[key])
    except (ValueError, RecursionError):
        metadata[key] = changed_bytes(rng, metadata[key])
    return table.replace_schema_metadata(metadata)


def _other_values(rng: random.Random, column: pa.ChunkedArray) -> pa.Array:
    """Return values of the column's own type, some odd."""
    odd = [value for value in _VALUES if value is not None] + [
        hostile.string(rng).replace("\ud800", "") for _ in range(6)
    ]
    values = [rng.choice((value, None, rng.choice(odd))) for value in column.to_pylist()]
    for number, value in enumerate(values):
        try:
            pa.array([value], column.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            values[number] = None
    return pa.array(values, column.type)
