"""Rooms of every form, with walls that leave any of them a place."""

from dataclasses import replace

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.house import House
from pipeline.tours.layout import Room, RoomForm
from tests.pipeline.tours.shapes import bare_house, plain_room


def formed_house(
    form: RoomForm, height: float = 2.5, bounds: tuple[float, float, float, float] = (0, 0, 4, 3)
) -> House:
    """One bare room of a form, without doors or windows."""
    return bare_house(room=replace(plain_room(height=height), form=form, bounds=bounds))


def met(house: House, origin: tuple[float, float, float], direction: tuple[float, float, float]) -> tuple[float, int]:
    """Return how far a ray goes in lengths of its direction, and the class that it meets."""
    hits = house.caster.cast(np.float32([origin]), np.float32([direction]))
    assert hits.found.all()
    return float(hits.distance[0]), int(house.mesh.labels[hits.triangle[0]])


def inner_area(room: Room) -> float:
    """The floor that is room, by its rectangles."""
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in room.form.floors(room))


WALL, CEILING, FLOOR = int(SemanticClass.WALL), int(SemanticClass.CEILING), int(SemanticClass.FLOOR)
