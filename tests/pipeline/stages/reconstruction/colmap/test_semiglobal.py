import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.reconstruction.colmap.semiglobal import aggregate, pick
from pipeline.stages.reconstruction.colmap.settings import SweepSettings

SETTINGS = SweepSettings()


def test_what_matches_nothing_takes_the_depth_around_it():
    cost = np.ones((24, 32, 16), np.float32)
    cost[:, :, 5] = 0
    cost[8:16, 8:24] = 1
    smooth = aggregate(cost, np.zeros((24, 32), np.float32), SETTINGS)
    assert np.all(smooth.argmin(axis=2) == 5)


def test_a_jump_stays_where_the_picture_has_its_edge():
    cost = np.full((24, 32, 16), 0.6, np.float32)
    cost[:, :14, 4], cost[:, 18:, 11] = 0.2, 0.2
    grey = np.zeros((24, 32), np.float32)
    grey[:, 16:] = 1
    winner = aggregate(cost, grey, SETTINGS).argmin(axis=2)
    assert np.all(winner[:, :16] == 4)
    assert np.all(winner[:, 16:] == 11)


@given(st.floats(2, 12))
def test_between_planes_a_parabola_is_met_exactly(lowest: float):
    planes = np.linspace(0.1, 1, 16).astype(np.float32)
    cost = ((np.arange(16) - lowest) ** 2).astype(np.float32)[None, None]
    step = float(planes[1] - planes[0])
    # float32 keeps seven digits; the costs reach 200.
    assert 1 / pick(cost, planes)[0, 0] == pytest.approx(0.1 + lowest * step, rel=1e-3)


@pytest.mark.parametrize("lowest", [-3.0, 0.0, 15.0, 18.0])
def test_what_matches_best_at_an_end_of_the_range_has_no_depth(lowest: float):
    planes = np.linspace(0.1, 1, 16).astype(np.float32)
    cost = ((np.arange(16) - lowest) ** 2).astype(np.float32)[None, None]
    assert pick(cost, planes)[0, 0] == 0


def test_turning_the_picture_around_turns_the_result_around():
    rng = np.random.default_rng(1)
    cost, grey = rng.random((12, 15, 9), np.float32), rng.random((12, 15), np.float32)
    turned = aggregate(np.ascontiguousarray(cost[::-1, ::-1]), np.ascontiguousarray(grey[::-1, ::-1]), SETTINGS)
    # Only the order of float32 additions differs.
    np.testing.assert_allclose(turned[::-1, ::-1], aggregate(cost, grey, SETTINGS), rtol=1e-5)
