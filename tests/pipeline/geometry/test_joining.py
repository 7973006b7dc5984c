"""Pieces of one shot whose truth is known: a similarity is undone, and what does not agree is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.records import Reconstruction
from pipeline.geometry.joining import Join, join
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
SHOT = [looking((-0.6 + 0.1 * i, -0.6 + 0.05 * i, 1.5), (0.5 - 0.15 * i, 2.0, 1.2)) for i in range(6)]


def piece(frames: slice, seed: int, **spoilt: float) -> tuple[Reconstruction, np.ndarray]:
    """Frames of the shot in a frame and unit of their own, and how the room got there."""
    return disguise(film(ROOM, SHOT[frames], (60, 80))[0], seed, **spoilt)


def joined(first: Reconstruction, second: Reconstruction, shared: int = 2) -> Join:
    """Join pieces whose last and first frames are the same."""
    n = len(first.depth)
    return join(first, second, np.arange(n - shared, n), np.arange(shared))


def off(found: Join, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Errors of the scale (logarithm) and of where the room's middle comes to lie (shares of the first's unit)."""
    true = first @ np.linalg.inv(second)
    scale = np.log(np.linalg.det(found.similarity[:3, :3]) / np.linalg.det(true[:3, :3])) / 3
    middle = second @ np.array([0.0, 1.0, 1.2, 1.0])
    apart = np.linalg.norm((found.similarity @ middle - true @ middle)[:3])
    return abs(scale), apart / np.cbrt(np.linalg.det(first[:3, :3]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 2))
def test_any_similarity_between_exact_pieces_is_undone(one: int, other: int, shared: int):
    (first, at), (second, by) = piece(slice(0, 4), one), piece(slice(4 - shared, 6), other)
    found = joined(first, second, shared)
    assert found.refused == ""
    assert max(off(found, at, by)) < 1e-4  # poses are float32


def test_one_frame_in_five_pixels_of_which_is_wrong_joins_within_a_centimetre():
    first, at = piece(slice(0, 4), 1, noise=0.01)
    second, by = piece(slice(3, 6), 2, noise=0.01, stray=0.2, holes=0.2)
    found = joined(first, second, 1)
    assert found.refused == ""
    scale, apart = off(found, at, by)
    assert scale < 0.01
    assert apart < 0.01


def test_a_mirrored_piece_is_refused():
    first, second = piece(slice(0, 4), 1)[0], piece(slice(2, 6), 2)[0]
    mirrored = second.camera_to_world.copy()
    mirrored[:, 0] *= -1
    assert "points that should coincide" in joined(first, replace(second, camera_to_world=mirrored)).refused


def test_a_flat_wall_seen_from_its_other_side_is_refused():
    wall = film(Room(Box((-9, -9, -9), (9, 3, 9))), [looking((0, 0, 1.5), (0.4, 3, 1.2))], (60, 80))[0]
    first, second = disguise(wall, 1)[0], disguise(wall, 2)[0]
    assert joined(first, second, 1).refused == ""
    normal = second.camera_to_world[0, :3, :3] @ wall.camera_to_world[0, :3, :3].T @ np.array([0, 1, 0])
    flip = np.eye(4)
    flip[:3, :3] -= 2 * np.outer(normal, normal)
    behind = (flip @ second.camera_to_world).astype(np.float32)
    assert "the camera of a shared frame is turned" in joined(first, replace(second, camera_to_world=behind), 1).refused


def test_pieces_that_show_something_else_are_refused():
    first, second = piece(slice(0, 4), 1)[0], piece(slice(2, 6), 2)[0]
    assert "points that should coincide" in join(first, second, np.array([0, 1]), np.array([3, 2])).refused


def test_shared_frames_that_disagree_on_the_scale_are_refused():
    first, second = piece(slice(0, 4), 1)[0], piece(slice(2, 6), 2)[0]
    depth = second.depth.copy()
    depth[0] *= 1.15
    assert joined(first, replace(second, depth=depth)).refused


def test_a_camera_that_moved_is_refused_whatever_the_depth_says():
    first, second = piece(slice(0, 4), 1)[0], piece(slice(2, 6), 2)[0]
    poses = second.camera_to_world.copy()
    poses[1, :3, 3] += 0.3 * np.median(second.depth)
    assert joined(first, replace(second, camera_to_world=poses)).refused


@pytest.mark.parametrize("lacks", ["registered", "depth"])
def test_without_cameras_or_depth_in_both_nothing_is_joined(lacks: str):
    first, second = piece(slice(0, 4), 1)[0], piece(slice(2, 6), 2)[0]
    found = joined(first, replace(second, **{lacks: np.zeros_like(getattr(second, lacks))}))
    assert found.refused == "no shared frame has cameras and depth in both"
