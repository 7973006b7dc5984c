"""Decides who walks through which shot, where the camera sees them and nobody runs into it."""

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.camera import Movement
from pipeline.tours.effects.draws import generator, within
from pipeline.tours.house import House
from pipeline.tours.layout import Room
from pipeline.tours.moves.floor import FloorMap
from pipeline.tours.moves.route import walked
from pipeline.tours.people.body import Body
from pipeline.tours.people.walker import Walker
from pipeline.tours.timeline import Timeline
from pipeline.tours.variety import MoveSettings

CLEAR = 0.32
"""Metres that a way through a room keeps from everything at both ends."""
APART = 0.9
"""Metres between anybody and the camera."""
TRIES = 14
MOMENTS = 9
SEEN = 2
"""Moments of ``MOMENTS`` at which somebody has to be in the picture."""
FIELD = np.cos(np.radians(28))
CHEST = 1.2


def plan_people(
    seed: int, house: House, timeline: Timeline, walks: tuple[Movement | None, ...], settings: MoveSettings
) -> tuple[Walker, ...]:
    """Return who walks through the shots of a tour, by their share of its indoor ones; at most one a shot."""
    floor: FloorMap | None = None
    found = []
    for shot in timeline.shots:
        draw, walk = generator(seed, "people", shot.shot_id), walks[shot.shot_id]
        if shot.kind != "indoor" or walk is None or draw.random() >= settings.people:
            continue
        floor = floor or FloorMap.of(house)
        passer = _passer(draw, house, floor, walk, shot.shot_id, settings)
        found += [passer] if passer is not None else []
    return tuple(found)


def _passer(
    draw: np.random.Generator, house: House, floor: FloorMap, walk: Movement, shot_id: int, settings: MoveSettings
) -> Walker | None:
    """Return the one of some ways that is seen longest; None where the camera would see none of them."""
    figure, best, most = Body.draw(draw), None, SEEN - 1
    rooms = _rooms_seen(house, walk)
    for _ in range(TRIES):
        room = rooms[int(draw.integers(len(rooms)))]
        places = floor.places(room.bounds, CLEAR)
        start, pace = float(draw.uniform(-0.1, 0.4)) * walk.duration, within(draw, settings.pace)
        if len(places) < 2:
            continue
        here, there = places[draw.integers(len(places), size=2)]
        line = floor.line(here, there)
        if line is None:
            continue
        path = walked(np.column_stack([line, np.zeros(len(line))]), pace, 0.0)
        walker = Walker(figure, shot_id, path, start, room.finish.brightness)
        seen = _moments_seen(house, walk, walker)
        if seen > most:
            best, most = walker, seen
    return best


def _rooms_seen(house: House, walk: Movement) -> list[Room]:
    """Return the rooms that the camera passes."""
    spots = [walk.at(share * walk.duration)[:2, 3] for share in (0.0, 0.5, 1.0)]
    return [room for room in house.rooms if any(_is_in(room, spot) for spot in spots)] or list(house.rooms)


def _is_in(room: Room, spot: NDArray[np.float64]) -> bool:
    x0, y0, x1, y1 = room.bounds
    return bool(x0 <= spot[0] <= x1 and y0 <= spot[1] <= y1)


def _moments_seen(house: House, walk: Movement, walker: Walker) -> int:
    """Count the moments of a shot at which somebody is in the picture; none where he comes too near the camera."""
    times = np.linspace(0, walk.duration, 4 * MOMENTS)
    cameras = np.stack([walk.at(float(time)) for time in times])
    spots = np.stack([walker.spot(float(time)) for time in times])
    if np.linalg.norm(spots[:, :2] - cameras[:, :2, 3], axis=1).min() < APART:
        return 0
    towards = spots[::4] + np.array([0, 0, CHEST]) - cameras[::4, :3, 3]
    ahead = np.einsum("ij,ij->i", towards, cameras[::4, :3, 2]) / np.linalg.norm(towards, axis=1)
    hidden = house.caster.is_blocked(cameras[::4, :3, 3].astype(np.float32), towards.astype(np.float32))
    return int(((ahead > FIELD) & ~hidden).sum())
