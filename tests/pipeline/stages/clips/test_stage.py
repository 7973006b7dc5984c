"""The stage ``clips``: what it declares, and what it makes of a short film."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import NoClips, StageMissing
from pipeline.contract.records import Segment
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.stage import clips
from pipeline.store.outputs import TableOutput
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.videos import walk, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of four seconds and, last, one of one second."""
    frames = [frame for seed in (3, 4) for frame in walk(seed, 40, step=3.0, size=(160, 120))]
    frames += walk(5, 10, size=(160, 120))
    return write_video(tmp_path_factory.mktemp("stage") / "film.mp4", frames)


@pytest.fixture
def video(film: Path, tmp_path: Path) -> VideoStore:
    """The film, as the stage before leaves it."""
    video = Store(tmp_path / "data").video("a")
    video.files.write_bytes(film.read_bytes(), "videos", "a", "source.mp4")
    return video


def test_it_reads_the_video_and_writes_a_table():
    assert (clips.name, clips.inputs, clips.settings) == ("clips", ("video",), ClipsSettings)
    assert clips.output == TableOutput("clips.parquet")
    assert clips.resources.gpu_share == 0


def test_every_shot_becomes_a_row_and_what_is_too_short_is_named(video: VideoStore):
    heard: list[tuple[str, float]] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        del note
        heard.append((task, done / total))

    result = filled(clips, workbench_of(video, listen))
    stored = stored_clips(video)
    assert [clip.clip_id for clip in stored] == [0, 1]
    assert result.counts == {"clips": 2, "frames": sum(len(clip.frame_index) for clip in stored)}
    assert [(item.clip_id, item.code) for item in result.left_out] == [(2, "TooShort")]
    assert all(clip.scores is not None for clip in stored)
    assert heard[-1] == ("clips", 1)


def test_only_the_stretches_that_the_catalog_wants_are_cut(video: VideoStore):
    workbench = workbench_of(video)
    row = CatalogRow("a", VideoSource.of_origin("https://a.org/v"))
    workbench.catalog.register([replace(row, segments=(Segment(4.5, 7.5),))])
    assert filled(clips, workbench).counts["clips"] == 1
    (clip,) = stored_clips(video)
    assert 4.5 <= clip.time_s[0] < clip.time_s[-1] < 7.5


def test_a_film_without_a_shot_that_is_long_enough_has_no_clip(video: VideoStore):
    with pytest.raises(NoClips, match=r"a has no shot that makes a clip: 3 TooShort \(0\.90 s, less than 20 s\)"):
        filled(clips, workbench_of(video, clips={"clip_min_s": 20}))
    assert not video.exists("clips.parquet")


def test_a_video_that_was_not_fetched_has_no_clips(tmp_path: Path):
    with pytest.raises(StageMissing, match=r"source\.mp4"):
        filled(clips, workbench_of(Store(tmp_path).video("a")))


def test_its_picture_shows_the_clips_and_names_what_was_left_out(stored_room: VideoStore):
    picture = np.asarray(clips.preview(stored_room))
    assert picture.ndim == 3
    assert picture.std() > 10
