"""Reconstructions as rows of the group ``reconstruction``, and what is thought of each in ``clips.parquet``."""

import math
from collections.abc import Container, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images, Int64s
from pipeline.contract.padding import shown_share
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.film import FilmedClips
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import (
    DEPTH_SOURCE,
    DISTORTION,
    LOG_SCALE,
    LOG_SCALE_SIGMA,
    PROBABILITY_RIGHT,
    ROLLING_SHUTTER,
)


def unit_depth(found: Reconstruction) -> Reconstruction:
    """Return the reconstruction in units of its median depth."""
    given = found.depth[found.depth > 0]
    unit = float(np.median(given)) if given.size else 1.0
    camera_to_world = found.camera_to_world.copy()
    camera_to_world[:, :3, 3] /= unit
    log_scale = found.log_scale + math.log(unit)
    return replace(found, camera_to_world=camera_to_world, depth=found.depth / unit, log_scale=log_scale)


def only_shown(found: Reconstruction, rgb: Images) -> Reconstruction:
    """Return the reconstruction of pictures (n, h, w, 3) without depth in black columns at their sides."""
    shown = shown_share(rgb, found.depth.shape[2])
    if shown.all():
        return found
    source = None if found.depth_source is None else found.depth_source * shown
    return replace(found, depth=found.depth * shown, confidence=found.confidence * shown, depth_source=source)


def append_reconstruction(group: GroupWriter, found: Reconstruction, further: Container[str] = ()) -> None:
    """Append the rows of one clip to the group ``reconstruction``.

    further: which of the arrays ``depth_source`` and ``log_scale`` the clips of this video have (``further_arrays``).
    """
    if DEPTH_SOURCE in further:
        source = np.zeros(found.depth.shape, np.uint8) if found.depth_source is None else found.depth_source
        group.append(DEPTH_SOURCE, source)
    if LOG_SCALE in further:
        group.append(LOG_SCALE, np.full(len(found.registered), found.log_scale, np.float32))
        group.append(LOG_SCALE_SIGMA, np.full(len(found.registered), found.log_scale_sigma, np.float32))
    group.append("intrinsics", found.intrinsics.astype(np.float32))
    group.append("camera_to_world", found.camera_to_world.astype(np.float32))
    group.append("depth", found.depth.astype(np.float16))
    group.append("confidence", found.confidence.astype(np.float16))
    group.append("registered", found.registered)
    group.append(PROBABILITY_RIGHT, np.full(len(found.registered), found.probability_right, np.float32))


def further_arrays(found: Iterable[Reconstruction]) -> set[str]:
    """Return which arrays the group needs besides those that all have: what one clip of the video says."""
    further: set[str] = set()
    for clip in found:
        further |= {DEPTH_SOURCE} if clip.depth_source is not None else set()
        further |= {LOG_SCALE} if np.isfinite(clip.log_scale) else set()
    return further


def append_pictures(group: GroupWriter, film: FilmedClips) -> None:
    """Append the rectified pictures of all clips, which the intrinsics are those of, and what they were made by."""
    for clip_id, _ in film.clips:
        rgb, made_by = film.pictures(clip_id), film.rectification(clip_id)
        group.append("rgb", rgb)
        group.append(DISTORTION, np.tile(film.camera.lens.as_row(), (len(rgb), 1)))
        if film.camera.readout:
            group.append(ROLLING_SHUTTER, made_by.as_rows(len(rgb)))


def among(found: Reconstruction, places: Int64s, n: int) -> Reconstruction:
    """Return a reconstruction of the frames ``places`` of a clip as one of all its n frames, the others without camera.

    places: (k,), where each of its k frames is.
    """

    def spread(rows: NDArray[Any]) -> NDArray[Any]:
        all_rows = np.zeros((n, *rows.shape[1:]), rows.dtype)
        all_rows[places] = rows
        return all_rows

    return replace(
        found,
        intrinsics=spread(found.intrinsics),
        camera_to_world=spread(found.camera_to_world),
        depth=spread(found.depth),
        confidence=spread(found.confidence),
        registered=spread(found.registered),
        depth_source=None if found.depth_source is None else spread(found.depth_source),
        notes=(f"Only {len(places)} of {n} frames were gone on with: with the others it was refused.", *found.notes),
    )


def blank_reconstruction(n: int, h: int, w: int) -> Reconstruction:
    """Return n frames without cameras or depth."""
    zeros = np.zeros((n, h, w), np.float32)
    return Reconstruction(
        np.zeros((n, 3, 3), np.float32), np.zeros((n, 4, 4), np.float32), zeros, zeros, np.zeros(n, bool)
    )
