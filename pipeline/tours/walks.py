"""Chooses where the operator walks and looks, so that shots are possible, steady and worth seeing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.classes import SemanticClass
from pipeline.tours.camera import Point, Walk, ray_directions
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.house import House
from pipeline.tours.layout import Bounds, Room, house_bounds
from pipeline.tours.settings import TourSettings

CANDIDATES = 60
CLEARANCES = (0.5, 0.4, 0.3)
"""Metres kept from walls and furniture: as much as the room allows."""
OUTDOOR_SPEED = 0.6
"""Metres a second along the house: everything is farther away than indoors."""
STRUCTURE = (SemanticClass.CEILING, SemanticClass.FLOOR, SemanticClass.WALL, SemanticClass.UNKNOWN)


@dataclass
class WalkPlanner:
    """Plans one walk after another, each showing as much as possible that earlier ones did not."""

    house: House
    settings: TourSettings
    intrinsics: NDArray[np.float32]
    shown: dict[int, int] = field(default_factory=dict)

    def indoor(self, rng: np.random.Generator, room: Room, duration: float) -> Walk:
        """Return the best of many walks through the free floor of ``room``."""
        candidates = list(self._candidates(rng, room, duration))
        scores = [self._score(walk) for walk in candidates]
        best = candidates[int(np.argmax(scores))]
        for label in self._classes_seen(best):
            self.shown[label] = self.shown.get(label, 0) + 1
        return best

    def outdoor(self, rng: np.random.Generator, duration: float) -> Walk:
        """Return a walk along one side of the house, on the lawn, looking at the house."""
        x0, y0, x1, y1 = house_bounds(self.house.rooms)
        centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(np.hypot(x1 - x0, y1 - y0)) / 2
        angle = float(rng.choice([-np.pi / 2, -np.pi / 2, 0, np.pi / 2, np.pi])) + float(rng.uniform(-0.5, 0.5))
        away, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        middle, half = centre + (reach + rng.uniform(4.5, 6.5)) * away, OUTDOOR_SPEED * duration / 2
        start, end = middle - half * along, middle + half * along
        aim = [float(np.arctan2(*(centre - spot)[::-1])) for spot in (start, end)]
        yaw = (aim[0], aim[0] + float(np.angle(np.exp(1j * (aim[1] - aim[0])))))
        return self._steady(rng, _point(start), _point(middle), _point(end), yaw, (0.05, 0.08), duration)

    def _candidates(self, rng: np.random.Generator, room: Room, duration: float) -> Iterator[Walk]:
        clear = clearance_map(room, obstacles(self.house, room))
        for clearance in CLEARANCES:
            lines = list(_lines(rng, room, clear, clearance, duration * self.settings.walking_speed))
            if lines:
                break
        for start, end in lines:
            for _ in range(3):
                yield self._walk(rng, room, start, end, duration)

    def _walk(self, rng: np.random.Generator, room: Room, start: Point, end: Point, duration: float) -> Walk:
        """Draw gaze and shake: look across the line of walking, towards the far part of the room."""
        along = float(np.arctan2(end[1] - start[1], end[0] - start[0]))
        yaw = along + float(rng.choice([-1, 1])) * float(np.radians(rng.uniform(35, 110)))
        pan = float(np.radians(rng.uniform(-5, 5))) * duration
        pitch = np.radians(rng.uniform(-11, -1, 2))
        bend = tuple((a + b) / 2 + float(rng.uniform(-0.06, 0.06)) for a, b in zip(start, end, strict=True))
        tilt = (float(pitch[0]), float(pitch[0] + 0.4 * (pitch[1] - pitch[0])))
        return self._steady(rng, start, (bend[0], bend[1]), end, (yaw - pan / 2, yaw + pan / 2), tilt, duration)

    def _steady(
        self,
        rng: np.random.Generator,
        start: Point,
        bend: Point,
        end: Point,
        yaw: tuple[float, float],
        pitch: tuple[float, float],
        duration: float,
    ) -> Walk:
        """Draw the operator: how tall, how steady."""
        settings, sway = self.settings, 3 * self.settings.shake_metres
        low, high = settings.eye_height_min + sway, settings.eye_height_max - sway
        return Walk(
            start=start,
            bend=bend,
            end=end,
            eye_height=float(rng.uniform(min(low, high), max(low, high))),
            yaw=yaw,
            pitch=pitch,
            duration=duration,
            shake=(float(np.radians(settings.shake_degrees)), settings.shake_metres),
            tremor_seed=int(rng.integers(1 << 30)),
        )

    def _score(self, walk: Walk) -> float:
        """Rate a walk: new classes first, then many classes, a far view, and nothing right before the lens."""
        depth, labels = self._preview(walk)
        seen = self._classes_of(labels)
        new = sum(1 / (1 + self.shown.get(label, 0)) for label in seen)
        furnished = float((~np.isin(labels, STRUCTURE)).mean())
        blocked = float((depth < 0.7).mean())
        return 2 * new + len(seen) + 3 * min(furnished, 0.5) + min(float(np.median(depth)), 3.0) - 20 * blocked

    def _classes_seen(self, walk: Walk) -> list[int]:
        return self._classes_of(self._preview(walk)[1])

    def _classes_of(self, labels: NDArray[np.uint8]) -> list[int]:
        counts = np.bincount(labels, minlength=256)
        return [int(c) for c in np.flatnonzero(counts >= 0.004 * len(labels)) if c not in STRUCTURE]

    def _preview(self, walk: Walk) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return depth and labels of a coarse raster of pixels at three moments of a walk."""
        x, y = np.meshgrid(np.arange(10, 640, 20, dtype=np.float32), np.arange(10, 480, 20, dtype=np.float32))
        pixels = np.stack([x.ravel(), y.ravel()], axis=-1)
        depths, labels = [], []
        for share in (0.1, 0.5, 0.9):
            camera = walk.at(share * walk.duration)
            hits = self.house.caster.cast(
                camera[:3, 3].astype(np.float32), ray_directions(self.intrinsics, camera, pixels)
            )
            depths.append(hits.distance[hits.found])
            labels.append(self.house.mesh.labels[hits.triangle[hits.found]])
        return np.concatenate(depths), np.concatenate(labels)


def _point(position: NDArray[np.float64]) -> Point:
    return float(position[0]), float(position[1])


def obstacles(house: House, room: Room) -> list[Bounds]:
    """Return the footprints of everything in the room that a person or a camera could run into."""
    x0, y0, x1, y1 = room.bounds
    found = []
    for item in house.things:
        (low_x, low_y, low_z), (high_x, high_y, high_z) = item.bounds()
        inside = low_x > x0 - 0.2 and low_y > y0 - 0.2 and high_x < x1 + 0.2 and high_y < y1 + 0.2
        if inside and low_z < 1.95 and high_z > 0.1 and item.label != SemanticClass.WALL:
            found.append((low_x, low_y, high_x, high_y))
    return found


def _lines(
    rng: np.random.Generator, room: Room, clear: NDArray[np.float32], clearance: float, length: float
) -> Iterator[tuple[Point, Point]]:
    """Yield straight lines on the floor that keep ``clearance`` everywhere, as long as ``length`` where possible."""
    cells = np.argwhere(clear >= clearance)
    if len(cells) < 2:
        return
    corner = np.array(room.bounds[:2])
    for _ in range(CANDIDATES):
        pair = corner + (cells[rng.integers(len(cells), size=2)] + 0.5) * CELL
        span = float(np.linalg.norm(pair[1] - pair[0]))
        if span < 0.45 * length:
            continue
        if span > length:
            pair[1] = pair[0] + (pair[1] - pair[0]) * length / span
        steps = np.linspace(0, 1, 24)[:, None]
        index = ((pair[0] + steps * (pair[1] - pair[0]) - corner) / CELL).astype(int)
        if (clear[index[:, 0], index[:, 1]] >= clearance).all():
            yield (float(pair[0, 0]), float(pair[0, 1])), (float(pair[1, 0]), float(pair[1, 1]))
