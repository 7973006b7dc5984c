"""Floor, ceiling and scale: levels of horizontal surfaces, read as a room of known height."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metric.settings import MetricSettings
from pipeline.metric.surfaces import SurfaceSamples
from pipeline.records import ScaleSource

HORIZONTAL = np.cos(np.radians(15))
"""Cosine of the angle to up from which on a normal counts as that of a horizontal surface."""
LEVEL_BINS = 200
SMALLEST_LEVEL = 0.003
"""Share of all samples below which a level is noise."""


@dataclass(frozen=True)
class Levels:
    """Heights along up, reconstruction's unit: median camera, lowest and highest surface, floor and ceiling or None."""

    cameras: float
    lowest: float
    highest: float
    floor: float | None
    ceiling: float | None


@dataclass(frozen=True)
class Scale:
    """Metres per unit, the height (units) that becomes z = 0, where both come from, and whether a ceiling is seen."""

    metres: float
    zero: float
    source: ScaleSource
    sees_ceiling: bool


def find_levels(
    surfaces: SurfaceSamples, up: NDArray[np.float64], cameras: NDArray[np.float64], settings: MetricSettings
) -> Levels:
    """Find floor and ceiling: the lowest strong level below all cameras (n, 3), the highest strong one above them.

    A ceiling between which and the floor no hand-held camera would be is no ceiling, but the underside of a shelf.
    """
    height, facing = surfaces.points @ up, surfaces.normals @ up
    camera = cameras @ up
    lowest, highest = (float(q) for q in np.quantile(height, [0.002, 0.998]))
    below = height[(facing > HORIZONTAL) & (height < camera.min())]
    above = height[(facing < -HORIZONTAL) & (height > camera.max())]
    resolution = (highest - lowest) / LEVEL_BINS
    enough = SMALLEST_LEVEL * len(height)
    floor = lowest_level(below, resolution, enough, settings.peak_share)
    ceiling = lowest_level(-above, resolution, enough, settings.peak_share)
    levels = Levels(float(np.median(camera)), lowest, highest, floor, None if ceiling is None else -ceiling)
    return plausible(levels, settings)


def lowest_level(heights: NDArray[np.float64], resolution: float, enough: float, peak_share: float) -> float | None:
    """Return the lowest peak of the histogram of ``heights`` (m,) that is ``peak_share`` of the greatest one.

    None where not even the greatest peak holds ``enough`` samples.
    """
    if len(heights) < max(enough, 10):
        return None
    low, high = np.quantile(heights, [0.001, 1.0])
    counts = np.histogram(heights, bins=max(int((high - low) / resolution), 1) + 4, range=(low - 2 * resolution, high))[
        0
    ]
    smooth = np.convolve(counts, np.ones(5), mode="same")
    if smooth.max() < enough:
        return None
    strong = smooth >= np.maximum(peak_share * smooth.max(), enough)
    first = int(strong.argmax())
    run = first + int((~strong[first:]).argmax() if not strong[first:].all() else len(strong) - first)
    peak = first + int(smooth[first:run].argmax())
    width = (high - low + 2 * resolution) / len(counts)
    centre = low - 2 * resolution + (peak + 0.5) * width
    return float(np.median(heights[np.abs(heights - centre) < 3 * width]))


def plausible(levels: Levels, settings: MetricSettings) -> Levels:
    """Drop a ceiling that would put the camera too near the floor or the ceiling for a hand-held one."""
    if levels.floor is None or levels.ceiling is None:
        return levels
    share = (levels.cameras - levels.floor) / (levels.ceiling - levels.floor)
    low, high = settings.camera_height_share
    if low <= share <= high:
        return levels
    return Levels(levels.cameras, levels.lowest, levels.highest, levels.floor, None)


def find_scale(levels: Levels, settings: MetricSettings) -> Scale:
    """Read the levels as metres: walls are ``wall_height_m`` high, or the tightest bound that what is seen gives.

    Without a ceiling a camera at ``camera_height_m`` sets the scale, unless walls then rise above ``wall_height_m``;
    without a floor likewise from the ceiling down; without either, what is seen is taken to span the whole height.
    """
    wall, held = settings.wall_height_m, settings.camera_height_m
    floor, ceiling = levels.floor, levels.ceiling
    if floor is not None and ceiling is not None:
        return Scale(wall / (ceiling - floor), floor, ScaleSource.FLOOR_TO_CEILING, sees_ceiling=True)
    if floor is not None:
        by_camera, by_top = held / (levels.cameras - floor), wall / (levels.highest - floor)
        source = ScaleSource.CAMERA_HEIGHT if by_camera <= by_top else ScaleSource.FLOOR_AND_TOP
        return Scale(min(by_camera, by_top), floor, source, sees_ceiling=False)
    if ceiling is not None:
        by_camera, by_bottom = (wall - held) / (ceiling - levels.cameras), wall / (ceiling - levels.lowest)
        source = ScaleSource.CAMERA_HEIGHT if by_camera <= by_bottom else ScaleSource.CEILING_AND_BOTTOM
        metres = min(by_camera, by_bottom)
        return Scale(metres, ceiling - wall / metres, source, sees_ceiling=True)
    return Scale(wall / (levels.highest - levels.lowest), levels.lowest, ScaleSource.WALL_EXTENT, sees_ceiling=False)
