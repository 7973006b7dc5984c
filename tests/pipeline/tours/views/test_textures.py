import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.atlas import Atlas
from pipeline.tours.views import LitHouse
from pipeline.tours.views.textures import Textures


def test_textures_are_looked_up_as_the_painter_does(house: LitHouse):
    rng = np.random.default_rng(0)
    height, width = house.atlas.levels[0].shape[:2]
    texels = rng.uniform(0, [width, height], (64, 64, 2)).astype(np.float32)
    # The coarsest level and its neighbour would need a border that cv2 fills otherwise.
    level = rng.uniform(-1, 3, (64, 64)).astype(np.float32)
    inside = ((texels > 16) & (texels < [width - 16, height - 16])).all(axis=-1)
    painted = house.atlas.look_up(texels, level)
    mapped = Textures.of(house.atlas, torch.device("cpu")).look_up(
        torch.from_numpy(texels.reshape(-1, 2)), torch.from_numpy(level.ravel())
    )
    # cv2 places texels on a raster of 1/32 and rounds to whole grey levels.
    assert np.abs(mapped.numpy().reshape(64, 64, 3) - painted)[inside].mean() < 1


def ramp(k: int) -> np.ndarray:
    """Level k of an atlas of 32 x 64 texels: red is the column, green the row, blue ten times the level."""
    rows, columns = np.mgrid[: 32 // 2**k, : 64 // 2**k]
    return np.stack([columns, rows, np.full_like(rows, 10 * k)], axis=-1).astype(np.uint8)


TEXTURES = Textures.of(Atlas(tuple(ramp(k) for k in range(3))), torch.device("cpu"))


def look_up(x: float, y: float, level: float) -> list[float]:
    found: list[float] = TEXTURES.look_up(torch.tensor([[x, y]]), torch.tensor([level]))[0].tolist()
    return found


@settings(max_examples=40)
@given(st.floats(0.5, 63.5), st.floats(0.5, 31.5))
def test_between_texels_colours_are_blended_linearly(x: float, y: float):
    assert look_up(x, y, 0.0) == pytest.approx([x - 0.5, y - 0.5, 0], abs=1e-4)


@settings(max_examples=40)
@given(st.floats(2.0, 62.0), st.floats(2.0, 30.0), st.floats(0.0, 1.0))
def test_between_levels_colours_are_blended_by_the_level(x: float, y: float, level: float):
    fine, coarse = np.array([x - 0.5, y - 0.5, 0]), np.array([x / 2 - 0.5, y / 2 - 0.5, 10])
    assert look_up(x, y, level) == pytest.approx((1 - level) * fine + level * coarse, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "level", "expected"),
    [(-5, -5, 0, [0, 0, 0]), (99, 99, 0, [63, 31, 0]), (32, 16, -4, [31.5, 15.5, 0]), (32, 16, 9, [7.5, 3.5, 20])],
)
def test_beyond_its_edges_and_levels_the_atlas_goes_on_as_it_ends(
    x: float, y: float, level: float, expected: list[float]
):
    assert look_up(x, y, level) == expected
