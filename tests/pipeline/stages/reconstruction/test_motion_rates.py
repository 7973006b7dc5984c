"""Films whose picture slides at a known speed: how fast frames of clips move is read from the frames beside them."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.contract.records import Clip
from pipeline.geometry.distortion import STRAIGHT
from pipeline.geometry.picture_motion import FOCAL
from pipeline.stages.reconstruction.motion_rates import motion_rates
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.geometry.test_picture_motion import scenery

SLIDE = 240.0
"""Pixels a second to the left."""


def film(folder: Path, rate: int, shown_each: int = 1, frames: int = 24) -> VideoStore:
    """A film that shows each of its pictures so many times."""
    scene, path, video = scenery(9), folder / "film.mp4", Store(folder).video("a")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(frames):
            left = round(SLIDE * (number // shown_each * shown_each) / rate)
            picture = np.repeat(scene[300:780, 100 + left : 740 + left, None], 3, 2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    video.place(path, SOURCE_VIDEO)
    return video


def clip(rate: int, start: int, end: int, frames: list[int], clip_id: int = 0) -> Clip:
    index = np.array(frames)
    return Clip(clip_id, start, end, index, index / rate, np.ones(len(frames), np.float32), 0.1)


def pixels_a_second(rates: np.ndarray) -> np.ndarray:
    """How fast the middle of the picture goes to the right."""
    return rates[:, 1] * FOCAL + rates[:, 3]


@pytest.mark.parametrize(("rate", "shown_each"), [(24, 1), (30, 1), (60, 1), (60, 2)])
def test_the_speed_is_found_at_every_frame_rate(tmp_path: Path, rate: int, shown_each: int):
    own = clip(rate, 0, 24, [4, 10, 16])
    found = motion_rates(film(tmp_path, rate, shown_each), [(own, [4, 10, 16])], STRAIGHT)
    assert found is not None
    assert pixels_a_second(found[0]) == pytest.approx(-SLIDE, rel=0.06)


def test_ends_of_a_shot_are_told_by_one_side_and_clips_share_frames(tmp_path: Path):
    first, second = clip(30, 0, 12, [0, 6, 11]), clip(30, 11, 24, [11, 17, 23], clip_id=1)
    wanted = [(first, [0, 6, 11]), (second, [11, 17, 23])]
    found = motion_rates(film(tmp_path, 30), wanted, STRAIGHT)
    assert found is not None
    assert [len(rates) for rates in found] == [3, 3]
    assert np.concatenate([pixels_a_second(rates) for rates in found]) == pytest.approx(-SLIDE, rel=0.06)
    assert np.array_equal(found[0][2], found[1][0])


def test_a_shot_of_one_frame_tells_nothing_and_nothing_wanted_gives_nothing(tmp_path: Path):
    video, alone = film(tmp_path, 30), clip(30, 7, 8, [7])
    found = motion_rates(video, [(alone, [7]), (alone, [])], STRAIGHT)
    assert found is not None
    assert np.isnan(found[0]).all()
    assert found[1].shape == (0, 9)


def test_a_film_that_is_gone_or_ends_too_soon_tells_nothing(tmp_path: Path):
    video, own = film(tmp_path, 30), clip(30, 0, 24, [4, 10])
    longer = replace(own, end_frame=40, frame_index=np.array([4, 35]))
    assert motion_rates(video, [(longer, [4, 35])], STRAIGHT) is None
    video.remove(SOURCE_VIDEO)
    assert motion_rates(video, [(own, [4, 10])], STRAIGHT) is None
