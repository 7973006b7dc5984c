"""What a backend of the stage ``indoor_clips`` is."""

from collections.abc import Mapping
from typing import Protocol

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore


class IndoorFilter(Protocol):
    """Tells indoor from outdoor clips.

    One with an attribute ``sees_whole`` that is true is shown upright pictures whole, any other their middle, 4:3.
    """

    name: str

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of every file of weights, by name; empty where none is needed."""
        ...

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB."""
        ...
