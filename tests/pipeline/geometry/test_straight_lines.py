"""Pictures of straight edges and of round ones, as a known lens shows them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.geometry.distortion import Distortion
from pipeline.geometry.straight_lines import bend_of, edges_of

EVERYWHERE = np.ones((480, 640), np.bool_)
SEEDS = st.integers(0, 999_999)
LARGE = 800
"""Half the side of the ideal picture that is drawn, so that a film bent by any lens here is filled."""


def filmed(ideal: NDArray[np.uint8], lens: Distortion, noise: float = 0.0, seed: int = 0) -> Images:
    """Return what a lens makes of an ideal picture (1600, 1600) about the centre of the film: (480, 640, 3)."""
    rows, columns = np.indices((480, 640)) + 0.5
    places = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1)).astype(np.float32) - (320, 240) + LARGE - 0.5
    across, down = places.T.reshape(2, 480, 640).astype(np.float32)
    film = cv2.remap(cv2.GaussianBlur(ideal, (0, 0), 1.0), across, down, cv2.INTER_CUBIC).astype(np.float64)
    film += noise * np.random.default_rng(seed).standard_normal(film.shape)
    return np.repeat(film.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def planks(seed: int) -> NDArray[np.uint8]:
    """Strips of different greys that lie over each other at any angle."""
    rng, ideal = np.random.default_rng(seed), np.full((2 * LARGE, 2 * LARGE), 90, np.uint8)
    for _ in range(60):
        start = rng.uniform(0, 2 * LARGE, 2)
        along = 900 * np.array([np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)])
        beside = rng.uniform(15, 60) * np.array([-np.sin(angle), np.cos(angle)])
        corners = [start - along, start + along, start + along + beside, start - along + beside]
        cv2.fillPoly(ideal, [np.array(corners).astype(np.int32)], int(rng.integers(30, 226)), cv2.LINE_AA)
    return ideal


def discs(seed: int) -> NDArray[np.uint8]:
    rng, ideal = np.random.default_rng(seed), np.full((2 * LARGE, 2 * LARGE), 90, np.uint8)
    for _ in range(60):
        centre, radius = rng.integers(0, 2 * LARGE, 2).tolist(), int(rng.integers(200, 700))
        cv2.circle(ideal, centre, radius, int(rng.integers(30, 226)), -1, cv2.LINE_AA)
    return ideal


@pytest.mark.parametrize("bend", [-0.14, -0.08, -0.03, 0.03, 0.06])
@pytest.mark.parametrize("seed", [0, 30])
def test_the_bend_of_a_lens_is_found_from_three_pictures(seed: int, bend: float):
    pictures = [filmed(planks(seed + number), Distortion(bend), 3.0, seed) for number in range(3)]
    found = bend_of([edge for picture in pictures for edge in edges_of(picture, EVERYWHERE)])
    assert found is not None
    assert found.edges >= 50
    assert found.bend == pytest.approx(bend, abs=0.006)
    assert found.deviation < 0.01


@given(seed=SEEDS, bend=st.floats(-0.14, 0.06))
@settings(max_examples=6, deadline=None)
def test_of_any_pictures_the_deviation_says_how_far_the_bend_may_be_off(seed: int, bend: float):
    pictures = [filmed(planks(seed + number), Distortion(bend), 3.0, seed) for number in range(3)]
    found = bend_of([edge for picture in pictures for edge in edges_of(picture, EVERYWHERE)])
    assert found is not None
    # four deviations, and two fifths of the step between the bends that are tried
    assert abs(found.bend - bend) < 0.004 + 4 * found.deviation


def test_of_a_straight_lens_nothing_is_gained():
    found = bend_of(edges_of(filmed(planks(1), Distortion(), 3.0), EVERYWHERE))
    assert found is not None
    assert found.bend == pytest.approx(0, abs=0.003)
    assert found.gain < 0.01


def test_round_things_do_not_outvote_straight_ones():
    lens = Distortion(-0.1)
    edges = [edge for seed in range(12) for edge in edges_of(filmed(discs(seed), lens), EVERYWHERE)]
    round_ones = len(edges)
    edges += [edge for seed in range(2) for edge in edges_of(filmed(planks(seed), lens), EVERYWHERE)]
    assert 3 * round_ones > len(edges) - round_ones, "they are not few"
    found = bend_of(edges)
    assert found is not None
    assert found.bend == pytest.approx(-0.1, abs=0.01)


def test_what_is_not_told_is_not_asked_and_a_bare_picture_says_nothing():
    picture = filmed(planks(5), Distortion(-0.1))
    left = EVERYWHERE.copy()
    left[:, 320:] = False
    assert all(edge[:, 0].max() <= 321 for edge in edges_of(picture, left))
    assert edges_of(picture, ~EVERYWHERE) == []
    assert edges_of(np.full((480, 640, 3), 128, np.uint8), EVERYWHERE) == []
    assert bend_of([]) is None
