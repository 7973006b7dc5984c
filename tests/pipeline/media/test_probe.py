"""Odd files of the field are told right: how long, how many frames, which track, and whether they are whole."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.media import check_decodes, frames_near, iterate, probe
from pipeline.stages.video.containers import check_whole
from tests.pipeline.media.films import RATE, stream_of, with_edit_list, with_preview
from tests.pipeline.videos import number_of, numbered, write_video

NAMES = {"mpegts": "ts"}
SHARES = np.array([0.0, 0.4, 0.8])


def test_joined_streams_whose_time_begins_anew_last_as_long_as_both(tmp_path: Path):
    parts = [stream_of(tmp_path / f"{i}.ts", numbered(30)[i * 15 : i * 15 + 15], start_s=5.0) for i in range(2)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    held = probe(path)
    assert (held.frame_count, held.duration_s, held.fps) == (
        30,
        pytest.approx(30 / RATE, abs=1e-3),
        pytest.approx(12, abs=0.01),
    )
    assert "run back or jump" in held.notes[0]
    frames = list(iterate(path, 60))
    assert [number_of(frame.rgb) for frame in frames] == list(range(30))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(30) / RATE, abs=1e-4)
    assert [frame.index for frame in frames if not frame.follows] == [15]
    check_decodes(path)
    assert [number_of(picture) for picture in frames_near(path, SHARES)] == [0, 12, 24]


def test_a_counter_that_wraps_goes_on(tmp_path: Path):
    """MPEG counts 33 bits of 90 kHz: after 26.5 h it begins anew."""
    wrap_s = 2**33 / 90000
    path = tmp_path / "wraps.ts"
    path.write_bytes(stream_of(path, numbered(24), start_s=wrap_s - 1))
    held = probe(path)
    assert (held.frame_count, held.duration_s) == (24, pytest.approx(2, abs=1e-3))
    assert [frame.time_s for frame in iterate(path, 60)] == pytest.approx(np.arange(24) / RATE, abs=1e-4)


def test_a_stream_with_a_single_key_frame_decodes(tmp_path: Path):
    path = tmp_path / "sparse.ts"
    stream_of(path, numbered(50))
    check_decodes(path)
    assert probe(path).frame_count == 50
    assert [number_of(picture) for picture in frames_near(path, SHARES)] == pytest.approx([0, 20, 40], abs=1)


@pytest.mark.parametrize("start_s", [0.5, 3600.0])
def test_time_counts_from_the_first_frame_shown(tmp_path: Path, start_s: float):
    ticks = [round(start_s * RATE) + i for i in range(24)]
    path = write_video(tmp_path / "late.mkv", numbered(24), fps=RATE, ticks=ticks)
    held = probe(path)
    assert held.duration_s == pytest.approx(2, abs=0.01)
    assert next(iterate(path, 60)).time_s == 0
    check_decodes(path)
    assert [number_of(picture) for picture in frames_near(path, SHARES)] == pytest.approx([0, 10, 20], abs=1)


@pytest.mark.parametrize("flagged", [True, False])
def test_the_film_is_read_and_not_the_preview_before_it(tmp_path: Path, flagged: bool):
    preview = numbered(5, 80, 64)
    path = with_preview(tmp_path / "two.mkv", numbered(24), preview, flagged=flagged)
    held = probe(path)
    assert (held.width, held.height, held.frame_count) == (160, 120, 24)
    assert "2 video tracks" in held.notes[0]
    check_decodes(path)


def test_an_edit_list_shows_a_part_and_the_file_is_whole(tmp_path: Path):
    path = with_edit_list(tmp_path / "trimmed.mp4", numbered(48), first=12, count=24)
    held = probe(path)
    assert (held.frame_count, held.duration_s) == (24, pytest.approx(2, abs=0.05))
    assert [number_of(frame.rgb) for frame in iterate(path, 60)] == list(range(12, 36))


@pytest.mark.parametrize("trailer", [b"\x05\x06\x07\x08" * 150, b"\xff" * 600, b"\0\1\2\3" * 2])
def test_what_a_camera_writes_behind_the_last_box_is_passed_over(tmp_path: Path, trailer: bytes):
    path = write_video(tmp_path / "film.mp4", numbered(6))
    path.write_bytes(path.read_bytes() + trailer)
    check_whole(path)
    assert probe(path).frame_count == 6


def test_a_transport_stream_is_not_judged_by_a_length_that_nobody_stated(tmp_path: Path):
    first, second = (stream_of(tmp_path / f"{i}.ts", numbered(12), start_s=start) for i, start in enumerate((0, 9000)))
    path = tmp_path / "jumps.ts"
    path.write_bytes(first + second)
    assert probe(path).duration_s == pytest.approx(2, abs=1e-3)


def test_half_a_film_is_still_cut_off(tmp_path: Path):
    path = write_video(tmp_path / "film.mp4", numbered(60), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(BrokenVideo, match="cut off"):
        probe(path)


@pytest.mark.parametrize(
    ("container", "suffix", "codec"),
    [
        ("asf", "wmv", "wmv2"),
        ("asf", "asf", "mpeg4"),
        ("3gp", "3gp", "mpeg4"),
        ("vob", "vob", "mpeg2video"),
        ("mpegts", "m2ts", "libx264"),
        ("mp4", "insv", "libx264"),
        ("flv", "flv", "flv1"),
    ],
)
def test_containers_that_cameras_and_discs_use_are_read(tmp_path: Path, container: str, suffix: str, codec: str):
    made = write_video(
        tmp_path / f"film.{NAMES.get(container, container)}", numbered(30, 176, 144), fps=25, codec=codec
    )
    path = made.rename(tmp_path / f"film.{suffix}")
    held = probe(path)
    assert (held.width, held.height, held.frame_count) == (176, 144, 30)
    assert held.duration_s == pytest.approx(1.2, abs=0.05)
    check_decodes(path)
    frames = list(iterate(path, 72))
    assert [number_of(frame.rgb) for frame in frames] == list(range(30))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(30) / 25, abs=0.002)
    assert all(frame.follows for frame in frames)
