r"""The scale of every clip of a video, with a deviation, from what all its clips show.

Unknowns: log camera height k and log ceiling height h of the video, log scale s of each clip (metres a unit of it).
A clip's floor lies a distance D below its camera, its ceiling U above; which level they are is a hypothesis with a
weight w. One hypothesis makes s known but for k and h, so that with p of cameras and q of ceilings

.. math:: L(s \mid k, h) = \sum_i w_i \, p(s + \log D_i \mid k) \, q(s + \log(D_i + U_i) \mid h),

and a clip's distribution is the sum over the lattice of (k, h) of L times what the prior and all other clips say of
(k, h). Where clips have metric depth, a third unknown is by how much it is off in the whole video (b), and a factor
of L says how near s is to it; where they show openings, a fourth is by how much doors of the house differ from others
(d). All is a sum over lattices: nothing is drawn, nothing is searched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from pipeline.contract.arrays import Float64s, Floats
from pipeline.stages.scene import sizes
from pipeline.stages.scene.cues import CueReading, cue_readings
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence
from pipeline.stages.scene.fittings import opening_density, riser_density
from pipeline.stages.scene.hypotheses import FloorHypothesis, Hypotheses

_LOG_SCALES = np.arange(-1.6, 3.2, 0.02)
"""Log of metres that what is seen reaches from bottom to top."""

_BEYOND_LOWEST = np.arange(-1.2, 1.25, 0.1)
_ANYWHERE = np.arange(-2.0, 1.05, 0.1)
_LIKELIER_THAN_NOTHING = 1e-6
HALF = 0.5


@dataclass(frozen=True)
class ScaleEstimate:
    """What is known of a clip's scale. log_scales: (m,), rising. probabilities: (m,), sum to one.

    drop: distance from the camera to the floor, unit of the clip. rise: to the ceiling, None where none is seen.
    usual: the same where furniture does not hide the floor; hidden: the probability that it does, which the deviation
    counts and the median does not. floor_seen: whether a level is the floor. held: probability that the camera is as
    high as in the rest of the video.
    readings: what each cue says alone.
    """

    log_scales: Float64s
    probabilities: Float64s
    usual: Float64s
    hidden: float
    drop: float
    rise: float | None
    floor_seen: bool
    held: float
    readings: tuple[CueReading, ...] = ()

    def median(self) -> float:
        """Return the median of log scale."""
        return float(np.interp(0.5, np.cumsum(self.usual), self.log_scales))

    def deviation(self, log_scale: float) -> float:
        """Return the deviation of log scale about a value: 68 % are nearer, and 95 % nearer than twice that."""
        distance = np.abs(self.log_scales - log_scale)
        order = np.argsort(distance, kind="stable")
        reached = np.interp([0.683, 0.954], np.cumsum(self.probabilities[order]), distance[order])
        return float(max(reached[0], reached[1] / 2))


def estimate_scales(clips: Sequence[ScaleEvidence]) -> list[ScaleEstimate]:
    """Return what is known of the scale of each clip of a video, which all share camera height and ceiling height."""
    says, prior = [_of_video(clip) for clip in clips], np.log(sizes.prior())[None, None]
    if any(clip.metric is not None for clip in clips):
        prior = prior + np.log(sizes.metric_prior())[:, None, None, None]
    if any(clip.openings for clip in clips):
        prior = prior + np.log(sizes.door_prior())[:, None, None]
    known = np.asarray(prior + sum(says, np.zeros(())), np.float64)
    return [_estimate(clip, np.exp(_from_top(known - own))) for clip, own in zip(clips, says, strict=True)]


def _from_top(logarithms: NDArray[np.floating]) -> Float64s:
    return np.asarray(logarithms - logarithms.max(), np.float64)


def _of_video(clip: ScaleEvidence) -> Floats:
    """Return what a clip says of (b, d, k, h) of its video: log likelihood, at most 0, in half the memory.

    Without metric depth it is for one b, without openings for one d.
    """
    all_of_it = Hypotheses.of(list(_readings(clip)))
    return _from_top(np.log(all_of_it.likelihood() + 1e-300)).astype(np.float32)


def _metric(clip: ScaleEvidence) -> Float64s:
    """Return the density (log scale, b) of what metric depth says."""
    log_scales = _LOG_SCALES - np.log(_extent(clip))
    return np.ones((len(log_scales), 1)) if clip.metric is None else clip.metric.density(log_scales)


def _estimate(clip: ScaleEvidence, video: Float64s) -> ScaleEstimate:
    """Return the distribution of a clip's scale where the rest of the video says this of (b, d, k, h)."""
    alike = (*((0,) if clip.metric is None else ()), *(() if clip.openings else (1,)))
    readings = list(_readings(clip))
    parts, held = Hypotheses.of(readings).weighed(video.sum(axis=alike, keepdims=True))
    parts = parts.reshape(len(readings), -1)
    usual = np.array([not one.hidden for one in readings])
    drop, seen = _drop([one for one in readings if not one.hidden], parts[usual].sum(axis=1) / parts[usual].sum())
    top, _ = max(((o, w) for w, o in _tops(clip.ceilings)), key=lambda one: one[1])
    floor = _likeliest_floor(clip)
    of_held = floor if floor is not None and _loose(clip, floor) < HALF else None
    return ScaleEstimate(
        log_scales=_LOG_SCALES - np.log(_extent(clip)),
        probabilities=parts.sum(axis=0) / parts.sum(),
        drop=drop,
        rise=top,
        usual=parts[usual].sum(axis=0) / parts[usual].sum(),
        floor_seen=seen,
        hidden=float(parts[~usual].sum() / parts.sum()),
        held=float(held.sum() / parts.sum()),
        readings=cue_readings(clip, (of_held, top), video, floor),
    )


def _likeliest_floor(clip: ScaleEvidence) -> float | None:
    """Return how far the likeliest floor lies below the camera, by what is seen of that level alone."""
    weight, drop, level = max(_floors(clip), key=lambda floor: floor[0])
    return drop if level and weight > HALF else None


def _drop(readings: Sequence[FloorHypothesis], mass: Float64s) -> tuple[float, bool]:
    """Return how far below the camera the floor is, and whether it is a level; mass: probabilities of the readings."""
    levels, drops = np.array([one.level for one in readings]), np.array([one.drop for one in readings])
    seen = bool(mass[levels].sum() > HALF)
    of_kind = np.flatnonzero(levels == seen) if (levels == seen).any() else np.arange(len(drops))
    return float(drops[of_kind[_middle(mass[of_kind], drops[of_kind])]]), seen


def _middle(mass: Float64s, values: Float64s) -> int:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(mass[order])
    return int(order[np.searchsorted(reached, reached[-1] / 2)])


def _extent(clip: ScaleEvidence) -> float:
    return max(clip.lowest + clip.highest, 1e-9)


def _readings(clip: ScaleEvidence) -> Iterator[FloorHypothesis]:
    """Yield every hypothesis of a clip's floor that is likelier than nothing."""
    log_scales, tops = _LOG_SCALES - np.log(_extent(clip)), _tops(clip.ceilings)
    known = _metric(clip) * riser_density(clip.riser, log_scales)[:, None]
    hidden = list(_hidden(clip))
    left = 1 - sum(weight for weight, _ in hidden)
    usual = [(left * weight, drop, level, False) for weight, drop, level in _floors(clip)]
    for weight, drop, level, is_hidden in [*usual, *((*one, False, True) for one in hidden)]:
        if weight < _LIKELIER_THAN_NOTHING or drop + min(clip.highest, 0.0) <= 0:
            continue
        height, loose = log_scales + np.log(drop), _loose(clip, drop)
        anywhere = loose * sizes.normal(height - sizes.LOOSE, sizes.LOOSE_SPREAD)
        ceiling = sum((share * _ceiling(clip, log_scales, drop, rise) for share, rise in tops), np.zeros(()))
        others = known[:, :, None] * opening_density(clip.openings, drop, log_scales)[:, None]
        yield FloorHypothesis(weight, drop, level, is_hidden, height, anywhere, 1 - loose, np.asarray(ceiling), others)


def _floors(clip: ScaleEvidence) -> Iterator[tuple[float, float, bool]]:
    """Yield weight, distance below the camera, and whether it is a level: the farthest two, and out of view."""
    left = 1.0
    for level in clip.floors[:2]:
        climbs = _moved(clip, level.distance)
        right = _right(level, sizes.FLOOR_RIGHT, sizes.FLOOR_BEYOND)
        if len(clip.floors) > 1 and level is clip.floors[0]:
            right *= 1 - sizes.UPPER_MOVED * climbs
        right = max(right, sizes.LANDING + (sizes.LANDING_MOVED - sizes.LANDING) * climbs)
        yield left * right, level.distance, True
        left *= 1 - right
    extent, x = _extent(clip), _BEYOND_LOWEST
    if clip.lowest < sizes.SEEN_BELOW * extent:  # the camera looks up: the floor may be anywhere
        for distance in extent * np.exp(_ANYWHERE):
            yield left / len(_ANYWHERE), float(distance), False
        return
    below = (1 - sizes.STRAY) * np.exp(-x / sizes.BELOW_LOWEST) / sizes.BELOW_LOWEST
    above = sizes.STRAY * np.exp(x / sizes.ABOVE_LOWEST) / sizes.ABOVE_LOWEST
    weights = np.where(x > 0, below, above)
    for weight, distance in zip(weights / weights.sum(), clip.lowest * np.exp(x), strict=True):
        yield float(left * weight), float(distance), False


def _hidden(clip: ScaleEvidence) -> Iterator[tuple[float, float]]:
    """Yield weight and distance below the camera of floors that the lowest level hides: a bed, a table, a worktop.

    A level that others are seen above, as of furniture that stands on it, hides none; nor does one with more below it.
    Without a ceiling the deviation is as large by what cameras differ in.
    """
    if clip.ceilings and len(clip.floors) == 1 and clip.floors[0].beyond < sizes.FLOOR_BEYOND:
        for times in np.exp(sizes.HIDES):
            yield sizes.HIDDEN / len(sizes.HIDES), float(clip.floors[0].distance * times)


def _tops(ceilings: Sequence[LevelSeen]) -> list[tuple[float, float | None]]:
    """Return weight and distance above the camera of what may be the ceiling; None: it is out of view."""
    left, found = 1.0, list[tuple[float, float | None]]()
    for level in ceilings[:2]:
        right = _right(level, sizes.CEILING_RIGHT, sizes.CEILING_BEYOND)
        found.append((left * right, level.distance))
        left *= 1 - right
    return [*found, (left, None)]


def _right(level: LevelSeen, surest: float, beyond: float) -> float:
    return float(surest * min(1.0, level.share / sizes.SURE_SHARE) * np.exp(-level.beyond / beyond))


def _loose(clip: ScaleEvidence, drop: float) -> float:
    """Return the probability that the camera is not at the height of its video."""
    pitched, by = sizes.PITCHED
    shows = max(_moved(clip, drop), float(expit((abs(clip.pitch) - pitched) / by)))
    return float(sizes.LOOSE_SHARE + (sizes.LOOSE_SHARE_MOVED - sizes.LOOSE_SHARE) * shows)


def _moved(clip: ScaleEvidence, drop: float) -> float:
    """Return how sure it is that the camera moves up or down as nobody's hands do; drop: its height."""
    moved, by = sizes.MOVED
    return float(expit((clip.camera_range / drop - moved) / by))


def _ceiling(clip: ScaleEvidence, log_scales: Float64s, drop: float, rise: float | None) -> NDArray[np.float64]:
    """Return the density (log scale, h) of a ceiling that is seen, or out of view above the highest surface."""
    height = (log_scales + np.log(drop + (clip.highest if rise is None else rise)))[:, None]
    up = float(expit((clip.pitch - sizes.LOOKS_UP[0]) / sizes.LOOKS_UP[1]))
    if rise is None:
        fits = ndtr((sizes.CEILING[None] + sizes.TOP_MARGIN - height) / sizes.TOP_SPREAD)
        passed = sizes.TOP_PASSED + (sizes.HIGH_SHARE - sizes.TOP_PASSED) * up
        return np.asarray(1.5 * (passed + (1 - passed) * fits))
    high = sizes.HIGH_SHARE * up * sizes.normal(height - sizes.HIGH, sizes.HIGH_SPREAD)
    apart = (1 - sizes.HIGH_SHARE * up) * sizes.ROOM_APART
    odd = apart * sizes.normal(height - sizes.OTHER, sizes.APART_SPREAD)
    like_others = 1 - sizes.HIGH_SHARE * up - apart
    return np.asarray(like_others * sizes.normal(height - sizes.CEILING[None], sizes.ROOM_SPREAD) + odd + high)
