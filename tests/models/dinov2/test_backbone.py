"""The backbone that Depth Anything 3, MoGe-2 and the teacher share."""

import pytest
import torch

from models.dinov2 import Dinov2, Dinov2Config
from models.dinov2.backbone import split
from models.dinov2.blocks import ScaledBlock
from models.errors import UnusableInput
from models.rotary import Rotation

CONFIG = Dinov2Config(width=64, depth=2, heads=1, grid=5, registers=3)


def drawn(config: Dinov2Config = CONFIG) -> Dinov2:
    network = Dinov2(config).eval().requires_grad_(requires_grad=False)
    for entry in network.state_dict().values():
        entry.add_(0.1 * torch.randn_like(entry))
    return network


def test_tokens_are_class_registers_and_patches_in_rows():
    network, images = drawn(), torch.randn(2, 3, 28, 42)
    tokens = network.embed(images)
    assert tokens.shape == (2, 1 + 3 + 2 * 3, 64)
    assert torch.equal(tokens[0, 1:4], network.state_dict()["register_tokens"][0])  # without positions
    patch = network.patch_embed.proj(images[:, :, 14:, 14:28])[:, :, 0, 0]
    assert torch.allclose(tokens[:, 4 + 4], patch + network.positions((2, 3))[0, 1 + 4], atol=1e-5)


def test_the_trained_grid_gets_its_positions_as_they_are():
    network = drawn()
    assert torch.equal(network.positions((5, 5)), network.pos_embed)
    assert torch.equal(network.positions((3, 8))[:, :1], network.pos_embed[:, :1])  # the class is never resized


def test_positions_by_factor_are_not_those_by_size():
    by_factor, by_size, smooth = (
        drawn(Dinov2Config(width=64, depth=1, heads=1, grid=5, resizing=kind))
        for kind in ("factor", "size", "antialiased")
    )
    for other in (by_size, smooth):
        other.load_state_dict(by_factor.state_dict())
        assert other.positions((3, 4)).shape == (1, 13, 64)
        assert (other.positions((3, 4)) - by_factor.positions((3, 4))).abs().max() > 1e-2


@pytest.mark.parametrize("grid", [(1, 1), (2, 90), (37, 36), (52, 69)])
def test_every_grid_gets_as_many_positions_as_it_has_patches(grid: tuple[int, int]):
    with torch.device("meta"):
        network = Dinov2(Dinov2Config(width=64, depth=1, heads=1))
    network.pos_embed = torch.nn.Parameter(torch.randn(1, 1370, 64))
    assert network.positions(grid).shape == (1, 1 + grid[0] * grid[1], 64)


def test_taps_are_what_blocks_give_through_the_last_norm():
    network, images = drawn(), torch.randn(1, 3, 28, 28)
    first, last = network.taps(images, [0, 1])
    tokens = network.blocks[0](network.embed(images))
    assert torch.equal(first, network.norm(tokens))
    assert torch.equal(last, network.norm(network.blocks[1](tokens)))
    assert torch.equal(network(images), last)


def test_a_block_turns_queries_and_keys_only_where_it_is_told_places():
    block, tokens = ScaledBlock(64, 2, normalised=True).eval(), torch.randn(1, 4, 64)
    still = Rotation.of_places(torch.zeros(4, 2), 32)
    turned = Rotation.of_grid(2, 2, 32, torch.device("cpu"))
    assert torch.allclose(block(tokens), block(tokens, still), atol=1e-6)
    assert not torch.allclose(block(tokens), block(tokens, turned), atol=1e-4)


def test_a_gated_network_has_the_giants_entries():
    state = Dinov2(Dinov2Config(width=1536, depth=0, heads=24)).state_dict()
    assert state["pos_embed"].shape == (1, 1370, 1536)
    assert ScaledBlock(96, 1, gated=True).state_dict()["mlp.w12.weight"].shape == (512, 96)


def test_a_network_without_camera_tokens_says_so():
    with pytest.raises(UnusableInput, match="one picture at a time"):
        _ = drawn().camera_rows


@pytest.mark.parametrize(
    "images", [torch.zeros(3, 28, 28), torch.zeros(1, 3, 28, 27), torch.full((1, 3, 14, 14), torch.nan)]
)
def test_images_that_do_not_fit_are_refused(images: torch.Tensor):
    with pytest.raises(UnusableInput):
        drawn().embed(images)


def test_an_axis_is_laid_out_as_several():
    assert split(torch.zeros(2, 6, 4), 1, (3, -1)).shape == (2, 3, 2, 4)
