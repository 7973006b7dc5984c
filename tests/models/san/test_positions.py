import pytest
import torch

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


def kernel(x: float) -> float:
    """Keys' cubic convolution with a = -3/4."""
    x, a = abs(x), -0.75
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def test_growing_spreads_an_entry_by_the_cubic_kernel():
    table = torch.zeros(1, 8, 8, 1)
    table[0, 3, 4] = 1
    grown = resize_positions(table.flatten(1, 2), (16, 24)).reshape(16, 24)
    down = torch.tensor([kernel((row + 0.5) / 2 - 0.5 - 3) for row in range(16)])
    across = torch.tensor([kernel((column + 0.5) / 3 - 0.5 - 4) for column in range(24)])
    assert torch.allclose(grown, down[:, None] * across, atol=1e-6)


def test_channels_are_resized_each_by_itself():
    table = torch.randn(1, 25, 3)
    together = resize_positions(table, (4, 9))
    for channel in range(3):
        alone = resize_positions(table[..., channel : channel + 1], (4, 9))
        assert torch.allclose(together[..., channel : channel + 1], alone)
