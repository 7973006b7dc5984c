"""A gimbal on a stick: the camera glides through a room above everybody's head and looks down."""

import numpy as np

from pipeline.tours.effects.draws import within
from pipeline.tours.freespace import clearance_map
from pipeline.tours.layout import Room
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.moves.route import Piece, Route
from pipeline.tours.walks import free_lines, obstacles

BELOW, ABOVE = 0.3, 0.14
"""Metres of air that the gimbal keeps below and above the camera."""
CLEARANCES = (0.45, 0.3, 0.2)
SPEED = (0.2, 0.6)
UNSTEADY = 0.25
"""Share of a hand's shake that a gimbal lets through."""


def carried_overhead(rng: np.random.Generator, routes: RoutePlanner, room: Room, duration: float) -> Route:
    """Return the least obstructed of some glides through ``room``, as high as drawn or as its ceiling lets it."""
    height = min(within(rng, routes.settings.overhead_height), room.ceiling_height - ABOVE - 0.02)
    glides = [_glide(rng, routes, room, height, duration) for _ in range(4)]
    return min(glides, key=lambda glide: routes.blocked(room, glide))


def _glide(rng: np.random.Generator, routes: RoutePlanner, room: Room, height: float, duration: float) -> Route:
    clear = clearance_map(room, obstacles(routes.house, room, (height - BELOW, height + ABOVE)))
    longest, found = within(rng, SPEED) * duration, []
    for clearance in CLEARANCES:
        found = list(free_lines(rng, room, clear >= clearance, min(0.4, longest / 2), longest))
        if found:
            break
    x0, y0, x1, y1 = room.bounds
    start, end = found[int(rng.integers(len(found)))] if found else _standing(routes, room)
    share = np.linspace(0, 1, 60)
    eased = (0.5 * share + 0.5 * share * share * (3 - 2 * share))[:, None]
    spots = np.column_stack([np.array(start) + eased * np.subtract(end, start), np.full(len(share), height)])
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) - spots[30, :2]
    yaw = float(np.arctan2(middle[1], middle[0]) + rng.uniform(-0.6, 0.6))
    pan = rng.uniform(-0.08, 0.08) * duration
    tilt = -np.radians(np.sort(rng.uniform(*routes.settings.overhead_tilt, 2)))
    piece = Piece(share * duration, spots, yaw + pan * eased[:, 0], tilt[0] + (tilt[1] - tilt[0]) * 0.5 * eased[:, 0])
    turn, shift = routes.shake
    return Route.of([piece], duration, (UNSTEADY * turn, UNSTEADY * shift), int(rng.integers(1 << 30)), steps=0.5)


def _standing(routes: RoutePlanner, room: Room) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the roomiest place on the floor twice, for a room in which nothing can glide."""
    places = routes.floor.places(room.bounds, 0.0)
    best = places[int(np.argmax(routes.floor.at(places)))]
    spot = float(best[0]), float(best[1])
    return spot, spot
