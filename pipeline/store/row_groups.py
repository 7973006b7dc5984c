"""How much memory a row group of a stranger's Parquet file would take, told from its metadata before it is read.

A group may be of any size, and one of a few bytes may hold a billion values that are all the same.
"""

from collections.abc import Collection, Iterator

import pyarrow.parquet as pq

BYTES_A_VALUE = 8
"""What a value takes once it is read, at the least; several values of a list are as many values."""


def oversized(file: pq.ParquetFile, most: int, columns: Collection[str] | None = None) -> str | None:
    """Return what is wrong with the sizes of a file's row groups, or None.

    most: bytes that one group may take. columns: those that will be read, by their top names; None for all.
    """
    for group in range(file.metadata.num_row_groups):
        size = sum(_sizes(file, group, columns))
        if size > most:
            return f"row group {group} takes {size} bytes or more, of {most} that are accepted"
    return None


def _sizes(file: pq.ParquetFile, group: int, columns: Collection[str] | None) -> Iterator[int]:
    found = file.metadata.row_group(group)
    for place in range(found.num_columns):
        column = found.column(place)
        if columns is None or column.path_in_schema.partition(".")[0] in columns:
            yield max(column.total_uncompressed_size, column.num_values * BYTES_A_VALUE, found.num_rows)
