"""The stage ``indoor_clips``: what it declares, what it keeps, and that a score is asked for once."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import NoIndoorClip, StageMissing
from pipeline.contract.records import IndoorScore, SceneCategory
from pipeline.media import read_frames
from pipeline.stages.indoor_clips.backends import SETTINGS
from pipeline.stages.indoor_clips.imagenet import ImageNetFilter
from pipeline.stages.indoor_clips.rows import indoor_scores, write_indoor_scores
from pipeline.stages.indoor_clips.sky_rule import SkyRule
from pipeline.stages.indoor_clips.stage import _scored_by, _shown, indoor_clips
from pipeline.store.groups import CLIPS
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.stored_room import FRAMES


def scored(video: VideoStore, *values: float, **backend: object) -> None:
    """Leave scores in the table as the stage itself would have."""
    settings = workbench_of(video, indoor_clips=backend).settings.of(indoor_clips)
    write_indoor_scores(video, [IndoorScore(value) for value in values], _scored_by(video, settings))


def test_it_reads_video_and_clips_and_writes_frames():
    assert (indoor_clips.name, indoor_clips.inputs) == ("indoor_clips", ("video", "clips"))
    assert indoor_clips.settings is SETTINGS
    assert indoor_clips.output == GroupOutput("frames")
    assert [check.__name__ for check in indoor_clips.checks] == ["frames_shape"]


def test_every_clip_is_scored_and_those_that_reach_the_threshold_are_kept(own_room: VideoStore):
    result = filled(indoor_clips, workbench_of(own_room, indoor_clips={"threshold": 0}))
    assert result.backend == "imagenet"
    assert result.counts["clips"] == 2
    clips = stored_clips(own_room)
    with own_room.local_file("source.mp4") as path:
        frames = read_frames(path, np.concatenate([clip.frame_index for clip in clips]))
    assert np.array_equal(own_room.read("frames", "rgb"), frames)
    expected = [ImageNetFilter().score(frames[:FRAMES]).indoor, ImageNetFilter().score(frames[FRAMES:]).indoor]
    assert [score.indoor for score in indoor_scores(own_room)] == pytest.approx(expected)
    assert result.counts["mean_score"] == pytest.approx(np.mean(expected))


def test_a_clip_below_the_threshold_is_left_out_with_its_score(own_room: VideoStore):
    scored(own_room, 0.2, 0.8)
    result = filled(indoor_clips, workbench_of(own_room))
    assert [(item.clip_id, item.code, item.detail) for item in result.left_out] == [
        (0, "NotIndoor", "P(indoor) 0.20 < 0.50")
    ]
    assert set(own_room.read("frames", "clip_id").tolist()) == {1}
    assert own_room.read("frames", "indoor_score") == pytest.approx(0.8)
    assert result.counts["clips_left_out"] == 1


def test_a_clip_that_people_fill_is_left_out_however_sure_its_room_is(own_room: VideoStore):
    settings = workbench_of(own_room).settings.of(indoor_clips)
    scores = [IndoorScore(0.99, people="people fill the picture"), IndoorScore(0.8)]
    write_indoor_scores(own_room, scores, _scored_by(own_room, settings))
    result = filled(indoor_clips, workbench_of(own_room))
    assert [(item.clip_id, item.code) for item in result.left_out] == [(0, "People")]
    assert [score.people for score in indoor_scores(own_room)] == ["people fill the picture", ""]


def test_where_people_fill_all_clips_the_reason_is_told(own_room: VideoStore):
    settings = workbench_of(own_room).settings.of(indoor_clips)
    write_indoor_scores(own_room, [IndoorScore(0.9, people="people fill it")] * 2, _scored_by(own_room, settings))
    with pytest.raises(NoIndoorClip, match=r"best score 0\.90; 2 filled by people") as ended:
        filled(indoor_clips, workbench_of(own_room))
    assert [(item.clip_id, item.code) for item in ended.value.left_out] == [(0, "People"), (1, "People")]


def test_scores_of_an_earlier_release_say_nothing_of_people(own_room: VideoStore):
    scored(own_room, 0.25, 0.75)
    own_room.write_table(CLIPS, own_room.read_table(CLIPS).drop_columns(["people"]))
    assert [(score.indoor, score.people) for score in indoor_scores(own_room)] == [(0.25, ""), (0.75, "")]


def test_another_threshold_asks_no_backend_again(own_room: VideoStore):
    scored(own_room, 0.2, 0.8)
    filled(indoor_clips, workbench_of(own_room, indoor_clips={"threshold": 0.1}))
    assert [score.indoor for score in indoor_scores(own_room)] == [0.2, 0.8], "no rule gives such round numbers"


def test_scores_of_other_clips_or_another_backend_are_not_used(own_room: VideoStore):
    scored(own_room, 0.25, 0.75)
    filled(indoor_clips, workbench_of(own_room, indoor_clips={"threshold": 0, "imagenet": {"frames": 3}}))
    assert 0.25 not in [score.indoor for score in indoor_scores(own_room)]


def test_where_no_clip_is_indoors_the_best_score_is_told_and_all_are_kept(own_room: VideoStore):
    scored(own_room, 0.2, 0.31)
    with pytest.raises(NoIndoorClip, match=r"room: none of 2 clips is indoors \(best score 0\.31\)"):
        filled(indoor_clips, workbench_of(own_room))
    assert [score.indoor for score in indoor_scores(own_room)] == [0.2, 0.31]
    assert len(own_room.read("frames", "rgb")) == FRAMES, "the earlier result stays"


def test_progress_names_the_clips(own_room: VideoStore):
    heard: list[str] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        heard.append(f"{task} {done:g}/{total:g} {note}")

    scored(own_room, 0.9, 0.9)
    filled(indoor_clips, workbench_of(own_room, listen))
    assert heard == ["indoor_clips 0/2 clip 0", "indoor_clips 1/2 clip 1"]


def test_kinds_of_room_are_noted_where_the_backend_tells_them(own_room: VideoStore):
    rule = {"backend": "sky_rule", "threshold": 0}
    assert filled(indoor_clips, workbench_of(own_room, indoor_clips=rule)).notes == ()
    kitchen = (SceneCategory("kitchen", 0.7), SceneCategory("pantry", 0.2))
    kinds = [IndoorScore(0.9, categories=kitchen), IndoorScore(0.9, categories=(SceneCategory("bedroom", 0.6),))]
    settings = workbench_of(own_room).settings.of(indoor_clips)
    write_indoor_scores(own_room, kinds, _scored_by(own_room, settings))
    notes = filled(indoor_clips, workbench_of(own_room)).notes
    assert notes == ("clip 0: kitchen 0.70, pantry 0.20", "clip 1: bedroom 0.60")


def test_a_video_that_was_not_cut_cannot_be_filtered(tmp_path: Path):
    with pytest.raises(StageMissing, match=r"clips\.parquet"):
        filled(indoor_clips, workbench_of(Store(tmp_path).video("a")))


def test_backends_see_nothing_of_the_black_beside_upright_pictures():
    rgb = np.zeros((2, 480, 640, 3), np.uint8)
    rgb[:, :, 187:453] = np.random.default_rng(0).integers(60, 256, (2, 480, 266, 3))
    assert np.array_equal(_shown(rgb, ImageNetFilter()), rgb[:, :, 187:453])
    middle = _shown(rgb, SkyRule())
    assert middle.shape == (2, 480, 640, 3)
    assert (middle.max(axis=(0, 1, 3)) > 0).all()
