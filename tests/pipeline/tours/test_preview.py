import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import intrinsics_of
from pipeline.tours.preview import FAR_ENOUGH, FRAMED_SHARE, FRAMING, MOMENTS, Preview, preview

from .shapes import DOORWAY, bare_house, block, plain_room, standing

INTRINSICS = intrinsics_of(90)
PIXELS = 21 * 16
"""One in 30 of 640 x 480, both ways."""


def preview_of(*labels: int, depth: float = 5.0, in_room: bool = True) -> Preview:
    n = len(labels)
    return Preview(np.full(n, depth, np.float32), np.array(labels, np.uint8), np.full(n, in_room))


def test_a_preview_holds_the_depth_of_the_wall_ahead():
    house = bare_house()
    seen = preview(house, house.rooms[0], standing(1.0, 1.5, 0.0), INTRINSICS)
    assert len(seen.depth) == len(MOMENTS) * PIXELS
    x = np.arange(15, 640, 30) - 320
    y = np.arange(15, 480, 30) - 240
    right, down = (values.ravel() / 320 for values in np.meshgrid(x, y))
    # Along x the wall is 3 m away, the sides 1.5 m, floor and ceiling 1.25 m; a ray is 1 long along the axis.
    with np.errstate(divide="ignore"):
        depth = np.minimum(np.minimum(3, 1.5 / np.abs(right)), 1.25 / np.abs(down))
    # Skirting boards stand out by 15 mm and hide a strip of floor as wide: less than a pixel's step.
    close = np.abs(seen.depth.reshape(3, -1) - depth) < 0.03
    assert close.mean() > 0.97
    assert seen.in_room.all()
    assert set(np.unique(seen.labels)) == {SemanticClass.CEILING, SemanticClass.FLOOR, SemanticClass.WALL}


def test_what_is_seen_through_a_doorway_is_elsewhere():
    room = plain_room(DOORWAY)
    house = bare_house(block((0, -3, 0), (4, -2, 2.5), SemanticClass.BED), room=room)
    seen = preview(house, room, standing(2.0, 2.5, -np.pi / 2), INTRINSICS)
    assert SemanticClass.BED in seen.labels
    assert not seen.in_room[seen.labels == SemanticClass.BED].any()
    assert seen.in_room[seen.labels == SemanticClass.CEILING].all()
    assert SemanticClass.BED not in seen.classes()


def test_only_things_that_are_clearly_seen_count():
    sofa, chair, wall = SemanticClass.SOFA, SemanticClass.CHAIR, SemanticClass.WALL
    assert preview_of(*[sofa] * 5, chair, *[wall] * 994).classes() == [sofa]
    assert preview_of(*[sofa] * 5, *[wall] * 995, in_room=False).classes() == []


def test_a_walk_scores_more_for_what_no_earlier_one_showed():
    seen = preview_of(*[SemanticClass.SOFA] * 100)
    new, shown_once = seen.score({}), seen.score({SemanticClass.SOFA: 1})
    assert new - shown_once == pytest.approx(2 * (1 - 1 / 2))


@pytest.mark.parametrize("label", [SemanticClass.CEILING, SemanticClass.FLOOR])
def test_floor_and_ceiling_score_by_their_share_until_there_is_enough(label: SemanticClass):
    wall = SemanticClass.WALL
    scores = [preview_of(*[label] * n, *[wall] * (100 - n)).score({}) for n in (0, 3, 6, 50)]
    assert np.diff(scores[:3]) == pytest.approx([0.03 * FRAMING, 0.03 * FRAMING])
    assert scores[3] - scores[2] == pytest.approx(0)
    assert FRAMED_SHARE == 0.06


def test_far_views_score_up_to_far_enough_and_blocked_ones_lose():
    wall = [SemanticClass.WALL] * 10
    assert preview_of(*wall, depth=2).score({}) == pytest.approx(3)
    assert preview_of(*wall, depth=9).score({}) == pytest.approx(1.5 * FAR_ENOUGH)
    assert preview_of(*wall, depth=0.5).score({}) == pytest.approx(0.75 - 20)
    assert preview_of(*wall, depth=2, in_room=False).score({}) == pytest.approx(3 - 6)
