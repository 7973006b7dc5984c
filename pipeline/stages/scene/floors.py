"""The floors of a clip that climbs: where its cameras stand, and which of them each frame shows."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.contract.arrays import Float64s
from pipeline.contract.camera import pointmap
from pipeline.contract.records import MetricScene
from pipeline.geometry.planes import plane_offsets
from pipeline.stages.scene.heights import HORIZONTAL, Scale
from pipeline.stages.scene.surfaces import SurfaceSamples

LEVEL_M = 0.08
"""Thickness of a level, and least distance of two floors: no step is lower."""
LEAST_SHARE = 0.03
"""Share of the surfaces that face up which a floor holds, at least."""
UNDER_M = 0.75
"""Metres from below a camera within which what is seen is what it stands on."""
HELD_M = (0.9, 2.2)
"""Metres above its floor at which a camera is held: lower ones look down at a table, higher ones are drones."""
SAME_HELD = 0.08
"""Share of its height by which a camera that is carried rises and falls."""
CELL_M, LEAST_CELLS = 0.25, 16
"""Side of the squares that a floor fills, and the fewest of them: a square metre, where a step has a quarter of one."""
CLIMBS_M = 0.5
"""Metres by which cameras rise that are carried upstairs and not lifted."""
FEWEST = 2
"""Frames that stand on a floor, at least."""
SEEN_SHARE = 0.01
"""Share of a frame's pixels on a floor from which on it shows that floor."""
MOST_POINTS = 120_000
"""Points that are asked for floors: as many as two clips have at the most, however long the shot."""
STRIDE = 4
"""Pixels between those of a frame that are asked."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Surfaces that face up, and cameras: points (m, 3) and (k, 3), upright, in the reconstruction's unit.

    One is equal to itself alone, so that its floors are found once.
    """

    points: Float64s
    cameras: Float64s

    @classmethod
    def of(cls, surfaces: SurfaceSamples, cameras: Float64s, rotation: Float64s) -> "Ground":
        """Return those of all samples, of very many some. cameras: (k, 3). rotation: (3, 3), as of ``Upright``."""
        facing_up = np.flatnonzero(surfaces.normals @ rotation[2] > HORIZONTAL)
        chosen = facing_up[:: 1 + len(facing_up) // MOST_POINTS]
        return cls(surfaces.points[chosen] @ rotation.T, cameras @ rotation.T)


@dataclass(frozen=True)
class Floors:
    """Where the cameras of a world stand: heights (l,) above z = 0, which is one of them, and of cameras above those.

    zero: how high z = 0 lies above what the scale says it is. All in metres, heights rising.
    """

    heights: Float64s
    held: float
    zero: float = 0.0


@lru_cache(maxsize=4)
def find_floors(ground: Ground, scale: Scale) -> Floors:
    """Return the floors on which the cameras of a world stand.

    A floor is a level that is seen right below two cameras or more, which are all held as high above it; so is a lower
    level above which any camera is held so high. So nobody stands on a table that a camera passes, and a camera that is
    lifted over an even floor stays on it. Where z = 0 is no level that anybody stands on, the lowest of several floors
    is, and beside a single one it stays the floor of those who are on their way up to it.
    """
    cameras, points = ((part - (0.0, 0.0, scale.zero)) * scale.metres for part in (ground.cameras, ground.points))
    levels = _levels(points)
    drops = cameras[:, 2, None] - levels
    below = _is_below(cameras, points, levels) & (drops > HELD_M[0]) & (drops < HELD_M[1])
    held = _held(drops, below)
    fits = _fits(drops, held)
    stood = (below & fits).sum(axis=0) >= FEWEST
    if not stood.any():
        return Floors(np.zeros(1), held)
    is_floor = stood | (fits.any(axis=0) & (levels < levels[stood].min()))
    floors = levels[is_floor]
    on_zero = bool((fits.any(axis=0) & (levels == 0)).any())
    if len(floors) > 1 and not on_zero:
        return Floors(floors - floors[0], held, float(floors[0]))
    climbs = on_zero or np.ptp(cameras[:, 2]) > CLIMBS_M
    return Floors(np.unique([0.0, *floors]) if climbs else np.zeros(1), held)


def held_on_floors(ground: Ground, scale: Scale) -> float | None:
    """Return how high cameras are held above several floors, in the unit of the clip; None where they stand on one.

    A first scale is enough to find them by.
    """
    floors = find_floors(ground, scale)
    return floors.held / scale.metres if len(floors.heights) > 1 else None


def floor_of_frames(scene: MetricScene, floors: Floors) -> NDArray[np.float32]:
    """Return how high the floor of every frame lies above z = 0, (n,) metres.

    A frame's floor is the one it shows most of; where it shows none, the one its camera stands on, or is nearest to.
    """
    found = np.zeros(len(scene.registered), np.float32)
    if len(floors.heights) == 1:
        return found
    for frame in np.flatnonzero(scene.registered).tolist():
        seen = _seen(scene, frame, floors.heights)
        under = np.abs(scene.camera_to_world[frame, 2, 3] - floors.held - floors.heights).argmin()
        found[frame] = floors.heights[seen.argmax() if seen.max() > SEEN_SHARE else under]
    return found


def floors_of(scene: MetricScene) -> list[float]:
    """Return the heights of the floors that the frames of a scene have, rising, metres."""
    return [] if scene.floor_height is None else np.unique(scene.floor_height[scene.registered]).tolist()


def _fits(drops: Float64s, held: float | Float64s) -> NDArray[np.bool_]:
    """Tell whether cameras so far above a level are held at a height above it."""
    return np.asarray(np.abs(drops - held) < SAME_HELD * held)


def _levels(points: Float64s) -> Float64s:
    """Return the heights (l,) of level surfaces as large as a floor, rising; what is at z = 0 is exactly there."""
    found = [
        height for height in plane_offsets(points[:, 2], LEVEL_M, LEAST_SHARE) if _cells(points, height) >= LEAST_CELLS
    ]
    return np.unique(np.where(np.abs(found) < LEVEL_M, 0.0, found))


def _cells(points: Float64s, height: float) -> int:
    """Return how many squares of the plan the points (m, 3) at a height fill."""
    there = points[np.abs(points[:, 2] - height) < LEVEL_M / 2, :2]
    return len(np.unique(np.floor(there / CELL_M), axis=0))


def _is_below(cameras: Float64s, points: Float64s, levels: Float64s) -> NDArray[np.bool_]:
    """Tell which levels (l,) are seen right below which cameras (k, 3): (k, l)."""
    on_levels = [points[np.abs(points[:, 2] - level) < LEVEL_M / 2, :2] for level in levels]
    nearest = [cKDTree(plan).query(cameras[:, :2], distance_upper_bound=UNDER_M)[0] for plan in on_levels]
    return np.asarray(np.isfinite(np.array(nearest).reshape(len(levels), len(cameras))).T, np.bool_)


def _held(drops: Float64s, below: NDArray[np.bool_]) -> float:
    """Return how high cameras are held: the height that explains most of them, the highest such one."""
    if not below.any():
        return float(np.mean(HELD_M))
    heights = np.arange(*HELD_M, 0.02)
    explained = (_fits(drops[..., None], heights) & below[..., None]).any(axis=1).sum(axis=0)
    best = np.flatnonzero(explained == explained.max())
    of_highest = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)[-1]
    return float(np.median(drops[below & _fits(drops, float(heights[of_highest].mean()))]))


def _seen(scene: MetricScene, frame: int, floors: Float64s) -> Float64s:
    """Return which share of a frame's pixels lies on each of the floors (l,)."""
    points = pointmap(scene.depth[frame], scene.intrinsics[frame], scene.camera_to_world[frame])
    z = points[::STRIDE, ::STRIDE, 2][scene.depth[frame][::STRIDE, ::STRIDE] > 0]
    return np.asarray((np.abs(z[:, None] - floors) < LEVEL_M / 2).sum(axis=0) / max(z.size, 1), np.float64)
