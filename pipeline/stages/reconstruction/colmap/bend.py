"""Does the lens bend straight lines, by matches alone? A strong bend breaks mapping, which then cannot tell of it.

Matches of a pinhole camera lie on epipolar lines, whatever its focal length and its way; those of a bent picture lie
on them once they are straightened. A range of bends is tried, each with a fundamental matrix a pair (RANSAC), and that
with the least distance of matches from their lines is believed where it is less than without a bend by far: what is
found so is coarse, and a bundle adjustment of the straightened pictures says what is left of it (``lens.py``). The
distance falls all the way to the bend that is there: where a weak one on neither side brings it down, there is none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pycolmap
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.geometry.distortion import CENTRE, HALF_DIAGONAL, STRAIGHT, Distortion
from pipeline.geometry.epipolar import distance_from_lines
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.pairs import Features
from pipeline.stages.reconstruction.colmap.residuals import is_surely_less
from pipeline.stages.reconstruction.first_look import UNTOLD, LensFit

BENDS = (0.05, 0.0, -0.03, -0.06, -0.1, -0.15, -0.2, -0.26)
"""Radial coefficients tried, for lengths in half diagonals: a wide action camera has -0.2, a phone -0.03."""

WEAK = 3
"""So many of them are tried first: none, and a weak one to either side."""

NEAR = 2
"""Frames up to so far apart are looked at: of those farther apart more matches are wrong."""

FEWEST, MOST = 40, 400
"""Matches of a pair that are enough to tell, and that are looked at."""

INLIER_PX, TRIALS = 1.5, 1000
"""Of the fundamental matrices."""

WORST_PX = 4.0
"""Pixels that a match counts at most; where no bend brings it nearer it is a mismatch and does not count."""

LEAST_GAIN = 0.05
"""Share by which distances must fall: 0.15 to 0.44 with bends of 9 to 12 % at the corner, up to 0.03 without."""

FOLD = 0.1
"""Least share of its size to which a lens may shrink a place of the picture; beyond it pixels are not told apart."""


class Matched(NamedTuple):
    """Matched pixels (m, 2) of two frames, of which some are wrong."""

    pixels: Float64s
    pixels_second: Float64s


def bend_of(features: Features, settings: LensSettings, seed: int) -> LensFit:
    """Return how the lens bends by the matches of a clip; nothing is told where it bends little or not."""
    pairs = [
        _matched(features, first, second, match)
        for (first, second), match in sorted(features.matches.items())
        if len(match) >= FEWEST and abs(features.frame_of[first] - features.frame_of[second]) <= NEAR
    ]
    if not pairs:
        return UNTOLD
    weak = _tried(pairs, BENDS[:WEAK], seed)
    matched = _matching(weak)
    if matched.shape[1] < FEWEST or matched.mean(axis=1).argmin() == BENDS.index(0.0):
        return UNTOLD
    tried = _matching(np.concatenate([weak, _tried(pairs, BENDS[WEAK:], seed)]))
    plain, best = tried[BENDS.index(0.0)], tried[tried.mean(axis=1).argmin()]
    if not is_surely_less(plain, best, LEAST_GAIN, settings.least_sure):
        return UNTOLD
    weight = int(settings.held_out * len(plain))
    return LensFit(Distortion(k1=_lowest(tried.mean(axis=1))), float(plain.mean()), float(best.mean()), weight)


def _tried(pairs: Sequence[Matched], bends: Sequence[float], seed: int) -> Float64s:
    """Return for each bend (b, m) how far matches lie from their lines, pixels."""
    return np.stack([np.concatenate([_distances(pair, k1, seed) for pair in pairs]) for k1 in bends])


def _matching(tried: Float64s) -> Float64s:
    """Return distances (b, m) of the matches that any bend brings near; the others are mismatches."""
    return np.asarray(tried[:, (tried < WORST_PX).any(axis=0)])


def _matched(features: Features, first: int, second: int, match: NDArray[np.uint32]) -> Matched:
    """Return the pixels of some matches, evenly chosen where there are many."""
    chosen = match[:: math.ceil(len(match) / MOST)]
    return Matched(features.pixels[first][chosen[:, 0]], features.pixels[second][chosen[:, 1]])


def _distances(pair: Matched, k1: float, seed: int) -> Float64s:
    """Return how far matches (m,) lie from their epipolar lines once a bend is taken out, in pixels of the film."""
    lens = Distortion(k1=k1) if k1 else STRAIGHT
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the fold there is no straight place
        places = [lens.straight(pixels) for pixels in pair]
    radii = [np.linalg.norm(place - CENTRE, axis=1) / HALF_DIAGONAL / lens.enlarged for place in places]
    told = np.logical_and.reduce([np.isfinite(radius) & (1 + 3 * k1 * radius**2 > FOLD) for radius in radii])
    distance = np.full(len(told), WORST_PX)
    first, second = (place[told] for place in places)
    found = _fundamental(first, second, seed)
    if found is not None:
        # a step in the straightened picture is one of 1 + 3 k r^2 along the radius of the film, 1 + k r^2 across it
        shrunk = (1 + 2 * k1 * radii[0][told] ** 2) / lens.enlarged
        distance[told] = np.minimum(distance_from_lines(found, first, second) * shrunk, WORST_PX)
    return distance


def _fundamental(first: Float64s, second: Float64s, seed: int) -> Float64s | None:
    options = pycolmap.RANSACOptions()
    options.max_error, options.max_num_trials, options.random_seed = INLIER_PX, TRIALS, seed
    found = pycolmap.estimate_fundamental_matrix(first, second, options) if len(first) >= FEWEST // 2 else None
    return None if found is None else np.asarray(found["F"], np.float64)


def _lowest(means: Float64s) -> float:
    """Return where a parabola through the least of the means of ``BENDS`` and its neighbours is lowest."""
    middle = int(np.clip(means.argmin(), 1, len(BENDS) - 2))
    near = slice(middle - 1, middle + 2)
    square, linear, _ = np.polyfit(BENDS[near], means[near], 2)
    return float(np.clip(-linear / (2 * square), BENDS[middle + 1], BENDS[middle - 1]))
