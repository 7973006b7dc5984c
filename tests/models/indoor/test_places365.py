from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from models.errors import WrongWeights
from models.indoor.places365 import BasicBlock, Bottleneck, Places365, preprocess, scene_categories


@pytest.fixture(scope="module")
def resnet50() -> Places365:
    return _with_lively_statistics(Places365(50))


def test_the_categories_are_the_official_ones_with_160_indoors():
    categories = scene_categories()
    assert len(categories) == 365
    assert sum(category.indoor for category in categories) == 160
    assert [categories[i].name for i in (0, 52, 203, 364)] == ["airfield", "bedroom", "kitchen", "zen_garden"]
    indoor = {category.name: category.indoor for category in categories}
    assert indoor["bedroom"]
    assert not indoor["balcony/interior"]


@pytest.mark.parametrize("depth", [18, 50])
def test_loads_the_official_layout_written_by_old_pytorch(tmp_path: Path, depth: int):
    network = _with_lively_statistics(Places365(depth))
    path = tmp_path / "resnet_places365.pth.tar"
    _save_as_the_authors_did(network, path)
    loaded = Places365.load(path)
    assert not loaded.training
    images = torch.rand(2, 3, 224, 224)
    assert torch.equal(loaded(images), network(images))


def test_resnet50_has_the_entries_of_the_official_file(resnet50: Places365):
    names = [name for name in resnet50.state_dict() if not name.endswith("num_batches_tracked")]
    assert len(names) == 267
    assert {"layer1.0.downsample.0.weight", "layer4.2.bn3.running_var", "fc.bias"} <= set(names)


def test_resnet50_answers_as_an_independent_implementation_does(resnet50: Places365):
    from transformers import ResNetConfig, ResNetForImageClassification

    other = ResNetForImageClassification(ResNetConfig(num_labels=365)).eval()
    other.load_state_dict({_name_in_transformers(name): value for name, value in resnet50.state_dict().items()})
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    expected = other(images).logits
    # Float32 through 50 layers: rounding stays three orders below the spread of the logits.
    assert (resnet50(images) - expected).abs().max() < 1e-3 * expected.std()


def test_preprocessing_agrees_with_pillow_within_one_grey_level():
    rgb = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    squeezed = np.asarray(Image.fromarray(rgb).resize((256, 256), Image.Resampling.BILINEAR))
    middle = squeezed[16:240, 16:240].astype(np.float32) / 255
    expected = (middle - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    ours = preprocess(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).max() < 1.01 / 255 / 0.224


def test_probabilities_are_a_distribution_for_any_picture_size(resnet50: Places365):
    rgb = torch.randint(0, 256, (2, 3, 90, 333), dtype=torch.uint8)
    probabilities = resnet50.probabilities(rgb)
    assert probabilities.shape == (2, 365)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(2))


def test_a_truncated_checkpoint_is_refused(tmp_path: Path):
    path = tmp_path / "whole.pth.tar"
    _save_as_the_authors_did(Places365(18), path)
    cut = tmp_path / "cut.pth.tar"
    cut.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(WrongWeights, match=r"cut\.pth\.tar"):
        Places365.load(cut)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path):
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "ran"),))  # type: ignore[return-value]

    path = tmp_path / "evil.pth.tar"
    torch.save({"state_dict": Payload()}, path)
    with pytest.raises(WrongWeights, match="evil"):
        Places365.load(path)
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_with_an_entry_missing_names_it(tmp_path: Path):
    state = Places365(18).state_dict()
    del state["layer3.1.conv2.weight"]
    torch.save(state, tmp_path / "incomplete.pth")
    with pytest.raises(WrongWeights, match=r"missing: layer3\.1\.conv2\.weight"):
        Places365.load(tmp_path / "incomplete.pth")


def test_a_checkpoint_of_another_size_names_the_entry(tmp_path: Path):
    state = Places365(18).state_dict()
    state["fc.weight"] = torch.zeros(365, 1024)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(WrongWeights, match=r"fc\.weight reads 1024"):
        Places365.load(tmp_path / "other.pth")


@pytest.mark.parametrize(("block", "expansion"), [(BasicBlock, 1), (Bottleneck, 4)])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_whose_last_norm_is_nought_is_its_shortcut(
    block: type[BasicBlock | Bottleneck], expansion: int, stride: int
):
    torch.manual_seed(0)
    layer, maps = block(8 * expansion, 8, stride).eval(), torch.randn(2, 8 * expansion, 7, 9)
    last = layer.bn2 if expansion == 1 else layer.bn3
    nn.init.zeros_(last.weight)
    assert torch.equal(layer(maps), layer.downsample(maps).relu())
    assert layer(maps).shape == (2, 8 * expansion, -(-7 // stride), -(-9 // stride))
    assert isinstance(layer.downsample, nn.Identity) == (stride == 1)


def test_a_picture_is_judged_alike_in_any_batch(resnet50: Places365):
    rgb = torch.randint(0, 256, (3, 3, 60, 80), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    # float32 through 50 layers
    assert torch.allclose(resnet50.probabilities(rgb)[1:2], resnet50.probabilities(rgb[1:2]), rtol=1e-3, atol=1e-6)


def test_the_middle_of_the_squeezed_picture_is_seen_and_its_border_is_not():
    rgb = torch.zeros(1, 3, 256, 256)
    framed = rgb.clone()
    framed[..., :16], framed[..., -16:], framed[..., :16, :], framed[..., -16:, :] = 255, 255, 255, 255
    assert torch.equal(preprocess(framed), preprocess(rgb))
    assert preprocess(torch.full((1, 3, 40, 90), 255.0)).shape == (1, 3, 224, 224)


@pytest.mark.parametrize("name", ["page.pth.tar", "page.safetensors"])
def test_a_web_page_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_text("<html>404 Not Found</html>")
    with pytest.raises(WrongWeights, match=name):
        Places365.load(tmp_path / name)


def _with_lively_statistics(network: Places365) -> Places365:
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) + 0.5
    return network.eval()


def _save_as_the_authors_did(network: Places365, path: Path) -> None:
    state: OrderedDict[str, Tensor] = OrderedDict()
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            state[f"module.{name}"] = value
    checkpoint = {"epoch": 90, "arch": "resnet50", "state_dict": state, "best_prec1": 54.7}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False, pickle_protocol=2)


def _name_in_transformers(name: str) -> str:
    first, *rest = name.split(".")
    part = {"conv": "convolution", "bn": "normalization", "0": "convolution", "1": "normalization"}
    if first == "fc":
        return f"classifier.1.{rest[0]}"
    if not first.startswith("layer"):
        return f"resnet.embedder.embedder.{part[first[:-1]]}.{rest[0]}"
    block = f"resnet.encoder.stages.{int(first[-1]) - 1}.layers.{rest[0]}"
    if rest[1] == "downsample":
        return f"{block}.shortcut.{part[rest[2]]}.{rest[3]}"
    return f"{block}.layer.{int(rest[1][-1]) - 1}.{part[rest[1][:-1]]}.{rest[2]}"
