"""Openings that were seen several times, by pieces of a world or from both rooms of a wall, are one opening each."""

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.stages.scene.openings import PlacedOpening

SAME_PLACE = 0.5
"""Share of the narrower one's width within which the heads of two openings are those of one."""


def one_each(openings: Iterable[PlacedOpening]) -> tuple[PlacedOpening, ...]:
    """Return openings of one frame, each place of a wall once: as high and as wide as it was found in the median."""
    groups: list[list[PlacedOpening]] = []
    for one in openings:
        group = next((group for group in groups if _is_same(group[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return tuple(group[0] if len(group) == 1 else _together(group) for group in groups)


def _is_same(one: PlacedOpening, other: PlacedOpening) -> bool:
    return float(np.linalg.norm(one.head - other.head)) < SAME_PLACE * min(one.width, other.width)


def _together(group: Sequence[PlacedOpening]) -> PlacedOpening:
    """Return one opening of several views of it; its foot is that of views that show a sill, where some do."""
    with_sill = [one for one in group if one.sill]
    return PlacedOpening(
        head=np.median([one.head for one in group], axis=0),
        foot=np.median([one.foot for one in with_sill or group], axis=0),
        width=float(np.median([one.width for one in group])),
        sill=bool(with_sill),
        through=2 * sum(one.through for one in group) >= len(group),
    )
