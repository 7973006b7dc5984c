"""Pairs of views: the same surfaces from both sides."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.tours.views import RenderedViews
from tests.training.small.tiny_recipes import DUST3R
from training.small.pairs import PairSamples, halved_intrinsics, overlap, overlapping_pairs, unproject
from training.small.settings import PairSettings


def test_points_of_both_views_lie_on_the_same_surfaces(pairs: PairSamples):
    first, second = pairs.pointmaps()
    projected = second.flatten(1, 2) @ pairs.intrinsics[:, 0].mT
    x, y = projected[..., 0] / projected[..., 2], projected[..., 1] / projected[..., 2]
    height, width = pairs.depth.shape[2:]
    inside = (projected[..., 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    assert (inside.float().mean(dim=1) > DUST3R.settings.pairs.overlap[0]).all()
    row, column = y.long().clamp(0, height - 1), x.long().clamp(0, width - 1)
    seen = torch.stack([first[i, row[i], column[i], 2] for i in range(len(pairs))])
    close = (seen - projected[..., 2]).abs() < 0.05 * seen
    # The rest is hidden from one of the views.
    assert close[inside].float().mean() > 0.75


def test_turning_a_pair_round_exchanges_its_views(pairs: PairSamples):
    turned = pairs.turned_round()
    assert torch.equal(turned.pictures[:, 0], pairs.pictures[:, 1])
    back = turned.turned_round()
    assert torch.allclose(back.second_to_first, pairs.second_to_first, atol=1e-5)


def test_unprojected_points_project_back():
    depth = torch.rand(1, 4, 6) + 1
    intrinsics = torch.tensor([[[5.0, 0, 3.2], [0, 5.0, 1.9], [0, 0, 1]]])
    points = unproject(depth, intrinsics)
    assert torch.equal(points[..., 2], depth)
    x = points[0, :, :, 0] / depth[0] * 5 + 3.2
    assert torch.allclose(x, torch.arange(6) + 0.5, atol=1e-5)


def test_every_second_pixel_has_the_intrinsics_of_the_first():
    """Pixel (0, 0) of every second pixel is pixel (0, 0): its centre lies at (0.5, 0.5) in both."""
    intrinsics = torch.tensor([[[60.0, 0, 33.0], [0, 62.0, 25.0], [0, 0, 1]]])
    half = halved_intrinsics(intrinsics)
    for matrix, pixel in ((intrinsics, 10.5), (half, 5.5)):
        ray = torch.linalg.inv(matrix[0]) @ torch.tensor([pixel, pixel, 1.0])
        assert ray[0] == pytest.approx((10.5 - 33) / 60, abs=1e-6)
        assert ray[1] == pytest.approx((10.5 - 25) / 62, abs=1e-6)


def wall(*places: float) -> RenderedViews:
    """Views of a wall two metres ahead, from places beside one another."""
    count = len(places)
    poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    poses[:, 0, 3] = torch.tensor(places, dtype=torch.float64)
    blank = torch.zeros(count, 48, 64)
    lens = torch.tensor([[32.0, 0, 32], [0, 32.0, 24], [0, 0, 1]]).repeat(count, 1, 1)
    return RenderedViews(blank[:, None].repeat(1, 3, 1, 1).byte(), blank + 2, blank.byte(), blank.int(), lens, poses)


def test_the_overlap_of_views_of_a_wall_is_what_geometry_says():
    views = wall(0.0, 1.0, 5.0)
    assert overlap(views, 0, 0) == 1
    assert overlap(views, 0, 1) == pytest.approx(0.75, abs=0.07), "one of the four metres that it sees"
    assert overlap(views, 0, 2) == 0


def test_what_stands_between_hides_the_wall():
    views = wall(0.0, 0.0)
    nearer = replace(views, depth=torch.stack([views.depth[0], views.depth[1] / 2]))
    assert overlap(nearer, 0, 1) == 0, "the second sees something a metre before it"


def test_pairs_are_those_whose_overlap_is_wanted_and_no_more_than_that():
    views = wall(0.0, 0.2, 1.0, 5.0)
    chosen = PairSettings(overlap=(0.5, 0.9), pairs=2)
    found = overlapping_pairs(np.random.default_rng(0), views, chosen)
    assert sorted(found) == [(0, 2), (1, 2)]
    assert len(overlapping_pairs(np.random.default_rng(0), views, chosen.model_copy(update={"pairs": 1}))) == 1
    assert overlapping_pairs(np.random.default_rng(0), wall(0.0, 9.0), chosen) == []
