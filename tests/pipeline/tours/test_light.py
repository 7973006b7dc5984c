from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.light import (
    LIFT,
    OUTDOOR_AMBIENT,
    SUN,
    SUNLIGHT,
    Lamp,
    Lighting,
    _even_directions,
    _lamplight,
    _lamps,
    light_patches,
    raster,
)
from pipeline.tours.materials import Material
from pipeline.tours.mesh import Mesh, build_mesh
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import Sheet, Thing, rectangle, thing

from .shapes import GREY, WINDOW, block, plain_room

FAR_AWAY = block((90, 90, 90), (91, 91, 91))
FLOOR = np.array([[0.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])


def caster_of(*things: Thing) -> RayCaster:
    return RayCaster(build_mesh(things))


def lamplight_on_floor(lamp: Lamp, *things: Thing) -> np.ndarray:
    return _lamplight(*FLOOR, lamp, caster_of(*things, FAR_AWAY))[0]


def lit(*things: Thing, lighting: Lighting | None = None) -> tuple[Mesh, list[np.ndarray]]:
    mesh = build_mesh(things)
    return mesh, light_patches(mesh.patches, (), RayCaster(mesh), lighting)


def test_below_a_lamp_its_light_falls_with_the_square_of_the_distance_softened_near_it():
    for height in (0.5, 1.0, 2.0):
        light = lamplight_on_floor(Lamp((0, 0, height), (1.0, 0.8, 0.6)))
        np.testing.assert_allclose(light, np.array([1.0, 0.8, 0.6]) / (height**2 + 0.8))


def test_light_from_the_side_falls_with_its_cosine():
    light = lamplight_on_floor(Lamp((1.0, 0.0, 1.0), (1, 1, 1)))
    np.testing.assert_allclose(light, np.cos(np.pi / 4) / (2 + 0.8))


@pytest.mark.parametrize("position", [(0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 7.5)])
def test_a_lamp_behind_beside_or_out_of_reach_gives_no_light(position: tuple[float, float, float]):
    assert not lamplight_on_floor(Lamp(position, (1, 1, 1))).any()


def test_what_stands_between_lamp_and_floor_throws_a_shadow():
    board = block((-0.1, -0.1, 0.5), (0.1, 0.1, 0.52))
    assert not lamplight_on_floor(Lamp((0, 0, 1), (1, 1, 1)), board).any()
    assert lamplight_on_floor(Lamp((0.5, 0, 1), (1, 1, 1)), board).all()


def test_directions_are_unit_vectors_spread_evenly():
    directions = _even_directions(200)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_allclose(directions.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(directions.T @ directions / 200, np.eye(3) / 3, atol=0.01)


def test_a_free_surface_gets_all_the_ambient_light_and_a_covered_one_less():
    sheet = rectangle((0, 0, 0), (1, 0, 0), (0, 1, 0))
    floor = thing(SemanticClass.FLOOR, ((sheet,), GREY))
    _, (free,) = lit(floor)
    np.testing.assert_allclose(free, np.broadcast_to(Lighting().ambient, free.shape), rtol=1e-6)
    _, (covered, *_) = lit(floor, block((-2, -2, 0.1), (3, 3, 0.2)))
    assert (covered < 0.7 * free).all()


def test_outdoors_the_sun_lights_what_faces_it_and_the_sky_the_rest():
    up = rectangle((0, 0, 0), (1, 0, 0), (0, 1, 0))
    down = rectangle((0, 0, 0), (0, 1, 0), (1, 0, 0))
    for sheet, cosine in ((up, SUN[2]), (down, 0.0)):
        _, (light,) = lit(thing(SemanticClass.UNKNOWN, ((sheet,), GREY)))
        np.testing.assert_allclose(light[0, 0], np.array(OUTDOOR_AMBIENT) + cosine * np.array(SUNLIGHT), rtol=1e-5)


def test_a_screen_shines_by_itself_whatever_falls_on_it():
    sheet = rectangle((0, 0, 0), (1, 0, 0), (0, 1, 0))
    _, (light,) = lit(thing(SemanticClass.TVS, ((sheet,), Material("screen", glows=True))))
    assert (light == 1).all()


def test_samples_are_spaced_as_told_and_never_fewer_than_two_a_side():
    sheets = [rectangle((0, 0, 0), (1.5, 0, 0), (0, 0.75, 0)), rectangle((0, 0, 0), (0.1, 0, 0), (0, 90, 0))]
    _, light = lit(thing(SemanticClass.FLOOR, (tuple(sheets), GREY)), lighting=Lighting(spacing=0.15, rays=2))
    assert [raster.shape for raster in light] == [(5, 10, 3), (120, 2, 3)]


def test_samples_of_a_curved_sheet_are_lifted_along_its_normals():
    x = np.linspace(0, 1, 5)
    roof = np.stack([np.stack([x, np.full(5, y), 1 - np.abs(x - 0.5)], axis=-1) for y in (0.0, 1.0)])
    points, normals = raster(Sheet(roof, (1.0, 1.4)), 0.2)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1)
    heights = 1 - np.abs(points[..., 0] - LIFT * normals[..., 0] - 0.5)
    np.testing.assert_allclose(points[..., 2] - LIFT * normals[..., 2], heights, atol=1e-9)
    assert (normals[..., 2] > 0.7).all()


def test_every_room_has_a_lamp_below_its_ceiling_and_one_before_each_window():
    room = plain_room(WINDOW, height=2.5)
    ceiling, window = _lamps((room,), Lighting(lamps=(2, 2, 2), windows=(1, 0, 0)))
    assert ceiling.position == pytest.approx((2, 1.5, 2.5 - 0.62))
    assert window.position == pytest.approx((4 - 1.6, 3 - 0.35, 1.5))  # the wall at y_max runs towards -x
    assert ceiling.colour == pytest.approx(tuple(2 * 0.55 * np.sqrt(12) * share for share in (1, 0.95, 0.85)))
    assert window.colour[1:] == (0, 0)


def test_a_brighter_lamp_brightens_only_what_is_inside():
    inside = thing(SemanticClass.FLOOR, ((rectangle((0.5, 0.5, 0), (3, 0, 0), (0, 2, 0)),), GREY))
    outside = thing(SemanticClass.UNKNOWN, ((rectangle((9, 0, 0), (1, 0, 0), (0, 1, 0)),), GREY))
    mesh = build_mesh((inside, outside))
    dim = Lighting(rays=2, spacing=0.5)
    bright = replace(dim, lamps=(3.0, 3.0, 3.0))
    (floor, lawn), (brighter, same) = (
        light_patches(mesh.patches, (plain_room(),), RayCaster(mesh), lighting) for lighting in (dim, bright)
    )
    assert (brighter > floor).all()
    np.testing.assert_array_equal(lawn, same)
