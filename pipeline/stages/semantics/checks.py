"""Checks of the stage ``semantics``."""

from collections.abc import Mapping

import numpy as np

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.stages.base import Finding
from pipeline.store.groups import SEMANTICS
from pipeline.store.rows import clip_rows
from pipeline.store.video import VideoStore

LARGEST_CLASS = 0.95
"""Share of the labelled pixels that one class may have: no room shows a single class."""


def label_histogram(video: VideoStore) -> Finding:
    """Labels are classes of the list, and no class has nearly all of the labelled pixels."""
    pixels = np.zeros(256, np.int64)
    for _, rows in clip_rows(video):
        pixels += np.bincount(video.read(SEMANTICS, "labels", rows).ravel(), minlength=256)
    labelled = pixels[: SemanticClass.UNKNOWN].sum()
    shares = {c.name.lower(): float(pixels[c] / max(labelled, 1)) for c in OCCUPIED_CLASSES}
    passed = np.isclose(sum(shares.values()), 1) and max(shares.values()) <= LARGEST_CLASS
    detail = f"{labelled / pixels.sum():.0%} of the pixels are labelled; the most frequent class: {_largest(shares)}"
    return Finding(bool(passed), detail, shares)


def _largest(shares: Mapping[str, float]) -> str:
    name = max(shares, key=lambda key: shares[key])
    return f"{name}, {shares[name]:.0%}"
