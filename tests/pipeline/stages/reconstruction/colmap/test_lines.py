"""Rendered rooms behind a lens: their edges tell it, and bars, letters and a straight lens do not."""

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.geometry.distortion import Distortion
from pipeline.geometry.straight_lines import BendOfLines
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.lines import is_told, lens_of_lines
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.first_look import NO_LINES
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips

LENS = LensSettings()


@pytest.fixture(scope="module")
def rooms(tour_clip: MakesClips) -> list[Images]:
    return [tour_clip(seed=2, shot=shot, count=6).rgb for shot in (1, 2)]


def bent(rgb: Images, lens: Distortion) -> Images:
    """Return frames as another lens would have filmed them, their middle alone so that no border is empty."""
    rows, columns = np.indices((480, 640)) + 0.5
    places = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))
    across, down = (((places - (320, 240)) * 0.8 + (319.5, 239.5)).T.reshape(2, 480, 640)).astype(np.float32)
    return np.stack([cv2.remap(frame, across, down, cv2.INTER_CUBIC) for frame in rgb])


@pytest.mark.parametrize("bend", [-0.14, -0.06, 0.05])
def test_a_lens_is_told_by_the_edges_of_two_rooms(rooms: list[Images], bend: float):
    clips = [bent(rgb, Distortion(bend)) for rgb in rooms]
    assert lens_of_lines(clips, LENS).lens.k1 == pytest.approx(bend, abs=0.012)
    assert ColmapReconstructor().lens_of_lines(clips).lens.k1 == pytest.approx(bend, abs=0.012)
    off = ColmapSettings.model_validate({"lens": {"correct": False}})
    assert ColmapReconstructor(off).lens_of_lines(clips) == NO_LINES
    assert lens_of_lines(clips, LensSettings(least_of_lines=1)) == NO_LINES


def test_rooms_as_they_are_and_bare_pictures_tell_of_no_lens(rooms: list[Images]):
    assert lens_of_lines(rooms, LENS) == NO_LINES
    assert lens_of_lines([np.full((4, 480, 640, 3), 90, np.uint8)], LENS) == NO_LINES
    assert lens_of_lines([], LENS) == NO_LINES


def test_bars_and_letters_in_place_do_not_speak_for_a_straight_lens(rooms: list[Images]):
    """Straight edges that were never filmed, longer than any that was."""
    clips = [bent(rgb, Distortion(-0.1)) for rgb in rooms]
    for rgb in clips:
        rgb[:, :, :60], rgb[:, :, 580:] = 0, 0
        rgb[:, 20:60:8, 80:560] = 255
        rgb[:, 400:460:8, 80:560] = 0
    assert lens_of_lines(clips, LENS).lens.k1 == pytest.approx(-0.1, abs=0.015)


@pytest.mark.parametrize(
    "found",
    [
        BendOfLines(-0.1, 0.001, 0.3, 20),
        BendOfLines(-0.1, 0.05, 0.3, 300),
        BendOfLines(-0.1, 0.001, 0.01, 300),
        BendOfLines(-0.02, 0.001, 0.3, 300),
    ],
)
def test_few_edges_that_disagree_gain_little_or_hardly_bend_tell_nothing(found: BendOfLines):
    assert not is_told(found, LENS)
    assert is_told(BendOfLines(-0.1, 0.001, 0.3, 300), LENS)
