import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.contract.arrays import Images
from pipeline.stages.indoor_clips.backends import SETTINGS, indoor_filter
from pipeline.stages.indoor_clips.settings import IndoorClipsSettings
from pipeline.stages.indoor_clips.sky_rule import SkyRule
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour


@pytest.fixture(scope="module")
def shots() -> list[tuple[str, Images]]:
    """Three frames of every shot of a tour."""
    settings = TourSettings(fps=4, shot_seconds=2, indoor_shots=2)
    tour = Tour.from_seed(13, settings)
    return [
        (shot.kind, np.stack([tour.picture(int(f)) for f in np.linspace(shot.start_frame, shot.end_frame - 1, 3)]))
        for shot in tour.shots
    ]


def test_rooms_are_kept_and_gardens_and_title_cards_are_not(shots: list[tuple[str, Images]]) -> None:
    rule, threshold = SkyRule(), IndoorClipsSettings().threshold
    verdicts = [(kind == "indoor", rule.score(rgb).indoor >= threshold) for kind, rgb in shots]
    assert {True, False} == {truth for truth, _ in verdicts}
    assert all(truth == verdict for truth, verdict in verdicts)


def test_what_was_seen_outside_is_named(shots: list[tuple[str, Images]]) -> None:
    evidence = SkyRule().score(next(rgb for kind, rgb in shots if kind == "outdoor")).evidence
    assert evidence["sky"] + evidence["greenery"] > 0.2
    assert evidence["outdoor"] > 0.2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_is_no_room(level: int) -> None:
    assert SkyRule().score(np.full((3, 480, 640, 3), level, np.uint8)).indoor < 0.01


def test_the_score_is_the_same_at_any_size_and_number_of_frames(shots: list[tuple[str, Images]]) -> None:
    rgb = shots[-1][1]
    once, twice = SkyRule().score(rgb[:1]).indoor, SkyRule().score(np.repeat(rgb[:1], 2, axis=0)).indoor
    assert once == pytest.approx(twice)


def test_backends_are_chosen_by_name() -> None:
    assert indoor_filter().name == "sky_rule"
    assert indoor_filter(SETTINGS(backend="places365")).name == "places365"
    assert dict(indoor_filter().weights) == {}


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"backend": "oracle"})
