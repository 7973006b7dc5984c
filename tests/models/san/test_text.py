from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.array_cache import ArrayCache
from models.errors import UnusableVocabulary
from models.san.name_seeded import TINY, name_seeded_san
from models.san.network import San
from models.san.prompts import END, START, TEMPLATES, prompts, tokenize
from models.san.text import ClassEmbeddings, TextTower


@pytest.fixture(scope="module")
def san() -> San:
    return name_seeded_san(TINY)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a wall.", [49406, 320, 1125, 539, 320, 2569, 269, 49407]),
        (
            "There is a large television set in the scene.",
            [49406, 997, 533, 320, 3638, 8608, 1167, 530, 518, 3562, 269, 49407],
        ),
        ("This is a photo of a café table", [49406, 589, 533, 320, 1125, 539, 320, 15304, 2175, 49407]),
        ("a photo of a 3d printer.", [49406, 320, 1125, 539, 320, 274, 323, 14521, 269, 49407]),
    ],
)
def test_tokens_are_those_of_clip(text: str, ids: list[int]):
    assert tokenize([text]) == [ids]


def test_tokens_do_not_depend_on_case_spacing_or_html_entities():
    plain, *others = tokenize(["bed & sofa", "  Bed \n&  SOFA ", "bed &amp; sofa", "bed &amp;amp; sofa"])
    assert others == [plain] * 3


@given(st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_text_keeps_its_marks_at_the_ends(text: str):
    ids = tokenize([text])[0]
    assert ids[0] == START
    assert ids[-1] == END
    assert all(0 <= number < START for number in ids[1:-1])


def test_there_are_fourteen_different_prompts_a_word():
    assert len(set(prompts("{}"))) == 14
    assert all(TEMPLATE.count("{}") == 1 for TEMPLATE in TEMPLATES)
    assert "There is the potted plant in the scene" in prompts("potted plant")


@pytest.mark.parametrize(
    ("vocabulary", "complaint"),
    [
        ([], "empty"),
        (["wall", " "], "blank"),
        (["sofa", "bed", "Sofa "], "sofa"),
        (["wall", "very " * 80 + "long corridor"], "very very"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_names_the_entry(san: San, vocabulary: list[str], complaint: str):
    with pytest.raises(UnusableVocabulary, match=complaint):
        san.text(vocabulary)


def test_embeddings_are_unit_vectors_in_the_order_of_the_words(san: San):
    forth, back = san.text(["wall", "bed", "rug"]), san.text(["rug", "bed", "wall"])
    assert torch.equal(forth, back.flip(0))
    assert torch.allclose(forth.norm(dim=1), torch.ones(3))


def test_an_embedding_does_not_depend_on_the_other_words(san: San):
    fresh = ClassEmbeddings(san.ov_classifier)
    long_companion = "a remarkably long description of an old wooden cupboard"
    # Companions change the padding of the batch, and with it only the order of float32 sums.
    assert torch.allclose(fresh.of(["wall", long_companion])[0], san.text(["wall"])[0], atol=1e-6)


def test_kept_embeddings_are_used_instead_of_the_tower(san: San, tmp_path: Path):
    cache = ArrayCache(tmp_path)
    first = ClassEmbeddings(san.ov_classifier, cache).of(["wall", "bed"])
    for path in tmp_path.iterdir():
        cache.store(path.stem, {"embedding": torch.full((64,), 0.125).numpy()})
    again = ClassEmbeddings(san.ov_classifier, cache).of(["bed", "wall", "rug"])
    assert (again[:2] == 0.125).all()
    assert not torch.equal(first, again[:2])
    assert len(list(tmp_path.iterdir())) == 3


def test_kept_embeddings_of_other_weights_are_not_used(san: San, tmp_path: Path):
    other = TextTower(TINY)
    other.load_state_dict({name: value * 2 for name, value in san.ov_classifier.state_dict().items()})
    ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"])
    ClassEmbeddings(other, ArrayCache(tmp_path)).of(["wall"])
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_cache_file_is_computed_again(san: San, tmp_path: Path):
    expected = ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"])
    next(tmp_path.iterdir()).write_bytes(b"PK\x03\x04 cut")
    assert torch.equal(ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"]), expected)


def test_background_is_the_last_row_and_rows_have_the_length_of_the_scale(san: San):
    rows = san.ov_classifier.class_weights(san.text(["wall", "bed"]))
    assert rows.shape == (3, 64)
    assert torch.allclose(rows.norm(dim=1), san.ov_classifier.logit_scale.exp().expand(3))
