from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import Clip, IndoorScore, SceneCategory
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.indoor_clips.rows import SCORE_COLUMNS, append_frames, indoor_scores, write_indoor_scores
from pipeline.store.outputs import TableOutput
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

KITCHEN = (SceneCategory("kitchen", 0.7), SceneCategory("pantry", 0.2))


def clip(clip_id: int) -> Clip:
    index = np.array([3, 7, 12]) + 20 * clip_id
    return Clip(clip_id, int(index[0]), int(index[-1]) + 1, index, index / 8, np.ones(3, np.float32), 0.02)


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    """A video with two clips."""
    video = Store(tmp_path).video("a")
    with TableOutput("clips.parquet").draft(video) as draft:
        draft.table = clips_table([clip(0), clip(3)])
        draft.attributes["fingerprint"] = "0123"
    return video


def test_frames_of_kept_clips_have_a_row_of_everything(video: VideoStore):
    rgb = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 480, 640, 3), np.uint8)
    with video.write_group("frames") as group:
        for kept, score in ((clip(0), 0.75), (clip(3), 0.5)):
            append_frames(group, kept, rgb, IndoorScore(score))
    assert video.read("frames", "clip_id").tolist() == [0, 0, 0, 3, 3, 3]
    assert video.read("frames", "frame_index").tolist() == [3, 7, 12, 63, 67, 72]
    assert video.read("frames", "time_s") == pytest.approx(np.array([3, 7, 12, 63, 67, 72]) / 8)
    assert video.read("frames", "indoor_score").tolist() == [0.75] * 3 + [0.5] * 3
    assert video.read("frames", "rgb", slice(4, 5)).max() == 1


def test_scores_read_back_in_the_order_of_the_clips(video: VideoStore):
    scores = [IndoorScore(0.9, categories=KITCHEN), IndoorScore(0.1)]
    write_indoor_scores(video, scores, "by whom")
    assert indoor_scores(video) == indoor_scores(video, "by whom") == scores


def test_scores_of_something_else_are_none(video: VideoStore):
    assert indoor_scores(video) == []
    write_indoor_scores(video, [IndoorScore(0.9), IndoorScore(0.1)], "by whom")
    assert indoor_scores(video, "by somebody else") == []


def test_later_scores_take_the_place_of_earlier_ones_and_the_rest_of_the_table_stays(video: VideoStore):
    before = video.read_table("clips.parquet")
    for value in (0.2, 0.8):
        write_indoor_scores(video, [IndoorScore(value), IndoorScore(value)], f"at {value}")
    after = video.read_table("clips.parquet")
    assert [score.indoor for score in indoor_scores(video, "at 0.8")] == [0.8, 0.8]
    assert after.select(before.column_names).equals(before)
    assert len(after.column_names) == len(before.column_names) + len(SCORE_COLUMNS)
    assert TableOutput("clips.parquet").noted(video) == {"fingerprint": "0123"}, "the provenance of the clips stays"


def test_every_clip_needs_its_score(video: VideoStore):
    with pytest.raises(ValueError, match="length"):
        write_indoor_scores(video, [IndoorScore(0.9)], "by whom")
    assert indoor_scores(video) == []
