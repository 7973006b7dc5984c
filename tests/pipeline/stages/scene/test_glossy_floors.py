"""Floors that mirror the room above them, wholly where they are seen at a glance, or in patches."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.stages.scene.metric import Upright, scales_of, upright
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SHAPE, SETTINGS = (90, 120), SceneSettings(samples=20_000, scale="evidence")
WALLS, TABLE = Box((-2.0, -1.5, 0.0), (2.2, 3.4, 2.6)), Box((-0.5, 2.0, 0.0), (0.5, 2.8, 0.75))
ROOM = Room(WALLS, (TABLE,))
MIRRORED = Room(Box((-2.0, -1.5, -2.6), (2.2, 3.4, 2.6)), (Box((-0.5, 2.0, -0.75), (0.5, 2.8, 0.75)),))
"""What is seen through a floor that is a mirror: the room once more, upside down below it."""

Chosen = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]


def walk(at: float) -> list[NDArray[np.float64]]:
    """Someone who walks on and looks at so high a place of the far wall."""
    return [looking((-0.6 + 0.15 * i, -0.9 + 0.06 * i, 1.5), (0.3, 3.4, at)) for i in range(8)]


def patches(share: float) -> Chosen:
    """Squares of 60 cm of the floor, drawn by their place: so many of them."""

    def chosen(points: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.bool_]:
        del camera
        cells = np.floor(points[..., :2] / 0.6).astype(np.int64)
        return ((cells[..., 0] * 7_385 ^ cells[..., 1] * 19_349) % 100) < 100 * share

    return chosen


def glance(points: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell what is seen at less than 28 degrees to the floor, as glossy floors mirror."""
    ray = points - camera[:3, 3]
    return np.asarray(-ray[..., 2] < np.sin(np.radians(28)) * np.linalg.norm(ray, axis=-1))


def mirrored(cameras: list[NDArray[np.float64]], chosen: Chosen) -> NDArray[np.float32]:
    """Depth (n, h, w) of a film whose floor mirrors where it is chosen to."""
    scene, semantics = film(ROOM, cameras, SHAPE)
    for depth, labels, camera, intrinsics in zip(scene.depth, semantics.labels, cameras, scene.intrinsics, strict=True):
        there = (labels == SemanticClass.FLOOR) & chosen(pointmap(depth, intrinsics, camera), camera)
        depth[there] = MIRRORED.view(camera, SHAPE)[0][there]
    return scene.depth


def sized(cameras: list[NDArray[np.float64]], depth: NDArray[np.float32]) -> tuple[Upright, float, float]:
    """How the film stands, the logarithm by which it is too large, and its deviation."""
    found, similarity = disguise(replace(film(ROOM, cameras, SHAPE)[0], depth=depth), 1, noise=0.01)
    stands, _, _ = upright(found, SETTINGS)
    (scale,) = scales_of([stands], SETTINGS)
    return stands, float(np.log(scale.metres * np.cbrt(np.linalg.det(similarity[:3, :3])))), scale.sigma


@pytest.mark.parametrize(
    ("chosen", "at"),
    [
        pytest.param(patches(0.5), 1.2, id="half of it, ceiling in view"),
        pytest.param(patches(0.5), 0.7, id="half of it"),
        pytest.param(patches(0.15), 0.7, id="a little of it"),
    ],
)
def test_a_room_seen_in_its_floor_is_no_lower_floor(chosen: Chosen, at: float):
    _, error, sigma = sized(walk(at), mirrored(walk(at), chosen))
    assert abs(error) < 0.06, "as without the mirror; it was 0.7 too small"
    assert abs(error) < sigma


def test_a_floor_that_mirrors_wherever_it_is_far_makes_the_deviation_larger():
    """No ceiling is in view whose reflection would be sure, so both are as likely: the room and that below it."""
    stands, error, sigma = sized(walk(0.2), mirrored(walk(0.2), glance))
    assert stands.evidence.upper == pytest.approx(stands.evidence.floors[0].distance), "the clip says so"
    assert abs(error) < sigma


def test_a_true_floor_below_a_table_is_not_taken_for_its_reflection():
    """Walls are as symmetric about the table as about a floor, and half of the floor is not seen."""
    cameras = [looking((-0.3 + 0.1 * i, -0.9, 1.5), (0.1, 3.4, 0.4)) for i in range(6)]
    high = Room(WALLS, (Box((-1.4, 0.4, 0.72), (1.4, 1.4, 0.75)),))
    found, similarity = disguise(film(high, cameras, SHAPE)[0], 1, noise=0.01)
    stands, _, _ = upright(found, SETTINGS)
    unit = float(np.cbrt(np.linalg.det(similarity[:3, :3])))
    assert stands.evidence.floors[0].distance / unit == pytest.approx(1.5, rel=0.05)
