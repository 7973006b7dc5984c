"""Does the lens zoom where the network saw none? Corners tracked from frame to frame tell.

A zoom enlarges the picture as a whole, a step forwards enlarges near things more. Given depth, the two are told apart:
a free pose and a free enlargement then explain the tracks better than a free pose alone. Where depth is poor neither
explains them, and nothing is said.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pipeline.contract.arrays import Float64s, Floats, GrayImages, Images
from pipeline.contract.errors import LensZooms
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Reconstruction
from pipeline.stages.reconstruction.zoom import is_steady_zoom

SPOILING_ZOOM = 1.15
"""Longest over shortest focal length, beyond what the reconstruction has, that spoils it."""

GAIN = 1.2
"""Cost of the tracks without a zoom over that with one, at least: 1.4 for a zoom of 1.6, below 1.1 without a zoom."""

CORNERS, CORNER_QUALITY, CORNER_DISTANCE = 600, 0.005, 6
FEWEST_TRACKS = 30
WINDOW, LEVELS = (21, 21), 4
RETURNS_PX = 0.7
"""Distance from a corner at which its track ends when followed there and back."""


@dataclass(frozen=True)
class Tracks:
    """Corners of one frame found again in another.

    first, second: (p, 2) float64 pixels. depth: (p,) float64, z-depth of the corners in the first frame.
    """

    first: Float64s
    second: Float64s
    depth: Float64s


@dataclass(frozen=True)
class Enlargement:
    """What tracks between two frames ask for.

    log_ratio: logarithm of the second focal length over the first, beyond what the intrinsics say. cost, cost_without:
    robust costs with this ratio and with 0.
    """

    log_ratio: float
    cost: float
    cost_without: float


def check_lens(rgb: Images, reconstruction: Reconstruction) -> None:
    """Refuse a clip whose lens zooms beyond what its intrinsics say.

    Args:
        rgb: (n, 480, 640, 3) uint8.
        reconstruction: of these frames.

    Raises:
        LensZooms: the tracks ask for focal lengths that change steadily, and are explained much better by them.
    """
    kept = np.flatnonzero(reconstruction.registered)
    steps = [enlargement(rgb, reconstruction, int(one), int(two)) for one, two in pairwise(kept)]
    known = [step for step in steps if step]
    course = np.exp(np.cumsum([0.0, *(step.log_ratio for step in known)]))
    gain = sum(step.cost_without for step in known) / max(sum(step.cost for step in known), 1e-9)
    if len(known) * 2 > len(steps) and gain > GAIN and is_steady_zoom(course, SPOILING_ZOOM):
        zoom = course.max() / course.min()
        raise LensZooms(f"the lens zooms by {zoom:.2f}, and the network gave all frames nearly one focal length")


def enlargement(rgb: Images, reconstruction: Reconstruction, one: int, two: int) -> Enlargement | None:
    """Ask the tracks between two frames, there and back, as errors of depth then cancel; None where they are few."""
    there = tracks_between(rgb[one], rgb[two], reconstruction.depth[one])
    back = tracks_between(rgb[two], rgb[one], reconstruction.depth[two])
    if min(len(there.depth), len(back.depth)) < FEWEST_TRACKS:
        return None
    focal = reconstruction.intrinsics[:, 0, 0].astype(np.float64)
    ahead, behind = fit(there, focal[one], focal[two]), fit(back, focal[two], focal[one])
    return Enlargement(
        (ahead.log_ratio - behind.log_ratio) / 2,
        ahead.cost + behind.cost,
        ahead.cost_without + behind.cost_without,
    )


def tracks_between(first: Images, second: Images, depth: Floats) -> Tracks:
    """Find corners of ``first`` (480, 640, 3) again in ``second``; depth (h, w) of the first, 0 = no value."""
    grey, grey_second = (np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in (first, second))
    corners = np.asarray(cv2.goodFeaturesToTrack(grey, CORNERS, CORNER_QUALITY, CORNER_DISTANCE), np.float32)
    if not corners.ndim:
        return Tracks(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    found, seen = _followed(grey, grey_second, corners)
    home, seen_again = _followed(grey_second, grey, found)
    returned = np.linalg.norm((home - corners)[:, 0], axis=1) < RETURNS_PX
    height, width = depth.shape
    columns = np.clip(corners[:, 0, 0] * width / FRAME_WIDTH, 0, width - 1).astype(np.int64)
    rows = np.clip(corners[:, 0, 1] * height / FRAME_HEIGHT, 0, height - 1).astype(np.int64)
    z = depth[rows, columns].astype(np.float64)
    kept = seen & seen_again & returned & (z > 0)
    # OpenCV's pixel centres are at integers, ours at + 0.5
    return Tracks(corners[kept, 0] + 0.5, found[kept, 0] + 0.5, z[kept])


def _followed(first: GrayImages, second: GrayImages, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Follow points (p, 1, 2) float32 by optical flow (Lucas and Kanade, on a pyramid)."""
    found, seen, _ = cv2.calcOpticalFlowPyrLK(first, second, points, points.copy(), winSize=WINDOW, maxLevel=LEVELS)
    return np.asarray(found, np.float32), np.asarray(seen[:, 0] > 0)


def fit(tracks: Tracks, focal_first: float, focal_second: float) -> Enlargement:
    """Find the pose and the enlargement that explain tracks best, and the cost without an enlargement.

    With the rays v of the corners, their depths d, a pose (R, t) and an enlargement exp(s), the residual is
    r = exp(s) f_second pi(R d v + t) + centre - q in pixels; minimised is the sum of 2 (sqrt(1 + r^2) - 1).
    """
    centre = np.array([FRAME_WIDTH / 2, FRAME_HEIGHT / 2])
    rays = np.column_stack([(tracks.first - centre) / focal_first, np.ones(len(tracks.depth))])
    points, unit = rays * tracks.depth[:, None], float(np.median(tracks.depth))

    def residual(unknowns: Float64s) -> Float64s:
        moved = points @ cv2.Rodrigues(unknowns[:3])[0].T + unit * unknowns[3:6]
        slope = moved[:, :2] / np.maximum(moved[:, 2:], 1e-3 * unit)
        return np.asarray((np.exp(unknowns[6]) * focal_second * slope + centre - tracks.second).ravel())

    still = least_squares(lambda pose: residual(np.append(pose, 0.0)), np.zeros(6), loss="soft_l1")
    zoomed = least_squares(residual, np.append(still.x, 0.0), loss="soft_l1")
    return Enlargement(float(zoomed.x[6]), float(zoomed.cost), float(still.cost))
