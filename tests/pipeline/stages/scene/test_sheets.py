"""Sheets of points below a floor, as glossy floors mirror them, and lower floors that truly are there."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.scale import ScaleCue
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence, floors_below
from pipeline.stages.scene.heights import Levels, Scale
from pipeline.stages.scene.metric import Upright, scales_of, upright
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.sheets import seen_through, without_sheets
from pipeline.stages.scene.surfaces import SurfaceSamples
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SHAPE, SETTINGS = (90, 120), SceneSettings(samples=20_000, scale="evidence")
WALLS, TABLE = Box((-2.0, -1.5, 0.0), (2.2, 3.4, 2.6)), Box((-0.5, 2.0, 0.0), (0.5, 2.8, 0.75))
UP = np.array([0.0, 0.0, 1.0])


def walk(at: float) -> list[NDArray[np.float64]]:
    """Someone who walks on and looks at so high a place of the far wall: from 1.2 m, the ceiling is in view."""
    return [looking((-0.6 + 0.15 * i, -0.9 + 0.06 * i, 1.5), (0.3, 3.4, at)) for i in range(8)]


def with_sheet(room: Room, cameras: list[NDArray[np.float64]], height: float, share: float) -> NDArray[np.float32]:
    """Depth (n, h, w) of a film whose floor shows, in the middle, a plane at a height: so much of every picture."""
    scene, semantics = film(room, cameras, SHAPE)
    deep = Room(Box((-20.0, -15.0, height), (22.0, 34.0, 2.6)))
    for depth, labels, camera in zip(scene.depth, semantics.labels, cameras, strict=True):
        rows, columns = np.nonzero(labels == SemanticClass.FLOOR)
        nearest = np.argsort(abs(columns - SHAPE[1] / 2) + abs(rows - np.median(rows)))[: int(share * labels.size)]
        there = rows[nearest], columns[nearest]
        depth[there] = deep.view(camera, SHAPE)[0][there]
    return scene.depth


def sized(room: Room, cameras: list[NDArray[np.float64]], depth: NDArray[np.float32]) -> tuple[Upright, Scale, float]:
    """How the film stands, its scale, and the logarithm by which that is too large."""
    scene = replace(film(room, cameras, SHAPE)[0], depth=depth)
    found, similarity = disguise(scene, 1, noise=0.01)
    stands, _, _ = upright(found, SETTINGS)
    (scale,) = scales_of([stands], SETTINGS)
    return stands, scale, float(np.log(scale.metres * np.cbrt(np.linalg.det(similarity[:3, :3]))))


@pytest.mark.parametrize("at", [pytest.param(1.2, id="ceiling in view"), pytest.param(0.7, id="no ceiling")])
@pytest.mark.parametrize(
    ("height", "share"), [(-2.6, 0.01), (-2.6, 0.03), (-2.6, 0.1), (-1.2, 0.03), (-1.2, 0.1), (-0.3, 0.05)]
)
def test_a_sheet_that_is_seen_through_the_floor_is_not_the_floor(height: float, share: float, at: float):
    room = Room(WALLS, (TABLE,))
    _, scale, error = sized(room, walk(at), with_sheet(room, walk(at), height, share))
    assert abs(error) < 0.05, "as without the sheet"
    assert abs(error) < scale.sigma
    assert ScaleCue.FLOOR in scale.cues


@pytest.mark.parametrize(
    ("room", "cameras", "lower"),
    [
        pytest.param(
            Room(WALLS, (Box((-2.0, -1.5, 0.0), (2.2, 0.6, 0.3)),)),
            [looking((0.0, -0.9 + 0.05 * i, 1.8), (0.1, 2.6, 0.4)) for i in range(6)],
            1.8,
            id="a step down",
        ),
        pytest.param(
            Room(Box((-2.5, -1.5, 0.0), (2.5, 6.0, 5.2)), (Box((-2.5, -1.5, 0.0), (2.5, 0.6, 2.6)),)),
            [looking((0.0, -0.3 + 0.1 * i, 4.1), (0.1, 4.0, 1.0)) for i in range(6)],
            4.1,
            id="the ground below a gallery",
        ),
        pytest.param(
            Room(WALLS, (Box((-1.5, 0.6, 0.72), (1.5, 1.6, 0.75)),)),
            [looking((-0.2 + 0.1 * i, -0.9, 1.5), (0.1, 2.6, 0.2)) for i in range(6)],
            1.5,
            id="a floor behind a table",
        ),
    ],
)
def test_a_floor_that_is_seen_past_the_edge_of_what_is_above_it_stays(
    room: Room, cameras: list[NDArray[np.float64]], lower: float
):
    found, similarity = disguise(film(room, cameras, SHAPE)[0], 1, noise=0.01)
    stands, _, _ = upright(found, SETTINGS)
    unit = float(np.cbrt(np.linalg.det(similarity[:3, :3])))
    assert stands.evidence.floors[0].distance / unit == pytest.approx(lower, rel=0.05)
    assert stands.evidence.upper is None


def cloud(on_it: int) -> tuple[SurfaceSamples, NDArray[np.float64]]:
    """A floor, a sheet 1.2 m below its middle with so many samples of 300 above it, walls; and the camera (1, 3)."""
    draw, eye = np.random.default_rng(1), np.array([0.0, 0.0, 1.5])
    floor = np.c_[draw.uniform(-2, 2, (1500, 2)), np.zeros(1500)]
    sheet = np.c_[draw.uniform(-1, 1, (300, 2)), np.full(300, -1.2)]
    standing = np.c_[draw.uniform(-1, 1, (on_it, 2)), draw.uniform(-1.0, -0.2, on_it)]
    walls = np.c_[np.full(2000, 2.0), draw.uniform(-2, 2, 2000), draw.uniform(0, 2.6, 2000)]
    points = np.concatenate([floor, sheet, standing, walls])
    normals = np.concatenate([np.tile(UP, (1800, 1)), np.tile([-1.0, 0.0, 0.0], (on_it + 2000, 1))])
    return SurfaceSamples(points, normals, np.tile(eye, (len(points), 1))), eye[None]


@pytest.mark.parametrize(("on_it", "kept", "doubted"), [(0, False, False), (40, True, True), (150, True, False)])
def test_what_stands_on_a_level_says_whether_it_is_there(on_it: int, kept: bool, doubted: bool):
    surfaces, cameras = cloud(on_it)
    left = without_sheets(surfaces, UP, cameras)
    assert floors_below(left, UP, cameras)[0].distance == pytest.approx(2.7 if kept else 1.5, abs=0.01)
    assert (seen_through(left, UP, cameras) is not None) == doubted


def test_who_does_not_know_where_the_camera_was_keeps_everything():
    surfaces, cameras = cloud(0)
    unknown = replace(surfaces, seen_from=None)
    assert without_sheets(unknown, UP, cameras) is unknown


@pytest.mark.parametrize("rule", ["paper", "evidence"])
def test_a_floor_that_may_be_what_another_one_mirrors_makes_a_scale_unsure_and_is_named(rule: str):
    floors = LevelSeen(2.7, 0.05, 0.0), LevelSeen(1.5, 0.1, 0.05)
    sure = ScaleEvidence(floors, (LevelSeen(1.1, 0.05, 0.0),), 2.7, 1.1, 0.02, -0.1)
    levels, wanted = Levels(0.0, -2.7, 1.1, -2.7, 1.1), SceneSettings.model_validate({"scale": rule})
    (plain,), (unsure,) = (find_scales([(levels, one)], wanted) for one in (sure, replace(sure, upper=1.5)))
    assert unsure.metres == plain.metres
    assert unsure.sigma >= np.log(2.7 / 1.5) / 2
    assert ScaleCue.DISAGREEING in unsure.cues
    assert f"seen through a level {1.2 * unsure.metres:.1f} m above it" in unsure.disagree
