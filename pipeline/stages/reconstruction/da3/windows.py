"""Windows of a long clip, and bringing their cameras into one world by what two of them say of the frames they share.

A network of many views answers in a world and a unit of its own at every call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.geometry.poses import similarity_scale

_LEAST_WEIGHT = 1e-6
_TO_DEVIATION = 1.4826
_LEAST_SPREAD = 0.01
_FEWEST = 30
"""Pixels that two windows must both give a depth."""


@dataclass(frozen=True)
class WindowCameras:
    """What a window says, and so much of its depth that it can be joined with its neighbours.

    frames: those of the clip that it covers. camera_to_world: (S, 4, 4) float64, in the window's own world. depth:
    (S, a, b), z-depth in its own unit at ``rays``' pixels, 0 = no value. confidence: (S, a, b), 0 = not to be trusted.
    """

    frames: range
    camera_to_world: Float64s
    depth: NDArray[np.floating]
    confidence: NDArray[np.floating]


@dataclass(frozen=True)
class Joined:
    """All windows in one world.

    to_world: (w, 4, 4) float64, similarities from each window's world to the common one. kept: (w,) bool, windows of
    the longest piece. disagreement: (w - 1,), median distance between points of neighbours, shares of their depth.
    """

    to_world: Float64s
    kept: NDArray[np.bool_]
    disagreement: Float64s


def windows_of(frames: int, window: int, overlap: float) -> list[range]:
    """Split ``frames`` into windows of one length that overlap by at least a share ``overlap``, at least by 2 frames.

    The last one ends with the last frame, so that it overlaps by more.
    """
    if frames <= window:
        return [range(frames)]
    step = window - min(max(round(overlap * window), 2), window - 1)
    starts = [*range(0, frames - window, step), frames - window]
    return [range(start, start + window) for start in starts]


def owned_frames(windows: Sequence[range]) -> list[range]:
    """Return which frames each window answers for: those that lie deeper in it than in its neighbours."""
    cuts = [(one.stop + two.start) // 2 for one, two in pairwise(windows)]
    ends = pairwise([windows[0].start, *cuts, windows[-1].stop])
    return [range(start, stop) for start, stop in ends]


def joined(windows: Sequence[WindowCameras], rays: Float64s, max_disagreement: float) -> Joined:
    """Bring windows into the world of the first one of their longest piece.

    rays: (a, b, 3), of unit depth, of the pixels whose depth is given, from the one camera that all frames have.
    max_disagreement: beyond it two neighbours are not joined.
    """
    steps = [_step(one, two, rays) for one, two in pairwise(windows)]
    disagreement = np.array([off for _, off in steps])
    pieces = np.concatenate([[0], np.cumsum(~(disagreement <= max_disagreement))]).astype(np.int64)
    to_world = [np.eye(4)]
    for number, (similarity, _) in enumerate(steps):
        same = pieces[number] == pieces[number + 1]
        to_world.append(to_world[-1] @ similarity if same else np.eye(4))
    largest = max(range(pieces[-1] + 1), key=lambda piece: _covered(windows, pieces == piece))
    return Joined(np.stack(to_world), pieces == largest, disagreement)


def _covered(windows: Sequence[WindowCameras], chosen: NDArray[np.bool_]) -> int:
    return len({frame for window, taken in zip(windows, chosen, strict=True) if taken for frame in window.frames})


def _step(one: WindowCameras, two: WindowCameras, rays: Float64s) -> tuple[Float64s, float]:
    """Return the similarity from the world of the second window to that of the first, and how far it is off."""
    shared = range(two.frames.start, one.frames.stop)
    weight = np.sqrt(_of(one.confidence, one, shared) * _of(two.confidence, two, shared)).reshape(-1)
    depth, depth_two = (_of(window.depth, window, shared).reshape(-1).astype(np.float64) for window in (one, two))
    given = (weight > _LEAST_WEIGHT) & (depth > 0) & (depth_two > 0)
    if np.count_nonzero(given) < _FEWEST:
        return np.eye(4), np.inf
    points, target = _points(two, shared, rays)[given], _points(one, shared, rays)[given]
    depth, depth_two, weight = depth[given], depth_two[given], weight[given].astype(np.float64)
    # near points are known better: a distance counts in shares of the depth
    found = _fit(points, target, np.log(depth / depth_two), weight / depth)
    off = np.linalg.norm(points @ found[:3, :3].T + found[:3, 3] - target, axis=-1) / depth
    fits = bool(np.isfinite(found).all()) and np.linalg.det(found[:3, :3]) > 0
    return (found, float(np.median(off))) if fits else (np.eye(4), np.inf)


def _fit(points: Float64s, target: Float64s, log_ratio: Float64s, weight: Float64s) -> Float64s:
    """Return the similarity (4, 4) that carries points (p, 3) onto target; weights (p,) are those of distances.

    Of one frame the ratio of two depths is the scale between the windows, without any camera, and its median errs to
    neither side; a fit of points takes noise in them for size. Pixels of another ratio have wrong depth, and would have
    the most to say.
    """
    import torch

    from pipeline.geometry.similarity import fit_similarity

    scale = float(np.median(log_ratio))
    off = np.abs(log_ratio - scale)
    like = off <= max(3 * _TO_DEVIATION * float(np.median(off)), _LEAST_SPREAD)
    scaled = np.exp(scale) * points
    fitted = fit_similarity(*(torch.from_numpy(part[like])[None] for part in (scaled, target, weight)))[0].numpy()
    rotation = fitted[:3, :3] / similarity_scale(fitted)
    found = np.eye(4)
    found[:3, :3] = np.exp(scale) * rotation
    found[:3, 3] = np.median(target[like] - scaled[like] @ rotation.T, axis=0)
    return found


def _points(window: WindowCameras, shared: range, rays: Float64s) -> Float64s:
    """Points (p, 3) of the shared frames, in the window's own world."""
    cameras = _of(window.camera_to_world, window, shared)
    seen = rays * _of(window.depth, window, shared)[..., None].astype(np.float64)
    points = np.einsum("sij,sabj->sabi", cameras[:, :3, :3], seen) + cameras[:, None, None, :3, 3]
    return np.asarray(points.reshape(-1, 3))


def _of(values: NDArray[np.floating], window: WindowCameras, shared: range) -> NDArray[np.floating]:
    return values[shared.start - window.frames.start : shared.stop - window.frames.start]
