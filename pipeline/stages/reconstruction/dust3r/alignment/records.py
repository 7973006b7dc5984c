"""What global alignment takes and gives."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.paging import release

Array = NDArray[np.floating]


@dataclass(frozen=True)
class PairPredictions:
    """Pointmaps of E directed pairs of N images of one size, arrays or memory maps, any float type.

    edges: (E, 2) int64, first and second image of each pair.
    points1, points2: (E, H, W, 3), points of both images in the **first** camera's frame, scale free per pair.
    confidence1, confidence2: (E, H, W), raw confidence, above 1.
    rows: (E,) int64, rows of the maps that belong to the edges where the maps hold others too; None = all, in order.
    """

    image_count: int
    edges: NDArray[np.int64]
    points1: Array
    points2: Array
    confidence1: Array
    confidence2: Array
    rows: NDArray[np.int64] | None = None

    def rows_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the maps that hold some pairs."""
        return pairs if self.rows is None else self.rows[pairs]

    def subset(self, images: NDArray[np.bool_], pairs: NDArray[np.bool_]) -> "PairPredictions":
        """Leave out images (N,) and pairs (E,) without copying a map; images are numbered anew."""
        number = np.cumsum(images) - 1
        kept = np.flatnonzero(pairs)
        return replace(self, image_count=int(images.sum()), edges=number[self.edges[kept]], rows=self.rows_of(kept))

    def release(self) -> None:
        """Let go of the memory of maps that lie in files."""
        release(self.points1, self.points2, self.confidence1, self.confidence2)


@dataclass(frozen=True)
class Known:
    """What is known beforehand; nan or None = unknown.

    focal: (N,) pixels of the pointmaps.
    camera_to_world: (N, 4, 4); images without a known pose hold nan. Two or more with distinct centres fix the scale.
    principal_point: (x, y) pixels with pixel centres at + 0.5; None = the middle of the image.
    """

    focal: Array | None = None
    camera_to_world: Array | None = None
    principal_point: tuple[float, float] | None = None


@dataclass(frozen=True)
class Alignment:
    """Cameras and depth of N images in one frame, up to scale unless poses were known.

    focal: (N,) float64, pixels; camera_to_world: (N, 4, 4) float64; depth: (N, H, W) float32, z-depth, 0 = no value.
    confidence: (N, H, W) float32, the largest raw confidence any pair gave, 0 for images that were left out.
    aligned: (N,) bool, False for images that no trusted pair links to the rest; their rows hold zeros.
    pair_scale: (E,) float64, factor from a pair's units to the world's, 0 for pairs left out.
    start_cost, cost: robust cost of the start and of the result.
    residual: median distance between what pairs say of one point, relative to its depth.
    """

    focal: NDArray[np.float64]
    camera_to_world: NDArray[np.float64]
    depth: NDArray[np.float32]
    confidence: NDArray[np.float32]
    aligned: NDArray[np.bool_]
    pair_scale: NDArray[np.float64]
    start_cost: float
    cost: float
    residual: float
    notes: tuple[str, ...] = ()
