import numpy as np
import pytest

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.stages.occupancy.checks import grid_shape
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_grids_of_the_right_shape_pass_and_their_shares_add_up_to_one(stored_room: VideoStore):
    finding = grid_shape(stored_room)
    assert finding.passed
    assert finding.detail == f"{FRAMES} grids of shape (60, 60, 36)"
    assert list(finding.figures) == [c.name.lower() for c in COUNTED_CLASSES]
    assert sum(finding.figures.values()) == pytest.approx(1)
    assert finding.figures["bed"] > 0, "there is a bed in the room"
    assert finding.figures["tvs"] == 0


@pytest.mark.parametrize("change", [-1, 1])
def test_grids_that_lost_voxels_or_counted_them_twice_are_found(own_room: VideoStore, change: int):
    counts = own_room.read("occupancy", "class_counts")
    counts[2, 3] += change
    replaced(own_room, "occupancy", class_counts=counts)
    assert not grid_shape(own_room).passed


def test_grids_of_another_shape_are_found(own_room: VideoStore):
    replaced(own_room, "occupancy", labels=np.zeros((FRAMES, 60, 36, 60), np.uint8))
    assert not grid_shape(own_room).passed
