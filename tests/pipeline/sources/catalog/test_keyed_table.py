"""A table in a few files: the newest word on a key holds, files stay few, and damage is told."""

import json
import math
import signal
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import CorruptStore
from pipeline.sources.catalog import keyed_table
from pipeline.sources.catalog.keyed_table import ROWS_PER_GROUP, KeyedTable
from pipeline.sources.catalog.listing import LIST
from pipeline.store.files import Files
from tests.paths import ROOT

SCHEMA = pa.schema([("key", pa.string()), ("value", pa.int64())])

KILLED_BEFORE_THE_LIST = """
import os, signal, sys
import pyarrow as pa
from pipeline.sources.catalog.keyed_table import KeyedTable
from pipeline.store.files import Files
from pipeline.store.objects import FolderObjects

class Killed(FolderObjects):
    def put(self, name, content, expected=None):
        os.kill(os.getpid(), signal.SIGKILL)

files = Files(sys.argv[1])
files.objects.__class__ = Killed
schema = pa.schema([("key", pa.string()), ("value", pa.int64())])
table = KeyedTable(files, "numbers", schema, "key")
table.append(pa.table({"key": ["a", "new"], "value": [99, 99]}, schema), 9)
"""


def table_in(folder: Path) -> KeyedTable:
    return KeyedTable(Files(folder), "numbers", SCHEMA, "key")


def rows(values: dict[str, int]) -> pa.Table:
    return pa.table({"key": list(values), "value": list(values.values())}, SCHEMA)


def as_dict(found: pa.Table) -> dict[str, int]:
    keys = found["key"].to_pylist()
    assert len(keys) == len(set(keys)), "every key comes once"
    return dict(zip(keys, found["value"].to_pylist(), strict=True))


def test_an_empty_table_has_its_columns(tmp_path: Path):
    table = table_in(tmp_path)
    assert table.listing().parts == ()
    assert table.table(["key", "value"]).schema == SCHEMA
    assert table.select(["a"]).schema == SCHEMA
    assert table.known(["a"]) == set()


def test_the_newest_word_on_a_key_holds(tmp_path: Path):
    table = table_in(tmp_path)
    table.append(rows({f"k{i}": i for i in range(20)}), 20)
    table.append(rows({"k3": 300, "new": 1}), 21)
    assert as_dict(table.select(["k3", "k4", "new", "nobody"])) == {"k3": 300, "k4": 4, "new": 1}
    assert as_dict(table.table(["key", "value"])) == {f"k{i}": i for i in range(20)} | {"k3": 300, "new": 1}
    assert table.known(["k3", "nobody"]) == {"k3"}
    assert table.listing().next_number == 21


def test_some_columns_are_read_without_the_key_and_rows_are_still_told_apart(tmp_path: Path):
    table = table_in(tmp_path)
    table.append(rows(dict.fromkeys("abcdefgh", 1)), 0)
    table.append(rows({"a": 2}), 0)
    assert len(table.listing().parts) == 2
    assert sorted(table.table(["value"])["value"].to_pylist()) == [1] * 7 + [2]


@given(st.lists(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 99), min_size=1), max_size=12))
@settings(max_examples=20)
def test_it_is_a_dictionary_whatever_is_appended(
    tmp_path_factory: pytest.TempPathFactory, batches: list[dict[str, int]]
):
    table, expected = table_in(tmp_path_factory.mktemp("table")), {}
    for number, batch in enumerate(batches):
        table.append(rows(batch), number)
        expected |= batch
    assert as_dict(table.table(["key", "value"])) == expected
    assert as_dict(table.select(list("acegi"))) == {key: expected[key] for key in "acegi" if key in expected}


def test_files_stay_few_and_none_is_left_that_is_not_listed(tmp_path: Path):
    table = table_in(tmp_path)
    for i in range(100):
        table.append(rows({f"k{i}": i}), i)
        parts = table.listing().parts
        # Each file has more than twice the rows of all that follow, so that their number grows as the logarithm.
        assert len(parts) <= math.log2(i + 1) + 1
    assert {path.name for path in (tmp_path / "numbers").iterdir()} == {LIST, *(part.name for part in parts)}
    assert sum(part.rows for part in parts) == 100


def test_keys_are_found_in_every_row_group(tmp_path: Path):
    table, count = table_in(tmp_path), 2 * ROWS_PER_GROUP + 5
    table.append(rows({f"k{i}": i for i in range(count)}), count)
    asked = (0, ROWS_PER_GROUP - 1, ROWS_PER_GROUP, 2 * ROWS_PER_GROUP, count - 1)
    assert as_dict(table.select([f"k{i}" for i in reversed(asked)])) == {f"k{i}": i for i in asked}


def test_a_change_that_was_killed_before_it_was_listed_did_not_happen(tmp_path: Path):
    table = table_in(tmp_path)
    table.append(rows({"a": 1, "b": 2}), 2)
    command = [sys.executable, "-c", KILLED_BEFORE_THE_LIST, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert as_dict(table.table(["key", "value"])) == {"a": 1, "b": 2}
    assert table.listing().next_number == 2
    table.append(rows({"a": 3}), 2)
    assert as_dict(table.table(["key", "value"])) == {"a": 3, "b": 2}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"parts": [{}], "next_number": 1}', b'{"parts": []}'])
def test_a_list_that_does_not_read_back_is_named(tmp_path: Path, content: bytes):
    table = table_in(tmp_path)
    table.append(rows({"a": 1}), 1)
    (tmp_path / "numbers" / LIST).write_bytes(content)
    with pytest.raises(CorruptStore, match=r"numbers/parts\.json does not read back .*: restore it from a backup"):
        table.listing()


def test_files_that_are_listed_and_missing_are_told_and_not_waited_for(tmp_path: Path):
    table = table_in(tmp_path)
    table.append(rows({"a": 1}), 1)
    (tmp_path / "numbers" / table.listing().parts[0].name).unlink()
    for read in (lambda: table.select(["a"]), lambda: table.table(["value"])):
        with pytest.raises(CorruptStore, match="are missing: restore them"):
            read()


def test_files_grow_to_what_a_merge_may_hold_in_memory_and_no_further(tmp_path: Path):
    table = KeyedTable(Files(tmp_path), "numbers", SCHEMA, "key", rows_per_file=32)
    for i in range(300):
        table.append(rows({f"k{i}": i, "k0": i}), i + 1)
    sizes = [part.rows for part in table.listing().parts]
    assert max(sizes) <= 32
    assert len(sizes) < 30, "a handful of small ones beside those that are full or half full"
    assert as_dict(table.table(["key", "value"])) == {f"k{i}": i for i in range(300)} | {"k0": 299}


def test_readers_are_not_disturbed_by_a_writer_that_merges_files_away(tmp_path: Path):
    table, reader = table_in(tmp_path), table_in(tmp_path)
    table.append(rows({f"k{i}": 0 for i in range(8)}), 8)
    ended = threading.Event()

    def write() -> None:
        for value in range(1, 60):
            table.append(rows({f"k{value % 8}": value}), 8)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not ended.is_set():
        assert set(as_dict(reader.table(["key", "value"]))) == {f"k{i}" for i in range(8)}
    writer.join()
    assert max(as_dict(reader.table(["key", "value"])).values()) == 59


def test_what_a_change_adds_is_seen_inside_it_and_takes_effect_as_a_whole(tmp_path: Path):
    table, other = table_in(tmp_path), table_in(tmp_path)
    table.append(rows({"a": 1, "b": 2}), 2)

    def work() -> dict[str, int]:
        table.append(rows({"a": 10}), 2)
        table.change(lambda: table.append(rows({"c": 30}), 3))
        assert as_dict(other.table(["key", "value"])) == {"a": 1, "b": 2}
        assert as_dict(table.select(["a", "b", "c"])) == {"a": 10, "b": 2, "c": 30}
        assert table.known(["c", "d"]) == {"c"}
        return as_dict(table.table(["key", "value"]))

    assert table.change(work) == {"a": 10, "b": 2, "c": 30} == as_dict(other.table(["key", "value"]))
    assert json.loads((tmp_path / "numbers" / LIST).read_text())["next_number"] == 3


def test_a_change_that_fails_changes_nothing(tmp_path: Path):
    table = table_in(tmp_path)

    def work() -> None:
        table.append(rows({"a": 1}), 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        table.change(work)
    assert as_dict(table.table(["key", "value"])) == {}


def test_a_change_begins_anew_where_another_machine_was_first(tmp_path: Path):
    """Scratch folders of their own stand for two machines, which do not see each other's locks."""
    table, elsewhere = (
        KeyedTable(Files(tmp_path / "data", scratch=tmp_path / name), "numbers", SCHEMA, "key") for name in "ab"
    )
    tries = []

    def work() -> None:
        tries.append(as_dict(table.table(["key", "value"])))
        if len(tries) == 1:
            elsewhere.append(rows({"a": 5}), 1)
        table.append(rows({"a": sum(tries[-1].values()) + 1}), table.listing().next_number)

    table.change(work)
    assert tries == [{}, {"a": 5}]
    assert as_dict(elsewhere.table(["key", "value"])) == {"a": 6}
    assert {path.name for path in (tmp_path / "data" / "numbers").iterdir()} == {
        LIST,
        *(part.name for part in table.listing().parts),
    }


@given(
    st.lists(st.dictionaries(st.text("abc\u00e9\U0001f600", max_size=4), st.integers(0, 99), min_size=1), max_size=4),
    st.lists(st.text("abc\u00e9\U0001f600", max_size=4), min_size=1, max_size=5),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_keys_are_found_in_whichever_row_group_they_lie(
    tmp_path: Path, changes: list[dict[str, int]], wanted: list[str]
):
    with TemporaryDirectory(dir=tmp_path) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyed_table, "ROWS_PER_GROUP", 2)
        table, held = table_in(Path(folder)), dict[str, int]()
        for change in changes:
            table.append(rows(change), 0)
            held |= change
        assert as_dict(table.select(wanted)) == {key: held[key] for key in wanted if key in held}
        assert as_dict(table.table(["key", "value"])) == held


def test_of_a_file_in_no_order_as_earlier_releases_wrote_them_nothing_is_missed(tmp_path: Path):
    table = table_in(tmp_path)
    table.append(rows({f"k{i}": i for i in range(9)}), 9)
    (part,) = table.listing().parts
    path = tmp_path / "numbers" / part.name
    for statistics in (True, False):
        written = rows({f"k{i}": i for i in (8, 1, 7, 2, 6, 3, 5, 4, 0)})
        pq.write_table(written, path, row_group_size=2, write_statistics=statistics)
        assert as_dict(table.select(["k0", "k6", "k8", "nobody"])) == {"k0": 0, "k6": 6, "k8": 8}


@pytest.mark.parametrize("columns", [{"other": ["k1"], "value": [1]}, {"key": [7], "value": [1]}, {"value": [1]}])
def test_a_file_without_keys_is_damage(tmp_path: Path, columns: dict[str, list[object]]):
    table = table_in(tmp_path)
    table.append(rows({"k1": 1}), 1)
    (part,) = table.listing().parts
    pq.write_table(pa.table(columns), tmp_path / "numbers" / part.name)
    for ask in (table.select, table.known):
        with pytest.raises(CorruptStore, match=r"key|do not fit together"):
            ask(["k1"])
