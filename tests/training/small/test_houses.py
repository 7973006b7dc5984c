"""Varied houses: what varies, what never does, and that a draw builds the same house again."""

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Material
from training.small.houses import VariedHouse, _other_material, varied_house
from training.small.settings import VarietySettings

VARIETY = VarietySettings()


def test_a_house_without_garden_is_all_rooms(house: VariedHouse):
    labels = set(house.lit.mesh.labels.tolist())
    assert SemanticClass.UNKNOWN not in labels
    assert {SemanticClass.FLOOR, SemanticClass.CEILING, SemanticClass.WALL, SemanticClass.WINDOW} <= labels


def test_the_stretch_is_that_of_the_mesh(house: VariedHouse):
    planned = np.concatenate([item.bounds() for item in house.plan.things])
    built = house.lit.mesh.vertices
    assert np.allclose(built.max(axis=0), planned.max(axis=0) * house.stretch, atol=1e-4)
    assert (np.abs(np.log(house.stretch[:2])) <= np.log(VARIETY.stretch_floor)).all()


def test_the_same_draw_builds_the_same_house(house: VariedHouse):
    again = varied_house(np.random.default_rng((0, 0, 0)), VARIETY, 0.2, garden=False)
    assert np.array_equal(again.lit.mesh.vertices, house.lit.mesh.vertices)
    assert np.array_equal(again.lit.atlas.levels[0], house.lit.atlas.levels[0])


@pytest.mark.parametrize("pattern", ["view", "screen", "books"])
def test_what_says_what_a_thing_is_is_not_recoloured(pattern: str):
    material = Material(pattern, seed=3)
    assert _other_material(np.random.default_rng(0), material, VARIETY) is material
