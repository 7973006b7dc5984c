import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.garden import LAWN, WALL_THICKNESS, build_garden
from pipeline.tours.layout import Room, plan_rooms
from pipeline.tours.mesh import build_mesh
from pipeline.tours.raycast import RayCaster
from pipeline.tours.settings import TourSettings
from pipeline.tours.surfaces import Thing

from .shapes import WINDOW, area, plain_room

ROOM = plain_room(WINDOW)
OUTLINE = (-WALL_THICKNESS, -WALL_THICKNESS, 4 + WALL_THICKNESS, 3 + WALL_THICKNESS)


def garden_of(*rooms: Room) -> list[Thing]:
    return build_garden(np.random.default_rng(0), rooms or (ROOM,))


@settings(max_examples=10)
@given(st.integers(0, 99_999))
def test_nothing_of_the_garden_has_an_indoor_class_or_stands_in_a_room(seed: int):
    rng = np.random.default_rng(seed)
    rooms = plan_rooms(rng, TourSettings())
    for piece in build_garden(rng, rooms):
        assert piece.label == SemanticClass.UNKNOWN
        for sheet, _ in piece.parts:
            points = sheet.vertices.reshape(-1, 3)
            for room in rooms:
                x0, y0, x1, y1 = room.bounds
                within = (points > [x0, y0, 0]).all(axis=1) & (points < [x1, y1, room.ceiling_height]).all(axis=1)
                assert not within.any()


def test_the_lawn_lies_below_the_floor_and_reaches_far_around_the_house():
    lawn = garden_of()[0]
    x0, y0, x1, y1 = OUTLINE
    np.testing.assert_allclose(lawn.bounds(), [[x0 - LAWN, y0 - LAWN, -0.12], [x1 + LAWN, y1 + LAWN, -0.12]])


def test_the_facade_surrounds_the_outline_up_to_above_the_highest_ceiling():
    facade = garden_of()[1]
    x0, y0, x1, y1 = OUTLINE
    np.testing.assert_allclose(facade.bounds(), [[x0, y0, -0.12], [x1, y1, 2.75]])
    assert area(facade) == pytest.approx(2 * (x1 - x0 + y1 - y0) * 2.87)


@pytest.mark.parametrize("bounds", [(0.0, 0.0, 6.0, 3.0), (0.0, 0.0, 3.0, 6.0)])
def test_no_sky_is_seen_through_the_roof_from_below(bounds: tuple[float, float, float, float]):
    room = Room(0, "living", bounds, 2.5)
    roof = garden_of(room)[2]
    slopes = [(sheet, material) for sheet, material in roof.parts if material.pattern == "brick"]
    assert len(slopes) == 4
    caster = RayCaster(build_mesh((Thing(roof.label, tuple(slopes)),)))
    rng = np.random.default_rng(0)
    below = np.column_stack([rng.uniform(bounds[:2], bounds[2:], (200, 2)), np.zeros(200)]).astype(np.float32)
    hits = caster.cast(below, np.broadcast_to(np.array([0, 0, 1], np.float32), (200, 3)))
    assert hits.found.all()
    # Two slopes of the pitch 0.55 from the eaves at 2.75 m rise towards the middle of the house.
    outline = np.array(
        [below[:, 0] - bounds[0], bounds[2] - below[:, 0], below[:, 1] - bounds[1], bounds[3] - below[:, 1]]
    )
    np.testing.assert_allclose(hits.distance, 2.75 + 0.55 * (outline.min(axis=0) + WALL_THICKNESS + 0.4), atol=1e-4)


def test_every_window_is_seen_from_outside_where_it_is_inside():
    window = next(piece for piece in garden_of() if any(material.pattern == "view" for _, material in piece.parts))
    low, high = window.bounds()
    # The wall at y_max runs towards -x: 1.0 to 2.2 along it are x 1.8 to 3.0.
    np.testing.assert_allclose([low[0], high[0]], [4 - WINDOW.end, 4 - WINDOW.start])
    np.testing.assert_allclose([low[2], high[2]], [WINDOW.bottom, WINDOW.top])
    assert low[1] == pytest.approx(3 + WALL_THICKNESS)


def test_trees_stand_behind_the_camera_that_films_the_house():
    trees = [p for p in garden_of() if {m.pattern for _, m in p.parts} == {"wood", "leaves"}]
    assert len(trees) == 14
    reach = np.hypot(OUTLINE[2] - OUTLINE[0], OUTLINE[3] - OUTLINE[1]) / 2
    for tree in trees:
        trunk = tree.parts[0][0].vertices.reshape(-1, 3).mean(axis=0)[:2]
        assert np.linalg.norm(trunk - [2, 1.5]) > reach + 8.5  # outdoor walks keep 6 to 8.5 m
