import numpy as np
import pytest

from pipeline.stages.indoor_clips.checks import frames_shape
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_pictures_of_the_right_size_with_a_row_of_everything_pass(stored_room: VideoStore):
    finding = frames_shape(stored_room)
    assert finding.passed
    assert finding.figures == {"frames": FRAMES}


@pytest.mark.parametrize("name", ["clip_id", "frame_index", "time_s", "indoor_score"])
def test_rows_that_do_not_match_are_found(own_room: VideoStore, name: str):
    replaced(own_room, "frames", **{name: own_room.read("frames", name)[:-1]})
    finding = frames_shape(own_room)
    assert not finding.passed
    assert f"'{name}': {FRAMES - 1}" in finding.detail


def test_pictures_of_another_size_are_found(own_room: VideoStore):
    replaced(own_room, "frames", rgb=np.zeros((FRAMES, 240, 320, 3), np.uint8))
    finding = frames_shape(own_room)
    assert not finding.passed
    assert "(240, 320, 3)" in finding.detail
