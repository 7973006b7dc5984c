"""Walks up to a gallery, a look over the room from there, and down again."""

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.effects.draws import within
from pipeline.tours.forms.loft import Loft
from pipeline.tours.layout import Room
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.moves.route import Piece, Route, smoothed_way, turned, walked

PACE = (0.45, 0.8)
"""Metres a second along the steps."""
TALLEST = 1.82
"""Metres of eye height that fit under the lowest ceiling above a gallery."""
ROUNDING = 0.15
NEAR, FAR = 0.8, 2.0
"""Metres before the flight from which somebody walks up to it."""
LONG = 9.0
"""Seconds from which a shot shows that, too, rather than the steps alone."""


def climb(rng: np.random.Generator, routes: RoutePlanner, duration: float, eye_height: float) -> Route | None:
    """Return a walk up to the gallery of one of the house's lofts, or down from it; None where it has none."""
    lofts = [(room, room.form) for room in routes.house.rooms if isinstance(room.form, Loft)]
    if not lofts:
        return None
    room, form = lofts[int(rng.integers(len(lofts)))]
    eye = np.array([0, 0, min(eye_height, TALLEST)])
    way = _way(rng, routes, room, form) if duration > LONG else form.way_up(room)
    up = smoothed_way(way, ROUNDING) + eye
    rate = float(np.radians(within(rng, routes.settings.turning)))
    upwards, pieces = bool(rng.random() < 0.6), list[Piece]()
    while sum(piece.seconds for piece in pieces) < duration:
        leg = walked(up if upwards else up[::-1], within(rng, PACE), float(np.radians(rng.uniform(-22, -4))))
        if pieces:
            pieces.append(_turn(pieces[-1], leg, rate))
        pieces.append(leg)
        pieces.append(_look(rng, leg, form if upwards else None, room, rate))
        upwards = not upwards
    return routes.route(rng, pieces, duration)


def _way(rng: np.random.Generator, routes: RoutePlanner, room: Room, form: Loft) -> NDArray[np.float64]:
    """Return corners (n, 3) of a way from the room's floor up the flight, on floor and steps, metres."""
    flight = form.way_up(room)
    places = routes.floor.places(room.bounds, 0.3)
    away = np.linalg.norm(places - flight[0, :2], axis=1)
    near = places[(away > NEAR) & (away < FAR)]
    line = routes.floor.line(near[int(rng.integers(len(near)))], flight[0, :2]) if len(near) else None
    return flight if line is None else np.concatenate([np.column_stack([line, np.zeros(len(line))]), flight[1:]])


def _look(rng: np.random.Generator, leg: Piece, form: Loft | None, room: Room, rate: float) -> Piece:
    """Look over the room from its gallery, or about on its floor."""
    yaw, tilt = float(leg.yaw[-1]), (float(leg.pitch[-1]), float(np.radians(rng.uniform(-15, -2))))
    if form is None:
        return turned(leg.spots[-1], (yaw, yaw + float(rng.choice([-1, 1]) * rng.uniform(0.6, 1.5))), rate, tilt)
    across = room.side_frame(form.side)[:2, 1]
    over = float(np.arctan2(across[1], across[0]) + rng.uniform(-0.4, 0.4))
    tilt = (tilt[0], float(np.radians(rng.uniform(-32, -18))))
    return turned(leg.spots[-1], (yaw, yaw + float(np.angle(np.exp(1j * (over - yaw))))), rate, tilt)


def _turn(before: Piece, leg: Piece, rate: float) -> Piece:
    """Turn from where one piece ended to where the next one goes."""
    yaw = float(before.yaw[-1])
    on = yaw + float(np.angle(np.exp(1j * (leg.yaw[0] - yaw))))
    return turned(before.spots[-1], (yaw, on), rate, (float(before.pitch[-1]), float(leg.pitch[0])))
