"""Shots of one room become one map of true shape, shots of two rooms stay apart."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.stages.reconstruction.rows import append_reconstruction
from pipeline.stages.scene.metric import upright_together
from pipeline.stages.scene.settings import SHOTS_APART, SceneSettings
from pipeline.stages.scene.stage import scene
from pipeline.store.groups import CLIPS
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.box_room import film, looking
from tests.pipeline.disguise import disguise
from tests.pipeline.room_video import picture_of_room
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.stages.scene.test_table import table_of
from tests.pipeline.stored_room import ROOM

AHEAD = [looking((1.0 + 0.15 * i, 0.4, 1.5), (1.9, 3.0, 0.8)) for i in range(4)]
ASIDE = [looking((2.6 + 0.1 * i, 0.7, 1.4), (1.7, 3.0, 0.7)) for i in range(4)]
BEHIND = [looking((1.0 + 0.15 * i, 1.9, 1.5), (2.2, 0.1, 0.5)) for i in range(4)]
SHAPE = (120, 160)


def store(folder: Path, *shots: list[np.ndarray]) -> VideoStore:
    """Store shots of the room, each a clip in a frame and unit of its own, without common frames."""
    video = Store(folder).video("a")
    with video.write_group("frames") as group:
        for clip_id, cameras in enumerate(shots):
            numbers = np.arange(len(cameras)) + 10 * clip_id
            group.append("clip_id", np.full(len(cameras), clip_id, np.int32))
            group.append("frame_index", numbers)
            group.append("time_s", numbers / 3)
            group.append("rgb", np.stack([picture_of_room(camera) for camera in cameras]))
    with video.write_group("reconstruction") as group:
        for seed, cameras in enumerate(shots):
            append_reconstruction(group, disguise(film(ROOM, cameras, SHAPE)[0], seed, noise=0.003)[0])
    video.write_table(CLIPS, table_of(range(len(shots))))
    return video


def lie_as_in_the_room(video: VideoStore, rows: slice, cameras: list[np.ndarray]) -> bool:
    """Whether all cameras lie as in the room, to two centimetres, after the one unknown scale of all."""
    found = video.read("scene", "camera_to_world", rows).astype(float)[:, :3, 3]
    true = np.stack(cameras)[:, :3, 3]
    apart, wanted = (np.linalg.norm(one[:, None] - one[None], axis=2) for one in (found, true))
    return bool(np.abs(apart * (wanted.max() / apart.max()) - wanted).max() < 0.02)


@pytest.mark.parametrize("rule", ["paper", "evidence"])
def test_shots_that_show_one_place_share_frame_floor_and_scale(tmp_path: Path, rule: str):
    video = store(tmp_path, AHEAD, ASIDE)
    result = filled(scene, workbench_of(video, scene={"samples": 4000, "scale": rule}))
    assert "clips of one world: 0, 1" in result.notes
    assert any(note.startswith("clips 0 and 1 show one place: ") for note in result.notes)
    assert video.read("scene", "world_id").tolist() == [0] * 8
    assert lie_as_in_the_room(video, slice(0, 8), AHEAD + ASIDE)


def test_shots_from_two_heights_are_no_camera_that_climbs():
    low, high = ([looking((1.0 + 0.15 * i, 0.4, z), (1.9, 3.0, 0.8)) for i in range(4)] for z in (1.3, 1.7))
    pieces = [as_reconstruction(film(ROOM, cameras, SHAPE)[0]) for cameras in (low, high)]
    of_two, of_one = (upright_together(pieces, shots, SceneSettings(samples=4000)) for shots in ([0, 1], [0, 0]))
    assert of_two.evidence.camera_range < 0.01
    assert of_one.evidence.camera_range == pytest.approx(0.4, abs=0.02)


def as_reconstruction(exact: MetricScene) -> Reconstruction:
    return Reconstruction(exact.intrinsics, exact.camera_to_world, exact.depth, exact.confidence, exact.registered)


def test_shots_that_show_other_walls_stay_apart(tmp_path: Path):
    video = store(tmp_path, AHEAD, BEHIND)
    result = filled(scene, workbench_of(video, scene={"samples": 4000}))
    assert video.read("scene", "world_id").tolist() == [0] * 4 + [1] * 4
    assert not any("one" in note for note in result.notes)


def test_clips_with_others_between_them_are_one_world_in_the_order_of_the_video(tmp_path: Path):
    video = store(tmp_path, AHEAD, BEHIND, ASIDE)
    result = filled(scene, workbench_of(video, scene={"samples": 4000}))
    assert "clips of one world: 0, 2" in result.notes
    assert video.read("scene", "world_id").tolist() == [0] * 4 + [1] * 4 + [0] * 4
    both = video.read("scene", "camera_to_world").astype(float)[[0, 1, 2, 3, 8, 9, 10, 11], :3, 3]
    true = np.stack(AHEAD + ASIDE)[:, :3, 3]
    apart, wanted = (np.linalg.norm(one[:, None] - one[None], axis=2) for one in (both, true))
    assert np.abs(apart * (wanted.max() / apart.max()) - wanted).max() < 0.02


def test_whoever_wants_none_of_it_has_a_world_a_shot(tmp_path: Path):
    video = store(tmp_path, AHEAD, ASIDE)
    filled(scene, workbench_of(video, scene={"samples": 4000, "join_shots": False}))
    assert video.read("scene", "world_id").tolist() == [0] * 4 + [1] * 4


def test_scenes_of_shots_apart_stand_by_the_papers_rule_alone():
    assert SHOTS_APART in SceneSettings().earlier()
    assert SceneSettings(scale="evidence").earlier() == ()
    assert "join_shots" not in SceneSettings().decisive()
    assert SceneSettings(join_shots=False).decisive()["join_shots"] is False
