"""How well clips of one world fit, on rooms whose clips are moved by known amounts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.records import MetricScene
from pipeline.quality.worlds import world_errors
from tests.pipeline.box_room import Box, Room, film, looking

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)))
CLIPS = [
    film(ROOM, [looking((-0.6 + 0.1 * i, -0.6, 1.5), (0.4, 2.0, 1.2)) for i in range(start, start + 3)], (24, 32))[0]
    for start in (0, 3)
]


def moved(clip: MetricScene, scale: float = 1.0, turn: float = 0.0, shift: float = 0.0) -> MetricScene:
    """The clip in other metres, turned about z by degrees and shifted along x."""
    rotation = Rotation.from_euler("z", turn, degrees=True).as_matrix()
    cameras = clip.camera_to_world.astype(float)
    cameras[:, :3, :3] = rotation @ cameras[:, :3, :3]
    cameras[:, :3, 3] = scale * cameras[:, :3, 3] @ rotation.T + [shift, 0, 0]
    return replace(clip, camera_to_world=cameras, depth=(clip.depth * scale).astype(np.float32))


def test_a_world_that_is_wrong_as_a_whole_holds_together():
    found = world_errors([(moved(clip, 1.4, 30, 2), clip) for clip in CLIPS])
    assert found.factor == pytest.approx(1, abs=1e-5)
    assert found.turn < 1e-3
    assert found.apart < 1e-4


def test_what_a_clip_is_off_by_is_told_in_its_own_unit():
    first, second = CLIPS
    bigger = world_errors([(first, first), (moved(second, 1.1), second)])
    assert bigger.factor == pytest.approx(1.1, abs=1e-5)
    assert world_errors([(first, first), (moved(second, turn=5), second)]).turn == pytest.approx(5, abs=1e-3)
    shifted = world_errors([(first, first), (moved(second, shift=0.3), second)])
    assert (shifted.apart, shifted.alone) == (pytest.approx(0.3, abs=1e-4), pytest.approx(0, abs=1e-4))
