"""What a clip shows of its own size: level surfaces below and above the camera, how far all reaches, how it is held."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.geometry.planes import plane_offsets
from pipeline.stages.scene import sizes
from pipeline.stages.scene.heights import HORIZONTAL, LEVEL_THICKNESS, SMALLEST_LEVEL
from pipeline.stages.scene.metric_depth import MetricDepth
from pipeline.stages.scene.openings import OpeningSeen
from pipeline.stages.scene.surfaces import SurfaceSamples

FEWEST_OF_FACING = 0.02
"""Share of the surfaces that face up (or down) below which a pile of them is noise."""

ONE_LEVEL = 2.0
"""Thicknesses within which neighbouring piles are one level, as of a floor that a reconstruction bends."""


@dataclass(frozen=True)
class LevelSeen:
    """A level surface that faces the camera: distance from the median camera along up, positive, unit of the clip.

    share: of all samples of surfaces that lie on it. beyond: share of all that lie more than a tenth farther out.
    """

    distance: float
    share: float
    beyond: float


@dataclass(frozen=True)
class ScaleEvidence:
    """What speaks for the scale of a clip, lengths in its own unit and relative to the median camera.

    floors, ceilings: levels below and above all cameras, the farthest first. lowest, highest: how far surfaces reach
    down and up (0.2 and 99.8 %); ``lowest`` is below the camera where it is positive, ``highest`` above. camera_range:
    from the lowest camera to the highest. pitch: sine of the median angle by which the camera looks up. metric: what
    metric depth says, None where it says nothing. openings: doorways and windows. riser: height of a
    step of stairs, None where there are none. upper: distance of the level through which the farthest of the floors
    seems to be seen, as what a floor mirrors; None where it does not.
    """

    floors: tuple[LevelSeen, ...]
    ceilings: tuple[LevelSeen, ...]
    lowest: float
    highest: float
    camera_range: float
    pitch: float
    metric: MetricDepth | None = None
    openings: tuple[OpeningSeen, ...] = ()
    riser: float | None = None
    upper: float | None = None


def scale_evidence(
    surfaces: SurfaceSamples,
    up: NDArray[np.float64],
    camera_to_world: NDArray[np.float64],
    metric: MetricDepth | None = None,
    openings: tuple[OpeningSeen, ...] = (),
    riser: float | None = None,
) -> ScaleEvidence:
    """Return what a clip shows of its size. up: (3,). camera_to_world: (n, 4, 4) of its registered frames."""
    cameras = camera_to_world[:, :3, 3] @ up
    middle = float(np.median(cameras))
    height, facing = surfaces.points @ up - middle, surfaces.normals @ up
    low, high = (float(q) for q in np.quantile(height, [0.002, 0.998]))
    pitch = float(np.median(camera_to_world[:, :3, 2] @ up))
    above = height[(facing < -HORIZONTAL) & (height > cameras.max() - middle)]
    return ScaleEvidence(
        floors=floors_below(surfaces, up, camera_to_world[:, :3, 3]),
        ceilings=_levels(above, height, thickness_of_levels(height)),
        lowest=-low,
        highest=high,
        camera_range=float(np.ptp(cameras)),
        pitch=pitch,
        metric=None if metric is None else _seen_at(metric, pitch),
        openings=openings,
        riser=riser,
    )


def floors_below(
    surfaces: SurfaceSamples, up: NDArray[np.float64], cameras: NDArray[np.float64]
) -> tuple[LevelSeen, ...]:
    """Return the levels below all cameras (n, 3), the farthest first. up: (3,)."""
    of_cameras = cameras @ up
    height = surfaces.points @ up - float(np.median(of_cameras))
    is_below = (surfaces.normals @ up > HORIZONTAL) & (height < of_cameras.min() - np.median(of_cameras))
    return _levels(-height[is_below], -height, thickness_of_levels(height))


def thickness_of_levels(heights: NDArray[np.float64]) -> float:
    """Return how thick a level is, unit of the heights (m,) of all that is seen."""
    low, high = np.quantile(heights, [0.002, 0.998])
    return LEVEL_THICKNESS * max(float(high - low), 1e-9)


def _seen_at(metric: MetricDepth, pitch: float) -> MetricDepth:
    """Return metric depth with what it adds to its spread that the camera looks up or down steeply; pitch: sine."""
    (up, up_by), (down, down_by) = sizes.LOOKS_UP, sizes.PITCHED
    steep = sizes.METRIC_STEEP * float(max(expit((pitch - up) / up_by), expit((-pitch - down) / down_by)))
    return replace(metric, own=float(np.hypot(metric.own, steep)))


def _levels(facing: NDArray[np.float64], everything: NDArray[np.float64], thickness: float) -> tuple[LevelSeen, ...]:
    """Return where distances (k,) of surfaces that face the camera pile up, of distances (m,) of all surfaces."""
    if len(facing) < SMALLEST_LEVEL * len(everything):
        return ()
    least = max(FEWEST_OF_FACING, SMALLEST_LEVEL * len(everything) / len(facing))
    piles = [
        (distance, int((np.abs(facing - distance) < thickness / 2).sum()))
        for distance in plane_offsets(facing, thickness, least)
        if distance > 0
    ]
    levels = [
        LevelSeen(distance, count / len(everything), float((everything > 1.1 * distance).mean()))
        for distance, count in _merged(sorted(piles), ONE_LEVEL * thickness)
    ]
    return tuple(reversed(levels))


def _merged(piles: list[tuple[float, int]], gap: float) -> list[tuple[float, int]]:
    """Join piles (distance, count) that lie closer than ``gap``: one at their mean distance, with all they hold."""
    groups: list[list[tuple[float, int]]] = []
    for pile in piles:
        if groups and pile[0] - groups[-1][-1][0] < gap:
            groups[-1].append(pile)
        else:
            groups.append([pile])
    held = [sum(count for _, count in group) for group in groups]
    return [
        (sum(distance * count for distance, count in group) / total, total)
        for group, total in zip(groups, held, strict=True)
    ]
