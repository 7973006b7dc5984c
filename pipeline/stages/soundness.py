"""Measures of a stored result that tell at a glance whether it is sound; shown as asset checks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.store.files import VideoStore
from pipeline.store.rows import CLASS_COUNTS, clip_rows

LEAST_DEPTH = 0.3
"""Share of pixels with depth below which a video's grids are mostly holes: half of what the tours reach."""

LEAST_UP_CONFIDENCE = 0.5
"""Share of the evidence that must agree on 'up': below one half, most of it disagrees."""

LARGEST_CLASS = 0.95
"""Share of the labelled pixels that one class may have: no room shows a single class."""


@dataclass(frozen=True)
class Finding:
    """What a check found: whether the result is sound, one sentence, and the figures behind it."""

    passed: bool
    detail: str
    figures: Mapping[str, float]


def frames_shape(video: VideoStore) -> Finding:
    """Every kept frame is a 640 x 480 picture with its clip, number and time."""
    shape = video.read("frames", "rgb", slice(0, 1)).shape[1:]
    lengths = {name: len(video.read("frames", name)) for name in ("clip_id", "frame_index", "time_s", "indoor_score")}
    passed = shape == (FRAME_HEIGHT, FRAME_WIDTH, 3) and len(set(lengths.values())) == 1
    return Finding(passed, f"pictures of shape {shape}; rows: {lengths}", {"frames": lengths["clip_id"]})


def depth_share(video: VideoStore) -> Finding:
    """Most frames have depth on enough of their pixels."""
    share = float(np.median(_registered(video, "depth_share")))
    return Finding(share >= LEAST_DEPTH, f"the median frame has depth on {share:.0%} of its pixels", {"median": share})


def up_confidence(video: VideoStore) -> Finding:
    """Every clip's up direction rests on evidence that agrees."""
    least = float(_registered(video, "up_confidence").min())
    return Finding(least >= LEAST_UP_CONFIDENCE, f"the least certain clip has confidence {least:.2f}", {"least": least})


def label_histogram(video: VideoStore) -> Finding:
    """Labels are classes of the list, and no class has nearly all of the labelled pixels."""
    pixels = np.zeros(256, np.int64)
    for _, rows in clip_rows(video):
        pixels += np.bincount(video.read("semantics", "labels", rows).ravel(), minlength=256)
    labelled = pixels[: SemanticClass.UNKNOWN].sum()
    shares = {c.name.lower(): float(pixels[c] / max(labelled, 1)) for c in OCCUPIED_CLASSES}
    passed = np.isclose(sum(shares.values()), 1) and max(shares.values()) <= LARGEST_CLASS
    detail = f"{labelled / pixels.sum():.0%} of the pixels are labelled; the most frequent class: {_largest(shares)}"
    return Finding(bool(passed), detail, shares)


def grid_shape(video: VideoStore) -> Finding:
    """Every grid has 60 x 60 x 36 voxels, each counted once."""
    shape = video.read("occupancy", "labels", slice(0, 1)).shape[1:]
    counts = video.read("occupancy", "class_counts")
    passed = shape == GRID_SHAPE and bool((counts.sum(axis=1) == np.prod(GRID_SHAPE)).all())
    shares = counts.sum(axis=0) / max(counts.sum(), 1)
    figures = {c.name.lower(): float(share) for c, share in zip(CLASS_COUNTS, shares, strict=True)}
    return Finding(passed, f"{len(counts)} grids of shape {shape}", figures)


CHECKS: dict[str, tuple[Callable[[VideoStore], Finding], ...]] = {
    "indoor_clips": (frames_shape,),
    "scene": (depth_share, up_confidence),
    "semantics": (label_histogram,),
    "occupancy": (grid_shape,),
}
"""Checks of each stage's result, in the order in which they are shown."""


def _registered(video: VideoStore, name: str) -> NDArray[np.float32]:
    values: NDArray[np.float32] = video.read("scene", name)[video.read("scene", "registered")]
    return values


def _largest(shares: Mapping[str, float]) -> str:
    name = max(shares, key=lambda key: shares[key])
    return f"{name}, {shares[name]:.0%}"
