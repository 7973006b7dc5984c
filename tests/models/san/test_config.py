from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.errors import WrongWeights
from models.san import San
from models.san.config import RELEASED, SanConfig
from models.san.name_seeded import TINY
from tests.models.san.networks import SLIM


def state_of(config: SanConfig) -> dict[str, Tensor]:
    with torch.device("meta"):
        return San(config).state_dict()


@pytest.mark.parametrize("config", [*RELEASED.values(), TINY, SLIM])
def test_sizes_are_read_back_from_the_shapes_of_a_checkpoint(config: SanConfig):
    assert SanConfig.of_checkpoint(state_of(config)) == config


@pytest.mark.parametrize(
    ("name", "parameters", "entries"), [("san_vit_b_16", 157_840_307, 440), ("san_vit_large_14", 436_674_995, 584)]
)
def test_released_sizes_have_the_parameters_of_upstream(name: str, parameters: int, entries: int):
    with torch.device("meta"):
        network = San(RELEASED[name])
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    # the files hold two more: the causal mask and the loss weights, which are constants
    assert len(network.state_dict()) == entries


@pytest.mark.parametrize(
    ("name", "scale", "fused"), [("san_vit_b_16", 0.5, (0, 3, 6, 9)), ("san_vit_large_14", 0.7, (0, 6, 12, 18))]
)
def test_the_released_networks_scale_and_fuse_as_published(name: str, scale: float, fused: tuple[int, ...]):
    assert RELEASED[name].clip_scale == scale
    assert RELEASED[name].fused_layers == fused


@pytest.mark.parametrize(
    "name",
    [
        "clip_visual_extractor.conv1.weight",
        "clip_visual_extractor.positional_embedding",
        "side_adapter_network.mask_decoder.attn_mlp.layers.2.weight",
        "side_adapter_network.query_embed",
        "ov_classifier.positional_embedding",
        "clip_rec_head.proj",
    ],
)
@pytest.mark.parametrize("wrong", ["missing", "another rank", "empty"])
def test_an_entry_that_tells_no_size_is_named(name: str, wrong: str):
    state = state_of(SLIM)
    entry = state.pop(name)
    if wrong != "missing":
        state[name] = entry[None] if wrong == "another rank" else entry[:0]
    with pytest.raises(WrongWeights, match=f"no Side Adapter Network: {name}"):
        SanConfig.of_checkpoint(state)


@pytest.mark.parametrize(
    "blocks", ["clip_visual_extractor.resblocks.", "clip_rec_head.resblocks.", "ov_classifier.transformer.resblocks."]
)
def test_a_checkpoint_without_blocks_is_refused(blocks: str):
    state = {name: value for name, value in state_of(SLIM).items() if not name.startswith(blocks)}
    with pytest.raises(WrongWeights, match=f"nothing under {blocks}"):
        SanConfig.of_checkpoint(state)


@pytest.mark.parametrize("sizes", [{"vision_heads": 5}, {"vision_heads": 3}, {"side_width": 20}, {"text_width": 33}])
def test_widths_that_heads_do_not_divide_are_refused_before_a_picture_is_shown(sizes: dict[str, int]):
    state = state_of(SLIM)
    for name, value in state_of(replace(SLIM, **{key: n for key, n in sizes.items() if key == "vision_heads"})).items():
        state[name] = value
    if "side_width" in sizes:
        state["side_adapter_network.query_embed"] = torch.zeros(1, 6, sizes["side_width"])
    if "text_width" in sizes:
        state["ov_classifier.positional_embedding"] = torch.zeros(77, sizes["text_width"])
        state["side_adapter_network.mask_decoder.attn_mlp.layers.2.weight"] = torch.zeros(16 * 4, 16, 1, 1)
    with pytest.raises(WrongWeights, match="does not give"):
        SanConfig.of_checkpoint(state)
