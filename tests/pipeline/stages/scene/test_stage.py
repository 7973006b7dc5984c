"""The stage ``scene``: what it declares, and what it makes of a room in its own unit."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import NothingReconstructed, StageMissing
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.rows import append_reconstruction, blank_reconstruction, further_arrays
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.stage import scene
from pipeline.stages.scene.table import SIZE_COLUMNS, placed_by
from pipeline.store.groups import CLIPS
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows, read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise
from tests.pipeline.stages.filling import filled, replaced, workbench_of
from tests.pipeline.stages.scene.test_table import table_of

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
WALK = [looking((-0.6 + 0.12 * i, -0.6 + 0.05 * i, 1.5), (0.5 - 0.15 * i, 2.0, 1.2)) for i in range(4)]
QUICK = {"scale": "paper", "samples": 4000}


def reconstructed(seed: int) -> Reconstruction:
    return disguise(film(ROOM, WALK, (60, 80))[0], seed)[0]


def store(folder: Path, *clips: Reconstruction) -> VideoStore:
    """A video of which these clips were reconstructed."""
    video = Store(folder).video("a")
    with video.write_group("frames") as group:
        for clip_id, clip in enumerate(clips):
            group.append("clip_id", np.full(len(clip.depth), 2 * clip_id, np.int32))
            group.append("time_s", np.arange(len(clip.depth)) / 3)
            group.append("frame_index", np.arange(len(clip.depth)) + 100 * clip_id)
            group.append("rgb", np.zeros((len(clip.depth), 480, 640, 3), np.uint8))
    with video.write_group("reconstruction") as group:
        for clip in clips:
            append_reconstruction(group, clip, further_arrays(clips))
    video.write_table(CLIPS, table_of([2 * clip_id for clip_id in range(len(clips))]))
    return video


def shapeless() -> Reconstruction:
    found = reconstructed(0)
    depth = np.random.default_rng(0).uniform(0.5, 4, found.depth.shape).astype(np.float32)
    return Reconstruction(found.intrinsics, found.camera_to_world, depth, found.confidence, found.registered)


def test_it_reads_frames_and_reconstruction_and_writes_the_scene():
    assert (scene.name, scene.settings) == ("scene", SceneSettings)
    assert scene.inputs == ("indoor_clips", "reconstruction")
    assert scene.output == GroupOutput("scene")
    assert [check.__name__ for check in scene.checks] == ["depth_share", "up_confidence"]


def test_every_clip_comes_to_stand_upright_and_in_metres_by_itself(tmp_path: Path):
    video = store(tmp_path, reconstructed(1), reconstructed(2))
    result = filled(scene, workbench_of(video, scene=QUICK))
    assert result.counts["clips"] == 2
    assert result.notes == ("scale from floor_to_ceiling: 2 clips",)
    for _, rows in clip_rows(video):
        found = read_scene(video, rows)
        # 1.5 m in a room of 2.6 m that counts as 2.8 m high.
        assert found.camera_to_world[:, 2, 3] == pytest.approx(1.5 * 2.8 / 2.6, abs=0.03)
        assert found.ceiling_height == pytest.approx(2.8)
    assert result.counts["mean_up_confidence"] == pytest.approx(video.read("scene", "up_confidence").mean())


def test_a_clip_that_shows_no_up_is_blank_and_named_and_the_others_go_on(tmp_path: Path):
    video = store(tmp_path, shapeless(), reconstructed(1))
    result = filled(scene, workbench_of(video, scene=QUICK))
    assert [(item.clip_id, item.code) for item in result.left_out] == [(0, "NoUpDirection")]
    assert video.read("scene", "registered").tolist() == [False] * 4 + [True] * 4
    assert not video.read("scene", "depth", slice(0, 4)).any()
    assert result.counts["clips"] == 1


def test_a_clip_that_was_not_reconstructed_is_blank_and_was_named_before(tmp_path: Path):
    video = store(tmp_path, reconstructed(1), blank_reconstruction(4, 60, 80))
    result = filled(scene, workbench_of(video, scene=QUICK))
    assert result.left_out == ()
    assert result.counts["clips"] == 1
    assert not video.read("scene", "registered")[4:].any()


def test_a_clip_that_moves_too_fast_is_blank_and_named(tmp_path: Path):
    video = store(tmp_path, reconstructed(1), reconstructed(2))
    video_s = video.read("frames", "time_s")
    replaced(video, "frames", time_s=np.concatenate([video_s[:4] / 20, video_s[4:]]))
    result = filled(scene, workbench_of(video, scene=QUICK))
    assert [(item.clip_id, item.code) for item in result.left_out] == [(0, "TooFast")]
    assert video.read("scene", "registered").tolist() == [False] * 4 + [True] * 4


def test_where_no_clip_can_be_set_upright_the_video_ends(tmp_path: Path):
    video = store(tmp_path, shapeless())
    with pytest.raises(NothingReconstructed, match=r"a: no clip could be set upright \(1 left out\)") as ended:
        filled(scene, workbench_of(video, scene=QUICK))
    assert [(item.stage, item.clip_id) for item in ended.value.left_out] == [("scene", 0)]
    assert not video.has_group("scene")


def test_the_table_of_clips_says_how_large_each_is_and_how_sure_that_is(tmp_path: Path):
    video = store(tmp_path, shapeless(), reconstructed(1))
    filled(scene, workbench_of(video, scene=QUICK))
    nothing, found = video.read_table(CLIPS).select(list(SIZE_COLUMNS)).to_pylist()
    assert nothing == dict.fromkeys(SIZE_COLUMNS)
    made = read_scene(video, slice(4, 8))
    for name in ("world_id", "scale_sigma", "ceiling_height", "camera_height"):
        assert found[name] == pytest.approx(getattr(made, name)), name
    assert found["scale_cues"] == "floor+ceiling"
    assert placed_by(video) == "0123456789abcdef"


def test_settings_reach_the_clips(tmp_path: Path):
    video = store(tmp_path, reconstructed(1))
    filled(scene, workbench_of(video, scene={**QUICK, "wall_height_m": 2.5}))
    assert video.read("scene", "ceiling_height") == pytest.approx(2.5)


def test_what_was_not_reconstructed_has_no_scene(tmp_path: Path):
    with pytest.raises(StageMissing):
        filled(scene, workbench_of(Store(tmp_path).video("a")))
