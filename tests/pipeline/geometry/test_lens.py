"""A bent picture and the straight one: points, pictures, and what is cut off."""

import numpy as np
import pytest

from pipeline.geometry.lens import Lens

CORNERS = np.array([[0.0, 0.0], [640.0, 480.0], [640.0, 0.0]])


def test_a_corner_moves_by_the_sum_of_the_radial_coefficients():
    moved = Lens(k1=-0.05, k2=0.02).bent(CORNERS)
    assert moved == pytest.approx((CORNERS - (320, 240)) * 0.97 + (320, 240))


@pytest.mark.parametrize(
    "lens", [Lens(-0.15, 0.02), Lens(0.05), Lens(-0.07, 0.0, 0.004, -0.003, 1.18), Lens(aspect=0.8)]
)
def test_straight_undoes_bent(lens: Lens):
    pixels = np.random.default_rng(0).uniform((40, 40), (600, 440), (200, 2))
    assert lens.straight(lens.bent(pixels)) == pytest.approx(pixels, abs=1e-3)


def test_the_straightened_picture_of_a_barrel_keeps_its_middle_and_of_a_pincushion_is_enlarged_to_be_full():
    assert Lens(k1=-0.1).enlarged == 1
    pincushion = Lens(k1=0.05)
    # A corner at radius 1 must come from within the film: r (1 + k1 r^2) <= 1 at r = 1 / enlarged.
    assert pincushion.enlarged == pytest.approx(1.0457, abs=0.002)
    assert (np.abs(pincushion.bent(CORNERS) - (320, 240)) <= (320.6, 240.6)).all()


def test_straight_lines_come_back():
    lens = Lens(k1=-0.08)
    rows, columns = np.indices((480, 640)) + 0.5
    where = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))[:, 1].reshape(480, 640)
    film = (255 * np.exp(-(((where - 60.5) / 3) ** 2)))[None, ..., None].repeat(3, -1).astype(np.uint8)
    assert film[0, 60, 320, 0] < 100, "in the film the line sags"
    straight = lens.straightened(film)[0, :, :, 0]
    assert (np.abs(straight.argmax(axis=0) - 60) <= 1).all()


def test_a_lens_is_kept_as_counts():
    lens = Lens(-0.1, 0.01, 0.001, -0.002, 1.2)
    assert Lens.of_counts({**lens.as_counts(), "clips": 3.0}) == lens
    assert Lens.of_counts({}) == Lens()
    assert not Lens(aspect=1.2).bends
