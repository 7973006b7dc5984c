"""How far a lens bends, told by edges of rooms, which are straight: the plumb-line method (Brown 1971).

Edges of pictures are traced to a tenth of a pixel. What is nearly straight, bent by a lens or by nobody, is a witness.
Of all bends of one coefficient, that is looked for which makes most of their length straight; edges of round things
agree on none and count little, whatever their number (Geman and McClure's estimator). No camera need be known, and no
two pictures matched. Where lines run through the centre they tell nothing, and the more of them there are, the less
the cost falls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images, Int64s
from pipeline.geometry.distortion import CENTRE, HALF_DIAGONAL

SHORTEST = 60
"""Pixels of an edge that tells; shorter ones bend by less than is measured."""

POINTS = 64
"""Of an edge at most, evenly spread."""

_BLUR, _LOW, _HIGH, _GAIN = 1.2, 1.5, 4.0, 64
_ROUGH, _SAGITTA, _WHOLE = 0.45, 0.06, 0.7
"""Pixels by which an edge strays from a parabola; its height over its length; share of its length that is there."""
_BESIDE = 3
"""Pixels at the border in which no edge is looked for."""

_BENDS = np.linspace(-0.3, 0.1, 41)
_NEAR = 0.35
"""Pixels within which an edge is straight."""
_FARTHEST = 1.6
"""Half diagonals from the centre up to which a bend is undone."""
_DRAWS, _ROUNDS = 32, 12


@dataclass(frozen=True)
class BendOfLines:
    """What edges say of a lens.

    bend: the coefficient k1 of ``Distortion``. deviation: its standard deviation over draws of edges. gain: by what
    share the cost falls from that of a straight lens. edges: how many were asked.
    """

    bend: float
    deviation: float
    gain: float
    edges: int


def edges_of(picture: Images, filmed: NDArray[np.bool_]) -> list[Float64s]:
    """Return edges (m, 2), pixels (x, y), of a picture (h, w, 3) uint8 RGB that are nearly straight.

    filmed: (h, w), where the picture shows what was filmed; bars, letters and logos were not.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), _BLUR)
    sloping = [cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1))]
    slope = (np.stack(sloping, axis=-1) / 8).astype(np.float32)
    steep = np.asarray(np.linalg.norm(slope, axis=-1), np.float32)
    across, down = np.moveaxis((_GAIN * slope).clip(-32768, 32767).astype(np.int16), -1, 0)
    found = (np.asarray(cv2.Canny(across, down, _GAIN * _LOW, _GAIN * _HIGH, L2gradient=True)) > 0) & filmed
    found[:_BESIDE], found[-_BESIDE:], found[:, :_BESIDE], found[:, -_BESIDE:] = (False,) * 4
    pieces = _without_junctions(found.astype(np.uint8))
    return [edge for rows, columns in _apart(pieces) if len(edge := _edge(rows, columns, slope, steep))]


def bend_of(edges: Sequence[Float64s]) -> BendOfLines | None:
    """Return the bend that makes most of some edges (m, 2) of one camera straight; None without edges."""
    if not edges:
        return None
    strays = _strays(edges)
    cost = (strays / _NEAR) ** 2
    cost /= 1 + cost
    length = np.array([np.ptp(edge, axis=0).max() for edge in edges])
    draws = np.random.default_rng(0).multinomial(len(edges), np.full(len(edges), 1 / len(edges)), _DRAWS)
    of_draws = [_least(cost @ (length * draw)) for draw in draws]
    whole = cost @ length
    straight = whole[int(np.abs(_BENDS).argmin())]
    gain = 1 - float(whole.min() / straight) if straight > 0 else 0.0
    return BendOfLines(_least(whole), float(np.std(of_draws)), gain, len(edges))


def _without_junctions(found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    neighbours = cv2.filter2D(found, -1, np.ones((3, 3), np.uint8)) - found
    return np.where(neighbours > 2, 0, found).astype(np.uint8)


def _apart(pieces: NDArray[np.uint8]) -> list[tuple[Int64s, Int64s]]:
    """Return rows and columns of every connected piece that is long enough."""
    _, label = cv2.connectedComponents(pieces, connectivity=8)
    rows, columns = np.nonzero(pieces)
    order = np.argsort(label[rows, columns], kind="stable")
    ends = np.flatnonzero(np.diff(label[rows[order], columns[order]])) + 1
    parts = zip(np.split(rows[order], ends), np.split(columns[order], ends), strict=True)
    return [(down, across) for down, across in parts if len(down) >= SHORTEST]


def _edge(rows: Int64s, columns: Int64s, slope: Floats, steep: Floats) -> Float64s:
    """Return the points (m, 2) of an edge along its length, to parts of a pixel; none where it is not one line."""
    across = slope[rows, columns] / (steep[rows, columns] + 1e-9)[:, None]
    before, here, after = (_sampled(steep, rows, columns, across, step) for step in (-1, 0, 1))
    # the top of the parabola through three values of steepness across the edge
    curved = np.minimum(before - 2 * here + after, -1e-6)
    top = np.clip(0.5 * (before - after) / curved, -0.7, 0.7)
    points = np.stack([columns, rows], axis=1) + 0.5 + top[:, None] * across
    middle = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(middle, full_matrices=False)
    along, beside = (middle @ axes.T).T
    length = float(np.ptp(along))
    if length < SHORTEST or len(points) < _WHOLE * length:
        return np.zeros((0, 2))
    parabola = np.polyfit(along, beside, 2)
    rough = float(np.std(beside - np.polyval(parabola, along)))
    if rough > _ROUGH or abs(parabola[0]) * (length / 2) ** 2 > _SAGITTA * length:
        return np.zeros((0, 2))
    chosen = np.argsort(along, kind="stable")[np.linspace(0, len(along) - 1, min(POINTS, len(along))).astype(int)]
    return np.asarray(points[chosen], np.float64)


def _sampled(values: Floats, rows: Int64s, columns: Int64s, direction: Floats, step: float) -> Float64s:
    at = (np.stack([columns, rows], axis=1) + step * direction).astype(np.float32)
    return np.asarray(cv2.remap(values, at[:, :1], at[:, 1:], cv2.INTER_LINEAR)[:, 0], np.float64)


def _strays(edges: Sequence[Float64s]) -> Float64s:
    """Return (bends, edges): how far every edge strays from a line, root mean square, pixels of the film."""
    points, count = np.concatenate(edges), np.array([len(edge) for edge in edges])
    owner = np.repeat(np.arange(len(edges)), count)
    film = (points - CENTRE) / HALF_DIAGONAL
    return np.stack([_stray(_straightened(film, bend), owner, count, bend) for bend in _BENDS])


def _straightened(film: Float64s, bend: float) -> Float64s:
    """Return where points (n, 2) lie without the bend: r + bend r^3 = film radius, by Newton's steps."""
    radius = np.linalg.norm(film, axis=1)
    ideal = radius
    for _ in range(_ROUNDS):
        step = (ideal + bend * ideal**3 - radius) / np.maximum(1 + 3 * bend * ideal**2, 0.1)
        ideal = np.clip(ideal - step, 0, _FARTHEST)
    return np.asarray(film * (ideal / np.maximum(radius, 1e-9))[:, None])


def _stray(points: Float64s, owner: Int64s, count: Int64s, bend: float) -> Float64s:
    """Return the smaller deviation of each edge's points, at the scale that the film has there."""
    x, y = points.T * HALF_DIAGONAL
    mean_x, mean_y = (np.bincount(owner, part) / count for part in (x, y))
    x, y = x - mean_x[owner], y - mean_y[owner]
    xx, yy, xy = (np.bincount(owner, part) / count for part in (x * x, y * y, x * y))
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    # straightening enlarges by 1 / (1 + 3 bend r^2) along the radius and less across it: by its root on the whole
    scale = np.sqrt(np.maximum(1 + 3 * bend * (mean_x**2 + mean_y**2) / HALF_DIAGONAL**2, 0.2))
    return np.asarray(np.sqrt(np.maximum(smaller, 0)) * scale)


def _least(cost: Float64s) -> float:
    """Return the bend of least cost, by a parabola through the three values about it."""
    place = int(cost.argmin())
    if not 0 < place < len(cost) - 1:
        return float(_BENDS[place])
    before, here, after = cost[place - 1 : place + 2]
    shift = 0.5 * (before - after) / max(before - 2 * here + after, 1e-12)
    return float(_BENDS[place] + shift * (_BENDS[1] - _BENDS[0]))
