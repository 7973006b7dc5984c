"""What the cutter did with a shot: a slide show of stills from it, a speed-up, a zoom of the lens, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.effects.draws import generator, within
from pipeline.tours.effects.lens import Lens
from pipeline.tours.effects.settings import EffectSettings

EditKind = Literal["none", "slide_show", "speed_up", "zoom"]
STILL_S = 2.0
"""About how long a still of a slide show stays."""
STILL_ZOOM = (1.05, 1.5)


class Still(NamedTuple):
    """The photograph that a slide show shows: which, when in the walk it was taken, how far its showing is."""

    number: int
    taken_s: float
    share: float


@dataclass(frozen=True)
class Edit:
    """What was done with a shot of ``duration`` seconds. factor: of speed or of focal length."""

    kind: EditKind = "none"
    duration: float = 0.0
    factor: float = 1.0
    seed: int = 0
    shot_id: int = 0

    @property
    def left_out(self) -> str:
        """Why the shot belongs into no dataset, empty where it does."""
        return {"slide_show": "a slide show of stills", "speed_up": "played faster"}.get(self.kind, "")

    @property
    def is_still(self) -> bool:
        """Whether the shot is made of photographs, which no shutter blurs."""
        return self.kind == "slide_show"

    def walked(self, at: Callable[[float], NDArray[np.float64]]) -> Callable[[float], NDArray[np.float64]]:
        """Return where the camera is after so many seconds of the shot, given where its walk is."""
        return lambda seconds: at(self.moment(seconds))

    def moment(self, seconds: float) -> float:
        """Return which moment of what was filmed is shown after so many seconds of the shot."""
        if self.kind == "speed_up":
            return _to_and_fro(self.factor * seconds, self.duration)
        return self.still(seconds).taken_s if self.kind == "slide_show" else seconds

    def lens(self, lens: Lens, size: tuple[int, int], seconds: float) -> Lens:
        """Return the lens after so many seconds of the shot; of a still, of the part of it that is shown."""
        if self.kind == "zoom":
            share = min(max(seconds / self.duration, 0.0), 1.0)
            inwards = generator(self.seed, "zoom inwards", self.shot_id).random() < 0.5
            return lens.zoomed(self.factor ** (share if inwards else 1 - share))
        if self.kind == "slide_show":
            number, _, share = self.still(seconds)
            draw = generator(self.seed, f"still {number}", self.shot_id)
            zooms, places = draw.uniform(*STILL_ZOOM, 2), draw.random((2, 2))
            zoom = float(zooms[0] + share * (zooms[1] - zooms[0]))
            place = places[0] + share * (places[1] - places[0])
            left, top = place * np.array(size) * (1 - 1 / zoom)
            return lens.cropped((float(left), float(top)), (zoom, zoom))
        return lens

    def still(self, seconds: float) -> Still:
        """Return the still of a slide show that is shown after so many seconds."""
        count = max(1, round(self.duration / STILL_S))
        place = min(max(seconds / self.duration, 0.0), 1 - 1e-9) * count
        return Still(int(place), (int(place) + 0.5) * self.duration / count, place % 1)


def draw_edit(seed: int, shot_id: int, duration: float, settings: EffectSettings) -> Edit:
    """Draw what is done with an indoor shot of ``duration`` seconds."""
    draw = generator(seed, "edit", shot_id)
    chance = draw.random()
    shares: tuple[tuple[EditKind, float, tuple[float, float]], ...] = (
        ("slide_show", settings.slide_shows, (1.0, 1.0)),
        ("speed_up", settings.speed_ups, settings.speed_up),
        ("zoom", settings.zooms, settings.zoom),
    )
    for kind, share, factors in shares:
        if chance < share:
            return Edit(kind, duration, within(draw, factors), seed, shot_id)
        chance -= share
    return Edit(duration=duration)


def _to_and_fro(seconds: float, duration: float) -> float:
    """Return the time of a walk that is played forwards and backwards again and again."""
    turn = seconds % (2 * duration)
    return turn if turn <= duration else 2 * duration - turn
