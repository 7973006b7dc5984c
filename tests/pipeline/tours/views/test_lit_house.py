from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.light import Lighting
from pipeline.tours.surfaces import rectangle, thing
from pipeline.tours.views import LitHouse, light_house
from tests.pipeline.tours.shapes import GREY, plain_room

COARSE = Lighting(spacing=0.5, rays=2)
FLOOR = rectangle((0, 0, 0), (1, 0, 0), (0, 1, 0))


def lit(*materials: tuple[SemanticClass, float], lighting: Lighting = COARSE, texel: float = 0.02) -> LitHouse:
    things = tuple(thing(label, ((FLOOR,), replace(GREY, texel=finest))) for label, finest in materials)
    return light_house(things, (plain_room(),), np.random.default_rng(0), lighting, texel, texel_outside=0.1)


def test_texels_are_no_finer_than_asked_inside_and_coarser_in_the_garden():
    floor, chair, lawn = (SemanticClass.FLOOR, 0.006), (SemanticClass.CHAIR, 0.05), (SemanticClass.UNKNOWN, 0.03)
    house = lit(floor, chair, lawn)
    assert [patch.place[2:] for patch in house.mesh.patches] == [(50, 50), (20, 20), (10, 10)]
    assert house.mesh.texel_size[::2].tolist() == pytest.approx([0.02, 0.05, 0.1])


def test_a_brighter_lamp_makes_a_brighter_house():
    dark = replace(COARSE, ambient=(0.0, 0.0, 0.0), lamps=(0.5, 0.5, 0.5))
    shown = []
    for lighting in (dark, replace(dark, lamps=(1.0, 1.0, 1.0))):
        house = lit((SemanticClass.FLOOR, 0.02), lighting=lighting)
        top, left, height, width = house.mesh.patches[0].place
        shown.append(house.atlas.levels[0][top : top + height, left : left + width].astype(float).mean())
    # Grey levels carry a gamma of 2.2: twice the light is 2 ** (1 / 2.2) times the level.
    assert shown[1] / shown[0] == pytest.approx(2 ** (1 / 2.2), rel=0.03)


def test_the_same_draws_give_the_same_house():
    one, same = lit((SemanticClass.FLOOR, 0.02)), lit((SemanticClass.FLOOR, 0.02))
    np.testing.assert_array_equal(one.sky, same.sky)
    np.testing.assert_array_equal(one.atlas.levels[0], same.atlas.levels[0])
