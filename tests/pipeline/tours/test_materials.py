from dataclasses import replace

import numpy as np
import pytest

from pipeline.tours.albedo import ALL_PATTERNS, paint
from pipeline.tours.materials import Brush, Material, _fractal_noise

SIZE, SHAPE = (0.6, 0.9), (100, 150)

TEXTURED = sorted(set(ALL_PATTERNS) - {"bare", "limewash"})
"""Bare walls have next to no texture: that is their point."""


def brush_of(material: Material) -> Brush:
    v, u = np.meshgrid(np.linspace(0, 0.6, 100), np.linspace(0, 0.9, 150), indexing="ij")
    return Brush(u.astype(np.float32), v.astype(np.float32), SIZE, material)


@pytest.mark.parametrize("pattern", TEXTURED)
def test_every_pattern_is_an_albedo_with_texture(pattern: str):
    painted = paint(Material(pattern, seed=3), SIZE, (0, 0), SHAPE)
    assert painted.shape == (*SHAPE, 3)
    assert painted.dtype == np.float32
    assert 0.005 <= painted.min() < painted.max() <= 1
    assert painted.mean(axis=2).std() > 0.005  # structure from motion needs something to hold on to


@pytest.mark.parametrize("pattern", TEXTURED)
def test_a_seed_paints_the_same_surface_again_and_another_seed_another(pattern: str):
    first, again = (paint(Material(pattern, seed=3), SIZE, (0, 0), SHAPE) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(paint(Material(pattern, seed=4), SIZE, (0, 0), SHAPE) - first).max() > 0.01


@pytest.mark.parametrize("texels", [1, 700, 10**6])
@pytest.mark.parametrize("pattern", sorted(ALL_PATTERNS))
def test_a_pattern_is_the_same_however_many_rows_are_painted_at_once(
    pattern: str, texels: int, monkeypatch: pytest.MonkeyPatch
):
    material = Material(pattern, seed=3)
    usual = paint(material, SIZE, (0.1, 0.2), SHAPE)
    monkeypatch.setattr("pipeline.tours.albedo.STRIP_TEXELS", texels)
    np.testing.assert_array_equal(paint(material, SIZE, (0.1, 0.2), SHAPE), usual)


@pytest.mark.parametrize("pattern", ["plaster", "wallpaper", "planks", "tiles", "brick"])
def test_neighbouring_pieces_of_a_wall_continue_one_pattern(pattern: str):
    material = Material(pattern, seed=3)
    whole = paint(material, (0.6, 0.9), (0, 0), (60, 90))
    right = paint(material, (0.6, 0.3), (0, 0.6), (60, 30))
    above = paint(material, (0.2, 0.9), (0.4, 0), (20, 90))
    # Coordinates are float32: at an edge of the pattern a texel may fall on its other side.
    assert (np.abs(whole[:, 60:] - right) < 1e-3).mean() > 0.98
    assert (np.abs(whole[40:] - above) < 1e-3).mean() > 0.98


def test_a_tinted_pattern_has_about_the_colour_of_its_material():
    colour = (0.6, 0.4, 0.2)
    painted = paint(Material("smooth", colour, seed=1), (4, 4), (0, 0), (200, 200))
    np.testing.assert_allclose(painted.mean(axis=(0, 1)), colour, rtol=0.1)


def test_noise_tiles_and_has_mean_0_and_deviation_1():
    noise = _fractal_noise()
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    steps, seam = np.abs(np.diff(noise, axis=0)).mean(), np.abs(noise[0] - noise[-1]).mean()
    assert seam == pytest.approx(steps, rel=0.1)


def test_noise_of_other_salt_is_other_noise():
    brush = brush_of(Material("smooth", seed=5))
    first, other = brush.noise(0.3), brush.noise(0.3, salt=1)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.5
    np.testing.assert_array_equal(first, brush_of(Material("wood", seed=5)).noise(0.3, 0.3))


def test_noise_of_a_larger_scale_changes_more_slowly():
    brush = brush_of(Material("smooth", seed=5))
    fine, coarse = (np.abs(np.diff(brush.noise(scale), axis=1)).mean() for scale in (0.1, 2.0))
    assert coarse < 0.25 * fine


def test_cells_are_even_random_numbers_in_0_to_1():
    brush = brush_of(Material("smooth", seed=5))
    i, j = np.meshgrid(np.arange(60.0), np.arange(60.0))
    drawn = brush.cell(i, j)
    assert 0 <= drawn.min() < drawn.max() < 1
    np.testing.assert_allclose(np.histogram(drawn, 4, (0, 1))[0] / 3600, 0.25, atol=0.05)
    assert (drawn != brush.cell(i, j, salt=1)).mean() > 0.99


def test_mixing_goes_from_the_base_to_the_colour_and_no_further():
    brush = brush_of(Material("smooth"))
    base = np.full((1, 4, 3), 0.2, np.float32)
    mixed = brush.mix(base, (0.6, 0.2, 1.0), np.array([[-1, 0.0, 0.5, 2]], np.float32))
    np.testing.assert_allclose(mixed[0], [[0.2] * 3, [0.2] * 3, [0.4, 0.2, 0.6], [0.6, 0.2, 1.0]], atol=1e-6)


def test_a_tint_brightens_by_its_strength():
    brush = brush_of(replace(Material("smooth"), colour=(0.5, 0.4, 0.2)))
    tinted = brush.tint(np.array([[0.0, 1.0, -1.0]], np.float32), 0.1)
    np.testing.assert_allclose(tinted[0], np.array([1, 1.1, 0.9])[:, None] * [0.5, 0.4, 0.2], rtol=1e-6)


def test_tiles_have_dark_joints_at_their_sides():
    side = 0.2  # of seeds divisible by five
    tiles = paint(Material("tiles", (0.6, 0.6, 0.6), (0.6, 0.6, 0.6), seed=5), (0.4, 0.4), (0, 0), (400, 400))
    grey = tiles.mean(axis=2)
    joint = round(side * 1000)
    assert grey[:, joint - 2 : joint + 2].mean() < 0.3
    assert grey[:, joint // 2].mean() > 0.45
