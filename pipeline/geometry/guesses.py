"""Guessed pixels become guessed voxels: those that are occupied by them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import MetricScene, Occupancy
from pipeline.geometry.blocks import GridBlock, grid_blocks, grid_place
from pipeline.geometry.filling import Evidence, VoxelSettings


def with_guesses(
    scene: MetricScene, grids: Occupancy, settings: VoxelSettings | None = None, beside: Sequence[MetricScene] = ()
) -> Occupancy:
    """Return the grids of a scene with the voxels that guessed pixels make, as ``guessed`` (n, 60, 60, 36).

    settings: how the grids were filled. beside: the other scenes whose points fill them.
    """
    settings = settings or VoxelSettings()
    scenes = (scene, *beside)
    if not any(one.guessed is not None and one.guessed.any() for one in scenes):
        return grids
    guessed = np.zeros(grids.labels.shape, np.bool_)
    frames = np.flatnonzero(scene.registered & scene.depth.any(axis=(1, 2))).tolist()
    for block in grid_blocks(grid_place(frame, grids.origin[frame], grids.grid_from_world[frame]) for frame in frames):
        filled = guessed_voxels(scenes, block, settings)
        for place in block.places:
            guessed[place.frame] = block.cut(filled, place)
    return replace(grids, guessed=guessed)


def guessed_voxels(scenes: Sequence[MetricScene], block: GridBlock, settings: VoxelSettings) -> NDArray[np.bool_]:
    """Return the voxels of a block that are occupied by guessed pixels of the scenes.

    By points, those that hold no measured one; by rays, those in which more of guessed rays ends than of measured ones.
    """
    found = Evidence(block.shape, 2, settings)
    for scene in scenes:
        guessed_pixels = np.zeros(scene.depth.shape, np.bool_) if scene.guessed is None else scene.guessed
        once = np.ones(scene.depth.shape[1:], np.uint8)
        for frame in np.flatnonzero(scene.registered):
            slots = np.ascontiguousarray(guessed_pixels[frame], np.uint8)
            found.add(scene, int(frame), slots, once, block.origin, np.eye(4))
    measured, guessed = (found.votes[..., slot] for slot in range(2))
    if settings.occupied_by == "points":
        return np.asarray((guessed > 0) & (measured == 0), np.bool_)
    return np.asarray(found.occupied & (guessed > measured), np.bool_)
