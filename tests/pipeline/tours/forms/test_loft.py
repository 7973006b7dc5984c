from itertools import pairwise

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import pose
from pipeline.tours.forms.loft import FLIGHT_WIDTH, SLAB, Loft, draw_loft
from pipeline.tours.forms.stairs import RISE, TREAD, Flight
from pipeline.tours.grids import looked_around
from pipeline.tours.walks import obstacles
from tests.pipeline.tours.shapes import plain_room

from .rooms import CEILING, FLOOR, formed_house, met

BOUNDS = (0.0, 0.0, 4.0, 6.0)
LOFT = Loft(0, 1.8, 2.5, at_start=True)


def test_a_gallery_is_floor_above_and_ceiling_below():
    house = formed_house(LOFT, 4.8, BOUNDS)
    assert met(house, (2.0, 1.2, 1.0), (0, 0, 1)) == (pytest.approx(2.5 - SLAB - 1.0), CEILING)
    assert met(house, (2.0, 1.2, 4.0), (0, 0, -1)) == (pytest.approx(1.5), FLOOR)
    assert met(house, (2.0, 1.2, 4.0), (0, 0, 1)) == (pytest.approx(0.8), CEILING)
    assert met(house, (2.0, 4.0, 1.0), (0, 0, 1)) == (pytest.approx(3.8), CEILING)
    assert met(house, (2.0, 4.0, 1.0), (0, 0, -1)) == (pytest.approx(1.0), FLOOR)


def test_every_step_is_as_high_as_it_says():
    house = formed_house(LOFT, 4.8, BOUNDS)
    flight = Flight(FLIGHT_WIDTH, 2.5)
    rise = 2.5 / flight.steps
    assert rise == pytest.approx(RISE, abs=0.02)
    for i in range(1, flight.steps):
        y = 1.8 + flight.run - (i - 0.5) * TREAD
        distance, label = met(house, (0.4, y, 4.0), (0, 0, -1))
        assert (4.0 - distance, label) == (pytest.approx(i * rise, abs=1e-5), SemanticClass.OBJECTS)


def test_the_way_up_keeps_clear_of_everything():
    house = formed_house(LOFT, 4.8, BOUNDS)
    way = LOFT.way_up(house.rooms[0])
    assert way[0, 2] == 0
    assert way[-1, 2] == 2.5
    spots = np.concatenate([np.linspace(a, b, 40) for a, b in pairwise(way)])
    eyes = (spots + np.array([0, 0, 1.6])).astype(np.float32)
    for direction in ((0.3, 0, 0), (-0.3, 0, 0), (0, 0.3, 0), (0, -0.3, 0), (0, 0, 0.3), (0, 0, -0.9)):
        assert not house.caster.is_blocked(eyes, np.tile(np.float32(direction), (len(eyes), 1))).any()


def test_exact_grids_look_at_the_gallery_from_above_it_too():
    house = formed_house(LOFT, 4.8, BOUNDS)
    places = np.float32(LOFT.lookouts(house.rooms[0]))
    assert (places[:, 2] > 2.5 + 0.3).all()
    for direction in ((0.2, 0, 0), (-0.2, 0, 0), (0, 0.2, 0), (0, -0.2, 0), (0, 0, 0.2), (0, 0, -0.2)):
        assert not house.caster.is_blocked(places, np.tile(np.float32(direction), (len(places), 1))).any()
    scene, seen = looked_around(house, house.rooms[0], pose(np.array([2.0, 5.0, 1.6]), 0.0, 0.0, 0.0))
    rays = scene.camera_to_world[:, 2, 3] > 2.5
    assert (seen.labels[rays] == SemanticClass.FLOOR).any(), "the floor of the gallery is seen from there alone"


def test_the_flight_stands_in_the_way_and_the_gallery_does_not():
    house = formed_house(LOFT, 4.8, BOUNDS)
    blocked = obstacles(house, house.rooms[0])
    inside = [(low_x < 2 < high_x and low_y < 1 < high_y) for low_x, low_y, high_x, high_y in blocked]
    assert not any(inside)
    assert any(low_x < 0.4 < high_x and low_y < 3 < high_y for low_x, low_y, high_x, high_y in blocked)


def test_a_room_with_a_loft_is_high_enough_to_stand_on_it():
    found = [draw_loft(np.random.default_rng(seed), plain_room()) for seed in range(10)]
    assert not any(found), "three by four metres hold no flight and a gallery"
    room = plain_room(height=2.5)
    long = type(room)(0, "living", BOUNDS, 2.5)
    for seed in range(10):
        loft = draw_loft(np.random.default_rng(seed), long)
        assert loft is not None
        assert isinstance(loft.form, Loft)
        assert loft.ceiling_height >= loft.form.level + 2.05
        assert loft.form.side % 2 == 0, "the flight fits along the long walls alone"
