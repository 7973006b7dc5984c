import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.forms.recess import Recess, draw_recess
from pipeline.tours.freespace import clearance_map
from pipeline.tours.layout import Opening
from pipeline.tours.surfaces import Thing
from pipeline.tours.walks import obstacles
from tests.pipeline.tours.shapes import area, plain_room

from .rooms import WALL, formed_house, inner_area, met

CORNER = Recess(0, 1.5, 1.0)


def test_an_l_shaped_room_has_the_walls_floor_and_ceiling_of_an_l():
    house = formed_house(CORNER)
    assert inner_area(house.rooms[0]) == pytest.approx(12 - 1.5)
    sheets = {
        label: sum(
            area(Thing(piece.label, tuple((s, m) for s, m in piece.parts if m.pattern != "smooth")))
            for piece in house.things
            if piece.label == label
        )
        for label in (SemanticClass.FLOOR, SemanticClass.CEILING, SemanticClass.WALL)
    }
    assert sheets[SemanticClass.FLOOR] == pytest.approx(10.5)
    assert sheets[SemanticClass.CEILING] == pytest.approx(10.5)
    assert sheets[SemanticClass.WALL] == pytest.approx(2 * (4 + 3) * 2.5), "an L is as long around as its box"


@pytest.mark.parametrize("side", range(4))
def test_depth_ends_at_the_walls_of_the_corner(side: int):
    house = formed_house(Recess(side, 1.2, 1.0))
    frame = house.rooms[0].side_frame(side)
    for local, towards, expected in (
        ((0.6, 2.0, 1.2), (0, -1, 0), 1.0),
        ((2.0, 0.5, 1.2), (-1, 0, 0), 0.8),
        ((2.0, 0.5, 1.2), (0, -1, 0), 0.5),
    ):
        origin, direction = frame @ [*local, 1], frame @ [*towards, 0]
        distance, label = met(house, tuple(origin[:3]), tuple(direction[:3]))
        assert (distance, label) == (pytest.approx(expected, abs=1e-6), WALL)


def test_no_ray_from_the_room_gets_into_the_corner():
    house = formed_house(CORNER)
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((20_000, 3)).astype(np.float32)
    origins = np.repeat(np.float32([(2.9, 0.4, 1.3), (0.4, 2.2, 0.2)]), 10_000, axis=0)
    hits = house.caster.cast(origins, directions)
    points = origins + hits.distance[:, None] * directions
    assert hits.found.all()
    assert not ((points[:, 0] < 1.5 - 1e-4) & (points[:, 1] < 1.0 - 1e-4)).any()


def test_the_corner_is_no_free_floor():
    house = formed_house(CORNER)
    clear = clearance_map(house.rooms[0], obstacles(house, house.rooms[0]))
    assert not clear[:30, :20].any()
    assert clear[60, 40] > 0.8


def test_a_corner_leaves_doors_windows_and_the_middle():
    openings = (Opening("doorway", 0, 0.3, 1.2, 0, 2.05, 1), Opening("window", 1, 0.5, 1.9, 0.9, 2.1))
    for seed in range(20):
        form = draw_recess(np.random.default_rng(seed), plain_room(*openings))
        assert form is not None
        (x0, y0, x1, y1) = form.solid(plain_room())[0]
        assert (x0, y1) == (0, 3), "the one corner without an opening"
        assert x1 < 2 < 3 - (y1 - y0) + 1


def test_where_every_wall_is_broken_there_is_no_corner():
    openings = tuple(Opening("window", side, 0.9, 2.1, 0.9, 2.1) for side in range(4))
    assert draw_recess(np.random.default_rng(0), plain_room(*openings)) is None
