"""Which classes of ImageNet stand in homes, which outdoors, which are drawn, and which people wear: a reviewed list.

Classes that say nothing of these, food among them, are left out of the list.
"""

import csv
from enum import StrEnum
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-4
"""A probability below which nothing is said."""


class Side(StrEnum):
    """Where a class is met; what is drawn, as title cards and pages, is no place at all, nor is what people wear."""

    HOUSEHOLD = "household"
    OUTDOORS = "outdoors"
    DRAWN = "drawn"
    WORN = "worn"


@cache
def class_sides() -> dict[int, tuple[str, Side]]:
    """Return the name and the side of each listed class, by its index in the order of ImageNet's outputs."""
    rows = csv.DictReader((files("models.imagenet") / "sides.csv").read_text(encoding="utf-8").splitlines())
    return {int(row["index"]): (row["class"], Side(row["side"])) for row in rows}


def log_ratio(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of (household / not household) for class probabilities (n, 1000), as (n,), in nats.

    What is added (``FLOOR``) keeps it near 0 where a picture shows neither.
    """
    household, outdoors, drawn = (_sum(probabilities, side) for side in (Side.HOUSEHOLD, Side.OUTDOORS, Side.DRAWN))
    ratio: NDArray[np.float64] = np.log((household + FLOOR) / (outdoors + drawn + FLOOR))
    return ratio


def worn(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the summed probability of what people wear for class probabilities (n, 1000), as (n,).

    ImageNet has no class for people, but many for their clothes: it is high where a person fills much of a picture.
    """
    return _sum(probabilities, Side.WORN)


def _sum(probabilities: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
    total: NDArray[np.float64] = probabilities[:, [i for i, (_, of) in class_sides().items() if of is side]].sum(axis=1)
    return total
