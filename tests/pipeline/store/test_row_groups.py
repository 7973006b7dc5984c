from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.row_groups import oversized


def written(path: Path, table: pa.Table, rows: int | None = None) -> pq.ParquetFile:
    pq.write_table(table, path, row_group_size=rows, compression="zstd")
    return pq.ParquetFile(path)


def test_groups_that_fit_are_passed(tmp_path: Path):
    with written(tmp_path / "a.parquet", pa.table({"id": ["a"] * 1000, "text": ["b" * 100] * 1000}), rows=100) as file:
        assert oversized(file, 8000) is None


def test_a_few_bytes_that_hold_many_equal_values_count_as_what_they_become(tmp_path: Path):
    table = pa.table({"id": ["a"] * 2_000_000})
    with written(tmp_path / "a.parquet", table, rows=2_000_000) as file:
        assert (tmp_path / "a.parquet").stat().st_size < 20_000
        assert "row group 0" in str(oversized(file, 1_000_000))


def test_one_row_with_a_long_list_counts_by_its_values(tmp_path: Path):
    with written(tmp_path / "a.parquet", pa.table({"voxels": [[7] * 1_000_000]})) as file:
        assert oversized(file, 1_000_000) is not None
        assert oversized(file, 100_000_000) is None


def test_columns_that_are_not_read_do_not_count(tmp_path: Path):
    table = pa.table({"id": ["a"] * 10, "picture": [str(i) * 10_000 for i in range(10)]})
    pq.write_table(table, tmp_path / "a.parquet", compression="none")
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        assert oversized(file, 10_000, ["id"]) is None
        assert oversized(file, 10_000) is not None
