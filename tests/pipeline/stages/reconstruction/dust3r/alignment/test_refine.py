"""Levenberg-Marquardt on analytic pairs: the cost as its formula says, and never more at the end than at the start."""

import math

import pytest
import torch

from pipeline.stages.reconstruction.dust3r.alignment.normal_equations import Unknowns
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.refine import evaluate, refine
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.alignment.state import State
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import chain, observed, shaken, true_state

IMAGES = 4
SETTINGS = AlignmentSettings(pixels_per_image=64)


def all_free_but_the_first(*, scale_is_known: bool = False) -> Unknowns:
    return Unknowns(torch.arange(IMAGES) > 0, torch.ones(IMAGES, dtype=torch.bool), True, scale_is_known)


@pytest.fixture(scope="module")
def seen() -> Observations:
    return observed(chain(IMAGES))


@pytest.fixture(scope="module")
def truth() -> State:
    return true_state(chain(IMAGES))


def typical(seen: Observations) -> torch.Tensor:
    return torch.full_like(seen.weight, 2.0)


def test_at_the_truth_the_cost_is_the_noise_that_is_allowed_for(seen: Observations, truth: State):
    fit = evaluate(seen, truth, typical(seen), 0.01)
    # sum w sqrt(0 + (s u)^2) / u / sum w = s
    assert fit.cost == pytest.approx(0.01, rel=1e-4)
    assert fit.residual.abs().max() < 1e-4


def test_the_cost_is_what_its_formula_says(seen: Observations, truth: State):
    fit = evaluate(seen, shaken(truth), typical(seen), 0.01)
    unit = typical(seen) * fit.state.log_scale[seen.pair].exp()[:, None]
    rounded = (fit.residual.square().sum(-1) + (0.01 * unit).square()).sqrt()
    assert fit.cost == pytest.approx(float((seen.weight * rounded / unit).sum() / seen.weight.sum()))


def test_depths_are_the_best_for_their_state(seen: Observations, truth: State):
    fit = evaluate(seen, shaken(truth), typical(seen), 0.01)
    rays = fit.state.world_rays(seen.pixels)[seen.target]
    along = torch.zeros(IMAGES, fit.depth.shape[1]).double()
    slope = (fit.weight[..., None] * fit.residual * rays).sum(-1)
    along.index_add_(0, seen.target, slope)
    size = torch.zeros_like(along).index_add(0, seen.target, slope.abs())
    # The derivative by a depth is a sum that cancels, but for what the last round of reweighting changed.
    assert float((along.abs() / size.clip(min=1e-12)).median()) < 0.1


def test_a_state_that_was_shaken_comes_back(seen: Observations, truth: State):
    began, ended = refine(seen, shaken(truth), all_free_but_the_first(), SETTINGS)
    assert ended.cost < began.cost
    found, expected = ended.state.camera_to_world, truth.camera_to_world
    turned = (found[:, :3, :3] - expected[:, :3, :3]).abs().max()
    assert turned < 1e-3
    assert ended.state.log_focal.exp().tolist() == pytest.approx([42.0] * IMAGES, rel=1e-3)


def test_the_end_never_costs_more_than_the_start(seen: Observations, truth: State):
    impatient = SETTINGS.model_copy(update={"max_iterations": 1})
    for seed in range(4):
        began, ended = refine(seen, shaken(truth, 0.1, seed), all_free_but_the_first(), impatient)
        assert ended.cost <= began.cost


def test_a_start_that_is_right_stays(seen: Observations, truth: State):
    began, ended = refine(seen, truth, all_free_but_the_first(scale_is_known=True), SETTINGS)
    assert ended.cost == pytest.approx(began.cost, rel=1e-3)
    assert (ended.state.camera_to_world - truth.camera_to_world).abs().max() < 1e-4


def test_the_size_of_the_world_is_kept_where_nothing_determines_it(seen: Observations, truth: State):
    _, ended = refine(seen, shaken(truth), all_free_but_the_first(), SETTINGS)
    assert float(ended.state.log_scale.mean()) == pytest.approx(0, abs=1e-9)


def test_more_iterations_never_cost_more(seen: Observations, truth: State):
    costs = []
    for iterations in (1, 3, 30):
        patient = SETTINGS.model_copy(update={"max_iterations": iterations, "tolerance": 1e-12})
        began, ended = refine(seen, shaken(truth, 0.05), all_free_but_the_first(), patient)
        costs.append(ended.cost / began.cost)
    assert all(math.isfinite(cost) for cost in costs)
    assert costs[2] <= costs[0] + 1e-9
