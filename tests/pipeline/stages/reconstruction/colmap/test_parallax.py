import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.parallax import rotation_residual

FOCAL = 400.0


def matches(rotation: Rotation, translation: Float64s) -> tuple[Float64s, Float64s]:
    """Pixels (200, 2) of random points in a room before and after the camera moved."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-2, -1.5, 2), (2, 1.5, 5), (200, 3))
    moved = points @ rotation.as_matrix().T + translation
    before, after = (p[:, :2] / p[:, 2:] * FOCAL + (320, 240) for p in (points, moved))
    return before, after


@settings(deadline=None)
@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3))
def test_a_turn_of_the_camera_is_no_parallax(turn: list[float]):
    first, second = matches(Rotation.from_rotvec(turn), np.zeros(3))
    assert rotation_residual(first, second, FOCAL) < 1e-6


@settings(deadline=None)
@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3))
def test_a_step_to_the_side_is(turn: list[float]):
    first, second = matches(Rotation.from_rotvec(turn), np.array([0.3, 0, 0]))
    # 0.3 m at 2 to 5 m: 24 to 60 pixels of motion, of which a turn explains all but the spread of about 8.
    assert rotation_residual(first, second, FOCAL) > 4


def test_wrong_matches_do_not_pass_for_parallax():
    first, second = matches(Rotation.from_rotvec([0, 0.1, 0]), np.zeros(3))
    second[:60] += np.random.default_rng(1).uniform(-80, 80, (60, 2))
    assert rotation_residual(first, second, FOCAL) == pytest.approx(0, abs=0.5)
