"""The worlds that tours are filmed in, by name: ``tour://7?world=hard``.

A world gives some settings of a tour their values; within their ranges each video draws by its seed alone. What was
rendered is known by its origin, which names the world, and by the settings that its provenance notes: what a world
means may not change once videos of it are kept, a changed one gets another name.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel

from pipeline.contract.tour_origin import World
from pipeline.tours.effects.settings import HARD
from pipeline.tours.settings import TourSettings
from pipeline.tours.variety import HARD_HOUSES, HARD_MOVES

WORLDS: Mapping[World, Mapping[str, BaseModel]] = MappingProxyType(
    {"easy": {}, "hard": {"effects": HARD, "houses": HARD_HOUSES, "moves": HARD_MOVES}}
)
"""The fields of ``TourSettings`` that a world decides, with their values."""


def in_world(settings: TourSettings, world: World) -> TourSettings:
    """Return a tour's settings in a world; ``easy`` leaves them as they are."""
    return settings.model_copy(update=dict(WORLDS[world]))
