"""Focal length and shift of point maps whose camera is known."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor

from models.moge.raw import picture_coordinates
from models.moge.solver import SAMPLES, solve_focal_and_shift


def room(height: int, width: int, focal: float, shift: float, noise: float = 0.0) -> Tensor:
    """Points (H, W, 3) of a box around the camera, moved back along z by ``shift``."""
    half = math.hypot(height, width) / 2
    v, u = np.mgrid[:height, :width] + 0.5
    rays = np.stack([(u - width / 2) / (half * focal), (v - height / 2) / (half * focal), np.ones(u.shape)], -1)
    angle = 0.35
    turned = rays @ np.array([[math.cos(angle), 0, -math.sin(angle)], [0, 1, 0], [math.sin(angle), 0, math.cos(angle)]])
    walls = np.where(turned > 0, np.array([2.4, 1.5, 4.0]), np.array([-2.0, -1.1, -1.0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        points = rays * np.where(turned == 0, np.inf, walls / turned).min(-1, keepdims=True)
    points += (
        noise * np.linalg.norm(points, axis=-1, keepdims=True) * np.random.default_rng(0).normal(size=points.shape)
    )
    points[..., 2] -= shift
    return torch.from_numpy(points.astype(np.float32))


def squares(points: Tensor, focal: float, shift: float) -> float:
    """Sum that the solver makes least."""
    chosen, pixels = _sampled(points)
    return float(((focal * chosen[:, :2] / (chosen[:, 2:] + shift) - pixels) ** 2).sum())


def minpack(points: Tensor) -> tuple[float, float]:
    """What upstream's call gives: MINPACK from 0, which stops early."""
    chosen, pixels = _sampled(points)

    def best(shift: float) -> tuple[float, np.ndarray]:
        seen = chosen[:, :2] / (chosen[:, 2:] + shift)
        focal = (seen * pixels).sum() / (seen * seen).sum()
        return focal, (focal * seen - pixels).ravel()

    shift = float(least_squares(lambda s: best(s[0])[1], x0=[0.0], ftol=1e-3, method="lm").x[0])
    return best(shift)[0], shift


def _sampled(points: Tensor) -> tuple[np.ndarray, np.ndarray]:
    height, width = points.shape[:2]
    at = np.ix_(np.arange(SAMPLES) * height // SAMPLES, np.arange(SAMPLES) * width // SAMPLES)
    pixels = picture_coordinates((height, width), (height, width), torch.device("cpu")).numpy()
    return points.numpy()[at].reshape(-1, 3).astype(np.float64), pixels[at].reshape(-1, 2).astype(np.float64)


@pytest.mark.parametrize(
    ("height", "width", "focal", "shift"),
    [(480, 640, 1.2, 0.8), (480, 640, 0.55, -0.4), (360, 640, 4.0, 0.5), (640, 360, 1.3, 0.6), (20, 30, 1.2, 0.5)],
)
def test_the_camera_of_exact_points_is_found(height: int, width: int, focal: float, shift: float):
    points = room(height, width, focal, shift)
    found = solve_focal_and_shift(points)
    assert found == pytest.approx((focal, shift), abs=1e-6)
    assert solve_focal_and_shift(points, focal=focal) == pytest.approx((focal, shift), abs=1e-6)
    assert squares(points, *found) <= squares(points, *minpack(points)) * (1 + 1e-6) + 1e-12


@pytest.mark.parametrize(("noise", "focal_error", "shift_error"), [(0.01, 0.01, 0.03), (0.05, 0.06, 0.25)])
def test_noise_is_borne_as_well_as_by_upstreams_solver(noise: float, focal_error: float, shift_error: float):
    points = room(480, 640, 1.2, 0.8, noise)
    found = solve_focal_and_shift(points)
    assert found == pytest.approx((1.2, 0.8), abs=max(focal_error, shift_error))
    assert abs(found[0] - 1.2) < focal_error
    assert squares(points, *found) <= squares(points, *minpack(points)) * (1 + 1e-6)


def test_scale_scales_the_shift_alone():
    found = solve_focal_and_shift(0.3 * room(480, 640, 1.2, 0.8))
    assert found == pytest.approx((1.2, 0.24), abs=1e-6)


def test_nonsense_outside_the_mask_does_not_count():
    points, mask = room(333, 517, 0.9, 0.5), torch.ones(333, 517, dtype=torch.bool)
    mask[:100, :300] = False
    spoiled = torch.where(mask[..., None], points, torch.tensor(50.0))
    assert solve_focal_and_shift(spoiled, mask) == pytest.approx((0.9, 0.5), abs=1e-6)
    spoiled[~mask] = torch.inf
    assert solve_focal_and_shift(spoiled) == pytest.approx((0.9, 0.5), abs=1e-6)  # what is not finite never counts


def test_points_behind_the_camera_are_brought_before_it():
    found = solve_focal_and_shift(room(480, 640, 1.2, 2.6))  # z < 0 before the shift
    assert found == pytest.approx((1.2, 2.6), abs=1e-5)


def test_a_wall_seen_head_on_leaves_the_shift_alone():
    points = torch.ones(480, 640, 3)
    points[..., :2] = picture_coordinates((480, 640), (480, 640), torch.device("cpu")) / 0.9
    focal, shift = solve_focal_and_shift(points)
    assert shift == 0
    assert focal == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_points_give_no_camera(count: int):
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[0, :count] = True
    assert solve_focal_and_shift(room(64, 64, 1.2, 0.5), mask) == (1.0, 0.0)
    assert solve_focal_and_shift(room(64, 64, 1.2, 0.5), mask, focal=1.4) == (1.4, 0.0)
