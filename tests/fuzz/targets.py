"""What is fuzzed: every reader of something from outside, with true inputs and the errors that it may end with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from pipeline.contract.errors import PipelineError
from training.errors import TrainingError

TYPED = (PipelineError, ModelError, TrainingError)
"""Errors that say what is wrong and what to do."""

Parse = Callable[[Path], object]
"""Reads the file that holds an input."""


@dataclass(frozen=True)
class Target:
    """One reader.

    place: of the file that is replaced by inputs, in the folder of ``prepare``. corpus: true inputs. parse: reads it.
    share: how many of a campaign's inputs it gets, in parts of all. allowed: errors that are answers.
    """

    name: str
    place: Path
    corpus: tuple[bytes, ...]
    parse: Parse
    share: int = 10
    allowed: tuple[type[Exception], ...] = TYPED


def targets(folder: Path) -> Iterator[Target]:
    """Yield all targets; ``folder`` is filled with what they read."""
    from tests.fuzz import of_datasets, of_networks, of_sources

    for module in (of_sources, of_datasets, of_networks):
        yield from module.targets(folder)
