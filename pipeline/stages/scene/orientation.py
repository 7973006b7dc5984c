"""Which way is up, and how the walls run: consensus of surface normals, near what the camera holds for upright.

What cameras that look down steeply hold for upright is far from up; but they hardly roll.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.errors import NoUpDirection
from pipeline.stages.scene.settings import SceneSettings

CANDIDATES = 400
SCORED_NORMALS = 4000

STEEPEST_DEG, ROLL_MAX_DEG = 55.0, 20.0
"""How far a camera may look down, as from a gimbal overhead, and roll meanwhile; farther, walls look like floors."""

MOST_ROLLED_DEG = 27.0
"""Roll of a camera up to which it tells up from what lies a quarter turn off: one that is rolled by 60 degrees sees the
walls 30 degrees from its own upright, and the floor no nearer than those."""

CLEARLY = 1.3
"""By so much more normals must agree that it looks down steeply: a wall behind it may be taken for a floor, too."""


@dataclass(frozen=True)
class Up:
    """A unit vector (3,) and the share of normals that are parallel or orthogonal to it."""

    direction: Float64s
    confidence: float


def find_up(normals: Float64s, camera_to_world: NDArray[np.floating], settings: SceneSettings) -> Up:
    """Find the direction to which most normals (m, 3) are parallel (floor, ceiling, tables) or orthogonal (walls).

    camera_to_world: (n, 4, 4), of people who hold their cameras roughly upright.

    Raises:
        NoUpDirection: too few normals agree, the agreeing ones leave a direction open, or the camera is rolled so far
            that up may as well be a quarter turn off.
    """
    if len(normals) < 100:
        raise NoUpDirection("fewer than 100 pixels of the clip lie on flat surfaces")
    cameras, draw = camera_to_world[:, :3, :3].astype(np.float64), np.random.default_rng(settings.seed)
    suggested = suggested_ups(normals, unit(-cameras[:, :, 1].mean(axis=0)), draw)
    near, steep = is_near(suggested, cameras, settings), is_looked_down_on(suggested, cameras, settings)
    candidates, price = suggested[near | steep], np.where(near, 1.0, CLEARLY)[near | steep]
    judges = normals[draw.integers(0, len(normals), SCORED_NORMALS)]
    agreed = agreement(judges @ candidates.T, settings.agreement_deg)
    best = int((agreed.sum(axis=0) / price).argmax())
    check_share(float((agreed[:, best] > 0).mean()), settings)
    direction = candidates[best]
    for band in (settings.agreement_deg, settings.agreement_deg / 2, settings.agreement_deg / 2):
        direction = refined(normals, direction, band)
    agreeing = float((agreement(normals @ direction, settings.agreement_deg) > 0).mean())
    check_share(agreeing, settings)
    check_roll(direction, cameras)
    return Up(direction, agreeing)


def check_share(agreeing: float, settings: SceneSettings) -> None:
    """Raise ``NoUpDirection`` where too small a share of the normals agrees on the up that fits best."""
    if agreeing < settings.up_confidence_min:
        said = (
            f"only {agreeing:.0%} of the surface normals agree on an up direction near the one the camera holds for up"
        )
        raise NoUpDirection(f"{said}; it may be rolled on its side: turn the film upright")


def check_roll(up: Float64s, cameras: Float64s) -> None:
    """Raise ``NoUpDirection`` where cameras (n, 3, 3) are rolled so far that up may be a quarter turn off."""
    roll = float(np.degrees(np.arcsin(np.clip(abs(np.median(cameras[:, :, 0] @ up)), 0, 1))))
    if roll > MOST_ROLLED_DEG:
        said = f"the camera is rolled by {roll:.0f} degrees, or by {90 - roll:.0f} the other way"
        raise NoUpDirection(f"{said}: the walls do not tell which of them; turn the film upright")


def unit(vectors: Float64s) -> Float64s:
    """Scale vectors (..., 3) to length 1."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float64)


def suggested_ups(normals: Float64s, upright: Float64s, draw: np.random.Generator) -> Float64s:
    """Return unit vectors (k, 3) on the side of ``upright``: it, normals of floors, crossed ones of walls."""
    first, second = normals[draw.integers(0, len(normals), (2, CANDIDATES))]
    crossed = np.cross(first, second)
    apart = np.linalg.norm(crossed, axis=1) > np.sin(np.radians(30))
    found = np.concatenate([upright[None], first, unit(crossed[apart])])
    return np.asarray(found * np.where(found @ upright < 0, -1.0, 1.0)[:, None])


def is_near(ups: Float64s, cameras: Float64s, settings: SceneSettings) -> NDArray[np.bool_]:
    """Tell which ups (k, 3) are near the mean upright of cameras (n, 3, 3)."""
    upright = unit(-cameras[:, :, 1].mean(axis=0))
    return np.asarray(ups @ upright > np.cos(np.radians(settings.tilt_max_deg)))


def is_looked_down_on(ups: Float64s, cameras: Float64s, settings: SceneSettings) -> NDArray[np.bool_]:
    """Tell by which ups (k, 3) cameras (n, 3, 3) look down steeply and hardly roll."""
    rolls, dives = ups @ cameras[:, :, 0].T, -ups @ cameras[:, :, 2].T
    is_level = np.sqrt((rolls**2).mean(axis=1)) < np.sin(np.radians(ROLL_MAX_DEG))
    low, high = np.sin(np.radians((settings.tilt_max_deg, STEEPEST_DEG)))
    return np.asarray(is_level & (dives.mean(axis=1) > low) & (dives.mean(axis=1) < high))


def agreement(cosine: Float64s, band_deg: float) -> Float64s:
    """Weigh the cosines of normals to up: 1 where parallel or orthogonal, 0 where ``band_deg`` or more off that."""
    sine = np.sqrt(np.maximum(1 - cosine**2, 0))
    off = np.minimum(np.abs(cosine), sine) / np.sin(np.radians(band_deg))
    return np.asarray(np.maximum(1 - off**2, 0) ** 2, np.float64)


def refined(normals: Float64s, direction: Float64s, band_deg: float) -> Float64s:
    """Return the unit vector that is best parallel to the agreeing horizontal surfaces and orthogonal to the walls.

    Raises:
        NoUpDirection: the agreeing normals are all parallel to one another and lie across up: a single wall.
    """
    cosine = normals @ direction
    weight = agreement(cosine, band_deg) * np.where(np.abs(cosine) > 0.5, 1.0, -1.0)
    values, vectors = np.linalg.eigh((normals * weight[:, None]).T @ normals / max(np.abs(weight).sum(), 1e-12))
    if values[2] - values[1] < 0.01:
        said = "what agrees with how the camera is held is a single wall, and neither floor nor ceiling does"
        raise NoUpDirection(f"{said}; if the camera is rolled on its side, turn the film upright")
    best = vectors[:, 2]
    return np.asarray(best if best @ direction > 0 else -best, np.float64)


def walls_to_axes(normals: Float64s, up: Float64s, forward: NDArray[np.floating]) -> Float64s:
    """Return the rotation (3, 3) that takes up to z and the walls' normals to x and y.

    Of the four ways to turn, the one that brings ``forward`` (3,) nearest +y: the same in whatever frame the input is.
    """
    axis_y = unit(forward - up * (forward @ up))
    upright = np.stack([np.cross(axis_y, up), axis_y, up])
    flat = normals[np.abs(normals @ up) < np.sin(np.radians(20))] @ upright.T
    turn = -quarter_turn_angle(np.arctan2(flat[:, 1], flat[:, 0]))
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ upright


def quarter_turn_angle(angles: Float64s) -> float:
    """Return the angle in [-pi / 4, pi / 4) that most ``angles`` (m,), radians, share modulo right angles, or 0."""
    quarter = np.pi / 2
    counts = np.histogram(angles % quarter, bins=90, range=(0, quarter))[0].astype(float)
    smooth = sum(np.roll(counts, shift) for shift in (-2, -1, 0, 1, 2))
    angle = (float(np.argmax(smooth)) + 0.5) * quarter / 90
    for band in np.radians([8, 4, 4]):
        off = (angles - angle + quarter / 2) % quarter - quarter / 2
        weight = np.maximum(1 - (off / band) ** 2, 0) ** 2
        angle += float((weight * off).sum() / max(weight.sum(), 1e-12))
    return float((angle + quarter / 2) % quarter - quarter / 2) if len(angles) else 0.0
