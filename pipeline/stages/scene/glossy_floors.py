"""Floors that mirror: what is seen below them is the room above them once more, upside down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import Reconstruction
from pipeline.geometry.relocation import DEPTH_OFF, depth_over_surface
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence, floors_below, thickness_of_levels
from pipeline.stages.scene.heights import HORIZONTAL
from pipeline.stages.scene.sheets import crosses_within
from pipeline.stages.scene.sizes import FLOOR_BEYOND
from pipeline.stages.scene.surfaces import SurfaceSamples

LEAST_BELOW = 0.002
"""Share of all samples that must lie below a level for it to have anything to mirror."""
FREE, LEVEL_FREE = 0.035, 0.06
"""Share of mirrored samples, and of those that face up, that may lie where the clip sees through. Of 63 floors of
rendered houses that mirror, in whole or in patches, 62 have less of both; of 120 tables and shelves over true floors
none has, of 68 over floors that were made unknown seven."""
ON_SURFACES = 0.25
"""Share of mirrored samples that must lie on surfaces that the clip sees."""
LEVELS_MET, WITHIN = 0.02, 0.5
"""Share of the samples below that face up and meet a ceiling or the like when mirrored, and of those that are seen
within the outline of the level, from either of which on what lies below surely is a reflection: walls alone are as
symmetric about a table, where the floor is hidden."""
MOST_POINTS, MOST_FRAMES = 1500, 12
"""Samples that are mirrored, and frames in which they are looked for."""
AS_LIKELY = FLOOR_BEYOND * float(np.log(2))
"""Share of surfaces behind a level that leaves it as likely to be the floor as not: one that may be a mirror."""
SAME_LEVEL = 0.03
"""Logarithm by which distances of one level differ once other samples are gone."""


@dataclass(frozen=True)
class Reflection:
    """What becomes of the samples below a level when it mirrors them: shares of those below, but for ``below``.

    below: of all samples. on: that lie on surfaces. free, level_free: that lie where the clip sees through, of those
    that lie on surfaces or there; the latter of those that face up. levels_met: that face up and lie on surfaces.
    within: that are seen within the outline of the level.
    """

    below: float
    on: float
    free: float
    level_free: float
    levels_met: float
    within: float

    @property
    def may_be(self) -> bool:
        """Tell whether nothing speaks against it that the level is a mirror."""
        return self.on >= ON_SURFACES and self.free <= FREE and self.level_free <= LEVEL_FREE

    @property
    def is_sure(self) -> bool:
        """Tell whether it can be nothing else."""
        return self.may_be and (self.levels_met >= LEVELS_MET or self.within >= WITHIN)


def without_reflections(
    surfaces: SurfaceSamples, up: Float64s, cameras: Float64s, pieces: Sequence[Reconstruction]
) -> tuple[SurfaceSamples, tuple[float, ...]]:
    """Return the samples without those that a floor mirrors, and how far below the camera levels lie that may do so.

    up: (3,). cameras: (n, 3). pieces: what the samples are of. A level is a mirror where all that is below it lies,
    mirrored, on surfaces that are seen above it or behind them, and nothing where the clip sees through.
    """
    doubted: list[float] = []
    for level in floors_below(surfaces, up, cameras):
        found = reflection(surfaces, up, float(np.median(cameras @ up)) - level.distance, pieces)
        if found is None or not found.may_be:
            continue
        if found.is_sure:
            height = surfaces.points @ up - np.median(cameras @ up)
            surfaces = surfaces.where(height > -level.distance - thickness_of_levels(height))
        else:
            doubted.append(level.distance)
    return surfaces, tuple(doubted)


def reflection(
    surfaces: SurfaceSamples, up: Float64s, height: float, pieces: Sequence[Reconstruction]
) -> Reflection | None:
    """Return what becomes of samples below a height along up (3,) when a plane there mirrors them; None: too few are.

    Those count that were seen from above it.
    """
    if surfaces.seen_from is None:
        return None
    heights = surfaces.points @ up
    thick = thickness_of_levels(heights)
    below = (heights < height - thick) & (surfaces.seen_from @ up > height)
    if below.mean() < LEAST_BELOW:
        return None
    rows = np.flatnonzero(below)
    rows = rows[:: 1 + len(rows) // MOST_POINTS]
    lower = surfaces.where(np.isin(np.arange(len(heights)), rows))
    on, free = _met(lower.points - 2 * np.outer(lower.points @ up - height, up), pieces)
    level = lower.normals @ up > HORIZONTAL
    at_height = (surfaces.normals @ up > HORIZONTAL) & (np.abs(heights - height) < thick / 2)
    within = crosses_within(lower, surfaces.points[at_height], up, height)
    return Reflection(
        below=float(below.mean()),
        on=float(on.mean()),
        free=float(free.sum() / max((on | free).sum(), 1)),
        level_free=float((free & level).sum() / max(((on | free) & level).sum(), 1)),
        levels_met=float((on & level).mean()),
        within=float(within.mean()),
    )


def with_mirrors(evidence: ScaleEvidence, doubted: Sequence[float]) -> ScaleEvidence:
    """Return evidence in which levels that may be mirrors (distances) are as likely the floor as what is below them."""
    if not doubted:
        return evidence
    floors = tuple(_as_likely(level, doubted) for level in evidence.floors)
    upper = max(doubted) if evidence.upper is None else evidence.upper
    return replace(evidence, floors=floors, upper=upper)


def _as_likely(level: LevelSeen, doubted: Sequence[float]) -> LevelSeen:
    is_doubted = any(abs(np.log(level.distance / one)) < SAME_LEVEL for one in doubted)
    return replace(level, beyond=min(level.beyond, AS_LIKELY)) if is_doubted else level


def _met(points: Float64s, pieces: Sequence[Reconstruction]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which points (k, 3) lie on a surface that some frame shows, and which only where frames see through."""
    on, before = np.zeros(len(points), np.bool_), np.zeros(len(points), np.bool_)
    frames = [(piece, row) for piece in pieces for row in np.flatnonzero(piece.registered).tolist()]
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).astype(int))
    for piece, row in (frames[place] for place in chosen.tolist()):
        ratio, _ = depth_over_surface(points, piece, row)
        on |= np.abs(ratio) < DEPTH_OFF
        before |= ratio < -DEPTH_OFF
    return on, before & ~on
