"""A still picture that is panned and zoomed over is told from a camera that moves."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.clips.find import find_clips
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.unwanted import objection
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from tests.pipeline.videos import write_video


@pytest.fixture(scope="module")
def tour() -> Tour:
    return Tour.from_seed(2, TourSettings(texel=0.02))


@pytest.fixture(scope="module")
def picture(tour: Tour) -> Images:
    return tour.picture(200)


def is_slide_show(rgb: Images) -> bool:
    found = objection(rgb, {"SlideShow"})
    return found is not None and found[0] == "SlideShow"


def cut_out(picture: Images, zoom: float, right: float, down: float) -> Images:
    """A part of the picture: enlarged, moved by shares of its size."""
    h, w = picture.shape[:2]
    move = np.array([[zoom, 0, w / 2 - zoom * w * (0.5 + right)], [0, zoom, h / 2 - zoom * h * (0.5 + down)]])
    return np.asarray(cv2.warpAffine(picture, move, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT))


def slides(picture: Images, count: int, zoom: float, right: float, down: float) -> Images:
    shares = np.linspace(0, 1, count)
    return np.stack([cut_out(picture, 1.2 + (zoom - 1.2) * s, right * s, down * s) for s in shares])


@pytest.mark.parametrize(("zoom", "right", "down"), [(1.6, 0, 0), (1.2, 0.08, 0), (1.5, 0.05, -0.04), (1.3, 0, 0.06)])
def test_a_picture_that_is_panned_and_zoomed_over_is_a_still(picture: Images, zoom: float, right: float, down: float):
    assert is_slide_show(slides(picture, 10, zoom, right, down))


def test_a_picture_that_does_not_move_tells_nothing(picture: Images):
    assert not is_slide_show(np.stack([picture] * 8))


@pytest.mark.parametrize("focal", [400, 700])
def test_a_camera_that_turns_is_no_slide_show(picture: Images, focal: float):
    """The corners of a picture move further than its middle when a camera turns."""
    camera = np.array([[focal, 0, 320], [0, focal, 240], [0, 0, 1]])
    frames = []
    for angle in np.radians(np.linspace(0, 12, 10)):
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        warp = camera @ turn @ np.linalg.inv(camera)
        frames.append(cv2.warpPerspective(picture, warp, (640, 480), borderMode=cv2.BORDER_REFLECT))
    assert not is_slide_show(np.asarray(frames, np.uint8))


@pytest.mark.parametrize("first", [40, 190])
def test_a_walk_is_no_slide_show(tour: Tour, first: int):
    assert not is_slide_show(np.stack([tour.picture(first + 4 * i) for i in range(10)]))


def test_a_slide_show_is_left_out_by_name(picture: Images, tmp_path: Path):
    path = write_video(tmp_path / "slides.mp4", list(slides(picture, 36, 1.6, 0.05, 0)), fps=12)
    found = find_clips(path, ClipsSettings())
    assert found.clips == []
    assert [(item.clip_id, item.code) for item in found.left_out] == [(0, "SlideShow")]
