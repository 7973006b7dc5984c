"""Matched pixels lie on the lines that their cameras draw, and as far beside them as they are moved."""

import numpy as np
import pytest

from pipeline.geometry.epipolar import distance_from_lines

SIDEWAYS = np.array([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Of two cameras side by side, whose epipolar lines are rows."""


def test_pixels_of_one_row_lie_on_their_lines():
    first = np.array([[10.0, 20], [300, 200], [630, 470]])
    assert distance_from_lines(SIDEWAYS, first, first + np.array([35, 0])) == pytest.approx(np.zeros(3), abs=1e-9)


def test_pixels_beside_their_lines_are_as_far_as_they_were_moved():
    first = np.array([[10.0, 20], [300, 200], [630, 470]])
    moved = first + np.array([35, 0]) + np.array([[0, 1], [0, -3], [0, 7]])
    assert distance_from_lines(SIDEWAYS, first, moved) == pytest.approx([1, 3, 7])


def test_the_size_of_the_matrix_says_nothing():
    first, second = np.array([[10.0, 20]]), np.array([[50.0, 24]])
    assert distance_from_lines(1e-6 * SIDEWAYS, first, second) == pytest.approx([4])
