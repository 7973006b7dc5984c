"""Says how each shot of a tour is filmed: by the sideways step of plain tours, or as its settings have it."""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.tours.camera import Movement
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.layout import Room
from pipeline.tours.moves.climb import climb
from pipeline.tours.moves.drone import flown
from pipeline.tours.moves.overhead import carried_overhead
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.timeline import Timeline
from pipeline.tours.walks import WalkPlanner

IndoorMove = Literal["sideways", "forward", "turns", "stairs", "overhead"]


@dataclass
class Director:
    """Plans the movements of a tour's shots. walks: plans the plain ones; draw: chooses and draws all others."""

    walks: WalkPlanner
    draw: np.random.Generator

    def plan(self, rng: np.random.Generator, timeline: Timeline, clock: FrameClock) -> tuple[Movement | None, ...]:
        """Return the movement of every shot, None for title cards; rooms come in an order that ``rng`` draws."""
        rooms = self.walks.house.rooms
        order = [int(i) for i in rng.permutation(len(rooms))]
        visit = 0
        walks: list[Movement | None] = []
        for shot in timeline.shots:
            duration = clock.span(*timeline.on_screen(shot))
            if shot.kind == "indoor":
                walks.append(self.indoor(rng, rooms[order[visit % len(order)]], duration))
                visit += 1
            else:
                walks.append(self.outdoor(rng, duration) if shot.kind == "outdoor" else None)
        return tuple(walks)

    def indoor(self, rng: np.random.Generator, room: Room, duration: float) -> Movement:
        """Return how a shot is filmed that begins in ``room``; ``rng`` is drawn from by plain ones alone."""
        move = self._indoor_move()
        if move == "sideways":
            return self.walks.indoor(rng, room, duration)
        eye_height = self._eye_height()
        if move == "turns":
            return self._routes.turning(self.draw, room, duration, eye_height)
        if move == "stairs":
            climbed = climb(self.draw, self._routes, duration, eye_height)
            if climbed is not None:
                return climbed
        if move == "overhead":
            return carried_overhead(self.draw, self._routes, room, duration)
        return self._routes.ahead(self.draw, room, duration, eye_height)

    def outdoor(self, rng: np.random.Generator, duration: float) -> Movement:
        """Return how a shot of the house from the garden is filmed."""
        moves = self.walks.settings.moves
        if float(self.draw.random()) < moves.drone:
            return flown(self.draw, self.walks.house, moves, duration)
        return self.walks.outdoor(rng, duration)

    def _indoor_move(self) -> IndoorMove:
        moves = self.walks.settings.moves
        drawn = float(self.draw.random())
        shares: tuple[tuple[IndoorMove, float], ...] = (
            ("forward", moves.forward),
            ("turns", moves.turns),
            ("stairs", moves.stairs),
            ("overhead", moves.overhead),
        )
        for move, share in shares:
            if drawn < share:
                return move
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
