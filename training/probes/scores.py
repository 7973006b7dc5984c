"""Scores of probes by house, and intervals by drawing houses and seeds again: rooms of one house are not independent.

mIoU is the field's: counts over all houses, divided once, the mean over eleven classes (``pipeline.contract.overlap``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from training.errors import UnusableDataset

DRAWS = 2000
CONFIDENCE = 0.95
ONE_HOUSE = "all scored rooms are of one house, over which nothing varies: score more houses"
BESIDE_FLOOR = tuple(label for label in OCCUPIED_CLASSES if label != SemanticClass.FLOOR)
"""Ten classes: the floor is what probes learn first and most."""
_CLASSES = [int(label) for label in OCCUPIED_CLASSES]


class HouseCounts(BaseModel):
    """Voxels of the classes 1..11 in one house: right, predicted and true ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    matched: tuple[int, ...]
    predicted: tuple[int, ...]
    true: tuple[int, ...]

    @classmethod
    def of(cls, counts: OverlapCounts) -> Self:
        """Take what a score needs of the counts of a house."""
        rows = (counts.matched, counts.predicted, counts.true)
        matched, predicted, true = (tuple(row[_CLASSES].tolist()) for row in rows)
        return cls(matched=matched, predicted=predicted, true=true)


class ProbeScore(BaseModel):
    """One probe of one network on the test side: counts by house. seed: of the network's pre-training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str
    rooms: int
    seed: int
    ridge: float
    houses: dict[str, HouseCounts]

    @property
    def miou(self) -> float:
        """Mean over the eleven classes, in [0, 1]."""
        return float(_class_iou(_counts([self]).sum(axis=1))[0].mean())


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds that hold it with 95 % confidence."""

    value: float
    low: float
    high: float

    def points(self, sign: str = "") -> str:
        """Return it in points, 12.3 [10.0, 14.5]."""
        return f"{100 * self.value:{sign}.2f} [{100 * self.low:{sign}.2f}, {100 * self.high:{sign}.2f}]"


def counted(
    predicted: NDArray[np.uint8], labels: NDArray[np.uint8], houses: NDArray[np.str_]
) -> dict[str, HouseCounts]:
    """Count predictions (n,) against labels (n,) house by house."""
    names = sorted(set(houses.tolist()))
    return {name: HouseCounts.of(overlap(predicted[houses == name], labels[houses == name])) for name in names}


def miou_interval(scores: Sequence[ProbeScore], draw_seed: int = 0) -> Interval:
    """Return the mean mIoU of one start over its seeds, houses and seeds drawn again.

    Raises:
        UnusableDataset: there are fewer than two houses.
    """
    return _interval([scores], lambda figures: figures[0].mean(axis=-1), draw_seed)


def class_intervals(scores: Sequence[ProbeScore], draw_seed: int = 0) -> dict[str, Interval]:
    """Return the IoU of every class by its name, as ``miou_interval`` does."""
    return {
        label.name.lower(): _interval([scores], lambda figures, i=i: figures[0][..., i], draw_seed)  # type: ignore[misc]
        for i, label in enumerate(OCCUPIED_CLASSES)
    }


def gain_interval(
    ours: Sequence[ProbeScore],
    theirs: Sequence[ProbeScore],
    classes: Sequence[SemanticClass] = OCCUPIED_CLASSES,
    draw_seed: int = 0,
) -> Interval:
    """Return by how much one start's mIoU is above another's, paired by house and by the seeds that both have.

    classes: whose mean it is.

    Raises:
        UnusableDataset: there are fewer than two houses, or no seed that both have.
    """
    seeds = sorted({score.seed for score in ours} & {score.seed for score in theirs})
    if not seeds:
        raise UnusableDataset("two starts without a common seed cannot be compared: give them the same seeds")
    by_seed: list[Mapping[int, ProbeScore]] = [{score.seed: score for score in side} for side in (ours, theirs)]
    paired = [[side[seed] for seed in seeds] for side in by_seed]
    taken = [OCCUPIED_CLASSES.index(label) for label in classes]
    return _interval(paired, lambda figures: (figures[0] - figures[1])[..., taken].mean(axis=-1), draw_seed)


def _interval(
    sides: Sequence[Sequence[ProbeScore]],
    figure: Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]],
    draw_seed: int,
) -> Interval:
    """Return the mean over seeds of a figure of class IoUs (..., S, 11), with percentiles over houses and seeds."""
    counts = [_counts(scores) for scores in sides]
    seeds, houses = counts[0].shape[:2]
    if houses < 2:
        raise UnusableDataset(ONE_HOUSE)
    rng = np.random.default_rng(draw_seed)
    value = float(figure([_class_iou(side.sum(axis=1)) for side in counts]).mean())
    weights = rng.multinomial(houses, np.full(houses, 1 / houses), DRAWS)  # (draws, H)
    resampled = figure([_class_iou(np.einsum("bh,shfc->bsfc", weights, side)) for side in counts])  # (draws, S)
    drawn = np.take_along_axis(resampled, rng.integers(seeds, size=(DRAWS, seeds)), axis=1).mean(axis=1)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Interval(value, low, high)


def _counts(scores: Sequence[ProbeScore]) -> NDArray[np.int64]:
    """Return counts (S, H, 3, 11) of the scores of one start, one a seed, houses in one order."""
    houses = sorted(scores[0].houses)
    rows = [[(h.matched, h.predicted, h.true) for h in (score.houses[name] for name in houses)] for score in scores]
    return np.array(rows, np.int64)


def _class_iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return IoU (..., 11) of counts (..., 3, 11); 0 where a class occurs in neither."""
    matched, predicted, true = (counts[..., i, :] for i in range(3))
    return np.asarray(matched / np.maximum(predicted + true - matched, 1), np.float64)
