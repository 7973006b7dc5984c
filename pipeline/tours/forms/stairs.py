"""A straight flight of steps, and the railing beside a drop."""

from dataclasses import dataclass

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.palette import WOODS, Rng, material
from pipeline.tours.surfaces import Thing, box, thing

RISE, TREAD = 0.2, 0.225
"""Height and depth of a step, metres: steep, as stairs within a room are."""
RAILING = 1.0
APART = 0.13
"""Metres between balusters."""


@dataclass(frozen=True)
class Flight:
    """Steps from the floor up to ``height`` metres, ``width`` metres wide.

    In its own frame it rises towards -y: its foot lies at y = ``run``, its head at y = 0, and x is across.
    """

    width: float
    height: float

    @property
    def steps(self) -> int:
        """Number of rises; the last one leads onto the upper floor."""
        return max(2, round(self.height / RISE))

    @property
    def run(self) -> float:
        """Metres of floor that it takes."""
        return (self.steps - 1) * TREAD

    def build(self, rng: Rng) -> Thing:
        """Return the steps, closed below."""
        rise = self.height / self.steps
        backs = [(self.run - i * TREAD, i * rise) for i in range(1, self.steps)]
        sheets = tuple(sheet for back, top in backs for sheet in box((0, back, 0), (self.width, back + TREAD, top)))
        return thing(SemanticClass.OBJECTS, (sheets, material(rng, "wood", WOODS)))


def railing(rng: Rng, start: float, end: float, y: float, floor: float) -> Thing:
    """Return a railing along x from ``start`` to ``end``, metres, that stands on ``floor``."""
    top = floor + RAILING
    rail = box((start, y - 0.03, top - 0.05), (end, y + 0.03, top))
    bars = np.linspace(start + 0.02, end - 0.02, max(2, round((end - start) / APART)))
    balusters = tuple(
        sheet for x in bars for sheet in box((x - 0.011, y - 0.011, floor), (x + 0.011, y + 0.011, top - 0.05))
    )
    return thing(SemanticClass.OBJECTS, (rail, material(rng, "wood", WOODS)), (balusters, material(rng, "smooth")))
