from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.arrays import Float64s
from pipeline.geometry.poses import moved, pose_errors
from pipeline.stages.reconstruction.da3.windows import Joined, WindowCameras, joined, owned_frames, windows_of
from tests.pipeline.stages.reconstruction.da3.worlds import Room, similarity, walked_room

ROOM = walked_room(48)
SEEDS = st.integers(0, 999_999)


def walk(windows: list[WindowCameras], whole: Joined) -> tuple[Float64s, Float64s]:
    """Return the cameras of all frames in one world, and the factor to the true depth of each."""
    cameras, units = [], []
    for window, own, to_world in zip(windows, owned_frames([w.frames for w in windows]), whole.to_world, strict=True):
        poses, scale = moved(window.camera_to_world, to_world)
        inside = slice(own.start - window.frames.start, own.stop - window.frames.start)
        cameras.append(poses[inside])
        true = ROOM.depth[own.start : own.stop]
        units.append(np.median(true / (window.depth[inside] * scale), axis=(1, 2)))
    return np.concatenate(cameras), np.concatenate(units)


@given(frames=st.integers(1, 700), window=st.integers(4, 80), overlap=st.floats(0.25, 0.75))
def test_windows_cover_a_clip_overlap_and_share_out_its_frames(frames: int, window: int, overlap: float):
    found = windows_of(frames, window, overlap)
    assert {frame for one in found for frame in one} == set(range(frames))
    assert all(len(one) == min(window, frames) for one in found)
    assert all(one.stop - two.start >= min(2, int(overlap * window)) for one, two in pairwise(found))
    owned = owned_frames(found)
    assert [frame for one in owned for frame in one] == list(range(frames))
    assert all(set(own) <= set(one) for own, one in zip(owned, found, strict=True))


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_exact_windows_are_joined_exactly(seed: int):
    windows = ROOM.windows(np.random.default_rng(seed))
    whole = joined(windows, ROOM.rays, 0.1)
    assert whole.kept.all()
    cameras, units = walk(windows, whole)
    errors = pose_errors(cameras, ROOM.camera_to_world)
    assert errors.rotation.max() < 0.01
    assert np.ptp(np.log(units)) < 1e-4, "float32 depth is the only error"


def test_noise_of_five_percent_and_a_fifth_of_wrong_pixels_hardly_move_the_join():
    """Fixed draws, since one in a hundred errs by more than a degree."""
    turned = []
    for seed in range(8):
        windows = ROOM.windows(np.random.default_rng(seed), noise=0.05, wild=0.2)
        whole = joined(windows, ROOM.rays, 0.2)
        assert whole.kept.all()
        assert 0.02 < whole.disagreement.max() < 0.12
        cameras, units = walk(windows, whole)
        turned.append(pose_errors(cameras, ROOM.camera_to_world).rotation.max())
        assert np.ptp(np.log(units)) < 0.04
    # 8 frames of 336 pixels with 5 % of noise each: some 0.1 % a join, five joins
    assert np.median(turned) < 0.6
    assert max(turned) < 1


def test_a_clip_falls_apart_where_windows_contradict_each_other_and_the_longest_piece_stays():
    rng = np.random.default_rng(3)
    windows = ROOM.windows(rng)
    other = Room(ROOM.camera_to_world, ROOM.depth * rng.uniform(0.2, 5, ROOM.depth.shape), ROOM.rays)
    windows[1] = other.said(windows[1].frames, rng)
    whole = joined(windows, ROOM.rays, 0.1)
    assert whole.kept.tolist() == [False, False, True, True, True]
    assert np.allclose(whole.to_world[2], np.eye(4)), "the first window of the piece is the world"


@pytest.mark.parametrize("kind", ["depth", "confidence"])
def test_windows_that_say_nothing_of_their_shared_frames_are_not_joined(kind: str):
    windows = ROOM.windows(np.random.default_rng(4))
    windows[0] = replace(windows[0], **{kind: np.zeros_like(windows[0].depth)})
    whole = joined(windows, ROOM.rays, 0.1)
    assert not np.isfinite(whole.disagreement[0])
    assert whole.kept.tolist() == [False, True, True, True, True]


def test_moved_cameras_have_rotations_without_scale():
    carried = similarity(np.random.default_rng(5))
    cameras, scale = moved(ROOM.camera_to_world, carried)
    assert np.allclose(cameras[:, :3, :3] @ cameras[:, :3, :3].swapaxes(1, 2), np.eye(3))
    points = np.array([0.1, -0.2, 1.0, 1]) * [2, 2, 2, 1]
    scaled = points * [scale, scale, scale, 1]
    assert np.allclose(carried @ ROOM.camera_to_world[7] @ points, cameras[7] @ scaled)
