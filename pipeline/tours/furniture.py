"""Which furniture a kind of room needs, and which it may have besides; for all eleven classes.

Every builder returns an ``Item`` in its own frame: x along the wall it stands at, centred; y away from
the wall, beginning at 0; z up. One ``Thing`` of an item is one instance of the truth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.tours.item import Item
from pipeline.tours.ornaments import basket, floor_lamp, plant
from pipeline.tours.seating import armchair, chair, double_bed, single_bed, sofa
from pipeline.tours.storage import bookshelf, fridge, kitchen_row, nightstand, sideboard, tv_stand, wardrobe
from pipeline.tours.tables import desk, dining_set, lounge, small_dining_set

Build = Callable[..., Item]
"""Takes a generator and the ``Sizes`` of the house, those of an ordinary tour where none are given."""


@dataclass(frozen=True)
class Catalogue:
    """Builders by kind of room.

    required: alternatives of what such a room needs, the first that fits is built. optional: what it may have besides.
    """

    required: Mapping[str, tuple[tuple[Build, ...], ...]]
    optional: Mapping[str, tuple[Build, ...]]

    @property
    def builders(self) -> frozenset[Build]:
        """All of them."""
        needed = {build for groups in self.required.values() for group in groups for build in group}
        return frozenset(needed | {build for group in self.optional.values() for build in group})


REQUIRED: dict[str, tuple[tuple[Build, ...], ...]] = {
    "living": ((lounge, sofa), (tv_stand,), (bookshelf,)),
    "bedroom": ((double_bed, single_bed), (wardrobe,), (nightstand,)),
    "kitchen": ((kitchen_row,), (dining_set, small_dining_set), (fridge,)),
    "office": ((desk,), (bookshelf,), (sideboard,)),
}


OPTIONAL: dict[str, tuple[Build, ...]] = {
    "living": (armchair, floor_lamp, plant, sideboard, basket),
    "bedroom": (chair, nightstand, sideboard, plant, basket),
    "kitchen": (plant, sideboard, basket),
    "office": (armchair, floor_lamp, plant, basket),
}

ORDINARY = Catalogue(REQUIRED, OPTIONAL)
