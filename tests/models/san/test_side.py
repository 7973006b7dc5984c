import pytest
import torch
from torch import nn
from torch.nn import functional

from models.norms import ChannelNorm
from models.san.clip import ClipMap
from models.san.side import Fusion, SideAdapter, SideAttention, SideBlock
from tests.models.san.networks import SLIM, slim_san

WIDTH, HEADS = 24, 6


@pytest.fixture(scope="module")
def side() -> SideAdapter:
    return slim_san().side_adapter_network


def clip_maps(batch: int, grid: tuple[int, int] = (2, 3)) -> list[ClipMap]:
    width = SLIM.vision_width
    return [
        ClipMap(torch.randn(batch, 1, width), torch.randn(batch, width, *grid)) for _ in range(SLIM.clip_layers + 1)
    ]


def test_what_the_last_two_blocks_say_comes_out_on_the_grid_of_patches(side: SideAdapter):
    layers = side(torch.randn(2, 3, 64, 96), clip_maps(2))
    assert len(layers) == 2
    for layer in layers:
        assert layer.queries.shape == (2, SLIM.queries, WIDTH)
        assert layer.patches.shape == (2, WIDTH, 4, 6)


def test_pictures_of_a_batch_do_not_meet(side: SideAdapter):
    images, maps = torch.randn(3, 3, 64, 64), clip_maps(3)
    alone = side(images[1:2], [ClipMap(one.class_token[1:2], one.patches[1:2]) for one in maps])[-1]
    together = side(images, maps)[-1]
    assert torch.allclose(together.queries[1:2], alone.queries, atol=1e-5)
    assert torch.allclose(together.patches[1:2], alone.patches, atol=1e-5)


def test_of_clips_maps_those_of_the_fused_layers_are_read_and_class_tokens_never(side: SideAdapter):
    images, maps = torch.randn(1, 3, 64, 64), clip_maps(1)
    before = side(images, maps)[-1].patches
    for number in range(len(maps)):
        changed = list(maps)
        changed[number] = ClipMap(
            maps[number].class_token, maps[number].patches + torch.randn_like(maps[number].patches)
        )
        assert torch.equal(side(images, changed)[-1].patches, before) == (number not in SLIM.fused_layers)
        changed[number] = ClipMap(maps[number].class_token + 1, maps[number].patches)
        assert torch.equal(side(images, changed)[-1].patches, before)


def test_a_fusion_adds_the_projected_guide_at_the_size_of_the_patches():
    fusion, patches = Fusion(8, WIDTH), torch.randn(2, 24, WIDTH)
    guide = torch.randn(2, 8, 2, 3)
    added = (fusion(patches, guide, (4, 6)) - patches).transpose(1, 2).reshape(2, WIDTH, 4, 6)
    normed = functional.layer_norm(guide.movedim(1, -1), (8,), eps=1e-6).movedim(-1, 1)
    convolution = fusion.input_proj[1]
    projected = torch.einsum("oc,bchw->bohw", convolution.weight[:, :, 0, 0], normed) + convolution.bias[:, None, None]
    # twice as fine: a row lies a quarter from one of the coarse ones and three quarters from the other
    rows = torch.stack([projected[:, :, 0], *(projected[:, :, 0].lerp(projected[:, :, 1], t) for t in (0.25, 0.75))], 2)
    assert torch.allclose(added[:, :, :3, 0], rows[..., 0], atol=1e-5)
    assert torch.allclose(added[:, :, 0, 1], projected[:, :, 0, 0].lerp(projected[:, :, 0, 1], 0.25), atol=1e-5)


def test_a_guide_of_equal_channels_says_nothing():
    fusion = Fusion(8, WIDTH)
    nn.init.zeros_(fusion.input_proj[1].bias)
    patches = torch.randn(1, 6, WIDTH)
    assert torch.allclose(fusion(patches, torch.full((1, 8, 2, 3), 3.0), (2, 3)), patches, atol=1e-4)


def test_channels_are_normalised_at_each_position_by_itself():
    maps = torch.randn(2, 8, 3, 4) * 5 + 2
    found = ChannelNorm(8)(maps)
    assert torch.allclose(found.mean(dim=1), torch.zeros(2, 3, 4), atol=1e-5)
    assert torch.allclose(found.var(dim=1, correction=0), torch.ones(2, 3, 4), atol=1e-3)
    assert torch.allclose(found[:, :, :1, :1], ChannelNorm(8)(maps[:, :, :1, :1]), atol=1e-6)


def test_attention_is_that_of_pytorch():
    ours, theirs = SideAttention(WIDTH, HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    names = {"in_proj_weight": "qkv.weight", "in_proj_bias": "qkv.bias"}
    names |= {"out_proj.weight": "proj.weight", "out_proj.bias": "proj.bias"}
    theirs.load_state_dict({name: ours.state_dict()[own] for name, own in names.items()})
    tokens = torch.randn(2, 7, WIDTH)
    assert torch.allclose(ours(tokens), theirs(tokens, tokens, tokens, need_weights=False)[0], atol=1e-5)


def test_tokens_are_a_set_to_a_block():
    block, tokens, order = SideBlock(WIDTH, HEADS), torch.randn(2, 9, WIDTH), torch.randperm(9)
    assert torch.allclose(block(tokens[:, order]), block(tokens)[:, order], atol=1e-5)
