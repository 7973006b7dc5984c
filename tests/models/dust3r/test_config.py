import contextlib
import json
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.dust3r import Dust3r, Dust3rConfig
from models.dust3r.config import from_expression, from_json, from_shapes
from models.errors import WrongWeights
from tests.models.tiny_dust3r import DPT, LINEAR, expression


@pytest.mark.parametrize("config", [DPT, LINEAR, Dust3rConfig()])
def test_a_network_is_described_alike_by_expression_json_and_shapes(config: Dust3rConfig):
    with torch.device("meta"):
        shapes = {key: tuple(tensor.shape) for key, tensor in Dust3r(config).state_dict().items()}
    assert from_expression(expression(config)) == config
    assert from_json(json.dumps(config.model_dump())) == config
    assert from_shapes(shapes) == config


def test_upstreams_settings_beside_the_sizes_are_understood():
    options = {
        **DPT.model_dump(),
        "depth_mode": ["exp", -float("inf"), float("inf")],
        "freeze": "none",
        "img_size": 512,
    }
    assert from_json(json.dumps(options)) == DPT
    assert from_json(json.dumps(options).encode()) == DPT


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "AsymmetricCroCo3DStereo(enc_depth=__import__('os').getpid())",
        "AsymmetricCroCo3DStereo(enc_depth=-'a')",
        "AsymmetricCroCo3DStereo(img_size=-(1, 2))",
        "AsymmetricMASt3R(enc_depth=4)",
        "AsymmetricCroCo3DStereo(4)",
        "AsymmetricCroCo3DStereo(enc_depth=-4)",
        "AsymmetricCroCo3DStereo(pos_embed='RoPE50')",
        "AsymmetricCroCo3DStereo(conf_mode=('sigmoid', 0, 1))",
        "AsymmetricCroCo3DStereo(**{'enc_depth': 4})",
        "AsymmetricCroCo3DStereo(" + "(" * 5000,
        "AsymmetricCroCo3DStereo()\0",
        "",
    ],
)
def test_other_expressions_are_refused(text: str):
    with pytest.raises(WrongWeights):
        from_expression(text)


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe{", "[" * 100_000, '{"enc_depth": "many"}', '{"enc_depth": NaN}'])
def test_what_is_no_json_or_no_size_is_refused(text: str | bytes):
    with pytest.raises(WrongWeights):
        from_json(text)


@given(st.text(max_size=60))
def test_no_text_does_anything_but_describe_a_network_or_be_refused(text: str):
    for read in (from_expression, from_json):
        with contextlib.suppress(WrongWeights):
            assert read(text).enc_depth >= 1


@pytest.mark.parametrize(
    "sizes",
    [
        {"enc_embed_dim": 100},
        {"dec_embed_dim": 64, "dec_num_heads": 32},
        {"dec_depth": 9},
        {"enc_depth": 0},
        {"stem": (-1, 4, 8)},
        {"position_grid": (0, 4)},
        {"img_size": (0, 512)},
        {"head_type": "cubic"},
        {"dec_width": 3},
    ],
)
def test_sizes_that_make_no_network_are_refused(sizes: dict[str, Any]):
    with pytest.raises(ValidationError):
        Dust3rConfig.model_validate(sizes)
    if "dec_width" not in sizes:
        with pytest.raises(WrongWeights, match="impossible network sizes"):
            from_json(json.dumps(sizes))


@pytest.mark.parametrize(
    "shapes",
    [
        {"conv1.weight": (64, 3, 7, 7)},
        {"enc_norm.weight": (), "dec_norm.weight": (128,)},
        {"enc_norm.weight": (32,), "dec_norm.weight": (128,)},
        {"enc_norm.weight": (64,), "dec_norm.weight": (64,), "downstream_head1.proj.weight": (1024, 64)},
    ],
)
def test_shapes_of_something_else_are_refused(shapes: dict[str, tuple[int, ...]]):
    with pytest.raises(WrongWeights, match="not the weights of a DUSt3R"):
        from_shapes(shapes)


@pytest.mark.parametrize(("depth", "hooks"), [(12, (0, 6, 9, 12)), (10, (0, 5, 7, 10))])
def test_a_dpt_head_reads_the_encoder_the_middle_three_quarters_and_the_end(depth: int, hooks: tuple[int, ...]):
    assert Dust3rConfig(dec_depth=depth).hooks == hooks
