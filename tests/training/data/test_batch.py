"""Samples stacked as tensors: shapes, types, and frames that cannot be lifted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.rooms import RoomFrames
from training.data import collate
from training.errors import UnusableDataset


def test_a_batch_has_the_shapes_and_types_it_promises():
    batch = collate([RoomFrames(2)[index] for index in range(2)])
    expected = {
        "rgb": ((2, 3, 480, 640), torch.uint8),
        "depth": ((2, 480, 640), torch.float32),
        "regions": ((2, 480, 640), torch.int32),
        "intrinsics": ((2, 3, 3), torch.float32),
        "camera_to_world": ((2, 4, 4), torch.float32),
        "labels": ((2, 60, 60, 36), torch.uint8),
        "origin": ((2, 3), torch.float32),
        "pixels": ((2, 129600, 2), torch.int32),
        "in_view": ((2, 129600), torch.bool),
    }
    assert {name: (getattr(batch, name).shape, getattr(batch, name).dtype) for name in expected} == expected
    assert batch.names == ("room/0-0", "room/0-1")


def test_a_batch_holds_what_its_samples_hold():
    frames = RoomFrames(2)
    batch = collate([frames[1], frames[0]])
    for row, index in enumerate((1, 0)):
        assert np.array_equal(batch.rgb[row].permute(1, 2, 0).numpy(), frames[index].rgb)
        assert np.array_equal(batch.labels[row].numpy(), frames[index].labels)
        assert np.array_equal(batch.in_view[row].numpy(), frames[index].projection.in_view)


def test_a_frame_without_any_depth_is_named():
    dark = replace(RoomFrames(1)[0], name="hall/7", depth=np.zeros((480, 640), np.float32))
    with pytest.raises(UnusableDataset, match="hall/7 has no depth"):
        collate([RoomFrames(1)[0], dark])
