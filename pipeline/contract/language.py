"""Words and pictures in CLIP's space, for whoever compares them: what is needed of a network, whoever provides it.

Training compares what a network says with words and with an image network, without knowing how the pipeline makes
either: what provides them is found by the entry points ``youtube_occ.language``.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import Semantics

ENTRY_POINTS = "youtube_occ.language"
NO_MEANING = "these weights are synthetic, not trained: the answers mean nothing"


class TextSide(Protocol):
    """The text side of the weights that made region embeddings."""

    @property
    def name(self) -> str:
        """Return the name or path of the weights."""
        ...

    @property
    def weights(self) -> Mapping[str, str]:
        """Return the SHA-256 of the checkpoint, by the name of its file."""
        ...

    @property
    def means_nothing(self) -> bool:
        """Tell whether the weights are name-seeded, so that no answer means anything."""
        ...

    def embed(self, queries: Sequence[str]) -> Floats:
        """Return unit vectors (P, E) float32 of queries; raises ``UnusableQuery``."""
        ...


class RegionNetwork(Protocol):
    """An image network that cuts pictures into regions and gives each an embedding."""

    def label(self, rgb: Images, size: tuple[int, int]) -> Semantics:
        """Return labels, regions and embeddings of frames (n, 480, 640, 3) at a resolution ``size`` (h, w)."""
        ...


def text_side(weights: str) -> TextSide:
    """Return the text side of weights: a name in the registry, or a checkpoint's path; raises ``SettingsError``."""
    made: TextSide = _provider("text_side")(weights)
    return made


def region_network(weights: str) -> RegionNetwork:
    """Return the image network of weights, as ``text_side``; raises ``SettingsError``."""
    made: RegionNetwork = _provider("region_network")(weights)
    return made


def _provider(name: str) -> Callable[[str], Any]:
    found = next(iter(entry_points(group=ENTRY_POINTS, name=name)), None)
    if found is None:
        raise SettingsError(f"no installed package provides a {name}: install this project with pip ('make install')")
    provider: Callable[[str], Any] = found.load()
    return provider
