"""Guessed pixels become guessed voxels: those that hold points, none of which was measured."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import MetricScene, Occupancy
from pipeline.geometry.voxels import contiguous_depth, lifting


def with_guesses(scene: MetricScene, grids: Occupancy, beside: Sequence[MetricScene] = ()) -> Occupancy:
    """Return the grids of a scene with the voxels that hold guessed pixels alone, as ``guessed`` (n, 60, 60, 36).

    beside: the other scenes whose points fill the grids.
    """
    scenes = (scene, *beside)
    if not any(one.guessed is not None and one.guessed.any() for one in scenes):
        return grids
    guessed = np.zeros(grids.labels.shape, np.bool_)
    for frame in np.flatnonzero(scene.registered & scene.depth.any(axis=(1, 2))):
        guessed[frame] = guessed_voxels(scenes, grids.origin[frame], grids.grid_from_world[frame])
    return replace(grids, guessed=guessed)


def guessed_voxels(
    scenes: Sequence[MetricScene], origin: NDArray[np.floating], grid_from_world: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Return the voxels (60, 60, 36) of one grid into which guessed pixels of the scenes fall and no measured ones.

    origin: (3,), metres in the grid frame. grid_from_world: (4, 4).
    """
    from pipeline.geometry.traversal import count_points

    counts = np.zeros((*GRID_SHAPE, 2), np.uint32)
    for scene in scenes:
        guessed_pixels = np.zeros(scene.depth.shape, np.bool_) if scene.guessed is None else scene.guessed
        once = np.ones(scene.depth.shape[1:], np.uint8)
        for frame in np.flatnonzero(scene.registered):
            slots = np.ascontiguousarray(guessed_pixels[frame], np.uint8)
            placed = lifting(scene, int(frame), origin, grid_from_world)
            count_points(contiguous_depth(scene, int(frame)), slots, once, *placed, counts)
    measured, guessed = (counts[..., slot] > 0 for slot in range(2))
    return np.asarray(np.greater(guessed, measured), np.bool_)
