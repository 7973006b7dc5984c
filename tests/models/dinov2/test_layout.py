"""Files of DINOv2 in the official layout and in that of transformers (whose own answers the teacher's tests know)."""

import pytest
import torch
from torch import Tensor

from models.dinov2 import Dinov2, Dinov2Config
from models.dinov2.layout import load_dinov2
from models.errors import WrongWeights

CONFIG = Dinov2Config(width=64, depth=2, heads=1, grid=5)
PARTS = ("query", "key", "value")


def drawn() -> Dinov2:
    network = Dinov2(CONFIG).eval().requires_grad_(requires_grad=False)
    for entry in network.state_dict().values():
        entry.add_(0.1 * torch.randn_like(entry))
    return network


def as_transformers_writes_it(network: Dinov2) -> dict[str, Tensor]:
    names = {
        "patch_embed.proj.": "embeddings.patch_embeddings.projection.",
        "pos_embed": "embeddings.position_embeddings",
        "cls_token": "embeddings.cls_token",
        "mask_token": "embeddings.mask_token",
        "blocks.": "encoder.layer.",
        "attn.proj.": "attention.output.dense.",
        "ls1.gamma": "layer_scale1.lambda1",
        "ls2.gamma": "layer_scale2.lambda1",
    }
    found = {}
    for name, tensor in network.state_dict().items():
        theirs = name.replace("norm.", "layernorm.") if name.startswith("norm.") else name
        for ours, other in names.items():
            theirs = theirs.replace(ours, other)
        if "attn.qkv." not in theirs:
            found[theirs] = tensor
            continue
        for part, third in zip(PARTS, tensor.chunk(3), strict=True):
            found[theirs.replace("attn.qkv.", f"attention.attention.{part}.")] = third
    return found


def test_a_file_of_transformers_is_the_same_network_but_for_its_positions():
    network = drawn()
    loaded = load_dinov2(as_transformers_writes_it(network), "x")
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in network.state_dict().items())
    trained = torch.randn(1, 3, 70, 70)
    assert torch.allclose(loaded(trained), network(trained), atol=1e-5)
    other = torch.randn(1, 3, 42, 56)  # by size, where the official code goes by factor
    assert not torch.allclose(loaded(other), network(other), atol=1e-3)


def test_prefixes_and_a_classifier_are_left_out():
    state = {f"dinov2.{name}": tensor for name, tensor in as_transformers_writes_it(drawn()).items()}
    assert load_dinov2({**state, "classifier.weight": torch.zeros(2, 128)}, "x").config.width == 64


def test_a_missing_third_of_attention_is_named():
    state = as_transformers_writes_it(drawn())
    del state["encoder.layer.1.attention.attention.key.bias"]
    with pytest.raises(WrongWeights, match=r"x lacks weights of DINOv2, first .*attention\.key\.bias"):
        load_dinov2(state, "x")


def test_the_official_layout_loads_as_it_is():
    state = drawn().state_dict()
    assert load_dinov2(state, "x").config == CONFIG
    with pytest.raises(WrongWeights, match="is no DINOv2"):
        load_dinov2({"a": torch.zeros(1)}, "x")
    with pytest.raises(WrongWeights, match="is no DINOv2"):
        load_dinov2({**state, "pos_embed": torch.zeros(1, 0, 64)}, "x")
    with pytest.raises(WrongWeights, match=r"missing: blocks\.1\.ls1\.gamma"):
        load_dinov2({name: value for name, value in state.items() if name != "blocks.1.ls1.gamma"}, "x")
