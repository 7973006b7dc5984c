from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.records import ClipScores
from pipeline.dataset.filters import objections
from pipeline.settings import FilterSettings
from pipeline.stages.clips.scores import clip_scores
from tests.pipeline.videos import walk


def clip(step: float = 4.0, seed: int = 1) -> Images:
    return np.stack(walk(seed, 12, step=step))


def with_caption(rgb: Images) -> Images:
    frames = [frame.copy() for frame in rgb]
    for frame in frames:
        cv2.rectangle(frame, (20, 190), (300, 230), (0, 0, 0), -1)
        cv2.putText(frame, "SUBSCRIBE NOW", (30, 220), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 3)
    return np.stack(frames)


def title_card() -> Images:
    card = np.full((240, 320, 3), 30, np.uint8)
    cv2.putText(card, "My house", (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3)
    return np.stack([card] * 12)


def split_screen() -> Images:
    left, right = clip(seed=1), np.clip(clip(seed=2).astype(int) // 4, 0, 255).astype(np.uint8)
    joined = np.concatenate([left[:, :, :160], right[:, :, :160]], axis=2)
    joined[:, :, 158:162] = 255
    return joined


def shaken(seed: int = 1) -> Images:
    wall, draw = walk(seed, 1, size=(420, 320))[0], np.random.default_rng(3)
    moves = draw.integers(0, 80, (12, 2))
    return np.stack([wall[y : y + 240, x : x + 320] for x, y in moves])


def test_a_still_clip_has_no_motion_and_a_shaken_one_has_more_shake_than_a_steady_one():
    still, steady, shaky = (clip_scores(c) for c in (np.stack([clip()[0]] * 12), clip(), shaken()))
    assert still.motion < 1e-3
    assert steady.motion == pytest.approx(4 / 320, abs=0.003)
    assert steady.shake < 0.01 < shaky.shake
    assert (still.overlay, still.split) == (None, None)


def test_what_is_laid_over_a_moving_scene_is_seen():
    plain, caption, split = (clip_scores(c) for c in (clip(), with_caption(clip()), split_screen()))
    assert plain.overlay is not None
    assert caption.overlay is not None
    assert plain.overlay < 0.01
    assert caption.overlay > 0.05
    assert plain.split is not None
    assert split.split is not None
    assert plain.split < 0.3
    assert split.split > 0.9


def test_a_title_card_is_flat_and_a_dark_clip_is_dark():
    assert clip_scores(title_card()).drawn > 0.6
    assert clip_scores(clip()).drawn < 0.1
    assert clip_scores(clip() // 12).brightness < 0.1 < clip_scores(clip()).brightness
    assert clip_scores(np.zeros_like(clip())).clipped == 1


def test_nobody_is_left_out_unless_the_settings_say_so():
    worst = ClipScores(0, 1, 0, 1, 1, 1, 1)
    assert list(objections(worst, FilterSettings(), people=1)) == []
    bounds = ("motion_min", "shake_max", "brightness_min", "clipped_max", "drawn_max", "overlay_max", "split_max")
    strict = FilterSettings.model_validate(dict.fromkeys(bounds, 0.1))
    assert [why.code for why in objections(worst, strict)] == [
        "Static", "Shaky", "TooDark", "Clipped", "TitleCard", "TextOverlay", "SplitScreen",
    ]  # fmt: skip
    assert [why.code for why in objections(worst, FilterSettings(people_max=0.2), people=0.3)] == ["People"]


def test_a_clip_whose_reconstruction_is_improbable_is_left_out_and_one_of_which_nothing_is_known_is_not():
    sound, strict = ClipScores(1, 0, 0.5, 0, 0, 0, 0), FilterSettings(probability_min=0.5)
    found = list(objections(sound, strict, probability_right=0.3))
    assert [(why.code, why.detail) for why in found] == [("UnlikelyReconstruction", "probability_right 0.300 < 0.5")]
    assert list(objections(sound, strict, probability_right=0.6)) == list(objections(sound, strict)) == []


def test_a_clip_of_uncertain_scale_is_left_out_and_one_of_which_nothing_is_known_is_not():
    strict = FilterSettings(scale_sigma_max=0.15)
    found = list(objections(None, strict, scale_sigma=0.2))
    assert [(why.code, why.detail) for why in found] == [("UncertainScale", "scale_sigma 0.200 > 0.15")]
    assert list(objections(None, strict, scale_sigma=0.1)) == list(objections(None, strict)) == []


def test_what_is_not_known_speaks_against_nobody():
    unknown = replace(ClipScores(0, 0, 0.5, 0, 0, None, None))
    assert list(objections(unknown, FilterSettings(overlay_max=0, split_max=0, people_max=0))) == []
    assert list(objections(None, FilterSettings(motion_min=1))) == []
