"""What a clip says of its shutter, and when the clips of a video are believed together."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.shutter import SYSTEMATIC_PX, elected_readout, may_roll, with_readout
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.first_look import UNTOLD, LensFit
from tests.pipeline.geometry.test_readout import FOCAL, FRAMES, sightings, walk
from tests.pipeline.stages.reconstruction.colmap.good_model import good_model

SETTINGS = LensSettings()


def rolled(readout: float, swing: float = 0.35) -> tuple[SparseModel, Float64s]:
    """The exact cameras of a walk, in whose pictures rows are exposed one after another; and how the pictures move."""
    true, rates = walk(1, swing)
    seen, points = sightings(true, rates, readout, 0.3, 1)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = true.rotation, true.position
    focal = math.exp(true.log_focal)
    model = replace(
        good_model(),
        intrinsics=np.array([[focal, 0, 320], [0, focal, 240], [0, 0, 1]]),
        zoom=np.ones(FRAMES),
        zoom_asked=np.ones(FRAMES),
        camera_to_world=np.linalg.inv(poses),
        registered=np.ones(FRAMES, bool),
        points=true.points[points],
        observed_frame=seen.frame,
        observed_point=seen.point,
        observed_pixel=seen.pixel,
    )
    return model, rates


def speed_of(rates: Float64s) -> float:
    """How fast turns move the picture, pixels a second."""
    return float(np.sqrt((rates[:, :3] ** 2).sum(axis=1).mean()) * FOCAL)


def said(*pairs: tuple[float, float]) -> list[LensFit]:
    """What clips say: milliseconds and their deviation."""
    return [replace(UNTOLD, readout=r / 1000, readout_deviation=d / 1000) for r, d in pairs]


def test_a_clip_says_how_long_its_shutter_takes_and_nothing_else_changes():
    model, rates = rolled(0.02)
    fit = LensFit(UNTOLD.lens, 0.5, 0.4, 100, 544.0, 0.01)
    found = with_readout(fit, model, rates)
    assert found.readout == pytest.approx(0.02, abs=0.0012)
    assert found.readout_deviation**2 - (SYSTEMATIC_PX / speed_of(rates)) ** 2 < 0.001**2
    assert replace(found, readout=0.0, readout_deviation=math.inf) == fit
    assert replace(found.of_shutter_alone(), readout=0.0, readout_deviation=math.inf) == UNTOLD


def test_a_camera_that_hardly_turns_tells_little_however_many_points_it_sees():
    fast, slow = (with_readout(UNTOLD, *rolled(0.02, swing)) for swing in (0.35, 0.035))
    assert slow.readout_deviation > 8 * fast.readout_deviation
    off = replace(slow, readout=0.007)
    assert 1000 * elected_readout([fast, off], SETTINGS) == pytest.approx(20, abs=1.2), "who knows better is believed"


def test_frames_whose_motion_is_not_known_do_not_keep_the_others_from_telling():
    model, rates = rolled(0.02)
    rates[3] = np.nan
    assert with_readout(UNTOLD, model, rates).readout == pytest.approx(0.02, abs=0.0015)
    rates[3:] = np.nan
    assert with_readout(UNTOLD, model, rates) == UNTOLD, "three are too few"


@pytest.mark.parametrize("aspect", [0.79, 0.88, 0.96, 1.18])
def test_pixels_that_seem_not_square_are_the_shutters_work_where_it_explains_more(aspect: float):
    model, rates = rolled(0.02)
    stretched = model.intrinsics * np.array([[aspect**-0.5], [aspect**0.5], [1]])
    assert with_readout(UNTOLD, replace(model, intrinsics=stretched), rates).readout == pytest.approx(0.02, abs=0.0015)


@pytest.mark.parametrize("aspect", [0.79, 0.88, 1.18, 1.33])
def test_pixels_that_are_not_square_are_no_shutters_work(aspect: float):
    model, rates = rolled(0.0)
    down = np.array([1, aspect])
    filmed = (model.observed_pixel - (320, 240)) * down + (320, 240)
    anamorphic = model.intrinsics * np.array([[1], [aspect], [1]])
    assert with_readout(UNTOLD, replace(model, intrinsics=anamorphic, observed_pixel=filmed), rates) == UNTOLD


def test_clips_that_zoom_or_have_no_cameras_say_nothing():
    model, rates = rolled(0.02)
    assert with_readout(UNTOLD, replace(model, zoom=np.linspace(1, 1.2, FRAMES)), rates) == UNTOLD
    assert with_readout(UNTOLD, SparseModel.empty(FRAMES, 5.0), rates) == UNTOLD


@pytest.mark.parametrize(
    ("clips", "readout"),
    [
        ([(20, 3), (18, 2), (22, 5)], 19),
        ([(20, 3), (2, 3)], 0),
        ([(19, 4.5), (7, 8)], 16.1),
        ([(20, 3), (-20, 3), (20, 3)], 0),
        ([(20, 3)], 20),
        ([(20, 5)], 0),
        ([(3, 0.5), (3, 0.5)], 0),
        ([(80, 2), (80, 2)], 0),
        ([(-15, 2), (-16, 2)], -15.5),
        ([], 0),
    ],
)
def test_clips_are_believed_that_agree(clips: list[tuple[float, float]], readout: float):
    """Milliseconds: those that scatter, a single unsure one, hardly any readout, and one of no camera count as none."""
    assert 1000 * elected_readout([UNTOLD, *said(*clips)], SETTINGS) == pytest.approx(readout, abs=0.6)


def test_nobody_is_asked_where_shutters_are_not_looked_for():
    off = LensSettings(rolling_shutter=False)
    (sure,) = said((20, 1))
    assert elected_readout([sure], SETTINGS)
    assert may_roll(sure, SETTINGS)
    assert not elected_readout([sure], off)
    assert not may_roll(sure, off)
    assert not may_roll(UNTOLD, SETTINGS)
