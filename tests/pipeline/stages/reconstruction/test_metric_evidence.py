"""Which frames of a clip a network for metric depth is asked of."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.metric_evidence import MOST_FRAMES, frames_to_ask, places_of


def walk(steps: list[float]) -> Float64s:
    """Cameras that stand at places along a line, median depth 1."""
    cameras = np.tile(np.eye(4), (len(steps), 1, 1))
    cameras[:, 0, 3] = steps
    return cameras


@pytest.mark.parametrize("count", [1, 4, MOST_FRAMES])
def test_of_few_frames_all_are_asked(count: int):
    assert frames_to_ask(walk([0.0] * count), 1.0).tolist() == [*range(count)]


@pytest.mark.parametrize("count", [11, 23, 600])
@pytest.mark.parametrize("step", [0.0, 0.01, 0.1, 1.0])
def test_of_many_frames_ten_are_asked_which_show_as_many_places_as_ten_can(count: int, step: float):
    cameras = walk([step * at for at in range(count)])
    asked = frames_to_ask(cameras, 1.0)
    assert len(np.unique(asked)) == len(asked) == MOST_FRAMES
    assert asked.tolist() == sorted(asked)
    places = places_of(cameras, 1.0)
    assert len({*places[asked]}) == min(len({*places}), MOST_FRAMES)


def test_places_that_are_seen_once_are_asked_before_those_that_are_seen_often():
    cameras = walk([0.0] * 20 + [5.0] + [9.0] * 20)
    cameras[30, :3, :3] = Rotation.from_euler("y", 90, degrees=True).as_matrix()
    asked = frames_to_ask(cameras, 1.0)
    assert {0, 20, 21, 30} <= {*asked.tolist()}
