"""The clips of a video vote on its lens and on the shape of its pixels."""

import pytest

from pipeline.geometry.distortion import Distortion
from pipeline.stages.reconstruction.colmap.settings import LensSettings
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


def test_clips_whose_pixels_are_not_square_are_wrong_where_others_disagree():
    assert elected([straight(1.249), straight(), straight()], STEP, SETTINGS).square
    assert not elected([straight(1.17), straight(1.19)], STEP, SETTINGS).square
    assert not elected([UNTOLD], STEP, SETTINGS).square, "nobody said anything"


def test_a_bend_of_less_than_half_a_percent_is_left():
    assert not elected([bent(-0.004)], STEP, SETTINGS).lens.bends


def test_two_coefficients_come_back_from_their_median():
    fit = LensFit(Distortion(-0.1, 0.03, 0.001, 0.002), 0.6, 0.45, 100)
    found = elected([fit, fit, fit], STEP, SETTINGS).lens
    assert (found.k1, found.k2, found.p1, found.p2) == pytest.approx((-0.1, 0.03, 0.001, 0.002))


def test_what_a_clip_says_is_kept_as_numbers():
    assert LensFit.of_array(bent(-0.07, aspect=1.1).as_array()) == bent(-0.07, aspect=1.1)
