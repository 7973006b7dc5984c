"""Is the film upright? By a network that knows rooms as they stand, asked of the pictures in all four quarter turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.imagenet.sides import log_ratio
from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore

QUARTERS = (1, 2, 3)
"""Quarter turns counter-clockwise by which a picture may have to be turned until it is upright."""


@dataclass(frozen=True)
class EvidenceNeeded:
    """What the clips of a turned video say, in nats: so much in the mean, and so much all together."""

    mean: float
    total: float


HALF = EvidenceNeeded(0.75, 2.0)
QUARTER = EvidenceNeeded(1.25, 5.0)
"""Of 126 upright rendered films and 11 real ones none reaches them with all of its clips. Stripes of a pattern that run
the other way speak for a quarter turn (up to 1.8 in the mean of four clips), nothing for a half (below -0.5)."""

UPSIDE_DOWN = 1.5
"""Least evidence for a quarter turn over that for the other one: rooms are upside down then, patterns are not."""


def turned_evidence(
    rgb: Images, probabilities_of: Callable[[Images], NDArray[np.float64]]
) -> tuple[float, float, float]:
    """Return by how much more the frames look like a room, in nats, once turned by each of ``QUARTERS``.

    rgb: (n, h, w, 3) uint8, of which the square in the middle is looked at, so that nothing but the turn differs.
    probabilities_of: class probabilities (n, 1000) of such frames. A picture looks like a room by the log ratio of
    household to other classes, less the entropy: of what is turned, a network that never saw it so is unsure.
    """
    upright, *turned = (
        _like_a_room(probabilities_of(np.ascontiguousarray(np.rot90(_square(rgb), quarters, axes=(1, 2)))))
        for quarters in (0, *QUARTERS)
    )
    first, half, third = (other - upright for other in turned)
    return first, half, third


def turned_by(scores: Sequence[IndoorScore]) -> tuple[int, float] | None:
    """Return how far a video is turned, in degrees clockwise, and the evidence; none where its clips do not say so.

    A single clip may err, so all of a video's that tell it vote by the mean of their evidence (``HALF``, ``QUARTER``).
    """
    told = np.array([score.turned for score in scores if score.turned], np.float64).reshape(-1, len(QUARTERS))
    if not len(told):
        return None
    evidence = told.mean(axis=0)
    most = int(evidence.argmax())
    bounds = HALF if QUARTERS[most] == 2 else QUARTER
    is_said = evidence[most] >= max(bounds.mean, bounds.total / len(told))
    # of the two quarter turns, first and last of three, the other one lies at 2 - most
    is_pattern = QUARTERS[most] != 2 and evidence[most] - evidence[2 - most] < UPSIDE_DOWN
    return (90 * QUARTERS[most], float(evidence[most])) if is_said and not is_pattern else None


def _square(rgb: Images) -> Images:
    height, width = rgb.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return rgb[:, top : top + side, left : left + side]


def _like_a_room(probabilities: NDArray[np.float64]) -> float:
    entropy = -(probabilities * np.log(probabilities + np.finfo(np.float64).tiny)).sum(axis=1)
    return float((log_ratio(probabilities) - entropy).mean())
