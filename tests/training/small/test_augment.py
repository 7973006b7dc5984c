import pytest
import torch

from training.small.augment import _coarse_blocks, _cosines, change_pictures, crop, mirror
from training.small.settings import AugmentSettings

NOTHING = AugmentSettings(brightness=0, contrast=0, colour=0, noise=0, blur=0, jpeg=0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(6, 3, 21, 30, generator=seeded(0)) * 255


def test_changes_are_drawn_by_the_generator_alone(pictures: torch.Tensor):
    first, again, other = (change_pictures(pictures, AugmentSettings(), seeded(step)) for step in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 255


def test_without_strength_nothing_changes(pictures: torch.Tensor):
    assert torch.allclose(change_pictures(pictures, NOTHING, seeded(0)), pictures, atol=1e-3)


def test_the_cosine_transform_keeps_lengths():
    assert torch.allclose(_cosines(torch.device("cpu")) @ _cosines(torch.device("cpu")).T, torch.eye(8), atol=1e-6)


def test_coarse_blocks_lose_detail_but_not_their_mean():
    noise = 128 + 5 * torch.randn(2, 3, 16, 24, generator=seeded(0))
    coarse = _coarse_blocks(noise, torch.full((2, 1, 1, 1), 40.0))
    assert coarse.shape == noise.shape
    assert coarse.std() < 0.8 * noise.std()
    assert coarse.mean() == pytest.approx(noise.mean(), abs=2)


def test_only_the_named_rows_are_mirrored():
    maps = torch.arange(8).reshape(2, 1, 4)
    assert mirror(maps, torch.tensor([True, False])).tolist() == [[[3, 2, 1, 0]], [[4, 5, 6, 7]]]


def test_a_whole_crop_is_the_picture_and_a_half_one_its_corner(pictures: torch.Tensor):
    corner, whole = torch.zeros(6, 2), torch.ones(6)
    assert torch.allclose(crop(pictures, corner, whole, (21, 30), "bilinear"), pictures, atol=1e-2)
    labels = torch.arange(16.0).reshape(1, 1, 4, 4)
    cut = crop(labels, torch.ones(1, 2), torch.full((1,), 0.5), (2, 2), "nearest")
    assert cut[0, 0].tolist() == [[10, 11], [14, 15]]
