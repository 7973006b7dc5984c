"""Says how each shot of a tour is filmed: by the sideways step of plain tours, or as its settings have it."""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.tours.camera import Movement
from pipeline.tours.layout import Room
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.walks import WalkPlanner

IndoorMove = Literal["sideways", "forward", "turns"]


@dataclass
class Director:
    """Plans the movements of a tour's shots. walks: plans the plain ones; draw: chooses and draws all others."""

    walks: WalkPlanner
    draw: np.random.Generator

    def indoor(self, rng: np.random.Generator, room: Room, duration: float) -> Movement:
        """Return how a shot is filmed that begins in ``room``; ``rng`` is drawn from by plain ones alone."""
        move = self._indoor_move()
        if move == "sideways":
            return self.walks.indoor(rng, room, duration)
        eye_height = self._eye_height()
        if move == "turns":
            return self._routes.turning(self.draw, room, duration, eye_height)
        return self._routes.ahead(self.draw, room, duration, eye_height)

    def outdoor(self, rng: np.random.Generator, duration: float) -> Movement:
        """Return how a shot of the house from the garden is filmed."""
        return self.walks.outdoor(rng, duration)

    def _indoor_move(self) -> IndoorMove:
        moves = self.walks.settings.moves
        drawn = float(self.draw.random())
        for name, share in (("forward", moves.forward), ("turns", moves.turns)):
            if drawn < share:
                return "forward" if name == "forward" else "turns"
            drawn -= share
        return "sideways"

    def _eye_height(self) -> float:
        settings = self.walks.settings
        anyone = float(self.draw.uniform(settings.eye_height_min, settings.eye_height_max))
        return self.walks.eye_height_of_a_shot(self.draw) or anyone

    @functools.cached_property
    def _routes(self) -> RoutePlanner:
        settings = self.walks.settings
        shake = (float(np.radians(settings.shake_degrees)), settings.shake_metres)
        return RoutePlanner(self.walks.house, settings.moves, self.walks.intrinsics, shake)
