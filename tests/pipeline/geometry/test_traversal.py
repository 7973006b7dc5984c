from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geometry.traversal import (
    count_columns,
    count_points,
    count_rays,
    entry,
    entry_cell,
    lift,
    stride_along,
    voxels_along,
)

SHAPE = (6, 5, 4)
FOCAL = np.array([[0.5, 0, -1.0], [0, 0.5, -0.5], [0, 0, 1.0]])
"""Takes the pixel (u + 0.5, v + 0.5) of a picture of 4 x 2 pixels to its ray: two pixels a unit of depth."""
CENTRE = np.array([3.0, 2.5, -1.0])
POSITIONS = st.tuples(*[st.floats(-30, 90, allow_nan=False)] * 3)
VOXELS = st.tuples(*[st.floats(-9, 15, allow_nan=False)] * 3)


def depth_map(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def marked(start: tuple[float, float, float], end: tuple[float, float, float]) -> set[tuple[int, ...]]:
    return set(before_the_end(start, end, SHAPE))


def before_the_end(start: tuple, end: tuple, size: tuple[int, int, int]) -> list[tuple[int, ...]]:
    cells, leaves = np.empty((sum(size), 3), np.int64), np.empty(sum(size))
    count, is_ended = voxels_along(start, end, size, cells, leaves)
    return [tuple(cell) for cell in cells[: count - is_ended].tolist()]


@pytest.mark.parametrize("depth", [0.5, 2.0, 7.25])
def test_a_pixel_is_lifted_through_its_centre(depth: float):
    assert lift(3, 1, depth, FOCAL, CENTRE) == pytest.approx((3 + 0.75 * depth, 2.5 + 0.25 * depth, depth - 1))


def test_points_are_counted_with_their_votes_in_the_column_of_their_label():
    counts = np.zeros((*SHAPE, 3), np.uint32)
    depth = depth_map([2, 2, 2, 2], [2, 2, 2, 2])
    slots = np.array([[0, 1, 1, 2], [0, 1, 1, 2]], np.uint8)
    votes = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8)
    count_points(depth, slots, votes, FOCAL, CENTRE, counts)
    expected = np.zeros_like(counts)
    for v, u in np.ndindex(2, 4):
        x, y, z = np.floor([3 + 2 * (u + 0.5) / 2 - 2, 2.5 + 2 * (v + 0.5) / 2 - 1, 1]).astype(int)
        expected[x, y, z, slots[v, u]] += votes[v, u]
    np.testing.assert_array_equal(counts, expected)
    assert counts.sum() == votes.sum()


@pytest.mark.parametrize("nothing", [0.0, -1.0, np.inf, np.nan, 99.0])
def test_pixels_without_depth_and_points_outside_the_grid_are_not_counted(nothing: float):
    counts, columns = np.zeros((*SHAPE, 1), np.uint32), np.zeros(SHAPE[:2], np.int64)
    one = np.ones((1, 1), np.uint8)
    count_points(depth_map([nothing]), 0 * one, one, FOCAL, CENTRE, counts)
    count_columns(depth_map([nothing]), FOCAL, CENTRE, columns)
    assert not counts.any()
    assert not columns.any()


def test_columns_count_points_at_any_height():
    counts = np.zeros(SHAPE[:2], np.int64)
    count_columns(depth_map([0.5, 0, 0, 0.5], [0, 0, 0, 1.5]), FOCAL, CENTRE, counts)
    assert counts.sum() == 3
    assert counts[int(3 - 0.75 * 0.5), int(2.5 - 0.25 * 0.5)] == 1


def test_a_segment_along_an_axis_marks_all_before_its_end():
    assert marked((0.5, 2.5, 1.5), (4.5, 2.5, 1.5)) == {(x, 2, 1) for x in range(4)}
    assert marked((4.5, 2.5, 1.5), (0.5, 2.5, 1.5)) == {(x, 2, 1) for x in range(1, 5)}


def test_a_segment_that_enters_from_outside_marks_what_it_crosses_of_the_grid():
    assert marked((-5.0, 2.5, 1.5), (2.5, 2.5, 1.5)) == {(0, 2, 1), (1, 2, 1)}
    assert marked((-5.0, 2.5, 1.5), (99.0, 2.5, 1.5)) == {(x, 2, 1) for x in range(6)}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((0.2, 0.2, 0.2), (0.8, 0.8, 0.8)),  # within one voxel, which holds the surface
        ((-3.0, -3.0, -3.0), (-1.0, 2.0, 2.0)),  # beside the grid
        ((-3.0, 7.0, 1.0), (9.0, 7.0, 1.0)),  # past it
        ((2.5, 2.5, 2.5), (2.5, 2.5, 2.5)),  # no way at all
    ],
)
def test_segments_that_cross_no_voxel_mark_none(start: tuple[float, float, float], end: tuple[float, float, float]):
    assert marked(start, end) == set()


@given(POSITIONS, POSITIONS)
@settings(max_examples=200)
def test_traversal_marks_the_voxels_of_a_finely_sampled_line(start: tuple, end: tuple):
    size = (60, 50, 36)
    shares = np.linspace(0, 1, 8_001)[:, None]
    samples = np.array(start) + shares * np.subtract(end, start)
    cells = np.floor(samples).astype(int)
    inside = ((cells >= 0) & (cells < size)).all(axis=1) & (cells != cells[-1]).any(axis=1)
    away_from_borders = (np.abs(samples - np.round(samples)) > 1e-6).all(axis=1)
    sampled = {tuple(cell) for cell in cells[inside & away_from_borders]}
    marked = set(before_the_end(start, end, size))
    assert sampled <= marked
    assert all(distance_to_line(np.add(cell, 0.5), start, end) <= np.sqrt(3) / 2 for cell in marked)
    assert len(marked) <= np.abs(np.floor(end) - np.floor(start)).sum()


def distance_to_line(point: np.ndarray, start: tuple, end: tuple) -> float:
    run = np.subtract(end, start)
    share = np.clip(np.dot(point - start, run) / max(np.dot(run, run), 1e-12), 0, 1)
    return float(np.linalg.norm(start + share * run - point))


@settings(max_examples=60)
@given(VOXELS, VOXELS)
def test_the_entry_into_the_grid_is_the_first_point_inside_it(start: tuple, end: tuple):
    enter = entry(start, end, SHAPE)
    shares = np.linspace(0, 1, 2001)[:, None]
    samples = np.array(start) + shares * np.subtract(end, start)
    inside = ((samples > 0) & (samples < SHAPE)).all(axis=1)
    if enter == inf:
        assert inside.sum() <= 1, "it misses, or touches a corner"
    else:
        assert 0 <= enter < 1
        assert not inside[: max(int(enter * 2000) - 1, 0)].any()
        cells = [entry_cell(start[axis], end[axis], enter, SHAPE[axis]) for axis in range(3)]
        at = np.array(start) + enter * np.subtract(end, start)
        assert (np.abs(np.array(cells) + 0.5 - at) <= 0.5 + 1e-9).all()


@settings(max_examples=40)
@given(st.floats(-9, 9), st.floats(-9, 9))
def test_strides_lead_from_border_to_border(start: float, end: float):
    cell = int(np.floor(start))
    step, share, share_a_voxel = stride_along(start, end, cell)
    if start == end:
        assert (step, share, share_a_voxel) == (0, inf, inf)
        return
    assert step == np.sign(end - start)
    border = cell + (1 if step > 0 else 0)
    run = end - start
    if abs(run) > 1e-6:
        assert start + share * run == pytest.approx(border, abs=1e-6)
        assert share_a_voxel * abs(run) == pytest.approx(1)


def test_rays_leave_the_voxel_of_the_surface_and_what_lies_behind_it_alone():
    crossed = np.zeros((5, 5, 8), np.uint32)
    straight = np.array([[1e-9, 0, 0], [0, 1e-9, 0], [0, 0, 1.0]])
    count_rays(depth_map([5.5]), 1, 3, straight, np.array([2.5, 2.5, 0.5]), crossed)
    assert {tuple(cell) for cell in np.argwhere(crossed).tolist()} == {(2, 2, z) for z in range(6)}


@pytest.mark.parametrize(("stride", "rays"), [(1, 12), (2, 2), (3, 1), (4, 1)])
def test_every_nth_ray_is_traced_from_the_middle_of_the_first_n(stride: int, rays: int):
    traced = 0
    # Orthogonal to the grid, pixels ten voxels apart: every ray marks the voxel that it begins in.
    apart = np.array([[10.0, 0, 0], [0, 10.0, 0], [0, 0, 1.0]])
    for v, u in np.ndindex(3, 4):
        alone = np.zeros((3, 4), np.float32)
        alone[v, u] = 1
        crossed = np.zeros((40, 40, 1), np.uint32)
        count_rays(alone, stride, 1, apart, np.array([0.0, 0, 0.5]), crossed)
        assert crossed.any() == (v % stride == u % stride == stride // 2)
        traced += int(crossed.any())
    assert traced == rays
