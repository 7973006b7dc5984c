"""A bent picture and the straight one: points, pictures, and what is cut off."""

import numpy as np
import pytest

from pipeline.contract.padding import shown_columns
from pipeline.geometry.distortion import Distortion

CORNERS = np.array([[0.0, 0.0], [640.0, 480.0], [640.0, 0.0]])


def test_a_corner_moves_by_the_sum_of_the_radial_coefficients():
    moved = Distortion(k1=-0.05, k2=0.02).bent(CORNERS)
    assert moved == pytest.approx((CORNERS - (320, 240)) * 0.97 + (320, 240))


@pytest.mark.parametrize(
    "lens",
    [Distortion(-0.15, 0.02), Distortion(0.05), Distortion(-0.07, 0.0, 0.004, -0.003, 1.18), Distortion(aspect=0.8)],
)
def test_straight_undoes_bent(lens: Distortion):
    pixels = np.random.default_rng(0).uniform((40, 40), (600, 440), (200, 2))
    assert lens.straight(lens.bent(pixels)) == pytest.approx(pixels, abs=1e-3)


def test_the_straightened_picture_of_a_barrel_keeps_its_middle_and_of_a_pincushion_is_enlarged_to_be_full():
    assert Distortion(k1=-0.1).enlarged == 1
    pincushion = Distortion(k1=0.05)
    # A corner at radius 1 must come from within the film: r (1 + k1 r^2) <= 1 at r = 1 / enlarged.
    assert pincushion.enlarged == pytest.approx(1.0457, abs=0.002)
    assert (np.abs(pincushion.bent(CORNERS) - (320, 240)) <= (320.6, 240.6)).all()


def test_straight_lines_come_back():
    lens = Distortion(k1=-0.08)
    rows, columns = np.indices((480, 640)) + 0.5
    where = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))[:, 1].reshape(480, 640)
    film = (255 * np.exp(-(((where - 60.5) / 3) ** 2)))[None, ..., None].repeat(3, -1).astype(np.uint8)
    assert film[0, 60, 320, 0] < 100, "in the film the line sags"
    straight = lens.straightened(film)[0, :, :, 0]
    assert (np.abs(straight.argmax(axis=0) - 60) <= 1).all()


@pytest.mark.parametrize("k1", [-0.1, 0.04])
def test_an_upright_film_stays_between_black_columns(k1: float):
    film = np.zeros((2, 480, 640, 3), np.uint8)
    film[:, :, 185:455] = 200
    straight = Distortion(k1).straightened(film)
    shown = shown_columns(straight)
    assert (straight[:, :, shown] == 200).all(), "nothing is smeared, and no column shows something in some rows alone"
    assert 640 - shown.stop == pytest.approx(shown.start, abs=1)
    assert shown.stop - shown.start > 250


def test_a_lens_is_kept_as_a_row():
    lens = Distortion(-0.1, 0.01, 0.001, -0.002, 1.2)
    assert Distortion.of_row(lens.as_row()) == lens
    assert not Distortion(aspect=1.2).bends


def test_two_bends_one_after_another_are_left_out_at_once():
    first, rest = Distortion(-0.1, aspect=1.1), Distortion(-0.01, aspect=1.1)
    both = first.then(rest)
    pixels = np.random.default_rng(0).uniform((20, 20), (620, 460), (200, 2))
    assert both.bent(pixels) == pytest.approx(first.bent(rest.bent(pixels)), abs=0.1)
    # With hardly any bend, coefficients add up.
    assert Distortion(-0.01).then(Distortion(0.004)).k1 == pytest.approx(-0.006, abs=2e-4)


def test_a_straight_lens_changes_nothing():
    film = np.random.default_rng(0).integers(0, 255, (1, 480, 640, 3)).astype(np.uint8)
    assert np.array_equal(Distortion(aspect=1.2).straightened(film), film)
    assert Distortion().straightened_intrinsics(np.eye(3)[None]) == pytest.approx(np.eye(3)[None])


@pytest.mark.parametrize("lens", [Distortion(-0.1), Distortion(0.04, 0.01)])
def test_maps_and_intrinsics_go_with_the_straightened_picture(lens: Distortion):
    focal = np.array([[[500.0, 0, 322], [0, 500, 238], [0, 0, 1]]])
    point = np.array([0.4, -0.3])  # where a pinhole of that focal length sees it, in focal lengths
    ideal = point * 500 + (322, 238)
    film = lens._from_units(lens._moved(lens._units(ideal[None])))[0]
    depth = np.zeros((1, 480, 640), np.float32)
    depth[0, int(film[1]) - 1 : int(film[1]) + 2, int(film[0]) - 1 : int(film[0]) + 2] = 2
    straight, (own,) = lens.straightened_maps(depth), lens.straightened_intrinsics(focal)
    where = (own @ [*point, 1])[:2]
    assert straight[0, int(where[1]), int(where[0])] == 2
    assert own[0, 0] == pytest.approx(500 * lens.enlarged)
