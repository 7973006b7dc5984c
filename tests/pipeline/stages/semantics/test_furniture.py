"""Furniture by its level surfaces: what height and size decide, and what they do not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.stages.semantics.furniture import (
    ARCHETYPES,
    CELL_M,
    CELLS,
    Archetype,
    columns,
    fits,
    footprint,
    furniture_labels,
    level_surfaces,
)

Points = NDArray[np.float32]


def slab(low: tuple[float, float], high: tuple[float, float], z: float) -> Points:
    """Points every 2 cm of a level surface."""
    x, y = np.meshgrid(np.arange(low[0], high[0], 0.02), np.arange(low[1], high[1], 0.02))
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=1).astype(np.float32)


def sheet(low: tuple[float, float], high: tuple[float, float], bottom: float, top: float) -> Points:
    """Points every 2 cm of an upright surface from one corner to another."""
    share, z = np.meshgrid(np.arange(0, 1, 0.02), np.arange(bottom, top, 0.02))
    place = np.array(low) + share.reshape(-1, 1) * np.subtract(high, low)
    return np.column_stack([place, z.ravel()]).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "height", "label"),
    [
        ((1.5, 2.0), 0.55, SemanticClass.BED),
        ((1.4, 0.8), 0.74, SemanticClass.TABLE),
        ((1.9, 0.8), 0.44, SemanticClass.SOFA),
        ((0.5, 0.5), 0.46, SemanticClass.EMPTY),
        ((1.4, 0.6), 0.90, SemanticClass.FURNITURE),
        ((1.4, 0.2), 0.90, SemanticClass.EMPTY),
        ((1.4, 0.6), 0.82, SemanticClass.EMPTY),
        ((0.3, 0.3), 0.60, SemanticClass.EMPTY),
    ],
)
def test_level_surfaces_are_named_where_height_and_size_decide(
    size: tuple[float, float], height: float, label: SemanticClass
):
    surface = slab((0, 0), size, height)
    assert (furniture_labels(surface, np.ones(len(surface), np.bool_)) == label).all()


def test_what_stands_under_and_just_over_a_surface_belongs_to_it():
    bed, side, pillow, lamp = (
        slab((0, 0), (1.5, 2.0), 0.55),
        sheet((0, 0), (1.5, 0), 0.05, 0.5),
        sheet((0.1, 1.8), (1.4, 1.8), 0.6, 0.8),
        sheet((0.1, 1.9), (0.3, 1.9), 1.0, 1.3),
    )
    points = np.concatenate([bed, side, pillow, lamp])
    level = np.arange(len(points)) < len(bed)
    labels = np.split(furniture_labels(points, level), np.cumsum([len(bed), len(side), len(pillow)]))
    assert (labels[1] == SemanticClass.BED).all(), "its side"
    assert (labels[2] == SemanticClass.BED).all(), "up to 0.3 m above it"
    assert (labels[3] == SemanticClass.EMPTY).all(), "a lamp on the wall behind it"


def test_two_pieces_are_named_each_by_itself_and_what_lies_between_is_not():
    bed, table, rug = slab((0, 0), (1.5, 2.0), 0.55), slab((3, 0), (4.4, 0.8), 0.74), slab((2, 0), (2.4, 0.4), 0.02)
    points = np.concatenate([bed, table, rug])
    labels = furniture_labels(points, np.ones(len(points), np.bool_))
    assert (labels[: len(bed)] == SemanticClass.BED).all()
    assert (labels[len(bed) : -len(rug)] == SemanticClass.TABLE).all()
    assert not labels[-len(rug) :].any()


def test_where_nothing_is_level_nothing_is_named():
    points = slab((0, 0), (1.5, 2.0), 0.55)
    assert not furniture_labels(points, np.zeros(len(points), np.bool_)).any()
    assert furniture_labels(points[:0], np.zeros(0, np.bool_)).shape == (0,)


def test_columns_are_counted_from_the_corner_and_end_at_the_border():
    points = np.array([[1.0, 2.0, 0], [1.0 + 2.5 * CELL_M, 2.0, 0], [1000, 2.0, 0]], np.float32)
    assert columns(points, np.array([1.0, 2.0], np.float32)).tolist() == [[0, 0], [2, 0], [CELLS - 1, 0]]


def test_a_footprint_is_the_map_of_filled_columns():
    filled = footprint(np.array([[0, 1], [3, 2], [0, 1]]))
    assert filled.shape == (CELLS, CELLS)
    assert np.argwhere(filled).tolist() == [[0, 1], [3, 2]]


def test_surfaces_come_largest_first_with_their_heights():
    small, large = slab((0, 0), (0.5, 0.5), 0.45), slab((1, 0), (2.5, 2.0), 0.725)
    points = np.concatenate([small, large])
    found = level_surfaces(points, columns(points, points[:, :2].min(axis=0)))
    assert [height for height, _ in found] == pytest.approx([0.725, 0.45])
    # 1.5 m by 2 m are 30 by 40 cells of 5 cm; a row of cells more where the corner of the lattice falls.
    assert found[0][1].sum() == pytest.approx(1200, rel=0.06)


def test_levels_that_touch_in_height_and_place_are_one_surface_and_a_few_points_are_none():
    lower, upper, few = slab((0, 0), (1, 1), 0.42), slab((1, 0), (2, 1), 0.46), slab((4, 4), (4.06, 4.06), 0.5)
    points = np.concatenate([lower, upper, few])
    assert len(level_surfaces(points, columns(points, np.zeros(2, np.float32)))) == 1


@pytest.mark.parametrize("place", range(4))
def test_a_surface_fits_where_height_area_and_both_sides_do(place: int):
    archetype = Archetype(SemanticClass.TABLE, (0.7, 0.78), (0.35, 3.0), (0.6, 1.2), (0.7, 2.6), above=0.05)
    surface = np.zeros((CELLS, CELLS), np.bool_)
    surface[:28, :16] = True  # 1.4 m by 0.8 m
    assert fits(archetype, 0.74, surface)
    assert fits(archetype, 0.74, surface.T), "whichever way it stands"
    height, surfaces = 0.74, surface.copy()
    if place == 0:
        height = 0.8
    elif place == 1:
        surfaces[1:27, 1:15] = False  # a frame without a top: 80 cells are 0.2 m2
    elif place == 2:
        surfaces[:, 10:] = False
    else:
        surfaces[28:60, :16] = True
    assert not fits(archetype, height, surfaces)


def test_no_surface_is_two_kinds_of_furniture_of_the_same_height_and_size():
    for i, one in enumerate(ARCHETYPES):
        for other in ARCHETYPES[:i]:
            pairs = (
                (one.height, other.height),
                (one.area, other.area),
                (one.short, other.short),
                (one.long, other.long),
            )
            shared = [max(a[0], b[0]) < min(a[1], b[1]) for a, b in pairs]
            # Sofas are as high as low beds; the first of the list has the first word.
            assert not all(shared) or {one.label, other.label} == {SemanticClass.SOFA, SemanticClass.BED}
