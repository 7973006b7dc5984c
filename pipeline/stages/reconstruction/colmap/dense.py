"""Dense depth of a clip with known cameras: plane sweep, semi-global smoothing, agreement between views, planes.

Rectified pairs would take a fifth of the time, but lose most of some clips (``docs/results/choices.md``).
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.records import DepthSource
from pipeline.stages.reconstruction.colmap.consistency import agreement
from pipeline.stages.reconstruction.colmap.plane_sweep import cost_volume, inverse_depths
from pipeline.stages.reconstruction.colmap.refine import fill_planes
from pipeline.stages.reconstruction.colmap.semiglobal import aggregate, pick
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SweepSettings
from pipeline.stages.reconstruction.colmap.views import ClipViews

AROUND = 7 / 320
"""Distance within which a value's neighbours are counted, shares of the depth map's width."""


class DenseMaps(NamedTuple):
    """Depth of r views.

    depth: (r, h, w) float32, 0 = no value. confidence: (r, h, w) float32 in [0, 1]. source: (r, h, w) uint8,
    ``DepthSource`` of every pixel.
    """

    depth: Floats
    confidence: Floats
    source: NDArray[np.uint8]

    def only(self, kept: NDArray[np.bool_]) -> "DenseMaps":
        """Return the maps without values where ``kept``, which may be (w,) or (r, h, w), is false."""
        depth, confidence = (np.where(kept, part, np.float32(0)) for part in (self.depth, self.confidence))
        return DenseMaps(depth, confidence, np.where(kept, self.source, np.uint8(0)))


def dense_depth(views: ClipViews, settings: ColmapSettings) -> DenseMaps:
    """Find depth of all views.

    What a plane filled must agree between views just as swept depth must. Confidence is the correlation of the match
    times the share of sources that agree; a plane, whose pixels match nothing, counts as a correlation of one half.
    """
    planes = [inverse_depths(views, view, settings.sweep) for view in range(len(views.grey))]
    with ThreadPoolExecutor(settings.threads) as pool:
        swept = list(pool.map(lambda view: sweep(views, view, planes[view], settings.sweep), range(len(planes))))
        found = np.stack([depth for depth, _ in swept])
        depth, support = believed(views, found, planes, settings.sweep)
        views_filled = pool.map(
            lambda view: fill_planes(depth[view], views.grey[view], settings.planes), range(len(planes))
        )
        filled = np.stack(list(views_filled))
    filled, filled_support = believed(views, filled, planes, settings.sweep)
    known = depth > 0
    correlation = np.where(known, np.stack([correlation for _, correlation in swept]), 0.5)
    most = np.array([max(len(sources), 1) for sources in views.sources])[:, None, None]
    confidence = correlation * np.where(known, support, filled_support) / most
    merged = np.where(known, depth, filled)
    source = np.where(known, DepthSource.MATCHED, np.where(merged > 0, DepthSource.PLANE, DepthSource.NONE))
    return DenseMaps(merged, confidence.astype(np.float32), source.astype(np.uint8))


def without_lone_values(maps: DenseMaps, settings: SweepSettings) -> DenseMaps:
    """Return the maps without values that most pixels around have none beside.

    Where a surface is matched its neighbours are too; where it shows nothing to match, some agree by chance.
    """
    side = 2 * round(AROUND * settings.width) + 1
    given = (maps.depth > 0).astype(np.float32)
    share = [cv2.blur(one, (side, side), borderType=cv2.BORDER_REFLECT) for one in given]
    return maps.only(np.stack(share) >= settings.min_around)


def sweep(views: ClipViews, view: int, inverse_depth: Floats, settings: SweepSettings) -> tuple[Floats, Floats]:
    """Return the depth (h, w) of one view among ``inverse_depth`` (d,), and the correlation (h, w) in [0, 1] there."""
    cost = cost_volume(views, view, inverse_depth, settings)
    aggregated = aggregate(cost, views.grey[view], settings)
    winner = aggregated.argmin(axis=2)
    correlation = 1 - np.take_along_axis(cost, winner[..., None], 2)[..., 0]
    return pick(aggregated, inverse_depth), np.clip(correlation, 0, 1)


def believed(
    views: ClipViews, depth: Floats, planes: list[Floats], settings: SweepSettings
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the depth (r, h, w) that enough sources see as well, fused with theirs, and their number; else zeros."""
    checks = [
        agreement(views, depth, float(inverse_depth[1] - inverse_depth[0]), view, settings)
        for view, inverse_depth in enumerate(planes)
    ]
    support = np.stack([check.support for check in checks])
    enough = support >= settings.min_support
    return np.where(enough, np.stack([check.depth for check in checks]), np.float32(0)), np.where(enough, support, 0)
