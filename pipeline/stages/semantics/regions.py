"""Regions of a picture: superpixels of colour, cut where depth jumps."""

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.semantics.settings import RegionSettings


def cut_superpixels(rgb: NDArray[np.uint8], depth: NDArray[np.float32], settings: RegionSettings) -> NDArray[np.uint16]:
    """Return the region of every pixel: (h, w) uint16, from 1 in reading order of their first pixels, 0 = none.

    rgb: (h, w, 3), of the size of depth (h, w), 0 = no value. Pixels with and without depth are never in one region.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from skimage.segmentation import slic

    superpixel = slic(rgb, settings.count, settings.compactness, sigma=1.0, start_label=1, enforce_connectivity=True)
    pixel = np.arange(depth.size).reshape(depth.shape)
    links = [joined(pixel, superpixel, depth, settings.depth_step, axis) for axis in (0, 1)]
    first, second = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(depth.size, depth.size))
    _, piece = connected_components(graph, directed=False)
    return numbered(piece.reshape(depth.shape), settings.pixels_min)


def joined(
    pixel: NDArray[np.int64], superpixel: NDArray[np.int64], depth: NDArray[np.float32], step: float, axis: int
) -> NDArray[np.int64]:
    """Return the pairs (2, m) of pixels, neighbours along an axis, of one superpixel and with no depth step between."""
    ends = [
        (array.take(range(array.shape[axis] - 1), axis).ravel(), array.take(range(1, array.shape[axis]), axis).ravel())
        for array in (pixel, superpixel, depth)
    ]
    (here, there), (this, that), (near, far) = ends
    smooth = np.abs(near - far) <= step * np.minimum(near, far)
    together = (this == that) & smooth
    return np.stack([here[together], there[together]])


def numbered(piece: NDArray[np.integer], pixels_min: int) -> NDArray[np.uint16]:
    """Number pieces (h, w) from 1 in reading order, dropping the small ones; beyond 65535 none is numbered."""
    _, first, inverse, count = np.unique(piece, return_index=True, return_inverse=True, return_counts=True)
    large = np.flatnonzero(count >= pixels_min)
    large = large[np.argsort(first[large])][: np.iinfo(np.uint16).max]
    number = np.zeros(len(count), np.uint16)
    number[large] = np.arange(1, len(large) + 1)
    return number[inverse].reshape(piece.shape)
