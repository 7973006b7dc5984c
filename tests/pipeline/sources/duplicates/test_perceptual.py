"""Perceptual hashes: what a copy changes little and another picture much."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.arrays import Images
from pipeline.sources.duplicates.perceptual import (
    CROPS,
    Hashes,
    clip_hashes,
    found_again,
    hashes_of,
    picture_hashes,
    seen_before,
    stacked,
)
from pipeline.sources.duplicates.settings import SAME_PICTURE
from tests.pipeline.videos import walk

PICTURE = walk(1, 1)[0]
BITS = 64


def bits_apart(one: Hashes, other: Hashes) -> int:
    """Bits in which the hash of a whole picture differs from the nearest crop of another."""
    return int(np.bitwise_count(one[0] ^ other).min())


def random_hashes(seed: int, frames: int) -> Hashes:
    return np.random.default_rng(seed).integers(0, 2**64, (frames, len(CROPS)), np.uint64)


@pytest.mark.parametrize(
    "changed",
    [
        lambda rgb: cv2.resize(rgb, (160, 120), interpolation=cv2.INTER_AREA),
        lambda rgb: cv2.resize(rgb, (640, 480)),
        lambda rgb: rgb[10:-10, 13:-13],
        lambda rgb: cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR),
        lambda rgb: (rgb // 2 + 40).astype(np.uint8),
        lambda rgb: cv2.rectangle(rgb.copy(), (265, 210), (310, 226), (255, 255, 255), -1),
        lambda rgb: rgb[..., ::-1],
    ],
    ids=["smaller", "larger", "cropped", "jpeg", "paler", "stamped", "red for blue"],
)
def test_a_copy_of_a_picture_differs_in_few_bits(changed: Callable[[Images], Images]):
    copy = np.ascontiguousarray(changed(PICTURE))
    assert bits_apart(picture_hashes(PICTURE), picture_hashes(copy)) <= SAME_PICTURE


def test_other_pictures_differ_in_about_half_of_the_bits():
    hashes = [picture_hashes(walk(seed, 1)[0]) for seed in range(8)]
    apart = [bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > SAME_PICTURE
    # Signs about the median are set for half of the frequencies; the nearest of three crops takes a little off.
    assert np.mean(apart) == pytest.approx(BITS / 2, abs=8)


def test_a_picture_turned_upside_down_is_another():
    assert bits_apart(picture_hashes(PICTURE), picture_hashes(PICTURE[::-1])) > SAME_PICTURE


def test_a_picture_has_a_hash_for_every_crop_and_plain_ones_have_none():
    assert picture_hashes(PICTURE).shape == (len(CROPS),)
    assert len(set(picture_hashes(PICTURE).tolist())) > 1
    for level in (0, 90, 255):
        assert picture_hashes(np.full((48, 64, 3), level, np.uint8)).shape == (0,)


def test_frames_that_say_nothing_are_left_out_of_a_clip():
    frames = np.stack([PICTURE, np.zeros_like(PICTURE), PICTURE[::-1]])
    assert clip_hashes(frames).shape == (2, len(CROPS))
    assert clip_hashes(frames[1:2]).shape == (0, len(CROPS))
    assert stacked([]).shape == (0, len(CROPS))


@given(st.integers(0, 1000), st.integers(0, 9))
@settings(max_examples=20)
def test_hashes_read_back_from_their_bytes(seed: int, frames: int):
    hashes = random_hashes(seed, frames)
    assert np.array_equal(hashes_of(hashes.tobytes()), hashes)


@given(st.integers(0, 1000), st.integers(1, 8), st.integers(1, 8), st.integers(0, BITS))
@settings(max_examples=30)
def test_who_is_compared_with_whom_does_not_matter(seed: int, one: int, other: int, distance: int):
    first, second = random_hashes(seed, one), random_hashes(seed + 1, other)
    share = found_again(first, second, distance)
    assert share == found_again(second, first, distance)
    assert 0 <= share <= found_again(first, second, BITS) == 1
    assert found_again(first, first, 0) == 1


def test_the_share_is_that_of_the_video_of_which_less_is_found():
    first = random_hashes(3, 4)
    # Two of the four frames are all of the other video: half of one, and all of the other.
    assert found_again(first, first[:2], 0) == 0.5
    assert found_again(np.concatenate([first[:1], random_hashes(4, 1)]), first[:1], 5) == 0.5


def test_a_crop_is_found_in_the_whole_and_the_whole_in_a_crop():
    whole, cropped = random_hashes(5, 1), random_hashes(6, 1)
    cropped[0, 0] = whole[0, 1]
    assert found_again(whole, cropped, 0) == found_again(cropped, whole, 0) == 1
    cropped[0, 0], cropped[0, 2] = random_hashes(7, 1)[0, 0], whole[0, 2]
    assert found_again(whole, cropped, 0) == 0, "two crops alike are no sign: crops are compared with whole pictures"


def test_nothing_is_found_in_nothing():
    nothing = np.empty((0, len(CROPS)), np.uint64)
    assert found_again(nothing, nothing, BITS) == 0
    assert found_again(random_hashes(1, 3), nothing, BITS) == 0
    assert seen_before(nothing, random_hashes(1, 3)) == seen_before(random_hashes(1, 3), nothing) == 0


def test_a_clip_that_repeats_an_earlier_one_is_told():
    first, second = (clip_hashes(np.stack(walk(seed, 12))) for seed in (1, 2))
    assert seen_before(first, second) == 0
    assert seen_before(first, np.concatenate([second, first])) == 1
    assert seen_before(np.concatenate([first, second]), first) == 0.5
