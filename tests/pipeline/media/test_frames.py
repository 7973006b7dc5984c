import multiprocessing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import Box
from pipeline.media import (
    check_decodes,
    cut_of,
    frames_at,
    frames_near,
    iterate,
    probe,
    read_each,
    read_frames,
)
from tests.pipeline.videos import number_of, numbered, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("media") / "film.mp4", numbered(60))


def test_probe_counts_frames_and_time(film: Path) -> None:
    held = probe(film)
    assert (held.width, held.height, held.frame_count) == (160, 120, 60)
    assert held.fps == pytest.approx(10)
    assert held.duration_s == pytest.approx(6)


def test_frames_are_those_asked_for_in_the_order_asked_for(film: Path) -> None:
    asked = np.array([59, 0, 17, 17, 33])
    pictures = read_frames(film, asked)
    assert pictures.shape == (5, 480, 640, 3)
    assert [number_of(picture) for picture in pictures] == asked.tolist()


def test_iteration_gives_every_frame_small_and_with_its_time(film: Path) -> None:
    frames = list(iterate(film, 60))
    assert [number_of(frame.rgb) for frame in frames] == list(range(60))
    assert frames[7].rgb.shape == (60, 80, 3)
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(60) / 10)


def test_a_process_that_was_forked_reads_films_too(tmp_path: Path) -> None:
    large = write_video(tmp_path / "large.mp4", numbered(4, 640, 480))
    assert len(list(iterate(large, 240))) == 4
    process = multiprocessing.get_context("fork").Process(target=lambda: list(iterate(large, 240)))
    process.start()
    process.join(120)
    process.kill()
    process.join()
    assert process.exitcode == 0


def test_clips_come_one_by_one_from_a_single_pass(film: Path) -> None:
    clips = [np.array([1, 2, 5]), np.array([20, 21])]
    assert [[number_of(picture) for picture in clip] for clip in read_each(film, clips)] == [[1, 2, 5], [20, 21]]


def test_clips_that_run_backwards_are_refused(film: Path) -> None:
    with pytest.raises(ValueError, match="rising"):
        next(read_each(film, [np.array([5, 6]), np.array([1])]))


def test_asking_beyond_the_end_is_an_error(film: Path) -> None:
    with pytest.raises(BrokenVideo, match="before frame 60"):
        list(frames_at(film, np.array([3, 60])))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"This is not a video.\n" * 200,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile film.mp4\n",
        b"\x00\x00\x00\x20ftypisom" + bytes(2000),
    ],
)
def test_a_file_that_is_no_video_is_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "source.mp4"
    path.write_bytes(content)
    with pytest.raises(BrokenVideo):
        probe(path)


def test_a_missing_file_is_broken(tmp_path: Path) -> None:
    with pytest.raises(BrokenVideo):
        probe(tmp_path / "missing.mp4")


def test_sound_without_pictures_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(BrokenVideo, match="no video stream"):
        probe(path)


@pytest.mark.parametrize(("flags", "share"), [("", 0.6), ("faststart", 0.6)])
def test_a_file_cut_off_in_transfer_is_broken_wherever_its_index_lies(tmp_path: Path, flags: str, share: float) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered(60), options={"movflags": flags} if flags else None)
    content = whole.read_bytes()
    whole.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BrokenVideo):
        probe(whole)


def test_a_hole_in_the_middle_is_found_without_decoding_everything(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(30)]
    path = write_video(tmp_path / "noise.mp4", noise)
    check_decodes(path)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.write_bytes(content)
    with pytest.raises(BrokenVideo):
        check_decodes(path)


def test_ten_bit_video_reads_like_any_other(tmp_path: Path) -> None:
    path = write_video(tmp_path / "deep.mp4", numbered(12), pixel_format="yuv420p10le")
    assert number_of(read_frames(path, np.array([11]))[0]) == 11


def test_times_follow_a_variable_frame_rate(tmp_path: Path) -> None:
    ticks = [0, 1, 2, 10, 11, 20]
    path = write_video(tmp_path / "variable.mp4", numbered(6), ticks=ticks)
    frames = list(iterate(path, 60))
    assert [frame.time_s for frame in frames] == pytest.approx(np.array(ticks) / 10)
    assert [number_of(frame.rgb) for frame in frames] == list(range(6))


def test_portrait_video_keeps_the_middle_of_its_height(tmp_path: Path) -> None:
    tall = np.zeros((320, 160, 3), np.uint8)
    tall[100:220] = 200
    picture = read_frames(write_video(tmp_path / "tall.mp4", [tall] * 3), np.array([1]))[0]
    assert picture.shape == (480, 640, 3)
    # H.264 blurs the bright band's edge by a few rows; everything else is bright.
    assert (picture[20:-20] > 180).all()


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_pictures_are_turned_upright_as_the_metadata_says(tmp_path: Path, degrees: int) -> None:
    upright = np.zeros((120, 160, 3), np.uint8)
    upright[:60, :80] = 255
    stored = np.rot90(upright, -degrees // 90)
    path = write_video(tmp_path / "turned.mp4", [stored] * 3, rotation=degrees)
    held, picture = probe(path), read_frames(path, np.array([0]))[0]
    assert (held.width, held.height) == (160, 120)
    corners = [picture[120, 160], picture[120, 480], picture[360, 160], picture[360, 480]]
    assert [corner.mean() > 128 for corner in corners] == [True, False, False, False]


def test_wide_pixels_count_for_what_they_show(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.mp4", numbered(3), pixel_aspect=Fraction(2))
    assert (probe(path).width, probe(path).height) == (320, 120)
    assert next(iterate(path, 60)).rgb.shape == (60, 160, 3)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([0.5, 1.0, 64 / 45]))
def test_the_crop_is_centred_inside_the_picture_and_as_large_as_can_be(width: int, height: int, aspect: float) -> None:
    left, top, kept_width, kept_height, shown = cut_of(width, height, aspect)
    assert shown == (left, left + kept_width)
    assert 0 <= left <= width - kept_width - left <= left + 1
    assert 0 <= top <= height - kept_height - top <= top + 1
    assert kept_width == width or kept_height == height
    # Rounding to whole pixels moves a side by half a pixel at most; a side is at least one pixel.
    wanted = kept_height * 4 / 3 / aspect
    assert abs(kept_width - wanted) <= 0.5 + 0.5 * 4 / 3 / aspect or 1 in (kept_width, kept_height)


def test_a_frame_of_the_right_size_is_left_as_it_is(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    path = write_video(tmp_path / "film.mov", [picture] * 2, codec="png", pixel_format="rgb24")
    assert np.array_equal(read_frames(path, np.array([1]))[0], picture)


def test_pictures_near_shares_of_the_length_are_small_and_follow_it(film: Path) -> None:
    pictures = list(frames_near(film, np.array([0.0, 0.5, 0.95])))
    assert {picture.shape for picture in pictures} == {(180, 240, 3)}
    numbers = [number_of(picture) for picture in pictures]
    assert numbers[0] == 0
    assert abs(numbers[1] - 30) <= 1
    assert abs(numbers[2] - 57) <= 1


def test_no_clip_and_no_frame_give_nothing(film: Path) -> None:
    assert list(read_each(film, [])) == []
    assert read_frames(film, np.empty(0, np.int64)).shape == (0, 480, 640, 3)


@given(st.integers(20, 5000), st.integers(20, 5000), st.floats(0, 0.4), st.floats(0.6, 1))
def test_a_box_that_stays_whole_lies_in_the_middle_of_the_smallest_cut(
    w: int, h: int, left: float, right: float
) -> None:
    cut, cropped = (cut_of(w, h, box=Box(left, 0, right, 1, whole=kept)) for kept in (True, False))
    first, end = round(w * left), round(w * right)
    if end - first >= h:
        assert cut == cropped
        return
    assert (cut.top, cut.height, cut.shown) == (0, h, (first, end))
    assert abs(cut.width - h * 4 / 3) <= 0.5
    assert abs((first - cut.left) - (cut.left + cut.width - end)) <= 1
    places = cut.columns(1000)
    assert np.array_equal(cut.shows(places), (places >= first) & (places < end))
