from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset import tables
from pipeline.dataset.tables import replaced, system_memory, write_large
from pipeline.store.store import Store

SCHEMA = pa.schema([("video_id", pa.string()), ("n", pa.int64())])
IDS = st.lists(st.sampled_from("abcdef"), max_size=12)


def rows(ids: list[str], start: int) -> pa.Table:
    return pa.table([sorted(ids), range(start, start + len(ids))], SCHEMA)


@settings(max_examples=150)
@given(IDS, st.sets(st.sampled_from("abcdef")), IDS, st.booleans())
def test_rows_of_some_videos_are_replaced_and_all_stay_sorted(
    before: list[str], gone: set[str], made: list[str], few: bool
):
    table, added = rows(before, 0), rows(made, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FEW", 32 if few else 0)
        found = replaced(table, gone, added).to_pylist()
    stays = [row for row in table.to_pylist() if row["video_id"] not in gone]
    assert found == sorted(stays + added.to_pylist(), key=lambda row: row["video_id"])


def test_a_large_table_reads_back_and_leaves_nothing_in_scratch(tmp_path: Path):
    store, table = Store(tmp_path), rows(["a"] * 10, 0)
    write_large(store, table, "dataset", "x.parquet")
    assert pq.read_table(tmp_path / "dataset" / "x.parquet").equals(table)
    assert [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == []


def test_memory_of_the_system_is_taken_for_a_while_and_given_back_after_an_error_too():
    usual = pa.default_memory_pool().backend_name
    with pytest.raises(KeyError), system_memory():
        assert pa.default_memory_pool().backend_name == "system"
        raise KeyError
    assert pa.default_memory_pool().backend_name == usual
