"""The network as a whole: its sizes, batches, gradients, precision and heads."""

from dataclasses import replace

import pytest
import torch

from models.errors import UnusableInput
from models.symphonies import PRESETS, Symphonies, SymphoniesConfig
from models.symphonies.encoder import ResNet50
from tests.models.symphonies.shown import TINY, one_of, views


@pytest.fixture(scope="module")
def network() -> Symphonies:
    torch.manual_seed(0)
    return Symphonies(replace(TINY, language=16)).eval().requires_grad_(requires_grad=False)


def test_the_papers_network_has_its_number_of_parameters():
    with torch.device("meta"):
        paper = Symphonies(PRESETS["paper"])
        backbone = ResNet50(frozen_norm=True)
    millions = {name: _count(part) / 1e6 for name, part in [*paper.named_children(), ("backbone", backbone)]}
    assert _count(paper) / 1e6 == pytest.approx(58.2, abs=0.05)
    assert millions["encoder"] == pytest.approx(37.7, abs=0.05)
    assert millions["decoder"] == pytest.approx(20.5, abs=0.05)
    assert millions["backbone"] == pytest.approx(23.5, abs=0.05)


@pytest.mark.parametrize(("name", "millions"), [("tiny", 0.24), ("small", 0.50), ("fine", 0.87), ("medium", 1.27)])
def test_presets_have_the_sizes_they_are_noted_with(name: str, millions: float):
    with torch.device("meta"):
        assert _count(Symphonies(PRESETS[name])) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(
    ("config", "training"),
    [
        (TINY, True),
        (replace(TINY, aspp="factored", deep_supervision=True), True),
        (replace(TINY, norm="batch", dropout=0.1, deep_supervision=True), False),
    ],
)
def test_a_batch_gives_what_its_pictures_give_alone(config: SymphoniesConfig, *, training: bool):
    torch.manual_seed(0)
    network = Symphonies(config).train(training)
    both = views(2)
    together = network(both)
    assert len(together) == (config.layers if config.deep_supervision and training else 1)
    assert together[-1].shape == (2, 12, 60, 60, 36)
    for row in range(2):
        assert torch.allclose(network(one_of(both, row))[-1][0], together[-1][row], atol=1e-4)


def test_every_parameter_in_use_gets_a_gradient():
    network = Symphonies(TINY)
    sum(logits.square().mean() for logits in network(views(2))).backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    assert without == []


def test_mixed_precision_answers_nearly_the_same(network: Symphonies):
    shown = views(1)
    exact = network(shown)[-1]
    with torch.autocast("cpu", torch.bfloat16):
        close = network(shown)[-1]
    assert (close.float() - exact).abs().mean() < 0.05 * exact.std()


def test_logits_are_the_head_applied_to_features_voxel_by_voxel(network: Symphonies):
    shown = views(1)
    (features,), (logits,) = network.features(shown), network(shown)
    rows = features[0].flatten(1).T
    assert features.shape == (1, network.config.head_channels, 60, 60, 36)
    assert torch.allclose(network.head_linear(rows), logits[0].flatten(1).T, atol=1e-5)


def test_the_head_is_linear_so_that_means_may_be_taken_before(network: Symphonies):
    rows = torch.randn(50, network.config.head_channels)
    assert torch.allclose(network.head_linear(rows.mean(dim=0)), network.head_linear(rows).mean(dim=0), atol=1e-5)


def test_a_language_head_reads_the_same_features_and_changes_no_logits(network: Symphonies):
    assert network.language_head is not None
    assert network.language_head(torch.randn(3, network.config.head_channels)).shape == (3, 16)
    torch.manual_seed(0)
    plain = Symphonies(TINY).eval()
    assert plain.language_head is None
    state = {name: value for name, value in network.state_dict().items() if not name.startswith("language_head")}
    plain.load_state_dict(state)
    # one of them remembers what a gradient would need, and a kernel may add in another order then
    assert torch.allclose(plain(views(1))[0], network(views(1))[0], atol=1e-5)


def test_pictures_of_any_size_are_taken_and_said_of_the_same_grid(network: Symphonies):
    shown = views(1)
    scale = torch.diag(torch.tensor([2.0, 2, 1]))
    larger = replace(
        shown,
        rgb=shown.rgb.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3),
        depth=shown.depth.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2),
        intrinsics=scale @ shown.intrinsics,
    )
    found, expected = network(larger)[0], network(shown)[0]
    assert found.shape == expected.shape
    # the same picture with pixels of half the size: only what is interpolated between them differs
    assert (found - expected).abs().mean() < 0.1 * expected.std()


def test_a_scene_at_another_place_of_the_world_answers_alike(network: Symphonies):
    shown = views(1)
    shift = torch.tensor([4.0, -8.0, 2.0])
    poses = shown.camera_to_world.clone()
    poses[:, :3, 3] += shift
    moved = replace(shown, camera_to_world=poses, origin=shown.origin + shift)
    # points on the border of two cells may change sides by rounding
    assert (network(moved)[0] - network(shown)[0]).abs().mean() < 0.02 * network(shown)[0].std()


def test_a_picture_without_depth_or_of_another_shape_is_refused(network: Symphonies):
    dark = views(2)
    with pytest.raises(UnusableInput, match=r"pictures \[1\] of the batch have no depth"):
        network(replace(dark, depth=torch.stack([dark.depth[0], torch.zeros(48, 64)])))
    with pytest.raises(UnusableInput, match="depth has shape"):
        network(replace(dark, depth=dark.depth[:, :40]))


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
