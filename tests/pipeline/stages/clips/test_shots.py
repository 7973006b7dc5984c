"""Shots and what lies between them, on films whose transitions are known to the frame."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.arrays import Images
from pipeline.contract.errors import BrokenVideo
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.shots import CutScores, Shot, ShotList, Transition, cut_scores, detect_shots
from tests.pipeline.stages.clips.four_shots import FPS, faded, four_shots
from tests.pipeline.videos import walk, write_video


def shots_of(path: Path) -> ShotList:
    return detect_shots(path, ClipsSettings(), lambda _: None)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return four_shots(tmp_path_factory.mktemp("shots") / "film.mp4")


@pytest.fixture(scope="module")
def found(film: Path) -> ShotList:
    return shots_of(film)


def test_cuts_are_found_at_the_very_frame_and_none_is_invented(found: ShotList) -> None:
    cuts = [item.start_frame for item in found.transitions if item.kind == "cut"]
    assert cuts == [30, 112]


def test_a_dissolve_and_a_fade_are_covered(found: ShotList) -> None:
    soft = [item for item in found.transitions if item.kind != "cut"]
    assert [item.kind for item in soft] == ["dissolve", "fade"]
    # The outermost blended frames show 1/9 of the other shot; they may be missed, and be trimmed later.
    assert (soft[0].start_frame, soft[0].end_frame) == pytest.approx((52, 60), abs=3)
    assert (soft[1].start_frame, soft[1].end_frame) == pytest.approx((75, 89), abs=2)


def test_shots_and_transitions_tile_the_video(found: ShotList) -> None:
    spans = [*found.shots, *(item for item in found.transitions if item.kind != "cut")]
    spans.sort(key=lambda span: span.start_frame)
    assert spans[0].start_frame == 0
    assert spans[-1].end_frame == len(found.time_s)
    assert all(one.end_frame == other.start_frame for one, other in pairwise(spans))


def test_a_fast_pan_is_one_shot(tmp_path: Path) -> None:
    # 24 of 320 pixels a frame: every frame brings new content, as at a cut, but flow finds the old again.
    path = write_video(tmp_path / "pan.mp4", walk(7, 25, step=24.0), fps=FPS)
    assert shots_of(path).transitions == ()


def with_logo(frames: list[Images]) -> list[Images]:
    """Frames with a word in a box, in a corner that bars leave."""
    for frame in frames:
        cv2.rectangle(frame, (256, 6), (312, 26), (120, 220, 120), 1)
        cv2.putText(frame, "OUR HOUSE", (259, 20), cv2.FONT_HERSHEY_DUPLEX, 0.3, (120, 220, 120), 1)
    return frames


def letterboxed(frames: list[Images]) -> list[Images]:
    """Frames between black bars."""
    barred = [frame.copy() for frame in frames]
    for frame in barred:
        frame[:34], frame[-34:] = 0, 0
    return barred


def soft(frame: Images) -> Images:
    """A frame with so little texture that a logo and the edges of bars are much of what has any."""
    return np.asarray(90 + 0.5 * cv2.GaussianBlur(frame, (0, 0), 6), np.uint8)


def test_a_cut_shows_in_the_film_whatever_stays_the_same_around_it(tmp_path: Path) -> None:
    frames = [soft(frame) for seed in (23, 24) for frame in walk(seed, 30, step=2.0)]
    path = write_video(tmp_path / "cut.mp4", with_logo(letterboxed(frames)), fps=FPS)
    assert shots_of(path).transitions == (Transition("cut", 30, 30),)


def test_a_video_that_opens_and_ends_in_black_loses_only_the_fades(tmp_path: Path) -> None:
    frames = faded(faded(walk(8, 40, step=2.0), 8, out=False), 8, out=True)
    found = shots_of(write_video(tmp_path / "black.mp4", frames, fps=FPS))
    assert [item.kind for item in found.transitions] == ["fade", "fade"]
    assert (found.shots[0].start_frame, found.shots[0].end_frame) == pytest.approx((8, 32), abs=2)


def test_one_shot_is_one_shot_and_has_no_transition(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", walk(2, 12, step=1.0), fps=FPS)
    assert shots_of(path).shots == (Shot(0, 12),)


def test_a_video_of_nothing_but_black_holds_no_shot(tmp_path: Path) -> None:
    path = write_video(tmp_path / "black.mp4", [np.zeros((120, 160, 3), np.uint8)] * 12, fps=FPS)
    found = shots_of(path)
    assert found.shots == ()
    assert found.transitions == (Transition("fade", 0, 12),)


def test_times_and_sharpness_are_those_of_every_frame(found: ShotList) -> None:
    assert found.time_s == pytest.approx(np.arange(len(found.time_s)) / FPS)
    assert found.sharpness.shape == found.time_s.shape
    # Half way through the dissolve two pictures cancel each other's detail; black frames have none.
    assert found.sharpness[56] < 0.8 * (found.sharpness[45] + found.sharpness[65]) / 2
    assert found.sharpness[82] < 0.05 * found.sharpness[45]


@pytest.fixture(scope="module")
def two_shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [*walk(1, 12, size=(160, 120)), *walk(2, 12, size=(160, 120))]
    return write_video(tmp_path_factory.mktemp("shots") / "two.mp4", frames, fps=FPS)


def test_progress_rises_with_the_frames(two_shots: Path) -> None:
    shares: list[float] = []
    detect_shots(two_shots, ClipsSettings(), shares.append)
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1


def test_a_cut_is_what_the_settings_take_for_one(two_shots: Path) -> None:
    assert shots_of(two_shots).transitions == (Transition("cut", 12, 12),)
    blind = detect_shots(two_shots, ClipsSettings(cut_content_min=255), lambda _: None)
    assert blind.transitions == (), "no content changes that much"
    believing = detect_shots(two_shots, ClipsSettings(correspondence_min=0), lambda _: None)
    assert believing.transitions == (), "any two pictures correspond"


def test_a_file_that_is_no_video_is_broken(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(BrokenVideo):
        shots_of(tmp_path / "text.mp4")


def test_every_true_cut_counts_once() -> None:
    assert cut_scores([10, 11, 50], [11, 49, 90], 2) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert cut_scores([], [], 2) == CutScores(precision=1, recall=1, f1=1)
    assert cut_scores([5], [], 2).f1 == 0


@given(st.lists(st.integers(0, 500), unique=True), st.integers(0, 5))
@settings(max_examples=30)
def test_cuts_agree_with_themselves(cuts: list[int], tolerance: int) -> None:
    assert cut_scores(cuts, cuts, tolerance).f1 == pytest.approx(1)


@given(st.lists(st.integers(0, 60), max_size=8, unique=True), st.lists(st.integers(0, 60), max_size=8, unique=True))
@settings(max_examples=40)
def test_a_wider_tolerance_never_scores_less(found: list[int], true: list[int]) -> None:
    narrow, wide = cut_scores(found, true, 1), cut_scores(found, true, 100)
    assert narrow.f1 <= wide.f1 + 1e-9
    assert wide.precision == pytest.approx(min(1, len(true) / len(found)) if found else 1)
