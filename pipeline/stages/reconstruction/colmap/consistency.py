"""Depth is believed where other views, matched on their own, see the same surface; those views then refine it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from pipeline.stages.reconstruction.colmap.views import ClipViews

MOST_OTHERS = 24
"""Views whose depth is carried into another one."""


@dataclass(frozen=True)
class Agreement:
    """How a view's depth fares in its sources.

    support: (h, w) int64, sources that see the same surface.
    depth: (h, w) float32, mean (of inverse depths) over the view and those sources.
    """

    support: NDArray[np.int64]
    depth: Floats


def agreement(views: ClipViews, depth: Floats, step: float, view: int, settings: SweepSettings) -> Agreement:
    """Compare the depth (r, h, w) of ``view`` with that of its sources; 0 = no value.

    They agree within a share of depth, or within ``step`` of inverse depth where the pictures tell no finer.
    """
    support = np.zeros(depth.shape[1:], np.int64)
    own = depth[view].astype(np.float64)
    inverse = np.where(own > 0, 1 / np.maximum(own, 1e-12), 0)
    total = inverse.copy()
    allowed = np.clip(step * own, settings.tolerance, settings.max_tolerance)
    for source in views.sources[view]:
        seen = seen_from(views, depth, view, source)
        agrees = (own > 0) & (seen > 0) & (np.abs(seen - own) < allowed * own)
        support += agrees
        total += np.where(agrees, 1 / np.maximum(seen, 1e-12), 0)
    fused = np.where(own > 0, (support + 1) / np.maximum(total, 1e-12), 0)
    return Agreement(support, fused.astype(np.float32))


def seen_from(views: ClipViews, depth: Floats, view: int, source: int) -> Float64s:
    """Return the depth (h, w) in ``view`` of the surface that ``source`` has where the pixels of ``view`` fall.

    0 where the pixel falls outside, or on no value.
    """
    height, width = depth.shape[1:]
    own = depth[view].astype(np.float64)
    turn, shift = views.projection(view, source)
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    there = (pixels @ turn[:, :2].T + turn[:, 2]) * own[..., None] + shift
    z = np.where(there[..., 2] > 0, there[..., 2], np.inf)
    columns, rows = np.floor(there[..., 0] / z).astype(np.int64), np.floor(there[..., 1] / z).astype(np.int64)
    inside = (own > 0) & np.isfinite(z) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    found = np.where(inside, depth[source][np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)], 0)
    return np.where(found > 0, own * found / np.where(inside, z, 1), 0)


def seen_by_others(views: ClipViews, depth: Floats, view: int) -> Floats:
    """Return the depth (h, w) in ``view`` of the nearest surface that falls there from other views' depth (r, h, w).

    0 = none does. Other views are at most ``MOST_OTHERS``, evenly spread over the clip. Nothing is said of what stands
    before that surface in ``view`` and has no depth in the others.
    """
    height, width = depth.shape[1:]
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    nearest = np.full(height * width, np.inf)
    for other in _spread_others(len(depth), view):
        turn, shift = views.projection(other, view)
        known = depth[other] > 0
        there = (pixels[known] @ turn[:, :2].T + turn[:, 2]) * depth[other][known][:, None].astype(np.float64) + shift
        there = there[there[:, 2] > 0]
        at = np.clip(there[:, :2] / there[:, 2:], -1, (width, height))
        columns, rows = np.floor(at).astype(np.int64).T
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        np.minimum.at(nearest, rows[inside] * width + columns[inside], there[inside, 2])
    return np.where(np.isfinite(nearest), nearest, 0).reshape(height, width).astype(np.float32)


def _spread_others(count: int, view: int) -> list[int]:
    others = [other for other in range(count) if other != view]
    chosen = np.linspace(0, len(others) - 1, min(MOST_OTHERS, len(others))).round().astype(np.int64)
    return [others[at] for at in chosen.tolist()]
