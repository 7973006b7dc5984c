"""Two reconstructions without a common frame that show one place: the similarity between them, or why there is none.

Where pictures of both look alike, points of both are the same if the place is. A similarity is drawn from three of them
(Fischler and Bolles 1981), and must then be believed by what was not matched: dense depth of either reconstruction has
to lie on the surfaces of the other, and look like them. A chair that stands in two rooms has matches, but not a room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.camera import depth_intrinsics, pointmap
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Reconstruction
from pipeline.geometry.poses import transformed

FEWEST = 25
"""Matches that must agree on a similarity."""

DRAWS = 400
"""Samples of three: one of them is right with 95 % where a fifth of the matches is."""

ROUNDS = 3

MOST = 1500
"""Matches that are looked at; shots of one wall have five times as many."""

PIXELS_OFF = 8.0
"""By which a matched point may miss its pixel of the 640x480 picture."""

DEPTH_OFF = 0.08
"""Logarithm by which depths of one surface may differ."""

SEEN_SHARE = 0.12
"""Share of a frame's depth that must lie on surfaces of a frame of the other reconstruction."""

AGREEING = 0.93
"""Of what lies on a surface, or in front of it where the other reconstruction sees through: the share of the former.

Of 14 pairs of shots that show one place it was 0.96 and more, with a correlation of 0.90 and more; of 45
pairs that do not, and yet agreed in 25 matches, as patterns of tours recur, at most 0.89 with 0.77, or all with 0.41.
"""

ALIKE = 0.80
"""Correlation of the grey values of what lies on one surface."""

POINTS_A_FRAME = 1500


class LookAlikes(NamedTuple):
    """Places that look alike. rows: (k,) frames of a reconstruction. at: (k, 2) pixels of their 640x480 pictures.

    The first two are of one reconstruction, the others of another one.
    """

    rows: NDArray[np.int64]
    at: Float64s
    other_rows: NDArray[np.int64]
    other_at: Float64s


class Shown(NamedTuple):
    """A reconstruction with the frames of it that are compared. grey: by row, (h, w) float32, the size of depth."""

    found: Reconstruction
    grey: dict[int, NDArray[np.float32]]


@dataclass(frozen=True)
class Relocation:
    """How a second reconstruction lies in the frame of a first one.

    similarity: (4, 4), from the second's frame to the first's. matches: that agree with it. seen: the largest share of
    a frame's depth that lies on surfaces of a frame of the other. agreeing: of what lies on surfaces or in front of
    them, the share of the former. alike: correlation of grey values. refused: why there is none; empty: there is.
    """

    similarity: Float64s
    matches: int
    seen: float = np.nan
    agreeing: float = np.nan
    alike: float = np.nan
    refused: str = ""


def relocated(first: Shown, second: Shown, matched: LookAlikes, seed: int = 0) -> Relocation:
    """Return how ``second`` lies in the frame of ``first``; ``seed`` draws the samples."""
    here = _Sighted.at_pixels(first.found, matched.rows, matched.at)
    there = _Sighted.at_pixels(second.found, matched.other_rows, matched.other_at)
    both = np.flatnonzero(here.is_known & there.is_known)
    both = np.sort(np.random.default_rng(seed).permutation(both)[:MOST])
    here, there = here.only(both), there.only(both)
    similarity, agree = _agreed(here, there, seed)
    if agree < FEWEST:
        return Relocation(similarity, agree, refused=f"{agree} of {len(both)} places that look alike agree")
    onto_first = overlap(second, first, similarity)
    onto_second = overlap(first, second, _back(similarity))
    pairs = zip(onto_first, onto_second, strict=True)
    seen, agreeing, alike = (choose(pair) for choose, pair in zip((max, min, min), pairs, strict=True))
    return Relocation(similarity, agree, seen, agreeing, alike, _objection(seen, agreeing, alike))


def _objection(seen: float, agreeing: float, alike: float) -> str:
    if not seen >= SEEN_SHARE:
        return f"at most {seen:.0%} of a frame lies on what the other shows"
    if not agreeing >= AGREEING:
        return f"{1 - agreeing:.0%} of what one shows lies where the other sees through"
    return "" if alike >= ALIKE else f"what lies on one surface does not look alike (correlation {alike:.2f})"


class _Sighted(NamedTuple):
    """Points (k, 3) in a reconstruction's frame, with what one camera each saw of them.

    at: (k, 2) pixels of the picture. depth: (k,). projection: (k, 3, 4), from the frame to pixels.
    """

    points: Float64s
    at: Float64s
    depth: Float64s
    projection: Float64s

    @classmethod
    def at_pixels(cls, found: Reconstruction, rows: NDArray[np.int64], at: Float64s) -> Self:
        """Lift pixels (k, 2) of frames (k,); where there is no depth, depth is 0."""
        height, width = found.depth.shape[1:]
        x = np.clip(at[:, 0] * width / FRAME_WIDTH, 0, width - 1).astype(int)
        y = np.clip(at[:, 1] * height / FRAME_HEIGHT, 0, height - 1).astype(int)
        depth = found.depth[rows, y, x].astype(np.float64)
        intrinsics = found.intrinsics.astype(np.float64)
        camera_to_world = found.camera_to_world.astype(np.float64)
        # X = R (z K^-1 (u, v, 1)) + t
        rays = np.linalg.solve(intrinsics[rows], np.column_stack([at, np.ones(len(at))])[..., None])
        points = (camera_to_world[rows, :3, :3] @ (rays * depth[:, None, None]))[..., 0] + camera_to_world[rows, :3, 3]
        placed = [row for row in np.unique(rows).tolist() if found.registered[row]]
        projections = np.zeros((len(intrinsics), 3, 4))
        for row in placed:
            projections[row] = intrinsics[row] @ np.linalg.inv(camera_to_world[row])[:3]
        return cls(points, at, depth, projections[rows])

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Tell which have a depth (k,)."""
        return np.asarray((self.depth > 0) & np.isfinite(self.depth))

    def only(self, chosen: NDArray[np.int64]) -> Self:
        return type(self)(*(part[chosen] for part in self))

    def is_met(self, points: Float64s) -> NDArray[np.bool_]:
        """Tell which points (k, 3) lie where the cameras saw theirs, and as deep."""
        seen = (self.projection @ np.column_stack([points, np.ones(len(points))])[..., None])[..., 0]
        depth = np.maximum(seen[:, 2], 1e-9)
        off = np.linalg.norm(seen[:, :2] / depth[:, None] - self.at, axis=1)
        return np.asarray((off < PIXELS_OFF) & (np.abs(np.log(depth / self.depth)) < DEPTH_OFF))


def _agreed(here: _Sighted, there: _Sighted, seed: int) -> tuple[Float64s, int]:
    """Return the similarity from there to here that most matches agree with, and how many do."""
    count = len(here.points)
    draws = np.random.default_rng(seed).integers(0, max(count, 1), (DRAWS, 3))
    draws = draws[(_apart(here, draws) > 0) & (_apart(there, draws) > 0)] if count >= FEWEST else draws[:0]
    if not len(draws):
        return np.eye(4), 0
    tried = _fitted(there.points[draws], here.points[draws], np.ones(draws.shape))
    tried = tried[_has_scale(tried)]
    agree = max((_agreeing(here, there, one) for one in tried), key=np.count_nonzero, default=np.zeros(0, np.bool_))
    similarity = np.eye(4)
    for _ in range(ROUNDS):
        if np.count_nonzero(agree) < FEWEST:
            break
        refitted = _fitted(there.points[agree][None], here.points[agree][None], 1 / here.depth[agree][None])
        if not _has_scale(refitted).all():
            return np.eye(4), 0
        similarity = refitted[0]
        agree = _agreeing(here, there, similarity)
    return similarity, int(np.count_nonzero(agree))


def _has_scale(similarities: Float64s) -> NDArray[np.bool_]:
    """Tell which of similarities (e, 4, 4) are not all but singular, as of points that are one: from 0.001 to 1000."""
    return np.asarray(np.abs(np.log(np.maximum(np.linalg.det(similarities), 1e-300))) < 3 * np.log(1000))


def _back(similarity: Float64s) -> Float64s:
    return np.asarray(np.linalg.inv(similarity), np.float64)


def _apart(seen: _Sighted, draws: NDArray[np.int64]) -> Float64s:
    """Return the least distance between two of the three points of each draw (e, 3)."""
    points = seen.points[draws]
    return np.asarray(np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2).min(axis=1))


def _agreeing(here: _Sighted, there: _Sighted, similarity: Float64s) -> NDArray[np.bool_]:
    return here.is_met(transformed(there.points, similarity)) & there.is_met(
        transformed(here.points, _back(similarity))
    )


def _fitted(points: Float64s, target: Float64s, weight: Float64s) -> Float64s:
    """Return similarities (e, 4, 4) that carry points (e, p, 3) onto target."""
    import torch

    from pipeline.geometry.similarity import fit_similarity

    given = (torch.from_numpy(np.ascontiguousarray(one)) for one in (points, target, weight))
    return np.asarray(fit_similarity(*given).numpy(), np.float64)


def overlap(one: Shown, other: Shown, similarity: Float64s) -> tuple[float, float, float]:
    """Compare the dense depth of one reconstruction, moved, with that of another one.

    Returns the largest share of a frame's depth that lies on surfaces of a frame of the other; of all that lies on
    surfaces, or in front of them, the share of the former; the correlation of the grey values of what lies on surfaces.
    """
    seen, on, before, greys = 0.0, 0, 0, list[Float64s]()
    for row, grey in one.grey.items():
        points, values = _sampled(one.found, row, grey)
        placed = transformed(points, similarity)
        for other_row, other_grey in other.grey.items():
            ratio, other_values = _beside(placed, other.found, other_row, other_grey)
            is_on = np.abs(ratio) < DEPTH_OFF
            seen = max(seen, np.count_nonzero(is_on) / max(len(points), 1))
            on, before = on + int(is_on.sum()), before + int((ratio < -DEPTH_OFF).sum())
            greys.append(np.stack([values[is_on], other_values[is_on]]))
    return seen, on / max(on + before, 1), _correlation(greys)


def _correlation(greys: Sequence[Float64s]) -> float:
    """Return the correlation of values (2, k) of pairs of frames, each about its own means; 0 where there are none."""
    nothing = np.zeros((2, 0))
    pairs = np.concatenate([nothing, *(part - part.mean(axis=1, keepdims=True) for part in greys if part.size)], axis=1)
    power = np.sqrt((pairs**2).sum(axis=1).prod())
    return float((pairs[0] * pairs[1]).sum() / power) if power else 0.0


def _sampled(found: Reconstruction, row: int, grey: NDArray[np.float32]) -> tuple[Float64s, Float64s]:
    """Return points (k, 3) of a frame in the frame of its reconstruction, and their grey values (k,)."""
    known = np.flatnonzero(found.depth[row] > 0)
    known = known[:: max(1, len(known) // POINTS_A_FRAME)]
    points = pointmap(found.depth[row], found.intrinsics[row], found.camera_to_world[row]).reshape(-1, 3)
    return points[known], grey.ravel()[known].astype(np.float64)


def _beside(points: Float64s, found: Reconstruction, row: int, grey: NDArray[np.float32]) -> tuple[Float64s, Float64s]:
    """Return ``depth_over_surface`` of points (k, 3), and the grey values (k,) of what the frame shows there."""
    ratio, pixels = depth_over_surface(points, found, row)
    return ratio, np.where(pixels >= 0, grey.ravel()[pixels], 0).astype(np.float64)


def depth_over_surface(points: Float64s, found: Reconstruction, row: int) -> tuple[Float64s, NDArray[np.int64]]:
    """Return ln(depth of points (k, 3) over that of the surface a frame shows there), and the pixels (k,) of these.

    nan where the frame shows no surface there; -1 where a point is out of the picture.
    """
    height, width = found.depth.shape[1:]
    world_to_camera = np.linalg.inv(found.camera_to_world[row].astype(np.float64))
    seen = transformed(points, world_to_camera) @ depth_intrinsics(found.intrinsics[row], (height, width)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (seen[:, :2] / seen[:, 2:]).T
    inside = (seen[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    ratio, pixels = np.full(len(points), np.nan), np.full(len(points), -1)
    pixels[inside] = y[inside].astype(int) * width + x[inside].astype(int)
    surface = found.depth[row].ravel()[pixels[inside]].astype(np.float64)
    with np.errstate(divide="ignore"):
        ratio[inside] = np.where(surface > 0, np.log(seen[inside, 2]) - np.log(surface), np.nan)
    return ratio, pixels
