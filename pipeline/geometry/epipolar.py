"""Two-view geometry: how far matched pixels lie from where a fundamental matrix says."""

import numpy as np

from pipeline.contract.arrays import Float64s


def distance_from_lines(fundamental: Float64s, first: Float64s, second: Float64s) -> Float64s:
    """Return the distance (m,) of matched pixels (m, 2) from their epipolar lines, mean of both ways, in pixels.

    fundamental: (3, 3) with x2 F x1 = 0, where x1 and x2 are pixels of the first and of the second picture and 1
    (Hartley and Zisserman, Multiple View Geometry, 9.2).
    """
    one = np.ones((len(first), 1))
    ends, ends_second = np.hstack([first, one]), np.hstack([second, one])
    line_second, line = ends @ fundamental.T, ends_second @ fundamental
    off = np.abs(np.einsum("mi,mi->m", ends_second, line_second))
    lengths = [np.maximum(np.linalg.norm(lines[:, :2], axis=1), 1e-12) for lines in (line, line_second)]
    return np.asarray(off * (1 / lengths[0] + 1 / lengths[1]) / 2)
