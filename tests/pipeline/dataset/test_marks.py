import shutil
from pathlib import Path

import pytest

from pipeline.dataset.index import build_dataset
from pipeline.dataset.marks import known_marks
from pipeline.stages.chain import finished
from pipeline.store.provenance import mark
from pipeline.store.store import Store
from tests.pipeline.dataset.finished import HALF, finish


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    store.video("empty").write_json("source.json", {})
    build_dataset(store, HALF)
    return store


def marks(store: Store) -> dict[str, int]:
    return {row["video_id"]: row["mark"] for row in known_marks(store).to_pylist()}


def test_marks_are_those_of_the_results_and_nought_for_what_is_not_finished(store: Store):
    right = {key: mark((finished(store.video(key)) or {}).values()) for key in ("a", "b")}
    assert marks(store) == {**right, "empty": 0}
    assert right["a"] != right["b"]


def test_a_video_that_may_have_changed_has_none_until_the_next_refresh(store: Store):
    before = marks(store)
    finish(store, "a", "f1")
    assert marks(store).keys() == {"b", "empty"}
    with store.video("b").locked():
        assert marks(store).keys() == {"empty"}
    build_dataset(store, HALF)
    after = marks(store)
    assert (after["b"], after["empty"]) == (before["b"], 0)
    assert after["a"] != before["a"]


@pytest.mark.parametrize("lost", ["dataset", "scratch/changes"])
def test_where_there_was_no_refresh_or_notes_were_lost_there_are_none(store: Store, lost: str):
    assert marks(store)
    shutil.rmtree(Path(store.root) / lost)
    assert marks(store) == {}


def test_what_does_not_read_back_tells_nothing(store: Store):
    Path(store.path("dataset", "videos.parquet")).write_bytes(b"PAR1 and nothing more")
    assert marks(store) == {}
