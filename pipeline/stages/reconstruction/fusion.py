"""Depth of two kinds in one map: measured by matching where pictures tell, seen by a network where they do not.

The rule is that wrong depth is worse than none. A pixel that matching gives keeps its depth. Where it gives none, what
other frames have matched is carried over if the network sees a surface about there: something nearer, which nobody
matched, may stand before it. What is then left gets the network's depth only if all of this holds:

* the frame's depth, fitted to the measured pixels by a scale and a shift, foretells measured pixels which the fit has
  not seen, whole quarters of the frame among them (``geometry.depth_alignment``); what it leaves over of measured depth
  around a pixel is added;
* measured pixels around it, if there are any, agree with the fitted depth;
* it does not lie far out of the range of what was measured in the frame;
* where the network's normals agree with those of measured surfaces, so does the slope of what is filled in;
* where a plane of the clip goes on about there, with about that slope, the plane's depth takes its place;
* a view that has depth there sees the same surface, and not more views look through it; or no view has any.

Planes that matching filled over even colour are asked for the same slope, and give way where it differs. Every pixel
says whose it is (``DepthSource``).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.contract.records import DepthSource
from pipeline.geometry.depth_alignment import Aligned, align_depth
from pipeline.geometry.depth_following import followed
from pipeline.geometry.normals import fit_planes
from pipeline.stages.reconstruction.clip_planes import along_planes, planes_of
from pipeline.stages.reconstruction.colmap.consistency import seen_by_others, seen_from
from pipeline.stages.reconstruction.colmap.dense import DenseMaps
from pipeline.stages.reconstruction.colmap.views import ClipViews
from pipeline.stages.reconstruction.fusion_settings import FusionSettings

_WINDOW, _ROUGH = 0.03, 0.02
_FEWEST_NORMALS = 300
_FILLED = (DepthSource.CARRIED, DepthSource.PLANE, DepthSource.NETWORK)
"""Whose depth a pixel gets that matching leaves empty, the first that there is."""


@dataclass(frozen=True)
class Sight:
    """What a network says of r pictures, each by itself, at the size of depth maps.

    depth: (r, h, w) float32, right but for a scale and a shift a picture, 0 = no value. normals: (r, h, w, 3), unit
    vectors towards the camera in its axes, zeros = no value; None where the network has none.
    """

    depth: Floats
    normals: Floats | None = None


@dataclass(frozen=True)
class Fused:
    """Depth of both kinds, how each frame's fitted (None where it was not taken), and what a network knows.

    foretells: (r,) bool, frames of which the network's depth foretells whole quarters; of others it knows no shape.
    """

    maps: DenseMaps
    fits: tuple[Aligned | None, ...]
    foretells: NDArray[np.bool_]


def fuse(views: ClipViews, measured: DenseMaps, points: Floats, sight: Sight, settings: FusionSettings) -> Fused:
    """Fill what matching left empty with what a network sees.

    points: (r, h, w), depth of triangulated points where they fall into the pictures, 0 elsewhere.
    """
    given = np.where(measured.source == DepthSource.MATCHED, measured.depth, 0)
    anchors = np.where(given > 0, given, points).astype(np.float32)
    rays = [_rays(views.intrinsics[view], given.shape[1:]) for view in range(len(given))]
    normals = [_believed_normals(given[view], sight, view, rays[view], settings) for view in range(len(given))]
    base = _without_crooked_planes(measured, normals, rays, settings)
    aligned = [align_depth(sight.depth[view], anchors[view]) for view in range(len(given))]
    foretells = np.array([fit is not None and fit.beyond <= settings.max_beyond for fit in aligned])
    fits = tuple(_taken(fit, settings) for fit in aligned)
    planes = planes_of(views, base.depth, rays) if settings.planes else []
    whole, kinds = base.depth.copy(), base.source.copy()
    for view, fit in enumerate(fits):
        if fit is not None:
            carried = _carried(views, given, view, _fitted(sight.depth[view], fit), settings)
            known = np.where(anchors[view] > 0, anchors[view], carried)
            said = _candidates(sight.depth[view], known, fit, settings)
            flat = along_planes(planes, views.camera_to_world[view], rays[view], said, known, settings.planes)
            choices = base.depth[view] > 0, carried > 0, flat > 0, said > 0
            filled = np.select(choices, (base.depth[view], carried, flat, said), np.float32(0))
            odd = _crooked(filled, normals[view], rays[view], settings) & (base.depth[view] == 0)
            whole[view] = np.where(odd, 0, filled)
            kinds[view] = np.select(choices, (base.source[view], *_FILLED), DepthSource.NONE)
    return Fused(_confirmed(views, base, whole, kinds, settings), fits, foretells)


def _taken(fit: Aligned | None, settings: FusionSettings) -> Aligned | None:
    """Return the fit of a frame if it is good enough."""
    if fit is None or fit.pixels < settings.min_pixels:
        return None
    foretells = fit.held_out <= settings.max_held_out and fit.far_off <= settings.max_far_off
    return fit if foretells and fit.beyond <= settings.max_beyond else None


def _fitted(said: Floats, fit: Aligned) -> Float64s:
    return np.where(np.isfinite(said) & (said > 0), fit.affine.of(np.nan_to_num(said, posinf=0)), 0)


def _carried(views: ClipViews, given: Floats, view: int, fitted: Float64s, settings: FusionSettings) -> Floats:
    """Return the depth (h, w) that other views have matched where the pixels of ``view`` are fitted to lie; else 0."""
    there = seen_by_others(views, given, view) if settings.carried else np.zeros(fitted.shape, np.float32)
    both = (there > 0) & (fitted > 0)
    off = np.abs(np.log(np.where(both, there, 1) / np.where(both, fitted, 1)))
    return np.where(both & (off < settings.carried), there, np.float32(0))


def _candidates(said: Floats, anchors: Floats, fit: Aligned, settings: FusionSettings) -> Floats:
    """Return the fitted depth (h, w) of a frame where nothing measured around it speaks against it, 0 elsewhere."""
    depth = _fitted(said, fit)
    near, far = fit.range
    inside = (depth > near / settings.farther) & (depth < far * settings.farther)
    known = inside & (anchors > 0)
    # one pixel that is far off says no more than one that is off
    error = np.where(known, np.minimum(np.abs(depth / np.maximum(anchors, 1e-12) - 1), 3 * settings.max_around), 0)
    side = 2 * round(settings.around * depth.shape[1] / 2) + 1
    count, total = (_window_sum(part, side) for part in (known, error))
    agrees = total <= settings.max_around * np.maximum(count, 0.5)
    given = np.where(inside, depth, 0)
    near_it = followed(given, anchors, settings.follow * depth.shape[1]) if settings.follow else given
    return np.where(agrees, near_it, 0).astype(np.float32)


def _window_sum(values: NDArray[np.generic], side: int) -> Float64s:
    whole = cv2.boxFilter(values.astype(np.float64), -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.round(whole, 9))


def _believed_normals(
    given: Floats, sight: Sight, view: int, rays: Float64s, settings: FusionSettings
) -> Float64s | None:
    """Return the network's normals (h, w, 3) of a frame if they agree with those of measured surfaces."""
    if sight.normals is None:
        return None
    said = sight.normals[view].astype(np.float64)
    fits = fit_planes(given, rays, _WINDOW, _ROUGH)
    both = fits.flat & np.any(said != 0, axis=-1)
    if np.count_nonzero(both) < _FEWEST_NORMALS:
        return None
    angles = _angles(said[both], fits.normals[both])
    return said if float(np.median(angles)) <= settings.believed_angle else None


def _crooked(depth: Floats, normals: Float64s | None, rays: Float64s, settings: FusionSettings) -> NDArray[np.bool_]:
    """Tell where depth (h, w) is flat and its slope is not that of the normals."""
    if normals is None:
        return np.zeros(depth.shape, np.bool_)
    fits = fit_planes(depth, rays, _WINDOW, _ROUGH)
    said = np.any(normals != 0, axis=-1)
    return np.asarray(fits.flat & said & (_angles(normals, fits.normals) > settings.max_angle))


def _angles(one: Float64s, two: Float64s) -> Float64s:
    return np.asarray(np.degrees(np.arccos(np.clip((one * two).sum(axis=-1), -1, 1))))


def _without_crooked_planes(
    measured: DenseMaps, normals: list[Float64s | None], rays: list[Float64s], settings: FusionSettings
) -> DenseMaps:
    """Return what matching gave without filled planes whose slope is not what the network sees."""
    odd = np.stack([_crooked(measured.depth[view], normals[view], rays[view], settings) for view in range(len(rays))])
    odd &= measured.source == DepthSource.PLANE
    return measured.only(~odd)


def _confirmed(
    views: ClipViews, base: DenseMaps, whole: Floats, kinds: NDArray[np.uint8], settings: FusionSettings
) -> DenseMaps:
    """Return depth (r, h, w), of what was filled only what other views do not speak against.

    kinds: (r, h, w), ``DepthSource`` of what was filled.
    """
    depth, confidence, source = base.depth.copy(), base.confidence.copy(), base.source.copy()
    for view in range(len(whole)):
        filled = (whole[view] > 0) & (base.depth[view] == 0)
        support, through, shown = _votes(views, whole, view, settings.tolerance)
        right = filled & (((support > 0) & (support > through)) | (shown == 0))
        depth[view][right], source[view][right] = whole[view][right], kinds[view][right]
        # as of a plane, whose pixels match nothing: a correlation of one half
        share = np.maximum(support, 1) / max(len(views.sources[view]), 1)
        confidence[view][right] = 0.5 * share[right]
    return DenseMaps(depth, np.minimum(confidence, 1).astype(np.float32), source)


def _votes(
    views: ClipViews, depth: Floats, view: int, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count (h, w) sources that see the same surface, that look through it, and that have any depth there."""
    support, through, shown = (np.zeros(depth.shape[1:], np.int64) for _ in range(3))
    own = np.maximum(depth[view].astype(np.float64), 1e-12)
    for source in views.sources[view]:
        seen = seen_from(views, depth, view, source)
        ratio = seen / own
        shown += seen > 0
        support += (seen > 0) & (np.abs(ratio - 1) < tolerance)
        through += ratio > 1 + 2 * tolerance
    return support, through, shown


def _rays(intrinsics: Float64s, shape: tuple[int, ...]) -> Float64s:
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    return np.asarray(np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(intrinsics).T)
