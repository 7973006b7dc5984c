"""How probable it is that a reconstruction is right: a logistic model over a few signs, its numbers in a table.

``probability.json`` is written by ``python -m pipeline.quality.calibration`` and reviewed by hand. Right means: nine of
ten pairs of frames are turned to one another within 5 degrees of the truth, half of them moved within 5 degrees of the
true direction, and depth is within 10 % (``pipeline/quality/calibration/samples.py``).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.errors import UnlikelyReconstruction
from pipeline.stages.reconstruction.colmap.evidence import Signs
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings

TABLE = Path(__file__).with_name("probability.json")


class SignWeight(BaseModel):
    """What one sign counts.

    scale: whether the sign or its logarithm is meant. best, worst: values at which it speaks for and against a clip
    most; beyond them it says no more. unknown: what is taken where a clip does not tell, 0 for best to 1 for worst.
    weight: by how much the log odds fall from best to worst.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scale: Literal["plain", "log"]
    best: float
    worst: float
    unknown: float = Field(ge=0, le=1)
    weight: float = Field(ge=0)

    def badness(self, value: float) -> float:
        """Return how bad a value is: 0 for best to 1 for worst."""
        if not np.isfinite(value):
            return self.unknown if np.isnan(value) else 1.0
        low, high, found = self.best, self.worst, value
        if self.scale == "log":
            low, high, found = np.log(low), np.log(high), np.log(max(value, 1e-9))
        return float(np.clip((found - low) / (high - low), 0, 1))


class TrustTable(BaseModel):
    """The model: log odds of a clip without a bad sign, what each sign takes from them, and what it was learned from.

    settings: those of structure from motion and dense depth that it was learned with; under others it is a guess.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learned: str
    settings: dict[str, Any]
    log_odds: float
    signs: tuple[SignWeight, ...]

    def probability(self, signs: Signs) -> float:
        """Return how probable it is that a reconstruction with these signs is right."""
        doubt = sum(sign.weight * sign.badness(signs.get(sign.name, float("nan"))) for sign in self.signs)
        return float(1 / (1 + np.exp(doubt - self.log_odds)))

    def worst(self, signs: Signs) -> str:
        """Name the known sign that speaks most against the clip, with its value and the one at which it would not."""
        return next(iter(self.told(signs)), "nothing is known")

    def told(self, signs: Signs) -> list[str]:
        """Say the same of all known signs, the one that speaks most against the clip first."""
        known = [sign for sign in self.signs if not np.isnan(signs.get(sign.name, float("nan")))]
        worst_first = sorted(known, key=lambda sign: -sign.weight * sign.badness(signs[sign.name]))
        return [f"{MEANING[sign.name]} {signs[sign.name]:.3g}, {sign.best:.3g} is good" for sign in worst_first]


class Likelihood(NamedTuple):
    """What is thought of a reconstruction: P(right), and the sign that speaks most against it, in words."""

    probability: float
    worst: str

    def note(self) -> str:
        """Return a sentence for the user."""
        return f"Right with a probability of {self.probability:.2f}; the worst sign: {self.worst}."


MEANING: Mapping[str, str] = {
    "missing": "share of frames without a camera",
    "few": "1 over the number of frames with a camera",
    "jump": "longest step over the median step",
    "turn": "largest turn of a step in degrees",
    "shallow": "1 over the median angle in degrees under which points are seen",
    "unseen": "1 over the fewest points that a camera sees",
    "half_turn": "degrees by which half of the clip alone turns its cameras",
    "half_focal": "ln ratio of the focal lengths of the clip's halves",
    "unusual": "ln ratio of the focal length to that of usual cameras",
    "vague": "standard deviation of ln(focal length)",
    "uneven": "ln ratio of focal lengths that frames ask for and do not get",
    "bend": "coefficient of the lens that the cameras ask for",
    "contradicted": "share of pairs of frames whose matches contradict their cameras",
    "epipolar": "distance in pixels of matches from their epipolar lines (90 % of pairs)",
    "rim": "that distance at the rim over the one in the middle",
    "apart": "degrees by which a model of other input disagrees",
    "hollow": "share of pixels without depth",
    "through": "share of pixels at which a frame looks through what another one sees",
    "crooked": "share of surfaces at no right angle to the rest",
    "floors": "difference of the floor's height in the clip's halves, in camera heights",
}
"""What each sign is, in words."""


@cache
def trust_table() -> TrustTable:
    """Return the reviewed table."""
    return TrustTable.model_validate_json(TABLE.read_text(encoding="utf-8"))


def judged(signs: Signs, table: TrustTable | None = None) -> Likelihood:
    """Return what is thought of a reconstruction with these signs."""
    table = table or trust_table()
    return Likelihood(table.probability(signs), table.worst(signs))


def check_probability(verdict: Likelihood, least: float) -> None:
    """Refuse what is probably wrong.

    Raises:
        UnlikelyReconstruction: it is right with a probability below ``least``; the message names the worst sign.
    """
    if verdict.probability < least:
        message = f"right with a probability of {verdict.probability:.2f}, {least:g} needed; the worst sign: "
        raise UnlikelyReconstruction(f"{message}{verdict.worst}")


def settings_note(settings: ColmapSettings) -> tuple[str, ...]:
    """Say where the table was learned with other settings than these."""
    if learned_settings(settings) == trust_table().settings:
        return ()
    return ("The probability was learned with other settings of structure from motion or dense depth: it is a guess.",)


def learned_settings(settings: ColmapSettings) -> dict[str, Any]:
    """Return the settings that signs depend on, as plain values.

    Signs are taken at places that any width has, and before lone values are left out.
    """
    return {
        "sparse": settings.sparse.model_dump(mode="json"),
        "walks": settings.walks.model_dump(mode="json"),
        "sweep": settings.sweep.model_dump(mode="json", exclude={"width", "min_around"}),
        "planes": settings.planes.model_dump(mode="json"),
    }
