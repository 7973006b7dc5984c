"""Records of known scenes, and what moving pixels do to a scene."""

import dataclasses

import numpy as np
import pytest

from pipeline.contract.records import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    ClipScores,
    FrameGrid,
    IndoorScore,
    LeftOut,
    MetricScene,
    Occupancy,
    Reconstruction,
    SceneCategory,
    Segment,
    Semantics,
    without_moving,
)
from pipeline.contract.scale import ScaleSource

SHAPE = (2, 3, 4)


@pytest.fixture
def scene() -> MetricScene:
    depth = np.arange(24, dtype=np.float32).reshape(SHAPE)
    cameras = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    return MetricScene.known(np.tile(np.eye(3, dtype=np.float32), (2, 1, 1)), cameras, depth)


def semantics(moving: np.ndarray | None) -> Semantics:
    return Semantics(np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint16), moving=moving)


def test_a_known_scene_is_all_registered_and_certain_where_it_has_depth(scene: MetricScene):
    assert scene.registered.tolist() == [True, True]
    assert scene.confidence.dtype == np.float32
    assert np.array_equal(scene.confidence, (scene.depth > 0).astype(np.float32))
    assert scene.up_confidence == 1


def test_a_known_scene_rests_on_no_scale_and_no_ceiling(scene: MetricScene):
    assert scene.scale_source is ScaleSource.NONE
    assert np.isnan(scene.ceiling_height)
    assert np.array_equal(scene.world_from_reconstruction, np.eye(4))


def test_what_moves_has_no_depth_and_the_rest_keeps_it(scene: MetricScene):
    moving = np.zeros(SHAPE, np.bool_)
    moving[1, 2] = True
    left = without_moving(scene, semantics(moving))
    assert not left.depth[moving].any()
    assert np.array_equal(left.depth[~moving], scene.depth[~moving])
    assert left.depth.dtype == scene.depth.dtype
    assert scene.depth[1, 2].all(), "the scene that was given stays as it was"


def test_only_depth_changes_where_something_moves(scene: MetricScene):
    left = without_moving(scene, semantics(np.ones(SHAPE, np.bool_)))
    others = [field.name for field in dataclasses.fields(MetricScene) if field.name != "depth"]
    assert all(getattr(left, name) is getattr(scene, name) for name in others)


def test_a_backend_that_cannot_tell_what_moves_changes_nothing(scene: MetricScene):
    assert without_moving(scene, semantics(None)) is scene


def test_scales_are_ordered_from_the_best_and_stored_as_their_numbers():
    # ``scene/scale_source`` of stored datasets holds these numbers.
    names = ["NONE", "FLOOR_TO_CEILING", "FLOOR_AND_TOP", "CEILING_AND_BOTTOM", "CAMERA_HEIGHT", "EVIDENCE"]
    assert [(source.name, int(source)) for source in ScaleSource] == [(name, i) for i, name in enumerate(names)]


def test_records_cannot_be_changed_by_those_they_are_handed_to(scene: MetricScene):
    with pytest.raises(dataclasses.FrozenInstanceError):
        scene.up_confidence = 0.5  # type: ignore[misc]


def test_segments_sort_by_their_start_and_unpack():
    start, end = Segment(1.5, 4.0)
    assert (start, end) == (1.5, 4.0)
    assert sorted([Segment(3, 5), Segment(1, 9), Segment(1, 2)]) == [(1, 2), (1, 9), (3, 5)]


def test_what_only_some_backends_can_tell_is_absent_by_default():
    score, scores = IndoorScore(0.7), ClipScores(0.1, 0.0, 0.5, 0.0, 0.0, None, None)
    assert (score.evidence, score.categories, scores.repeats) == ({}, (), 0)
    assert IndoorScore(0.2).evidence is not score.evidence, "no two scores share their evidence"
    empty = np.zeros(SHAPE, np.float32)
    assert Reconstruction(empty, empty, empty, empty, np.zeros(2, np.bool_)).notes == ()


def test_stored_pictures_are_four_to_three():
    assert FRAME_WIDTH * 3 == FRAME_HEIGHT * 4


def test_what_was_left_out_is_told_apart_by_stage_clip_and_reason():
    clip = LeftOut("scene", 3, "NoUpDirection", "a lone wall")
    assert clip == LeftOut("scene", 3, "NoUpDirection", "a lone wall")
    assert len({clip, dataclasses.replace(clip, clip_id=None), dataclasses.replace(clip, stage="clips")}) == 3


def test_kinds_of_room_belong_to_the_score_that_names_them():
    score = IndoorScore(0.9, categories=(SceneCategory("kitchen", 0.7), SceneCategory("pantry", 0.2)))
    assert max(score.categories, key=lambda category: category.probability).name == "kitchen"


def test_the_grids_of_a_clip_are_those_of_its_frames_one_behind_the_other():
    frames = [FrameGrid(np.full((60, 60, 36), n, np.uint8), np.full(3, n), n * np.eye(4)) for n in range(2)]
    clip = Occupancy(
        np.stack([frame.labels for frame in frames]),
        np.stack([frame.origin for frame in frames]).astype(np.float32),
        np.stack([frame.grid_from_world for frame in frames]).astype(np.float32),
    )
    assert clip.labels.shape == (2, 60, 60, 36)
    assert np.array_equal(clip.labels[1], frames[1].labels)
    assert clip.origin[1].tolist() == [1, 1, 1]
