"""Heights by which a scale could be told, drawn for a house: ceilings, doors, tables, seats, counters, beds."""

from dataclasses import dataclass, replace

import numpy as np

MODERN, PERIOD, COTTAGE = (2.52, 0.035), (3.2, 0.045), (2.12, 0.03)
"""Ceilings of homes built today, of city flats from before the wars, of farmhouses: metres, spread of the logarithm."""
CEILING_SHARES = (0.7, 0.2, 0.1)
DOORS = (2.03, 1.98, 2.0, 2.05, 2.1, 2.13)
"""Heads of door openings by country, metres; within a country they spread by 1.5 %."""
COUNTER, BAR = (0.885, 0.03), (1.05, 0.03)
BAR_SHARE = 0.12
"""Share of kitchens whose counter is as high as a bar: a second mode, not a tail."""
UNLIKE_SHARE = 0.12
"""Share of rooms whose ceiling is not that of their storey: hung lower, or left higher."""
ODD_FACTORS = ((0.72, 0.85), (1.18, 1.4))


@dataclass(frozen=True)
class Sizes:
    """Heights of one house in metres; the defaults are those of an ordinary tour.

    storey: ceiling of most rooms, None where every room draws its own. ceiling: that of the room being furnished.
    door: head of the openings. chair, sofa, bed: top of cushion or mattress. others: their tops.
    odd: share of pieces of furniture that are much lower or higher than their kind.
    """

    storey: float | None = None
    ceiling: float = float("inf")
    door: float = 2.05
    table: float = 0.75
    desk: float = 0.74
    low_table: float = 0.42
    chair: float = 0.505
    sofa: float = 0.46
    counter: float = 0.9
    bed: float = 0.56
    odd: float = 0.0

    def under(self, ceiling: float) -> "Sizes":
        """Return the sizes for a room with its own ceiling, metres."""
        return replace(self, ceiling=ceiling)

    def of_a_piece(self, height: float, rng: np.random.Generator) -> float:
        """Return the height of one piece whose kind is ``height`` metres high: the same, but for the odd ones."""
        if self.odd == 0 or rng.random() >= self.odd:
            return height
        return height * float(rng.uniform(*ODD_FACTORS[int(rng.integers(2))]))

    def at_most(self, height: float) -> float:
        """Return ``height``, or what fits under the ceiling."""
        return min(height, self.ceiling - 0.04)


USUAL = Sizes()


def draw_sizes(rng: np.random.Generator, odd: float = 0.0) -> Sizes:
    """Draw the heights of a house, each from the spread of its kind; a door never reaches its ceiling."""
    kind = (MODERN, PERIOD, COTTAGE)[int(rng.choice(3, p=CEILING_SHARES))]
    storey = _spread(rng, *kind)
    return Sizes(
        storey=storey,
        door=min(_spread(rng, float(rng.choice(DOORS)), 0.015), storey - 0.12),
        table=_spread(rng, 0.735, 0.02),
        desk=_spread(rng, 0.735, 0.02),
        low_table=_spread(rng, 0.42, 0.08),
        chair=_spread(rng, 0.45, 0.035),
        sofa=_spread(rng, 0.405, 0.05),
        counter=_spread(rng, *(BAR if rng.random() < BAR_SHARE else COUNTER)),
        bed=_spread(rng, 0.55, 0.1),
        odd=odd,
    )


def draw_ceilings(rng: np.random.Generator, sizes: Sizes, rooms: int) -> list[float]:
    """Draw the ceilings of the rooms of a storey, metres: alike, but for some that hang lower or reach higher."""
    if sizes.storey is None:
        raise ValueError("these sizes have no storey: draw them with draw_sizes")
    lowest = sizes.door + 0.1
    return [max(sizes.storey + _unlike(rng), lowest) for _ in range(rooms)]


def _unlike(rng: np.random.Generator) -> float:
    if rng.random() >= UNLIKE_SHARE:
        return 0.0
    return float(rng.uniform(-0.35, -0.12) if rng.random() < 0.6 else rng.uniform(0.15, 0.5))


def _spread(rng: np.random.Generator, middle: float, deviation: float) -> float:
    """Draw a height about ``middle``, its logarithm within 2.5 deviations."""
    return middle * float(np.exp(deviation * np.clip(rng.standard_normal(), -2.5, 2.5)))
