"""An opening that is seen several times is one, wherever it was seen from."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.one_place import one_each
from pipeline.stages.scene.openings import OpeningSeen, PlacedOpening
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.worlds import Stored, find_worlds
from tests.pipeline.box_room import film, looking
from tests.pipeline.disguise import disguise
from tests.pipeline.stages.scene.test_openings import DOORWAY, SHAPE, WALL, Rectangle, room

SMALL = SceneSettings(samples=10_000)
WINDOW = PlacedOpening(np.array([1.0, 3.0, 2.1]), np.array([1.0, 3.0, 0.9]), 1.2, sill=True, through=False)
SHOT = [looking((-0.6 + 0.1 * i, -0.9 + 0.03 * i, 1.5), (0.3, WALL, 1.3)) for i in range(12)]
PIECES = (range(6), range(3, 9), range(6, 12))
UP = np.array([0.0, 0.0, 1.0])


def beside(metres: float, height: float = 0.0, **other: float) -> PlacedOpening:
    """The window, so far along its wall and so much higher."""
    shift = np.array([metres, 0.0, height])
    return replace(WINDOW, head=WINDOW.head + shift, foot=WINDOW.foot + shift, **other)


def test_an_opening_of_one_place_counts_once_as_it_was_found_in_the_median():
    (found,) = one_each([beside(0.0, 0.01), beside(0.05, 0.02, width=1.3), beside(-0.04, -0.2)])
    assert found.seen(UP, 1.5) == OpeningSeen(pytest.approx(0.61), pytest.approx(-0.59), 1.2, sill=True, through=False)


@pytest.mark.parametrize(
    "other", [beside(1.4), beside(-0.7), beside(0.0, 0.8), beside(0.65, width=0.5)], ids=lambda one: str(one.head)
)
def test_openings_beside_or_above_each_other_are_two(other: PlacedOpening):
    assert len(one_each([WINDOW, other])) == 2


def test_a_doorway_seen_from_both_rooms_is_one():
    across = np.array([0.0, 0.25, 0.0])
    assert len(one_each([WINDOW, replace(WINDOW, head=WINDOW.head + across, foot=WINDOW.foot + across)])) == 1


def test_a_view_that_shows_no_sill_leaves_the_sill_that_another_showed():
    cut = replace(WINDOW, foot=np.array([1.0, 3.0, 1.5]), sill=False)
    (found,) = one_each([cut, WINDOW, cut])
    assert found.sill
    assert found.foot == pytest.approx(WINDOW.foot)


def test_an_opening_moves_with_its_reconstruction():
    similarity = np.eye(4)
    similarity[:3] = [[0, -2, 0, 1], [2, 0, 0, 0], [0, 0, 2, 3]]
    found = WINDOW.moved(similarity)
    assert found.head == pytest.approx([-5.0, 2.0, 7.2])
    assert found.width == pytest.approx(2.4)
    assert found.seen(UP, 3.0).foot == pytest.approx(1.8)


@pytest.mark.parametrize(
    ("hole", "deep"),
    [(DOORWAY, 3.6), ((-0.1, 0.0, 0.75, 2.2), 3.6), ((-0.5, 0.9, 0.8, 2.1), 3.6), ((-0.5, 0.9, 0.8, 2.1), 0.15)],
    ids=["a doorway", "a passage", "a window seen through", "a pane in its reveal"],
)
def test_a_world_has_each_opening_that_its_pieces_show_once_and_as_they_measured_it(hole: Rectangle, deep: float):
    """Pieces are cleaned before they are joined: what is seen through a pane is its wall by then."""
    seen = [disguise(film(room(hole, deep), [SHOT[n] for n in part], SHAPE)[0], 5 + k) for k, part in enumerate(PIECES)]
    stands = [upright(one, SMALL) for one, _ in seen]
    stored = Stored(dict(enumerate(map(np.array, PIECES))), lambda one: stands[one][1], no_pictures)
    ((world,), _) = find_worlds({k: one[0] for k, one in enumerate(stands)}, stored, SMALL)
    units = [float(np.cbrt(np.linalg.det(similarity[:3, :3]))) for _, similarity in seen]
    alone = [one[0].evidence.openings[0].head / unit for one, unit in zip(stands, units, strict=True)]
    (found,) = world.stands.evidence.openings
    assert list(world.members) == [0, 1, 2]
    assert found.head / units[0] == pytest.approx(np.median(alone), abs=0.01)
    assert found.head / units[0] + 1.5 == pytest.approx(hole[3], abs=0.04)
    assert found.sill == (hole[1] > 0)


def no_pictures(clip_id: int, rows: NDArray[np.int64]) -> Images:
    raise AssertionError(clip_id, rows)
