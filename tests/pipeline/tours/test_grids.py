from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_index
from pipeline.contract.records import FrameGrid
from pipeline.tours.camera import pose
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.grids import FACES, looked_around, room_grid, shown_grid
from pipeline.tours.house import House
from pipeline.tours.timeline import Timeline, TourShot
from pipeline.tours.tour import Tour

from .shapes import bare_house, block, standing

CUPBOARD = block((2.02, 1.2, 0.0), (2.42, 1.8, 2.0), SemanticClass.FURNITURE)
INSIDE, BEHIND, BESIDE = (2.2, 1.5, 1.0), (2.55, 1.5, 1.0), (3.0, 2.5, 1.2)
"""Points within the cupboard, close behind it as seen from x = 0.3, and past it in plain view."""


@pytest.fixture(scope="module")
def filmed(tour: Tour) -> Tour:
    """A tour of one frame through a room of 4 x 3 m, along +y from a short wall's middle."""
    timeline = Timeline((TourShot(0, "indoor", 0, 4),), ())
    return replace(tour, house=bare_house(CUPBOARD), timeline=timeline, walks=(standing(0.3, 1.5, 0.0),))


@pytest.fixture(scope="module")
def truth(filmed: Tour) -> FrameTruth:
    return filmed.truth(0)


@pytest.fixture(scope="module")
def grids(filmed: Tour, truth: FrameTruth) -> tuple[FrameGrid, FrameGrid]:
    return shown_grid(truth), room_grid(filmed, truth)


def label_at(grid: FrameGrid, point: tuple[float, float, float]) -> int:
    in_grid = grid.grid_from_world @ [*point, 1.0]
    index = voxel_index(in_grid[:3], grid.origin)
    assert ((index >= 0) & (index < GRID_SHAPE)).all()
    return int(grid.labels[tuple(index)])


def test_both_grids_lie_alike_with_the_camera_looking_along_y(grids: tuple[FrameGrid, FrameGrid], truth: FrameTruth):
    shown, whole = grids
    np.testing.assert_array_equal(shown.origin, whole.origin)
    np.testing.assert_array_equal(shown.grid_from_world, whole.grid_from_world)
    np.testing.assert_allclose((shown.grid_from_world @ truth.camera_to_world)[:3, 2], [0, 1, 0], atol=1e-6)


def test_a_frame_shows_fronts_and_not_what_they_hide(grids: tuple[FrameGrid, FrameGrid]):
    shown, whole = grids
    assert label_at(shown, (2.03, 1.5, 1.0)) == SemanticClass.FURNITURE
    assert label_at(shown, BEHIND) == SemanticClass.UNKNOWN
    assert label_at(shown, BESIDE) == label_at(whole, BESIDE) == SemanticClass.EMPTY


def test_seen_from_all_over_the_room_only_the_inside_of_things_is_unknown(grids: tuple[FrameGrid, FrameGrid]):
    _, whole = grids
    assert label_at(whole, (2.41, 1.5, 1.0)) == SemanticClass.FURNITURE
    assert label_at(whole, BEHIND) == SemanticClass.EMPTY
    assert label_at(whole, INSIDE) == SemanticClass.UNKNOWN


def test_the_whole_room_holds_what_the_frame_shows(grids: tuple[FrameGrid, FrameGrid]):
    shown, whole = grids
    occupied = (shown.labels > 0) & (shown.labels < 255)
    # The frame has 640 pixels across 60 degrees and each look around 96 across 90: a few voxels are met by the former.
    assert ((whole.labels[occupied] > 0) & (whole.labels[occupied] < 255)).mean() > 0.97
    assert (whole.labels != 255).sum() > (shown.labels != 255).sum()


def test_six_looks_cover_every_direction():
    axes = [pose(np.zeros(3), np.radians(yaw), np.radians(pitch), 0)[:3, 2] for yaw, pitch in FACES]
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    # A picture 90 degrees wide and high covers what is nearest to its axis of the six.
    cosine = (directions / np.linalg.norm(directions, axis=1, keepdims=True)) @ np.transpose(axes)
    assert cosine.max(axis=1).min() > 1 / np.sqrt(3) - 0.01


def test_looking_around_gives_exact_depth_from_the_camera_first():
    house: House = bare_house()
    scene, semantics = looked_around(house, house.rooms[0], pose(np.array([1.0, 1.5, 1.25]), 0, 0, 0))
    assert len(scene.depth) % len(FACES) == 0
    assert len(scene.depth) > len(FACES), "and from places of its own"
    centre = scene.depth[:6, 47:49, 47:49].mean(axis=(1, 2))
    np.testing.assert_allclose(centre, [3.0, 1.5, 1.0, 1.5, 1.25, 1.25], atol=0.01)
    middle = semantics.labels[:6, 48, 48]
    wall = SemanticClass.WALL
    assert middle.tolist() == [wall, wall, wall, wall, SemanticClass.CEILING, SemanticClass.FLOOR]


def test_occupied_voxels_of_a_bare_room_lie_on_its_surfaces(grids: tuple[FrameGrid, FrameGrid]):
    _, whole = grids
    walls = np.argwhere(whole.labels == SemanticClass.WALL)
    in_grid = (walls + 0.5) * VOXEL_SIZE + whole.origin
    points = (in_grid - whole.grid_from_world[:3, 3]) @ whole.grid_from_world[:3, :3]
    to_planes = np.abs(points[:, [0, 0, 1, 1]] - [0, 4, 0, 3]).min(axis=1)
    assert to_planes.max() <= VOXEL_SIZE / 2 + 0.015 + 1e-6  # skirting boards stand out by 15 mm


def test_a_camera_in_a_doorway_belongs_to_the_nearest_room(filmed: Tour, truth: FrameTruth):
    in_wall = truth.camera_to_world.copy()
    in_wall[0, 3] = -0.03
    whole = room_grid(filmed, replace(truth, camera_to_world=in_wall))
    assert label_at(whole, BESIDE) == SemanticClass.EMPTY
