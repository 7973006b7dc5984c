import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import beta

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Material
from pipeline.tours.surfaces import Sheet, box, cushion, lathe, quarter_turn, rectangle, rod, thing

from .shapes import GREY, area, volume

FLOAT32 = 1e-5
"""Relative: vertices of a mesh are float32."""


def front_normal(sheet: Sheet) -> np.ndarray:
    a, b, c = sheet.vertices[0, 0], sheet.vertices[0, 1], sheet.vertices[1, 0]
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal)


def test_a_rectangle_faces_along_cross_up_and_knows_its_size():
    sheet = rectangle((1, 2, 3), (0, 4, 0), (0, 0, 5), start=(0.5, 0.25))
    np.testing.assert_array_equal(sheet.vertices, [[[1, 2, 3], [1, 6, 3]], [[1, 2, 8], [1, 6, 8]]])
    np.testing.assert_allclose(front_normal(sheet), [1, 0, 0])
    assert (sheet.size, sheet.start) == ((5.0, 4.0), (0.5, 0.25))


def test_the_faces_of_a_box_look_outwards_and_enclose_its_volume():
    faces = box((1, 2, 3), (2, 4, 6))
    assert volume(*faces) == pytest.approx(1 * 2 * 3, rel=FLOAT32)
    assert area(thing(SemanticClass.OBJECTS, (faces, GREY))) == pytest.approx(2 * (2 + 3 + 6), rel=FLOAT32)
    for face in faces:
        outwards = face.vertices.mean(axis=(0, 1)) - [1.5, 3, 4.5]
        assert front_normal(face) @ outwards > 0


def test_a_rod_has_the_volume_of_its_prism_but_no_bottom():
    sides, radius, height = 12, 0.5, 2.0
    # Foot at the origin: an open bottom through the origin adds nothing to the sum.
    prism = 0.5 * sides * radius**2 * np.sin(2 * np.pi / sides) * height
    assert volume(*rod((0, 0, 0), radius, height, sides)) == pytest.approx(prism, rel=FLOAT32)


def test_a_turned_profile_spans_its_length_and_its_girth():
    (sheet,) = lathe((1, 2, 0.5), ((0.3, 0.0), (0.3, 0.4), (0.0, 0.4)))
    assert sheet.size == pytest.approx((0.4 + 0.3, 2 * np.pi * 0.3))
    low, high = sheet.vertices.reshape(-1, 3).min(axis=0), sheet.vertices.reshape(-1, 3).max(axis=0)
    np.testing.assert_allclose([low, high], [[0.7, 1.7, 0.5], [1.3, 2.3, 0.9]])


@pytest.mark.parametrize("roundness", [1.0, 0.7, 0.45, 0.2])
def test_a_cushion_has_the_volume_of_its_superellipsoid(roundness: float):
    radii = (0.3, 0.2, 0.1)
    whole = 2 * np.prod(radii) * roundness**2 * beta(roundness / 2 + 1, roundness) * beta(roundness / 2, roundness / 2)
    facets = volume(*cushion((1, 1, 1), radii, roundness, sides=48))
    assert 0.98 * whole < facets < whole * (1 + FLOAT32)  # flat facets cut a little off a convex body
    assert facets < 8 * np.prod(radii)


@settings(max_examples=40)
@given(st.floats(0.1, 1.0))
def test_a_cushion_reaches_its_radii_whatever_its_roundness(roundness: float):
    (sheet,) = cushion((1, 2, 3), (0.3, 0.2, 0.1), roundness)
    points = sheet.vertices.reshape(-1, 3) - [1, 2, 3]
    np.testing.assert_allclose(np.abs(points).max(axis=0), [0.3, 0.2, 0.1], atol=1e-9)


@settings(max_examples=40)
@given(st.integers(-9, 9))
def test_a_quarter_turn_is_a_rotation_about_z_and_four_are_none(turns: int):
    transform = quarter_turn(turns, (1.0, 2.0), 3.0)
    angle = turns * np.pi / 2
    np.testing.assert_allclose(transform[:2, :2] @ [1, 0], [np.cos(angle), np.sin(angle)], atol=1e-12)
    np.testing.assert_array_equal(transform @ [0, 0, 0, 1], [1, 2, 3, 1])
    np.testing.assert_array_equal(quarter_turn(turns + 4, (1.0, 2.0), 3.0), transform)


def test_moving_a_thing_moves_its_bounds_and_keeps_label_and_materials():
    piece = thing(SemanticClass.CHAIR, (box((0, 0, 0), (1, 2, 3)), GREY))
    moved = piece.moved(quarter_turn(1, (10, 20), 0.5))
    np.testing.assert_allclose(piece.bounds(), [[0, 0, 0], [1, 2, 3]])
    np.testing.assert_allclose(moved.bounds(), [[8, 20, 0.5], [10, 21, 3.5]], atol=1e-12)
    assert moved.label is SemanticClass.CHAIR
    assert {material for _, material in moved.parts} == {GREY}


def test_a_thing_lists_every_sheet_of_its_groups_with_the_material_of_its_group():
    other = Material("wood")
    piece = thing(SemanticClass.TABLE, (box((0, 0, 0), (1, 1, 1)), GREY), (rod((0, 0, 1), 0.1, 1), other))
    assert [material for _, material in piece.parts] == [GREY] * 6 + [other]
