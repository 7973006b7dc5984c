from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.symphonies.config import SymphoniesConfig
from models.symphonies.decoder import Decoder, _Rows, squeeze, squeezed_places
from models.symphonies.views import cell_centres, hit, lift, project
from tests.models.symphonies.shown import TINY, one_of, views

COUNT = 10 * 10 * 6
DEEP = replace(TINY, deep_supervision=True)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    torch.manual_seed(0)
    return Decoder(TINY).eval().requires_grad_(requires_grad=False)


def maps(batch: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return [torch.randn(batch, TINY.channels, 12 // scale, 16 // scale, generator=generator) for scale in (1, 2, 4)]


def test_squeezed_places_point_at_their_own_cell():
    plane = squeeze(torch.arange(float(COUNT))[None, :, None], TINY)
    places = squeezed_places(TINY)
    read = functional.grid_sample(plane, (2 * places - 1)[None, None], align_corners=False)
    assert torch.allclose(read.flatten(), torch.arange(float(COUNT)), atol=1e-2)


def test_squeezing_unrolls_z_into_x():
    plane = squeeze(torch.arange(float(COUNT))[None, :, None], TINY)[0, 0]
    assert plane.shape == (10 * 6, 10)
    for x, y, z in ((0, 0, 0), (3, 7, 2), (9, 9, 5)):
        assert plane[x * 6 + z, y] == (x * 10 + y) * 6 + z


def test_rows_that_are_taken_and_put_back_change_nothing():
    mask = torch.tensor([[True, False, True, False], [False, False, False, True]])
    rows, cells = _Rows(mask), torch.randn(2, 4, 3)
    taken = rows.take(cells)
    assert torch.equal(taken, torch.stack([cells[0, [0, 2]], torch.stack([cells[1, 3], torch.zeros(3)])]))
    assert torch.equal(rows.put(cells, taken), cells)
    assert torch.allclose(rows.put(cells, taken + 1), cells + mask[..., None], atol=1e-6)


def test_no_rows_at_all_are_one_row_of_nothing():
    rows, cells = _Rows(torch.zeros(2, 4, dtype=torch.bool)), torch.randn(2, 4, 3)
    assert torch.equal(rows.take(cells), torch.zeros(2, 1, 3))
    assert torch.equal(rows.put(cells, torch.ones(2, 1, 3)), cells)


def test_positions_are_sums_of_one_vector_an_axis(decoder: Decoder):
    positions = decoder._positions().reshape(10, 10, 6, -1)
    step = positions[1] - positions[0]
    assert torch.allclose(step, step[:1, :1].expand_as(step), atol=1e-5), "a step along x is the same everywhere"
    corner = torch.cat([decoder.axis_x.weight[3], decoder.axis_y.weight[0], decoder.axis_z.weight[5]])
    assert torch.allclose(positions[3, 0, 5], decoder.position(corner), atol=1e-5)


@pytest.mark.parametrize("config", [TINY, DEEP])
def test_there_is_a_grid_after_every_layer(config: SymphoniesConfig):
    torch.manual_seed(0)
    grids = Decoder(config)(maps(2), views(2))
    assert [grid.shape for grid in grids] == [(2, config.channels, 10, 10, 6)] * config.layers


def test_pictures_of_a_batch_do_not_meet(decoder: Decoder):
    shown, read = views(3), maps(3)
    together = decoder(read, shown)
    alone = decoder([each[1:2] for each in read], one_of(shown, 1))
    for both, single in zip(together, alone, strict=True):
        assert torch.allclose(both[1:2], single, atol=1e-4)


def test_cells_that_no_camera_sees_keep_their_embedding_until_cells_are_convolved(decoder: Decoder):
    shown = views(1)
    _, in_view = project(shown, TINY)
    unseen = ~(in_view | hit(lift(shown, TINY).flatten(1), COUNT))[0]
    assert 0 < unseen.sum() < COUNT
    first, last = (grid.flatten(2)[0].T for grid in decoder(maps(1), shown))
    assert torch.equal(first[unseen], decoder.cell_embedding[unseen])
    assert not torch.equal(last[unseen], decoder.cell_embedding[unseen])
    assert not torch.isclose(first[~unseen], decoder.cell_embedding[~unseen]).all(dim=1).any()


def test_queries_look_at_the_cell_behind_their_pixel_or_at_the_middle(decoder: Decoder):
    shown = views(1)
    lifted = lift(shown, TINY)
    lifted[0, :, 32:] = -1
    lifted[0, 24, 16] = 123
    looked = torch.tensor([[[0.25, 0.5], [0.75, 0.5], [1.0, 1.0], [0.0, 0.999]]])
    found = decoder._query_cells(looked, lifted)[0]
    places = squeezed_places(TINY)
    assert torch.equal(found[0], places[123])
    assert torch.equal(found[1], torch.tensor([0.5, 0.5]))
    assert torch.equal(found[2], torch.tensor([0.5, 0.5])), "the last pixel, not one beyond it"
    assert found.shape == (4, 2)


def test_cells_lie_where_their_index_says():
    centres = cell_centres(TINY)
    assert torch.allclose(centres[(3 * 10 + 7) * 6 + 2], torch.tensor([3.5, 7.5, 2.5]) * 0.48)
