import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.indoor_clips.settings import IndoorClipsSettings, SkyRuleSettings
from pipeline.stages.indoor_clips.sky_rule import SkyRule
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour


@pytest.fixture(scope="module")
def shots() -> list[tuple[str, Images]]:
    """Three frames of every shot of a tour."""
    settings = TourSettings(fps=4, shot_seconds=2, indoor_shots=2, texel=0.03)
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


def picture(upper: tuple[int, int, int], lower: tuple[int, int, int], noise: float = 0.0) -> Images:
    """One frame of two colours, one above the other, with grain."""
    rgb = np.empty((120, 160, 3))
    rgb[:60], rgb[60:] = upper, lower
    grain = np.random.default_rng(0).normal(0, noise, rgb.shape)
    return np.clip(rgb + grain, 0, 255).astype(np.uint8)[None]


def test_sky_is_blue_and_smooth_and_above() -> None:
    blue, wall = (110, 160, 235), (200, 180, 160)
    above, below = (SkyRule().score(rgb).evidence["sky"] for rgb in (picture(blue, wall), picture(wall, blue)))
    # Only the upper 48 of 120 rows are looked at.
    assert above == pytest.approx(1, abs=0.02)
    assert below == pytest.approx(0, abs=0.02)
    assert SkyRule().score(picture(blue, wall, noise=60)).evidence["sky"] < 0.2, "a carpet is blue and rough"


def test_greenery_is_green_and_rough_wherever_it_is() -> None:
    grey, green = (128, 128, 128), (70, 130, 60)
    for rgb in (picture(grey, green, noise=25), picture(green, grey, noise=25)):
        assert 0.3 < SkyRule().score(rgb).evidence["greenery"] < 0.8
    assert SkyRule().score(picture(grey, green)).evidence["greenery"] < 0.05, "a painted wall is green and smooth"


def test_uprights_are_edges_that_stand() -> None:
    stripes = np.zeros((1, 120, 160, 3), np.uint8)
    stripes[:, :, ::16] = stripes[:, :, 1::16] = 255
    lying = np.ascontiguousarray(stripes.transpose(0, 2, 1, 3)[:, :120])
    assert SkyRule().score(stripes).evidence["uprights"] > 0.95
    assert SkyRule().score(lying).evidence["uprights"] < 0.05


def test_a_drawn_gradient_is_flat_and_so_no_scene() -> None:
    card = np.tile(np.linspace(60, 200, 160).astype(np.uint8)[None, None, :, None], (1, 120, 1, 3))
    score = SkyRule().score(card)
    assert score.evidence["flat"] > 0.8
    assert score.indoor < 0.01


def test_the_balance_is_where_both_are_as_probable() -> None:
    rgb = picture((200, 180, 160), (150, 120, 90), noise=6)
    evidence = SkyRule(SkyRuleSettings(flat_balance=0.99)).score(rgb).evidence
    at = SkyRule(SkyRuleSettings(balance=evidence["outdoor"], flat_balance=0.99)).score(rgb).indoor
    assert at == pytest.approx(0.5, abs=0.02)


def test_frames_are_taken_from_the_whole_clip() -> None:
    blue, wall = picture((110, 160, 235), (90, 140, 60)), picture((200, 180, 160), (150, 120, 90))
    clip = np.concatenate([blue, *[wall] * 9])
    ends = SkyRule(SkyRuleSettings(frames=2)).score(clip).evidence
    assert ends["sky"] == pytest.approx(0.5, abs=0.02), "the first frame and the last"
