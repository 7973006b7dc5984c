from pathlib import Path

import pytest
import torch

from models.array_cache import ArrayCache
from models.errors import UnusableVocabulary
from models.san.name_seeded import TINY, name_seeded_san
from models.san.network import San
from models.san.prompts import TEMPLATES, prompts
from models.san.text import WORDS_AT_ONCE, ClassEmbeddings, TextTower


@pytest.fixture(scope="module")
def san() -> San:
    return name_seeded_san(TINY)


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
    for path in tmp_path.rglob("*.npz"):
        cache.store(path.stem, {"embedding": torch.full((64,), 0.125).numpy()})
    again = ClassEmbeddings(san.ov_classifier, cache).of(["bed", "wall", "rug"])
    assert (again[:2] == 0.125).all()
    assert not torch.equal(first, again[:2])
    assert len(list(tmp_path.rglob("*.npz"))) == 3


def test_kept_embeddings_of_other_weights_are_not_used(san: San, tmp_path: Path):
    other = TextTower(TINY)
    other.load_state_dict({name: value * 2 for name, value in san.ov_classifier.state_dict().items()})
    ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"])
    ClassEmbeddings(other, ArrayCache(tmp_path)).of(["wall"])
    assert len(list(tmp_path.rglob("*.npz"))) == 2


def test_a_damaged_cache_file_is_computed_again(san: San, tmp_path: Path):
    expected = ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"])
    next(tmp_path.rglob("*.npz")).write_bytes(b"PK\x03\x04 cut")
    assert torch.equal(ClassEmbeddings(san.ov_classifier, ArrayCache(tmp_path)).of(["wall"]), expected)


def test_background_is_the_last_row_and_rows_have_the_length_of_the_scale(san: San):
    rows = san.ov_classifier.class_weights(san.text(["wall", "bed"]))
    assert rows.shape == (3, 64)
    assert torch.allclose(rows.norm(dim=1), san.ov_classifier.logit_scale.exp().expand(3))


def test_an_embedding_is_the_mean_over_the_sentences_of_a_word(san: San):
    with torch.no_grad():
        each = san.ov_classifier(prompts("wall"))
    assert each.shape == (len(TEMPLATES), 64)
    assert torch.allclose(each.norm(dim=1), torch.ones(len(TEMPLATES)), atol=1e-6)
    assert torch.allclose(san.text(["wall"])[0], torch.nn.functional.normalize(each.mean(dim=0), dim=0), atol=1e-6)


def test_a_text_is_read_at_its_end_and_padding_is_never_seen(san: San):
    texts = ["a bed", "a very long text about a bed, which goes on for more than twenty tokens or so, as one can count"]
    with torch.no_grad():
        together, alone = san.ov_classifier(texts), san.ov_classifier(texts[:1])
    assert torch.allclose(together[:1], alone, atol=1e-6)


def test_more_words_than_fit_at_once_are_all_computed(san: San):
    words = [f"thing number {number}" for number in range(WORDS_AT_ONCE + 3)]
    embeddings = ClassEmbeddings(san.ov_classifier).of(words)
    assert embeddings.shape == (len(words), 64)
    assert torch.allclose(embeddings[-1], ClassEmbeddings(san.ov_classifier).of(words[-1:])[0], atol=1e-6)


def test_embeddings_come_in_the_type_of_the_network(san: San):
    halved = TextTower(TINY)
    halved.load_state_dict(san.ov_classifier.state_dict())
    assert ClassEmbeddings(halved.bfloat16()).of(["wall"]).dtype == torch.bfloat16
