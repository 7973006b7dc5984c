"""A drone before the house: it rises, drifts sideways about the house, and keeps it in the picture."""

import numpy as np

from pipeline.tours.effects.draws import within
from pipeline.tours.house import House
from pipeline.tours.layout import house_bounds
from pipeline.tours.moves.route import Piece, Route
from pipeline.tours.variety import MoveSettings

AWAY = (6.5, 9.0)
"""Metres beyond the house's corners, before the trees."""
TAKE_OFF = (1.2, 3.0)
CLIMB = 2.5
"""Metres a second that it rises at most."""
DRIFT = (0.3, 0.9)
"""Metres a second sideways."""
AIM = 1.5
"""Height of the house that stays in the middle of the picture, metres."""
SHAKE = (float(np.radians(0.05)), 0.003)


def flown(rng: np.random.Generator, house: House, settings: MoveSettings, duration: float) -> Route:
    """Return a flight of ``duration`` seconds about a house."""
    x0, y0, x1, y1 = house_bounds(house.rooms)
    centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(np.hypot(x1 - x0, y1 - y0)) / 2
    share = np.linspace(0, 1, 120)
    eased = share * share * (3 - 2 * share)
    radius, low = reach + within(rng, AWAY), within(rng, TAKE_OFF)
    high = min(within(rng, settings.drone_height), low + CLIMB * duration / 1.5)
    around = float(rng.choice([-1, 1])) * within(rng, DRIFT) * duration / radius
    angle = float(rng.uniform(0, 2 * np.pi)) + around * eased
    circle = centre + radius * np.column_stack([np.cos(angle), np.sin(angle)])
    spots = np.column_stack([circle, low + (high - low) * eased])
    towards = np.array([*centre, AIM]) - spots
    yaw, pitch = np.arctan2(towards[:, 1], towards[:, 0]), np.arctan2(towards[:, 2], np.hypot(*towards[:, :2].T))
    piece = Piece(share * duration, spots, np.unwrap(yaw), pitch)
    return Route.of([piece], duration, SHAKE, int(rng.integers(1 << 30)), steps=0.0)
