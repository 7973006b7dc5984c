"""Floors of known heights, in films of people who step up or down, and what is no floor."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import FLOOR_MARGIN, VOXEL_SIZE
from pipeline.contract.records import MetricScene
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.geometry.poses import depth_errors
from pipeline.geometry.voxels import voxelize_frame
from pipeline.stages.scene.floors import MOST_POINTS, Ground, find_floors
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import in_metres, scales_of, to_metric, upright
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.sizes import HELD_SPREAD
from pipeline.stages.scene.surfaces import SurfaceSamples
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SHAPE, SETTINGS = (60, 80), SceneSettings(samples=8000)
HALL = Box((-1.5, -1.0, 0.0), (1.5, 8.0, 3.0))
FAR = (-1.5, 3.5, 0.0), (1.5, 8.0)
STEPS = np.arange(0.0, 6.5, 0.5)


def raised(height: float) -> Room:
    """A hall whose far half lies higher."""
    return Room(HALL, (Box(FAR[0], (*FAR[1], height), SemanticClass.FLOOR),))


def walk(rise: float, eye: float = 1.5) -> list[NDArray[np.float64]]:
    """Someone who walks through the hall, up where its far half begins, and looks ahead and down."""
    return [
        looking((0.3 * np.sin(y), y, eye + rise * (y > 3.5)), (0.2, y + 3.0, eye + rise * (y > 3.5) - 1.2))
        for y in STEPS
    ]


def seen(room: Room, cameras: list[NDArray[np.float64]]) -> tuple[MetricScene, NDArray[np.float64]]:
    """The scene of a film, and how high the floor of each of its frames lies at the true size, metres."""
    true = film(room, cameras, SHAPE)[0]
    made = to_metric(disguise(true, 3, noise=0.005)[0], SETTINGS)
    assert made.floor_height is not None
    return made, made.floor_height * depth_errors(made.depth, true.depth).scale


@pytest.mark.parametrize("height", [0.15, 0.3, 0.6])
def test_a_raised_floor_is_the_floor_of_the_frames_that_show_most_of_it(height: float):
    made, floors = seen(raised(height), walk(height))
    assert made.floor_height is not None
    on_it, before = STEPS > 3.5, STEPS < 1.5
    assert floors[before] - floors[before].min() == pytest.approx(0)
    assert np.median(floors[on_it]) - np.median(floors[before]) == pytest.approx(height, abs=0.03)
    assert np.ptp(floors[on_it]) == 0
    above = (made.camera_to_world[:, 2, 3] - made.floor_height)[on_it | before]
    assert above == pytest.approx(made.camera_height, rel=0.04), "held as high above either floor"


def test_a_floor_that_lies_lower_is_below_zero_or_the_other_above():
    _, floors = seen(Room(HALL, (Box((-1.5, -1.0, 0.0), (1.5, 3.5, 0.4), SemanticClass.FLOOR),)), walk(-0.4, 1.9))
    assert np.median(floors[STEPS < 1.5]) - np.median(floors[STEPS > 3.5]) == pytest.approx(0.4, abs=0.03)


def test_the_grid_of_a_frame_stands_on_its_floor_and_shares_its_voxels_with_the_others():
    _, semantics = film(raised(0.3), walk(0.3), SHAPE)
    scene = film(raised(0.3), walk(0.3), SHAPE)[0]
    scene = replace(scene, floor_height=np.where(STEPS > 3.5, 0.3, 0.0).astype(np.float32))
    low, high = (voxelize_frame(scene, semantics, frame) for frame in (0, len(STEPS) - 1))
    assert low.origin[2] == pytest.approx(-FLOOR_MARGIN)
    assert high.origin[2] == pytest.approx(4 * VOXEL_SIZE - FLOOR_MARGIN), "0.3 m to a voxel"
    assert all((grid.labels[:, :, 0] == SemanticClass.FLOOR).any() for grid in (low, high))


TABLE = Box((-1.5, 2.0, 0.0), (0.0, 3.4, 0.75))
BED = Box((-1.5, 2.0, 0.0), (1.5, 5.0, 0.5))


@pytest.mark.parametrize(
    ("room", "cameras"),
    [
        pytest.param(Room(HALL), walk(0.0), id="an even floor"),
        pytest.param(Room(HALL, (TABLE,)), walk(0.0), id="beside a table"),
        pytest.param(Room(HALL, (BED,)), walk(0.0), id="right over a bed"),
        pytest.param(Room(HALL), walk(0.4), id="a camera that is lifted"),
        pytest.param(Room(HALL, (TABLE,)), walk(0.75, 1.2), id="a camera that is lifted beside a table"),
    ],
)
def test_where_nobody_stands_higher_there_is_one_floor(room: Room, cameras: list[NDArray[np.float64]]):
    assert not seen(room, cameras)[1].any()


def test_without_anything_that_faces_up_all_stand_on_zero():
    cameras = np.array([[0.0, 0.0, 1.5], [0.0, 1.0, 1.8]])
    floors = find_floors(Ground(np.zeros((0, 3)), cameras), Scale(1.0, 0.0, ScaleSource.CAMERA_HEIGHT, ScaleCue.FLOOR))
    assert (floors.heights.tolist(), floors.zero) == ([0.0], 0.0)


@pytest.mark.parametrize("pieces", [1, 8])
def test_a_long_shot_has_the_floors_that_a_short_one_has_and_asks_no_more_points_than_a_few_clips(pieces: int):
    draw, each = np.random.default_rng(0), 40_000
    along = np.concatenate([draw.uniform(0, 8, each) for _ in range(pieces)])
    points = np.c_[draw.uniform(-1.5, 1.5, len(along)), along, np.where(along > 4, 0.3, 0.0)]
    cameras = np.array([[0.1 * k, y, 1.5 + 0.3 * (y > 4)] for k in range(pieces) for y in (0.5, 1.0, 5.0, 6.0)])
    surfaces = SurfaceSamples(points, np.tile([0.0, 0.0, 1.0], (len(points), 1)))
    ground = Ground.of(surfaces, cameras, np.eye(3))
    scale = Scale(1.0, 0.0, ScaleSource.EVIDENCE, ScaleCue.FLOOR)
    assert len(ground.points) <= MOST_POINTS
    floors = find_floors(ground, scale)
    assert floors.heights == pytest.approx([0.0, 0.3])
    assert floors.held == pytest.approx(1.5)
    assert find_floors(ground, scale) is floors, "found once for all clips of a world"


def test_who_is_carried_upstairs_is_held_as_high_above_either_floor_and_so_tells_the_size():
    storey, rise = Box((-1.5, -1.0, 0.0), (1.5, 8.0, 5.2)), 2.6
    gallery = Box((-1.5, 3.5, 0.0), (1.5, 8.0, rise), SemanticClass.FLOOR)
    up = [1.54 + rise * float(np.clip((y - 2.0) / 1.5, 0, 1)) for y in STEPS]
    cameras = [looking((0.0, y, z), (0.2, y + 2.0, z - 1.0)) for y, z in zip(STEPS, up, strict=True)]
    true = film(Room(storey, (gallery,)), cameras, SHAPE)[0]
    found, similarity = disguise(true, 3, noise=0.005)
    unit = float(np.cbrt(np.linalg.det(similarity[:3, :3])))
    found = replace(found, log_scale=-np.log(unit) - 0.15, log_scale_sigma=0.15)
    by_evidence = SETTINGS.model_copy(update={"scale": "evidence"})
    stands, cleaned, guessed = upright(found, by_evidence)
    made = in_metres(stands, cleaned, guessed, *scales_of([stands], by_evidence))
    (alone,) = find_scales([(stands.levels, stands.evidence)], by_evidence)
    to_true = depth_errors(made.depth, true.depth).scale
    assert abs(np.log(to_true)) < HELD_SPREAD, "how unlike people hold a camera"
    assert made.scale_sigma < alone.sigma / 2
    assert ScaleCue.CAMERA_HEIGHT in made.scale_cues
    assert made.floor_height is not None
    assert np.ptp(made.floor_height) * to_true == pytest.approx(rise, abs=0.03)
