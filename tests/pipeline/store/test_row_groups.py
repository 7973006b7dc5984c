from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.row_groups import oversized


def written(path: Path, table: pa.Table, rows: int | None = None) -> Path:
    pq.write_table(table, path, row_group_size=rows, compression="zstd")
    return path


def test_groups_that_fit_are_passed(tmp_path: Path):
    table = pa.table({"id": ["a"] * 1000, "text": ["b" * 100] * 1000})
    assert oversized(written(tmp_path / "a.parquet", table, rows=100), 8000) is None


def test_a_few_bytes_that_hold_many_equal_values_count_as_what_they_become(tmp_path: Path):
    table = pa.table({"id": ["a"] * 2_000_000})
    path = written(tmp_path / "a.parquet", table, rows=2_000_000)
    assert path.stat().st_size < 20_000
    assert "row group 0" in str(oversized(path, 1_000_000))


def test_one_row_with_a_long_list_counts_by_its_values(tmp_path: Path):
    path = written(tmp_path / "a.parquet", pa.table({"voxels": [[7] * 1_000_000]}))
    assert oversized(path, 1_000_000) is not None
    assert oversized(path, 100_000_000) is None


def test_columns_that_are_not_read_do_not_count(tmp_path: Path):
    table = pa.table({"id": ["a"] * 10, "picture": [str(i) * 10_000 for i in range(10)]})
    pq.write_table(table, tmp_path / "a.parquet", compression="none")
    assert oversized(tmp_path / "a.parquet", 10_000, ["id"]) is None
    assert oversized(tmp_path / "a.parquet", 10_000) is not None


def test_metadata_of_which_pyarrow_dies_are_damaged_ones(tmp_path: Path):
    """A histogram of two levels for a column that has one: thrift writes a list of two 64-bit numbers as ``0x26``."""
    path = written(tmp_path / "a.parquet", pa.table({"voxels": [[7, 8]] * 3}))
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little")
    begin = len(content) - 8 - footer
    killed = 0
    for place in range(begin, len(content) - 8):
        if content[place] & 0x0F == 0x06 and content[place] >> 4 in (2, 3, 4):  # the head of a list of i64
            changed = bytes(content[:place]) + bytes([content[place] - 0x10]) + bytes(content[place + 1 :])
            path.write_bytes(changed)
            killed += oversized(path, 1_000_000) == "its metadata are damaged; get it again"
    assert killed
