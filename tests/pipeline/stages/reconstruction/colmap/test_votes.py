"""The clips of a video vote on its lens and on the shape of its pixels."""

import math
from dataclasses import replace

import pytest

from pipeline.geometry.distortion import Distortion
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.votes import elected
from pipeline.stages.reconstruction.first_look import UNTOLD, LensFit

SETTINGS, STEP = LensSettings(), 0.05


def bent(k1: float, weight: int = 100, aspect: float = 1.0) -> LensFit:
    return LensFit(Distortion(k1, aspect=aspect), 0.6, 0.45, weight)


def straight(aspect: float = 1.0, weight: int = 100) -> LensFit:
    return LensFit(Distortion(aspect=aspect), 0.45, 0.45, weight)


def test_nothing_told_is_a_pinhole_camera():
    assert elected([], STEP, SETTINGS).lens == elected([UNTOLD, UNTOLD], STEP, SETTINGS).lens == Distortion()


def test_a_clip_alone_has_its_word():
    assert elected([bent(-0.07)], STEP, SETTINGS).lens.k1 == pytest.approx(-0.07)
    assert elected([straight(1.18)], STEP, SETTINGS).lens.aspect == pytest.approx(1.18)


def test_one_that_was_fooled_is_outvoted():
    found = elected([bent(-0.07), bent(-0.072), bent(0.3), bent(-0.071)], STEP, SETTINGS).lens
    assert -0.072 <= found.k1 <= -0.07
    assert elected([bent(-0.07), straight(), straight()], STEP, SETTINGS).lens == Distortion()


def test_clips_with_more_to_say_count_for_more():
    assert elected([bent(-0.02, 10), bent(-0.03, 10), bent(-0.07, 100)], STEP, SETTINGS).lens.k1 == pytest.approx(-0.07)


def test_pixels_are_square_unless_all_clips_say_the_same_other_thing():
    assert elected([straight(1.249), straight(), straight()], STEP, SETTINGS).lens.aspect == 1
    assert elected([straight(0.795), straight(1.184)], STEP, SETTINGS).lens.aspect == 1
    assert elected([straight(1.17), straight(1.19), UNTOLD], STEP, SETTINGS).lens.aspect == pytest.approx(1.18)


def test_of_several_clips_one_alone_does_not_stretch_the_pixels_of_all():
    alone = elected([straight(0.66), UNTOLD, UNTOLD], STEP, SETTINGS)
    assert alone.lens.aspect == 1
    assert alone.square
    assert elected([bent(-0.07, aspect=0.66), UNTOLD], STEP, SETTINGS).lens == Distortion(), "nor bend them"


def test_clips_whose_pixels_are_not_square_are_wrong_where_others_disagree():
    assert elected([straight(1.249), straight(), straight()], STEP, SETTINGS).square
    assert not elected([straight(1.17), straight(1.19)], STEP, SETTINGS).square
    assert not elected([UNTOLD], STEP, SETTINGS).square, "nobody said anything, and a clip alone has its word"
    assert elected([UNTOLD, UNTOLD], STEP, SETTINGS).square


def test_a_bend_of_less_than_half_a_percent_is_left():
    assert not elected([bent(-0.004)], STEP, SETTINGS).lens.bends


def test_two_coefficients_come_back_from_their_median():
    fit = LensFit(Distortion(-0.1, 0.03, 0.001, 0.002), 0.6, 0.45, 100)
    found = elected([fit, fit, fit], STEP, SETTINGS).lens
    assert (found.k1, found.k2, found.p1, found.p2) == pytest.approx((-0.1, 0.03, 0.001, 0.002))


def told(focal: float, deviation: float = 0.01) -> LensFit:
    return LensFit(Distortion(), 0.4, 0.4, 100, focal, deviation)


def test_the_focal_length_of_a_video_is_the_mean_of_what_its_clips_say_by_how_sure_they_are():
    # what four clips of a tour of 582.7 pixels said
    fits = [told(584.3, 0.0085), told(610.7, 0.0113), told(582.1, 0.0077), told(569.9, 0.013)]
    assert elected(fits, STEP, SETTINGS).focal == pytest.approx(582.7, rel=0.007)
    assert elected([told(500, 0.002), told(520, 0.04)], STEP, SETTINGS).focal == pytest.approx(501, rel=0.003)


def test_a_clip_that_is_sure_tells_those_that_are_not():
    found = elected([told(500, 0.01), told(400, 0.065)], STEP, SETTINGS)
    assert found.focal == pytest.approx(500, rel=0.01)
    assert 0.02 < found.spread < 0.04


def test_clips_that_scatter_more_than_they_say_are_less_sure_together():
    agreeing, scattered = (elected([told(500, 0.005), told(other, 0.005)], STEP, SETTINGS) for other in (502, 530))
    assert agreeing.spread == pytest.approx(0.01, rel=0.01)  # 1 / sigma^2 = 2 / ((2 * 0.005)^2 + 0.01^2)
    assert scattered.spread == pytest.approx(0.029, rel=0.05)  # half of what lies between them, ln


def test_a_clip_of_another_lens_is_not_listened_to():
    assert elected([told(500), told(502), told(498), told(800)], STEP, SETTINGS).focal == pytest.approx(500, rel=0.005)


@pytest.mark.parametrize(
    "fits",
    [
        [],
        [told(500)],
        [told(500), told(0, math.inf)],
        [told(500), told(800)],
        [told(500), told(505, 0.2)],
        [told(688.8, 0.038), told(498.2, 0.045), told(547, 0.33)],
    ],
    ids=["none", "one", "a zoom", "they disagree", "one is not sure", "a tour of short upright clips"],
)
def test_clips_that_do_not_agree_or_are_not_sure_tell_no_focal_length(fits: list[LensFit]):
    assert elected(fits, STEP, SETTINGS).focal == 0


def test_what_a_clip_says_is_kept_as_numbers():
    assert LensFit.of_array(bent(-0.07, aspect=1.1).as_array()) == bent(-0.07, aspect=1.1)


def test_matches_add_little_to_a_bend_that_edges_are_sure_of():
    clips = [bent(-0.05), bent(-0.045), bent(-0.04)]
    assert elected(clips, STEP, SETTINGS, 0.001).lens == Distortion(), "less than is undone at all"
    unsure = elected(clips, STEP, SETTINGS, 0.013).lens.k1
    assert unsure == pytest.approx(-0.045 * 0.55, rel=0.05)
    assert elected(clips, STEP, SETTINGS, 1.0).lens.k1 == pytest.approx(-0.045, rel=0.001)


def test_what_one_coefficient_cannot_say_is_left_to_matches():
    rich = replace(bent(-0.05), lens=Distortion(-0.05, 0.02))
    assert elected([rich, rich], STEP, SETTINGS, 0.001).lens.k2 == pytest.approx(0.02)


def test_pixels_that_seem_not_square_are_what_a_rolling_shutter_looks_like():
    clips = [replace(straight(0.8), readout=0.02, readout_deviation=0.002) for _ in range(2)]
    found = elected(clips, STEP, SETTINGS)
    assert (found.square, found.lens, found.readout) == (True, Distortion(), pytest.approx(0.02))
