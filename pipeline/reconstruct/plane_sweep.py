"""Plane sweep: how well does a pixel's neighbourhood match the sources if it lies at this depth?

Collins 1996, with normalised cross-correlation over square windows. Compiled with Numba, one frame a thread.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.reconstruct.settings import SweepSettings
from pipeline.reconstruct.views import Views
from pipeline.records import Floats

Float64s = NDArray[np.float64]


def inverse_depths(views: Views, view: int, settings: SweepSettings) -> Floats:
    """Return the inverse depths (d,) float32, far to near, evenly spaced.

    Steps are about ``settings.step`` pixels in the source with the widest baseline.
    """
    near, far = views.depth_range[view]
    height, width = views.grey.shape[1:]
    centre = np.array([width / 2, height / 2, 1])
    travel = [_travel(*views.projection(view, source), centre, near, far) for source in views.sources[view]]
    count = int(np.clip(max(travel) / settings.step, settings.min_planes, settings.max_planes))
    return np.linspace(1 / far, 1 / near, count).astype(np.float32)


def cost_volume(views: Views, view: int, inverse_depth: Floats, settings: SweepSettings) -> Floats:
    """Return the matching cost (h, w, d) float32 in [0, 2] of every pixel of ``view`` at every inverse depth.

    One minus the mean correlation of the two best sources (the others may be occluded); 1 where nothing can be told.
    Correlation is damped by the noise of the pictures, so that texture weaker than noise tells nothing.
    """
    reference = views.grey[view]
    best = np.zeros((len(inverse_depth), *reference.shape), np.float32)
    second = np.zeros_like(best)
    for source in views.sources[view]:
        turn, shift = views.projection(view, source)
        _correlate(
            reference, views.grey[source], turn, shift, inverse_depth, settings.radius, settings.noise**2, best, second
        )
    return np.ascontiguousarray((1 - (best + second) / 2).transpose(1, 2, 0))


def _travel(turn: Float64s, shift: Float64s, pixel: Float64s, near: float, far: float) -> float:
    first, last = turn @ pixel + shift / near, turn @ pixel + shift / far
    return float(np.linalg.norm(first[:2] / first[2] - last[:2] / last[2]))


@numba.njit(nogil=True, cache=True, fastmath=True)
def _correlate(
    reference: Any,
    source: Any,
    turn: Any,
    shift: Any,
    inverse_depth: Any,
    radius: Any,
    noise: Any,
    best: Any,
    second: Any,
) -> None:
    """Raise ``best`` and ``second`` (d, h, w), the two highest correlations so far, by those with ``source``."""
    warped, inside = np.empty_like(reference), np.empty_like(reference)
    columns = np.empty((6, reference.shape[1]), np.float32)
    for plane in range(len(inverse_depth)):
        _warp(source, turn, shift * inverse_depth[plane], warped, inside)
        _keep_two_best(reference, warped, inside, columns, radius, noise, best[plane], second[plane])


@numba.njit(nogil=True, cache=True, fastmath=True)
def _warp(source: Any, turn: Any, shift: Any, warped: Any, inside: Any) -> None:
    """Sample ``source`` where the pixels of the reference fall: ``turn (u, 1) + shift``; inside is 1 or 0."""
    height, width = source.shape
    for y in range(warped.shape[0]):
        for x in range(warped.shape[1]):
            u, v = x + 0.5, y + 0.5
            z = turn[2, 0] * u + turn[2, 1] * v + turn[2, 2] + shift[2]
            column = (turn[0, 0] * u + turn[0, 1] * v + turn[0, 2] + shift[0]) / z - 0.5
            row = (turn[1, 0] * u + turn[1, 1] * v + turn[1, 2] + shift[1]) / z - 0.5
            if z > 0 and 0 <= column < width - 1 and 0 <= row < height - 1:
                left, top = int(column), int(row)
                right, bottom = column - left, row - top
                above = source[top, left] * (1 - right) + source[top, left + 1] * right
                below = source[top + 1, left] * (1 - right) + source[top + 1, left + 1] * right
                warped[y, x] = above * (1 - bottom) + below * bottom
                inside[y, x] = 1
            else:
                warped[y, x] = 0
                inside[y, x] = 0


@numba.njit(nogil=True, cache=True, fastmath=True)
def _keep_two_best(
    reference: Any, warped: Any, inside: Any, columns: Any, radius: Any, noise: Any, best: Any, second: Any
) -> None:
    """Correlate square windows by sums that slide down the columns and then along the rows."""
    height = len(reference)
    columns[:] = 0
    for y in range(-radius, height):
        if y + radius < height:
            _add_row(reference[y + radius], warped[y + radius], inside[y + radius], columns, 1)
        if y > radius:
            _add_row(reference[y - radius - 1], warped[y - radius - 1], inside[y - radius - 1], columns, -1)
        if y >= 0:
            _slide(columns, radius, (min(y + radius, height - 1) - max(y - radius, 0) + 1), noise, best[y], second[y])


@numba.njit(nogil=True, cache=True, fastmath=True)
def _add_row(reference: Any, warped: Any, inside: Any, columns: Any, sign: Any) -> None:
    for x in range(len(reference)):
        r, s = reference[x], warped[x]
        columns[0, x] += sign * r
        columns[1, x] += sign * s
        columns[2, x] += sign * r * r
        columns[3, x] += sign * s * s
        columns[4, x] += sign * r * s
        columns[5, x] += sign * inside[x]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _slide(columns: Any, radius: Any, rows: Any, noise: Any, best: Any, second: Any) -> None:
    width = columns.shape[1]
    r = s = rr = ss = rs = valid = np.float32(0)
    for x in range(-radius, width):
        if x + radius < width:
            enter = columns[:, x + radius]
            r, s, rr = r + enter[0], s + enter[1], rr + enter[2]
            ss, rs, valid = ss + enter[3], rs + enter[4], valid + enter[5]
        if x > radius:
            leave = columns[:, x - radius - 1]
            r, s, rr = r - leave[0], s - leave[1], rr - leave[2]
            ss, rs, valid = ss - leave[3], rs - leave[4], valid - leave[5]
        area = rows * (min(x + radius, width - 1) - max(x - radius, 0) + 1)
        if x >= 0 and valid > area - 0.5:
            spread = (rr / area - (r / area) ** 2 + noise) * (ss / area - (s / area) ** 2 + noise)
            correlation = (rs / area - r * s / (area * area)) / np.sqrt(max(spread, noise * noise))
            if correlation > best[x]:
                second[x] = best[x]
                best[x] = correlation
            elif correlation > second[x]:
                second[x] = correlation
