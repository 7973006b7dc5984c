"""Gives the rooms of a house their forms."""

from dataclasses import replace

from pipeline.tours.forms.loft import draw_loft
from pipeline.tours.forms.recess import draw_recess
from pipeline.tours.forms.slope import draw_slope
from pipeline.tours.layout import Room
from pipeline.tours.palette import Rng
from pipeline.tours.variety import HouseSettings


def formed(rng: Rng, rooms: tuple[Room, ...], settings: HouseSettings) -> tuple[Room, ...]:
    """Return the rooms, some of them L-shaped, under a slope or with a gallery, by their shares."""
    return tuple(_formed(rng, room, settings) for room in rooms)


def _formed(rng: Rng, room: Room, settings: HouseSettings) -> Room:
    drawn = float(rng.random())
    if drawn < settings.lofts:
        loft = draw_loft(rng, room)
        return room if loft is None else loft
    if drawn >= settings.lofts + settings.recesses + settings.slopes:
        return room
    draw = draw_recess if drawn < settings.lofts + settings.recesses else draw_slope
    form = draw(rng, room)
    return room if form is None else replace(room, form=form)
