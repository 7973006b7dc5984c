"""Depth that is right but for a scale and a shift, brought to depth that is measured in some of its pixels.

A network that looks at one picture knows shapes better than distances: its depth d is right up to z = a d + b. Errors
count as shares of the depth, robustly: part of what was measured is wrong, and part of what the network says.

Whether the two belong together is asked of pixels that the fit has not seen: the picture is cut into cells like a
chess board, the white ones foretell the black ones and the other way round. That tells how well depth is foretold among
measured pixels. How well it is foretold beyond them, each quarter of the picture tells, foretold by the other three.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CELLS = (6, 8)
_TRIES, _MOST, _ROUNDS = 96, 3000, 8
_FLAT = 0.08
"""Spread of ln(depth) below which a shift cannot be told from a scale."""
_NEAR_LINE = 0.05
_FEWEST_OF_QUARTER = 100
"""Measured pixels below which a quarter is not asked."""
_TO_DEVIATION = 1.4826

_Depth = NDArray[np.floating]


class Affine(NamedTuple):
    """z = scale d + shift; the shift is in units of z."""

    scale: float
    shift: float

    def of(self, depth: _Depth) -> NDArray[np.float64]:
        """Return the depth that a network's depth stands for."""
        return np.asarray(self.scale * depth.astype(np.float64) + self.shift)


@dataclass(frozen=True)
class Aligned:
    """How a network's depth becomes depth in the unit of what was measured, and how well it foretells that.

    held_out: median error of measured pixels that the fit did not see, shares of their depth. far_off: the same, 80th
    percentile. beyond: median error of the quarter of the picture that the other three foretell worst; infinite where
    fewer than two hold enough measured pixels. range: nearest and farthest measured depth, 2nd and 98th percentile.
    pixels: how many were measured. cells: in how many of the picture's 48 cells.
    """

    affine: Affine
    held_out: float
    far_off: float
    beyond: float
    range: tuple[float, float]
    pixels: int
    cells: int


def align_depth(said: _Depth, measured: _Depth) -> Aligned | None:
    """Fit a network's depth (h, w) to measured depth (h, w); what is not positive and finite is no value.

    None where fewer than three cells of either colour of the chess board hold pixels of both, or where more depth here
    means less there.
    """
    both = _given(said) & _given(measured)
    d, z = said[both].astype(np.float64), measured[both].astype(np.float64)
    cell, is_white = _chess_board(both)
    cells = [len(np.unique(cell[side])) for side in (is_white, ~is_white)]
    if min(cells) < 3:
        return None
    whole, errors = _fit(d, z), _foretold(d, z, is_white.astype(np.int64))
    if whole is None or not np.isfinite(errors).all():
        return None
    near, far = np.percentile(z, (2, 98))
    held_out, far_off = np.median(errors), np.percentile(errors, 80)
    beyond = _beyond(d, z, _quarters(both))
    return Aligned(whole, float(held_out), float(far_off), beyond, (float(near), float(far)), len(z), sum(cells))


def _foretold(d: NDArray[np.float64], z: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the error (m,) of each pixel as all parts but its own foretell it; infinite where they foretell none."""
    errors = np.full(len(z), np.inf)
    for own in (part == number for number in np.unique(part)):
        seen = _fit(d[~own], z[~own]) if not own.all() else None
        if seen is not None:
            errors[own] = np.abs(seen.of(d[own]) / z[own] - 1)
    return errors


def _beyond(d: NDArray[np.float64], z: NDArray[np.float64], quarter: NDArray[np.int64]) -> float:
    """Return the median error of the quarter that the others foretell worst."""
    asked = np.bincount(quarter, minlength=4) >= _FEWEST_OF_QUARTER
    if asked.sum() < 2:
        return np.inf
    errors = _foretold(d, z, quarter)
    return float(max(np.median(errors[quarter == number]) for number in np.flatnonzero(asked)))


def _given(depth: _Depth) -> NDArray[np.bool_]:
    return np.isfinite(depth) & (depth > 0)


def _chess_board(chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for the chosen pixels (m,) which cell they lie in, and whether it is a white one."""
    rows, columns = np.nonzero(chosen)
    down, across = rows * _CELLS[0] // chosen.shape[0], columns * _CELLS[1] // chosen.shape[1]
    return down * _CELLS[1] + across, (down + across) % 2 == 0


def _quarters(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for the chosen pixels (m,) which quarter of the picture they lie in, 0 to 3."""
    rows, columns = np.nonzero(chosen)
    return np.asarray(2 * (rows * 2 // chosen.shape[0]) + columns * 2 // chosen.shape[1], np.int64)


def _fit(d: NDArray[np.float64], z: NDArray[np.float64]) -> Affine | None:
    """Return the robust fit, or None where the scale is not positive: then d is no depth of z."""
    chosen = slice(None, None, len(z) // _MOST + 1)
    d, z = d[chosen], z[chosen]
    logs = np.log(z)
    if _TO_DEVIATION * np.median(np.abs(logs - np.median(logs))) < _FLAT:
        return Affine(float(np.exp(np.median(logs - np.log(d)))), 0.0)
    found = _start(d, z)
    for _ in range(_ROUNDS):
        off = found.of(d) / z - 1
        spread = max(_TO_DEVIATION * float(np.median(np.abs(off))), 1e-6)
        # Tukey's biweight: what lies beyond 4.7 deviations says nothing
        weight = np.maximum(1 - (off / (4.7 * spread)) ** 2, 0) / z
        columns = np.stack([d, np.ones_like(d)], axis=1) * weight[:, None]
        scale, shift = np.linalg.lstsq(columns, z * weight, rcond=None)[0]
        found = Affine(float(scale), float(shift))
    return found if found.scale > 0 else None


def _start(d: NDArray[np.float64], z: NDArray[np.float64]) -> Affine:
    """Return the line through two pixels that most others lie near."""
    pairs = np.random.default_rng(0).integers(len(z), size=(_TRIES, 2))
    near, far = d[pairs].T
    apart = np.abs(far - near) > 0.05 * np.abs(far)
    scale = np.divide(z[pairs[:, 1]] - z[pairs[:, 0]], far - near, out=np.ones(_TRIES), where=apart)
    shift = np.where(apart, z[pairs[:, 0]] - scale * near, 0)
    # without any two that differ, a scale alone
    plain = float(np.median(z / d))
    scale, shift = np.append(np.where(apart, scale, plain), plain), np.append(shift, 0)
    off = np.abs((scale[:, None] * d + shift[:, None]) / z - 1)
    best = int(np.minimum(off, _NEAR_LINE).sum(axis=1).argmin())
    return Affine(float(scale[best]), float(shift[best]))
