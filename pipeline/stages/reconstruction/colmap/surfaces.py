"""What dense depth says of the cameras behind it: rooms are right-angled, have one floor, and nobody sees through."""

from itertools import combinations

import numpy as np

from pipeline.contract.arrays import Float64s, Floats
from pipeline.stages.reconstruction.colmap.consistency import seen_from
from pipeline.stages.reconstruction.colmap.views import ClipViews

STRIDES = 40
"""Parts of the picture's width between pixels whose surface is looked at, and over which its slope is taken."""

BAND = np.sin(np.radians(8))
"""Within so much of a right angle, or of none, a surface agrees with an up direction (as in the stage ``scene``)."""

TILT = np.cos(np.radians(35))
CANDIDATES, JUDGES = 300, 4000
FAR_PAIRS = 24
"""Pairs of frames, far from each other in time, whose depth is compared."""

LEAST = 100
"""Surfaces of a half of the clip from which its floor can be told."""

NOT_KNOWN = float("nan")


def dense_signs(views: ClipViews, depth: Floats) -> dict[str, float]:
    """Return the signs of depth (r, h, w), 0 = no value.

    hollow: share of pixels without depth. through: of the pixels that frames far apart in time both see, the
    share at which one looks through the other's surface. crooked: share of surfaces neither parallel nor upright to the
    best up. floors: difference of the floor's height in the clip's halves, in heights of the camera above it.
    """
    points, normals, frame = _surfaces(views, depth)
    up = _up(views, normals)
    agrees = np.minimum(np.abs(normals @ up), _sine(normals @ up)) < BAND
    return {
        "hollow": float(np.mean(depth == 0)),
        "through": _seen_through(views, depth),
        "crooked": float(1 - agrees.mean()) if len(normals) >= 100 else NOT_KNOWN,
        "floors": _floors(views, points @ up, normals @ up, frame, up),
    }


def _seen_through(views: ClipViews, depth: Floats) -> float:
    """Frames are compared that lie at least a third of the clip apart and do not stand in each other's sources."""
    count = len(depth)
    apart = [pair for pair in combinations(range(count), 2) if pair[1] - pair[0] >= max(count // 3, 2)]
    chosen = [apart[at] for at in np.unique(np.linspace(0, len(apart) - 1, FAR_PAIRS).astype(int))] if apart else []
    agree = beyond = 0
    for pair in chosen:
        for view, source in (pair, pair[::-1]):
            seen = seen_from(views, depth, view, source)
            ratio = seen[seen > 0] / depth[view][seen > 0]
            agree += int(np.sum(np.abs(ratio - 1) < 0.05))
            beyond += int(np.sum(ratio > 1.1))
    return beyond / (agree + beyond) if agree + beyond >= depth.size // 1000 else NOT_KNOWN


def _surfaces(views: ClipViews, depth: Floats) -> tuple[Float64s, Float64s, Float64s]:
    """Return points (k, 3) of the world, their normals (k, 3) towards the camera, and the frame (k,) of each."""
    height, width = depth.shape[1:]
    stride = max(width // STRIDES, 1)
    rows, columns = np.mgrid[stride : height - stride : stride, stride : width - stride : stride]
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(rows.shape)], axis=-1)
    found: list[tuple[Float64s, Float64s, Float64s]] = []
    for view, values in enumerate(depth.astype(np.float64)):
        rays = np.linalg.inv(views.intrinsics[view])
        here, right, below = (
            (pixels + np.array([x, y, 0])) @ rays.T * values[rows + y, columns + x][..., None]
            for x, y in ((0, 0), (stride, 0), (0, stride))
        )
        normal = np.cross(below - here, right - here)
        length = np.linalg.norm(normal, axis=-1)
        flat = (right[..., 2] > 0) & (below[..., 2] > 0) & (here[..., 2] > 0) & (length > 0)
        for other in (right, below):
            flat &= np.abs(other[..., 2] - here[..., 2]) < 0.05 * here[..., 2]
        pose = views.camera_to_world[view]
        normal = normal[flat] / length[flat][:, None]
        normal *= np.where(np.einsum("ki,ki->k", normal, here[flat]) > 0, -1.0, 1.0)[:, None]
        world = here[flat] @ pose[:3, :3].T + pose[:3, 3]
        found.append((world, normal @ pose[:3, :3].T, np.full(len(world), view, np.float64)))
    points, normals, frames = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return points, normals, frames


def _up(views: ClipViews, normals: Float64s) -> Float64s:
    """Return the direction (3,) near what cameras hold for upright to which most normals are parallel or upright."""
    upright = -views.camera_to_world[:, :3, 1].mean(axis=0)
    upright /= max(float(np.linalg.norm(upright)), 1e-12)
    if len(normals) == 0:
        return np.asarray(upright)
    draw = np.random.default_rng(0)
    candidates = normals[draw.integers(0, len(normals), CANDIDATES)]
    crossed = np.cross(candidates[::2], candidates[1::2])
    crossed /= np.maximum(np.linalg.norm(crossed, axis=1, keepdims=True), 1e-12)
    candidates = np.concatenate([upright[None], candidates, crossed])
    candidates *= np.where(candidates @ upright < 0, -1.0, 1.0)[:, None]
    candidates = candidates[candidates @ upright > TILT] if len(candidates) else upright[None]
    candidates = np.concatenate([upright[None], candidates])
    cosine = normals[draw.integers(0, len(normals), JUDGES)] @ candidates.T
    agrees = np.minimum(np.abs(cosine), _sine(cosine)) < BAND
    return np.asarray(candidates[int(agrees.sum(axis=0).argmax())])


def _floors(views: ClipViews, height: Float64s, facing: Float64s, frame: Float64s, up: Float64s) -> float:
    """Compare the level below all cameras in both halves of the clip."""
    cameras = views.camera_to_world[:, :3, 3] @ up
    below = (facing > np.cos(np.radians(15))) & (height < cameras.min())
    later = frame >= len(cameras) / 2
    halves = [height[below & half] for half in (~later, later)]
    if min(map(len, halves)) < LEAST:
        return NOT_KNOWN
    levels = [float(np.percentile(half, 15)) for half in halves]
    held = float(np.median(cameras)) - float(np.mean(levels))
    return abs(levels[0] - levels[1]) / max(held, 1e-9)


def _sine(cosine: Float64s) -> Float64s:
    return np.asarray(np.sqrt(np.maximum(1 - cosine**2, 0)))
