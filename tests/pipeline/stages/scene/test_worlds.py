"""Pieces of one shot become one map of true shape, or stay apart and say why."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import Reconstruction
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.reconstruction.rows import append_reconstruction
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.stage import scene
from pipeline.stages.scene.worlds import JOIN_SPREAD, JoinedClips
from pipeline.store.groups import CLIPS
from pipeline.store.rows import clip_rows, read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.stages.scene.test_table import table_of

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
SHOT = [looking((-0.6 + 0.12 * i, -0.6 + 0.05 * i, 1.5), (0.5 - 0.15 * i, 2.0, 1.2)) for i in range(10)]
PIECES = (range(4), range(3, 7), range(6, 10))
"""Frames of three pieces of one shot, each of which begins with the last frame of the one before it."""


def piece(frames: range, seed: int) -> Reconstruction:
    return disguise(film(ROOM, [SHOT[n] for n in frames], (60, 80))[0], seed, noise=0.003)[0]


def store(folder: Path, pieces: list[Reconstruction], frames: tuple[range, ...] = PIECES) -> VideoStore:
    video = Store(folder).video("a")
    with video.write_group("frames") as group:
        for clip_id, numbers in enumerate(frames):
            group.append("clip_id", np.full(len(numbers), clip_id, np.int32))
            group.append("frame_index", np.array(numbers))
            group.append("time_s", np.array(numbers) / 3)
            group.append("rgb", np.zeros((len(numbers), 480, 640, 3), np.uint8))
    with video.write_group("reconstruction") as group:
        for one in pieces:
            append_reconstruction(group, one)
    video.write_table(CLIPS, table_of(range(len(frames))))
    return video


def pieces() -> list[Reconstruction]:
    return [piece(frames, seed) for seed, frames in enumerate(PIECES)]


@pytest.mark.parametrize("rule", ["paper", "evidence"])
def test_pieces_of_one_shot_share_frame_floor_and_scale(tmp_path: Path, rule: str):
    video = store(tmp_path, pieces())
    result = filled(scene, workbench_of(video, scene={"samples": 4000, "scale": rule}))
    assert "clips of one world: 0, 1, 2" in result.notes
    assert video.read("scene", "world_id").tolist() == [0] * 12
    assert video.read_table(CLIPS)["world_id"].to_pylist() == [0] * 3
    cameras = video.read("scene", "camera_to_world").astype(float)
    true = np.stack([SHOT[n] for frames in PIECES for n in frames])
    metres = np.linalg.norm(cameras[0, :3, 3] - cameras[-1, :3, 3]) / np.linalg.norm(true[0, :3, 3] - true[-1, :3, 3])
    # All cameras lie as in the room, to a centimetre, after the one unknown scale of all.
    apart = np.linalg.norm(cameras[:, None, :3, 3] - cameras[None, :, :3, 3], axis=2) / metres
    wanted = np.linalg.norm(true[:, None, :3, 3] - true[None, :, :3, 3], axis=2)
    assert np.abs(apart - wanted).max() < 0.015
    assert np.abs(cameras[:, 2, 3] / metres - 1.5).max() < 0.03
    scales = [
        np.median(read_scene(video, rows).depth / film(ROOM, list(true[rows]), (60, 80))[0].depth)
        for _, rows in clip_rows(video)
    ]
    assert max(scales) / min(scales) < 1.01


@pytest.mark.parametrize("rule", ["paper", "evidence"])
def test_every_join_on_the_way_to_the_evidence_makes_a_clip_less_sure(tmp_path: Path, rule: str):
    video = store(tmp_path, pieces())
    filled(scene, workbench_of(video, scene={"samples": 4000, "scale": rule}))
    first, middle, last = video.read("scene", "scale_sigma")[[0, 4, 8]].astype(float)
    assert first == pytest.approx(last, abs=1e-6), "both are one and two joins from the others"
    assert first**2 - middle**2 == pytest.approx(JOIN_SPREAD**2 * (1 - 2 / 3), rel=1e-2)


def test_a_clip_of_its_own_world_is_as_sure_as_its_evidence():
    (stands, *_), scale = (
        upright(pieces()[0], SceneSettings(samples=4000)),
        Scale(1.0, 0.0, ScaleSource.EVIDENCE, ScaleCue.FLOOR),
    )
    alone, pair = (JoinedClips({n: np.eye(4) for n in range(count)}, stands) for count in (1, 2))
    assert alone.scale_of(0, replace(scale, sigma=0.05)).sigma == 0.05
    assert pair.scale_of(1, replace(scale, sigma=0.05)).sigma == pytest.approx(np.hypot(0.05, JOIN_SPREAD / np.sqrt(2)))


def test_similarity_of_every_piece_is_the_one_that_was_applied_to_it(tmp_path: Path):
    given = pieces()
    video = store(tmp_path, given)
    filled(scene, workbench_of(video, scene={"samples": 4000}))
    for (_, rows), one in zip(clip_rows(video), given, strict=True):
        made = read_scene(video, rows)
        moved = made.world_from_reconstruction @ one.camera_to_world.astype(float)
        assert moved[:, :3, 3] == pytest.approx(made.camera_to_world[:, :3, 3], abs=1e-3)


def test_a_piece_that_does_not_agree_stays_its_own_world_and_says_why(tmp_path: Path):
    first, second, third = pieces()
    mirrored = second.camera_to_world.copy()
    mirrored[:, 0] *= -1
    video = store(tmp_path, [first, replace(second, camera_to_world=mirrored), third])
    result = filled(scene, workbench_of(video, scene={"samples": 4000}))
    assert video.read("scene", "world_id").tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert any(note.startswith("clip 1 is not joined with clip 0: points that should") for note in result.notes)
    assert any(note.startswith("clip 2 is not joined with clip 1: points that should") for note in result.notes)


def test_pieces_that_share_no_frame_are_made_as_before(tmp_path: Path):
    apart = tuple(range(10 * n, 10 * n + 4) for n in range(3))
    video = store(tmp_path, pieces(), apart)
    result = filled(scene, workbench_of(video, scene={"samples": 4000}))
    assert video.read("scene", "world_id").tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert not any("world" in note or "joined" in note for note in result.notes)


def test_scenes_by_the_papers_rule_stand_and_those_by_evidence_are_made_with_all_of_it():
    assert SceneSettings().earlier() == ("14", "13", "12", "11", "10", "9", "8", "7", "6", "5", "4", "3", "2")
    assert SceneSettings(scale="evidence").earlier() == ()
