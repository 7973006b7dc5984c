import numpy as np
import pytest

from pipeline.tours.materials import PATTERNS, Colour
from pipeline.tours.palette import BRIGHT, CLOTHS, WOODS, material


@pytest.mark.parametrize("colours", [WOODS, CLOTHS, BRIGHT])
def test_a_drawn_material_is_a_shade_of_one_colour_with_another_as_its_accent(colours: tuple[Colour, ...]):
    rng = np.random.default_rng(3)
    for _ in range(20):
        drawn = material(rng, "fabric", colours)
        assert drawn.pattern in PATTERNS
        assert drawn.accent in colours
        shades = [np.array(drawn.colour) / np.array(colour) for colour in colours if colour != drawn.accent]
        assert any(np.ptp(shade) < 1e-9 and 0.85 <= shade[0] <= 1.15 for shade in shades)


def test_materials_drawn_one_after_another_have_seeds_of_their_own():
    rng = np.random.default_rng(3)
    assert len({material(rng, "wood").seed for _ in range(50)}) == 50


def test_colours_are_albedos():
    assert all(0 < channel < 1 / 1.15 for colour in WOODS + CLOTHS + BRIGHT for channel in colour)
