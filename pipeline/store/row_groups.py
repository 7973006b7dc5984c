"""How much memory a row group of a stranger's Parquet file would take, told from its metadata before it is read.

A group may be of any size, and one of a few bytes may hold a billion values that are all the same. Of some damaged
metadata pyarrow 26 dies without a word ("terminate called", where a column's histogram has another length than its
levels), so that a process of its own looks at them: this file, run as a script.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

BYTES_A_VALUE = 8
"""What a value takes once it is read, at the least; several values of a list are as many values."""

LONGEST_S = 60
"""Seconds after which metadata are damaged that the process has not read."""


def oversized(path: Path, most: int, columns: Collection[str] | None = None) -> str | None:
    """Return what is wrong with the row groups of a file, or None.

    most: bytes that one group may take. columns: those that will be read, by their top names; None for all.
    """
    sizes = _sizes_by_group(path, columns)
    if sizes is None:
        return "its metadata are damaged; get it again"
    for group, size in enumerate(sizes):
        if size > most:
            return (
                f"row group {group} takes {size} bytes or more, of {most} that are accepted: write smaller groups, or "
                "raise video.web.row_group_bytes_max if you trust it"
            )
    return None


def _sizes_by_group(path: Path, columns: Collection[str] | None) -> list[int] | None:
    command = [sys.executable, "-I", __file__, str(path), json.dumps(None if columns is None else [*columns])]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=LONGEST_S)  # noqa: S603 - our own module, and names
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return [int(size) for size in json.loads(done.stdout)]


def _sizes(file: pq.ParquetFile, group: int, columns: Collection[str] | None) -> Iterator[int]:
    found = file.metadata.row_group(group)
    for place in range(found.num_columns):
        column = found.column(place)
        if columns is None or column.path_in_schema.partition(".")[0] in columns:
            yield max(column.total_uncompressed_size, column.num_values * BYTES_A_VALUE, found.num_rows)


def _tell(path: str, columns: Collection[str] | None) -> None:
    with pq.ParquetFile(path) as file:
        sizes = [sum(_sizes(file, group, columns)) for group in range(file.metadata.num_row_groups)]
    sys.stdout.write(json.dumps(sizes))


if __name__ == "__main__":
    _tell(sys.argv[1], json.loads(sys.argv[2]))
