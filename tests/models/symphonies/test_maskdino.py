from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.errors import WrongWeights
from models.symphonies import PRESETS, Symphonies
from models.symphonies.encoder import PixelDecoder, ResNet50
from models.symphonies.maskdino import load_image_weights
from tests.models.symphonies.maskdino_names import upstream_names
from tests.models.symphonies.shown import TINY

PAPERS_ENCODER = replace(PRESETS["paper"], scale=6, fine_channels=4, channels=8, heads=2)


@pytest.fixture(scope="module")
def encoder_parts() -> dict[str, Tensor]:
    torch.manual_seed(1)
    parts = {"backbone": ResNet50(frozen_norm=False), "pixel_decoder": PixelDecoder()}
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}


@pytest.mark.parametrize("naming", ["mmdetection", "detectron2"])
def test_maskdinos_checkpoint_finds_its_places(encoder_parts: dict[str, Tensor], tmp_path: Path, naming: str):
    stored = upstream_names(encoder_parts, naming)
    stored["panoptic_head.predictor.query_feat.weight"] = torch.zeros(300, 256)
    torch.save({"model": stored}, tmp_path / "maskdino.pth")
    network = Symphonies(PAPERS_ENCODER)
    load_image_weights(network, tmp_path / "maskdino.pth")
    found = network.encoder.state_dict()
    for name, value in encoder_parts.items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(found[name], value), name


def test_a_checkpoint_without_the_image_network_is_refused(tmp_path: Path):
    torch.save({"backbone.conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "part.pth")
    network = Symphonies(PAPERS_ENCODER)
    with pytest.raises(WrongWeights, match="missing"):
        load_image_weights(network, tmp_path / "part.pth")
    with pytest.raises(WrongWeights, match="small encoder"):
        load_image_weights(Symphonies(TINY), tmp_path / "part.pth")


@pytest.mark.parametrize("naming", ["mmdetection", "detectron2"])
@pytest.mark.parametrize(
    ("name", "shape", "complaint"),
    [
        ("pixel_decoder.layers.5.norm2.bias", None, r"\(pixel_decoder\).*missing: layers\.5\.norm2\.bias$"),
        ("backbone.layer4.2.conv3.weight", None, r"\(backbone\).*missing: layer4\.2\.conv3\.weight$"),
        ("backbone.conv1.weight", (64, 3, 3, 3), r"conv1\.weight \(64, 3, 3, 3\) instead of \(64, 3, 7, 7\)$"),
    ],
)
def test_an_entry_that_is_missing_or_of_another_shape_is_named_as_ours(
    encoder_parts: dict[str, Tensor], tmp_path: Path, naming: str, name: str, shape: tuple[int, ...], complaint: str
):
    entries = {key: value for key, value in encoder_parts.items() if key != name}
    torch.save(upstream_names({**entries, **({name: torch.zeros(shape)} if shape else {})}, naming), tmp_path / "m.pth")
    with torch.device("meta"):
        network = Symphonies(PAPERS_ENCODER)
    with pytest.raises(WrongWeights, match=complaint):
        load_image_weights(network, tmp_path / "m.pth")
