import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.dust3r import Dust3r
from models.errors import UnusableVocabulary, WrongWeights
from models.indoor.small import IndoorNet
from models.san import San, SmallSan
from models.san.small import SmallSanConfig
from models.weights.cache import SHIPPED, locate, shipped

WORDS = (("floor", "carpet"), ("wall",), ("sofa", "couch"))
SIZES = SmallSanConfig(
    words=WORDS, stem=(4, 8, 8, 16), tower_layers=1, side_width=16, side_layers=1, queries=3, channels=8, embedding=8
)


@pytest.fixture
def san_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return written(SmallSan(SIZES), SIZES.model_dump_json(), tmp_path / "san.safetensors")


def written(network: torch.nn.Module, config: str, path: Path) -> Path:
    state = {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
    save_file({name: value.half().contiguous() for name, value in state.items()}, path, metadata={"config": config})
    return path


def test_a_small_san_is_loaded_by_the_same_call_and_answers_alike(san_file: Path):
    network = San.load(san_file)
    assert isinstance(network, SmallSan)
    assert not network.training
    text = network.text(["couch", "wall"])
    assert torch.allclose(text.norm(dim=1), torch.ones(2), atol=1e-3)
    pictures = [torch.full((3, 40, 70), 120.0), torch.zeros(3, 64, 64)]
    output = network(pictures, text)
    assert output.mask_logits.shape == (2, 3, 16, 24)
    assert output.attention_bias.shape == (2, 4, 3, 4, 6)
    assert output.class_logits.shape == (2, 3, 3)
    assert output.semantic_map(20, 30).shape == (2, 2, 20, 30)


def test_words_of_one_group_are_one(san_file: Path):
    network = San.load(san_file)
    text = network.text(["sofa", " Couch ", "floor"])
    assert torch.equal(text[0], text[1])
    assert not torch.allclose(text[0], text[2])


def test_a_word_that_is_not_in_the_table_is_named_with_those_that_are(san_file: Path):
    with pytest.raises(UnusableVocabulary, match="'piano'; it knows floor, carpet"):
        San.load(san_file).text(["sofa", "piano"])


@pytest.mark.parametrize("config", ["{}", "no json", json.dumps({"words": [], "queries": 3}), '{"queries": 100000}'])
def test_impossible_sizes_are_refused(san_file: Path, config: str):
    save_file(load_file(san_file), san_file, metadata={"config": config})
    with pytest.raises(WrongWeights, match=r"san\.safetensors"):
        San.load(san_file)


def test_sizes_that_do_not_fit_the_tensors_are_refused(san_file: Path):
    other = SIZES.model_copy(update={"side_width": 32}).model_dump_json()
    save_file(load_file(san_file), san_file, metadata={"config": other})
    with pytest.raises(WrongWeights, match="does not fit this network"):
        San.load(san_file)


def test_the_indoor_network_takes_pictures_of_any_size():
    network = IndoorNet().eval()
    assert network(torch.full((2, 3, 48, 64), 200, dtype=torch.uint8)).shape == (2,)
    assert network(torch.rand(1, 3, 480, 640) * 255).shape == (1,)


def test_shipped_weights_load_by_name():
    loaders = {"indoor_small": IndoorNet.load, "san_small": San.load, "dust3r_small": Dust3r.load}
    assert set(shipped()) == set(loaders)
    for name, load in loaders.items():
        assert all(value.isfinite().all() for value in load(name).state_dict().values())


def test_shipped_weights_are_small_halves_with_a_card():
    files = [locate(name) for name in shipped()]
    assert sum(file.stat().st_size for file in files) < 60e6
    for file in files:
        with safe_open(file, "pt") as opened:
            assert {opened.get_tensor(name).dtype for name in opened.keys()} == {torch.float16}  # noqa: SIM118
        card = (SHIPPED / f"{file.stem}.md").read_text()
        assert all(heading in card for heading in ("## Data", "## Recipe", "## Figures", "## Not for"))
