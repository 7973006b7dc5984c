"""Plans how a shot is filmed otherwise than by a sideways step: ahead through doorways, with looks around."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.house import House
from pipeline.tours.layout import Room
from pipeline.tours.moves.floor import SHOULDERS, FloorMap
from pipeline.tours.moves.route import Piece, Route, turned, walked
from pipeline.tours.preview import preview
from pipeline.tours.variety import MoveSettings

ROOMY = (0.7, 0.5, 0.35, SHOULDERS)
"""Metres kept from everything where somebody stops: the first that some place has."""
TRIES = 4
LOOKS = 0.6
"""Share of stops at which the operator looks around before going on."""
MOMENTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
BLOCKED = 0.8

Spot = NDArray[np.float64]


@dataclass
class RoutePlanner:
    """Plans routes through one house, with the hand of its operator: shake as in ``Walk``, metres of eye height."""

    house: House
    settings: MoveSettings
    intrinsics: NDArray[np.float32]
    shake: tuple[float, float]
    floor: FloorMap = field(init=False)

    def __post_init__(self) -> None:
        self.floor = FloorMap.of(self.house)

    def ahead(self, rng: np.random.Generator, room: Room, duration: float, eye_height: float) -> Route:
        """Return the least obstructed of some walks that begin in ``room`` and go on through the house."""
        routes = [self._ahead(rng, room, duration, eye_height) for _ in range(TRIES)]
        return min(routes, key=lambda route: self.blocked(room, route))

    def turning(self, rng: np.random.Generator, room: Room, duration: float, eye_height: float) -> Route:
        """Return a look around from one place of ``room``."""
        spot = self._eye(self._place(rng, room), eye_height)
        rate = np.radians(rng.uniform(*self.settings.turning))
        yaw, turn = float(rng.uniform(0, 2 * np.pi)), float(rng.choice([-1, 1]) * rate * duration)
        pitch = _pitch(rng)
        return self.route(rng, [turned(spot, (yaw, yaw + turn), float(rate), (pitch, pitch))], duration)

    def _ahead(self, rng: np.random.Generator, room: Room, duration: float, eye_height: float) -> Route:
        speed, rate = float(rng.uniform(*self.settings.speed)), float(np.radians(rng.uniform(*self.settings.turning)))
        pieces: list[Piece] = []
        here, seen = self._place(rng, room), {room.room_id: 1}
        while sum(piece.seconds for piece in pieces) < duration:
            room = self._next_room(rng, room, seen)
            there = self._place(rng, room)
            line = self.floor.line(here, there)
            if line is None:
                pieces.append(self._look(rng, pieces, here, eye_height, rate, None))
                continue
            leg = walked(self._eye(line, eye_height), speed, _pitch(rng))
            pieces += [self._look(rng, pieces, here, eye_height, rate, leg), leg] if pieces else [leg]
            here = there
        return self.route(rng, pieces, duration)

    def _look(
        self,
        rng: np.random.Generator,
        pieces: list[Piece],
        here: Spot,
        eye_height: float,
        rate: float,
        on: Piece | None,
    ) -> Piece:
        """Turn from where the last piece looked to where the next one goes, often by way of a look around."""
        yaw = float(pieces[-1].yaw[-1]) if pieces else float(rng.uniform(0, 2 * np.pi))
        angles = [yaw]
        if on is None or rng.random() < LOOKS:
            angles.append(yaw + float(rng.choice([-1, 1]) * np.radians(rng.uniform(40, 110))))
        if on is not None:
            angles.append(angles[-1] + float(np.angle(np.exp(1j * (on.yaw[0] - angles[-1])))))
        pitch = float(pieces[-1].pitch[-1]) if pieces else _pitch(rng)
        tilt = (pitch, pitch if on is None else float(on.pitch[0]))
        return turned(self._eye(here, eye_height), tuple(angles), rate, tilt)

    def _next_room(self, rng: np.random.Generator, room: Room, seen: dict[int, int]) -> Room:
        """Return a neighbour that the route has seen least; the same room where it has no doorway."""
        doors = sorted({hole.leads_to for hole in room.openings if hole.leads_to is not None})
        fresh = [door for door in doors if seen.get(door, 0) == min(seen.get(d, 0) for d in doors)]
        chosen = self.house.rooms[fresh[int(rng.integers(len(fresh)))]] if fresh else room
        seen[chosen.room_id] = seen.get(chosen.room_id, 0) + 1
        return chosen

    def _place(self, rng: np.random.Generator, room: Room) -> Spot:
        """Draw a place of a room to stop at, as roomy as there is."""
        for clearance in ROOMY:
            places = self.floor.places(room.bounds, clearance)
            if len(places):
                return np.asarray(places[int(rng.integers(len(places)))])
        x0, y0, x1, y1 = room.bounds
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2])

    def _eye(self, floor: Spot, eye_height: float) -> Spot:
        return np.concatenate([floor, np.full((*floor.shape[:-1], 1), eye_height)], axis=-1)

    def route(self, rng: np.random.Generator, pieces: list[Piece], duration: float) -> Route:
        """Return pieces one after another, walked by this house's operator."""
        return Route.of(pieces, duration, self.shake, int(rng.integers(1 << 30)), steps=3.0)

    def blocked(self, room: Room, route: Route) -> float:
        """Return the share of what a route shows that is too close to be made out."""
        seen = preview(self.house, room, route, self.intrinsics, MOMENTS)
        return float((seen.depth < BLOCKED).mean())


def _pitch(rng: np.random.Generator) -> float:
    return float(np.radians(rng.uniform(-10, 0)))
