"""What is seen through the floor: rooms that a glossy floor mirrors, and sheets that matching puts below it."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.stages.scene.evidence import LevelSeen, floors_below, thickness_of_levels
from pipeline.stages.scene.heights import HORIZONTAL
from pipeline.stages.scene.surfaces import SurfaceSamples

MOSTLY = 0.5
"""Share of a level's samples that must be seen through the floor for all of it to be."""
BARE, NEARLY_BARE = 0.05, 0.2
"""Samples of what stands between two levels, of those on the lower one: a sheet has nothing on it, in 48 clips of
rendered houses a floor that is seen between furniture has 0.3 and more; and up to where that is not sure."""
LEAST_OF_UPPER = 0.25
"""Samples on the level above, of those on the lower one: less does not show where it ends."""
SIDES = np.stack([(np.cos(turn), np.sin(turn)) for turn in np.arange(16) * np.pi / 8], axis=1)
"""Directions of the plan (2, 16) along which the outline of a level is measured."""
OUTLINE = 0.98
"""Share of a level's samples that lie within its outline, along each direction."""

FEWEST_OF_OUTLINE = 10
"""Samples of a level below which it has no outline."""


def without_sheets(surfaces: SurfaceSamples, up: Float64s, cameras: Float64s) -> SurfaceSamples:
    """Return the samples without those below a floor through which alone they are seen.

    up: (3,). cameras: (n, 3). The farthest level goes, and all below the level above it, where rays to it pass within
    the outline of that one and nothing stands on it: whoever looks down from a gallery sees past its edge, and walls
    and furniture of the storey below.
    """
    while True:
        floors = floors_below(surfaces, up, cameras)
        through = [level for level in floors[1:] if _bareness(surfaces, up, cameras, (floors[0], level)) < BARE]
        if not through:
            return surfaces
        height = surfaces.points @ up - np.median(cameras @ up)
        kept = height > -through[0].distance - thickness_of_levels(height)
        surfaces = surfaces.where(kept)


def seen_through(surfaces: SurfaceSamples, up: Float64s, cameras: Float64s) -> float | None:
    """Return how far below the camera the level lies through which the farthest one is seen, though something is on it.

    None where none is: then nobody doubts that the farthest level is part of the room.
    """
    floors = floors_below(surfaces, up, cameras)
    found = [one.distance for one in floors[1:] if _bareness(surfaces, up, cameras, (floors[0], one)) < NEARLY_BARE]
    return max(found, default=None)


def _bareness(surfaces: SurfaceSamples, up: Float64s, cameras: Float64s, levels: tuple[LevelSeen, LevelSeen]) -> float:
    """Return how much stands between two levels, of what lies on the lower; infinite where that is not seen through.

    levels: the lower one, and the one above it.
    """
    if surfaces.seen_from is None:
        return np.inf
    middle = float(np.median(cameras @ up))
    height, eye = surfaces.points @ up - middle, surfaces.seen_from @ up - middle
    thick = thickness_of_levels(height)
    lower, upper = (-level.distance for level in levels)
    level, faces = surfaces.normals @ up > HORIZONTAL, thick / 2
    above = level & (np.abs(height - upper) < faces)
    below = level & (np.abs(height - lower) < faces) & (eye > upper)
    if not below.any() or above.sum() < LEAST_OF_UPPER * below.sum():
        return np.inf
    if crosses_within(surfaces.where(below), surfaces.points[above], up, middle + upper).mean() < MOSTLY:
        return np.inf
    between = (height > lower + thick) & (height < upper - thick)
    return float(between.sum() / below.sum())


def crosses_within(lower: SurfaceSamples, level: Float64s, up: Float64s, height: float) -> NDArray[np.bool_]:
    """Tell which samples (k,) are seen through a height along up within the outline of the points of a level (m, 3)."""
    if lower.seen_from is None or len(level) < FEWEST_OF_OUTLINE:
        return np.zeros(len(lower.points), np.bool_)
    eye = lower.seen_from @ up
    share = ((eye - height) / (eye - lower.points @ up))[:, None]
    return _within(lower.seen_from + (lower.points - lower.seen_from) * share, level, up)


def _within(points: Float64s, level: Float64s, up: Float64s) -> NDArray[np.bool_]:
    """Tell which points (k, 3) lie within the outline of a level (m, 3), seen from above."""
    plan = np.linalg.svd(up[None])[2][1:].T @ SIDES
    return np.asarray((points @ plan <= np.quantile(level @ plan, OUTLINE, axis=0)).all(axis=1))
