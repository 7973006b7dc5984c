import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.language.index
from pipeline.bench.made_up import finish_made_up
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import NoEmbeddings, OtherWeights
from pipeline.language.index import FOLDER, RegionIndex, nearest_codes, open_index
from pipeline.language.text import SanText
from pipeline.store.store import Store

WIDTH = 64


def unit(rng: np.random.Generator, rows: int) -> Floats:
    vectors = rng.standard_normal((rows, WIDTH)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def store_regions(store: Store, video_id: str, rows: int, text: SanText, fingerprint: str = "1") -> Floats:
    vectors = unit(np.random.default_rng([ord(letter) for letter in video_id + fingerprint]), rows).astype(np.float16)
    arrays = {"semantics": {"region_offset": np.array([0, rows // 2]), "region_embeddings": vectors}}
    finish_made_up(store.video(video_id), fingerprint, arrays, weights={"semantics": text.weights})
    return vectors.astype(np.float32)


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


@settings(max_examples=40)
@given(st.integers(0, 40), st.integers(1, 50), st.integers(1, 3), st.integers(0, 1000))
def test_blocks_and_threads_change_nothing(rows: int, count: int, threads: int, seed: int):
    """Eleven rows a block here; products are integers, so that ties are common and any of them will do."""
    rng = np.random.default_rng(seed)
    codes, text = (rng.integers(-127, 128, shape).astype(np.int8) for shape in ((rows, 24), (24,)))
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(pipeline.language.index, "ROWS_COMPARED", 11)
        found = nearest_codes(codes, text, count, threads)
    products = codes.astype(np.int64) @ text.astype(np.int64)
    assert len(set(found.tolist())) == min(rows, count)
    assert sorted(products[found].tolist(), reverse=True) == sorted(products.tolist(), reverse=True)[:count]


def test_asking_for_more_regions_than_there_are_gives_all(store: Store, text: SanText):
    store_regions(store, "a", 9, text)
    found = open_index(store, text).search(unit(np.random.default_rng(0), 1)[0], 50)
    assert sorted(hit.region for hit in found) == list(range(9))


def test_a_changed_video_is_read_again_and_the_others_are_copied(store: Store, text: SanText):
    first = {name: store_regions(store, name, 50, text) for name in ("a", "b")}
    before = open_index(store, text)
    changed = store_regions(store, "a", 70, text, fingerprint="2")
    # What has not changed is copied from the index and not read from its store, which is gone here.
    folder = store.path("videos", "b", "scene.zarr", "semantics", "region_embeddings", "c")
    shutil.rmtree(folder)
    after = open_index(store, text)
    assert np.array_equal(after.embeddings[:70], changed.astype(np.float16))
    assert np.array_equal(after.embeddings[70:], first["b"].astype(np.float16))
    assert len(before) == 100


def test_nothing_changed_nothing_written(store: Store, text: SanText):
    store_regions(store, "a", 5, text)
    open_index(store, text)
    before = sorted(path.name for path in (store.scratch / FOLDER).iterdir())
    open_index(store, text)
    assert sorted(path.name for path in (store.scratch / FOLDER).iterdir()) == before
    assert len([name for name in before if name.endswith(".npy")]) == 2


@pytest.mark.parametrize("damage", ["cut", "no table", "other rows"])
def test_what_a_killed_or_damaged_index_left_is_never_read(store: Store, text: SanText, damage: str):
    stored = store_regions(store, "a", 20, text)
    open_index(store, text)
    folder = store.scratch / FOLDER
    if damage == "cut":
        (folder / "index.json").write_text('{"version": "')
    elif damage == "no table":
        (folder / "index.json").unlink()
    else:
        path = next(folder.glob("*-float16.npy"))
        np.save(path, np.zeros((3, WIDTH), np.float16))
    index: RegionIndex = open_index(store, text)
    assert np.array_equal(index.embeddings, stored.astype(np.float16))
    assert len(list(folder.glob("*.npy"))) == 2


def test_a_dataset_without_embeddings_names_the_stage(store: Store, text: SanText):
    with pytest.raises(NoEmbeddings, match=r"no video.*stage 'semantics'.*youtube_occ"):
        open_index(store, text)


def test_embeddings_of_other_weights_are_refused(store: Store, text: SanText):
    store_regions(store, "a", 5, text)
    video = store.video("a")
    attributes = {**video.attributes("semantics"), "weights": {"other.pth": "0" * 64}}
    with video.write_group("semantics", attributes) as group:
        group.append("region_embeddings", np.ones((5, WIDTH), np.float16), 256)
    with pytest.raises(OtherWeights, match=r"regions of a .*other\.pth.*semantics\.san\.weights"):
        open_index(store, text)
