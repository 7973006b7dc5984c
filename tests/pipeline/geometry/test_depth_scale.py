"""Scale from metric depth, where the scale is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.geometry.depth_scale import (
    FEWEST_PIXELS,
    OWN_SPREAD,
    SHARED_SPREAD,
    DepthScale,
    TrustedPixels,
    scale_from_depth,
)

SCALE = 1.7


def rooms(views: int = 6, height: int = 120, width: int = 160) -> NDArray[np.float64]:
    """Depths (N, h, w) of rooms of several lengths: far wall, side walls, floor and ceiling."""
    y, x = (np.mgrid[:height, :width] + 0.5) / [[[height / 2]], [[width / 2]]] - 1
    lengths = np.linspace(3, 5, views)[:, None, None]
    return np.minimum(np.minimum(lengths, 1.6 / np.abs(x)), 1.3 / np.abs(y))


def estimate(metric: NDArray[np.float64], given: NDArray[np.float64], **options: NDArray[np.float64]) -> DepthScale:
    found = scale_from_depth(metric, given, **options)
    assert found is not None
    return found


def test_the_exact_ratio_is_found_with_the_spread_that_is_assumed():
    given = rooms()
    found = estimate(SCALE * given, given)
    assert found.scale == pytest.approx(SCALE)
    assert found.between_views == pytest.approx(0, abs=1e-9)
    own = OWN_SPREAD * math.sqrt(4 / 10 / 6)  # four views' worth of what is assumed, among ten; over six views
    assert found.sigma == pytest.approx(math.hypot(SHARED_SPREAD, own))
    assert [view.left_out for view in found.views] == [""] * 6


def test_the_two_depths_are_alike():
    given = rooms()
    noisy = SCALE * given * np.exp(0.03 * np.random.default_rng(0).normal(size=(6, 1, 1)))
    assert estimate(noisy, given).log_scale == pytest.approx(-estimate(given, noisy).log_scale, abs=0.01)


def test_a_third_of_nonsense_hardly_moves_it():
    given, random = rooms(), np.random.default_rng(0)
    metric = SCALE * given
    metric[:, :, :50] = random.uniform(0.1, 20, (6, 1, 1))
    assert estimate(metric, given).scale == pytest.approx(SCALE, rel=0.01)


def test_views_err_on_their_own_and_more_of_them_are_surer():
    random = np.random.default_rng(0)
    given = rooms(40)
    metric = SCALE * given * np.exp(0.1 * random.normal(size=(40, 1, 1)))
    few, many = estimate(metric[:4], given[:4]), estimate(metric, given)
    assert many.scale == pytest.approx(SCALE, rel=0.05)
    assert many.between_views == pytest.approx(0.1, rel=0.35)
    assert SHARED_SPREAD < many.sigma < few.sigma
    assert few.sigma < math.hypot(SHARED_SPREAD, 0.1)


def test_the_deviation_holds_the_truth_as_often_as_it_says():
    random, given, within = np.random.default_rng(1), rooms(8, 60, 80), 0
    for _ in range(100):
        shared, own = SHARED_SPREAD * random.normal(), OWN_SPREAD * random.normal(size=(8, 1, 1))
        found = estimate(given * np.exp(shared + own), given)
        within += abs(found.log_scale) < found.sigma
    assert 55 <= within <= 82  # 68 of a normal distribution


def test_neighbouring_frames_count_as_one():
    given = rooms(6)
    metric = given * np.array([1, 1, 1, 1, 2, 3.0])[:, None, None]
    assert estimate(metric, given).scale == pytest.approx(1)
    found = estimate(metric, given, places=np.array([0, 0, 0, 0, 1, 2]))
    assert found.scale == pytest.approx(2)
    assert found.places == 3
    assert found.sigma > estimate(metric, given).sigma


def test_edges_holes_and_what_is_not_solid_do_not_count():
    given = rooms(1)
    given[:, 40:60, 40:60] = 0
    given[:, 70, 70] = np.nan
    metric = SCALE * rooms(1)
    metric[:, 100:, :] = 50
    solid = np.ones(given.shape, bool)
    solid[:, 100:, :] = False
    found = estimate(metric, given, trusted=TrustedPixels(solid=solid)).views[0]
    assert math.exp(found.log_ratio) == pytest.approx(SCALE)
    assert found.spread == pytest.approx(0, abs=1e-9)
    assert FEWEST_PIXELS < found.pixels < 100 * 160 - 400


def test_confidence_and_slant_choose_pixels():
    given = rooms(1)
    metric = SCALE * given
    metric[:, :, :90] *= 2
    weights = np.where(np.arange(160) < 90, 0.01, 1.0) * np.ones(given.shape)
    assert estimate(metric, given).views[0].left_out or estimate(metric, given).scale > 2
    assert estimate(metric, given, trusted=TrustedPixels(weights=weights)).scale == pytest.approx(SCALE)
    assert estimate(metric, given, trusted=TrustedPixels(facing=-weights)).scale == pytest.approx(SCALE)


def test_views_that_show_something_else_are_left_out_with_the_reason():
    given = rooms(5)
    metric = SCALE * given
    metric[0] = metric[0] * np.linspace(0.4, 2.5, 160)  # warped
    metric[1] = 0
    given[2, 1:] = 0
    found = estimate(metric, given, focal_ratio=np.array([1, 1, 1, 1.3, 0.9]))
    assert "inside the view" in found.views[0].left_out
    assert found.views[1].left_out == "no pixel has both depths"
    assert found.views[2].left_out.startswith("only ")
    assert found.views[3].left_out == "the network takes the focal length to be 1.30 times what it is"
    assert found.views[4].left_out == ""
    assert (found.places, found.scale) == (1, pytest.approx(SCALE))


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), 1e-9])
def test_a_focal_length_that_is_none_leaves_its_view_out(ratio: float):
    given = rooms(1)
    assert scale_from_depth(given, given, focal_ratio=np.array([ratio])) is None


def test_without_a_view_there_is_no_evidence():
    nothing = np.zeros((2, 120, 160))
    assert scale_from_depth(nothing, rooms(2)) is None
    assert scale_from_depth(nothing[:0], nothing[:0]) is None


def test_depths_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="of one size"):
        scale_from_depth(rooms(2), rooms(3))
