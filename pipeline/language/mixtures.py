"""Which regions of which frames fall into which voxel: what a voxel says in CLIP's space, without a vector a voxel.

Every point carries the embedding of the region of its pixel, so a voxel's embedding is the mean over its points: the
embeddings of a few regions, weighted by their points. Only these weights are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from pipeline.contract.records import MetricScene

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NO_VOXEL = -1
_REACH = 1 << 15
"""Voxels from the origin, 2.6 km: what lies farther off is no room."""


@dataclass(frozen=True)
class Mixtures:
    """Regions and their points in V voxels, with M entries in all.

    keys: (V,) int64, one number a voxel, ascending; see ``voxel_keys``.
    ranges: (V, 2) int64, first entry of a voxel and the one after its last.
    entries: (M, 2) int64, a region and how many of its points fall into the voxel; regions ascend within a voxel.
    """

    keys: NDArray[np.int64]
    ranges: NDArray[np.int64]
    entries: NDArray[np.int64]

    def rows_of(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row (...) of voxels (..., 3), ``NO_VOXEL`` where no region falls into one."""
        if not len(self.keys):
            return np.full(index.shape[:-1], NO_VOXEL)
        wanted = voxel_keys(index)
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, place, NO_VOXEL)

    def rows_of_grid(self) -> NDArray[np.int64]:
        """Return the row (60, 60, 36) of every voxel of a grid whose corner is the origin."""
        return self.rows_of(np.moveaxis(np.indices(GRID_SHAPE, np.int64), 0, -1))

    def dominant(self) -> NDArray[np.int64]:
        """Return the region (V,) with most points in every voxel, the lowest on ties."""
        voxel = np.repeat(np.arange(len(self.ranges)), np.diff(self.ranges, axis=1)[:, 0])
        order = np.lexsort((self.entries[:, 0], -self.entries[:, 1], voxel))
        first: NDArray[np.int64] = self.entries[order[self.ranges[:, 0]], 0]
        return first


def mix(
    scene: MetricScene, regions: NDArray[np.int64], grid_from_world: NDArray[np.floating], origin: NDArray[np.floating]
) -> Mixtures:
    """Sort the points of a clip's registered frames into voxels, with the region each comes from.

    regions: (n, h, w), of the depth's size, negative = in no region; such points count for nothing.
    grid_from_world: (4, 4), any rigid motion or similarity. origin: (3,), corner of voxel (0, 0, 0) after it, metres.
    Voxels reach as far as points do, on all sides of the origin.
    """
    found = [
        _frame_votes(scene, frame, regions[frame], grid_from_world, origin)
        for frame in np.flatnonzero(scene.registered).tolist()
    ]
    keys, owners, points = (np.concatenate([np.zeros(0, np.int64), *column]) for column in _columns(found))
    order = np.lexsort((owners, keys))
    keys, owners, points = keys[order], owners[order], points[order]
    pairs = _starts(keys, owners)
    entries = np.stack([owners[pairs], np.add.reduceat(points, pairs) if len(pairs) else points], axis=1)
    voxels = _starts(keys[pairs])
    ranges = np.stack([voxels, np.append(voxels[1:], len(pairs))[: len(voxels)]], axis=1)
    return Mixtures(keys[pairs][voxels], ranges, entries)


def voxel_keys(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number (...) for every voxel (..., 3), ordered by x, then y, then z; voxels out of reach get -1."""
    shifted = index + _REACH
    inside = ((shifted >= 0) & (shifted < 2 * _REACH)).all(axis=-1)
    x, y, z = np.moveaxis(shifted, -1, 0)
    return np.where(inside, (x << 32) | (y << 16) | z, -1)


def weights(ranges: NDArray[np.int64], entries: NDArray[np.int64], regions: int) -> "csr_array":
    """Return the share (V, regions) of each region in every voxel's points, sparse; rows sum to one.

    ranges: (V, 2), entries: (M, 2) as in ``Mixtures``, where the voxels' entries follow one another from 0.
    """
    from scipy.sparse import csr_array

    points = entries[:, 1].astype(np.float32)
    starts = np.append(ranges[:, 0], len(entries))
    totals = np.add.reduceat(points, ranges[:, 0]) if len(ranges) else points
    shares = points / np.repeat(totals, np.diff(starts))
    return csr_array((shares, entries[:, 0], starts), shape=(len(ranges), regions))


def _frame_votes(
    scene: MetricScene,
    frame: int,
    regions: NDArray[np.int64],
    grid_from_world: NDArray[np.floating],
    origin: NDArray[np.floating],
) -> NDArray[np.int64]:
    """Return one frame's votes (3, p): voxel, region and number of points; a pair may come in several frames."""
    given = (scene.depth[frame] > 0) & np.isfinite(scene.depth[frame]) & (regions >= 0)
    camera = np.asarray(grid_from_world, np.float64) @ scene.camera_to_world[frame]
    points = pointmap(scene.depth[frame], scene.intrinsics[frame], camera)[given]
    keys = voxel_keys(voxel_index(points, origin))
    near = keys >= 0
    owners, owner = np.unique(regions[given][near], return_inverse=True)
    voxels, voxel = np.unique(keys[near], return_inverse=True)
    pairs, count = np.unique(voxel * max(len(owners), 1) + owner, return_counts=True)
    voxel, owner = np.divmod(pairs, max(len(owners), 1))
    return np.stack([voxels[voxel], owners[owner], count])


def _columns(votes: list[NDArray[np.int64]]) -> Iterator[list[NDArray[np.int64]]]:
    return ([frame[column] for frame in votes] for column in range(3))


def _starts(*columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where sorted columns, equally long, take a new value."""
    changed = np.zeros(len(columns[0]), np.bool_)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)
