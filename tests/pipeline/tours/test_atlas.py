import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.albedo import paint
from pipeline.tours.atlas import GAMMA, LEVELS, Atlas, bake
from pipeline.tours.materials import Material
from pipeline.tours.mesh import ATLAS_WIDTH, BORDER, Mesh, build_mesh
from pipeline.tours.surfaces import rectangle, thing

SHEET = rectangle((0, 0, 0), (0.64, 0, 0), (0, 0, 0.32))


def mesh_of(material: Material) -> Mesh:
    return build_mesh((thing(SemanticClass.WALL, ((SHEET,), material)),))


def lit(value: float) -> list[np.ndarray]:
    return [np.full((2, 3, 3), value, np.float32)]


def ramp(shape: tuple[int, int]) -> np.ndarray:
    """A picture whose red is the column and green the row, in grey levels."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack([columns, rows, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def test_an_atlas_is_halved_level_by_level():
    mesh = mesh_of(Material("smooth"))
    atlas = bake(mesh.patches, lit(1), mesh.atlas_height)
    assert [level.shape for level in atlas.levels] == [
        (mesh.atlas_height // 2**k, ATLAS_WIDTH // 2**k, 3) for k in range(LEVELS)
    ]


def test_full_light_shows_the_albedo_in_gamma():
    material = Material("planks", (0.5, 0.3, 0.2), seed=2, texel=0.01)
    mesh = mesh_of(material)
    top, left, height, width = mesh.patches[0].place
    baked = bake(mesh.patches, lit(1), mesh.atlas_height).levels[0][top : top + height, left : left + width]
    shown = 255 * paint(material, SHEET.size, (0, 0), (height, width)) ** (1 / GAMMA)
    assert np.abs(baked - shown).max() <= 0.51  # rounded to whole grey levels


def test_light_multiplies_the_albedo_and_darkness_is_black():
    mesh = mesh_of(Material("smooth", (0.4, 0.4, 0.4), texel=0.01))
    top, left, height, width = mesh.patches[0].place
    dark, half, full = (
        bake(mesh.patches, lit(value), mesh.atlas_height).levels[0][top : top + height, left : left + width].mean()
        for value in (0, 0.5, 1)
    )
    assert dark == 0
    assert half / full == pytest.approx(0.5 ** (1 / GAMMA), rel=0.01)


def test_light_at_the_edges_of_a_patch_is_that_of_its_outer_samples():
    mesh = mesh_of(Material("smooth", (0.5, 0.5, 0.5), texel=0.01))
    across = np.linspace(0.2, 1, 5, dtype=np.float32)
    light = [np.broadcast_to(across[None, :, None], (2, 5, 3)).copy()]
    top, left, height, width = mesh.patches[0].place
    patch = bake(mesh.patches, light, mesh.atlas_height).levels[0][top : top + height, left : left + width]
    albedo = paint(mesh.patches[0].material, SHEET.size, (0, 0), (height, width))
    shown = (patch / 255) ** GAMMA / albedo
    expected = 0.2 + 0.8 * (np.arange(width) + 0.5) / width
    np.testing.assert_allclose(shown.mean(axis=(0, 2)), expected, atol=0.02)


def test_the_border_of_a_patch_repeats_its_edge():
    mesh = mesh_of(Material("planks", texel=0.01))
    top, left, height, width = mesh.patches[0].place
    finest = bake(mesh.patches, lit(1), mesh.atlas_height).levels[0]
    for distance in (1, BORDER):
        np.testing.assert_array_equal(finest[top - distance, left : left + width], finest[top, left : left + width])
        np.testing.assert_array_equal(
            finest[top : top + height, left + width - 1 + distance], finest[top : top + height, left + width - 1]
        )


def test_the_centre_of_a_texel_shows_that_texel():
    atlas = Atlas(tuple(ramp((64 // 2**k, 96 // 2**k)) for k in range(LEVELS)))
    texels = np.array([[[10.5, 20.5], [33.5, 40.5]]], np.float32)
    colours = atlas.look_up(texels, np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(colours[0], [[10, 20, 0], [33, 40, 0]])


@settings(max_examples=30)
@given(st.floats(4, 60), st.floats(4, 60))
def test_between_texels_colours_are_blended_linearly(x: float, y: float):
    atlas = Atlas(tuple(ramp((64, 96)) for _ in range(LEVELS)))
    colours = atlas.look_up(np.array([[[x, y]]], np.float32), np.zeros((1, 1), np.float32))
    # cv2 places texels on a raster of 1/32 and rounds to whole grey levels.
    np.testing.assert_allclose(colours[0, 0], [x - 0.5, y - 0.5, 0], atol=0.5 + 1 / 32)


@settings(max_examples=30)
@given(st.floats(-3, 9))
def test_between_levels_colours_are_blended_by_the_level(level: float):
    atlas = Atlas(tuple(np.full((64 // 2**k, 64 // 2**k, 3), 40 * k, np.uint8) for k in range(LEVELS)))
    colours = atlas.look_up(np.full((1, 1, 2), 32, np.float32), np.full((1, 1), level, np.float32))
    np.testing.assert_allclose(colours, 40 * np.clip(level, 0, LEVELS - 1), atol=1e-3)
