"""What a backend of the stage ``semantics`` is."""

from collections.abc import Mapping
from typing import Protocol

from pipeline.contract.arrays import Images
from pipeline.contract.records import MetricScene, Semantics


class Segmenter(Protocol):
    """Labels the pixels of a clip."""

    name: str

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of every file of weights, by name; empty where none is needed."""
        ...

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at the resolution of ``scene.depth``."""
        ...
