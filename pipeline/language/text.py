"""The text side of the network that made the region embeddings: any words become vectors to compare regions with."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.errors import UnusableVocabulary
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import OtherWeights, UnusableQuery
from pipeline.stages.semantics.san import SanSegmenter, network_of
from pipeline.stages.semantics.settings import SanSettings

if TYPE_CHECKING:
    from models.san import AnySan

ARTICLES = ("a ", "an ", "the ")
"""Dropped from the front of a query: the 14 sentences that CLIP is asked in bring their own."""


def text_side_of(weights: str) -> "SanText":
    """Return the text side of weights; what ``pipeline.contract.language`` provides."""
    return SanText(SanSettings(weights=weights))


class SanText:
    """SAN's CLIP text tower with the weights that the settings name; implements ``TextSide``."""

    def __init__(self, settings: SanSettings) -> None:
        self.settings = settings

    @property
    def name(self) -> str:
        """Name or path of the weights."""
        return self.settings.weights

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the checkpoint, by the name of its file."""
        return SanSegmenter(self.settings).weights

    def embed(self, queries: Sequence[str]) -> Floats:
        """Return unit vectors (P, E) float32 of queries.

        Raises:
            UnusableQuery: none, an empty one, one in another script or too long, one given twice, or one that is
                none of the words that a small network knows.
            SettingsError: the weights cannot be had.
        """
        words = checked_queries(queries)
        try:
            text = self._network.text(words)
        except UnusableVocabulary as error:
            raise UnusableQuery(f"ask in other words: {error}") from error
        vectors: Floats = text.detach().float().cpu().numpy()
        return vectors

    def is_of(self, weights: Mapping[str, str]) -> bool:
        """Tell whether embeddings that such weights made (SHA-256 by name of file) come from these very ones."""
        return set(weights.values()) == set(self.weights.values())

    def check_made(self, weights_of: Mapping[str, Mapping[str, str]]) -> None:
        """Make sure that embeddings come from these very weights.

        weights_of: what the stage ``semantics`` noted, by video.

        Raises:
            OtherWeights: those of some videos do not.
        """
        strange = sorted(video_id for video_id, noted in weights_of.items() if not self.is_of(noted))
        if strange:
            named = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
            raise OtherWeights(
                f"the regions of {named} were embedded by other weights than {self.settings.weights} "
                f"({', '.join(sorted({name for video_id in strange for name in weights_of[video_id]}))}): name those "
                "with --profile or --set semantics.san.weights=..., or run the stage 'semantics' of these videos again"
            )

    @cached_property
    def means_nothing(self) -> bool:
        """Whether the weights are synthetic (name-seeded): everything runs with them, and no answer means anything."""
        from models.san.name_seeded import is_name_seeded

        return is_name_seeded(self._network)

    @cached_property
    def _network(self) -> "AnySan":
        import torch

        return network_of(self.settings, torch.device("cpu"), self.weights)


def checked_queries(queries: Sequence[str]) -> list[str]:
    """Return queries without their articles, as they go into CLIP's sentences.

    Raises:
        UnusableQuery: none, an empty one, one that CLIP's English training says nothing about, or one given twice.
    """
    if not queries:
        raise UnusableQuery("there is no query: give some words")
    words = [_bare(query) for query in queries]
    twice = [word for word, count in Counter(word.lower() for word in words).items() if count > 1]
    if twice:
        raise UnusableQuery(f"given more than once: {', '.join(twice)}")
    return words


def read_prompts(path: Path) -> tuple[str, ...]:
    """Read a list of prompts, one a line; blank lines and those that begin with # are skipped.

    Raises:
        UnusableQuery: the file cannot be read, or ``checked_queries`` refuses its lines.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableQuery(f"cannot read the prompts {path}: {error}") from error
    prompts = tuple(line for line in lines if line and not line.startswith("#"))
    checked_queries(prompts)
    return prompts


def cosine(vectors: np.ndarray, text: Floats) -> Floats:
    """Return the products (R, P) float32 of unit vectors (R, E), float16 or float32, with unit vectors (P, E)."""
    return np.asarray(vectors, np.float32) @ text.T


def _bare(query: str) -> str:
    words = " ".join(query.split())
    letters = [character for character in words if unicodedata.category(character).startswith("L")]
    if not letters:
        raise UnusableQuery(f"{query!r} holds no word: describe what to look for, as in 'a wooden bookshelf'")
    strange = [character for character in letters if "LATIN" not in unicodedata.name(character, "")]
    if strange:
        raise UnusableQuery(f"{query!r}: CLIP has learned English; write the query in English, not with {strange[0]!r}")
    article = next((article for article in ARTICLES if words.lower().startswith(article)), "")
    return words[len(article) :]
