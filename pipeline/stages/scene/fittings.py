"""What doorways, windows and stairs say of a clip's size, given how far below the camera its floor lies.

Each explains itself as one of its kind or as an opening of any height, so that a passage, a niche or a picture window
says little.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.stages.scene import sizes
from pipeline.stages.scene.openings import OpeningSeen


def is_doorway(opening: OpeningSeen, drop: float) -> bool:
    """Tell whether an opening may be a doorway in a room whose floor lies ``drop`` below the camera."""
    height, (narrow, wide) = opening.head + drop, sizes.DOOR_WIDTHS
    return (
        opening.through
        and not opening.sill
        and height > 0
        and opening.foot + drop < sizes.DOOR_FOOT * height
        and narrow < opening.width / height < wide
    )


def opening_density(openings: Sequence[OpeningSeen], drop: float, log_scales: Float64s) -> Float64s:
    """Return the density (m, d) of log scales (m,) by a clip's openings, for each of ``sizes.DOORS``.

    Openings of an odd house are as alike as those of a usual one: there, that they agree tells nothing of its size.
    One column where the clip shows no opening at all.
    """
    if not openings:
        return np.ones((len(log_scales), 1))
    density = np.ones((len(log_scales), len(sizes.DOORS)))
    for opening in openings:
        height = log_scales + np.log(max(opening.head + drop, 1e-9))
        odd = sizes.normal(height - sizes.ODD_HEAD, sizes.ODD_HEAD_SPREAD)[:, None]
        right, own, usual = (0.0, 1.0, 0.0)
        if is_doorway(opening, drop):
            right, own, usual = sizes.DOOR_RIGHT, sizes.DOOR_OWN, sizes.DOOR
        elif opening.sill:
            right, own, usual = sizes.WINDOW_RIGHT, sizes.WINDOW_OWN, sizes.WINDOW
        off = np.abs(height[:, None] - usual - sizes.DOORS)
        like_others = sizes.normal(np.maximum(off - sizes.DOOR_REACH, 0.0), own)
        density *= right * like_others + (1 - right) * odd
        if opening.sill:
            density *= _sill_density(opening.foot + drop, log_scales)
    return density


def _sill_density(above_floor: float, log_scales: Float64s) -> Float64s:
    """Return the density (m, d) of log scales (m,) by a sill; the same for all where sills of a house are odd."""
    height = log_scales + np.log(max(above_floor, 1e-9))
    odd = sizes.normal(height - sizes.ANY_SILL, sizes.ANY_SILL_SPREAD)
    right = sizes.normal(height - sizes.SILL, sizes.SILL_SPREAD)
    density = sizes.SILL_RIGHT * right + (1 - sizes.SILL_RIGHT) * odd
    at_best = sizes.SILL_RIGHT / sizes.SILL_SPREAD
    return np.where(sizes.SILLS_TELL, density[:, None], at_best)


def riser_density(riser: float | None, log_scales: Float64s) -> Float64s:
    """Return the density (m,) of log scales (m,) by the height of a step of stairs."""
    if riser is None:
        return np.ones(len(log_scales))
    height = log_scales + np.log(riser) - sizes.RISER
    odd = (1 - sizes.RISER_RIGHT) * sizes.normal(height, sizes.ODD_RISER_SPREAD)
    return np.asarray(sizes.RISER_RIGHT * sizes.normal(height, sizes.RISER_SPREAD) + odd)
