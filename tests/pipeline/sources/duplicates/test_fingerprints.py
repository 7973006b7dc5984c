"""Copies of a tour are recognised, other tours are not."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.arrays import Images
from pipeline.contract.errors import DuplicateVideo
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.duplicates.fingerprints import Fingerprints, video_hashes
from pipeline.sources.duplicates.lookalikes import band_keys
from pipeline.sources.duplicates.perceptual import clip_hashes, found_again, seen_before
from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.sources.video_source import parse_source
from pipeline.stages.video.arrive import arrive
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.store import Store
from tests.pipeline.videos import walk, write_video

SETTINGS = DuplicateSettings()
COUNT = 48


def film(seed: int) -> list[Images]:
    """Three shots along textured walls."""
    return [frame for part in range(3) for frame in walk(10 * seed + part, COUNT // 3, step=6.0)]


def cropped(frames: list[Images]) -> list[Images]:
    return [frame[10:-10, 12:-12] for frame in frames]


def smaller(frames: list[Images]) -> list[Images]:
    return [np.asarray(cv2.resize(frame, (200, 112)), np.uint8) for frame in frames]


def stamped(frames: list[Images]) -> list[Images]:
    marked = [frame.copy() for frame in frames]
    for frame in marked:
        cv2.rectangle(frame, (265, 210), (310, 226), (255, 255, 255), -1)
    return marked


def faster(frames: list[Images]) -> list[Images]:
    return frames[::2]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Fingerprints:
    """The fingerprints of three films."""
    folder = tmp_path_factory.mktemp("films")
    fingerprints = Fingerprints(Store(folder / "data"))
    for seed in range(3):
        fingerprints.add(f"film-{seed}", video_hashes(write_video(folder / f"{seed}.mp4", film(seed))))
    return fingerprints


@pytest.mark.parametrize("change", [cropped, smaller, stamped, faster, list])
def test_a_copy_is_recognised_and_another_film_is_not(
    tmp_path: Path, known: Fingerprints, change: Callable[[list[Images]], list[Images]]
):
    copy = video_hashes(write_video(tmp_path / "copy.mp4", change(film(2))))
    assert [match.video_id for match in known.alike(copy, SETTINGS)] == ["film-2"]


def test_a_film_that_says_nothing_is_like_no_other(tmp_path: Path):
    black = video_hashes(write_video(tmp_path / "black.mp4", [np.zeros((120, 160, 3), np.uint8)] * 20))
    assert len(black) == 0
    assert found_again(black, black, 64) == 0
    assert Fingerprints(Store(tmp_path)).alike(black, SETTINGS) == []


def test_an_index_that_was_lost_is_made_again(tmp_path: Path):
    store, hashes = Store(tmp_path), clip_hashes(np.stack(walk(3, 12)))
    Fingerprints(store).add("a", hashes)
    next(store.scratch.glob("*.sqlite")).unlink()
    assert [match.video_id for match in Fingerprints(store).alike(hashes, SETTINGS)] == ["a"]


@given(st.integers(0, 2**31), st.integers(0, 3), st.integers(0, 2**16 - 1))
def test_hashes_that_agree_in_one_band_are_compared(seed: int, band: int, value: int):
    draw = np.random.default_rng(seed)
    first, second = draw.integers(0, 2**63, (2, 8, 3), np.uint64)
    shift = np.uint64(16 * band)
    first[2, 1] = (first[2, 1] & ~(np.uint64(0xFFFF) << shift)) | (np.uint64(value) << shift)
    second[5, 0] = (second[5, 0] & ~(np.uint64(0xFFFF) << shift)) | (np.uint64(value) << shift)
    assert set(band_keys(first)) & set(band_keys(second))


@pytest.mark.parametrize("copy_step", [1, 2])
def test_the_second_upload_is_noted_as_a_duplicate_of_the_first(tmp_path: Path, copy_step: int):
    write_video(tmp_path / "a.mp4", film(1))
    write_video(tmp_path / "b.mp4", film(1)[::copy_step], fps=12)
    store, settings = Store(tmp_path / "data"), VideoSettings(free_bytes_min=0)
    first, second = (parse_source(str(tmp_path / name)) for name in ("a.mp4", "b.mp4"))
    Catalog(store).add([first, second])
    arrive(Catalog(store), first.video_id, tmp_path / "one", settings)
    with pytest.raises(DuplicateVideo):
        arrive(Catalog(store), second.video_id, tmp_path / "two", settings)
    row = Catalog(store).row(second.video_id)
    assert (row.state, row.duplicate_of) == (VideoState.DUPLICATE, first.video_id)
    with pytest.raises(DuplicateVideo):
        arrive(Catalog(store), second.video_id, tmp_path / "three", settings)


def test_a_clip_that_repeats_an_earlier_one_is_told():
    first, second = (clip_hashes(np.stack(walk(seed, 12))) for seed in (1, 2))
    assert seen_before(first, second) == 0
    assert seen_before(first, np.concatenate([second, first])) == 1
