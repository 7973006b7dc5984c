import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.moves.route import walked
from pipeline.tours.people.body import HEIGHTS, Body
from pipeline.tours.people.crowd import REACH
from pipeline.tours.people.walker import Walker

FIGURE = Body.draw(np.random.default_rng(0))


def test_somebody_is_as_tall_as_drawn_stands_on_the_floor_and_is_a_person():
    for seed in range(5):
        figure = Body.draw(np.random.default_rng(seed))
        body = figure.posed(0.0, 0.0)
        assert HEIGHTS[0] <= figure.height <= HEIGHTS[1]
        assert np.ptp(body[:, 2]) == pytest.approx(figure.height, rel=0.02)
        assert figure.thing().label == SemanticClass.UNKNOWN
        assert {material.surface for _, material in figure.thing().parts} == {SurfaceKind.PERSON}


def test_limbs_swing_and_all_of_a_figure_stays_within_reach_and_on_the_floor():
    for phase in np.linspace(0, 2 * np.pi, 9):
        body = FIGURE.posed(float(phase), 1.0)
        assert body[:, 2].min() == pytest.approx(0, abs=1e-12)
        assert np.linalg.norm(body - [0, 0, 0.9], axis=1).max() < REACH
    left, right = (FIGURE.posed(np.pi / 2, 1.0)[:, 0] * side for side in (1, -1))
    assert left.max() > 0.3
    assert right.max() > 0.3
    assert np.ptp(FIGURE.posed(np.pi / 2, 1.0)[:, 0]) > 2 * np.ptp(FIGURE.posed(0.0, 1.0)[:, 0])


def test_somebody_looks_where_he_goes_and_walks_as_far_as_his_way_is_long():
    path = walked(np.array([[0.0, 0, 0], [0, 3, 0]]), 1.0, 0.0)
    walker = Walker(FIGURE, 0, path, start=1.0)
    np.testing.assert_allclose(walker.spot(0.0), [0, 0, 0])
    np.testing.assert_allclose(walker.spot(1.0 + path.seconds), [0, 3, 0])
    toes = walker.vertices(0.5)[np.argmin(walker.vertices(0.5)[:, 2] - walker.vertices(0.5)[:, 1])]
    assert toes[1] > 0.1, "feet point along the way"
