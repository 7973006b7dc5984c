"""What a pool of workers is, and what it is given and gives."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class VideoBuild:
    """How the build of one video ended; ``detail`` says why it failed."""

    video_id: str
    built: bool
    detail: str


@dataclass(frozen=True)
class Order:
    """A run of ``process_video`` that a worker is to make: its configuration and its tags.

    is_shown: whether Dagster's pages show it, which costs records for ever.
    """

    run_config: Mapping[str, Any]
    tags: Mapping[str, str]
    is_shown: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a worker says once a run is over.

    worn: it had better be replaced before the next video. error: why there was no run that could say so itself.
    """

    worn: bool = False
    error: str = ""


class WorkerDied(Exception):
    """A worker is gone, and what it worked on is not done; the message says how it ended."""


class WorkerLost(WorkerDied):
    """A worker on another machine is gone or out of reach, perhaps with that machine: its video is tried again."""


class Worker(Protocol):
    """Makes one run after another, once it is ready."""

    def ready(self, timeout_s: float) -> bool:
        """Wait until it can be given something to do, or for so long; raises ``WorkerDied``, ``PipelineError``."""
        ...

    def begin(self, order: Order) -> None:
        """Have a run made."""
        ...

    def answer(self, timeout_s: float) -> Outcome | None:
        """Return what the worker said, or None where it says nothing for so long; raises ``WorkerDied``."""
        ...

    def leave(self) -> None:
        """End it between two runs."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Pool(Protocol):
    """Builds videos, several at once."""

    def build(self, videos: Iterable[str]) -> Iterator[VideoBuild]:
        """Yield how every build ended, as they end."""
        ...

    def stop(self) -> None:
        """End what is still being built; return when nothing is."""
        ...
