"""Which frames of a shot count, where only parts of it became clips."""

import numpy as np
import pytest

from pipeline.contract.records import Clip, LeftOut
from pipeline.quality.rulers.uncut import Uncut, counted_once, shot_of, uncut_of, why_uncut, would_be_kept
from pipeline.quality.truth.film import TrueShot
from pipeline.stages.clips.settings import ClipsSettings

FPS = 30.0
SHOT = TrueShot("a", 100, 700)
"""Twenty seconds, of which sixty frames would be kept: 105, 115, ... 695."""


def clip(start: int, end: int, clip_id: int = 0, *frames: int) -> Clip:
    chosen = np.array(frames or range(start + 5, end, 10), np.int64)
    return Clip(clip_id, start, end, chosen, chosen / FPS, np.ones(len(chosen), np.float32), motion=0.1)


def left_out(clip_id: int, code: str, stage: str = "clips") -> LeftOut:
    return LeftOut(stage, clip_id, code, "told")


@pytest.mark.parametrize(
    ("cut", "lost"),
    [
        pytest.param([], 60, id="all of it"),
        pytest.param([clip(100, 700)], 0, id="nothing"),
        pytest.param([clip(103, 697)], 0, id="what is trimmed at transitions"),
        pytest.param([clip(100, 397), clip(403, 700)], 0, id="what is trimmed at a cut that is not there"),
        pytest.param([clip(100, 400)], 30, id="the second half"),
        pytest.param([clip(400, 700)], 30, id="the first half"),
        pytest.param([clip(300, 500)], 40, id="both ends"),
        pytest.param([clip(100, 300), clip(500, 700)], 20, id="the middle"),
        pytest.param([clip(100, 350), clip(380, 700)], 3, id="a dissolve that is not there"),
        pytest.param([clip(100, 400), clip(380, 600)], 10, id="beside pieces that share frames"),
        pytest.param([clip(0, 200), clip(690, 900)], 49, id="between clips that reach in from other shots"),
        pytest.param([clip(0, 100), clip(700, 900)], 60, id="all of it, with clips of other shots beside"),
    ],
)
def test_what_no_clip_spans_is_lost(cut: list[Clip], lost: int):
    uncut = uncut_of(SHOT, FPS, cut, ClipsSettings())
    assert len(uncut.lost) == lost
    assert np.isin(uncut.lost, uncut.frames).all()
    assert np.isin(uncut.lost, would_be_kept(SHOT, FPS, ClipsSettings())).all()
    inside = [((uncut.frames >= each.start_frame) & (uncut.frames < each.end_frame)).any() for each in cut]
    assert not any(inside)


def test_of_a_short_shot_that_keeps_all_frames_what_is_trimmed_is_not_lost():
    shot = TrueShot("a", 100, 116)
    assert len(uncut_of(shot, FPS, [clip(103, 113)], ClipsSettings()).lost) == 0
    assert len(uncut_of(shot, FPS, [clip(103, 108)], ClipsSettings()).lost) == 8


def test_a_frame_that_pieces_share_counts_once_and_for_the_one_in_which_it_has_a_camera():
    pieces = [clip(0, 40, 0, 5, 15, 25, 35), clip(25, 70, 1, 25, 35, 45, 55)]
    registered = {0: np.array([True, True, False, True]), 1: np.array([True, True, False, True])}
    own = counted_once(pieces, registered)
    assert own[0].tolist() == [True, True, False, True], "25 has a camera in the second alone"
    assert own[1].tolist() == [True, False, True, True]
    nowhere = {number: np.zeros(4, np.bool_) for number in (0, 1)}
    assert [int(mask.sum()) for mask in counted_once(pieces, nowhere).values()] == [4, 2]


@pytest.mark.parametrize("code", ["TextOverlay", "SlideShow", "Static", "TooShort", "TooFewFrames", "MostlyBars"])
def test_the_reason_is_that_of_the_pieces_that_lie_there(code: str):
    cut = [clip(100, 300, 2), clip(500, 650, 4)]
    others = [left_out(0, "SplitScreen"), left_out(5, "NotIndoor", "indoor_clips"), left_out(6, "SplitScreen")]
    middle = Uncut(np.arange(300, 500), np.arange(305, 500, 10))
    assert why_uncut(middle, cut, [*others, left_out(3, code)]) == f"no clip was cut from 20 frames: 1 {code} (told)"


def test_where_nothing_was_left_out_a_transition_was_seen():
    uncut = Uncut(np.arange(300, 330), np.array([305, 315, 325]))
    assert "transition" in why_uncut(uncut, [clip(100, 300, 0), clip(330, 500, 1)], [])


def test_a_clip_belongs_to_the_shot_that_most_of_its_frames_show():
    shots = (TrueShot("a", 0, 10), TrueShot("b", 12, 30))
    assert shot_of(np.array([8, 9, 13, 14, 15]), shots) == 1
    assert shot_of(np.array([10, 11]), shots) is None


@pytest.mark.parametrize(("end", "fps", "count"), [(16, 30.0, 16), (120, 30.0, 12), (40, 30.0, 8), (600, 30.0, 60)])
def test_as_many_frames_are_possible_as_the_stage_would_choose(end: int, fps: float, count: int):
    frames = would_be_kept(TrueShot("a", 100, 100 + end), fps, ClipsSettings())
    assert len(frames) == count
    assert frames.min() >= 100
    assert frames.max() < 100 + end
    assert (np.diff(frames) > 0).all()
