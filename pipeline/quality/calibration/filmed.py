"""Clips with known cameras: filmed in rendered houses, easy ones and hard ones, and kept as plain ``.npz``."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from models.array_files import read_npz
from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.tours.camera import Movement, Walk
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour

HOUSE = TourSettings(rooms_min=3, rooms_max=3, indoor_shots=1, outdoor_shots=0, title=False, shot_seconds=4.5)
FRAMES = 12
"""Frames of a clip: four seconds of the three a second that are kept of a tour."""

TURNS = np.radians([0.0, 60.0, 130.0])
"""How far the camera turns in a clip beyond its slow pan: 0, 5 and 12 degrees a step, as people do who hurry."""


@dataclass(frozen=True)
class KnownClip:
    """Frames of a clip and what is true of them.

    rgb: (n, 480, 640, 3) uint8. camera_to_world: (n, 4, 4), in any unit. intrinsics: (3, 3), pixels. depth:
    (n, 240, 320) float32 in the unit of the cameras, 0 = not known; all zeros where nothing is known of it. place:
    (n,) int64, frames of another place have no known pose to one another.
    """

    rgb: Images
    camera_to_world: Float64s
    intrinsics: Float64s
    depth: Floats
    place: np.ndarray[tuple[int], np.dtype[np.int64]]

    def save(self, path: Path) -> None:
        """Write it as plain ``.npz``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "KnownClip":
        """Read what ``save`` wrote."""
        archive = read_npz(path)
        return cls(**{field.name: archive[field.name] for field in fields(cls)})


def filmed(seed: int) -> KnownClip:
    """Film a room of the house of ``seed``; the camera of every third house turns fast, that of another one faster."""
    plain = Tour.from_seed(seed, HOUSE)
    tour = replace(plain, walks=tuple(_turning(walk, float(TURNS[seed % len(TURNS)])) for walk in plain.walks))
    frames = np.linspace(0, tour.frame_count - 1, FRAMES).astype(int).tolist()
    truths = [tour.truth(frame) for frame in frames]
    return KnownClip(
        rgb=np.stack([tour.picture(frame) for frame in frames]),
        camera_to_world=np.stack([truth.camera_to_world for truth in truths]).astype(np.float64),
        intrinsics=tour.intrinsics.astype(np.float64),
        depth=np.stack([truth.depth[::2, ::2] for truth in truths]),
        place=np.zeros(FRAMES, np.int64),
    )


def kept(seed: int, folder: Path) -> KnownClip:
    """Return the clip of a house, filmed only where ``folder`` does not hold it already."""
    path = folder / f"house-{seed}.npz"
    if not path.exists():
        filmed(seed).save(path)
    return KnownClip.load(path)


def _turning(walk: Movement | None, turn: float) -> Movement | None:
    if not isinstance(walk, Walk):
        return walk
    first, last = walk.yaw
    return replace(walk, yaw=(first - turn / 2, last + turn / 2))
