from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.pictures.thumbnails import thumbnails
from pipeline.store.video import VideoStore
from tests.pipeline.media.films import stream_of
from tests.pipeline.stored_room import FPS, FRAMES
from tests.pipeline.videos import number_of, numbered


def test_thumbnails_are_the_frames_at_their_times(room: VideoStore):
    stored = room.read("frames", "rgb")
    with room.local_file("source.mp4") as path:
        found = thumbnails(path, [0.0, (FRAMES - 1) / FPS, 1000.0])
    assert len(found) == 2, "the time past the end gives none"
    difference = np.abs(found.astype(int) - stored[[0, FRAMES - 1]])
    assert np.median(difference) <= 6, "colours survive H.264 and chroma subsampling"


def write_video(path: Path, frames: int = 8, size: tuple[int, int] = (320, 240)) -> None:
    """A video at 4 frames a second whose upper half is red, and whose lower half gets brighter frame by frame."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4, options={"crf": "10", "preset": "ultrafast", "g": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames):
            picture = np.full((size[1], size[0], 3), 25 * i, np.uint8)
            picture[: size[1] // 2] = (200, 30, 30)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_a_time_between_frames_gives_the_next_one_also_across_key_frames(tmp_path: Path):
    write_video(tmp_path / "video.mp4")
    times = [0.0, 0.1, 0.25, 1.1, 1.75]
    found = thumbnails(tmp_path / "video.mp4", times)
    assert found.shape == (5, 480, 640, 3)
    grey = found[:, 400, 320].mean(axis=1)
    np.testing.assert_allclose(grey, 25 * np.array([0, 1, 1, 5, 7]), atol=6)


def test_times_may_come_in_any_order(tmp_path: Path):
    write_video(tmp_path / "video.mp4")
    forwards, backwards = (thumbnails(tmp_path / "video.mp4", times) for times in ([0.5, 1.5], [1.5, 0.5]))
    np.testing.assert_array_equal(forwards, backwards[::-1])


def test_no_time_gives_no_picture(tmp_path: Path):
    write_video(tmp_path / "video.mp4")
    assert thumbnails(tmp_path / "video.mp4", []).shape == (0, 480, 640, 3)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path):
    (tmp_path / "video.mp4").write_bytes(b"no video at all")
    with pytest.raises(BrokenVideo):
        thumbnails(tmp_path / "video.mp4", [0.0])


def test_thumbnails_of_joined_recordings_are_those_of_the_time_that_rises(tmp_path: Path):
    parts = [stream_of(tmp_path / f"{i}.ts", numbered(30)[i * 15 : i * 15 + 15], start_s=5.0) for i in range(2)]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    found = thumbnails(tmp_path / "joined.ts", [2.0, 0.25, 1.0])
    assert [number_of(picture) for picture in found] == [24, 3, 12]
