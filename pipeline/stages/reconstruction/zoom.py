"""Tells focal lengths of a lens that zooms from those that only scatter; both backends ask."""

import numpy as np

from pipeline.contract.arrays import Float64s

LEAST_ZOOM = 1.03
"""Longest over shortest focal length; without a zoom they differ by a hundredth on sharp clips."""

UNSTEADY = 0.25
"""Most that focal lengths differ from a steady course (a cubic), as a part of their range."""

FEWEST_FRAMES = 6


def is_steady_zoom(focal: Float64s, least: float = LEAST_ZOOM) -> bool:
    """Tell whether focal lengths (n,), in the order of the frames, change, and steadily as those of a lens.

    least: longest over shortest focal length that counts as a change.
    """
    if len(focal) < FEWEST_FRAMES or not np.all(focal > 0):
        return False
    place, logarithm = np.linspace(-1, 1, len(focal)), np.log(focal)
    course = np.polyval(np.polyfit(place, logarithm, 3), place)
    extent = float(course.max() - course.min())
    return extent > np.log(least) and float(np.abs(logarithm - course).max()) < UNSTEADY * extent


def zoom_notes(focal: Float64s) -> tuple[str, ...]:
    """Say by how much focal lengths (n,) differ; nothing where all are the same."""
    zoom = float(focal.max() / focal.min())
    return () if zoom == 1 else (f"The lens zooms by {zoom:.2f}; every frame has its own focal length.",)
