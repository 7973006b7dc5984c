import copy
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from models.dust3r import Dust3r, Dust3rConfig, PointMap
from models.dust3r.network import _positions
from models.errors import UnusableInput
from tests.models.tiny_dust3r import LINEAR, STEMMED, build, images, reference

LAYOUT_SHA256 = "0cef504ceaa8af7804f694d7174458b57f8da9f5c7b15ba22aa01c806cfa4666"
"""Of the sorted names and shapes in the released ViT-L 512 DPT, a line each."""

MEDIAN_POINT, WORST_POINT = 5e-6, 1e-3
"""Upstream's own float32 noise is 3e-7 to 9e-7 of a point's distance in the median, 2e-4 in the worst pixel."""

WORST_CONFIDENCE = 5e-6
"""Relative: confidence is 1 + exp(c), so that noise in c grows with it, to 2.4e-5 where it is 15. Upstream's float32
is 2.0e-6 from float64 and ours 1.6e-6; the smallest slip, a layer norm's epsilon of 1e-5 for 1e-6, gives 9e-6."""


def relative_error(points: Tensor, truth: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.linalg.norm(points.numpy() - truth, axis=-1) / np.linalg.norm(truth, axis=-1)


def worst(one: PointMap, other: PointMap) -> float:
    return max(
        float((one.points - other.points).norm(dim=-1).div(other.points.norm(dim=-1)).max()),
        float((one.confidence / other.confidence - 1).abs().max()),
    )


@pytest.mark.parametrize("name", ["linear", "dpt"])
def test_outputs_are_upstreams(name: str, request: pytest.FixtureRequest):
    network, truth = request.getfixturevalue(name), reference(f"tiny_{name}")
    views = network(images("a", "b"), images("c", "d"))
    for view, points, confidence in zip(views, ("pts3d", "pts3d_in_other_view"), ("conf1", "conf2"), strict=True):
        error = relative_error(view.points[:, ::2, 1::2], truth[points])
        assert np.median(error) < MEDIAN_POINT
        assert error.max() < WORST_POINT
        assert np.abs(view.confidence[:, ::2, 1::2].numpy() / truth[confidence] - 1).max() < WORST_CONFIDENCE


def test_encoder_is_upstreams(linear: Dust3r):
    features = linear.encode(images("a")).features
    assert np.abs(features.numpy() - reference("tiny_linear")["enc_out"]).max() < 1e-5


def test_layout_of_vit_large_is_the_released_one():
    with torch.device("meta"):
        network = Dust3r(Dust3rConfig())
    state = network.state_dict()
    listing = "\n".join(f"{key} {list(state[key].shape)}" for key in sorted(state))
    assert len(state) == 1009
    assert sum(tensor.numel() for tensor in state.values()) == 577_806_728
    assert sum(parameter.numel() for parameter in network.parameters()) == 571_171_208
    assert hashlib.sha256(listing.encode()).hexdigest() == LAYOUT_SHA256


@pytest.mark.parametrize("name", ["linear", "dpt"])
def test_a_pair_does_not_depend_on_its_batch(name: str, request: pytest.FixtureRequest):
    network = request.getfixturevalue(name)
    firsts, seconds = images("a", "b", height=48, width=64), images("c", "d", height=48, width=64)
    together = network(firsts, seconds)
    alone = network(firsts[1:], seconds[1:])
    for batched, single in zip(together, alone, strict=True):
        assert worst(PointMap(batched.points[1:], batched.confidence[1:]), single) < 1e-3


@pytest.mark.parametrize("name", ["linear", "dpt"])
def test_views_may_differ_in_shape_and_orientation(name: str, request: pytest.FixtureRequest):
    network = request.getfixturevalue(name)
    landscape, portrait = images("a", height=48, width=80), images("b", height=112, width=32)
    one, two = network(landscape, portrait)
    assert one.points.shape == (1, 48, 80, 3)
    assert two.confidence.shape == (1, 112, 32)
    assert one.points.isfinite().all()
    assert two.points.isfinite().all()


def test_preparing_views_by_hand_gives_what_decode_gives(dpt: Dust3r):
    first, second = (dpt.encode(images(name, height=32, width=48)) for name in "ab")
    by_hand = dpt.decode_prepared(dpt.prepare(first, 1), dpt.prepare(second, 2))
    for view, same in zip(dpt.decode(first, second), by_hand, strict=True):
        assert torch.equal(view.points, same.points)


def test_the_unused_unit_of_released_files_is_never_used(dpt: Dust3r):
    changed = copy.deepcopy(dpt)
    torch.nn.init.ones_(changed.downstream_head1.dpt.scratch.refinenet4.resConfUnit1.conv1.weight)
    pair = images("a", height=32, width=48), images("b", height=32, width=48)
    before, _ = dpt(*pair)
    after, _ = changed(*pair)
    assert torch.equal(before.points, after.points)


def test_bfloat16_body_stays_near_float32_and_heads_answer_in_float32(linear: Dust3r):
    exact, _ = linear(images("a"), images("b"))
    rounded, _ = build(LINEAR).cast_body(torch.bfloat16)(images("a"), images("b"))
    error = relative_error(rounded.points, exact.points.numpy())
    assert rounded.points.dtype == torch.float32
    assert np.median(error) < 0.05  # 8 bits of mantissa through 7 random blocks; trained ones differ


@pytest.mark.parametrize(
    "broken",
    [
        torch.zeros(3, 32, 32),
        torch.zeros(1, 1, 32, 32),
        torch.zeros(1, 3, 40, 32),
        torch.zeros(1, 3, 0, 32),
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8),
        torch.full((1, 3, 32, 32), torch.nan),
    ],
)
def test_images_it_cannot_take_are_refused(linear: Dust3r, broken: Tensor):
    with pytest.raises(UnusableInput):
        linear.encode(broken)


def test_a_network_with_a_stem_is_built_from_its_metadata(tmp_path: Path):
    torch.manual_seed(0)
    state = {name: value for name, value in Dust3r(STEMMED).state_dict().items() if value.is_floating_point()}
    halves = {name: value.half().contiguous() for name, value in state.items()}
    save_file(halves, tmp_path / "tiny.safetensors", metadata={"config": STEMMED.model_dump_json()})
    network = Dust3r.load(tmp_path / "tiny.safetensors")
    assert network.config == STEMMED
    one, two = network(torch.zeros(2, 3, 48, 64), torch.zeros(2, 3, 32, 48))
    assert one.points.shape == (2, 48, 64, 3)
    assert two.confidence.shape == (2, 32, 48)


def test_positions_tell_the_left_of_a_blank_picture_from_its_right():
    network = Dust3r(STEMMED.model_copy(update={"stem": None})).eval()
    assert network.positions is not None
    blank = torch.zeros(1, 3, 48, 64)
    before = network.encode(blank).features[0]
    assert torch.allclose(before, before[0].expand_as(before), atol=1e-5)
    torch.nn.init.normal_(network.positions)
    tokens = network.encode(blank).features[0]
    assert not torch.allclose(tokens[0], tokens[1], atol=1e-2)


def test_a_table_of_positions_is_itself_on_its_grid_and_interpolated_on_others():
    network = Dust3r(STEMMED.model_copy(update={"stem": None, "enc_depth": 1})).eval()
    assert network.positions is not None
    with torch.no_grad():
        network.positions.copy_(torch.arange(4.0).expand(64, 3, 4))
    assert torch.equal(_positions(network.positions, (3, 4))[0], network.positions.flatten(1).T)
    # cells of a grid twice as fine lie a quarter to each side of the coarse ones; at the borders nothing is made up
    finer = _positions(network.positions, (3, 8))[0].reshape(3, 8, 64)
    assert finer[1, :, 5].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


def test_a_stem_sees_as_many_tokens_as_patches_do():
    for config in (STEMMED, STEMMED.model_copy(update={"stem": None})):
        tokens = Dust3r(config).eval().encode(torch.zeros(2, 3, 64, 96))
        assert tokens.grid == (4, 6)
        assert tokens.features.shape == (2, 24, 64)


def test_encoded_pictures_are_chosen_from_a_batch(linear: Dust3r):
    tokens = linear.encode(images("a", "b", "c", height=32, width=48))
    assert torch.equal(tokens[1:2].features, tokens.features[1:2])
    assert tokens[[2, 0]].grid == (2, 3)


def test_the_second_view_is_answered_in_the_first_ones_frame_by_a_decoder_of_its_own(linear: Dust3r):
    one, other = images("a", height=32, width=48), images("b", height=32, width=48)
    forth, back = linear(one, other), linear(other, one)
    assert worst(forth[0], back[1]) > 0.1
    alike = copy.deepcopy(linear)
    alike.dec_blocks2.load_state_dict(alike.dec_blocks.state_dict())
    alike.downstream_head2.load_state_dict(alike.downstream_head1.state_dict())
    # one decoder twice cannot tell the views apart: exchanging them exchanges the answers
    for view, same in zip(alike(one, other), reversed(alike(other, one)), strict=True):
        assert worst(view, same) < 1e-3


def test_loading_asks_for_no_gradients_and_evaluates(linear: Dust3r, tmp_path: Path):
    torch.save({"model": linear.state_dict()}, tmp_path / "saved.pth")
    loaded = Dust3r.load(tmp_path / "saved.pth")
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.device == torch.device("cpu")
