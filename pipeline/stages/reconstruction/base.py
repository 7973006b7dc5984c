"""What a backend of the stage ``reconstruction`` is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pipeline.contract.arrays import Images
from pipeline.contract.records import Reconstruction


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
