"""The one type of sample: what no sample may be, whatever file it came from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from tests.training.rooms import RoomFrames
from training.data.sample import each
from training.errors import BrokenBenchmark

ROOM = RoomFrames(1)[0]


def test_a_true_sample_is_its_own_check():
    assert ROOM.check() is ROOM


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("rgb", np.zeros((480, 640), np.uint8), r"rgb has shape \(480, 640\)"),
        ("depth", np.zeros((640, 480), np.float32), "depth has shape"),
        ("regions", np.zeros((1, 480, 640), np.int32), "regions has shape"),
        ("labels", np.zeros((60, 36, 60), np.uint8), "labels has shape"),
        ("origin", np.zeros(4, np.float32), "origin has shape"),
        ("depth", np.full((480, 640), np.inf, np.float32), "depth has values that are not finite"),
        ("origin", np.array([0, np.nan, 0], np.float32), "origin has values that are not finite"),
        ("labels", np.full((60, 60, 36), 13, np.uint8), "no class"),
        ("labels", np.full((60, 60, 36), 254, np.uint8), "no class"),
        ("camera_to_world", 2 * np.eye(4, dtype=np.float32), "no rotation and translation"),
        ("camera_to_world", np.diag([1, 1, -1, 1]).astype(np.float32), "no rotation and translation"),
        ("intrinsics", np.diag([-500, 500, 1]).astype(np.float32), "no positive focal length"),
        ("intrinsics", np.diag([500, 0, 1]).astype(np.float32), "no positive focal length"),
    ],
)
def test_what_no_sample_may_be_is_named_with_its_field(field: str, value: Any, complaint: str):
    with pytest.raises(BrokenBenchmark, match=f"^room/0-0: .*{complaint}"):
        replace(ROOM, **{field: value}).check()


def test_a_rounded_rotation_is_one_and_unknown_voxels_are_allowed():
    pose = ROOM.camera_to_world.copy()
    pose[:3, :3] = pose[:3, :3].round(2)
    assert not np.array_equal(pose, ROOM.camera_to_world)
    sample = replace(ROOM, camera_to_world=pose, labels=np.full((60, 60, 36), 255, np.uint8))
    assert sample.check() is sample
    unnamed = replace(ROOM, labels=np.full((60, 60, 36), SemanticClass.UNNAMED, np.uint8))
    assert unnamed.check() is unnamed


def test_each_gives_the_samples_in_order():
    assert [sample.name for sample in each(RoomFrames(3))] == ["room/0-0", "room/0-1", "room/0-2"]
