"""Rooms under a roof: towards one wall the ceiling falls, down to a knee wall."""

from dataclasses import dataclass

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import Bounds, Coats, Room, RoomForm, WallStretch
from pipeline.tours.palette import Rng
from pipeline.tours.surfaces import Sheet, Thing, thing

KNEE = (0.7, 1.5)
"""Height of the knee wall, metres."""
PITCH = (32.0, 52.0)
"""Pitch of the roof, degrees."""
STEEPER = (1.0, 0.75, 0.55)
"""Shares of the run: the first that passes above doors and windows."""
KEPT = 0.4
"""Metres between the foot of the level ceiling and the middle of the room, where the lamp hangs."""
ABOVE_OPENINGS = 0.25


@dataclass(frozen=True)
class Slope(RoomForm):
    """Over ``run`` metres from wall ``side`` the ceiling rises from ``knee`` metres to that of the room."""

    side: int
    run: float
    knee: float

    def height_at(self, room: Room, away: float) -> float:
        """Return the ceiling's height ``away`` metres from the knee wall."""
        share = min(max(away / self.run, 0.0), 1.0)
        return self.knee + share * (room.ceiling_height - self.knee)

    def too_low(self, room: Room, height: float) -> list[Bounds]:
        """Return the strip along the knee wall under less than ``height`` metres."""
        reach = self.run * (min(height, room.ceiling_height) - self.knee) / (room.ceiling_height - self.knee)
        return [room.on_floor(self.side, (0.0, 0.0, room.side_length(self.side), reach))] if reach > 0 else []

    def height_over(self, room: Room, bounds: Bounds) -> float:
        """Return the height at the edge of ``bounds`` that is nearest to the knee wall."""
        corners = np.array([[bounds[0], bounds[1], 0, 1], [bounds[2], bounds[3], 0, 1]])
        return self.height_at(room, float((corners @ np.linalg.inv(room.side_frame(self.side)).T)[:, 1].min()))

    def taken_walls(self, room: Room) -> list[WallStretch]:
        """Return the knee wall and what is under the slope of the walls beside it."""
        before, after, top = (self.side + 3) % 4, (self.side + 1) % 4, room.ceiling_height
        length = room.side_length(before)
        return [
            (self.side, 0.0, room.side_length(self.side), top),
            (before, length - self.run, length, top),
            (after, 0.0, self.run, top),
        ]

    def ceilings(self, room: Room) -> list[Bounds]:
        """Return the level part."""
        width, depth = room.side_length(self.side), room.side_length(self.side + 1)
        return [room.on_floor(self.side, (0.0, self.run, width, depth))]

    def build(self, _rng: Rng, room: Room, coats: Coats) -> list[Thing]:
        """Return the sloping part of the ceiling; the walls beside it go on behind, where nobody sees them."""
        width, high = room.side_length(self.side), room.ceiling_height
        low_edge = [(0, 0, self.knee), (width, 0, self.knee)]
        high_edge = [(0, self.run, high), (width, self.run, high)]
        rise = float(np.hypot(self.run, high - self.knee))
        sheet = Sheet(np.array([high_edge, low_edge], np.float64), (rise, width))
        return [thing(SemanticClass.CEILING, ((sheet,), coats.ceiling)).moved(room.side_frame(self.side))]


def draw_slope(rng: Rng, room: Room) -> Slope | None:
    """Draw a slope that passes above doors and windows, the lamp and somebody's head; None where no side has one."""
    for side in rng.permutation(4).tolist():
        knee, pitch = float(rng.uniform(*KNEE)), np.radians(rng.uniform(*PITCH))
        longest = room.side_length(side + 1) / 2 - KEPT
        run = min(float((room.ceiling_height - knee) / np.tan(pitch)), longest)
        for share in STEEPER:
            form = Slope(side, share * run, knee)
            if all(_passes(room, form, hole.side, hole.start, hole.end, hole.top) for hole in room.openings):
                return form
    return None


def _passes(room: Room, form: Slope, side: int, start: float, end: float, top: float) -> bool:
    turns = (side - form.side) % 4
    if turns == 2:
        return True
    away = {0: 0.0, 1: start - 0.3, 3: room.side_length(side) - end - 0.3}[turns]
    return form.height_at(room, away) >= top + ABOVE_OPENINGS
