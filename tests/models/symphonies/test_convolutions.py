from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.symphonies.convolutions import ASPP_DILATIONS, Aspp, ToVoxels, context, norm3d
from tests.models.symphonies.shown import TINY


def impulse(*shape: int, at: tuple[int, int, int]) -> Tensor:
    cells = torch.zeros(shape)
    cells[(slice(None), slice(None), *at)] = 1
    return cells


def reached(response: Tensor) -> set[tuple[int, ...]]:
    """Places (x, y, z) where any channel answers."""
    return {tuple(place) for place in torch.nonzero(response.abs().amax(dim=(0, 1)) > 0).tolist()}


def test_factored_context_has_a_third_of_the_weights():
    full, factored = (
        sum(weight.numel() for weight in Aspp(replace(TINY, channels=64, aspp=kind)).parameters())
        for kind in ("full", "factored")
    )
    assert factored / full == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("aspp", ["full", "factored"])
@pytest.mark.parametrize("dilation", ASPP_DILATIONS)
def test_context_looks_a_dilation_far_to_each_side_and_keeps_the_grid(aspp: str, dilation: int):
    convolution = context(4, dilation, replace(TINY, aspp=aspp))
    answer = convolution(impulse(1, 4, 9, 9, 9, at=(4, 4, 4)))
    near = (4 - dilation, 4, 4 + dilation)
    assert answer.shape == (1, 4, 9, 9, 9)
    assert reached(answer) == {(x, y, z) for x in near for y in near for z in near}


def test_a_pyramid_without_branches_is_a_relu():
    aspp = Aspp(TINY)
    for branch in aspp.branches:
        for parameter in branch[-1].parameters():
            nn.init.zeros_(parameter)
    cells = torch.randn(2, 8, 5, 6, 4)
    assert torch.equal(aspp(cells), cells.relu())


def test_a_pyramid_sums_its_branches():
    aspp, cells = Aspp(TINY), torch.randn(2, 8, 5, 6, 4)
    first, second = aspp.branches
    assert len(aspp.branches) == len(ASPP_DILATIONS)
    assert torch.allclose(aspp(cells), (cells + first(cells) + second(cells)).relu(), atol=1e-6)


@pytest.mark.parametrize(("norm", "independent"), [("group", True), ("batch", False)])
def test_group_norms_give_the_same_in_any_batch(norm: str, *, independent: bool):
    layer = norm3d(8, replace(TINY, norm=norm)).train()
    cells = torch.randn(2, 8, 3, 3, 3) * torch.tensor([1.0, 5.0])[:, None, None, None, None]
    assert torch.allclose(layer(cells)[:1], layer(cells[:1]), atol=1e-5) == independent


def test_a_cell_grows_into_its_voxels_and_is_joined_with_their_neighbours():
    to_voxels = ToVoxels(TINY)
    nn.init.zeros_(to_voxels.grow.bias)
    nn.init.constant_(to_voxels.grow.weight, 1.0)
    empty, surface = torch.zeros(1, 8, 10, 10, 6), torch.zeros(1, 1, 60, 60, 36)
    before = to_voxels(empty, surface)
    after = to_voxels(impulse(1, 8, 10, 10, 6, at=(2, 9, 0)), surface)
    assert before.shape == (1, 4, 60, 60, 36)
    # voxels 12..17, 54..59 and 0..5, and one to each side where the grid goes on
    assert reached(after - before) <= {(x, y, z) for x in range(11, 19) for y in range(53, 60) for z in range(7)}
    assert {place[2] for place in reached(after - before)} == set(range(7))


def test_surface_voxels_come_in_at_their_place():
    to_voxels, cells, none = ToVoxels(TINY), torch.randn(1, 8, 10, 10, 6), torch.zeros(1, 1, 60, 60, 36)
    surface = impulse(1, 1, 60, 60, 36, at=(30, 2, 35))
    changed = reached(to_voxels(cells, surface) - to_voxels(cells, none))
    assert changed
    assert changed <= {(x, y, z) for x in (29, 30, 31) for y in (1, 2, 3) for z in (34, 35)}
