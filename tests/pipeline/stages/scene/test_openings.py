"""Doorways and windows of rooms whose walls are known, and what is neither."""

import numpy as np
import pytest

from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.openings import OpeningSeen
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SMALL, SHAPE = SceneSettings(samples=10_000), (90, 120)
WALL, HEIGHT, BEHIND = 3.4, 2.6, 7.0
WALK = [looking((-0.6 + 0.2 * i, -0.9 + 0.05 * i, 1.5), (0.3, WALL, 1.3)) for i in range(6)]
Rectangle = tuple[float, float, float, float]
"""x and z of the low and of the high corner."""
DOORWAY: Rectangle = (-0.1, 0.0, 0.75, 2.03)
WINDOW: Rectangle = (-0.5, 0.9, 0.8, 2.1)


def room(hole: Rectangle, deep: float = BEHIND - WALL, boxes: tuple[Box, ...] = ()) -> Room:
    """A room whose wall at y = 3.4, 10 cm thick where one sees through it, has a hole of some depth."""
    left, low, right, high = hole
    thick = WALL + min(deep, 0.1)
    parts = (
        Box((-1.8, WALL, 0), (left, thick, HEIGHT)),
        Box((right, WALL, 0), (2.2, thick, HEIGHT)),
        Box((left, WALL, 0), (right, thick, low)),
        Box((left, WALL, high), (right, thick, HEIGHT)),
    )
    return Room(Box((-1.8, -1.2, 0), (2.2, WALL + deep, HEIGHT)), (*parts, *boxes))


def seen(built: Room, noise: float = 0.01) -> list[OpeningSeen]:
    """The openings of a film of the room, metres above its floor."""
    true, _ = film(built, WALK, SHAPE)
    found, similarity = disguise(true, 5, noise=noise)
    unit, camera = float(np.cbrt(np.linalg.det(similarity[:3, :3]))), float(np.median([pose[2, 3] for pose in WALK]))
    return [
        OpeningSeen(one.head / unit + camera, one.foot / unit + camera, one.width / unit, one.sill, one.through)
        for one in upright(found, SMALL)[0].evidence.openings
    ]


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_doorway_ends_where_its_head_is(noise: float):
    (found,) = seen(room(DOORWAY), noise)
    assert found.head == pytest.approx(2.03, abs=0.03)
    assert found.width == pytest.approx(0.85, abs=0.12)
    assert (found.sill, found.through) == (False, True)
    assert found.foot < 0.4


@pytest.mark.parametrize("deep", [0.15, BEHIND - WALL], ids=["a pane in its reveal", "seen through"])
def test_a_window_ends_at_head_and_sill(deep: float):
    (found,) = seen(room(WINDOW, deep))
    assert (found.head, found.foot) == pytest.approx((2.1, 0.9), abs=0.04)
    assert found.width == pytest.approx(1.3, abs=0.15)
    assert (found.sill, found.through) == (True, deep > 1)


CUPBOARDS = (Box((-0.6, WALL - 0.35, 1.4), (0.8, WALL, 2.1)), Box((-0.6, WALL - 0.6, 0), (0.8, WALL, 0.9)))
SHELF = (
    Box((-0.6, 2.4, 0), (-0.56, 2.8, 2.0)),
    Box((0.8, 2.4, 0), (0.84, 2.8, 2.0)),
    *(Box((-0.6, 2.4, z), (0.84, 2.8, z + 0.04)) for z in (0.05, 0.7, 1.35, 1.96)),
)


@pytest.mark.parametrize(
    "built",
    [
        pytest.param(Room(Box((-1.8, -1.2, 0), (2.2, WALL, HEIGHT))), id="a plain wall"),
        pytest.param(
            Room(Box((-1.8, -1.2, 0), (2.2, WALL, HEIGHT)), (Box((-0.6, 2.8, 0), (0.8, WALL, 2.0)),)), id="a wardrobe"
        ),
        pytest.param(
            Room(Box((-1.8, -1.2, 0), (2.2, WALL, HEIGHT)), (Box((-0.4, WALL - 0.04, 1.2), (0.7, WALL, 2.0)),)),
            id="a picture in its frame",
        ),
        pytest.param(Room(Box((-1.8, -1.2, 0), (2.2, WALL, HEIGHT)), CUPBOARDS), id="wall cupboards above a worktop"),
        pytest.param(Room(Box((-1.8, -1.2, 0), (2.2, WALL, HEIGHT)), SHELF), id="an open shelf"),
        pytest.param(room((-0.4, 0.0, 0.8, HEIGHT)), id="a gap up to the ceiling"),
        pytest.param(room((-1.8, 0.0, 0.8, 2.1)), id="a wall that ends"),
    ],
)
def test_what_has_no_head_and_two_sides_is_no_opening(built: Room):
    assert seen(built) == []
