"""A camera that is faster than people walk is refused by its speed, whatever frames it was found in."""

import numpy as np
import pytest

from pipeline.contract.errors import TooFast
from pipeline.contract.records import MetricScene
from pipeline.stages.scene.speed import check_speed, median_speed

TIMES = np.arange(8) / 3


def walking(speed: float) -> MetricScene:
    poses = np.tile(np.eye(4), (8, 1, 1))
    poses[:, 0, 3] = speed * TIMES
    maps = np.ones((8, 6, 8), np.float32)
    return MetricScene.known(np.tile(np.eye(3), (8, 1, 1)), poses, maps)


@pytest.mark.parametrize("speed", [0.3, 1.2, 2.9])
def test_who_walks_is_let_through(speed: float):
    check_speed(walking(speed), TIMES, 3.0)
    assert median_speed(walking(speed), TIMES) == pytest.approx(speed, rel=1e-5)


@pytest.mark.parametrize("speed", [3.1, 12.0])
def test_who_flies_is_not(speed: float):
    with pytest.raises(TooFast, match=f"{speed:.1f} m/s, 3 are believed"):
        check_speed(walking(speed), TIMES, 3.0)


def test_frames_without_a_camera_and_one_jump_say_nothing():
    scene = walking(1.0)
    scene.registered[[2, 3]] = False
    scene.camera_to_world[[2, 3]] = 0
    scene.camera_to_world[7, :3, 3] += 50
    assert median_speed(scene, TIMES) == pytest.approx(1.0, rel=1e-5)


def test_one_camera_has_no_speed():
    scene = walking(9.0)
    scene.registered[1:] = False
    check_speed(scene, TIMES, 3.0)
