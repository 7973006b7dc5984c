"""Words of the classes: the best synonym speaks for all, and whose words a network knows."""

import numpy as np
import pytest

from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.contract.errors import OtherWeights
from pipeline.contract.vocabulary import default_vocabulary
from tests.training.spoken_room import small_text
from training.language.words import ClassWords, check_text_side


def test_the_best_synonym_of_a_class_speaks_for_all():
    words = ClassWords(np.eye(4, dtype=np.float32), np.array([3, 3, 7, 9], np.uint8))
    cosines = np.array([[0.1, 0.8, 0.7, 0.6], [0.5, 0.1, 0.6, 0.2], [-0.9, -0.8, -0.7, -0.6]], np.float32)
    assert words.best(cosines).tolist() == [3, 7, 9]
    assert words.best(cosines).dtype == np.uint8


def test_every_class_has_words_and_what_is_no_part_of_a_room_has_none(words: ClassWords):
    vocabulary = default_vocabulary()
    assert set(words.labels.tolist()) == set(map(int, OCCUPIED_CLASSES))
    assert len(words.labels) == len(words.vectors) < len(vocabulary.words)
    assert np.allclose(np.linalg.norm(words.vectors, axis=1), 1, atol=1e-3)


def test_a_class_is_named_by_its_own_words(words: ClassWords):
    assert np.array_equal(words.best(words.vectors @ words.vectors.T), words.labels)


def test_weights_are_compared_by_content_and_not_by_name():
    text = small_text()
    renamed = {f"renamed_{name}": digest for name, digest in text.weights.items()}
    check_text_side(text, renamed, "network")
    with pytest.raises(OtherWeights, match=r"network has learned the vectors of clip\.pth"):
        check_text_side(text, {"clip.pth": "f" * 64}, "network")
    with pytest.raises(OtherWeights):
        check_text_side(text, {}, "network")
