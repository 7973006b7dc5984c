"""TUM RGB-D: depth maps and the trajectory that motion capture saw.

``video.mp4``; ``frames/NNNNNN.depth.png`` (uint16, 5000 steps a metre), where NNNNNN is a frame of the video;
``truth_cam_poses.txt`` with a line a frame: time, tx ty tz, qx qy qz qw, camera-to-world in metres, z up, floor at
z = 0. Sturm et al. (2012). Without ``camera-intrinsics.txt`` (3x3, pixels) the camera is that of freiburg3.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.errors import SettingsError
from pipeline.quality.truth.film import picture_of
from pipeline.quality.truth.icl import matrix
from pipeline.quality.truth.posed import PosedFilm, TrueDepth

TRAJECTORY = "truth_cam_poses.txt"
STEPS_A_METRE = 5000
FREIBURG3 = np.array([[535.4, 0, 320.1], [0, 539.2, 247.6], [0, 0, 1]])


def tum_films(folder: Path) -> list[PosedFilm]:
    """Return the one sequence of a folder, none where it holds no such files.

    Raises:
        SettingsError: the trajectory cannot be read.
    """
    video, path = folder / "video.mp4", folder / TRAJECTORY
    if not video.exists() or not path.exists():
        return []
    given = folder / "camera-intrinsics.txt"
    picture = picture_of(video, matrix(given, 3) if given.exists() else FREIBURG3)
    cameras = dict(enumerate(_cameras(path)))
    maps = {frame: folder / "frames" / f"{frame:06d}.depth.png" for frame in cameras}
    depth = {frame: TrueDepth(file, STEPS_A_METRE) for frame, file in maps.items() if file.exists()}
    known = {frame: cameras[frame] for frame in depth}
    return [PosedFilm(folder.name, video, dict.fromkeys(known, picture), known, depth, level=False)]


def _cameras(path: Path) -> list[NDArray[np.float64]]:
    try:
        rows = np.loadtxt(path, dtype=np.float64, ndmin=2)[:, :8]
        cameras = np.repeat(np.eye(4)[None], len(rows), axis=0)
        cameras[:, :3, :3] = Rotation.from_quat(rows[:, 4:8]).as_matrix()
        cameras[:, :3, 3] = rows[:, 1:4]
    except (OSError, ValueError, IndexError) as error:
        message = f"{path} is no trajectory ({error}): each line wants time, tx ty tz, qx qy qz qw; fetch it again"
        raise SettingsError(message) from error
    return list(cameras)
