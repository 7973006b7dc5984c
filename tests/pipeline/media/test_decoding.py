"""Fields become pictures, damaged packets are skipped and counted, and a new size begins something new."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.media import iterate, probe, read_frames
from tests.pipeline.media.films import interlaced, stream_of, with_broken_packets
from tests.pipeline.videos import number_of, numbered, walk, write_video


def combing(rgb: np.ndarray) -> float:
    """How much neighbouring lines differ more than every second one, mean levels."""
    green = rgb[..., 1].astype(float)
    return float(np.abs(np.diff(green, axis=0)).mean() - np.abs(green[2:] - green[:-2]).mean())


def test_two_fields_become_a_picture_and_frames_keep_their_numbers(tmp_path: Path):
    film = walk(5, 24, step=6, size=(320, 240))
    path = interlaced(tmp_path / "interlaced.mp4", film)
    assert probe(path).frame_count == 12
    assert "interlaced" in probe(path).notes[0]
    frames = list(iterate(path, 240))
    assert [frame.index for frame in frames] == list(range(12))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 6)
    assert combing(np.where(np.arange(240)[:, None, None] % 2, film[5], film[4])) > 3, "woven, lines differ"
    assert max(combing(frame.rgb) for frame in frames) < 0
    for frame in frames[1:-1]:
        nearest = [np.abs(frame.rgb.astype(int) - picture).mean() for picture in film]
        assert int(np.argmin(nearest)) // 2 == frame.index


def test_a_film_that_is_not_interlaced_is_left_as_it_is(tmp_path: Path):
    path = write_video(tmp_path / "film.mp4", walk(5, 4), options={})
    assert probe(path).notes == ()


def test_a_broken_packet_is_skipped_and_counted(tmp_path: Path):
    path = with_broken_packets(
        write_video(tmp_path / "film.mp4", numbered(60), codec="png", pixel_format="rgb24"), [20]
    )
    frames = list(iterate(path, 60))
    assert [number_of(frame.rgb) for frame in frames] == [*range(20), *range(21, 60)]
    assert [frame.index for frame in frames] == list(range(59))
    assert (frames[19].lost, frames[20].lost, frames[-1].lost) == (0, 1, 1)
    again = read_frames(path, np.array([19, 20]))
    assert [number_of(picture) for picture in again] == [19, 21], "every reader counts alike"


def test_many_broken_packets_are_a_broken_video(tmp_path: Path):
    path = write_video(tmp_path / "film.mp4", numbered(60), codec="png", pixel_format="rgb24")
    with_broken_packets(path, range(20, 40))
    with pytest.raises(BrokenVideo, match=r"film\.mp4 cannot be decoded: ."):
        list(iterate(path, 60))


def test_where_the_size_changes_something_new_begins(tmp_path: Path):
    parts = [stream_of(tmp_path / f"{w}.ts", walk(w, 12, size=(w, 240))) for w in (320, 432)]
    path = tmp_path / "sizes.ts"
    path.write_bytes(b"".join(parts))
    frames = list(iterate(path, 120))
    assert [frame.index for frame in frames if not frame.follows] == [12]
    assert {frame.rgb.shape for frame in frames} == {(120, 160, 3), (120, 216, 3)}
