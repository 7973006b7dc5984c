from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import Clip, LeftOut, Segment
from pipeline.media import read_each, unpadded
from pipeline.stages.clips.find import FoundClips, evenly_spaced, find_clips
from pipeline.stages.clips.settings import ClipsSettings
from tests.pipeline.media.films import stream_of
from tests.pipeline.stages.clips.four_shots import FPS, four_shots
from tests.pipeline.videos import walk, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return four_shots(tmp_path_factory.mktemp("clips") / "film.mp4")


@pytest.fixture(scope="module")
def chosen(film: Path) -> FoundClips:
    return find_clips(film, ClipsSettings())


def test_no_frame_of_a_clip_lies_in_a_transition_or_across_a_cut(chosen: FoundClips) -> None:
    for clip in chosen[0]:
        kept = clip.frame_index
        assert not any(np.any((kept >= start) & (kept < end)) for start, end in ((53, 59), (76, 88)))
        assert not any(kept[0] < cut <= kept[-1] for cut in (30, 60, 82, 112))


def test_clips_hold_what_is_promised_of_them(chosen: FoundClips) -> None:
    settings, (clips, left_out, _) = ClipsSettings(), chosen
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


def test_sixteen_frames_of_two_seconds_all_stay(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", walk(9, 16, step=2.0), fps=8)
    clips, left_out, _ = find_clips(path, ClipsSettings())
    assert left_out == []
    assert clips[0].frame_index.tolist() == list(range(16))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shot of 20 seconds."""
    return write_video(tmp_path_factory.mktemp("clips") / "long.mp4", walk(10, 200, step=1.0), fps=FPS)


def test_a_long_shot_becomes_several_clips_that_follow_one_another_if_nothing_is_shared(long: Path) -> None:
    clips = find_clips(long, ClipsSettings(shared_frames=0)).clips
    # 20 s at 3 frames a second are 60 frames: three clips of at most 24.
    assert [len(clip.frame_index) for clip in clips] == [20, 20, 20]
    assert all(one.end_frame == other.start_frame for one, other in pairwise(clips))


@pytest.mark.parametrize("shared", [1, 2, 3])
def test_pieces_of_a_long_shot_begin_with_the_last_frames_of_the_piece_before(long: Path, shared: int) -> None:
    settings = ClipsSettings(shared_frames=shared)
    clips = find_clips(long, settings).clips
    assert [clip.clip_id for clip in clips] == list(range(len(clips)))
    assert len(clips) == 3
    for one, other in pairwise(clips):
        assert one.frame_index[-shared:].tolist() == other.frame_index[:shared].tolist()
        assert other.start_frame == other.frame_index[0]
        assert np.all(np.diff(other.frame_index) > 0)
        assert len(other.frame_index) == len(other.time_s) == len(other.sharpness) <= settings.frames_max
        assert other.scores is not None
        # only its own frames are asked whether they repeat others: the share is a number of those
        repeated = other.scores.repeats * (len(other.frame_index) - shared)
        assert repeated == pytest.approx(round(repeated), abs=1e-6)
    stored = list(read_each(long, [clip.frame_index for clip in clips]))
    assert [len(rgb) for rgb in stored] == [len(clip.frame_index) for clip in clips]
    assert np.array_equal(stored[0][-shared:], stored[1][:shared])
    assert not np.array_equal(stored[0][0], stored[1][0])


def test_shots_of_two_scenes_share_no_frame(film: Path) -> None:
    clips = find_clips(film, ClipsSettings(shared_frames=2, trim_s=0)).clips
    assert all(one.frame_index[-1] < other.frame_index[0] for one, other in pairwise(clips))


def test_a_video_of_three_frames_has_no_clip_and_says_why(tmp_path: Path) -> None:
    clips, left_out, _ = find_clips(write_video(tmp_path / "three.mp4", walk(1, 3), fps=FPS), ClipsSettings())
    assert clips == []
    assert left_out == [LeftOut("clips", 0, "TooShort", "0.30 s, less than 1.5 s", (0.0, 0.1, 0.2))]


RATES = (10, 12, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60)


@pytest.mark.parametrize("ticks", [None, 1000, 90000])
def test_at_one_rate_the_numbers_tell_which_frames_are_kept_however_times_are_rounded(ticks: int | None) -> None:
    settings = ClipsSettings()
    for rate in RATES:
        for count in range(30, 400, 7):
            times = 5.123 + np.arange(count) / rate
            times = times if ticks is None else np.round(times * ticks) / ticks
            kept = evenly_spaced(9, 9 + count, count / rate, settings, settings.frames_max, times)
            numbers = (np.arange(len(kept)) + 0.5) * count / len(kept)
            assert kept.tolist() == (9 + numbers.astype(int)).tolist()


SLOWER = [*range(150), *range(150, 300, 6)]
FASTER = [*range(0, 150, 6), *range(150, 300)]
HELD = [tick for tick in range(300) if not 100 <= tick < 160]


@pytest.mark.parametrize("ticks", [SLOWER, FASTER, HELD])
@pytest.mark.parametrize("start", [0, 40])
def test_where_the_rate_varies_frames_are_those_nearest_to_evenly_spaced_times(ticks: list[int], start: int) -> None:
    settings, times = ClipsSettings(), np.array(ticks) / 60
    kept = evenly_spaced(start, start + len(times), 5.0, settings, settings.frames_max, times) - start
    shown_s = (times[-1] - times[0]) * len(times) / (len(times) - 1)
    for at_s in times[0] + (np.arange(15) + 0.5) / 15 * shown_s:
        assert np.abs(times[kept] - at_s).min() <= np.abs(times - at_s).min() + 1.01 / 60
    assert np.all(np.diff(kept) > 0)


@pytest.mark.parametrize("seconds", [5, 20])
def test_a_film_whose_rate_falls_is_looked_at_as_often_in_its_second_half(tmp_path: Path, seconds: int) -> None:
    half = 30 * seconds // 2
    ticks = [*range(half), *range(half, 2 * half, 3)]
    path = write_video(tmp_path / "falls.mp4", walk(9, len(ticks), step=0.5, size=(160, 120)), fps=30, ticks=ticks)
    clips, _, _ = find_clips(path, ClipsSettings(leave_out=()))
    gaps = np.diff(np.unique(np.concatenate([clip.time_s for clip in clips])))
    assert gaps.max() < 0.6
    halves = np.histogram(np.concatenate([clip.time_s for clip in clips]), [0, seconds / 2, seconds])[0]
    assert halves[0] == pytest.approx(halves[1], rel=0.25)


@pytest.fixture(scope="module")
def upright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("upright") / "film.mp4", walk(5, 20, step=2.0, size=(180, 320)))


def test_an_upright_film_keeps_its_height_between_black_columns(upright: Path) -> None:
    clip = only(find_clips(upright, ClipsSettings(leave_out=()))[0])
    assert clip.box == (0, 0, 1, 1, True)
    (rgb,) = read_each(upright, [clip.frame_index], [clip.box])
    # the part is cut at whole pixels of the film, half of one from the middle: 1.5 columns are one of these
    assert shown_columns(rgb) == slice(186, 456)
    (middle,) = read_each(upright, [clip.frame_index])
    shrunk = np.stack([cv2.resize(picture, (270, 202), interpolation=cv2.INTER_AREA) for picture in middle])
    assert np.abs(rgb[:, 139:341, 186:456].astype(int) - shrunk).mean() < 0.2 * shrunk.std()
    assert np.abs(unpadded(rgb).astype(int) - middle).mean() < 0.2 * middle.std()


def test_of_an_upright_film_the_middle_is_kept_where_that_is_asked_for(upright: Path) -> None:
    clip = only(find_clips(upright, ClipsSettings(upright="middle", leave_out=()))[0])
    assert not clip.box.whole
    (rgb,) = read_each(upright, [clip.frame_index], [clip.box])
    assert shown_columns(rgb) == slice(0, 640)


def test_upright_films_are_judged_by_what_they_show(upright: Path) -> None:
    whole, middle = (
        only(find_clips(upright, ClipsSettings(upright=kept, leave_out=()))[0]) for kept in ("whole", "middle")
    )
    assert whole.motion == pytest.approx(middle.motion, rel=0.1)


def test_a_film_a_little_narrower_than_frames_is_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "square.mp4", walk(5, 20, step=2.0, size=(240, 240)))
    clip = only(find_clips(path, ClipsSettings(leave_out=()))[0])
    (rgb,) = read_each(path, [clip.frame_index], [clip.box])
    assert shown_columns(rgb) == slice(0, 640)


def test_a_slow_video_with_too_few_frames_says_so(tmp_path: Path) -> None:
    left_out = find_clips(write_video(tmp_path / "slow.mp4", walk(1, 5), fps=1), ClipsSettings()).left_out
    assert [item.code for item in left_out] == ["TooFewFrames"]


def test_blurred_frames_give_way_to_sharper_neighbours(tmp_path: Path) -> None:
    import cv2

    frames = walk(11, 60, step=1.0)
    blurred = [cv2.GaussianBlur(frame, (0, 0), 4) if i % 3 == 1 else frame for i, frame in enumerate(frames)]
    clip = only(find_clips(write_video(tmp_path / "blurred.mp4", blurred, fps=FPS), ClipsSettings())[0])
    assert not np.any(clip.frame_index % 3 == 1)


def test_motion_is_the_shift_between_kept_frames(tmp_path: Path) -> None:
    all_of_them = ClipsSettings(leave_out=())
    moving, still = (
        only(find_clips(write_video(tmp_path / f"{step}.mp4", walk(12, 40, step=step), fps=FPS), all_of_them)[0])
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


def test_clips_lie_inside_the_stretches(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", [*walk(3, 60, step=3.0), *walk(4, 60, step=3.0)])
    whole = find_clips(film, ClipsSettings()).clips
    some = find_clips(film, ClipsSettings(), segments=[Segment(1, 3), Segment(2.5, 4), Segment(7, 1e9)]).clips
    assert [clip.start_frame for clip in whole] == [0, 61]
    spans = [(clip.time_s[0], clip.time_s[-1]) for clip in some]
    assert len(spans) == 2
    assert 1 <= spans[0][0] < spans[0][1] < 4
    assert spans[1][0] >= 7
    assert find_clips(film, ClipsSettings(), segments=[Segment(50, 60)]) == ([], [], 0)


def only(clips: list[Clip]) -> Clip:
    assert len(clips) == 1
    return clips[0]


def test_joined_recordings_are_clips_of_their_own_to_the_frame(tmp_path: Path) -> None:
    parts = [stream_of(tmp_path / f"{seed}.ts", walk(seed, 40, step=3), start_s=7.0) for seed in (1, 2)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    clips = find_clips(path, ClipsSettings()).clips
    assert [(clip.start_frame, clip.end_frame) for clip in clips] == [(0, 40), (40, 80)]
    assert clips[1].time_s[0] > clips[0].time_s[-1]


def test_a_change_of_size_is_a_cut(tmp_path: Path) -> None:
    parts = [stream_of(tmp_path / f"{w}.ts", walk(w, 40, step=3, size=(w, 240))) for w in (320, 432)]
    path = tmp_path / "sizes.ts"
    path.write_bytes(b"".join(parts))
    clips = find_clips(path, ClipsSettings()).clips
    assert [(clip.start_frame, clip.end_frame) for clip in clips] == [(0, 40), (40, 80)]


def test_stretches_count_from_the_first_frame_shown(tmp_path: Path) -> None:
    ticks = [3600 * FPS + i for i in range(48)]
    path = write_video(tmp_path / "late.mkv", walk(3, 48, step=3), fps=FPS, ticks=ticks)
    clip = only(find_clips(path, ClipsSettings(), segments=[Segment(1, 4)]).clips)
    assert clip.time_s[0] >= 1
    assert clip.time_s[-1] < 4
