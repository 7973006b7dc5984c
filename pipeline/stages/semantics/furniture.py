"""Furniture that its shape gives away: beds, tables, sofas, counters and chests by their level surfaces.

Only where geometry is decisive: a level surface of the height, area and sides that such furniture has and no other.
Heights and sides are those of the trade, narrowed by what tours with seeds 1 to 10 (counters and chests: 11 to 22)
confuse; the rest stays unknown. Lower chests are as high as the backs of sofas.
On tours it was not tuned on (21 to 23, exact depth) 0.91 of the pixels named bed are one, 0.84 of sofas', 0.78 of
tables'. With depth as estimated (tours 1000001 and 1000002) it is 0.86 of beds', 0.65 of tables', 0.84 of furniture's,
and 0.45 of the one sofa's, to which a coffee table was added. Chairs are not named: a rule for seats that worked on the
former was right on 0.17 of the pixels there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.contract.classes import SemanticClass

CELL_M = 0.05
CELLS = 256
LAYERS = 24
"""Cells from the smallest corner in which furniture is looked for: 12.8 m, 12.8 m and 1.2 m high."""
LEVEL_COSINE = 0.9


@dataclass(frozen=True)
class Archetype:
    """A piece of furniture by its level surface: ranges of height (m), area (m2), short and long side (m).

    above: metres over the surface that still belong to it, as a back does.
    """

    label: SemanticClass
    height: tuple[float, float]
    area: tuple[float, float]
    short: tuple[float, float]
    long: tuple[float, float]
    above: float


ARCHETYPES = (
    Archetype(SemanticClass.BED, (0.35, 0.70), (1.2, 5.0), (0.9, 2.2), (1.2, 2.4), above=0.3),
    Archetype(SemanticClass.TABLE, (0.70, 0.78), (0.35, 3.0), (0.6, 1.2), (0.7, 2.6), above=0.05),
    Archetype(SemanticClass.SOFA, (0.36, 0.48), (0.55, 3.0), (0.5, 1.1), (1.3, 3.2), above=0.5),
    Archetype(SemanticClass.FURNITURE, (0.84, 0.98), (0.2, 4.0), (0.36, 0.8), (0.6, 4.0), above=0.03),
)


def furniture_labels(points: NDArray[np.float32], level: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Label points (m, 3) of what stands in the room: bed, sofa, table, furniture, or 0 where geometry does not decide.

    level: (m,), which points are on surfaces that face up.
    """
    labels = np.zeros(len(points), np.uint8)
    if not level.any():
        return labels
    corner = points[:, :2].min(axis=0)
    column = columns(points, corner)
    for height, surface in level_surfaces(points[level], column[level]):
        for archetype in ARCHETYPES:
            if fits(archetype, height, surface):
                near = ndimage.binary_dilation(ndimage.binary_fill_holes(surface), iterations=2)
                inside = near[tuple(column.T)] & (points[:, 2] < height + archetype.above)
                labels[inside & (labels == 0)] = archetype.label
    return labels


def columns(points: NDArray[np.float32], corner: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the column (m, 2) of cells above which points (m, 3) lie; those far away share the border's."""
    index: NDArray[np.int64] = ((points[:, :2] - corner) / CELL_M).astype(np.int64).clip(0, CELLS - 1)
    return index


def footprint(column: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the map (CELLS, CELLS) of filled columns (m, 2)."""
    filled = np.zeros((CELLS, CELLS), np.bool_)
    filled[tuple(column.T)] = True
    return filled


def level_surfaces(points: NDArray[np.float32], column: NDArray[np.int64]) -> list[tuple[float, NDArray[np.bool_]]]:
    """Return the median height and the footprint of every connected level surface, largest first."""
    layer = (points[:, 2] / CELL_M).astype(np.int64)
    low = (layer >= 0) & (layer < LAYERS)
    index = (*column[low].T, layer[low])
    filled = np.zeros((CELLS, CELLS, LAYERS), np.bool_)
    filled[index] = True
    surface, number = ndimage.label(filled, np.ones((3, 3, 3)))
    member, height = surface[index], points[low, 2]
    order = np.argsort(member, kind="stable")
    parts = np.split(order, np.searchsorted(member[order], np.arange(2, number + 1)))
    parts = sorted((part for part in parts if len(part)), key=len, reverse=True)
    return [(float(np.median(height[part])), footprint(column[low][part])) for part in parts if len(part) > 20]


def fits(archetype: Archetype, height: float, surface: NDArray[np.bool_]) -> bool:
    """Return whether a level surface at a height (m), given by its footprint, is that of the archetype."""
    x, y = np.flatnonzero(surface.any(axis=1)), np.flatnonzero(surface.any(axis=0))
    short, long = sorted((float(np.ptp(x) + 1) * CELL_M, float(np.ptp(y) + 1) * CELL_M))
    area = float(surface.sum()) * CELL_M**2
    pairs = ((height, archetype.height), (area, archetype.area), (short, archetype.short), (long, archetype.long))
    return all(lowest <= value <= highest for value, (lowest, highest) in pairs)
