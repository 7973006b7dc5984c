"""What a walk would show, on a coarse raster of pixels: enough to choose between walks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.camera import Movement, ray_directions
from pipeline.tours.house import House
from pipeline.tours.layout import Room

PIXEL_STEP = 30
MOMENTS = (0.1, 0.5, 0.9)
STRUCTURE = (SemanticClass.CEILING, SemanticClass.FLOOR, SemanticClass.WALL, SemanticClass.UNKNOWN)
SEEN_SHARE = 0.004
"""Share of the pixels from which a class counts as shown."""
TOO_CLOSE = 0.8
FAR_ENOUGH = 3.5
FRAMING = 45
"""Weight of floor and ceiling in view: with both, the metric scale of a shot can be told from its pictures."""
FRAMED_SHARE = 0.06
"""Share of the pixels of floor, and of ceiling, beyond which more of it is no better."""


@dataclass(frozen=True)
class Preview:
    """Rays of three moments of a walk: depth (n,) float32 metres, labels (n,) uint8, in_room (n,) bool."""

    depth: NDArray[np.float32]
    labels: NDArray[np.uint8]
    in_room: NDArray[np.bool_]

    def classes(self) -> list[int]:
        """Return the classes of things, in the room itself, that are clearly seen."""
        counts = np.bincount(self.labels[self.in_room], minlength=256)
        return [int(c) for c in np.flatnonzero(counts >= SEEN_SHARE * len(self.labels)) if c not in STRUCTURE]

    def score(self, shown: Mapping[int, int]) -> float:
        """Rate a walk: classes little ``shown`` yet, floor and ceiling in view, a far view of this very room."""
        seen = self.classes()
        new = sum(1 / (1 + shown.get(label, 0)) for label in seen)
        framed = sum(self._share(label, FRAMED_SHARE) for label in (SemanticClass.CEILING, SemanticClass.FLOOR))
        far = min(float(np.median(self.depth)), FAR_ENOUGH)
        blocked, elsewhere = float((self.depth < TOO_CLOSE).mean()), float((~self.in_room).mean())
        return 2 * new + len(seen) + FRAMING * framed + 1.5 * far - 20 * blocked - 6 * elsewhere

    def _share(self, label: SemanticClass, enough: float) -> float:
        return min(float((self.labels == label).mean()), enough)


def preview(
    house: House,
    room: Room,
    walk: Movement,
    intrinsics: NDArray[np.float32],
    moments: tuple[float, ...] = MOMENTS,
) -> Preview:
    """Look along ``walk`` at some moments, shares of its duration."""
    steps = np.arange(PIXEL_STEP / 2, FRAME_WIDTH, PIXEL_STEP), np.arange(PIXEL_STEP / 2, FRAME_HEIGHT, PIXEL_STEP)
    x, y = np.meshgrid(*steps)
    pixels = np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)
    cameras = [walk.at(share * walk.duration) for share in moments]
    origins = np.repeat([camera[:3, 3] for camera in cameras], len(pixels), axis=0).astype(np.float32)
    directions = np.concatenate([ray_directions(intrinsics, camera, pixels) for camera in cameras])
    hits = house.caster.cast(origins, directions)
    depth, triangle = hits.distance[hits.found], hits.triangle[hits.found]
    points = origins[hits.found] + depth[:, None] * directions[hits.found]
    return Preview(depth, house.mesh.labels[triangle], _inside(points, room))


def _inside(points: NDArray[np.float32], room: Room) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = room.bounds
    low, high = np.array([x0, y0]) - 0.2, np.array([x1, y1]) + 0.2
    return np.asarray(((points[:, :2] > low) & (points[:, :2] < high)).all(axis=1))
