"""Derivatives, compared with differences."""

import numpy as np

from pipeline.geometry.slopes import cross_matrices, pixel_slopes

FOCAL = np.array([500.0, 430.0])


def test_slopes_of_pixels_are_those_of_the_projection():
    points = np.random.default_rng(0).uniform((-2, -2, 1), (2, 2, 6), (20, 3))
    step = 1e-6

    def pixels(at: np.ndarray) -> np.ndarray:
        return FOCAL * at[:, :2] / at[:, 2:]

    along = [(pixels(points + one) - pixels(points - one)) / (2 * step) for one in step * np.eye(3)]
    np.testing.assert_allclose(pixel_slopes(points, FOCAL), np.stack(along, axis=2), rtol=1e-6, atol=1e-6)


def test_matrices_are_those_of_the_cross_product():
    first, second = np.random.default_rng(1).normal(size=(2, 20, 3))
    np.testing.assert_allclose(np.einsum("kij,kj->ki", cross_matrices(first), second), np.cross(first, second))
