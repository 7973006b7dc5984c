"""Two reconstructions that share frames: the similarity that carries one onto the other, or why there is none.

Points of the same pixel of the same frame are the same point. So rotation, translation and scale follow from one shared
frame with depth; cameras and depths, each by themselves, must then agree with them, or the join is refused.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.camera import pointmap
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import rotation_angle, similarity_scale, transformed

FEWEST_POINTS = 300
POINTS_A_FRAME = 2000
ROUNDS = 5
RESIDUAL_MAX = 0.03
"""Median distance of points that should coincide, as a share of their depth."""

SCALE_OFF_MAX = 0.05
"""How far the scale of any one shared frame (logarithm) may be from that of the join."""

TURN_MAX, MOVE_MAX = 3.0, 0.05
"""Degrees, and share of median depth, by which the camera of a shared frame may be off."""


@dataclass(frozen=True)
class Join:
    """How a second reconstruction lies in the frame of a first one.

    similarity: (4, 4), from the second's frame to the first's. residual: median distance of points that should coincide
    over their depth. scale_off: logarithm, of the shared frame that is farthest from the join's scale. turn (degrees),
    move (median depths): of the shared camera that is farthest off. refused: why they are not joined; empty: they are.
    """

    similarity: Float64s
    residual: float
    scale_off: float
    turn: float
    move: float
    refused: str = ""


def join(
    first: Reconstruction, second: Reconstruction, of_first: NDArray[np.int64], of_second: NDArray[np.int64]
) -> Join:
    """Return how ``second`` lies in the frame of ``first``.

    of_first, of_second: (k,) rows of the frames that both show, in the same order.
    """
    both = first.registered[of_first] & second.registered[of_second]
    pairs = [
        (a, b, *found)
        for a, b in zip(of_first[both], of_second[both], strict=True)
        if (found := _shared_points(first, second, int(a), int(b))) is not None
    ]
    if not pairs:
        return Join(np.eye(4), np.nan, np.nan, np.nan, np.nan, "no shared frame has cameras and depth in both")
    points, target, depth = (np.concatenate([pair[n] for pair in pairs]) for n in (3, 2, 4))
    similarity = _fitted(points, target, 1 / depth)
    scale = similarity_scale(similarity)
    residual = float(np.median(np.linalg.norm(transformed(points, similarity) - target, axis=1) / depth))
    scale_off = max(abs(pair[5] - np.log(scale)) for pair in pairs)
    cameras = [(first.camera_to_world[a], second.camera_to_world[b]) for a, b, *_ in pairs]
    turns, moves = zip(*(_camera_off(*pair, similarity, scale) for pair in cameras), strict=True)
    off = (residual, float(scale_off), max(turns), max(moves) / float(np.median(depth)))
    return Join(similarity, *off, _objection(*off))


def _objection(residual: float, scale_off: float, turn: float, move: float) -> str:
    if residual > RESIDUAL_MAX:
        return f"points that should coincide are {residual:.1%} of their depth apart"
    if scale_off > SCALE_OFF_MAX:
        return f"the scale of a shared frame is off by {scale_off:.1%}"
    if turn > TURN_MAX:
        return f"the camera of a shared frame is turned by {turn:.1f} degrees"
    return f"the camera of a shared frame is off by {move:.1%} of the depth" if move > MOVE_MAX else ""


def _shared_points(
    first: Reconstruction, second: Reconstruction, a: int, b: int
) -> tuple[Float64s, Float64s, Float64s, float] | None:
    """Return points of a shared frame in the first's frame and the second's, both (m, 3), with their depth (m,).

    Last comes the logarithm of the first's depth over the second's. None where too few pixels have both.
    """
    both = np.flatnonzero((first.depth[a] > 0) & (second.depth[b] > 0))
    if len(both) < FEWEST_POINTS:
        return None
    both = both[:: -(-len(both) // POINTS_A_FRAME)]
    in_first, in_second = (
        pointmap(found.depth[row], found.intrinsics[row], found.camera_to_world[row]).reshape(-1, 3)[both]
        for found, row in ((first, a), (second, b))
    )
    depths = [found.depth[row].ravel()[both].astype(np.float64) for found, row in ((first, a), (second, b))]
    return in_first, in_second, depths[0], float(np.median(np.log(depths[0] / depths[1])))


def _fitted(points: Float64s, target: Float64s, weight: Float64s) -> Float64s:
    """Return the similarity (4, 4) that carries the nearer half of points (m, 3) onto target, found by trimming."""
    import torch

    from pipeline.geometry.similarity import fit_similarity

    nearest = np.ones(len(points), np.bool_)
    for _ in range(ROUNDS):
        chosen = (torch.from_numpy(np.ascontiguousarray(one[nearest]))[None] for one in (points, target, weight))
        similarity = np.asarray(fit_similarity(*chosen)[0].numpy(), np.float64)
        apart = np.linalg.norm(transformed(points, similarity) - target, axis=1) * weight
        nearest = apart <= np.median(apart)
    return similarity


def _camera_off(
    first: NDArray[np.floating], second: NDArray[np.floating], similarity: Float64s, scale: float
) -> tuple[float, float]:
    """Return by how many degrees, and by how far in the first's unit, two poses (4, 4) of one camera differ."""
    moved = similarity @ second.astype(np.float64)
    (turn,) = rotation_angle(moved[None, :3, :3] / scale, first[None, :3, :3].astype(np.float64))
    return float(turn), float(np.linalg.norm(moved[:3, 3] - first[:3, 3]))
