"""The page of a dataset that is made larger reads few videos, and none again."""

from pathlib import Path

import pytest

from pipeline.bench.page import describe, larger, written
from pipeline.dataset import summaries
from pipeline.dataset.page import INDEX_PAGE
from pipeline.dataset.summaries import DESCRIBED
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("one")
    one = larger(Store(unpack_earlier_dataset(tmp_path_factory.mktemp("earlier"))), folder, 1)
    assert written(str(folder))["videos"] == 1
    return one


def test_a_refresh_describes_some_of_very_many_new_videos_and_says_how_many_wait(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(summaries, "MOST_NEW", 7)
    made = larger(store, tmp_path, 12)
    assert written(str(tmp_path))["videos"] == 12
    assert made.read_table(*DESCRIBED).num_rows == 7
    assert "5 videos are not described below yet" in made.read_bytes(*INDEX_PAGE).decode()
    written(str(tmp_path))
    assert made.read_table(*DESCRIBED).num_rows == 12


def test_what_is_described_is_not_read_again(store: Store, tmp_path: Path):
    made = larger(store, tmp_path, 6)
    describe(store, made, 6)
    for name in ("copy-000000", "copy-000001"):
        (tmp_path / "videos" / name).unlink()
    assert written(str(tmp_path))["videos"] == 6
    assert made.read_table(*DESCRIBED)["fingerprint"].to_pylist().count("") == 0
