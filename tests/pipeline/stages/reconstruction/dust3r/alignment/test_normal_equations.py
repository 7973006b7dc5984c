"""One step of the alignment against derivatives by automatic differentiation and against the whole, dense system."""

import pytest
import torch
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.normal_equations import Unknowns, solve_step
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.refine import Fit, evaluate
from pipeline.stages.reconstruction.dust3r.alignment.state import State
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import chain, observed, shaken, true_state

IMAGES, PAIRS, DAMPING = 3, 4, 1e-3


def unknowns(*, shared: bool, held: int = 1, focal_known: bool = False) -> Unknowns:
    """All free but the poses of the first ``held`` images."""
    free_focal = torch.full((IMAGES,), not focal_known)
    return Unknowns(torch.arange(IMAGES) >= held, free_focal, shared, scale_is_known=held > 1)


@pytest.fixture(scope="module")
def seen() -> Observations:
    seen = observed(chain(IMAGES))
    every_fourth = slice(None, None, 4)
    kept = {"points": seen.points[:, every_fourth], "weight": seen.weight[:, every_fourth]}
    return Observations(**{**vars(seen), **kept, "pixels": seen.pixels[every_fourth]})


@pytest.fixture(scope="module")
def fit(seen: Observations) -> Fit:
    state = shaken(true_state(chain(IMAGES)))
    return evaluate(seen, state, torch.ones_like(seen.weight), 0.01)


def residuals(seen: Observations, state: State, step: Tensor, shared: bool, scale: Tensor) -> Tensor:
    """Residuals after a step of all unknowns and all depths, in the units of the pairs (brought to today's scale).

    Measured in the frame of the camera that sees them: turning both cameras alike leaves them as they are.
    """
    twist, log_scale = step[: 6 * IMAGES].view(IMAGES, 6), step[6 * IMAGES :][:PAIRS]
    focal = step[6 * IMAGES + PAIRS :][:IMAGES]
    depth = step[7 * IMAGES + PAIRS :].view(IMAGES, -1)
    moved = state.moved(twist, log_scale, focal[:1].expand(IMAGES) if shared else focal)
    rays = moved.world_rays(seen.pixels)[seen.target]
    on_ray = moved.camera_to_world[seen.target][:, None, :3, 3] + depth[seen.target][..., None] * rays
    in_camera = (on_ray - moved.world_points(seen)) @ moved.camera_to_world[seen.target][:, :3, :3]
    return in_camera * (scale / moved.log_scale[seen.pair].exp())[:, None, None]


def dense_step(seen: Observations, fit: Fit, free: Unknowns) -> Tensor:
    """The same damped step by the whole system with all depths in it, from derivatives by autograd."""
    start = torch.cat([torch.zeros(7 * IMAGES + PAIRS).double(), fit.depth.flatten()])
    scale = fit.state.log_scale[seen.pair].exp()

    def weighted(step: Tensor) -> Tensor:
        found = residuals(seen, fit.state, step, free.shared_focal, scale)
        return (found * fit.weight.sqrt()[..., None]).flatten()

    jacobian, at_start = torch.autograd.functional.jacobian(weighted, start), weighted(start)
    global_ones = 7 * IMAGES + PAIRS
    matrix = jacobian.T @ jacobian
    gradient = (jacobian.T @ at_start)[:global_ones]
    own, coupling = matrix[global_ones:, global_ones:], matrix[:global_ones, global_ones:]
    reduced = matrix[:global_ones, :global_ones] - coupling @ torch.linalg.solve(own, coupling.T)
    focal = free.free_focal.clone()
    if free.shared_focal:
        focal[1:] = False
    chosen = torch.cat([free.free_pose.repeat_interleave(6), torch.ones(PAIRS, dtype=torch.bool), focal]).nonzero()[
        :, 0
    ]
    small = reduced[chosen][:, chosen]
    diagonal = small.diagonal().clone()
    small.diagonal().add_(DAMPING * diagonal + 1e-12 * diagonal.max())
    step = torch.zeros(global_ones).double()
    step[chosen] = torch.linalg.solve(small, -gradient[chosen])
    return step


@pytest.mark.parametrize(
    "free",
    [
        unknowns(shared=True),
        unknowns(shared=False),
        unknowns(shared=True, held=2),
        unknowns(shared=True, focal_known=True),
        unknowns(shared=False, held=0),
    ],
    ids=["shared focal", "own focals", "two poses known", "focal known", "nothing held"],
)
def test_eliminating_depths_gives_the_step_of_the_whole_system(seen: Observations, fit: Fit, free: Unknowns):
    twist, log_scale, log_focal = solve_step(seen, fit.state, fit.depth, fit.weight, free, DAMPING)
    expected = dense_step(seen, fit, free)
    # Both solve the same equations in double precision, in another order.
    assert torch.allclose(twist.flatten(), expected[: 6 * IMAGES], rtol=1e-5, atol=1e-8)
    assert torch.allclose(log_scale, expected[6 * IMAGES :][:PAIRS], rtol=1e-5, atol=1e-8)
    focal = expected[6 * IMAGES + PAIRS :]
    assert torch.allclose(log_focal, focal[:1].expand(IMAGES) if free.shared_focal else focal, rtol=1e-5, atol=1e-8)


def test_what_is_known_does_not_move(seen: Observations, fit: Fit):
    free = unknowns(shared=False, held=2, focal_known=True)
    twist, log_scale, log_focal = solve_step(seen, fit.state, fit.depth, fit.weight, free, DAMPING)
    assert not twist[:2].any()
    assert twist[2].any()
    assert not log_focal.any()
    assert log_scale.any()


def test_at_the_truth_there_is_nowhere_to_go(seen: Observations):
    at = evaluate(seen, true_state(chain(IMAGES)), torch.ones_like(seen.weight), 0.01)
    step = solve_step(seen, at.state, at.depth, at.weight, unknowns(shared=True), DAMPING)
    # Float32 pointmaps of metres are off by a few ten millionths.
    assert all(part.abs().max() < 1e-5 for part in step)


def test_more_damping_makes_a_shorter_step(seen: Observations, fit: Fit):
    lengths = [
        torch.cat(
            [part.flatten() for part in solve_step(seen, fit.state, fit.depth, fit.weight, unknowns(shared=True), d)]
        )
        for d in (1e-6, 1.0, 1e3)
    ]
    norms = [float(length.norm()) for length in lengths]
    assert norms == sorted(norms, reverse=True)
    assert norms[2] < 0.01 * norms[0]


def test_where_nothing_tells_the_size_of_the_world_the_scales_keep_their_mean():
    state = shaken(true_state(chain(IMAGES)))
    fixed = unknowns(shared=True).fix_scale(state)
    assert float(fixed.log_scale.mean()) == pytest.approx(0, abs=1e-12)
    assert unknowns(shared=True, held=2).fix_scale(state) is state
