import pytest
import torch
from torch import nn
from torch.nn import functional

from models.convolutions import ResidualBlock, convolution, halving


def identity(layer: nn.Sequential) -> nn.Sequential:
    """Let a convolution give back its own channel; its batch norm is that of a fresh network."""
    with torch.no_grad():
        nn.init.dirac_(layer[0].weight)
    return layer.eval()


def test_a_convolution_keeps_the_size_and_normalises():
    layer = identity(convolution(3, 3))
    maps = torch.randn(2, 3, 5, 7)
    assert torch.allclose(layer(maps), maps / (1 + 1e-5) ** 0.5, atol=1e-6)
    assert [name for name, _ in layer.named_parameters()] == ["0.weight", "1.weight", "1.bias"], "the norm has the bias"


@pytest.mark.parametrize(("side", "half"), [(8, 4), (7, 4), (1, 1)])
def test_halving_keeps_the_first_of_two_rows_and_rounds_up(side: int, half: int):
    layer = halving(3, 3)
    identity(layer[0])
    maps = torch.randn(2, 3, side, 6)
    expected = functional.relu(maps[:, :, ::2, ::2]) / (1 + 1e-5) ** 0.5
    assert layer.eval()(maps).shape == (2, 3, half, 3)
    assert torch.allclose(layer(maps), expected, atol=1e-6)


def test_a_residual_block_without_weights_is_a_relu():
    block = ResidualBlock(4).eval()
    nn.init.zeros_(block.second[0].weight)
    maps = torch.randn(2, 4, 6, 5)
    assert torch.equal(block(maps), functional.relu(maps))


def test_a_residual_block_looks_two_pixels_far():
    block = ResidualBlock(4).eval()
    maps = torch.randn(1, 4, 11, 11)
    changed = maps.clone()
    changed[:, :, 5, 5] += 1
    rows, columns = torch.nonzero((block(changed) - block(maps)).abs().amax(dim=(0, 1)), as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 7, 3, 7)


def test_pictures_of_a_batch_do_not_meet_in_evaluation():
    block = ResidualBlock(4).eval()
    maps = torch.randn(3, 4, 6, 5)
    assert torch.allclose(block(maps)[1:2], block(maps[1:2]), atol=1e-6)
