import numpy as np
import pytest
import torch
from PIL import Image

from models.san.positions import resize_positions


def test_a_table_of_the_same_grid_is_left_alone():
    table = torch.randn(1, 36, 5)
    assert resize_positions(table, (6, 6)) is table


def test_tables_are_resized_also_where_only_the_number_of_patches_agrees():
    table = torch.arange(1600.0).view(1, 1600, 1)
    wide = resize_positions(table, (32, 50)).view(32, 50)
    # the table ascends by one a column, and ten of fifty columns are eight of forty
    assert wide[16, 30] - wide[16, 20] == pytest.approx(8, abs=1e-2)


@pytest.mark.parametrize("grid", [(3, 3), (7, 12), (20, 4)])
def test_a_constant_stays_itself_on_any_grid(grid: tuple[int, int]):
    resized = resize_positions(torch.full((1, 36, 2), 0.75), grid)
    assert resized.shape == (1, grid[0] * grid[1], 2)
    assert torch.allclose(resized, torch.full_like(resized, 0.75), atol=1e-6)


def test_growing_is_the_bicubic_resize_of_pillow_away_from_the_border():
    table = np.random.default_rng(0).random((8, 8), np.float32)
    ours = resize_positions(torch.from_numpy(table).reshape(1, 64, 1), (24, 24)).reshape(24, 24).numpy()
    # PyTorch's kernel has a = -0.75 and Pillow's -0.5: they differ by 0.25 of a third difference at most
    theirs = np.asarray(Image.fromarray(table).resize((24, 24), Image.Resampling.BICUBIC))
    inner = slice(6, 18)
    assert np.abs(ours - theirs)[inner, inner].mean() < 0.05
    assert np.abs(ours[1::3, 1::3] - table).max() < 1e-5, "the middle of three is the old value"


def test_channels_are_resized_each_by_itself():
    table = torch.randn(1, 25, 3)
    together = resize_positions(table, (4, 9))
    for channel in range(3):
        alone = resize_positions(table[..., channel : channel + 1], (4, 9))
        assert torch.allclose(together[..., channel : channel + 1], alone)
