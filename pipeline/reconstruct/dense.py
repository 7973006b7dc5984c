"""Dense depth of a clip with known cameras: plane sweep, semi-global smoothing, agreement between views."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.reconstruct.consistency import agreement
from pipeline.reconstruct.plane_sweep import cost_volume, inverse_depths
from pipeline.reconstruct.semiglobal import aggregate, pick
from pipeline.reconstruct.settings import SweepSettings
from pipeline.reconstruct.views import Views
from pipeline.records import Floats


def dense_depth(views: Views, settings: SweepSettings, threads: int | None) -> tuple[Floats, Floats]:
    """Return depth (r, h, w) float32, 0 = no value, and confidence (r, h, w) float32 in [0, 1]."""
    with ThreadPoolExecutor(threads) as pool:
        swept = list(pool.map(lambda view: sweep(views, view, settings), range(len(views.grey))))
        depth = np.stack([depth for depth, _ in swept])
        checked = list(pool.map(lambda view: agreement(views, depth, view, settings), range(len(depth))))
    support = np.stack([check.support for check in checked])
    believed = support >= settings.min_support
    fused = np.where(believed, np.stack([check.depth for check in checked]), 0)
    most = np.array([max(len(sources), 1) for sources in views.sources])
    correlation = np.stack([correlation for _, correlation in swept])
    confidence = np.where(believed, correlation * support / most[:, None, None], 0)
    return fused.astype(np.float32), confidence.astype(np.float32)


def sweep(views: Views, view: int, settings: SweepSettings) -> tuple[Floats, Floats]:
    """Return the depth (h, w) of one view from its sources, and the correlation (h, w) in [0, 1] found there."""
    inverse_depth = inverse_depths(views, view, settings)
    cost = cost_volume(views, view, inverse_depth, settings)
    aggregated = aggregate(cost, views.grey[view], settings)
    winner = aggregated.argmin(axis=2)
    correlation = 1 - np.take_along_axis(cost, winner[..., None], 2)[..., 0]
    return pick(aggregated, inverse_depth), np.clip(correlation, 0, 1)
