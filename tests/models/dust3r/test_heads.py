import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dust3r.heads import PATCH, DptHead, LinearHead, activate, build_head

HOOKS = (0, 5, 7, 10)


@pytest.fixture(scope="module")
def dpt() -> DptHead:
    torch.manual_seed(0)
    return DptHead(24, 16, HOOKS).eval()


def token_maps(grid: tuple[int, int], batch: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(grid[0])
    count = grid[0] * grid[1]
    return [torch.randn(batch, count, 24 if layer == 0 else 16, generator=generator) for layer in range(11)]


def raw_maps(head: DptHead, layers: list[Tensor], grid: tuple[int, int]) -> Tensor:
    return head(layers, grid, head.start(layers[0], grid))


def test_raw_numbers_become_a_direction_a_distance_and_a_confidence():
    raw = torch.tensor([[3.0, 0, -4, 2], [0, 0, 1e-3, -50]]).T[None, :, None]
    found = activate(raw)
    assert torch.allclose(found.points[0, 0, 0], torch.tensor([0.6, 0, -0.8]) * math.expm1(5), rtol=1e-5)
    assert found.points[0, 0, 1, 2] == pytest.approx(math.expm1(1e-3), rel=1e-6), "expm1 keeps digits near nought"
    assert found.confidence.tolist()[0] == [[pytest.approx(1 + math.exp(2)), 1.0]]


def test_the_point_of_no_direction_is_the_camera_itself():
    found = activate(torch.zeros(2, 4, 3, 5))
    assert found.points.shape == (2, 3, 5, 3)
    assert (found.points == 0).all()
    assert (found.confidence == 2).all()


def test_a_head_is_made_by_its_name():
    assert isinstance(build_head("linear", 24, 16, HOOKS), LinearHead)
    assert isinstance(build_head("dpt", 24, 16, HOOKS), DptHead)


def test_a_linear_head_puts_each_number_of_a_token_at_its_pixel():
    head, grid = LinearHead(4 * PATCH**2), (2, 3)
    nn.init.eye_(head.proj.weight)
    nn.init.zeros_(head.proj.bias)
    tokens = torch.arange(6.0 * 4 * PATCH**2).reshape(1, 6, -1)
    maps = head([torch.full_like(tokens, torch.nan), tokens], grid, head.start(tokens, grid))
    assert maps.shape == (1, 4, 2 * PATCH, 3 * PATCH)
    for row, column, channel in ((0, 0, 0), (5, 40, 1), (31, 47, 3), (16, 15, 2)):
        token = tokens[0, row // PATCH * 3 + column // PATCH]
        assert maps[0, channel, row, column] == token[channel * PATCH**2 + row % PATCH * PATCH + column % PATCH]


@pytest.mark.parametrize("grid", [(2, 2), (3, 5), (1, 4)])
def test_a_dpt_head_gives_a_number_a_pixel_also_for_odd_grids(dpt: DptHead, grid: tuple[int, int]):
    maps = raw_maps(dpt, token_maps(grid), grid)
    assert maps.shape == (1, 4, grid[0] * PATCH, grid[1] * PATCH)
    assert maps.isfinite().all()


def test_a_dpt_head_reads_the_token_maps_of_its_hooks_alone(dpt: DptHead):
    layers = token_maps((2, 3))
    before = raw_maps(dpt, layers, (2, 3))
    for number in range(11):
        changed = [layer + (index == number) for index, layer in enumerate(layers)]
        assert torch.equal(raw_maps(dpt, changed, (2, 3)), before) == (number not in HOOKS)


def test_pictures_of_a_batch_do_not_meet(dpt: DptHead):
    layers = token_maps((2, 3), batch=3)
    alone = raw_maps(dpt, [layer[1:2] for layer in layers], (2, 3))
    assert torch.allclose(raw_maps(dpt, layers, (2, 3))[1:2], alone, atol=1e-5)


def test_projecting_before_the_size_is_doubled_gives_what_projecting_after_it_gives(dpt: DptHead):
    fusion = dpt.dpt.scratch.refinenet2
    maps = torch.randn(1, 256, 5, 7)
    doubled = functional.interpolate(fusion.resConfUnit2(maps), scale_factor=2, mode="bilinear", align_corners=True)
    # sums of 256 products, in another order
    assert torch.allclose(fusion(maps), fusion.out_conv(doubled), atol=1e-5)


def test_doubling_keeps_the_corners_and_a_ramp_a_ramp(dpt: DptHead):
    ramp = torch.linspace(0, 1, 4).expand(1, 1, 3, 4)
    doubled = dpt.dpt.head[1](ramp)
    assert torch.allclose(doubled, torch.linspace(0, 1, 8).expand(1, 1, 6, 8), atol=1e-6)


def test_heads_answer_in_float32_whatever_the_body_runs_in(dpt: DptHead):
    halves = [layer.bfloat16() for layer in token_maps((2, 2))]
    assert raw_maps(dpt, halves, (2, 2)).dtype == torch.float32
    linear = LinearHead(16)
    assert linear(halves, (2, 2), linear.start(halves[-1], (2, 2))).dtype == torch.float32
