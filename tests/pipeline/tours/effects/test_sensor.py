import numpy as np
import pytest

from pipeline.tours.effects.sensor import ELECTRONS_AT_ISO_100, READ_ELECTRONS, Drift, Sensor, to_film, to_light

SHAPE = (200, 300, 3)
UNCHANGED = np.ones(3, np.float32)


def sensor(iso: float = 0.0, stops: float = 0.0, tint: float = 0.0, noise: float = 0.0) -> Sensor:
    return Sensor(7, Drift(7, "stops", stops), Drift(7, "red", tint), Drift(7, "blue", tint), iso, noise)


@pytest.mark.parametrize("iso", [100, 800, 3200])
@pytest.mark.parametrize("light", [0.2, 0.5])
def test_noise_is_that_of_light_and_of_reading_out(iso: float, light: float):
    film = sensor(iso).developed(np.full(SHAPE, light, np.float32), UNCHANGED, (0, 0))
    electrons = ELECTRONS_AT_ISO_100 * 100 / iso
    expected = light / electrons + (READ_ELECTRONS / electrons) ** 2
    assert float(to_light(film).var()) == pytest.approx(expected, rel=0.05)
    assert float(to_light(film).mean()) == pytest.approx(light, rel=0.01)


def test_without_a_sensitivity_noise_has_the_deviation_of_ordinary_tours():
    film = sensor(noise=1.5).developed(np.full(SHAPE, 0.3, np.float32), UNCHANGED, (0, 0))
    assert float(film.std()) == pytest.approx(1.5, rel=0.03)


def test_every_picture_has_noise_of_its_own_and_always_the_same():
    light = np.full(SHAPE, 0.3, np.float32)
    first, again, other = (sensor(800).developed(light, UNCHANGED, (1, frame)) for frame in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02


def test_light_and_film_are_each_others_inverse_and_white_is_the_end():
    grey = np.linspace(0, 255, 50, dtype=np.float32)
    np.testing.assert_allclose(to_film(to_light(grey)), grey, atol=1e-3)
    assert to_film(np.float32([3.0])) == 255


def test_exposure_and_white_balance_drift_slowly_within_their_bounds():
    assert (sensor().gains(3.0, 1.0) == 1).all()
    settled = np.stack([sensor(stops=0.5, tint=0.1).gains(t, 60.0) for t in np.arange(0, 60, 1 / 30)])
    stops = np.log2(settled[:, 1])
    assert np.abs(stops).max() <= 0.5
    assert np.ptp(stops) > 0.3
    assert np.abs(np.diff(stops)).max() < 0.5 * 2 * np.pi * 0.35 / 30
    for tint in (settled[:, 0] / settled[:, 1], settled[:, 2] / settled[:, 1]):
        assert 0.05 < np.abs(tint - 1).max() <= 0.1 + 1e-6


def test_exposure_comes_to_rest_after_a_cut():
    away = [
        abs(np.log2(sensor(stops=0.5).gains(5.0, since)[1] / sensor(stops=0.5).gains(5.0, 60)[1])) for since in (0, 3)
    ]
    assert away[0] == pytest.approx(0.25, rel=0.01)
    assert away[1] < 0.01
