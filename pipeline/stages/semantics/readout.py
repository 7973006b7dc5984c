"""From scores of groups of words to labels, and from mask proposals to regions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import Semantics
from pipeline.contract.vocabulary import GROUP_LABELS, MOVING_GROUP


@dataclass(frozen=True)
class FrameReadout:
    """One frame: labels, confidence (h, w) uint8; moving (h, w) bool; regions (h, w) uint16; owners (R,) int64.

    owners: which proposal (or group) each region, counted from 1, is part of.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    moving: NDArray[np.bool_]
    regions: NDArray[np.uint16]
    owners: NDArray[np.int64]


def label_pixels(
    scores: NDArray[np.floating], score_min: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """Return labels, confidence (255 = certain) and what moves, from scores (groups, h, w) >= 0.

    Confidence is the winner's share of all scores, 0 for unknown, which is what any best score below ``score_min`` is.
    """
    winner, best = scores.argmax(axis=0), scores.max(axis=0)
    found = best >= score_min
    labels = np.where(found, GROUP_LABELS[winner], np.uint8(SemanticClass.UNKNOWN))
    total = scores.sum(axis=0)
    share = best / np.where(total > 0, total, 1)
    confidence = np.where(labels == SemanticClass.UNKNOWN, 0, np.rint(255 * share)).astype(np.uint8)
    return labels, confidence, found & (winner == MOVING_GROUP)


def connected_regions(owner: NDArray[np.integer], pixels_min: int) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Cut a map of owners (h, w), -1 = nobody's, into connected regions numbered from 1 in reading order.

    Returns the regions (h, w) uint16, 0 = none or smaller than ``pixels_min``, and the owner of each (R,) int64.
    """
    from skimage.measure import label

    piece: NDArray[np.int64] = label(owner + 1, background=0, connectivity=1)  # type: ignore[no-untyped-call]
    pieces, first, inverse, count = np.unique(piece, return_index=True, return_inverse=True, return_counts=True)
    large = (pieces > 0) & (count >= pixels_min)
    large[np.flatnonzero(large)[np.iinfo(np.uint16).max :]] = False
    number = np.where(large, np.cumsum(large), 0).astype(np.uint16)
    return number[inverse].reshape(owner.shape), owner.ravel()[first[large]].astype(np.int64)


def single_coloured(rgb: Images, contrast_min: float) -> NDArray[np.bool_]:
    """Tell which frames (n, h, w, 3) show nothing: grey levels that spread less than ``contrast_min`` (n,) bool."""
    return np.array([frame.std(axis=(0, 1)).max() < contrast_min for frame in rgb], np.bool_)


def blank(height: int, width: int) -> FrameReadout:
    """Return the readout of a frame that shows nothing: all unknown."""
    shape = (height, width)
    return FrameReadout(
        labels=np.full(shape, SemanticClass.UNKNOWN, np.uint8),
        confidence=np.zeros(shape, np.uint8),
        moving=np.zeros(shape, np.bool_),
        regions=np.zeros(shape, np.uint16),
        owners=np.zeros(0, np.int64),
    )


def gather(frames: list[FrameReadout], embeddings: list[NDArray[np.float16]]) -> Semantics:
    """Stack the readouts of a clip, with the embedding of every region of every frame (R, E), if there are any."""
    return Semantics(
        labels=np.stack([frame.labels for frame in frames]),
        regions=np.stack([frame.regions for frame in frames]),
        confidence=np.stack([frame.confidence for frame in frames]),
        moving=np.stack([frame.moving for frame in frames]),
        region_embeddings=np.concatenate(embeddings) if embeddings else None,
        region_offsets=np.cumsum([0, *(len(rows) for rows in embeddings)]) if embeddings else None,
    )
