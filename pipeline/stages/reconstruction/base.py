"""What a backend of the stage ``reconstruction`` is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.contract.arrays import Images
from pipeline.contract.records import Reconstruction


class FramesBetween(Protocol):
    """Looks into a clip's source for frames between those that are stored."""

    def __call__(self, wanted: Sequence[int]) -> list[Images]:
        """Return for each step from a stored frame to the next (n - 1) up to ``wanted`` frames, evenly spread.

        (k, 480, 640, 3) uint8 RGB each; fewer where the source has no more.
        """
        ...


class Reconstructor(Protocol):
    """Finds cameras and depth of a clip."""

    name: str

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of every file of weights, by name; empty where none is needed."""
        ...

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB; ``scratch`` is an empty folder for temporary files.

        Raises ``ClipError`` rather than returning a reconstruction that cannot be trusted.
        """
        ...


@runtime_checkable
class WalkReconstructor(Protocol):
    """A backend that may look at frames between those of the clip."""

    def reconstruct_walk(self, rgb: Images, scratch: Path, between: FramesBetween) -> Reconstruction:
        """Reconstruct as ``Reconstructor.reconstruct``; what is returned is of the frames ``rgb`` alone."""
        ...
