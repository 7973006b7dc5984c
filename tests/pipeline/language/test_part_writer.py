from pathlib import Path

import numpy as np
import pytest

from pipeline.language.index_part import IndexPart, RegionKind
from pipeline.language.part_writer import PartWriter, StoredRegions
from pipeline.language.text import SanText
from pipeline.store.store import Store
from tests.pipeline.language.made_up_regions import WIDTH, store_regions


@pytest.fixture
def store(tmp_path: Path, text: SanText) -> Store:
    store = Store(tmp_path / "data")
    store_regions(store, "a", 6, text)
    store_regions(store, "b", 4, text)
    return store


def regions_of(store: Store, video_id: str) -> StoredRegions:
    found = StoredRegions.of(store.video(video_id))
    assert found is not None
    return found


def test_the_regions_of_a_video_are_told_by_its_notes(store: Store, text: SanText):
    found = regions_of(store, "a")
    assert (found.kind, found.count) == (RegionKind(WIDTH, tuple(text.weights.items())), 6)
    assert StoredRegions.of(store.video("nobody")) is None
    store_regions(store, "a", 0, text)
    assert regions_of(store, "a").kind == RegionKind(0, ())


def test_marks_change_with_what_was_run(store: Store, text: SanText):
    before, video = regions_of(store, "a"), store.video("a")
    with video.write_group("occupancy", {**video.attributes("occupancy"), "seconds": 2.5}):
        pass
    after = regions_of(store, "a")
    assert before.mark != after.mark
    assert before.regions_mark == after.regions_mark
    store_regions(store, "a", 6, text, fingerprint="2")
    assert regions_of(store, "a").regions_mark != after.regions_mark


def test_a_video_that_is_made_again_while_it_is_copied_stays_out(store: Store, text: SanText, tmp_path: Path):
    earlier, other = regions_of(store, "a"), regions_of(store, "b")
    store_regions(store, "a", 6, text, fingerprint="2")
    with PartWriter(tmp_path, 3, other.kind) as writer:
        writer.add(other)
        writer.add(earlier)
        writer.add(other)
        placed = writer.place()
    assert placed is not None
    assert placed.videos["video_id"].to_pylist() == ["b", "b"]
    assert placed.embeddings.tobytes() == 2 * store.video("b").read("semantics", "region_embeddings").tobytes()
    assert np.array_equal(placed.codes[:4], placed.codes[4:])
    assert np.array_equal(IndexPart.read(tmp_path, 3).embeddings, placed.embeddings)


def test_what_is_not_placed_is_gone(store: Store, tmp_path: Path):
    folder = tmp_path / "index"
    folder.mkdir()
    regions = regions_of(store, "a")
    with PartWriter(folder, 0, regions.kind) as writer:
        writer.add(regions)
    assert list(folder.iterdir()) == []
