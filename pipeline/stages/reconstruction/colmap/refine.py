"""Planes where texture is missing: an evenly coloured region whose known depth lies on one plane is that plane."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.stages.reconstruction.colmap.settings import PlaneSettings


def fill_planes(depth: Floats, grey: Floats, settings: PlaneSettings) -> Floats:
    """Return depth (h, w) with its gaps (0) filled inside regions of the picture (h, w) whose depth is one plane.

    The inverse depth of a plane is an affine function of the pixel, whatever the camera.
    """
    rows, columns = np.indices(depth.shape)
    pixels = np.stack([columns / depth.shape[1], rows / depth.shape[1], np.ones(depth.shape)], axis=-1).reshape(-1, 3)
    filled = depth.ravel().copy()
    for region in even_regions(grey, settings):
        gaps = region[filled[region] == 0]
        known = region[filled[region] > 0]
        if len(gaps) == 0 or len(known) < max(settings.min_known * len(region), 3):
            continue
        plane = fit_plane(pixels[known], 1 / filled[known].astype(np.float64), settings)
        if plane is not None:
            filled[gaps] = _depth_on(plane, pixels[gaps], filled[known])
    return filled.reshape(depth.shape)


def even_regions(grey: Floats, settings: PlaneSettings) -> Iterator[NDArray[np.int64]]:
    """Yield the flat indices of every region of even colour (Felzenszwalb and Huttenlocher 2004)."""
    from skimage.segmentation import felzenszwalb

    labels = felzenszwalb(grey, scale=settings.contrast, sigma=0.8, min_size=settings.min_pixels, channel_axis=None)
    order = np.argsort(labels, axis=None, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(labels.ravel()[order])) + 1)


def fit_plane(pixels: Float64s, inverse: Float64s, settings: PlaneSettings) -> Float64s | None:
    """Return the plane (3,) with ``inverse = pixels @ plane`` that most of (m,) follow, or None where too few do.

    pixels: (m, 3), homogeneous. RANSAC over triples, then least squares over the inliers.
    """
    generator = np.random.default_rng(0)
    triples = generator.integers(len(pixels), size=(settings.tries, 3))
    corners = pixels[triples]
    regular = np.abs(np.linalg.det(corners)) > 1e-9
    if not regular.any():
        return None
    # three points (x, y, 1) with their 1 / z determine a plane
    planes = np.linalg.solve(corners[regular], inverse[triples[regular]][..., None])[..., 0]
    # |x . plane - 1 / z| < tolerance / z
    inliers = np.abs(pixels @ planes.T - inverse[:, None]) < settings.tolerance * inverse[:, None]
    best = inliers[:, inliers.sum(axis=0).argmax()]
    if best.mean() < settings.min_inliers:
        return None
    return np.asarray(np.linalg.lstsq(pixels[best], inverse[best], rcond=None)[0], np.float64)


def _depth_on(plane: Float64s, pixels: Float64s, known: Floats) -> Floats:
    """Return the depth of ``plane`` at ``pixels``, 0 where it runs far out of the range of the ``known`` depth."""
    inverse = pixels @ plane
    inside = (inverse > 0.5 / known.max()) & (inverse < 2 / known.min())
    return np.where(inside, 1 / np.where(inside, inverse, 1), 0).astype(np.float32)
