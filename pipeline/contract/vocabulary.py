"""Words and the classes they stand for: prompts of an open-vocabulary segmenter, or names of a closed-set one."""

from collections import Counter
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.contract.values import load_yaml

GROUP_LABELS = np.array([*OCCUPIED_CLASSES, SemanticClass.UNKNOWN, SemanticClass.UNKNOWN], np.uint8)
"""Label of each group of words: the eleven classes, then what is no part of the room, then what moves."""
UNKNOWN_GROUP, MOVING_GROUP = len(OCCUPIED_CLASSES), len(OCCUPIED_CLASSES) + 1


class Vocabulary(BaseModel):
    """Words of each of the eleven classes, and of what gets no label because it is outside or because it moves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...] = Field((), description="words whose pixels get no label: sky, trees, captions")
    moving: tuple[str, ...] = Field((), description="words whose pixels leave the geometry too: people, pets")

    @property
    def words(self) -> tuple[str, ...]:
        """All words, group by group."""
        return tuple(word for group in self._groups() for word in group)

    @property
    def groups(self) -> NDArray[np.int64]:
        """Index into ``GROUP_LABELS`` of every word: (C,) int64."""
        return np.repeat(np.arange(len(GROUP_LABELS)), [len(group) for group in self._groups()])

    def _groups(self) -> list[tuple[str, ...]]:
        return [*(self.classes[c.name.lower()] for c in OCCUPIED_CLASSES), self.unknown, self.moving]

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [c.name.lower() for c in OCCUPIED_CLASSES]
        strange = [name for name in self.classes if name not in names]
        if strange:
            raise ValueError(f"there is no class {', '.join(strange)}; the classes are {', '.join(names)}")
        bare = [name for name in names if not self.classes.get(name)]
        if bare:
            raise ValueError(f"no words for {', '.join(bare)}")
        counted = Counter(" ".join(word.lower().split()) for word in self.words)
        if "" in counted:
            raise ValueError("a word is blank")
        twice = [word for word, count in counted.items() if count > 1]
        if twice:
            raise ValueError(f"given more than once: {', '.join(twice)}")
        return self


def default_vocabulary() -> Vocabulary:
    """Return the prompts that come with the project (``pipeline/vocabulary.yaml``)."""
    return _parse((files("pipeline.contract") / "vocabulary.yaml").read_text(), "vocabulary.yaml")


def closed_set_names() -> Vocabulary:
    """Return the names of ADE20K-150, COCO-Stuff-171 and COCO panoptic (``pipeline/closed_set.yaml``)."""
    return _parse((files("pipeline.contract") / "closed_set.yaml").read_text(), "closed_set.yaml")


def load_vocabulary(path: Path) -> Vocabulary:
    """Read a user's vocabulary: YAML with ``classes``, ``unknown`` and ``moving``.

    Raises:
        SettingsError: unreadable, a class without words, a class that does not exist, a word twice or blank.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the vocabulary {path}: {error}") from error
    return _parse(text, path.name)


@lru_cache(maxsize=8)
def _parse(text: str, origin: str) -> Vocabulary:
    try:
        return Vocabulary.model_validate(load_yaml(text))
    except yaml.YAMLError as error:
        raise SettingsError(f"{origin} is not YAML: {error}") from error
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors())
        raise SettingsError(f"{origin}: {found}") from error
