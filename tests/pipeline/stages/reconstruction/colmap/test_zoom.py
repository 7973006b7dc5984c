"""A lens that zooms gives every frame its own focal length; one that does not gives all the same."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.geometry.poses import pose_errors
from pipeline.stages.reconstruction.colmap.backend import find_cameras
from pipeline.stages.reconstruction.colmap.notes import notes_on
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, TourClip

QUICK = ColmapSettings(sparse=SparseSettings(max_features=2000))
COUNT = 9


@pytest.fixture(scope="module")
def clip(tour_clip: MakesClips) -> TourClip:
    return tour_clip(seed=2, shot=1, count=COUNT)


def enlarged(rgb: Images, zoom: np.ndarray) -> Images:
    moves = [np.array([[z, 0, 320 - 320 * z], [0, z, 240 - 240 * z]]) for z in zoom]
    frames = [
        cv2.warpAffine(frame, move, (640, 480), flags=cv2.INTER_CUBIC) for frame, move in zip(rgb, moves, strict=True)
    ]
    return np.asarray(frames, np.uint8)


@pytest.mark.parametrize("end", [1.1, 1.6])
def test_a_zoom_is_followed_and_the_cameras_stay_right(clip: TourClip, tmp_path: Path, end: float):
    zoom = np.linspace(1, end, COUNT)
    model = find_cameras(enlarged(clip.rgb, zoom), tmp_path, QUICK)
    assert model.registered.all()
    true = clip.truth[0].intrinsics[0, 0] * zoom
    assert model.frame_intrinsics()[:, 0, 0] == pytest.approx(true, rel=0.05)
    errors = pose_errors(model.camera_to_world, np.stack([truth.camera_to_world for truth in clip.truth]))
    assert np.median(errors.translation_direction) < 5
    assert any(note.startswith("The lens zooms by 1.") for note in notes_on(model))


SUDDEN = {
    "in and out again": 1 + 0.4 * np.exp(-0.5 * ((np.arange(COUNT) - COUNT / 2) / (COUNT / 8)) ** 2),
    "from one frame to the next": np.where(np.arange(COUNT) < COUNT // 2, 1.0, 1.3),
}


@pytest.mark.parametrize("name", SUDDEN)
def test_a_sudden_zoom_is_followed_too(clip: TourClip, tmp_path: Path, name: str):
    model = find_cameras(enlarged(clip.rgb, SUDDEN[name]), tmp_path, QUICK)
    assert model.registered.all()
    true = clip.truth[0].intrinsics[0, 0] * SUDDEN[name]
    assert model.frame_intrinsics()[:, 0, 0] == pytest.approx(true, rel=0.05)
    errors = pose_errors(model.camera_to_world, np.stack([truth.camera_to_world for truth in clip.truth]))
    assert np.median(errors.translation_direction) < 5


@pytest.mark.parametrize(("name", "ratio"), [("in", 1.3), ("out", 0.75)])
def test_a_zoom_is_believed_by_what_a_course_of_two_numbers_explains(found: dict[str, Any], name: str, ratio: float):
    believed, course = found["zooms"][name]
    assert believed
    assert course == pytest.approx(ratio, rel=0.03)


@pytest.mark.parametrize("name", ["none", "barrel"])
def test_neither_noise_nor_a_bend_is_taken_for_a_zoom(found: dict[str, Any], name: str):
    believed, _ = found["zooms"][name]
    assert not believed


def test_without_a_zoom_all_frames_share_a_focal_length(clip: TourClip, tmp_path: Path):
    model = find_cameras(clip.rgb, tmp_path, QUICK)
    assert model.zoom.tolist() == [1.0] * COUNT
    assert not any("zooms" in note for note in notes_on(model))
