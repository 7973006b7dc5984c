"""RealEstate10K: a clip ``ID.mp4`` and ``ID.pose.txt`` with a camera for each of its frames, up to scale.

Zhou et al., Stereo Magnification (2018). The first line is the address of the video; each further one holds a time
(microseconds), fx fy cx cy as shares of the picture's width and height, two zeros, and world-to-camera, 3x4 by rows.
"""

from pathlib import Path

import numpy as np

from pipeline.contract.errors import SettingsError
from pipeline.media.probe import probe
from pipeline.quality.truth.film import Picture
from pipeline.quality.truth.posed import PosedFilm

SUFFIX = ".pose.txt"
COLUMNS = 19


def realestate10k_films(folder: Path) -> list[PosedFilm]:
    """Return the clips of a folder that have cameras, by name; none where it holds no such files.

    Raises:
        SettingsError: a file of cameras cannot be read.
    """
    names = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    return [_film(folder, name) for name in names if (folder / f"{name}.mp4").exists()]


def _film(folder: Path, name: str) -> PosedFilm:
    path, video = folder / f"{name}{SUFFIX}", folder / f"{name}.mp4"
    try:
        lines = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
        rows = np.array(lines, np.float64).reshape(-1, COLUMNS)
    except (OSError, ValueError) as error:
        message = f"{path} holds no cameras ({error}): each line wants {COLUMNS} numbers; fetch the file again"
        raise SettingsError(message) from error
    found = probe(video)
    pictures, cameras = {}, {}
    for frame, row in enumerate(rows):
        fx, fy, cx, cy = row[1:5] * (found.width, found.height, found.width, found.height)
        pictures[frame] = Picture(found.width, found.height, np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
        camera_from_world = np.vstack([row[7:].reshape(3, 4), [0, 0, 0, 1]])
        cameras[frame] = np.linalg.inv(camera_from_world)
    return PosedFilm(name, video, pictures, cameras, {})
