from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.errors import UnusableInput
from models.symphonies import SymphoniesConfig, Views
from models.symphonies.views import (
    cell_centres,
    hit,
    in_full_precision,
    lift,
    lifted_points,
    project,
    resized,
    surface_voxels,
)
from pipeline.contract import grid
from tests.models.symphonies.shown import LOOKING_ALONG_Y, TINY, one_of, views

PAPER = SymphoniesConfig()


def tilted(batch: int) -> Views:
    """Views by cameras that are turned about all axes, with origins of their own."""
    shown = views(batch)
    generator = torch.Generator().manual_seed(7)
    skew = torch.randn(batch, 3, 3, generator=generator) * 0.2
    turn = torch.linalg.matrix_exp(skew - skew.mT)
    poses = shown.camera_to_world.clone()
    poses[:, :3, :3] = turn @ LOOKING_ALONG_Y
    return replace(shown, camera_to_world=poses, origin=torch.rand(batch, 3, generator=generator) - 0.5)


def test_points_are_those_of_the_pinhole_camera():
    shown = tilted(2)
    points = lifted_points(shown)
    for row, v, u in ((0, 0, 0), (1, 47, 63), (1, 10, 20)):
        depth, intrinsics, pose = shown.depth[row, v, u], shown.intrinsics[row], shown.camera_to_world[row]
        x = (u + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0] * depth
        y = (v + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1] * depth
        expected = pose @ torch.stack([x, y, depth, torch.ones(())])
        assert torch.allclose(points[row, :, v, u], expected[:3], atol=1e-5)


def test_a_pixels_point_falls_into_the_cell_that_projects_onto_it():
    shown = tilted(2)
    places, in_view = project(shown, PAPER)
    index = lift(shown, PAPER)
    known = index >= 0
    rows, v, u = torch.nonzero(known, as_tuple=True)
    assert len(rows) > 1000
    at = places[rows, index[known]] * torch.tensor([64, 48])
    # the centre of a cell of 8 cm lies at most 7 cm from any of its points: 52 pixels times 7 cm over the depth
    apart = (at - torch.stack([u, v], dim=-1) - 0.5).norm(dim=-1)
    assert (apart <= 52 * 0.07 / (shown.depth[known] - 0.07) * 1.3).all()
    assert in_view[rows, index[known]].float().mean() > 0.95, "at the border a centre may lie outside"


def test_cells_behind_the_camera_are_not_in_view():
    shown = views(1)
    places, in_view = project(shown, TINY)
    behind = cell_centres(TINY)[:, 1] + 0.0 < -0.5
    assert not in_view[0, behind].any()
    turned = shown.camera_to_world.clone()
    turned[:, :3, :3] = turned[:, :3, :3] @ torch.diag(torch.tensor([-1.0, 1, -1]))
    assert not project(replace(shown, camera_to_world=turned), TINY)[1].any(), "the grid lies behind its back"
    assert ((places[in_view] >= 0) & (places[in_view] < 1)).all()


def test_moving_camera_and_grid_together_changes_nothing():
    shown = tilted(1)
    shift = torch.tensor([3.0, -2.0, 1.0])
    poses = shown.camera_to_world.clone()
    poses[:, :3, 3] += shift
    moved = replace(shown, camera_to_world=poses, origin=shown.origin + shift)
    assert (lift(moved, PAPER) == lift(shown, PAPER)).float().mean() > 0.999, "but for points on a border of cells"
    assert torch.allclose(project(moved, TINY)[0], project(shown, TINY)[0], atol=1e-3)


def test_pixels_without_depth_and_points_outside_fall_into_no_cell():
    shown = views(1)
    depth = shown.depth.clone()
    depth[0, 0], depth[0, 1], depth[0, 2] = 0, 100, torch.nan
    index = lift(replace(shown, depth=depth), TINY)
    assert (index[0, :3] == -1).all()
    assert (index[0, 20:] >= 0).any()
    assert index.max() < 10 * 10 * 6


def test_pixels_are_lifted_by_floor_and_upstreams_half_voxel_is_a_switch():
    shown = views(1)
    floor, truncated = (lift(shown, replace(PAPER, lifting=kind)) for kind in ("floor", "truncate"))
    inside = (floor >= 0) & (truncated >= 0)
    cells = (torch.stack(torch.unravel_index(index[inside], grid.GRID_SHAPE), dim=-1) for index in (floor, truncated))
    apart = next(cells) - next(cells)
    assert ((apart == 0) | (apart == 1)).all()
    assert (apart != 0).any(dim=-1).float().mean() > 0.8, "the notes: 87 % of the pixels land in another cell"


def test_hit_marks_what_occurs_and_minus_one_is_nothing():
    found = hit(torch.tensor([[0, 3, 3, -1], [-1, -1, -1, -1]]), 5)
    assert found.tolist() == [[True, False, False, True, False], [False] * 5]


def test_surface_voxels_are_those_of_the_points_whatever_the_cells():
    shown = views(2)
    surface = surface_voxels(shown)
    assert surface.shape == (2, 1, *grid.GRID_SHAPE)
    for row in range(2):
        index = lift(one_of(shown, row), PAPER)
        assert surface[row].sum() == len(index[index >= 0].unique())
        assert surface[row].flatten()[index[index >= 0]].all()


@pytest.mark.parametrize("size", [(24, 32), (96, 128), (60, 48)])
def test_resizing_keeps_what_projects_where(size: tuple[int, int]):
    shown = tilted(2)
    rgb, small = resized(shown, size)
    assert rgb.shape == (2, 3, *size)
    assert small.depth.shape == (2, *size)
    assert set(small.depth.unique().tolist()) <= set(shown.depth.unique().tolist()), "depths are never averaged"
    assert torch.allclose(project(small, TINY)[0], project(shown, TINY)[0], atol=1e-4)


def test_a_picture_of_the_right_size_is_only_divided():
    shown = views(1)
    rgb, same = resized(shown, (48, 64))
    assert same is shown
    assert torch.equal(rgb, shown.rgb / 255)


def test_a_function_of_geometry_stays_out_of_mixed_precision():
    @in_full_precision
    def product(one: Tensor, other: Tensor) -> Tensor:
        """Say something."""
        return one @ other

    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        assert product(matrix, matrix).dtype == torch.float32
        assert (matrix @ matrix).dtype == torch.bfloat16
        shown = views(1)
        mixed = lift(shown, PAPER), project(shown, PAPER)[0]
    assert torch.equal(mixed[0], lift(shown, PAPER))
    assert torch.equal(mixed[1], project(shown, PAPER)[0])
    assert product.__doc__ == "Say something."


def test_views_go_to_a_device_whole():
    moved = views(2).to(torch.device("meta"))
    assert {getattr(moved, name).device.type for name in Views.__dataclass_fields__} == {"meta"}


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("depth", torch.ones(2, 40, 64), r"depth has shape \(2, 40, 64\) instead of \(2, 48, 64\)"),
        ("intrinsics", torch.eye(3), r"intrinsics has shape \(3, 3\)"),
        ("camera_to_world", torch.eye(4).repeat(1, 1, 1), r"camera_to_world has shape \(1, 4, 4\)"),
        ("origin", torch.zeros(2, 2), r"origin has shape \(2, 2\)"),
        ("rgb", torch.zeros(2, 48, 64, 3), r"rgb has shape \(2, 48, 64, 3\) instead of \(B, 3, height, width\)"),
        ("rgb", torch.zeros(3, 48, 64), r"rgb has shape \(3, 48, 64\)"),
        ("origin", torch.full((2, 3), torch.nan), "origin holds values that are not finite"),
        ("camera_to_world", torch.full((2, 4, 4), torch.inf), "camera_to_world holds values that are not finite"),
        ("depth", torch.stack([torch.ones(48, 64), torch.zeros(48, 64)]), r"pictures \[1\] of the batch have no depth"),
        ("depth", torch.full((2, 48, 64), torch.nan), r"pictures \[0, 1\] of the batch have no depth"),
    ],
)
def test_views_that_do_not_belong_together_are_refused(name: str, value: Tensor, complaint: str):
    views(2).check()
    with pytest.raises(UnusableInput, match=complaint):
        replace(views(2), **{name: value}).check()
