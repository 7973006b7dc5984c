"""True depth of a room, distorted as a network's is, brought back by what is measured of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.geometry.depth_alignment import align_depth
from tests.pipeline.box_room import Box, Room, looking

SHAPE = (60, 80)
ROOM = Room(Box((-2, -3, 0), (2, 3, 2.6)), (Box((-0.5, 1.0, 0.0), (0.6, 1.8, 0.9)),))
TRUTH, _ = ROOM.view(looking((0.2, -2.0, 1.5), (0.0, 2.0, 1.0)), SHAPE)
SEEDS = st.integers(0, 999_999)


def measured(rng: np.random.Generator, share: float, noise: float = 0.0, wild: float = 0.0) -> NDArray[np.float32]:
    """A share of the true depth with relative noise, a share of that grossly wrong; the rest is 0."""
    known = TRUTH * np.exp(noise * rng.standard_normal(SHAPE))
    wrong = rng.random(SHAPE) < wild
    known[wrong] *= rng.uniform(0.3, 3, wrong.sum())
    return np.where(rng.random(SHAPE) < share, known, 0).astype(np.float32)


@given(seed=SEEDS, scale=st.floats(0.05, 20), shift=st.floats(-0.8, 3))
@settings(max_examples=30, deadline=None)
def test_an_affine_distortion_is_found_exactly(seed: int, scale: float, shift: float):
    said = ((TRUTH - shift * TRUTH.min()) / scale).astype(np.float32)
    if (said <= 0).any():
        return
    found = align_depth(said, measured(np.random.default_rng(seed), 0.3))
    assert found is not None
    assert np.abs(found.affine.of(said) / TRUTH - 1).max() < 1e-4
    assert found.held_out < 1e-4


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_noise_and_a_quarter_of_wrong_pixels_hardly_move_it(seed: int):
    rng = np.random.default_rng(seed)
    said = ((TRUTH + 0.7) / 3 * np.exp(0.02 * rng.standard_normal(SHAPE))).astype(np.float32)
    found = align_depth(said, measured(rng, 0.3, noise=0.02, wild=0.25))
    assert found is not None
    assert np.median(np.abs(found.affine.of((TRUTH + 0.7) / 3) / TRUTH - 1)) < 0.01
    # both noises together, 2.8 %, and a quarter that nothing foretells
    assert found.held_out < 0.035


def test_depth_that_is_another_rooms_does_not_foretell_what_was_not_seen():
    other, _ = ROOM.view(looking((1.5, 2.0, 1.2), (-1.5, -1.0, 0.2)), SHAPE)
    found = align_depth(other, measured(np.random.default_rng(0), 0.3))
    assert found is None or found.held_out > 0.1


def test_depth_that_goes_another_way_beyond_what_it_foretells_is_told():
    """The right half of the network's depth bends away: among measured pixels it is foretold, beyond them it is not."""
    bend = np.clip(np.linspace(-1, 1, SHAPE[1]), 0, None) ** 2
    bent = (TRUTH * (1 + 0.6 * bend)).astype(np.float32)
    right = align_depth(TRUTH, measured(np.random.default_rng(2), 0.3))
    wrong = align_depth(bent, measured(np.random.default_rng(2), 0.3))
    assert right is not None
    assert wrong is not None
    assert right.beyond < 1e-4
    assert wrong.beyond > 2 * wrong.held_out
    assert wrong.beyond > 0.12


@pytest.mark.parametrize("rows", [slice(0, 30), slice(30, 60)])
def test_measured_pixels_of_one_quarter_tell_nothing_beyond(rows: slice):
    quarter = np.zeros(SHAPE, np.float32)
    quarter[rows, 40:] = TRUTH[rows, 40:]
    found = align_depth(TRUTH, quarter)
    assert found is None or np.isinf(found.beyond)


def test_what_grows_where_depth_shrinks_is_no_depth():
    assert align_depth((1 / TRUTH).astype(np.float32), measured(np.random.default_rng(0), 0.3)) is None


def test_pixels_in_one_corner_tell_nothing_of_the_rest():
    corner = np.zeros(SHAPE, np.float32)
    corner[:10, :20] = TRUTH[:10, :20]
    assert align_depth(TRUTH, corner) is None


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf, -1.0])
def test_values_that_are_no_depth_do_not_count(nothing: float):
    said, known = TRUTH.copy(), measured(np.random.default_rng(1), 0.5)
    said[::2], known[:, ::3] = nothing, nothing
    found = align_depth(2 * said, known)
    assert found is not None
    assert found.affine == pytest.approx((0.5, 0.0), abs=1e-4)
    assert align_depth(np.full(SHAPE, nothing, np.float32), known) is None


def test_on_a_wall_seen_head_on_the_shift_is_left_alone():
    wall = np.full(SHAPE, 3.0, np.float32)
    found = align_depth(wall / 2, wall)
    assert found is not None
    assert found.affine == pytest.approx((2.0, 0.0), abs=1e-6)
