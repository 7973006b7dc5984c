"""Point sets carried onto one another by a turn, a scale and a shift."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from pipeline.geometry.similarity import fit_similarity, similarity_scale, transform


def similarities(seed: int, count: int = 3) -> Tensor:
    draw = np.random.default_rng(seed)
    matrices = np.tile(np.eye(4), (count, 1, 1))
    scale = np.exp(draw.uniform(-2, 2, count))
    matrices[:, :3, :3] = scale[:, None, None] * Rotation.random(count, rng=draw).as_matrix()
    matrices[:, :3, 3] = draw.uniform(-5, 5, (count, 3))
    return torch.from_numpy(matrices)


def cloud(seed: int, count: int = 3, points: int = 60) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 2, (count, points, 3)))


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_what_carried_the_points_is_found_again(seed: int):
    truth, points = similarities(seed), cloud(seed)
    found = fit_similarity(points, transform(truth, points), torch.ones(3, 60).double())
    assert torch.allclose(found, truth, atol=1e-7)


@given(st.integers(0, 1000))
@settings(max_examples=15)
def test_a_fifth_of_wrong_points_does_little_harm(seed: int):
    truth, points = similarities(seed), cloud(seed)
    target = transform(truth, points)
    target[:, :12] += 3 * similarity_scale(truth)[:, None, None] * cloud(seed + 1)[:, :12]
    found = fit_similarity(points, target, torch.ones(3, 60).double())
    off = (transform(found, points) - transform(truth, points)).norm(dim=-1) / similarity_scale(truth)[:, None]
    # Reweighted towards least distance: the wrong points pull by their direction, no longer by how far off they are.
    assert off.max() < 0.5
    assert off.median() < 0.1


def test_points_without_weight_have_no_say():
    truth, points = similarities(1), cloud(1)
    target, weight = transform(truth, points), torch.ones(3, 60).double()
    target[:, :30], weight[:, :30] = 1e3, 0
    assert torch.allclose(fit_similarity(points, target, weight), truth, atol=1e-7)


def test_a_mirror_image_is_not_met_by_a_mirror():
    points = cloud(2)
    found = fit_similarity(points, points * torch.tensor([1.0, 1, -1]), torch.ones(3, 60).double())
    assert (torch.det(found[:, :3, :3]) > 0).all()


def test_transforming_is_matrix_times_point():
    truth, points = similarities(4), cloud(4)
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], -1)
    expected = torch.einsum("eij,epj->epi", truth, homogeneous)[..., :3]
    assert torch.allclose(transform(truth, points), expected)


@pytest.mark.parametrize("factor", [0.25, 1.0, 8.0])
def test_the_scale_is_how_much_lengths_grow(factor: float):
    rotation = torch.from_numpy(Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix())
    matrix = torch.eye(4).double()[None].clone()
    matrix[:, :3, :3] = factor * rotation
    assert similarity_scale(matrix).tolist() == pytest.approx([factor])
