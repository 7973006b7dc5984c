"""Which classes of ImageNet stand in homes, which outdoors, and which are drawn and not filmed: a reviewed list.

Classes that say nothing of the place, food and clothes among them, are left out of the list.
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
    """Where a class is met; what is drawn, as title cards and pages, is no place at all."""

    HOUSEHOLD = "household"
    OUTDOORS = "outdoors"
    DRAWN = "drawn"


@cache
def class_sides() -> dict[int, tuple[str, Side]]:
    """Return the name and the side of each listed class, by its index in the order of ImageNet's outputs."""
    rows = csv.DictReader((files("models.imagenet") / "sides.csv").read_text(encoding="utf-8").splitlines())
    return {int(row["index"]): (row["class"], Side(row["side"])) for row in rows}


def log_ratio(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of (household / not household) for class probabilities (n, 1000), as (n,), in nats.

    What is added (``FLOOR``) keeps it near 0 where a picture shows neither.
    """
    of_side = {side: [i for i, (_, found) in class_sides().items() if found is side] for side in Side}
    household, outdoors, drawn = (probabilities[:, of_side[side]].sum(axis=1) for side in Side)
    ratio: NDArray[np.float64] = np.log((household + FLOOR) / (outdoors + drawn + FLOOR))
    return ratio
