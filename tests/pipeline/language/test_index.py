from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import NoEmbeddings, OtherWeights
from pipeline.language.index import RECHECKED, RegionIndex, open_index
from pipeline.language.index_part import IndexPart, RegionKind
from pipeline.language.part_writer import PartWriter
from pipeline.language.text import SanText
from pipeline.store.store import Store
from tests.pipeline.language.made_up_regions import WIDTH, store_regions, unit


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def test_the_nearest_regions_are_those_of_an_exhaustive_search(store: Store, text: SanText):
    stored = {name: store_regions(store, name, rows, text) for name, rows in (("b", 700), ("a", 300), ("c", 1))}
    index, asked = open_index(store, text), unit(np.random.default_rng(0), 1)[0]
    everything = sorted(
        ((float(score), name, row) for name, rows in stored.items() for row, score in enumerate(rows @ asked)),
        reverse=True,
    )
    found = index.search(asked, 10)
    assert [(hit.video_id, hit.region) for hit in found] == [(name, row) for _, name, row in everything[:10]]
    assert [hit.score for hit in found] == pytest.approx([score for score, _, _ in everything[:10]], abs=1e-6)
    alone = index.search_video("b", asked, 5)
    assert [hit.region for hit in alone] == [row for _, name, row in everything if name == "b"][:5]
    assert index.search_video("nowhere", asked, 5) == []


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=5), st.integers(1, 20), st.integers(0, 99)
)
def test_parts_give_what_one_part_gives(
    tmp_path_factory: pytest.TempPathFactory, counts: list[list[int]], wanted: int, seed: int
):
    """``counts``: regions of every video of every part. Vectors are drawn from few, so that equal scores are common."""
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("index")
    few = unit(rng, 5, 8).astype(np.float16)
    videos = [
        [(f"v{number}-{n}", few[rng.integers(0, 5, count)]) for n, count in enumerate(part)]
        for number, part in enumerate(counts)
    ]
    in_parts = RegionIndex([_part(folder, number, part) for number, part in enumerate(videos)])
    whole = [video for part in videos for video in part]
    in_one = RegionIndex([_part(folder, 99, whole)] if whole else [])
    asked = unit(rng, 1, 8)[0]
    assert in_parts.search(asked, wanted) == in_one.search(asked, wanted)
    assert len(in_parts) == len(in_one) == sum(len(rows) for _, rows in whole)
    assert in_parts.video_ids() == in_one.video_ids() == sorted(video_id for video_id, _ in whole)
    for video_id, rows in whole:
        hits = in_parts.search_video(video_id, asked, 50)
        assert sorted(hit.region for hit in hits) == list(range(len(rows)))
    if len(in_one) <= wanted * RECHECKED:
        scores = sorted((float(score) for _, rows in whole for score in rows.astype(np.float32) @ asked), reverse=True)
        assert [hit.score for hit in in_parts.search(asked, wanted)] == pytest.approx(scores[:wanted], abs=1e-6)


def _part(folder: Path, number: int, videos: list[tuple[str, np.ndarray]]) -> IndexPart:
    with PartWriter(folder, number, RegionKind(8, ())) as writer:
        for video_id, rows in videos:
            writer.append({"video_id": video_id, "mark": 1, "regions_mark": 1, "regions": len(rows)}, rows)
        placed = writer.place()
    assert placed is not None
    return placed


def test_asking_for_more_regions_than_there_are_gives_all(store: Store, text: SanText):
    store_regions(store, "a", 9, text)
    found = open_index(store, text).search(unit(np.random.default_rng(0), 1)[0], 50)
    assert sorted(hit.region for hit in found) == list(range(9))


def test_a_dataset_without_embeddings_names_the_stage_and_nothing_is_made_where_there_is_none(
    store: Store, text: SanText
):
    with pytest.raises(NoEmbeddings, match=r"no video.*stage 'semantics'.*youtube_occ"):
        open_index(store, text)
    assert not Path(store.root).exists()
    store_regions(store, "a", 0, text)
    with pytest.raises(NoEmbeddings, match=r"no video.*stage 'semantics'.*youtube_occ"):
        open_index(store, text)


def test_a_video_without_embeddings_is_not_in_the_index(store: Store, text: SanText):
    store_regions(store, "a", 0, text)
    store_regions(store, "b", 3, text)
    index = open_index(store, text)
    assert index.video_ids() == ["b"]
    with pytest.raises(NoEmbeddings, match=r"a has no region embeddings.*profile"):
        index.video_ids("a")
    assert index.video_ids("b") == ["b"]


def test_embeddings_of_other_weights_are_refused(store: Store, text: SanText):
    store_regions(store, "a", 5, text)
    video = store.video("a")
    attributes = {**video.attributes("semantics"), "weights": {"other.pth": "0" * 64}}
    with video.write_group("semantics", attributes) as group:
        group.append("region_embeddings", np.ones((5, WIDTH), np.float16), 256)
    with pytest.raises(OtherWeights, match=r"regions of a .*other\.pth.*semantics\.san\.weights"):
        open_index(store, text)
