"""The name of a rendered tour as a source: ``tour://SEED``, or ``tour://SEED?world=hard``."""

import re
from typing import Literal, NamedTuple, get_args

World = Literal["easy", "hard"]
"""How kind a tour is: ``easy`` is a perfect camera in a plain house, ``hard`` draws what real films have."""

TOUR_SCHEME = "tour://"
LARGEST_SEED = 2**32 - 1
_TOUR = re.compile(r"tour://([0-9]{1,10})(?:\?world=([a-z]+))?")


class TourOrigin(NamedTuple):
    """Which tour: the seed of its house and the world that it is filmed in."""

    seed: int
    world: World = "easy"

    @classmethod
    def of(cls, origin: str) -> "TourOrigin":
        """Return what an origin names.

        Raises:
            ValueError: it names no tour; the message says what is wrong.
        """
        found = _TOUR.fullmatch(origin)
        if found is None:
            raise ValueError(f"{origin} is no tour: write tour://SEED or tour://SEED?world={'|'.join(get_args(World))}")
        if int(found[1]) > LARGEST_SEED:
            raise ValueError(f"{origin}: the seed of a tour is a number from 0 to {LARGEST_SEED}")
        world = next((known for known in get_args(World) if known == (found[2] or "easy")), None)
        if world is None:
            raise ValueError(f"{origin}: there is no world {found[2]!r}, only {' and '.join(get_args(World))}")
        return cls(int(found[1]), world)

    @property
    def name(self) -> str:
        """The origin as text; the same for the same tour."""
        return f"{TOUR_SCHEME}{self.seed}" + ("" if self.world == "easy" else f"?world={self.world}")

    @property
    def video_id(self) -> str:
        """Id under which the tour is stored: ``tour-7``, ``tour-7-hard``."""
        return f"tour-{self.seed}" + ("" if self.world == "easy" else f"-{self.world}")


def tour_of_video_id(video_id: str) -> TourOrigin | None:
    """Return the tour that is stored under an id, None where the id is none of a tour's."""
    found = re.fullmatch(r"tour-([0-9]+)(-hard)?", video_id)
    return None if found is None else TourOrigin(int(found[1]), "hard" if found[2] else "easy")
