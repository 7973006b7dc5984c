from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.mesh import build_mesh
from pipeline.tours.raycast import NO_TRIANGLE, RayCaster

from .shapes import block

MESH = build_mesh((block((1, -1, -1), (2, 1, 1)), block((5, -1, -1), (6, 1, 1))))


@pytest.fixture(scope="module")
def caster() -> RayCaster:
    return RayCaster(MESH)


def rays(*directions: tuple[float, float, float]) -> np.ndarray:
    return np.array(directions, np.float32)


def test_distances_are_in_lengths_of_the_rays_direction(caster: RayCaster):
    hits = caster.cast(np.zeros(3, np.float32), rays((1, 0.1, 0.1), (2, 0.2, 0.2), (-1, 0, 0)))
    np.testing.assert_allclose(hits.distance[:2], [1, 0.5], rtol=1e-6)
    assert np.isinf(hits.distance[2])
    assert hits.found.tolist() == [True, True, False]
    assert hits.triangle[2] == NO_TRIANGLE


def test_every_ray_has_its_own_origin_where_there_are_several(caster: RayCaster):
    origins = np.array([[0, 0.3, 0.2], [3, 0.3, 0.2]], np.float32)
    hits = caster.cast(origins, rays((1, 0, 0), (1, 0, 0)))
    np.testing.assert_allclose(hits.distance, [1, 2], rtol=1e-6)
    np.testing.assert_array_equal(MESH.instances[hits.triangle], [1, 2])


@settings(max_examples=30)
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_barycentric_weights_are_those_of_the_second_and_third_corner(y: float, z: float):
    direction = rays((1, y, z))
    hits = RayCaster(MESH).cast(np.zeros(3, np.float32), direction)
    a, b, c = MESH.vertices[MESH.triangles[hits.triangle[0]]]
    u, v = hits.barycentric[0]
    np.testing.assert_allclose((1 - u - v) * a + u * b + v * c, hits.distance[0] * direction[0], atol=1e-5)


def test_a_segment_is_blocked_only_by_what_lies_between_its_ends(caster: RayCaster):
    origins = np.zeros((3, 3), np.float32)
    blocked = caster.is_blocked(origins, rays((0.9, 0, 0), (1.1, 0, 0), (0, 9, 0)))
    assert blocked.tolist() == [False, True, False]


def test_several_threads_get_the_answers_of_one(caster: RayCaster):
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(20, 500, 3)).astype(np.float32)
    alone = [caster.cast(np.zeros(3, np.float32), some).distance for some in directions]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda some: caster.cast(np.zeros(3, np.float32), some).distance, directions))
    np.testing.assert_array_equal(np.stack(together), np.stack(alone))
