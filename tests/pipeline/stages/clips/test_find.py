from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.arrays import Images
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import Clip, LeftOut
from pipeline.stages.clips.find import find_clips
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.shots import ShotList, cut_scores, detect_shots
from tests.pipeline.videos import blend, walk, write_video

FPS = 10


def shots_of(path: Path) -> ShotList:
    return detect_shots(path, ClipsSettings(), lambda _: None)


def faded(frames: list[Images], length: int, *, out: bool) -> list[Images]:
    """Fade in or out over ``length`` frames; the first (or last) of them is black."""
    ramp = np.ones(len(frames))
    ramp[:length] = np.arange(length) / length
    return [(share * frame).astype(np.uint8) for share, frame in zip(ramp[::-1] if out else ramp, frames, strict=True)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shots of 30 frames or less: cut at 30, dissolve 52 to 60, fade through black 74 to 90, cut at 112."""
    a, b, c, d = (walk(seed, 30, step=2.0) for seed in range(1, 5))
    e = walk(5, 30, step=-3.0)
    first, _, _ = blend([*a, *b], c, 8)
    frames = [*first[:-8], *faded(first[-8:], 8, out=True), *faded(d, 8, out=False), *e]
    return write_video(tmp_path_factory.mktemp("scenes") / "film.mp4", frames, fps=FPS)


@pytest.fixture(scope="module")
def found(film: Path) -> ShotList:
    return shots_of(film)


@pytest.fixture(scope="module")
def chosen(film: Path) -> tuple[list[Clip], list[LeftOut]]:
    return find_clips(film, ClipsSettings())


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


def test_no_frame_of_a_clip_lies_in_a_transition_or_across_a_cut(chosen: tuple[list[Clip], list[LeftOut]]) -> None:
    for clip in chosen[0]:
        kept = clip.frame_index
        assert not any(np.any((kept >= start) & (kept < end)) for start, end in ((53, 59), (76, 88)))
        assert not any(kept[0] < cut <= kept[-1] for cut in (30, 60, 82, 112))


def test_clips_hold_what_is_promised_of_them(chosen: tuple[list[Clip], list[LeftOut]]) -> None:
    settings, (clips, left_out) = ClipsSettings(), chosen
    assert len(clips) >= 3
    assert [item.clip_id for item in sorted([*clips, *left_out], key=lambda i: i.clip_id or 0)] == list(
        range(len(clips) + len(left_out))
    )
    for clip in clips:
        assert settings.frames_min <= len(clip.frame_index) <= settings.frames_max
        assert np.all(np.diff(clip.frame_index) > 0)
        assert clip.start_frame <= clip.frame_index[0] <= clip.frame_index[-1] < clip.end_frame
        assert clip.time_s == pytest.approx(clip.frame_index / FPS)
        assert clip.sharpness.shape == clip.frame_index.shape


def test_a_fast_pan_is_one_shot(tmp_path: Path) -> None:
    # 24 of 320 pixels a frame: every frame brings new content, as at a cut, but flow finds the old again.
    path = write_video(tmp_path / "pan.mp4", walk(7, 25, step=24.0), fps=FPS)
    assert shots_of(path).transitions == ()


def test_a_video_that_opens_and_ends_in_black_loses_only_the_fades(tmp_path: Path) -> None:
    frames = faded(faded(walk(8, 40, step=2.0), 8, out=False), 8, out=True)
    found = shots_of(write_video(tmp_path / "black.mp4", frames, fps=FPS))
    assert [item.kind for item in found.transitions] == ["fade", "fade"]
    assert (found.shots[0].start_frame, found.shots[0].end_frame) == pytest.approx((8, 32), abs=2)


def test_sixteen_frames_of_two_seconds_all_stay(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", walk(9, 16, step=2.0), fps=8)
    clips, left_out = find_clips(path, ClipsSettings())
    assert left_out == []
    assert clips[0].frame_index.tolist() == list(range(16))


def test_a_long_shot_becomes_several_clips_that_follow_one_another(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", walk(10, 200, step=1.0), fps=FPS)
    clips, _ = find_clips(path, ClipsSettings())
    # 20 s at 3 frames a second are 60 frames: three clips of at most 24.
    assert [len(clip.frame_index) for clip in clips] == [20, 20, 20]
    assert all(one.end_frame == other.start_frame for one, other in pairwise(clips))


def test_a_video_of_three_frames_has_no_clip_and_says_why(tmp_path: Path) -> None:
    clips, left_out = find_clips(write_video(tmp_path / "three.mp4", walk(1, 3), fps=FPS), ClipsSettings())
    assert clips == []
    assert left_out == [LeftOut("clips", 0, "TooShort", "0.30 s, less than 1.5 s")]


def test_a_slow_video_with_too_few_frames_says_so(tmp_path: Path) -> None:
    _, left_out = find_clips(write_video(tmp_path / "slow.mp4", walk(1, 5), fps=1), ClipsSettings())
    assert [item.code for item in left_out] == ["TooFewFrames"]


def test_blurred_frames_give_way_to_sharper_neighbours(tmp_path: Path) -> None:
    import cv2

    frames = walk(11, 60, step=1.0)
    blurred = [cv2.GaussianBlur(frame, (0, 0), 4) if i % 3 == 1 else frame for i, frame in enumerate(frames)]
    clip = only(find_clips(write_video(tmp_path / "blurred.mp4", blurred, fps=FPS), ClipsSettings())[0])
    assert not np.any(clip.frame_index % 3 == 1)


def test_motion_is_the_shift_between_kept_frames(tmp_path: Path) -> None:
    moving, still = (
        only(find_clips(write_video(tmp_path / f"{step}.mp4", walk(12, 40, step=step), fps=FPS), ClipsSettings())[0])
        for step in (2.0, 0.0)
    )
    shift = 2.0 * np.median(np.diff(moving.frame_index)) / 320
    # Frames are 3 or 4 apart, and flow at 160 columns is good to a quarter of a pixel.
    assert moving.motion == pytest.approx(shift, rel=0.25)
    assert still.motion < 0.001


def test_a_video_that_breaks_off_is_broken(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4", walk(1, 30), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BrokenVideo):
        find_clips(path, ClipsSettings())


def test_progress_rises_to_one(film: Path) -> None:
    shares: list[float] = []
    find_clips(film, ClipsSettings(), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_every_true_cut_counts_once() -> None:
    assert cut_scores([10, 11, 50], [11, 49, 90], 2) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert cut_scores([], [], 2) == pytest.approx((1, 1, 1))
    assert cut_scores([5], [], 2).f1 == 0


@given(st.lists(st.integers(0, 500), unique=True), st.integers(0, 5))
def test_cuts_agree_with_themselves(cuts: list[int], tolerance: int) -> None:
    assert cut_scores(cuts, cuts, tolerance).f1 == pytest.approx(1)


def only(clips: list[Clip]) -> Clip:
    assert len(clips) == 1
    return clips[0]
