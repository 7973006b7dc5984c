"""ICL-NUIM as Open3D publishes it, and other sequences with a colour, depth and pose file a frame (HoloLens).

``video.mp4``, ``camera-intrinsics.txt`` (3x3, pixels) and ``frames/NNNNNN.depth.png`` (uint16, millimetres) with
``frames/NNNNNN.pose.txt`` (camera-to-world, 4x4, metres), where NNNNNN is a frame of the video; not all need be there.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import SettingsError
from pipeline.quality.truth.film import picture_of
from pipeline.quality.truth.posed import PosedFilm, TrueDepth

STEPS_A_METRE = 1000


def icl_films(folder: Path) -> list[PosedFilm]:
    """Return the one sequence of a folder, none where it holds no such files.

    Raises:
        SettingsError: intrinsics or poses are missing or cannot be read.
    """
    poses, video = sorted((folder / "frames").glob("*.pose.txt")), folder / "video.mp4"
    if not poses or not video.exists():
        return []
    picture = picture_of(video, matrix(folder / "camera-intrinsics.txt", 3))
    cameras = {int(path.name.partition(".")[0]): matrix(path, 4) for path in poses}
    maps = {frame: folder / "frames" / f"{frame:06d}.depth.png" for frame in cameras}
    depth = {frame: TrueDepth(path, STEPS_A_METRE) for frame, path in maps.items() if path.exists()}
    known = {frame: cameras[frame] for frame in depth}
    return [PosedFilm(folder.name, video, dict.fromkeys(known, picture), known, depth)]


def matrix(path: Path, size: int) -> NDArray[np.float64]:
    """Return a square matrix that a text file holds; raises ``SettingsError``."""
    try:
        return np.loadtxt(path, dtype=np.float64).reshape(size, size)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} is no {size}x{size} matrix ({error}): fetch the sequence again") from error
