"""Walls: which upright planes are walls, how far they reach, and what belongs to them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.stages.semantics.settings import StructureSettings
from pipeline.stages.semantics.walls import CELL_M, Wall, columns, find_walls, plane_area, runs, wall_parts

SETTINGS = StructureSettings()
HEIGHT = 2.6
NORTH = Wall(axis=1, offset=3.0, facing=-1, low=-1.0, high=2.0)

Points = NDArray[np.float64]


def plane(axis: int, offset: float, side: tuple[float, float], z: tuple[float, float], step: float = 0.04) -> Points:
    """Points on the part of a plane ``axis = offset`` from one side to another and from one height to another."""
    along, up = np.meshgrid(np.arange(*side, step), np.arange(*z, step))
    points = np.empty((along.size, 3))
    points[:, axis], points[:, 1 - axis], points[:, 2] = offset, along.ravel(), up.ravel()
    return points


def facing(axis: int, direction: int, count: int) -> Points:
    return np.tile(direction * np.eye(3)[axis], (count, 1))


def found(*parts: tuple[int, int, Points]) -> list[Wall]:
    points = np.concatenate([p for _, _, p in parts])
    normals = np.concatenate([facing(axis, direction, len(p)) for axis, direction, p in parts])
    return find_walls(points, normals, HEIGHT, SETTINGS)


def test_a_wall_holds_what_lies_within_its_slab_and_between_its_ends():
    points = np.array([[0, 3.05, 1], [0, 3.2, 1], [2.05, 3, 1], [2.2, 3, 1], [-1.2, 3, 1], [0, 3, 99]])
    assert NORTH.holds(points, 0.12).tolist() == [True, False, True, False, False, True]


def test_a_wall_looks_one_way():
    tilted = np.array([[0, -np.cos(np.radians(20)), np.sin(np.radians(20))]])
    assert NORTH.faces(np.array([[0.0, -1, 0]]), 25).all()
    assert NORTH.faces(tilted, 25).all()
    assert not NORTH.faces(tilted, 15).any()
    assert not NORTH.faces(np.array([[0.0, 1, 0], [1, 0, 0]]), 25).any()


def test_the_four_walls_of_a_room_are_found_where_they_are():
    walls = found(
        (0, 1, plane(0, -1.5, (-1, 3), (0, HEIGHT))),
        (0, -1, plane(0, 2.0, (-1, 3), (0, HEIGHT))),
        (1, 1, plane(1, -1.0, (-1.5, 2), (0, HEIGHT))),
        (1, -1, plane(1, 3.0, (-1.5, 2), (0, HEIGHT))),
    )
    assert sorted((wall.axis, wall.facing, round(wall.offset, 2)) for wall in walls) == [
        (0, -1, 2.0),
        (0, 1, -1.5),
        (1, -1, 3.0),
        (1, 1, -1.0),
    ]
    for wall in walls:
        low, high = (-1, 3) if wall.axis == 0 else (-1.5, 2)
        assert (wall.low, wall.high) == (pytest.approx(low, abs=CELL_M), pytest.approx(high, abs=CELL_M))


def test_a_wardrobe_before_a_wall_is_no_wall():
    walls = found((1, -1, plane(1, 3.0, (-1.5, 2), (0, HEIGHT))), (1, -1, plane(1, 2.4, (-1, 0), (0, 1.9))))
    assert [round(wall.offset, 2) for wall in walls] == [3.0]


def test_a_wall_whose_top_is_out_of_view_closes_the_view():
    low = plane(1, 3.0, (-1.5, 2), (0, 1.5))
    assert len(found((1, -1, low))) == 1
    behind = (1, -1, plane(1, 5.0, (-1.5, 2), (0, HEIGHT)))
    assert [round(wall.offset) for wall in found((1, -1, low), behind)] == [5], "a counter, behind which more is seen"


def test_what_hangs_on_a_wall_does_not_interrupt_it_and_a_passage_does():
    left, right = plane(1, 3.0, (-1.5, 0), (0, HEIGHT)), plane(1, 3.0, (0.5, 2), (0, HEIGHT))
    assert len(found((1, -1, np.concatenate([left, right])))) == 1, "0.5 m that a cupboard hides"
    far = plane(1, 3.0, (1.2, 2.5), (0, HEIGHT))
    assert len(found((1, -1, np.concatenate([left, far])))) == 2, "1.2 m through which one walks"


def test_a_small_upright_surface_is_no_wall():
    assert found((1, -1, plane(1, 3.0, (0, 0.2), (0, HEIGHT)))) == []
    small = plane(1, 3.0, (0, 0.2), (0, HEIGHT))
    assert wall_parts(NORTH, small, small, HEIGHT, SETTINGS) == []


def test_nothing_flat_is_no_wall():
    assert find_walls(np.empty((0, 3)), np.empty((0, 3)), HEIGHT, SETTINGS) == []


def test_columns_are_counted_from_the_low_end():
    assert columns(np.array([-1.0, -0.95, -0.85, 0.0]), -1.0).tolist() == [0, 0, 1, 10]


def test_runs_close_gaps_and_drop_single_columns():
    flags = np.array([0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0], np.bool_)
    assert runs(flags, 2) == [(1, 7)]
    assert runs(flags, 1) == [(1, 3), (5, 7)]
    assert runs(np.zeros(5, np.bool_), 1) == []


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 5))
@settings(max_examples=60)
def test_runs_are_apart_and_begin_and_end_with_a_flag(flags: list[bool], gap: int):
    found = runs(np.array(flags, np.bool_), gap)
    assert all(flags[start] and flags[end - 1] and end - start > 1 for start, end in found)
    assert all(second[0] - first[1] > gap for first, second in pairwise(found))
    covered = {place for start, end in found for place in range(start, end)}
    lonely = [place for place, flag in enumerate(flags) if flag and place not in covered]
    assert all(not any(flags[max(place - gap - 1, 0) : place]) for place in lonely)


def test_an_area_is_that_of_the_cells_that_are_filled_once_each():
    full = plane(1, 0.0, (0.01, 2.0), (0.01, 1.0), step=0.02)
    assert plane_area(full[:, 0], full[:, 2]) == pytest.approx(2.0, rel=0.01)
    twice = np.concatenate([full, full])
    assert plane_area(twice[:, 0], twice[:, 2]) == plane_area(full[:, 0], full[:, 2])
