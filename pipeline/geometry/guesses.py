"""Guessed pixels become guessed voxels: those that hold points, none of which was measured."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import MetricScene, Occupancy
from pipeline.geometry.blocks import GridBlock, grid_blocks, grid_place
from pipeline.geometry.voxels import contiguous_depth, lifting


def with_guesses(scene: MetricScene, grids: Occupancy, beside: Sequence[MetricScene] = ()) -> Occupancy:
    """Return the grids of a scene with the voxels that hold guessed pixels alone, as ``guessed`` (n, 60, 60, 36).

    beside: the other scenes whose points fill the grids.
    """
    scenes = (scene, *beside)
    if not any(one.guessed is not None and one.guessed.any() for one in scenes):
        return grids
    guessed = np.zeros(grids.labels.shape, np.bool_)
    frames = np.flatnonzero(scene.registered & scene.depth.any(axis=(1, 2))).tolist()
    for block in grid_blocks(grid_place(frame, grids.origin[frame], grids.grid_from_world[frame]) for frame in frames):
        filled = guessed_voxels(scenes, block)
        for place in block.places:
            guessed[place.frame] = block.cut(filled, place)
    return replace(grids, guessed=guessed)


def guessed_voxels(scenes: Sequence[MetricScene], block: GridBlock) -> NDArray[np.bool_]:
    """Return the voxels of a block into which guessed pixels of the scenes fall and no measured ones."""
    from pipeline.geometry.traversal import count_points

    counts = np.zeros((*block.shape, 2), np.uint32)
    for scene in scenes:
        guessed_pixels = np.zeros(scene.depth.shape, np.bool_) if scene.guessed is None else scene.guessed
        once = np.ones(scene.depth.shape[1:], np.uint8)
        for frame in np.flatnonzero(scene.registered):
            slots = np.ascontiguousarray(guessed_pixels[frame], np.uint8)
            placed = lifting(scene, int(frame), block.origin, np.eye(4))
            count_points(contiguous_depth(scene, int(frame)), slots, once, *placed, counts)
    measured, guessed = (counts[..., slot] > 0 for slot in range(2))
    return np.asarray(np.greater(guessed, measured), np.bool_)
