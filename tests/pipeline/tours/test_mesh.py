from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.mesh import ATLAS_WIDTH, BORDER, _pack, build_mesh
from pipeline.tours.surfaces import rectangle, thing
from pipeline.tours.tour import Tour

from .shapes import GREY, block


def test_instances_count_from_one_in_the_order_of_the_things():
    mesh = build_mesh((block((0, 0, 0), (1, 1, 1), 5), block((2, 0, 0), (3, 1, 1), 8)))
    assert len(mesh.triangles) == 2 * 6 * 2
    np.testing.assert_array_equal(mesh.instances, np.repeat([1, 2], 12))
    np.testing.assert_array_equal(mesh.labels, np.repeat([5, 8], 12))
    assert mesh.vertices[mesh.triangles[12:]][..., 0].min() == 2


def test_normals_are_unit_and_point_out_of_a_box():
    mesh = build_mesh((block((0, 0, 0), (1, 2, 3)),))
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    outwards = mesh.vertices[mesh.triangles].mean(axis=1) - [0.5, 1, 1.5]
    assert ((mesh.normals * outwards).sum(axis=1) > 0).all()


def test_a_triangle_of_no_area_has_no_normal_instead_of_a_division_by_zero():
    mesh = build_mesh((thing(SemanticClass.OBJECTS, ((rectangle((0, 0, 0), (1, 0, 0), (0, 0, 0)),), GREY)),))
    assert not mesh.normals.any()


def test_the_corners_of_a_sheet_are_the_corners_of_its_patch():
    sheet = rectangle((0, 0, 0), (1.2, 0, 0), (0, 0, 0.6))
    mesh = build_mesh((thing(SemanticClass.WALL, ((sheet,), replace(GREY, texel=0.01))),))
    (patch,) = mesh.patches
    top, left, height, width = patch.place
    assert (height, width) == (60, 120)
    points, texels = mesh.vertices[mesh.triangles].reshape(-1, 3), mesh.texels.reshape(-1, 2)
    np.testing.assert_allclose(texels[:, 0], left + points[:, 0] / 0.01, atol=1e-3)  # float32 of a few hundred
    np.testing.assert_allclose(texels[:, 1], top + points[:, 2] / 0.01, atol=1e-3)
    assert mesh.texel_size == pytest.approx([0.01, 0.01])


def test_a_sheet_wider_than_the_atlas_is_painted_coarser():
    sheet = rectangle((0, 0, 0), (60, 0, 0), (0, 0, 0.001))
    (patch,) = build_mesh((thing(SemanticClass.WALL, ((sheet,), GREY)),)).patches
    assert patch.place[2:] == (2, ATLAS_WIDTH - 2 * BORDER)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(2, 300), st.integers(2, ATLAS_WIDTH - 2 * BORDER)), min_size=1, max_size=12))
def test_packed_rectangles_lie_in_the_atlas_with_their_borders_apart(shapes: list[tuple[int, int]]):
    places, atlas_height = _pack(shapes)
    assert [place[2:] for place in places] == shapes
    assert_apart(places, atlas_height)


def test_texture_patches_of_a_house_lie_in_the_atlas_without_touching(tour: Tour):
    mesh = tour.house.mesh
    assert_apart([patch.place for patch in mesh.patches], mesh.atlas_height)


def assert_apart(places: list[tuple[int, int, int, int]], atlas_height: int) -> None:
    taken = np.zeros((atlas_height, ATLAS_WIDTH), bool)
    for top, left, height, width in places:
        area = taken[top - BORDER : top + height + BORDER, left - BORDER : left + width + BORDER]
        assert area.shape == (height + 2 * BORDER, width + 2 * BORDER)
        assert not area.any()
        area[:] = True
