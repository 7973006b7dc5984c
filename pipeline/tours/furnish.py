"""Puts furniture into a room: along its walls, clear of doors, windows and one another, with room left to walk."""

from dataclasses import dataclass, field

import numpy as np

from pipeline.tours.freespace import is_walkable
from pipeline.tours.furniture import ORDINARY, Catalogue
from pipeline.tours.item import Item
from pipeline.tours.layout import BOX, Bounds, Room
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Thing, quarter_turn

WALKING_CLEARANCE = 0.5
GAP = 0.04
DOOR_SWING = 0.95
"""Metres of floor before a doorway that stay free."""
HEADROOM = 0.05
"""Metres between furniture and a ceiling that is lower than that of the room."""


@dataclass
class FurnishedRoom:
    """A room while it fills: its things, the floor they stand on, and what stands against which wall.

    along_walls: (side, start, end, height) of every item, metres in the wall's frame.
    """

    room: Room
    things: list[Thing] = field(default_factory=list)
    footprints: list[Bounds] = field(default_factory=list)
    along_walls: list[tuple[int, float, float, float]] = field(default_factory=list)


def furnish(
    rng: np.random.Generator, room: Room, sizes: Sizes = USUAL, catalogue: Catalogue = ORDINARY
) -> FurnishedRoom:
    """Furnish a room: what its kind needs first, then some of what it may have."""
    form = room.form
    furnished = FurnishedRoom(room, footprints=form.built_over(room), along_walls=form.taken_walls(room))
    for alternatives in catalogue.required[room.kind]:
        any(place(rng, furnished, build(rng, sizes), tries=60) for build in alternatives)
    optional = catalogue.optional[room.kind]
    for i in rng.permutation(len(optional)):
        place(rng, furnished, optional[int(i)](rng, sizes), tries=15)
    return furnished


def doorway_zones(room: Room) -> list[Bounds]:
    """Return the floor before each doorway, which stays free of furniture."""
    return [
        room.on_floor(gate.side, (gate.start - 0.1, 0, gate.end + 0.1, DOOR_SWING))
        for gate in room.openings
        if gate.kind == "doorway"
    ]


def overlap(a: Bounds, b: Bounds, gap: float = 0.0) -> bool:
    """Tell whether two floor rectangles come closer than ``gap`` metres."""
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def place(rng: np.random.Generator, furnished: FurnishedRoom, item: Item, tries: int) -> bool:
    """Try to stand an item somewhere along the walls; tell whether it found room."""
    room = furnished.room
    for _ in range(tries):
        side = int(rng.integers(4))
        slack = room.side_length(side) - item.width - 2 * GAP
        if slack < 0 or item.depth > room.side_length(side + 1) - GAP:
            continue
        start = GAP + slack * _towards_corners(float(rng.random()))
        footprint = room.on_floor(side, (start, 0, start + item.width, item.depth))
        if _fits(furnished, item, side, start, footprint):
            _stand(furnished, item, side, start, footprint)
            return True
    return False


def _towards_corners(share: float) -> float:
    return 0.5 - 0.5 * float(np.cos(np.pi * share))


def _fits(furnished: FurnishedRoom, item: Item, side: int, start: float, footprint: Bounds) -> bool:
    room = furnished.room
    if any(overlap(footprint, zone) for zone in doorway_zones(room)):
        return False
    if any(overlap(footprint, other, GAP) for other in furnished.footprints):
        return False
    if room.form != BOX and item.height > room.form.height_over(room, footprint) - HEADROOM:
        return False
    for hole in room.openings:
        behind = hole.side == side and hole.start - 0.1 < start + item.width and start < hole.end + 0.1
        if behind and item.height > hole.bottom:
            return False
    return is_walkable(room, [*furnished.footprints, footprint], WALKING_CLEARANCE)


def _stand(furnished: FurnishedRoom, item: Item, side: int, start: float, footprint: Bounds) -> None:
    in_wall_frame = quarter_turn(0, (start + item.width / 2, GAP / 2))
    furnished.things += item.moved(furnished.room.side_frame(side) @ in_wall_frame)
    furnished.footprints.append(footprint)
    furnished.along_walls.append((side, start, start + item.width, item.height))
