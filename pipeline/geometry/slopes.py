"""What pixels and points change by with what they depend on: the derivatives of which normal equations are made."""

import numpy as np

from pipeline.contract.arrays import Float64s


def pixel_slopes(seen: Float64s, focal: Float64s) -> Float64s:
    """Return what pixels change by with points (k, 2, 3), given the points in the camera's axes (k, 3), z above 0.

    focal: focal lengths (2,) across and down, pixels.
    """
    x, y, z = seen.T
    one, nothing = np.ones_like(z), np.zeros_like(z)
    # u = f X / Z, v = f a Y / Z
    rows = [np.stack([one, nothing, -x / z], 1), np.stack([nothing, one, -y / z], 1)]
    return np.asarray(focal[:, None] / z[:, None, None] * np.stack(rows, 1))


def cross_matrices(vectors: Float64s) -> Float64s:
    """Return the matrices (k, 3, 3) of cross products with vectors (k, 3)."""
    x, y, z = vectors.T
    nothing = np.zeros_like(x)
    rows = [np.stack([nothing, -z, y], 1), np.stack([z, nothing, -x], 1), np.stack([-y, x, nothing], 1)]
    return np.stack(rows, axis=1)
