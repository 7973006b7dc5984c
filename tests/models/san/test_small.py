import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from models.errors import UnusableInput, UnusableVocabulary, WrongWeights
from models.san import San, SmallSan
from models.san.side import SideLayer
from models.san.small import FineMasks, SmallSanConfig, Stem, WordTable

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
    with pytest.raises(UnusableVocabulary, match="'piano'; all it knows: floor, carpet"):
        San.load(san_file).text(["sofa", "piano"])


IMPOSSIBLE = (
    {"words": []},
    {"queries": 100_000},
    {"stem": [4, 8, 8, -16]},
    {"stem": [4, 8, 16]},
    {"stem": [4, 8, 8, 18]},
    {"side_width": 18},
    {"layers": 3},
)


@pytest.mark.parametrize("sizes", IMPOSSIBLE, ids=str)
def test_sizes_that_make_no_network_are_refused(sizes: dict[str, object]):
    with pytest.raises(ValidationError):
        SmallSanConfig.model_validate({**SIZES.model_dump(), **sizes})


@pytest.mark.parametrize("config", ["{}", "no json", "[]", json.dumps({**SIZES.model_dump(), **IMPOSSIBLE[2]})])
def test_impossible_sizes_are_refused(san_file: Path, config: str):
    save_file(load_file(san_file), san_file, metadata={"config": config})
    with pytest.raises(WrongWeights, match=r"san\.safetensors"):
        San.load(san_file)


def test_sizes_that_do_not_fit_the_tensors_are_refused(san_file: Path):
    other = SIZES.model_copy(update={"side_width": 32}).model_dump_json()
    save_file(load_file(san_file), san_file, metadata={"config": other})
    with pytest.raises(WrongWeights, match="does not fit this network"):
        San.load(san_file)


@pytest.fixture(scope="module")
def network() -> SmallSan:
    torch.manual_seed(0)
    return SmallSan(SIZES).eval().requires_grad_(requires_grad=False)


def pictures(*sizes: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(3, *size, generator=generator) * 255 for size in sizes]


def test_a_picture_answers_alike_in_any_batch_of_its_size(network: SmallSan):
    shown, text = pictures((64, 96), (64, 96), (64, 96)), network.text(["wall", "sofa"])
    together, alone = network(shown, text), network(shown[1:2], text)
    assert torch.allclose(together.class_logits[1:2], alone.class_logits, atol=1e-4)
    assert torch.allclose(together.mask_logits[1:2], alone.mask_logits, atol=1e-4)


def test_what_it_proposes_does_not_depend_on_words(network: SmallSan):
    shown = pictures((64, 64))
    proposals = network.propose(shown)
    few, many = (network(shown, network.text(words)) for words in (["sofa"], ["wall", "sofa"]))
    assert torch.equal(few.mask_logits, proposals.mask_logits)
    assert torch.equal(many.region_embeddings, proposals.region_embeddings)
    assert torch.allclose(few.class_logits, many.class_logits[..., [1, 2]], atol=1e-5)
    assert torch.allclose(proposals.region_embeddings.norm(dim=-1), torch.ones(1, 3), atol=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (33, 100), (224, 160)])
def test_masks_lie_at_a_quarter_and_biases_at_a_sixteenth_of_the_padded_picture(
    network: SmallSan, size: tuple[int, int]
):
    proposals = network.propose(pictures(size))
    height, width = (-(-side // 32) * 32 for side in size)
    assert proposals.padded_size == (height, width)
    assert proposals.mask_logits.shape == (1, 3, height // 4, width // 4)
    assert proposals.attention_bias.shape == (1, SIZES.tower_heads, 3, height // 16, width // 16)


def test_pictures_it_cannot_read_are_refused(network: SmallSan):
    for shown in ([], [torch.zeros(32, 32)], [torch.full((3, 32, 32), torch.nan)]):
        with pytest.raises(UnusableInput):
            network.propose(shown)


def test_the_stem_halves_four_times():
    quarter, eighth, sixteenth = Stem((4, 5, 6, 7)).eval()(torch.zeros(2, 3, 64, 96))
    assert quarter.shape == (2, 5, 16, 24)
    assert eighth.shape == (2, 6, 8, 12)
    assert sixteenth.shape == (2, 7, 4, 6)


def test_fine_masks_are_products_of_queries_and_pixels_over_the_root_of_their_width():
    masks = FineMasks(SIZES).eval()
    layer = SideLayer(torch.randn(1, 3, 16), torch.randn(1, 16, 2, 2))
    quarter, eighth = torch.randn(1, 8, 8, 8), torch.randn(1, 8, 4, 4)
    found = masks(layer, quarter, eighth)
    kept: list[torch.Tensor] = []
    masks.out.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    assert torch.equal(masks(layer, quarter, eighth), found)
    queries = masks.query_mlp(layer.queries)
    assert torch.allclose(found[0, 2, 5, 3], queries[0, 2] @ kept[0][0, :, 5, 3] / SIZES.channels**0.5, atol=1e-5)


def test_every_parameter_that_masks_and_classes_need_gets_a_gradient():
    torch.manual_seed(0)
    small = SmallSan(SIZES)
    output = small(pictures((64, 64), (64, 64)), small.text(["wall", "floor"]))
    (output.mask_logits.square().mean() + output.class_logits.square().mean()).backward()
    assert [name for name, value in small.named_parameters() if value.grad is None] == []


def test_background_is_the_last_row_and_rows_have_the_length_of_the_scale():
    table = WordTable(SIZES)
    torch.nn.init.normal_(table.groups)
    torch.nn.init.normal_(table.background)
    torch.nn.init.constant_(table.logit_scale, 2.0)
    rows = table.class_weights(table(["wall", "floor"])).detach()
    assert torch.allclose(rows.norm(dim=1), torch.tensor(2.0).exp().expand(3))
    direction = table.background[0].detach() / table.background[0].detach().norm()
    assert torch.allclose(rows[-1], direction * torch.tensor(2.0).exp(), atol=1e-5)


@pytest.mark.parametrize(
    ("words", "complaint"), [([], "empty"), (["wall", " "], "blank"), (["wall", "Wall"], "more than once: wall|wall$")]
)
def test_a_vocabulary_that_cannot_be_used_is_refused(network: SmallSan, words: list[str], complaint: str):
    with pytest.raises(UnusableVocabulary, match=complaint):
        network.text(words)


def test_fingerprints_follow_every_weight(network: SmallSan):
    torch.manual_seed(0)
    again = SmallSan(SIZES)
    assert again.fingerprint == network.fingerprint
    with torch.no_grad():
        again.table.groups[0, 0] += 1e-3
    assert again.fingerprint != network.fingerprint
