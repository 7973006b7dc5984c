import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.name_seeded import fill, image, steps, weight
from tests.models.tiny_dust3r import LINEAR, build

MASK = (1 << 64) - 1


def one_by_one(name: str, count: int) -> list[int]:
    """Splitmix64 seeded with FNV-1a, in whole numbers of Python."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    found = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        found.append(max(((mixed ^ (mixed >> 31)) >> 56) - 128, -127))
    return found


@given(st.text(max_size=12), st.integers(0, 9))
def test_steps_are_the_published_generators(name: str, count: int):
    assert steps(name, count).tolist() == one_by_one(name, count)


def test_steps_are_spread_evenly_over_their_range():
    found = steps("many", 100_000)
    assert (found.min(), found.max()) == (-127, 127)
    # the mean of 1e5 numbers that are even over 255 values is 0 with a deviation of 73.6 / sqrt(1e5) = 0.23
    assert abs(found.mean()) < 1
    assert found.std() == pytest.approx(73.6, abs=0.5)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("enc_blocks.0.attn.qkv.weight", (576, 192)),
        ("enc_norm.weight", (192,)),
        ("enc_norm.bias", (192,)),
        ("mask_token", (1, 1, 128)),
        ("downstream_head1.dpt.head.4.weight", (4, 128, 1, 1)),
        ("downstream_head1.dpt.act_postprocess.0.1.weight", (96, 96, 4, 4)),
    ],
)
def test_weights_are_exact_in_half_precision_and_spread_as_by_an_initialisation(key: str, shape: tuple[int, ...]):
    value = weight(key, shape)
    assert value.shape == shape
    assert torch.equal(value.half().float(), value)
    assert torch.equal(value.bfloat16().float(), value) == (key != "enc_norm.weight")
    if len(shape) == 1:
        assert (value.mean() - (1 if key.endswith("weight") else 0)).abs() < 0.05
    elif "head.4" not in key and key != "mask_token":
        # uniform in +-sqrt(3 / fan_in) has a variance of 1 / fan_in; the power of two is the nearest
        fan_in = shape[0] if shape[2:] == (4, 4) else int(np.prod(shape[1:]))
        assert 0.5 < float(value.std()) * fan_in**0.5 < 2


def test_two_names_of_one_tensor_give_one_value():
    one = weight("downstream_head1.dpt.scratch.layer_rn.0.weight", (256, 96, 3, 3))
    assert torch.equal(one, weight("downstream_head1.dpt.scratch.layer1_rn.weight", (256, 96, 3, 3)))
    assert not torch.equal(one, weight("downstream_head2.dpt.scratch.layer1_rn.weight", (256, 96, 3, 3)))


def test_filling_a_network_sets_every_entry_to_the_value_of_its_name():
    network = build(LINEAR)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(torch.nan)
    fill(network)
    for key, value in network.state_dict().items():
        assert torch.equal(value, weight(key, tuple(value.shape)))


def test_an_image_is_a_function_of_its_name_and_about_one_high():
    one = image("a", 48, 64)
    assert one.shape == (3, 48, 64)
    assert one.dtype == np.float32
    assert np.array_equal(one, image("a", 48, 64))
    assert not np.allclose(one, image("b", 48, 64), atol=0.1)
    assert np.abs(one).max() <= 0.9 + 1e-6
    assert one.std() > 0.2
