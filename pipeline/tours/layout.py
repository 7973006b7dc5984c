"""The plan of a house: a rectangle split into rooms, doorways between them, windows in the outer walls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.tours.materials import Material
from pipeline.tours.palette import Rng
from pipeline.tours.settings import TourSettings
from pipeline.tours.surfaces import Thing, Transform, Vector, quarter_turn

RoomKind = Literal["living", "bedroom", "kitchen", "office"]
Bounds = tuple[float, float, float, float]
RoomSplit = Callable[[Rng, int], list[Bounds]]
"""Draws the bounds of so many rooms, ``INNER_WALL`` apart."""
WallStretch = tuple[int, float, float, float]
"""side, start, end, top, metres in the frame of the wall: taken up to ``top``."""

INNER_WALL = 0.1
DOOR_WIDTH = 0.9
DOOR_HEIGHT = 2.05
ROOM_SIDE = (3.0, 6.0)
ROOM_ORDER: tuple[RoomKind, ...] = ("living", "bedroom", "kitchen", "office", "bedroom", "living")
"""Kinds of a house's rooms: the first three hold all eleven classes between them."""


@dataclass(frozen=True)
class Opening:
    """A hole in one wall: ``start`` to ``end`` along it, ``bottom`` to ``top``, metres; a doorway leads to a room.

    clear: whether one looks through the window's pane rather than at a picture of a garden.
    """

    kind: Literal["doorway", "window"]
    side: int
    start: float
    end: float
    bottom: float
    top: float
    leads_to: int | None = None
    clear: bool = False


@dataclass(frozen=True)
class Finish:
    """What a room is like beside its furniture: bare white walls, a glossy floor, a mirror, a share of the light."""

    bare: bool = False
    glossy: bool = False
    mirror: bool = False
    brightness: float = 1.0


@dataclass(frozen=True)
class Coats:
    """What a room's walls, skirting boards, ceiling and floor are made of."""

    wall: Material
    skirting: Material
    ceiling: Material
    floor: Material


@dataclass(frozen=True)
class RoomForm:
    """A plain box; forms that are not say what differs. All bounds are of the floor, metres in the world."""

    def solid(self, _room: "Room") -> list[Bounds]:
        """Return the parts of the box that are no room at all."""
        return []

    def built_over(self, room: "Room") -> list[Bounds]:
        """Return floor that takes no furniture."""
        return self.solid(room)

    def too_low(self, room: "Room", _height: float) -> list[Bounds]:
        """Return floor above which there is less than ``height`` metres of air, all that is solid with it."""
        return self.solid(room)

    def height_over(self, room: "Room", _bounds: Bounds) -> float:
        """Return the lowest ceiling above a part of the floor, metres."""
        return room.ceiling_height

    def taken_walls(self, _room: "Room") -> list[WallStretch]:
        """Return what of the four walls is hidden, or hung with nothing."""
        return []

    def gaps(self, _room: "Room", _side: int) -> list[tuple[float, float]]:
        """Return the stretches (start, end) of a wall that are not there."""
        return []

    def floors(self, room: "Room") -> list[Bounds]:
        """Return the rectangles that the floor consists of."""
        return [room.bounds]

    def ceilings(self, room: "Room") -> list[Bounds]:
        """Return the rectangles that the level ceiling consists of."""
        return [room.bounds]

    def build(self, _rng: Rng, _room: "Room", _coats: "Coats") -> list[Thing]:
        """Return what stands in the box beside floor, level ceiling and four walls."""
        return []

    def lookouts(self, _room: "Room") -> list[Vector]:
        """Return places above the room's floor, metres, from which one sees what nobody on the floor does."""
        return []

    def lamps(self, _room: "Room") -> list[Vector]:
        """Return where light comes from beside the lamp in the middle of the room, metres."""
        return []


BOX = RoomForm()


@dataclass(frozen=True)
class Room:
    """A room: ``bounds`` are the inner faces of its walls, (x_min, y_min, x_max, y_max) metres, floor at z = 0.

    Sides 0..3 are the walls at y_min, x_max, y_max and x_min: a quarter-turn apart. form: what makes it no plain box.
    """

    room_id: int
    kind: RoomKind
    bounds: Bounds
    ceiling_height: float
    openings: tuple[Opening, ...] = ()
    finish: Finish = Finish()
    form: RoomForm = BOX

    def side_length(self, side: int) -> float:
        """Return the length of a wall in metres."""
        x0, y0, x1, y1 = self.bounds
        return x1 - x0 if side % 2 == 0 else y1 - y0

    def side_frame(self, side: int) -> Transform:
        """Return the transform from a wall's own frame (x along it, y into the room, z up) to the world."""
        x0, y0, x1, y1 = self.bounds
        return quarter_turn(side, ((x0, y0), (x1, y0), (x1, y1), (x0, y1))[side])

    def on_floor(self, side: int, local: Bounds) -> Bounds:
        """Return the world bounds of a floor rectangle given in the frame of a wall."""
        return rectangle_of(self.side_frame(side), local)


def rectangle_of(frame: Transform, local: Bounds) -> Bounds:
    """Return the world bounds of a floor rectangle given in the frame of a wall."""
    corners = np.array([[local[0], local[1]], [local[2], local[3]]]) @ frame[:2, :2].T + frame[:2, 3]
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def plan_rooms(rng: Rng, settings: TourSettings, split: RoomSplit | None = None) -> tuple[Room, ...]:
    """Draw a house plan; every room can be reached through doorways from every other.

    split: draws the bounds of so many rooms, by default ``split_house``.
    """
    count = int(rng.integers(settings.rooms_min, settings.rooms_max + 1))
    while True:
        rooms = _draw_rooms(rng, count, settings, split or split_house)
        joined = _with_doorways(rng, rooms)
        if joined is not None:
            return tuple(_with_windows(rng, room, house_bounds(joined)) for room in joined)


def house_bounds(rooms: tuple[Room, ...]) -> Bounds:
    """Return the bounds of all rooms together."""
    x0, y0, x1, y1 = zip(*(room.bounds for room in rooms), strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _draw_rooms(rng: Rng, count: int, settings: TourSettings, split: RoomSplit) -> tuple[Room, ...]:
    kinds = [ROOM_ORDER[i] for i in rng.permutation(count)]
    return tuple(
        Room(i, kinds[i], bounds, float(rng.uniform(settings.ceiling_min, settings.ceiling_max)))
        for i, bounds in enumerate(split(rng, count))
    )


def split_house(rng: Rng, count: int) -> list[Bounds]:
    """Split a rectangle ``count - 1`` times, always its largest room; draw again until every room has good sides."""
    while True:
        area, aspect = count * rng.uniform(11.5, 19), rng.uniform(0.6, 1.7)
        rooms = [(0.0, 0.0, float(np.sqrt(area * aspect)), float(np.sqrt(area / aspect)))]
        while len(rooms) < count:
            rooms.sort(key=lambda bounds: float(np.prod(_sides(bounds))))
            rooms += _split(rng, rooms.pop())
        if all(ROOM_SIDE[0] <= side <= ROOM_SIDE[1] for bounds in rooms for side in _sides(bounds)):
            return rooms


def _sides(bounds: Bounds) -> tuple[float, float]:
    return bounds[2] - bounds[0], bounds[3] - bounds[1]


def _split(rng: np.random.Generator, bounds: Bounds) -> tuple[Bounds, Bounds]:
    """Split across x or y, the longer side more often, leaving the shortest allowed side on both sides if it can."""
    x0, y0, x1, y1 = bounds
    sides, half = _sides(bounds), INNER_WALL / 2
    across = 0 if sides[0] * rng.uniform(0.8, 1.25) > sides[1] else 1
    shortest = min(ROOM_SIDE[0] + half, sides[across] / 2)
    cut = float(rng.uniform(shortest, sides[across] - shortest))
    if across == 0:
        return (x0, y0, x0 + cut - half, y1), (x0 + cut + half, y0, x1, y1)
    return (x0, y0, x1, y0 + cut - half), (x0, y0 + cut + half, x1, y1)


def _with_doorways(rng: np.random.Generator, rooms: tuple[Room, ...]) -> tuple[Room, ...] | None:
    """Join rooms by doorways along a random spanning tree; None if some room shares too little wall."""
    reached, waiting, joined = {0}, list(rng.permutation(np.arange(1, len(rooms)))), list(rooms)
    while waiting:
        links = [(a, b, gate) for b in waiting for a in sorted(reached) for gate in _shared_wall(rooms[a], rooms[b])]
        if not links:
            return None
        a, b, (side, low, high) = links[int(rng.integers(len(links)))]
        centre = float(rng.uniform(low, high))
        joined[a] = _with_doorway(joined[a], side, centre, int(b))
        joined[b] = _with_doorway(joined[b], (side + 2) % 4, centre, a)
        waiting.remove(b)
        reached.add(int(b))
    return tuple(joined)


def _shared_wall(a: Room, b: Room) -> Iterator[tuple[int, float, float]]:
    """Yield the side of ``a`` that faces ``b``, and the range of world coordinates for a doorway's centre."""
    margin = DOOR_WIDTH / 2 + 0.15
    for side in range(4):
        across = 1 - side % 2
        gap = b.bounds[across] - a.bounds[across + 2] if side in (1, 2) else a.bounds[across] - b.bounds[across + 2]
        along = side % 2
        low = max(a.bounds[along], b.bounds[along]) + margin
        high = min(a.bounds[along + 2], b.bounds[along + 2]) - margin
        if abs(gap - INNER_WALL) < 1e-6 and low <= high:
            yield side, low, high


def _with_doorway(room: Room, side: int, centre: float, leads_to: int) -> Room:
    x0, y0, x1, y1 = room.bounds
    along = (centre - x0, centre - y0, x1 - centre, y1 - centre)[side]
    gate = Opening("doorway", side, along - DOOR_WIDTH / 2, along + DOOR_WIDTH / 2, 0, DOOR_HEIGHT, leads_to)
    return replace(room, openings=(*room.openings, gate))


def _with_windows(rng: np.random.Generator, room: Room, house: Bounds) -> Room:
    """Give the room a window in most of its outer walls."""
    outer = [side for side in range(4) if abs(room.bounds[(1, 2, 3, 0)[side]] - house[(1, 2, 3, 0)[side]]) < 1e-6]
    windows = [
        _window(rng, room, side)
        for i, side in enumerate(outer)
        if i == 0 or rng.random() < 0.5  # the first for certain: every room has daylight
    ]
    return replace(room, openings=room.openings + tuple(windows))


def _window(rng: np.random.Generator, room: Room, side: int) -> Opening:
    width = float(rng.uniform(1.0, 1.7))
    start = float(rng.uniform(0.4, room.side_length(side) - width - 0.4))
    return Opening("window", side, start, start + width, float(rng.uniform(0.85, 1.0)), float(rng.uniform(2.0, 2.15)))
