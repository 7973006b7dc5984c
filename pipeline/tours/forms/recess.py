"""L-shaped rooms: a corner of the box belongs to what is behind the wall, a bath or a shaft, and is never seen."""

from dataclasses import dataclass, replace

from pipeline.contract.classes import SemanticClass
from pipeline.tours.forms.places import is_unbroken, leaves_doors_free
from pipeline.tours.layout import Bounds, Coats, Room, RoomForm, WallStretch
from pipeline.tours.palette import Rng
from pipeline.tours.surfaces import Thing, box, rectangle, thing

SIDE = (0.9, 2.3)
"""Metres that a corner takes along either wall."""
KEPT = 0.35
"""Metres between a corner and the middle of the room, where the lamp hangs."""


@dataclass(frozen=True)
class Recess(RoomForm):
    """The corner at the start of wall ``side`` is cut out, ``width`` metres along it and ``depth`` into the room."""

    side: int
    width: float
    depth: float

    def solid(self, room: Room) -> list[Bounds]:
        """Return the corner."""
        return [room.on_floor(self.side, (0.0, 0.0, self.width, self.depth))]

    def taken_walls(self, room: Room) -> list[WallStretch]:
        """Return what the corner hides of two walls."""
        before = (self.side + 3) % 4
        length, top = room.side_length(before), room.ceiling_height
        return [(self.side, 0.0, self.width, top), (before, length - self.depth, length, top)]

    def gaps(self, room: Room, side: int) -> list[tuple[float, float]]:
        """Return what the corner hides of a wall."""
        return [(start, end) for at, start, end, _ in self.taken_walls(room) if at == side]

    def floors(self, room: Room) -> list[Bounds]:
        """Return the two arms of the room."""
        width, depth = room.side_length(self.side), room.side_length(self.side + 1)
        arms = ((0.0, self.depth, width, depth), (self.width, 0.0, width, self.depth))
        return [room.on_floor(self.side, arm) for arm in arms]

    def ceilings(self, room: Room) -> list[Bounds]:
        """Return the two arms of the room."""
        return self.floors(room)

    def build(self, _rng: Rng, room: Room, coats: Coats) -> list[Thing]:
        """Return the two walls that the corner has towards the room, with skirting boards."""
        height, paint = room.ceiling_height, coats.wall
        across = rectangle((self.width, self.depth, 0), (-self.width, 0, 0), (0, 0, height))
        along = rectangle((self.width, 0, 0), (0, self.depth, 0), (0, 0, height))
        boards = (
            box((0, self.depth, 0), (self.width + 0.015, self.depth + 0.015, 0.08)),
            box((self.width, 0, 0), (self.width + 0.015, self.depth, 0.08)),
        )
        walls = [
            thing(SemanticClass.WALL, ((sheet,), replace(paint, seed=paint.seed + 4 + i)), (board, coats.skirting))
            for i, (sheet, board) in enumerate(zip((across, along), boards, strict=True))
        ]
        return [wall.moved(room.side_frame(self.side)) for wall in walls]


def draw_recess(rng: Rng, room: Room) -> Recess | None:
    """Draw a corner that leaves doors, windows and the middle of the room; None where no corner does."""
    for side in rng.permutation(4).tolist():
        width, depth = (
            float(rng.uniform(SIDE[0], min(SIDE[1], room.side_length(at) / 2 - KEPT))) for at in (side, side + 1)
        )
        form = Recess(side, width, depth)
        unbroken = all(is_unbroken(room, at, start, end) for at, start, end, _ in form.taken_walls(room))
        if unbroken and leaves_doors_free(room, form.solid(room)[0]):
            return form
    return None
