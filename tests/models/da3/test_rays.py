"""Cameras from rays, against cameras that are known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from models.da3.rays import cameras_from_rays, split_homography
from models.errors import UnusableInput
from tests.models.da3.test_network import REFERENCE

FOCAL = (1.4, 2.1)


def turn(degrees: float) -> NDArray[np.float64]:
    return Rotation.from_rotvec(np.radians(degrees) * np.array([0.2, 0.9, -0.3])).as_matrix()


def rays_of(
    rotation: NDArray[np.float64], centre: tuple[float, float] = (0.0, 0.0), size: tuple[int, int] = (24, 40)
) -> Tensor:
    """Rays (h, w, 6) of a camera at (1, 2, 3)."""
    y, x = ((2 * np.arange(cells) + 1) / cells - 1 for cells in size)
    x, y = np.meshgrid((x - centre[0]) / FOCAL[0], (y - centre[1]) / FOCAL[1])
    directions = np.stack([x, y, np.ones_like(x)], -1) @ rotation.T
    origins = np.broadcast_to([1.0, 2.0, 3.0], directions.shape)
    return torch.from_numpy(np.concatenate([directions, origins], -1))


def degrees_between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.degrees(Rotation.from_matrix(one.T @ other).magnitude()))


@pytest.mark.parametrize("degrees", [0.0, 5.0, 60.0, 90.0, 135.0, 178.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.1, -0.05)])
def test_exact_rays_give_the_camera_also_turned_far_and_off_centre(degrees: float, centre: tuple[float, float]):
    rays = rays_of(turn(degrees), centre)
    found = cameras_from_rays(rays, torch.ones(rays.shape[:2]))
    pose = found.camera_to_world.numpy()
    assert degrees_between(pose[:3, :3], turn(degrees)) < 1e-3
    assert np.allclose(pose[:3, 3], [1, 2, 3])
    assert np.allclose(found.focal, FOCAL, rtol=1e-5)
    assert np.allclose(found.centre, centre, atol=1e-5)


def test_noisy_rays_with_confident_outliers_are_no_worse_than_upstreams_best():
    arrays = {name: torch.from_numpy(REFERENCE.arrays[f"rays/{name}"]) for name in ("rays", "conf")}
    found = cameras_from_rays(arrays["rays"], arrays["conf"])
    assert found.camera_to_world.shape == (1, 4, 4, 4)
    poses, truth = found.camera_to_world[0].numpy(), REFERENCE.arrays["rays/true_camera_to_world"].astype(np.float64)
    angles = [degrees_between(one[:3, :3], other[:3, :3]) for one, other in zip(poses, truth, strict=True)]
    assert np.mean(angles) < 0.09  # upstream: 0.17 in the mean, 0.27 in the worst
    assert max(angles) < 0.14
    assert np.abs(found.focal[0].numpy() / REFERENCE.arrays["rays/true_focal"] - 1).max() < 3e-3
    assert np.abs(poses[:, :3, 3] - truth[:, :3, 3]).max() < 2e-3
    assert not found.centre.any()


def test_the_same_rays_give_the_same_camera():
    rays = rays_of(turn(20)) + 0.01 * torch.randn(24, 40, 6)
    one, two = (cameras_from_rays(rays, torch.ones(24, 40)) for _ in range(2))
    assert torch.equal(one.camera_to_world, two.camera_to_world)


def test_intrinsics_are_in_pixels():
    found = cameras_from_rays(rays_of(turn(10), (0.1, -0.05)), torch.ones(24, 40))
    expected = [[1.4 * 252, 0, 1.1 * 252], [0, 2.1 * 140, 0.95 * 140], [0, 0, 1]]
    assert np.allclose(found.intrinsics((280, 504)), expected, atol=1e-3)


def test_a_map_of_real_size_is_thinned_and_stays_right():
    rays = rays_of(turn(30), size=(160, 288))
    found = cameras_from_rays(rays, torch.ones(160, 288))
    assert degrees_between(found.camera_to_world[:3, :3].numpy(), turn(30)) < 1e-3
    assert np.allclose(found.focal, FOCAL, rtol=1e-5)


def test_a_homography_is_split_with_an_upper_triangle():
    inverse = np.array([[1 / 1.4, 0, -0.2], [0, 1 / 2.1, 0.1], [0, 0, 1.0]])
    rotation, upper = split_homography(torch.from_numpy(-3 * turn(40) @ inverse))
    assert np.allclose(rotation, turn(40))
    assert np.allclose(upper, inverse)


@pytest.mark.parametrize(
    ("rays", "confidence", "message"),
    [
        (torch.ones(8, 8, 6), torch.ones(8, 7), "a confidence each"),
        (torch.ones(8, 8, 5), torch.ones(8, 8), "a confidence each"),
        (torch.ones(4, 4, 6), torch.ones(4, 4), "32 rays or more"),
        (rays_of(turn(5)), torch.zeros(24, 40), "confidence above nought"),
        (rays_of(turn(5)), -torch.ones(24, 40), "confidence above nought"),
        (torch.zeros(24, 40, 6), torch.ones(24, 40), "with a direction"),
        (torch.ones(24, 40, 6), torch.ones(24, 40), "the same way"),
        (torch.full((8, 8, 6), torch.nan), torch.ones(8, 8), "finite"),
    ],
)
def test_rays_without_a_camera_are_refused(rays: Tensor, confidence: Tensor, message: str):
    with pytest.raises(UnusableInput, match=message):
        cameras_from_rays(rays, confidence)
