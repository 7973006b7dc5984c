from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.contract.vocabulary import (
    GROUP_LABELS,
    MOVING_GROUP,
    UNKNOWN_GROUP,
    Vocabulary,
    closed_set_names,
    default_vocabulary,
    load_vocabulary,
)

_COMPLETE = "\n".join(f"  {c.name.lower()}: [{c.name.lower()}]" for c in OCCUPIED_CLASSES)


def test_every_word_stands_for_one_group_and_every_class_has_words():
    vocabulary = default_vocabulary()
    assert len(vocabulary.words) == len(vocabulary.groups)
    assert set(vocabulary.groups) == set(range(len(GROUP_LABELS)))


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("couch", SemanticClass.SOFA),
        ("curtain", SemanticClass.WINDOW),
        ("door", SemanticClass.OBJECTS),
        ("refrigerator", SemanticClass.OBJECTS),
        ("bathtub", SemanticClass.FURNITURE),
        ("desk", SemanticClass.TABLE),
        ("sky", SemanticClass.UNKNOWN),
        ("person", SemanticClass.UNKNOWN),
    ],
)
def test_words_follow_the_benchmarks_mapping(word: str, label: SemanticClass):
    vocabulary = default_vocabulary()
    assert GROUP_LABELS[vocabulary.groups[vocabulary.words.index(word)]] == label


def test_people_and_pets_move_but_skies_do_not():
    vocabulary = default_vocabulary()
    group = dict(zip(vocabulary.words, vocabulary.groups.tolist(), strict=True))
    assert {group[word] for word in ("person", "hand", "dog", "cat")} == {MOVING_GROUP}
    assert {group[word] for word in ("sky", "tree", "text overlay", "logo")} == {UNKNOWN_GROUP}


def test_closed_set_names_agree_with_the_prompts_where_they_share_a_word():
    ours, theirs = default_vocabulary(), closed_set_names()
    group = dict(zip(theirs.words, theirs.groups.tolist(), strict=True))
    shared = {word: number for word, number in zip(ours.words, ours.groups.tolist(), strict=True) if word in group}
    assert len(shared) > 30
    assert shared == {word: group[word] for word in shared}


def test_reads_a_users_file(tmp_path: Path):
    (tmp_path / "words.yaml").write_text(f"classes:\n{_COMPLETE}\nmoving: [robot vacuum]\n")
    vocabulary = load_vocabulary(tmp_path / "words.yaml")
    assert vocabulary.words[-1] == "robot vacuum"
    assert np.array_equal(vocabulary.groups, [*range(11), MOVING_GROUP])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "dictionary"),
        ("classes: {wall: [wall]}", "no words for ceiling, floor, window"),
        (f"classes:\n{_COMPLETE.replace('[bed]', '[]')}", "no words for bed"),
        (f"classes:\n{_COMPLETE}\n  garage: [car]", "no class garage"),
        (f"classes:\n{_COMPLETE}\nunknown: [sky, Wall ]", "more than once: wall"),
        (f"classes:\n{_COMPLETE}\nunknown: ['  ']", "blank"),
        (f"classes:\n{_COMPLETE}\nmovable: [dog]", "movable"),
        ("classes: [", "not YAML"),
        ("classes: !!python/object/apply:os.getcwd []", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_entry(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load_vocabulary(tmp_path / "words.yaml")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"nothing\.yaml"):
        load_vocabulary(tmp_path / "nothing.yaml")


def test_words_and_groups_stand_in_the_order_of_the_classes():
    words = {c.name.lower(): (f"{c.name} one", f"{c.name} two") for c in reversed(OCCUPIED_CLASSES)}
    vocabulary = Vocabulary(classes=words, unknown=("sky",), moving=("dog",))
    assert vocabulary.words[:2] == ("CEILING one", "CEILING two")
    assert vocabulary.words[-2:] == ("sky", "dog")
    assert vocabulary.groups.tolist() == [*np.repeat(np.arange(11), 2), UNKNOWN_GROUP, MOVING_GROUP]
    with pytest.raises(ValidationError):
        vocabulary.unknown = ()  # type: ignore[misc]
