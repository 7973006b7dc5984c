"""The network's sizes, its attention against loops, batches, corrections, and MaskDINO's checkpoint."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.errors import UnusableInput, WrongWeights
from models.symphonies import PRESETS, Symphonies, SymphoniesConfig, Views
from models.symphonies.attention import DeformableAttention
from models.symphonies.decoder import squeeze, squeezed_places
from models.symphonies.encoder import PixelDecoder, ResNet50
from models.symphonies.maskdino import load_image_weights
from models.symphonies.views import lift, project
from pipeline.contract import grid

TINY = replace(PRESETS["small"], channels=8, heads=2, queries=4, scale=6, fine_channels=4, layers=2)


def views(batch: int, seed: int = 0) -> Views:
    generator = torch.Generator().manual_seed(seed)
    pose = torch.eye(4)
    pose[:3, :3] = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    pose[:3, 3] = torch.tensor([2.4, -0.5, 1.3])
    shift = torch.rand(batch, 1, generator=generator)
    poses = pose.repeat(batch, 1, 1)
    poses[:, 0, 3] += shift[:, 0]
    return Views(
        rgb=torch.randint(0, 255, (batch, 3, 48, 64), generator=generator, dtype=torch.uint8),
        depth=torch.rand(batch, 48, 64, generator=generator) * 3 + 1,
        intrinsics=torch.tensor([[52.0, 0, 32], [0, 52, 24], [0, 0, 1]]).repeat(batch, 1, 1),
        camera_to_world=poses,
        origin=torch.zeros(batch, 3),
    )


def test_the_papers_network_has_its_number_of_parameters():
    with torch.device("meta"):
        network = Symphonies(PRESETS["paper"])
        backbone = ResNet50(frozen_norm=True)
    millions = {name: _count(part) / 1e6 for name, part in [*network.named_children(), ("backbone", backbone)]}
    assert _count(network) / 1e6 == pytest.approx(58.2, abs=0.05)
    assert millions["encoder"] == pytest.approx(37.7, abs=0.05)
    assert millions["decoder"] == pytest.approx(20.5, abs=0.05)
    assert millions["backbone"] == pytest.approx(23.5, abs=0.05)
    assert PRESETS["paper"].cells == grid.GRID_SHAPE
    assert PRESETS["paper"].cell_size == grid.VOXEL_SIZE, "the network's own constants are the dataset's"


def test_factored_context_has_a_third_of_the_weights():
    with torch.device("meta"):
        full, factored = (_count(Symphonies(SymphoniesConfig(aspp=kind)).decoder.aspp) for kind in ("full", "factored"))
    assert factored / full == pytest.approx(1 / 3, abs=0.01)


def test_deformable_attention_is_bilinear_reading_at_learned_places():
    torch.manual_seed(0)
    attention = DeformableAttention(8, heads=2, levels=2, points=3, dropout=0.0)
    torch.nn.init.normal_(attention.sampling_offsets.weight, std=0.3)
    torch.nn.init.normal_(attention.attention_weights.weight)
    query, maps = torch.randn(1, 4, 8), [torch.randn(1, 8, 5, 7), torch.randn(1, 8, 3, 4)]
    reference = torch.rand(1, 4, 2, 2)
    found = attention(query, None, reference, maps)
    offsets = attention.sampling_offsets(query).view(4, 2, 2, 3, 2)
    weights = attention.attention_weights(query).view(4, 2, 6).softmax(-1).view(4, 2, 2, 3)
    for row in range(4):
        heads = []
        for head in range(2):
            total = torch.zeros(4)
            for level, values in enumerate(maps):
                projected = attention.value_proj(values[0].permute(1, 2, 0))[..., 4 * head : 4 * head + 4]
                for point in range(3):
                    size = torch.tensor([values.shape[3], values.shape[2]])
                    place = reference[0, row, level] * size + offsets[row, head, level, point] - 0.5
                    total = total + weights[row, head, level, point] * _bilinear(projected, place)
            heads.append(total)
        expected = attention.output_proj(torch.cat(heads)) + query[0, row]
        assert torch.allclose(found[0, row], expected, atol=1e-5)


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
    for i in range(2):
        alone = network(Views(*(getattr(both, name)[i : i + 1] for name in Views.__dataclass_fields__)))
        assert torch.allclose(alone[-1][0], together[-1][i], atol=1e-4)


def test_every_parameter_in_use_gets_a_gradient():
    network = Symphonies(TINY)
    sum(logits.square().mean() for logits in network(views(2))).backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    assert without == []


def test_pixels_are_lifted_by_floor_and_upstreams_half_voxel_is_a_switch():
    shown = views(1)
    floor, truncated = (lift(shown, replace(SymphoniesConfig(), lifting=kind)) for kind in ("floor", "truncate"))
    inside = (floor >= 0) & (truncated >= 0)
    cells = (torch.stack(torch.unravel_index(index[inside], grid.GRID_SHAPE), dim=-1) for index in (floor, truncated))
    apart = next(cells) - next(cells)
    assert ((apart == 0) | (apart == 1)).all()
    assert (apart != 0).any(dim=-1).float().mean() > 0.8, "the notes: 87 % of the pixels land in another cell"


def test_mixed_precision_leaves_geometry_alone_and_answers_nearly_the_same():
    shown, config = views(1), SymphoniesConfig()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = lift(shown, config), project(shown, config)[0]
    assert torch.equal(mixed[0], lift(shown, config))
    assert torch.equal(mixed[1], project(shown, config)[0])
    torch.manual_seed(0)
    network = Symphonies(TINY).eval()
    exact = network(shown)[-1]
    with torch.autocast("cpu", torch.bfloat16):
        close = network(shown)[-1]
    assert (close.float() - exact).abs().mean() < 0.05 * exact.std()


def test_squeezed_places_point_at_their_own_cell():
    config = TINY
    count = 10 * 10 * 6
    plane = squeeze(torch.arange(float(count))[None, :, None], config)
    places = squeezed_places(config)
    read = torch.nn.functional.grid_sample(plane, (2 * places - 1)[None, None], align_corners=False)
    assert torch.allclose(read.flatten(), torch.arange(float(count)), atol=1e-2)


def test_a_picture_without_depth_or_of_another_shape_is_refused():
    dark = views(2)
    with pytest.raises(UnusableInput, match=r"pictures \[1\] of the batch have no depth"):
        Symphonies(TINY)(replace(dark, depth=torch.stack([dark.depth[0], torch.zeros(48, 64)])))
    with pytest.raises(UnusableInput, match="depth has shape"):
        Symphonies(TINY)(replace(dark, depth=dark.depth[:, :40]))


@pytest.fixture(scope="module")
def encoder_parts() -> dict[str, Tensor]:
    torch.manual_seed(1)
    parts = {"backbone": ResNet50(frozen_norm=False), "pixel_decoder": PixelDecoder()}
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}


@pytest.mark.parametrize("naming", ["mmdetection", "detectron2"])
def test_maskdinos_checkpoint_finds_its_places(encoder_parts: dict[str, Tensor], tmp_path: Path, naming: str):
    from tests.models.maskdino_names import upstream_names

    stored = upstream_names(encoder_parts, naming)
    stored["panoptic_head.predictor.query_feat.weight"] = torch.zeros(300, 256)
    torch.save({"model": stored}, tmp_path / "maskdino.pth")
    network = Symphonies(replace(PRESETS["paper"], scale=6, fine_channels=4, channels=8, heads=2))
    load_image_weights(network, tmp_path / "maskdino.pth")
    found = network.encoder.state_dict()
    for name, value in encoder_parts.items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(found[name], value), name


def test_a_checkpoint_without_the_image_network_is_refused(tmp_path: Path):
    torch.save({"backbone.conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "part.pth")
    network = Symphonies(replace(PRESETS["paper"], scale=6, fine_channels=4, channels=8, heads=2))
    with pytest.raises(WrongWeights, match="missing"):
        load_image_weights(network, tmp_path / "part.pth")
    with pytest.raises(WrongWeights, match="small encoder"):
        load_image_weights(Symphonies(TINY), tmp_path / "part.pth")


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _bilinear(values: Tensor, place: Tensor) -> Tensor:
    x, y = (float(v) for v in place)
    total = torch.zeros(values.shape[-1])
    for row in (int(y // 1), int(y // 1) + 1):
        for column in (int(x // 1), int(x // 1) + 1):
            if 0 <= row < values.shape[0] and 0 <= column < values.shape[1]:
                total = total + (1 - abs(y - row)) * (1 - abs(x - column)) * values[row, column]
    return total
