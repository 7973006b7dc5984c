"""Floor, ceiling and scale: levels of horizontal surfaces, read as a room of known height."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.geometry.planes import plane_offsets
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

HORIZONTAL = np.cos(np.radians(15))
"""Cosine of the angle to up from which on a normal counts as that of a horizontal surface."""
LEVEL_THICKNESS = 0.03
"""Thickness of a level as a share of the height of what is seen: 8 cm of a room."""
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
    """Metres per unit, the height (units) that becomes z = 0, and where both come from.

    cues: what they were read from. ceiling: metres above the floor, nan where none is seen. sigma: standard deviation
    of the logarithm of ``metres``, nan where it was not looked for. disagree: which cues disagree and by how much,
    empty where none do.
    """

    metres: float
    zero: float
    source: ScaleSource
    cues: ScaleCue
    ceiling: float = float("nan")
    sigma: float = float("nan")
    disagree: str = ""


def find_levels(
    surfaces: SurfaceSamples, up: NDArray[np.float64], cameras: NDArray[np.float64], settings: SceneSettings
) -> Levels:
    """Find floor and ceiling: the lowest level below all cameras (n, 3), the highest one above them.

    A ceiling between which and the floor no hand-held camera would be is no ceiling, but the underside of a shelf.
    """
    height, facing = surfaces.points @ up, surfaces.normals @ up
    camera = cameras @ up
    lowest, highest = (float(q) for q in np.quantile(height, [0.002, 0.998]))
    below = height[(facing > HORIZONTAL) & (height < camera.min())]
    above = height[(facing < -HORIZONTAL) & (height > camera.max())]
    middle = float(np.median(camera))
    floor = bottom_level(below - middle, height - middle, settings)
    ceiling = bottom_level(middle - above, middle - height, settings)
    return plausible(
        Levels(
            cameras=middle,
            lowest=lowest,
            highest=highest,
            floor=None if floor is None else middle + floor,
            ceiling=None if ceiling is None else middle - ceiling,
        ),
        settings,
    )


def bottom_level(level: NDArray[np.float64], everything: NDArray[np.float64], settings: SceneSettings) -> float | None:
    """Return the lowest height at which the heights of horizontal surfaces pile up, heights relative to the camera.

    level: (k,), of surfaces that face the camera from below. everything: (m,), of all surfaces. None where nothing
    piles up, or where much is seen below: then it is a table, and the floor is out of view.
    """
    if len(level) < SMALLEST_LEVEL * len(everything):
        return None
    thickness = LEVEL_THICKNESS * float(np.ptp(np.quantile(everything, [0.002, 0.998])))
    share_min = max(settings.level_share, SMALLEST_LEVEL * len(everything) / len(level))
    lowest = min(plane_offsets(level, thickness, share_min), default=None)
    if lowest is None or (everything < 1.1 * lowest).mean() > settings.beyond_level_max:
        return None
    return lowest


def plausible(levels: Levels, settings: SceneSettings) -> Levels:
    """Drop a ceiling that would put the camera too near the floor or the ceiling for a hand-held one."""
    if levels.floor is None or levels.ceiling is None:
        return levels
    share = (levels.cameras - levels.floor) / (levels.ceiling - levels.floor)
    low, high = settings.camera_height_share
    if low <= share <= high:
        return levels
    return Levels(levels.cameras, levels.lowest, levels.highest, levels.floor, None)


def find_scale(levels: Levels, settings: SceneSettings) -> Scale:
    """Read the levels as metres: walls are ``wall_height_m`` high, or the tightest bound that what is seen gives.

    Without a ceiling, the camera is at most ``camera_height_m`` above the floor and the walls end below
    ``wall_height_m``; without a floor, likewise from the ceiling down; without either, what is seen must fit into a
    room with the camera at that height.
    """
    wall, held = settings.wall_height_m, settings.camera_height_m
    floor, ceiling, cameras = levels.floor, levels.ceiling, levels.cameras
    if floor is not None and ceiling is not None:
        cues = ScaleCue.FLOOR | ScaleCue.CEILING
        return Scale(wall / (ceiling - floor), floor, ScaleSource.FLOOR_TO_CEILING, cues, wall)
    if floor is not None:
        by_camera, by_wall = held / (cameras - floor), wall / (levels.highest - floor)
        if by_camera <= by_wall:
            cues = ScaleCue.FLOOR | ScaleCue.CAMERA_HEIGHT
            return Scale(by_camera, floor, ScaleSource.CAMERA_HEIGHT, cues)
        return Scale(by_wall, floor, ScaleSource.FLOOR_AND_TOP, ScaleCue.FLOOR | ScaleCue.HIGHEST)
    if ceiling is not None:
        by_camera, by_wall = (wall - held) / (ceiling - cameras), wall / (ceiling - levels.lowest)
        metres, zero = min(by_camera, by_wall), ceiling - wall / min(by_camera, by_wall)
        if by_camera <= by_wall:
            cues = ScaleCue.CEILING | ScaleCue.CAMERA_HEIGHT
            return Scale(metres, zero, ScaleSource.CAMERA_HEIGHT, cues, wall)
        return Scale(metres, zero, ScaleSource.CEILING_AND_BOTTOM, ScaleCue.CEILING | ScaleCue.LOWEST, wall)
    down, up = held / max(cameras - levels.lowest, 1e-9), (wall - held) / max(levels.highest - cameras, 1e-9)
    cues = ScaleCue.CAMERA_HEIGHT | (ScaleCue.LOWEST if down <= up else ScaleCue.HIGHEST)
    return Scale(min(down, up), cameras - held / min(down, up), ScaleSource.CAMERA_HEIGHT, cues)
