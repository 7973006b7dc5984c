"""Cameras and depth of a network, brought to agree with matches where that foretells other matches better."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.array_files import read_npz
from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import ReconstructionCrashed
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Reconstruction
from pipeline.stages.reconstruction.colmap.backend import run_alone
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair, of_arrays
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.task import Task

MANY, WINDOW = 40, 10
"""Frames above which those near in time are matched, and how near."""
NEW_FOCAL = (0.5, 2.0)
"""Change of the focal length that an adjustment is believed."""


class Refined(NamedTuple):
    """Cameras and depth after matches had their say, and those matches; none where none were looked for."""

    found: Reconstruction
    matches: list[MatchedPair]


def refined(rgb: Images, found: Reconstruction, scratch: Path, settings: ColmapSettings) -> Refined:
    """Adjust the cameras of frames (n, 480, 640, 3) uint8 RGB to matches; what was found stays where they do not help.

    Depth of every frame gets the scale of the points that it sees; the unit stays that of the clip.

    Raises:
        ProcessKilled: somebody ended the process that adjusts, or it stood still.
        MemoryError, OSError: the machine had no room for it.
    """
    if rgb.shape[1:3] != (FRAME_HEIGHT, FRAME_WIDTH):
        return Refined(found, [])
    focal = float(found.intrinsics[found.registered][0, 0, 0])
    scratch /= "refinement"
    scratch.mkdir()
    np.savez(
        scratch / "given.npz",
        allow_pickle=False,
        camera_to_world=found.camera_to_world.astype(np.float64),
        depth=found.depth,
        registered=found.registered,
        focal=np.array(focal),
    )
    task = Task(priors=(focal / FRAME_WIDTH,), window=WINDOW if len(rgb) > MANY else None)
    try:
        run_alone("pipeline.stages.reconstruction.da3.adjustment", rgb, scratch, settings, task)
    except ReconstructionCrashed as error:
        return Refined(_noted(found, f"Cameras were not refined: {error}."), [])
    return Refined(
        _adjusted(found, read_npz(scratch / "adjusted.npz"), focal), of_arrays(read_npz(scratch / "matches.npz"))
    )


def _adjusted(found: Reconstruction, said: Mapping[str, NDArray[Any]], focal: float) -> Reconstruction:
    """Return what was found with the cameras that the adjustment has found, where they are believed, and a note."""
    before, after = said["errors"].tolist()
    if "focal" not in said or not NEW_FOCAL[0] < float(said["focal"]) / focal < NEW_FOCAL[1]:
        why = "too few matches tell" if np.isnan(before) else f"matches held out lie {after:.2f} px off ({before:.2f})"
        return _noted(found, f"Cameras stayed as the network gave them: {why}.")
    note = f"Cameras were adjusted to matches: those held out lie {after:.2f} px off, before {before:.2f}."
    return _noted(_moved(found, said["camera_to_world"], said["moved"], said["log_ratio"], float(said["focal"])), note)


def _moved(
    found: Reconstruction, poses: Float64s, moved: NDArray[np.bool_], log_ratio: Float64s, focal: float
) -> Reconstruction:
    """Return the reconstruction with other cameras, in its own unit; who did not move goes with its neighbour."""
    if not moved.any():
        return found
    unit = float(np.median(log_ratio[moved]))
    cameras, old = poses.copy(), found.camera_to_world.astype(np.float64)
    cameras[:, :3, 3] /= np.exp(unit)
    ratio = np.where(moved, np.exp(log_ratio - unit), 1.0)
    at = np.flatnonzero(moved)
    for frame in np.flatnonzero(found.registered & ~moved):
        near = at[np.abs(at - frame).argmin()]
        cameras[frame] = cameras[near] @ np.linalg.inv(old[near]) @ old[frame]
    intrinsics = found.intrinsics.copy()
    for axis in (0, 1):
        intrinsics[found.registered, axis, axis] = focal
    return replace(
        found,
        intrinsics=intrinsics,
        camera_to_world=np.where(found.registered[:, None, None], cameras, 0).astype(np.float32),
        depth=(found.depth * ratio[:, None, None]).astype(np.float32),
    )


def _noted(found: Reconstruction, note: str) -> Reconstruction:
    return replace(found, notes=(*found.notes, note))
