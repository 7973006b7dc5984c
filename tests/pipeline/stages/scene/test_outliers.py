"""Stray points lose their depth, surfaces keep theirs."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.stages.scene.outliers import inlier_pixels, surface_points, thinned
from pipeline.stages.scene.settings import OutlierSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SETTINGS = OutlierSettings()
ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
WALK = [looking((-0.6 + 0.2 * i, -0.6, 1.5), (0.5, 2.0, 1.2)) for i in range(3)]


@pytest.fixture(scope="module")
def walk() -> MetricScene:
    return film(ROOM, WALK, (60, 80))[0]


@pytest.fixture(scope="module")
def found(walk: MetricScene) -> Reconstruction:
    return disguise(walk, 1)[0]


def test_an_exact_room_keeps_nearly_all_of_its_pixels(found: Reconstruction):
    kept = inlier_pixels(found, SETTINGS)
    assert kept.shape == found.depth.shape
    # Distances of more than two standard deviations above the mean are rare: the farthest and the slanted surfaces.
    assert kept.mean() > 0.93


def test_points_that_hang_in_the_air_are_dropped(found: Reconstruction):
    depth = found.depth.copy()
    depth[:, ::15, ::15] *= 0.4
    stray = depth != found.depth
    kept = inlier_pixels(dataclasses.replace(found, depth=depth), SETTINGS)
    assert kept[stray].mean() < 0.05
    assert kept[~stray].mean() > 0.93


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -1.0])
def test_pixels_without_a_depth_are_never_kept(found: Reconstruction, value: float):
    depth = found.depth.copy()
    depth[0, :20] = value
    kept = inlier_pixels(dataclasses.replace(found, depth=depth), SETTINGS)
    assert not kept[0, :20].any()
    assert kept[1].mean() > 0.9


def test_frames_without_a_camera_have_no_surface(found: Reconstruction):
    registered = np.array([True, False, True])
    kept = inlier_pixels(dataclasses.replace(found, registered=registered), SETTINGS)
    assert not kept[1].any()
    assert kept[[0, 2]].mean() > 0.9
    nothing = dataclasses.replace(found, registered=np.zeros(3, np.bool_))
    assert not inlier_pixels(nothing, SETTINGS).any()


@pytest.mark.parametrize("seed", [2, 3])
def test_neither_unit_nor_frame_of_the_reconstruction_matters(walk: MetricScene, found: Reconstruction, seed: int):
    other = inlier_pixels(disguise(walk, seed)[0], SETTINGS)
    # Cubes lie elsewhere in another frame, which moves a few pixels at the rim.
    assert (other == inlier_pixels(found, SETTINGS)).mean() > 0.97


def test_points_of_one_cube_become_their_mean():
    points = np.array([[0.1, 0.1, 0.1], [0.3, 0.1, 0.1], [1.5, 0.5, 0.5], [-0.2, 0.0, 0.0]])
    centroids, cube = thinned(points, 1.0)
    assert cube[0] == cube[1]
    assert len(set(cube.tolist())) == len(centroids) == 3
    assert centroids[cube[0]] == pytest.approx([0.2, 0.1, 0.1])
    assert np.allclose(centroids[cube[2:]], points[2:])


@given(st.integers(0, 1000), st.floats(0.05, 2.0), st.floats(-1e5, 1e5))
@settings(max_examples=20)
def test_every_point_lies_within_a_cube_of_its_centroid_however_far_away(seed: int, side: float, away: float):
    points = np.random.default_rng(seed).normal(0, 2, (200, 3)) + away
    centroids, cube = thinned(points, side)
    assert np.abs(points - centroids[cube]).max() <= side * (1 + 1e-6) + 1e-9
    assert np.array_equal(np.unique(cube), np.arange(len(centroids)))


def test_one_point_beyond_all_bounds_is_a_cube_of_its_own():
    points = np.concatenate([np.zeros((10, 3)), [[1e12, 0, 0]]])
    centroids, cube = thinned(points, 0.01)
    assert len(centroids) == 2
    assert cube[-1] != cube[0]


def test_a_plane_is_a_surface_and_a_lone_point_is_none():
    x, y = np.meshgrid(np.arange(0, 1, 0.012), np.arange(0, 1, 0.012))
    plane = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    passed = surface_points(np.concatenate([plane, [[0.5, 0.5, 0.5]]]), SETTINGS)
    assert not passed[-1]
    # At the rim of a plane half of the neighbours are missing, so that the nearest are farther than elsewhere.
    assert passed[:-1].reshape(x.shape)[1:-1, 1:-1].mean() > 0.99
