"""The spoken room, the words of the classes, and a network that has learned the room by heart."""

from pathlib import Path

import pytest

from pipeline.contract.vocabulary import default_vocabulary
from tests.training.spoken_room import small_text, spoken_frames
from tests.training.tiny_runs import quick
from training.data import StoredFrames
from training.language.embeddings import SpokenFrames
from training.language.words import ClassWords, class_words
from training.runs import learn_language
from training.settings import LanguageSettings


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> SpokenFrames:
    return spoken_frames(tmp_path_factory.mktemp("spoken"))


@pytest.fixture(scope="session")
def first(room: SpokenFrames) -> SpokenFrames:
    """The first of the room's six frames alone."""
    return SpokenFrames(StoredFrames(room.frames.store, "all", every=6))


@pytest.fixture(scope="session")
def words() -> ClassWords:
    return class_words(small_text(), default_vocabulary())


@pytest.fixture(scope="session")
def learned(first: SpokenFrames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has seen the first frame thirty times."""
    folder = tmp_path_factory.mktemp("learned") / "network"
    loop = quick(epochs=30, batch_size=1, decay_at=1, learning_rate=1e-2)
    learn_language(first, "small", None, LanguageSettings(loop=loop), folder)
    return folder
