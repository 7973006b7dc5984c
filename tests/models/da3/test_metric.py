"""Depth Anything 3 METRIC-LARGE's network against what upstream answered, and metres."""

import hashlib

import pytest
import torch

from models.da3 import Da3Config, Da3Metric, MetricView
from models.errors import UnusableInput
from tests.models.da3.networks import tiny_metric, views
from tests.models.da3.test_network import MEDIAN, REFERENCE, WORST

LARGE = Da3Config(
    width=1024, depth=24, heads=16, layers=(4, 11, 17, 23), alternates_from=None, features=256,
    channels=(256, 512, 1024, 1024),
)  # fmt: skip
LAYOUT = "382bcc7227331dd1585a1edc658161cb19fba826de37a8929c07c66b2bdedee1"


@pytest.mark.parametrize(("case", "images"), [("landscape", views("a")[0]), ("portrait", views("b", 112, 56)[0])])
def test_depth_and_sky_equal_upstreams_to_float32_noise(case: str, images: torch.Tensor):
    found = tiny_metric()(images)
    for name, ours in (("raw/depth", found.depth), ("out/sky", found.sky), ("out/depth", found.with_far_sky().depth)):
        median, worst = REFERENCE.error(f"metric_{case}/{name}", ours[None])
        assert median < MEDIAN
        assert worst < WORST
    last = tiny_metric().backbone.pretrained.taps(images, [5])[0][:, 1:]
    assert REFERENCE.error(f"metric_{case}/body/feature3", last[None])[1] < WORST


def test_sky_gets_the_distance_of_the_farthest_of_the_rest():
    depth, sky = torch.linspace(1, 100, 100).reshape(1, 10, 10), torch.zeros(1, 10, 10)
    assert torch.equal(MetricView(depth, sky).with_far_sky().depth, depth)
    sky[0, :2] = 1
    found = MetricView(depth, sky).with_far_sky().depth
    assert torch.allclose(found[0, :2], torch.quantile(depth[0, 2:], 0.99))
    assert torch.equal(found[0, 2:], depth[0, 2:])
    assert depth[0, 0, 0] == 1  # what the network said is left as it was


def test_the_layout_of_large_is_the_released_one():
    with torch.device("meta"):
        network = Da3Metric(LARGE)
    state = network.state_dict()
    listing = "\n".join(f"{name} {list(state[name].shape)}" for name in sorted(state))
    assert hashlib.sha256(listing.encode()).hexdigest() == LAYOUT
    assert sum(parameter.numel() for parameter in network.parameters()) == 334_171_394


def test_metres_grow_with_the_focal_length_of_the_input():
    found = tiny_metric()(torch.cat([views("a")[0], views("b")[0]]))
    assert torch.equal(found.metres(300), found.depth)
    each = found.metres(torch.tensor([300.0, 600.0]))
    assert torch.allclose(each[1], 2 * found.depth[1])
    assert torch.equal(each[0], found.depth[0])


@pytest.mark.parametrize("focal", [0.0, -300.0, float("nan"), float("inf")])
def test_metres_need_a_focal_length(focal: float):
    with pytest.raises(UnusableInput, match="focal length in pixels of the network's input"):
        tiny_metric()(views("a", 28, 28)[0]).metres(focal)


def test_a_picture_does_not_depend_on_its_batch():
    both = torch.cat([views("a")[0], views("b")[0]])
    assert torch.allclose(tiny_metric()(both).sky[1:], tiny_metric()(both[1:]).sky, atol=1e-5)


def test_sets_of_views_are_refused():
    with pytest.raises(UnusableInput, match=r"pictures must be \(B, 3, H, W\)"):
        tiny_metric()(views("ab"))
