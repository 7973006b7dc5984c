"""The index over all hashes: who shares a band is a candidate, and the index follows the fingerprints."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import NotReadableNow
from pipeline.sources.duplicates.lookalikes import BAND_BITS, BANDS, Lookalikes, band_keys
from pipeline.sources.duplicates.perceptual import Hashes


def random_hashes(seed: int, frames: int = 8) -> Hashes:
    return np.random.default_rng(seed).integers(0, 2**63, (frames, 3), np.uint64)


def with_band(hashes: Hashes, frame: int, crop: int, band: int, value: int) -> Hashes:
    """The hashes with 16 bits of one of them set."""
    changed, shift = hashes.copy(), np.uint64(BAND_BITS * band)
    kept = changed[frame, crop] & ~(np.uint64(0xFFFF) << shift)
    changed[frame, crop] = kept | (np.uint64(value) << shift)
    return changed


@given(st.integers(0, 2**31), st.integers(0, BANDS - 1), st.integers(0, 2**16 - 1))
@settings(max_examples=40)
def test_hashes_that_agree_in_one_band_share_a_key(seed: int, band: int, value: int):
    first = with_band(random_hashes(seed), 2, 1, band, value)
    second = with_band(random_hashes(seed + 1), 5, 0, band, value)
    assert set(band_keys(first)) & set(band_keys(second))


def test_the_same_bits_in_another_band_are_another_key():
    keys = [band_keys(with_band(np.zeros((1, 1), np.uint64), 0, 0, band, 7)) for band in range(BANDS)]
    assert [key.tolist()[-1] - 7 for key in (np.sort(found % 2**16) for found in keys)] == [0] * BANDS
    assert len({frozenset(found.tolist()) for found in keys}) == BANDS


def test_keys_are_sorted_and_each_comes_once():
    keys = band_keys(np.repeat(random_hashes(1, 1), 5, axis=0))
    assert (np.diff(keys) > 0).all()
    assert len(keys) <= BANDS * 3
    assert keys.max() < BANDS << BAND_BITS
    assert len(band_keys(np.empty((0, 3), np.uint64))) == 0


def test_candidates_are_those_that_share_most_bands_first(tmp_path: Path):
    index, asked = Lookalikes(tmp_path / "bands.sqlite"), random_hashes(1)
    half = np.concatenate([asked[:4], random_hashes(2, 4)])
    index.add([("half", half), ("stranger", random_hashes(3)), ("same", asked)], "v1")
    found = index.candidates(asked, 2)
    assert [video_id for video_id, _ in found] == ["same", "half"]
    assert np.array_equal(found[0][1], asked)
    assert [video_id for video_id, _ in index.candidates(asked, 1)] == ["same"]


def test_a_stranger_is_no_candidate(tmp_path: Path):
    index = Lookalikes(tmp_path / "bands.sqlite")
    index.add([("zeros", np.zeros((3, 3), np.uint64))], "v1")
    assert index.candidates(~np.zeros((2, 3), np.uint64), 9) == []
    assert index.candidates(np.empty((0, 3), np.uint64), 9) == []


def test_the_index_knows_up_to_where_it_follows_and_keeps_it(tmp_path: Path):
    path = tmp_path / "scratch" / "bands.sqlite"
    assert Lookalikes(path).follows() == ""
    Lookalikes(path).add([("a", random_hashes(1))], "v1")
    Lookalikes(path).add([], "v2")
    assert Lookalikes(path).follows() == "v2"
    assert [video_id for video_id, _ in Lookalikes(path).candidates(random_hashes(1), 5)] == ["a"]


def test_of_a_video_that_comes_again_the_later_hashes_hold(tmp_path: Path):
    index = Lookalikes(tmp_path / "bands.sqlite")
    index.add([("a", random_hashes(1))], "v1")
    index.add([("b", random_hashes(3)), ("a", random_hashes(2)), ("b", random_hashes(3))], "v2")
    assert index.candidates(random_hashes(1), 5) == []
    assert np.array_equal(dict(index.candidates(random_hashes(2), 5))["a"], random_hashes(2))
    assert [video_id for video_id, _ in index.candidates(random_hashes(3), 5)] == ["b"]


def test_videos_are_entered_all_or_none(tmp_path: Path):
    index = Lookalikes(tmp_path / "bands.sqlite")

    def breaks_off() -> Iterator[tuple[str, Hashes]]:
        yield "a", random_hashes(1)
        raise KeyError

    with pytest.raises(KeyError):
        index.add(breaks_off(), "v1")
    assert index.follows() == ""
    assert index.candidates(random_hashes(1), 5) == []


def test_a_damaged_index_is_made_again_and_one_that_cannot_be_opened_is_not_deleted(tmp_path: Path):
    path = tmp_path / "bands.sqlite"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    index = Lookalikes(path)
    assert index.follows() == "", "so that all videos are entered anew"
    index.add([("a", random_hashes(1))], "v1")
    assert index.candidates(random_hashes(1), 5)
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(NotReadableNow, match="unable to open"):
        Lookalikes(tmp_path / "folder.sqlite")
    assert (tmp_path / "folder.sqlite").is_dir()


def test_two_writers_take_turns(tmp_path: Path):
    path = tmp_path / "bands.sqlite"

    def enter(first: int) -> None:
        for number in range(first, first + 5):
            Lookalikes(path).add([(f"v{number}", random_hashes(number))], f"v{number}")

    threads = [threading.Thread(target=enter, args=(first,)) for first in (0, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"v{number}" in dict(Lookalikes(path).candidates(random_hashes(number), 3)) for number in range(10))
