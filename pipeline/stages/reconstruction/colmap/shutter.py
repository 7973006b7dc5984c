"""What the cameras of a clip say of its shutter, and the clips of a video together."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import chdtri

from pipeline.contract.arrays import Float64s
from pipeline.geometry.readout import Bundle, Readout, Sightings, find_readout, of_frames
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.first_look import LensFit

FEWEST_FRAMES, FEWEST_POINTS = 4, 60
"""Cameras and points below which a clip tells nothing."""

SURE = 3.0
"""Deviations by which the clips of a video together must say that rows are exposed one after another."""

SURE_ALONE = 5.0
"""The same of one clip that nobody agrees with: wrong cameras say what they like."""

SYSTEMATIC_PX = 0.6
"""What near things move otherwise than the rest of the picture while it is read out, pixels; no clip knows better.

Of six clips of hard tours whose cameras tell the readout to 7 ms or better it was off by 0.2 to 1.3 pixels of motion,
whether pictures move by 80 or 400 a second: who hardly turns tells little.
"""

LONGEST = 0.05
"""Seconds that no shutter takes from the first row to the last one."""


def with_readout(fit: LensFit, model: SparseModel, rates: Float64s) -> LensFit:
    """Return what a clip says of its lens with what its cameras say of the shutter; those that zoom say nothing of it.

    rates: (n, 9), how fast each frame moves, as ``motion_rate`` returns it; nan where that is not known.
    """
    kept = np.flatnonzero(model.registered & np.isfinite(rates).all(axis=1))
    if len(kept) < FEWEST_FRAMES or np.any(model.zoom != 1):
        return fit
    seen = Sightings(model.observed_frame, model.observed_point, model.observed_pixel, rates)
    sightings, points = of_frames(seen, kept)
    if len(points) < FEWEST_POINTS:
        return fit
    camera_from_world = np.asarray(np.linalg.inv(model.camera_to_world[kept]), np.float64)
    across, down = np.diag(model.intrinsics)[:2].tolist()
    turned, moved = camera_from_world[:, :3, :3], camera_from_world[:, :3, 3]
    square = Bundle(turned, moved, model.points[points], math.log(across * down) / 2)
    found = find_readout(square, sightings)
    speed = math.sqrt(across * down) * float(np.sqrt((rates[kept, :3] ** 2).sum(axis=1).mean()))
    if not (math.isfinite(found.seconds) and 0 < found.deviation < math.inf and speed > 0):
        return fit
    if across != down:
        stretched = replace(square, log_focal=math.log(across), aspect=down / across)
        if _without_shutter(stretched, sightings).cost <= found.cost:
            return fit
    # sigma^2 = that of the normal equations + (pixels / (pixels / s))^2
    return replace(fit, readout=found.seconds, readout_deviation=math.hypot(found.deviation, SYSTEMATIC_PX / speed))


def _without_shutter(bundle: Bundle, sightings: Sightings) -> Readout:
    """Adjust cameras and points to sightings whose rows were all exposed at once.

    Pixels that are not square are what a shutter looks like that rolls, by up to a quarter, and the other way round:
    what explains sightings better is what there is.
    """
    return find_readout(bundle, replace(sightings, rates=np.zeros_like(sightings.rates)))


def elected_readout(fits: Sequence[LensFit], settings: LensSettings) -> float:
    """Return the seconds from the first row to the last one that the clips of a video agree on; 0 where they do not.

    The mean, weighted by how sure they are; where they scatter more than chance lets them, it is less sure by as much.
    """
    told = [fit for fit in fits if math.isfinite(fit.readout_deviation)]
    if not (settings.rolling_shutter and told):
        return 0.0
    seconds = np.array([fit.readout for fit in told])
    weight = np.array([fit.readout_deviation for fit in told]) ** -2.0
    mean = float(np.average(seconds, weights=weight))
    deviation = scattered(float((weight * (seconds - mean) ** 2).sum()), len(told), float(weight.sum()))
    is_sure = abs(mean) > (SURE if len(told) > 1 else SURE_ALONE) * deviation
    is_believable = settings.least_readout_ms / 1000 <= abs(mean) <= LONGEST
    return mean if is_sure and is_believable else 0.0


def scattered(squares: float, count: int, weight: float) -> float:
    """Return the deviation of a weighted mean of ``count`` values. squares: chi^2 about it. weight: the sum of theirs.

    sigma^2 = chi^2 / (n - 1) / sum(w) where chi^2 is more than chance gives in one of twenty, else 1 / sum(w).
    """
    freedom = max(1, count - 1)
    scatter = squares / freedom if squares > chdtri(freedom, 0.05) else 1.0
    return math.sqrt(scatter / weight)


def may_roll(fit: LensFit, settings: LensSettings) -> bool:
    """Tell whether a clip alone says so surely that its rows are exposed one after another that depth can wait."""
    is_sure = abs(fit.readout) > SURE_ALONE * fit.readout_deviation
    return settings.rolling_shutter and is_sure and abs(fit.readout) >= settings.least_readout_ms / 1000
