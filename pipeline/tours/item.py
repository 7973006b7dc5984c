"""A piece of furniture with what belongs to it, as it is put into a room."""

from dataclasses import dataclass

from pipeline.tours.surfaces import Sheet, Thing, Transform, rod


@dataclass(frozen=True)
class Item:
    """Things that stand together on ``width`` x ``depth`` metres of floor."""

    width: float
    depth: float
    things: tuple[Thing, ...]

    @property
    def height(self) -> float:
        """Height above the floor in metres."""
        return max(float(piece.bounds()[1, 2]) for piece in self.things)

    def moved(self, transform: Transform) -> tuple[Thing, ...]:
        """Return the things in the room."""
        return tuple(piece.moved(transform) for piece in self.things)


def legs(width: float, y0: float, y1: float, height: float, radius: float = 0.025) -> tuple[Sheet, ...]:
    """Return four legs under a rectangle centred on x, from y0 to y1."""
    inset = radius + 0.02
    corners = [(x, y) for x in (-width / 2 + inset, width / 2 - inset) for y in (y0 + inset, y1 - inset)]
    return tuple(sheet for x, y in corners for sheet in rod((x, y, 0), radius, height, 6))
