"""Sizes of clips in the table of clips: written beside what is there, replaced, and known by whose they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.contract.records import Clip, IndoorScore
from pipeline.stages.chain import agrees, made_by
from pipeline.stages.clips.rows import CLIPS_SCHEMA, clips_table
from pipeline.stages.indoor_clips.rows import write_indoor_scores
from pipeline.stages.run import process_video
from pipeline.stages.scene.table import SIZE_COLUMNS, placed_by, write_sizes
from pipeline.store.groups import CLIPS
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import workbench_of

SIZES = {"world_id": 0, "scale_sigma": 0.12, "scale_cues": "floor", "ceiling_height": np.nan, "camera_height": 1.4}


def table_of(clip_ids: Sequence[int]) -> pa.Table:
    """A table of clips with these ids, three frames each."""
    numbers = [np.arange(3) + 3 * clip_id for clip_id in clip_ids]
    sharp = np.ones(3, np.float32)
    return clips_table(
        [Clip(i, int(n[0]), int(n[-1]) + 1, n, n / 3, sharp, 0.02) for i, n in zip(clip_ids, numbers, strict=True)]
    )


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    video = Store(tmp_path).video("a")
    video.write_table(CLIPS, table_of([0, 1]))
    return video


def test_clips_without_a_scene_have_no_sizes_and_the_rest_of_the_table_stays(video: VideoStore):
    before = stored_clips(video)
    write_indoor_scores(video, [IndoorScore(0.9), IndoorScore(0.2)], "a filter")
    write_sizes(video, {0: SIZES}, "a scene")
    first, second = video.read_table(CLIPS).to_pylist()
    assert {name: first[name] for name in SIZE_COLUMNS} == {**SIZES, "ceiling_height": None}
    assert {second[name] for name in SIZE_COLUMNS} == {None}
    assert (first["indoor_score"], second["indoor_score"]) == (0.9, 0.2)
    assert [clip.frame_index.tolist() for clip in stored_clips(video)] == [c.frame_index.tolist() for c in before]


def test_later_sizes_take_the_place_of_earlier_ones(video: VideoStore):
    assert placed_by(video) == ""
    write_sizes(video, {0: SIZES, 1: SIZES}, "a scene")
    write_sizes(video, {1: {**SIZES, "world_id": 1}}, "another scene")
    table = video.read_table(CLIPS)
    assert table["world_id"].to_pylist() == [None, 1]
    assert table.column_names == [*CLIPS_SCHEMA.names, *SIZE_COLUMNS]
    assert placed_by(video) == "another scene"


def test_a_scene_whose_sizes_are_gone_from_the_table_is_made_again(own_room: VideoStore):
    made = made_by(own_room, "scene")
    assert made is not None
    assert agrees(own_room, "scene", made), "an earlier release wrote none"
    scene_of = workbench_of(own_room, scene={"samples": 4000, "wall_height_m": 2.6})
    first = list(process_video(scene_of, until="scene"))[-1]
    assert not first.reused
    assert placed_by(own_room) == first.provenance.beside
    write_sizes(own_room, {}, "")
    again = list(process_video(scene_of, until="scene"))[-1]
    assert not again.reused
    assert list(process_video(scene_of, until="scene"))[-1].reused
