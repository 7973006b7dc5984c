import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import overlap
from pipeline.contract.records import MetricScene, Semantics
from pipeline.stages.semantics.settings import StructureSettings
from pipeline.stages.semantics.structure import (
    StructureSegmenter,
    flat_samples,
    gathered,
    room_labels,
    structure_labels,
    world_surface,
)
from pipeline.stages.semantics.walls import Wall
from tests.pipeline.box_room import Box, Room, film, looking

ROOM = Room(
    Box((-1.53, -1.07, 0.0), (2.13, 2.91, 2.8)),
    (
        Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),
        Box((-1.53, 1.5, 0.0), (-0.9, 2.91, 2.0)),
        Box((1.4, 0.7, 0.0), (1.7, 1.0, 0.4), SemanticClass.OBJECTS),
    ),
)
SMALL = (120, 160)
WALK = [looking((-0.6 + 0.15 * i, -0.6, 1.5), (0.5 - 0.1 * i, 2.0, 1.3)) for i in range(6)]


@pytest.fixture(scope="module")
def walk() -> tuple[MetricScene, Semantics]:
    return film(ROOM, WALK, (120, 160))


@pytest.fixture(scope="module")
def rgb(walk: tuple[MetricScene, Semantics]) -> NDArray[np.uint8]:
    """Pictures in which every label has a colour of its own."""
    small = np.repeat(walk[1].labels[..., None] * np.array([20, 11, 5], np.uint8), 1, axis=0)
    return small.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(scope="module")
def semantics(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]) -> Semantics:
    return StructureSegmenter().segment(rgb, walk[0])


def test_floor_ceiling_and_walls_are_told_apart(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    iou = overlap(semantics.labels, walk[1].labels).class_iou
    # What is lost lies within 0.12 m of floor and walls: feet and backs of furniture, by construction.
    assert iou[SemanticClass.FLOOR] > 0.9
    assert iou[SemanticClass.WALL] > 0.85
    assert iou[SemanticClass.CEILING] > 0.8


def test_what_is_named_is_right_and_the_rest_stays_unknown(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    truth = walk[1].labels
    counts = overlap(semantics.labels, truth)
    named = counts.predicted > 0
    named[SemanticClass.EMPTY] = False
    assert np.flatnonzero(named).tolist() == [1, 2, 3, SemanticClass.FURNITURE]
    assert (counts.matched / np.maximum(counts.predicted, 1))[named].min() > 0.85
    # Nothing tells a box of 0.3 m from a seat, a bag or a step.
    assert (semantics.labels[truth == SemanticClass.OBJECTS] == SemanticClass.UNKNOWN).mean() > 0.75


def test_a_wardrobe_with_the_wall_seen_above_it_is_no_wall(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    scene, truth = walk
    points = np.stack(
        [pointmap(*view) for view in zip(scene.depth, scene.intrinsics, scene.camera_to_world, strict=True)]
    )
    front = (np.abs(points[..., 0] + 0.9) < 0.01) & (points[..., 2] > 0.3) & (truth.labels == SemanticClass.FURNITURE)
    assert front.sum() > 100
    assert (semantics.labels[front] == SemanticClass.UNKNOWN).mean() > 0.9


def test_pixels_without_depth_and_frames_without_camera_stay_unknown(
    walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]
):
    depth, registered = walk[0].depth.copy(), walk[0].registered.copy()
    depth[0, :50], depth[1], registered[1] = 0, 0, False
    semantics = StructureSegmenter().segment(rgb, dataclasses.replace(walk[0], depth=depth, registered=registered))
    assert (semantics.labels[depth == 0] == SemanticClass.UNKNOWN).all()
    assert (semantics.labels[2:] != SemanticClass.UNKNOWN).mean() > 0.7


def test_without_any_depth_everything_is_unknown(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]):
    blind = dataclasses.replace(walk[0], depth=np.zeros_like(walk[0].depth))
    assert (StructureSegmenter().segment(rgb, blind).labels == SemanticClass.UNKNOWN).all()


def test_labels_and_regions_repeat(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8], semantics: Semantics):
    again = StructureSegmenter().segment(rgb, walk[0])
    assert np.array_equal(again.labels, semantics.labels)
    assert np.array_equal(again.regions, semantics.regions)


def test_pixels_are_lifted_to_where_they_are_with_the_normals_of_their_sides(walk: tuple[MetricScene, Semantics]):
    scene, truth = walk
    surface = world_surface(scene, 2, StructureSettings())
    assert surface.points.shape == (120, 160, 3)
    assert surface.seen.all()
    on_floor = surface.flat & (truth.labels[2] == SemanticClass.FLOOR)
    on_ceiling = surface.flat & (truth.labels[2] == SemanticClass.CEILING)
    assert np.abs(surface.points[on_floor][:, 2]).max() < 1e-3
    # Windows that reach over an edge bend the normals near it.
    assert np.median(surface.normals[on_floor][:, 2]) > 0.999
    assert np.median(surface.normals[on_ceiling][:, 2]) < -0.999


def test_a_frame_without_a_camera_has_no_surface(walk: tuple[MetricScene, Semantics]):
    registered = np.arange(6) != 1
    surface = world_surface(dataclasses.replace(walk[0], registered=registered), 1, StructureSettings())
    assert not surface.seen.any()
    assert not surface.flat.any()
    assert not surface.points.any()


def test_samples_are_the_flat_points_of_all_frames(walk: tuple[MetricScene, Semantics]):
    surfaces = [world_surface(walk[0], frame, StructureSettings()) for frame in range(2)]
    points, normals = flat_samples(surfaces)
    assert points.shape == normals.shape == (sum(int(surface.flat.sum()) for surface in surfaces), 3)


def test_chosen_points_are_told_by_whether_they_are_level(walk: tuple[MetricScene, Semantics]):
    scene, truth = walk
    surfaces = [world_surface(scene, frame, StructureSettings()) for frame in range(6)]
    floor, level = gathered(surfaces, truth.labels == SemanticClass.FLOOR)
    wall, upright = gathered(surfaces, truth.labels == SemanticClass.WALL)
    assert len(floor) == (truth.labels == SemanticClass.FLOOR).sum()
    assert level.mean() > 0.8
    assert upright.mean() < 0.01
    assert np.abs(floor[:, 2]).max() < 1e-3
    assert wall[:, 2].max() > 1


def test_floor_and_ceiling_go_before_walls_where_they_meet(walk: tuple[MetricScene, Semantics]):
    surface = world_surface(walk[0], 2, StructureSettings())
    everywhere = [Wall(axis, offset, facing, -9, 9) for axis, offset, facing in ((1, 2.91, -1), (0, 2.13, -1))]
    labels = room_labels(surface, everywhere, 2.8, StructureSettings())
    low = surface.points[..., 2] < 0.12
    assert set(np.unique(labels[low & ~surface.flat])) <= {0, SemanticClass.FLOOR}
    assert (labels == SemanticClass.WALL).any()
    assert set(np.unique(labels)) <= {0, SemanticClass.FLOOR, SemanticClass.CEILING, SemanticClass.WALL}


def test_where_no_ceiling_was_seen_none_is_named(walk: tuple[MetricScene, Semantics]):
    surfaces = [world_surface(walk[0], frame, StructureSettings()) for frame in range(6)]
    labels = structure_labels(surfaces, float("nan"), StructureSettings())
    assert not (labels == SemanticClass.CEILING).any()
    assert (labels == SemanticClass.FLOOR).any()
    assert (labels == SemanticClass.WALL).any()


@pytest.mark.parametrize("rise", [0.3, 0.6, -0.4])
def test_what_stands_on_the_floor_of_a_frame_is_as_high_as_it_is_above_that(rise: float):
    far, near = ((-1.5, 3.0, 0.0), (1.5, 8.0, max(rise, 0.0))), ((-1.5, -1.0, 0.0), (1.5, 3.0, max(-rise, 0.0)))
    table = Box((-0.6, 5.0, 0.0), (1.0, 6.2, max(rise, 0.0) + 0.74), SemanticClass.TABLE)
    floors = (Box(*far, SemanticClass.FLOOR), Box(*near, SemanticClass.FLOOR))
    room = Room(Box((-1.5, -1.0, 0.0), (1.5, 8.0, 3.0)), (*floors, table))
    lowest = max(-rise, 0.0)
    cameras = [looking((0.0, y, lowest + rise + 1.5), (0.2, y + 2.5, lowest + rise + 0.6)) for y in (3.1, 3.4, 3.7)]
    scene, truth = film(room, cameras, SMALL)
    cameras_at_zero = scene.camera_to_world.copy()
    cameras_at_zero[:, 2, 3] -= lowest
    here = np.full(3, rise, np.float32)
    scene = dataclasses.replace(scene, camera_to_world=cameras_at_zero, floor_height=here, ceiling_height=3.0 - lowest)
    found = StructureSegmenter().segment(np.zeros((3, *SMALL, 3), np.uint8), scene).labels
    iou = overlap(found, truth.labels).class_iou
    assert iou[SemanticClass.FLOOR] > 0.85
    assert iou[SemanticClass.TABLE] > 0.5, "and of the right height"
    flat = overlap(
        StructureSegmenter().segment(np.zeros((3, *SMALL, 3), np.uint8), on_zero(scene)).labels, truth.labels
    )
    assert flat.class_iou[SemanticClass.TABLE] == 0


def on_zero(scene: MetricScene) -> MetricScene:
    return dataclasses.replace(scene, floor_height=None)


def test_a_ceiling_below_is_none_above_a_gallery(walk: tuple[MetricScene, Semantics]):
    scene = walk[0]
    up = scene.camera_to_world.copy()
    up[:, 2, 3] += 2.5
    above = dataclasses.replace(scene, camera_to_world=up, floor_height=np.full(6, 2.5, np.float32))
    surfaces = [world_surface(above, frame, StructureSettings()) for frame in range(6)]
    labels = structure_labels(surfaces, 2.6, StructureSettings())
    assert not (labels == SemanticClass.CEILING).any()
    assert (labels == SemanticClass.FLOOR).sum() > 0.9 * (walk[1].labels == SemanticClass.FLOOR).sum()


def test_a_backend_of_geometry_needs_no_weights():
    assert StructureSegmenter().name == "structure"
    assert dict(StructureSegmenter().weights) == {}
