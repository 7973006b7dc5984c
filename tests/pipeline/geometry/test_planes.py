import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.geometry.planes import plane_offsets, points_of_one_plane

WIDTH = 0.06


def test_two_walls_are_found_where_they_stand_the_larger_first():
    rng = np.random.default_rng(0)
    walls = np.concatenate([rng.normal(1.0, 0.005, 300), rng.normal(3.5, 0.005, 700), rng.uniform(0, 4, 200)])
    assert plane_offsets(walls, WIDTH, 0.1) == pytest.approx([3.5, 1.0], abs=0.003)


def test_a_plane_needs_its_share_of_the_points():
    rng = np.random.default_rng(0)
    points = np.concatenate([np.full(200, 2.0), rng.uniform(0, 10, 800)])
    assert plane_offsets(points, WIDTH, 0.15) == pytest.approx([2.0], abs=WIDTH / 2)
    assert plane_offsets(points, WIDTH, 0.3) == []


def test_nothing_has_no_planes():
    assert plane_offsets(np.array([]), WIDTH, 0.1) == []


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_planes_move_with_the_points_and_are_apart(seed: int, shift: float):
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(offset, 0.004, 100) for offset in rng.uniform(0, 5, 4)])
    found, moved = plane_offsets(points, WIDTH, 0.1), plane_offsets(points + shift, WIDTH, 0.1)
    # Bins begin at the lowest point: they move along, but for the rounding of sums.
    np.testing.assert_allclose(sorted(moved), np.array(sorted(found)) + shift, atol=WIDTH / 3)
    assert (np.diff(sorted(found)) > WIDTH / 2).all()


def slab(seed: int, tilt_degrees: float, noise: float = 0.004) -> tuple[np.ndarray, np.ndarray]:
    """Points of a plane two metres wide, tilted about x, and its normal."""
    rng = np.random.default_rng(seed)
    turn = Rotation.from_euler("x", tilt_degrees, degrees=True).as_matrix()
    flat = np.column_stack([rng.uniform(-1, 1, (400, 2)), rng.normal(0, noise, 400)])
    return flat @ turn.T, turn[:, 2]


@pytest.mark.parametrize("tilt", [0.0, 5.0, 15.0])
def test_points_of_a_tilted_plane_are_kept_and_strays_are_not(tilt: float):
    points, normal = slab(0, tilt)
    strays = 0.3 * normal + points[:40]
    kept = points_of_one_plane(np.concatenate([points, strays]), np.array([0, 0, 1.0]), 0.05)
    assert len(kept) == len(points)
    assert np.abs(kept @ normal).max() < 0.05


def test_a_plane_that_leans_too_far_from_its_rough_direction_is_not_followed():
    points, _ = slab(0, 40.0)
    kept = points_of_one_plane(points, np.array([0, 0, 1.0]), 0.05)
    np.testing.assert_array_equal(kept, points)
