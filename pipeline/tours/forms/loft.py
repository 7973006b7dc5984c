"""Rooms as high as two storeys, with a gallery along one wall and a flight of steps up to it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.forms.places import is_unbroken, leaves_doors_free, touches
from pipeline.tours.forms.stairs import Flight, railing
from pipeline.tours.layout import Bounds, Coats, Room, RoomForm, WallStretch
from pipeline.tours.ornaments import basket, plant
from pipeline.tours.palette import Rng
from pipeline.tours.sizes import USUAL
from pipeline.tours.storage import bookshelf, sideboard
from pipeline.tours.surfaces import Thing, Vector, quarter_turn, rectangle, thing

GALLERY = (1.5, 2.2)
"""Metres from the wall to the gallery's edge."""
SLAB = 0.2
LOWEST = 2.45
ABOVE_OPENINGS = 0.45
HEADROOM = (2.05, 2.5)
"""Metres between the gallery and the ceiling."""
FLIGHT_WIDTH = 0.85
FOOT = 0.85
"""Metres of floor before the lowest step that stay free."""
LOOKOUTS = 0.8
"""Metres between places along the gallery from which exact grids are filled."""
WALL_SPACE = 0.62
"""Metres from the gallery's wall that its furniture may take."""


@dataclass(frozen=True)
class Loft(RoomForm):
    """A gallery ``level`` metres high along wall ``side``, ``depth`` metres deep, with steps at one of its ends.

    at_start: whether the flight runs along the wall before ``side`` rather than along the one after it.
    """

    side: int
    depth: float
    level: float
    at_start: bool

    @property
    def flight(self) -> Flight:
        """The steps."""
        return Flight(FLIGHT_WIDTH, self.level)

    def across(self, room: Room) -> tuple[float, float]:
        """Return from where to where the flight stands, metres along wall ``side``."""
        length = room.side_length(self.side)
        return (0.0, FLIGHT_WIDTH) if self.at_start else (length - FLIGHT_WIDTH, length)

    def gallery(self, room: Room) -> Bounds:
        """Return the floor that lies below the gallery."""
        return room.on_floor(self.side, (0.0, 0.0, room.side_length(self.side), self.depth))

    def steps(self, room: Room, foot: float = 0.0) -> Bounds:
        """Return the floor that the flight takes, with ``foot`` metres before it."""
        start, end = self.across(room)
        return room.on_floor(self.side, (start, self.depth, end, self.depth + self.flight.run + foot))

    def built_over(self, room: Room) -> list[Bounds]:
        """Return the floor of the flight and before it."""
        return [self.steps(room, FOOT)]

    def too_low(self, room: Room, height: float) -> list[Bounds]:
        """Return the flight, and what lies under the gallery where that is too low."""
        return [self.steps(room), *([self.gallery(room)] if self.level - SLAB < height else [])]

    def height_over(self, room: Room, bounds: Bounds) -> float:
        """Return the height of the gallery's underside, that of the ceiling elsewhere."""
        return self.level - SLAB if touches(bounds, self.gallery(room)) else room.ceiling_height

    def taken_walls(self, room: Room) -> list[WallStretch]:
        """Return the wall beside the flight."""
        run, top = self.flight.run, room.ceiling_height
        if self.at_start:
            before = (self.side + 3) % 4
            end = room.side_length(before) - self.depth
            return [(before, end - run, end, top)]
        return [((self.side + 1) % 4, self.depth, self.depth + run, top)]

    def lamps(self, room: Room) -> list[Vector]:
        """Return lights below and above the gallery, and one half-way up the room."""
        width, middle = room.side_length(self.side) / 2, (self.depth + room.side_length(self.side + 1)) / 2
        spots = (
            (width, self.depth / 2, self.level - SLAB - 0.25),
            (width, self.depth / 2, room.ceiling_height - 0.4),
            (width, middle, self.level - 0.3),
        )
        turned = [room.side_frame(self.side) @ [*spot, 1.0] for spot in spots]
        return [(float(spot[0]), float(spot[1]), float(spot[2])) for spot in turned]

    def lookouts(self, room: Room) -> list[Vector]:
        """Return places along the gallery, low and high."""
        steps, y = np.arange(0.4, room.side_length(self.side), LOOKOUTS), self._along
        spots = [room.side_frame(self.side) @ [x, y, self.level + z, 1.0] for x in steps for z in (0.4, 1.3)]
        return [(float(spot[0]), float(spot[1]), float(spot[2])) for spot in spots]

    @property
    def _along(self) -> float:
        """Metres from the gallery's wall to the middle of what its furniture leaves."""
        return (WALL_SPACE + self.depth) / 2 - 0.02

    def build(self, rng: Rng, room: Room, coats: Coats) -> list[Thing]:
        """Return the gallery's floor, underside and edge, its railing and furniture, and the flight."""
        length, (start, end) = room.side_length(self.side), self.across(room)
        low, high = self.level - SLAB, self.level
        floor = rectangle((0, 0, high), (length, 0, 0), (0, self.depth, 0))
        below = rectangle((0, self.depth, low), (length, 0, 0), (0, -self.depth, 0))
        edge = rectangle((length, self.depth, low), (-length, 0, 0), (0, 0, SLAB))
        open_from, open_to = (end, length) if self.at_start else (0.0, start)
        things = [
            thing(SemanticClass.FLOOR, ((floor,), replace(coats.floor, seed=coats.floor.seed + 1))),
            thing(SemanticClass.CEILING, ((below,), coats.ceiling)),
            thing(SemanticClass.WALL, ((edge,), coats.wall)),
            railing(rng, open_from, open_to, self.depth - 0.04, high),
            self.flight.build(rng).moved(quarter_turn(0, (start, self.depth))),
            *self._furniture(rng, room.ceiling_height - self.level, (open_from + 0.3, open_to - 0.3)),
        ]
        return [item.moved(room.side_frame(self.side)) for item in things]

    def way_up(self, room: Room) -> NDArray[np.float64]:
        """Return the corners (5, 3) of the way from before the flight to the gallery's far end, metres, on floors."""
        start, end = self.across(room)
        middle, far = (start + end) / 2, room.side_length(self.side) - 0.7 if self.at_start else 0.7
        foot, along = self.depth + self.flight.run, self._along
        local = np.array(
            [
                (middle, foot + FOOT * 0.6, 0.0, 1.0),
                (middle, foot, 0.0, 1.0),
                (middle, self.depth, self.level, 1.0),
                (middle, along, self.level, 1.0),
                (far, along, self.level, 1.0),
            ]
        )
        return np.asarray((local @ room.side_frame(self.side).T)[:, :3])

    def _furniture(self, rng: Rng, headroom: float, span: tuple[float, float]) -> list[Thing]:
        """Return what stands along the gallery's wall."""
        x, things = span[0], list[Thing]()
        for i in rng.permutation(len(UPSTAIRS)):
            item = UPSTAIRS[int(i)](rng, USUAL.under(headroom))
            if item.depth <= WALL_SPACE and x + item.width <= span[1]:
                things += item.moved(quarter_turn(0, (x + item.width / 2, 0.02), self.level))
                x += item.width + float(rng.uniform(0.1, 0.6))
        return things


UPSTAIRS = (bookshelf, sideboard, plant, basket)


def draw_loft(rng: Rng, room: Room) -> Room | None:
    """Return the room with a gallery and a ceiling above it; None where doors and windows leave no place for it."""
    level = max(LOWEST, max((hole.top for hole in room.openings), default=0.0) + ABOVE_OPENINGS)
    for side in rng.permutation(4).tolist():
        depth = float(rng.uniform(*GALLERY))
        most = room.side_length(side + 1) - Flight(FLIGHT_WIDTH, level).run - FOOT
        if most < GALLERY[0] or room.side_length(side) < FLIGHT_WIDTH + 1.5:
            continue
        for at_start in rng.permutation([True, False]).tolist():
            form = Loft(side, min(depth, most), level, at_start)
            unbroken = all(is_unbroken(room, at, start, end) for at, start, end, _ in form.taken_walls(room))
            if unbroken and leaves_doors_free(room, form.steps(room, FOOT)):
                return replace(room, form=form, ceiling_height=level + float(rng.uniform(*HEADROOM)))
    return None
