"""Reconstructions as rows of the group ``reconstruction``."""

from dataclasses import replace

import numpy as np

from pipeline.contract.records import Reconstruction
from pipeline.store.group_writer import GroupWriter


def unit_depth(found: Reconstruction) -> Reconstruction:
    """Return the reconstruction in units of its median depth."""
    given = found.depth[found.depth > 0]
    unit = float(np.median(given)) if given.size else 1.0
    camera_to_world = found.camera_to_world.copy()
    camera_to_world[:, :3, 3] /= unit
    return replace(found, camera_to_world=camera_to_world, depth=found.depth / unit)


def append_reconstruction(group: GroupWriter, found: Reconstruction, signs: tuple[str, ...] = ()) -> None:
    """Append the rows of one clip to the group ``reconstruction``.

    signs: names of the signs that are stored, the same in every row of a clip; nan where a clip does not tell.
    """
    group.append("intrinsics", found.intrinsics.astype(np.float32))
    group.append("camera_to_world", found.camera_to_world.astype(np.float32))
    group.append("depth", found.depth.astype(np.float16))
    group.append("confidence", found.confidence.astype(np.float16))
    group.append("registered", found.registered)
    if signs:
        row = np.array([found.signs.get(name, np.nan) for name in signs], np.float32)
        group.append("signs", np.tile(row, (len(found.registered), 1)))


def blank_reconstruction(n: int, h: int, w: int) -> Reconstruction:
    """Return n frames without cameras or depth."""
    zeros = np.zeros((n, h, w), np.float32)
    return Reconstruction(
        np.zeros((n, 3, 3), np.float32), np.zeros((n, 4, 4), np.float32), zeros, zeros, np.zeros(n, bool)
    )
