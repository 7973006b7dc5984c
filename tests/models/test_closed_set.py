"""Segmenters of a folder, on the smallest kind; all kinds are run by the tests of the stage ``semantics``."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from models.closed_set import DIVISOR, ClosedSetSegmenter
from models.errors import UnusableInput, WrongWeights

NAMES = {2: "sky", 0: "wall", 1: "floor"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("segformer")
    config = SegformerConfig(depths=[1] * 4, hidden_sizes=[8] * 4, decoder_hidden_size=8, id2label=NAMES)
    SegformerForSemanticSegmentation(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> ClosedSetSegmenter:
    return ClosedSetSegmenter.load(folder)


def pictures(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(count)) * 255


def copied(folder: Path, target: Path) -> Path:
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_names_come_in_the_order_of_their_numbers(segmenter: ClosedSetSegmenter):
    assert segmenter.names == ("wall", "floor", "sky")


def test_scores_are_a_distribution_over_names_at_any_size_asked_for(segmenter: ClosedSetSegmenter):
    scores = segmenter.scores(pictures(2, 48, 80), 64, (30, 50))
    assert scores.shape == (2, 3, 30, 50)
    assert torch.allclose(scores.sum(dim=1), torch.ones(2, 30, 50), atol=1e-6)


def test_a_picture_scores_alike_in_any_batch(segmenter: ClosedSetSegmenter):
    batch = pictures(3, 64, 96)
    alone = segmenter.scores(batch[1:2], 64, (16, 24))
    # float32 sums in another order
    assert torch.allclose(segmenter.scores(batch, 64, (16, 24))[1:2], alone, atol=1e-5)


def test_padding_is_the_mean_colour_and_its_scores_are_cut_off(segmenter: ClosedSetSegmenter):
    shown = pictures(1, 70, 90)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None] * 255
    padded = mean.expand(1, -1, 96, 96).clone()
    padded[..., :70, :90] = shown.round()
    whole = segmenter.scores(padded, 96, (96, 96))
    assert -70 % DIVISOR == 26
    # grey levels are rounded on resizing, and the mean is none
    assert (segmenter.scores(shown, 70, (70, 90)) - whole[..., :70, :90]).abs().mean() < 2e-3


def test_a_mean_and_deviation_that_lie_beside_the_network_are_used(folder: Path, tmp_path: Path):
    other = copied(folder, tmp_path)
    stated = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    (other / "preprocessor_config.json").write_text(json.dumps(stated))
    shown = pictures(1, 64, 64).round()
    network = SegformerForSemanticSegmentation.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = network(pixel_values=(shown / 255 - 0.5) / 0.25).logits
    expected = functional.interpolate(logits, (64, 64), mode="bilinear").softmax(dim=1)
    assert torch.allclose(ClosedSetSegmenter.load(other).scores(shown, 64, (64, 64)), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 4, 64, 64), (1, 64, 64, 3)])
def test_other_layouts_than_batches_of_three_planes_are_refused(segmenter: ClosedSetSegmenter, shape: tuple[int, ...]):
    with pytest.raises(UnusableInput, match=str(shape[-1])):
        segmenter.scores(torch.zeros(shape), 64, (8, 8))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "not json"),
        ("config.json", "[]"),
        ("preprocessor_config.json", "not json"),
        ("preprocessor_config.json", "[]"),
        ("model.safetensors", "<html>404</html>"),
    ],
)
def test_a_folder_with_a_damaged_file_is_refused_by_name(folder: Path, tmp_path: Path, name: str, content: str):
    (copied(folder, tmp_path) / name).write_text(content)
    with pytest.raises(WrongWeights, match=f"{tmp_path} cannot be read as a segmenter"):
        ClosedSetSegmenter.load(tmp_path)


def test_weights_in_a_pickle_are_not_read(folder: Path, tmp_path: Path):
    state = SegformerForSemanticSegmentation.from_pretrained(folder).state_dict()
    copied(folder, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(WrongWeights, match="safetensors"):
        ClosedSetSegmenter.load(tmp_path)
