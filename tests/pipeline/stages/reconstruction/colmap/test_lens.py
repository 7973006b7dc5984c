"""A bend is found in synthetic observations where there is one, and refused where there is none."""

from typing import Any

import pytest

from pipeline.stages.reconstruction.first_look import LensFit

NOISE = 0.3
"""As in ``synthetic``, which is not imported here."""


@pytest.mark.parametrize(("name", "corner"), [("barrel", -0.07), ("pincushion", 0.03)])
def test_a_bend_comes_back_in_half_diagonals(found: dict[str, Any], name: str, corner: float):
    fit = LensFit.of_array(found[name])
    # Noise of 0.3 pixels on 1600 observations leaves 2e-5 of a corner's distance; focal length and depth are less sure.
    assert fit.lens.k1 + fit.lens.k2 == pytest.approx(corner, abs=0.004)
    assert fit.fitted < 0.9 * fit.plain
    assert fit.fitted < 2 * NOISE


def test_a_lens_is_refused_where_there_is_none(found: dict[str, Any]):
    fit = LensFit.of_array(found["straight"])
    assert not fit.lens.bends
    assert fit.fitted == fit.plain < 2 * NOISE
    assert fit.weight > 100


def test_a_fifth_is_held_out_and_every_point_keeps_three(found: dict[str, Any]):
    whole, left, held, fewest = found["held out"]
    assert left + held == whole
    assert held == pytest.approx(0.2 * whole, rel=0.1)
    assert fewest >= 3
