from dataclasses import replace

import pytest

from models.symphonies import PRESETS, SymphoniesConfig
from models.symphonies.config import GRID_SHAPE
from pipeline.contract import grid


def test_the_networks_own_constants_are_the_datasets():
    paper = PRESETS["paper"]
    assert paper == SymphoniesConfig()
    assert paper.cells == grid.GRID_SHAPE
    assert paper.cell_size == grid.VOXEL_SIZE


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_divides_the_grid_into_whole_cells_and_channels_into_whole_heads(name: str):
    config = PRESETS[name]
    assert tuple(side * config.scale for side in config.cells) == GRID_SHAPE
    assert config.cell_size == pytest.approx(grid.VOXEL_SIZE * config.scale)
    assert config.channels % config.heads == 0
    assert config.channels % 4 == 0, "group norms have four groups, and an axis half of the channels"
    assert all(side % 16 == 0 or config.encoder == "small" for side in config.picture_size)


def test_the_head_reads_what_comes_last():
    assert PRESETS["paper"].head_channels == 128
    assert PRESETS["small"].head_channels == PRESETS["small"].fine_channels == 8
    assert replace(PRESETS["small"], scale=1).head_channels == 32


def test_the_fine_preset_is_small_with_cells_that_can_hold_a_chair():
    fine = PRESETS["fine"]
    assert (fine.cells, fine.cell_size, fine.head_channels) == ((30, 30, 18), 0.16, 16)
    assert replace(fine, scale=3, fine_channels=8) == PRESETS["small"]
