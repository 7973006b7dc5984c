"""Chooses where the operator walks and looks, so that shots are possible, steady and worth seeing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import Point, Walk
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.house import House
from pipeline.tours.layout import Bounds, Room, house_bounds
from pipeline.tours.preview import preview
from pipeline.tours.settings import TourSettings

CANDIDATES = 40
GAZES = 6
CLEARANCES = ((0.5, 0.7), (0.4, 0.7), (0.5, 0.45), (0.4, 0.45), (0.3, 0.45), (0.2, 0.3))
"""Metres kept from walls and furniture, and share of the walking distance that must be free: the first that fits."""
SAME_OPERATOR = 0.025
"""Spread of the logarithm of one operator's eye height within a video."""
HEAD = 1.95
"""Metres above the floor up to which things are run into."""
SHELL = {SemanticClass.WALL, SemanticClass.CEILING}
"""What a room's bounds and form say, rather than the bounds of each part."""
OUTDOOR_SPEED = 0.6
"""Metres a second along the house: everything is farther away than indoors."""


@dataclass
class WalkPlanner:
    """Plans one walk after another, each showing as much as possible that earlier ones did not."""

    house: House
    settings: TourSettings
    intrinsics: NDArray[np.float32]
    shown: dict[int, int] = field(default_factory=dict)
    eye_height: float | None = None

    def eye_height_of_a_shot(self, rng: np.random.Generator) -> float | None:
        """Return the height at which the operator of this video holds the camera this time, metres; None: any."""
        if self.eye_height is None:
            return None
        return self.eye_height * float(np.exp(SAME_OPERATOR * np.clip(rng.standard_normal(), -2, 2)))

    def indoor(self, rng: np.random.Generator, room: Room, duration: float) -> Walk:
        """Return the best of many walks through the free floor of ``room``."""
        candidates = list(self._candidates(rng, room, duration))
        previews = [preview(self.house, room, walk, self.intrinsics) for walk in candidates]
        best = int(np.argmax([seen.score(self.shown) for seen in previews]))
        for label in previews[best].classes():
            self.shown[label] = self.shown.get(label, 0) + 1
        return candidates[best]

    def outdoor(self, rng: np.random.Generator, duration: float) -> Walk:
        """Return a walk along one side of the house, on the lawn, looking at the house."""
        x0, y0, x1, y1 = house_bounds(self.house.rooms)
        centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(np.hypot(x1 - x0, y1 - y0)) / 2
        angle = float(rng.choice([-np.pi / 2, -np.pi / 2, 0, np.pi / 2, np.pi])) + float(rng.uniform(-0.5, 0.5))
        away, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        middle, half = centre + (reach + rng.uniform(6, 8.5)) * away, OUTDOOR_SPEED * duration / 2
        start, end = middle - half * along, middle + half * along
        aim = [float(np.arctan2(*(centre - spot)[::-1])) for spot in (start, end)]
        yaw = (aim[0], aim[0] + float(np.angle(np.exp(1j * (aim[1] - aim[0])))))
        return self._steady(rng, _point(start), _point(middle), _point(end), yaw, (0.05, 0.08), duration)

    def _candidates(self, rng: np.random.Generator, room: Room, duration: float) -> Iterator[Walk]:
        clear = clearance_map(room, obstacles(self.house, room))
        length = duration * self.settings.walking_speed
        for clearance, share in CLEARANCES:
            lines = list(free_lines(rng, room, clear >= clearance, share * length, length))
            if lines:
                break
        for start, end in lines or _cramped(rng, room, clear, length):
            for _ in range(GAZES):
                yield self._walk(rng, start, end, duration)

    def _walk(self, rng: np.random.Generator, start: Point, end: Point, duration: float) -> Walk:
        """Draw gaze and shake: look across the line of walking, towards the far part of the room."""
        along = float(np.arctan2(end[1] - start[1], end[0] - start[0]))
        yaw = along + float(rng.choice([-1, 1])) * float(np.radians(rng.uniform(35, 145)))
        pan = float(np.radians(rng.uniform(-5, 5))) * duration
        pitch = np.radians(rng.uniform(-12, -1, 2))
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
        anyone = float(rng.uniform(min(low, high), max(low, high)))
        return Walk(
            start=start,
            bend=bend,
            end=end,
            eye_height=self.eye_height_of_a_shot(rng) or anyone,
            yaw=yaw,
            pitch=pitch,
            duration=duration,
            shake=(float(np.radians(settings.shake_degrees)), settings.shake_metres),
            tremor_seed=int(rng.integers(1 << 30)),
        )


def _point(position: NDArray[np.float64]) -> Point:
    return float(position[0]), float(position[1])


def obstacles(house: House, room: Room, heights: tuple[float, float] = (0.1, HEAD)) -> list[Bounds]:
    """Return the footprints of everything in the room that a person or a camera between ``heights`` could run into."""
    lowest, highest = heights
    x0, y0, x1, y1 = room.bounds
    found = []
    for item in house.things:
        (low_x, low_y, low_z), (high_x, high_y, high_z) = item.bounds()
        inside = low_x > x0 - 0.2 and low_y > y0 - 0.2 and high_x < x1 + 0.2 and high_y < y1 + 0.2
        if inside and low_z < highest and high_z > lowest and item.label not in SHELL:
            found.append((low_x, low_y, high_x, high_y))
    return found + room.form.too_low(room, highest)


def _cramped(
    rng: np.random.Generator, room: Room, clear: NDArray[np.float32], longest: float
) -> list[tuple[Point, Point]]:
    """Return lines where a shot is longer than any line of the room: shorter ones, or a place to stand."""
    for shortest in (1.0, 0.5, 0.2):
        lines = list(free_lines(rng, room, clear >= CLEARANCES[-1][0], shortest, longest))
        if lines:
            return lines
    spot = np.array(room.bounds[:2]) + (np.array(np.unravel_index(int(clear.argmax()), clear.shape)) + 0.5) * CELL
    return [(_point(spot), _point(spot))]


def free_lines(
    rng: np.random.Generator, room: Room, free: NDArray[np.bool_], shortest: float, longest: float
) -> Iterator[tuple[Point, Point]]:
    """Yield straight lines over ``free`` floor cells, ``shortest`` to ``longest`` metres long."""
    cells = np.argwhere(free)
    corner = np.array(room.bounds[:2])
    for _ in range(CANDIDATES if len(cells) > 1 else 0):
        start, end = corner + (cells[rng.integers(len(cells), size=2)] + 0.5) * CELL
        span = float(np.linalg.norm(end - start))
        if span < shortest:
            continue
        end = start + (end - start) * min(1, longest / span)
        line = start + np.linspace(0, 1, 24)[:, None] * (end - start)
        index = ((line - corner) / CELL).astype(int)
        if free[index[:, 0], index[:, 1]].all():
            yield _point(start), _point(end)
