"""Stairs of known steps, in films of rooms, and evenly spaced boards that are none."""

from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SMALL, SHAPE = SceneSettings(samples=30_000), (180, 240)
WALLS = Box((-2.0, -1.5, 0.0), (2.0, 5.0, 4.6))
WALK = [looking((-0.8 + 0.1 * i, -0.6 + 0.1 * i, 2.6), (-0.2, 2.3, 0.5)) for i in range(6)]


def steps(rise: float, going: float, width: float = 1.0, count: int = 7) -> Iterator[Box]:
    """A flight that leads away from the camera, closed below."""
    for i in range(count):
        yield Box((-0.7, 1.2 + i * going, 0.0), (-0.7 + width, 5.0, (i + 1) * rise))


def riser(*boxes: Box) -> float | None:
    """Height of a step that is found in a film of a room with boxes, metres."""
    found, similarity = disguise(film(Room(WALLS, boxes), WALK, SHAPE)[0], 5, noise=0.005)
    read = upright(found, SMALL)[0].evidence.riser
    return None if read is None else read / float(np.cbrt(np.linalg.det(similarity[:3, :3])))


@pytest.mark.parametrize(("rise", "going"), [(0.17, 0.28), (0.2, 0.23)])
def test_a_flight_of_stairs_has_the_height_of_its_steps(rise: float, going: float):
    assert riser(*steps(rise, going)) == pytest.approx(rise, rel=0.04)


SHELF = [Box((-0.6, 2.0, z), (0.4, 2.4, z + 0.03)) for z in np.arange(0.1, 1.5, 0.25).tolist()]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([], id="an empty room"),
        pytest.param(SHELF, id="boards of a shelf"),
        pytest.param([Box((-0.7, 1.5, 0), (0.3, 2.0, 0.45)), Box((-0.7, 2.4, 0), (0.3, 3.2, 0.75))], id="chair, table"),
        pytest.param(list(steps(0.18, 0.9, count=4)), id="terraces, too deep for steps"),
        pytest.param(list(steps(0.18, 0.27, count=2)), id="two steps"),
    ],
)
def test_what_does_not_rise_and_lead_on_evenly_is_no_stairs(boxes: list[Box]):
    assert riser(*boxes) is None
