from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.albedo import paint
from pipeline.tours.dressing import finished, swapped
from pipeline.tours.facade import WALL_THICKNESS, walls_with_holes
from pipeline.tours.fittings import MIRROR_DEPTH, wall_mirror
from pipeline.tours.garden import build_garden
from pipeline.tours.house import House, build_house
from pipeline.tours.layout import Finish
from pipeline.tours.light import SUN, light_patches
from pipeline.tours.materials import Material, SurfaceKind
from pipeline.tours.mesh import build_mesh
from pipeline.tours.raycast import RayCaster
from pipeline.tours.settings import TourSettings
from pipeline.tours.shell import build_shell
from pipeline.tours.sunlight import with_sun
from pipeline.tours.surfaces import Thing, thing
from pipeline.tours.variety import HouseSettings

from .shapes import DOORWAY, WINDOW, area, bare_house, block, plain_room

CLEAR = replace(WINDOW, side=0, clear=True)
"""A window towards the sun, which stands in the direction of -y."""


def dressed(**settings: object) -> House:
    chosen = TourSettings(rooms_max=3, houses=HouseSettings.model_validate(settings))
    return build_house(np.random.default_rng(3), chosen)


def surfaces_of(house: House) -> set[int]:
    return set(np.unique(house.mesh.surfaces).tolist())


def test_finishes_are_drawn_by_their_shares():
    rooms = (plain_room(WINDOW, DOORWAY),) * 800
    settings = HouseSettings(
        clear_windows=0.5, mirrors=0.4, glossy_floors=0.3, bare_rooms=0.2, dark_rooms=0.6, darkness=(0.2, 0.4)
    )
    done = finished(np.random.default_rng(0), rooms, settings)
    dark = np.array([room.finish.brightness for room in done])
    for found, share in (
        ([room.finish.mirror for room in done], 0.4),
        ([room.finish.glossy for room in done], 0.3),
        ([room.finish.bare for room in done], 0.2),
        (dark < 1, 0.6),
        ([room.openings[0].clear for room in done], 0.5),
    ):
        assert np.mean(found) == pytest.approx(share, abs=0.06)
    assert 0.2 <= dark.min() < dark[dark < 1].max() <= 0.4
    assert not any(room.openings[1].clear for room in done), "nobody looks through a doorway's pane"


def test_nothing_is_dressed_unless_asked_for():
    assert surfaces_of(dressed()) == {SurfaceKind.PLAIN}


def test_a_house_has_the_surfaces_that_it_is_asked_for():
    house = dressed(clear_windows=1, mirrors=1, glossy_floors=1)
    assert surfaces_of(house) == {SurfaceKind.PLAIN, SurfaceKind.GLASS, SurfaceKind.MIRROR, SurfaceKind.GLOSSY}
    mesh = house.mesh
    assert set(mesh.labels[mesh.surfaces == SurfaceKind.MIRROR]) == {SemanticClass.OBJECTS}
    assert set(mesh.labels[mesh.surfaces == SurfaceKind.GLOSSY]) == {SemanticClass.FLOOR}
    assert set(mesh.labels[mesh.surfaces == SurfaceKind.GLASS]) == {SemanticClass.WINDOW, SemanticClass.UNKNOWN}


def test_through_clear_windows_one_sees_the_garden():
    house = dressed(clear_windows=1)
    opaque = RayCaster(house.mesh, house.mesh.surfaces != SurfaceKind.GLASS)
    seen = 0
    for room in house.rooms:
        for hole in (hole for hole in room.openings if hole.kind == "window"):
            spot = (room.side_frame(hole.side) @ [hole.start + 0.3, -0.05, (hole.bottom + hole.top) / 2, 1])[:3]
            out = room.side_frame(hole.side)[:3, :3] @ [0, -1, 0]
            hits = opaque.cast(spot.astype(np.float32), out.astype(np.float32)[None])
            assert not hits.found[0] or hits.distance[0] > 3
            seen += 1
    assert seen >= 3


def test_the_outer_walls_are_open_where_windows_are_clear():
    room = plain_room(CLEAR)
    outline = (-WALL_THICKNESS, -WALL_THICKNESS, 4 + WALL_THICKNESS, 3 + WALL_THICKNESS)
    walls = thing(SemanticClass.UNKNOWN, (walls_with_holes(outline, 2.75, (room,)), Material("brick")))
    around = 2 * (7 + 4 * WALL_THICKNESS) * 2.87
    assert area(walls) == pytest.approx(around - 1.2 * 1.2)
    caster = RayCaster(build_mesh((walls,)))
    through = caster.cast(np.array([1.6, 1.0, 1.5], np.float32), np.array([[0, -1, 0]], np.float32))
    beside = caster.cast(np.array([3.0, 1.0, 1.5], np.float32), np.array([[0, -1, 0]], np.float32))
    assert not through.found[0]
    assert beside.found[0]


def test_a_mirror_hangs_on_free_wall_above_low_furniture():
    room = plain_room(WINDOW, DOORWAY)
    along = [(1, 0.1, 2.9, 0.8), (3, 0.1, 2.9, 1.9)]
    for seed in range(10):
        hung = wall_mirror(np.random.default_rng(seed), room, along)
        if hung is None:
            continue
        piece, (side, start, end, top) = hung
        assert side == 1 or (side, start > 2.4, end < 1.0)[1:] != (False, False)
        low, high = piece.moved(np.linalg.inv(room.side_frame(side))).bounds()
        assert (low[0], high[0]) == (pytest.approx(start), pytest.approx(end))
        assert high[1] == pytest.approx(MIRROR_DEPTH)
        assert high[2] == pytest.approx(top)
        if side == 1:
            assert low[2] > 0.8


def test_bare_walls_have_next_to_no_texture():
    walls = [
        m for _, m in build_shell(np.random.default_rng(0), replace(plain_room(), finish=Finish(bare=True)))[3].parts
    ]
    assert walls[0].pattern == "bare"
    bare, plaster = (paint(replace(walls[0], pattern=p), (2.0, 2.0), (0, 0), (200, 200)) for p in ("bare", "plaster"))
    assert bare.std() < plaster.std() / 5


def test_a_dark_room_has_its_share_of_the_light():
    bright, dark = plain_room(), replace(plain_room(), finish=Finish(brightness=0.25))
    mesh = build_mesh(tuple(build_shell(np.random.default_rng(0), bright)))
    light = [light_patches(mesh.patches, (room,), RayCaster(mesh)) for room in (bright, dark)]
    for a, b in zip(*light, strict=True):
        np.testing.assert_allclose(b, 0.25 * a, rtol=1e-5)


def test_the_sun_falls_through_a_clear_window_onto_the_floor_where_it_should():
    house = bare_house(room=plain_room(CLEAR))
    garden = build_garden(np.random.default_rng(0), house.rooms)
    mesh = build_mesh((*house.things, *garden))
    dark = [np.zeros((2, 2, 3), np.float32) for _ in mesh.patches]
    lit = with_sun(dark, mesh)
    floor = next(i for i, patch in enumerate(mesh.patches) if patch.label == SemanticClass.FLOOR)
    assert lit[floor].max() > 0.5
    rows, columns = np.nonzero(lit[floor][..., 0] > 0)
    height, width = lit[floor].shape[:2]
    x, y = columns / (width - 1) * 4, rows / (height - 1) * 3
    # Back along the sun's direction from the floor to the pane at y = -0.12, which must be met within the window.
    rise = (y + 0.12) / -SUN[1]
    np.testing.assert_array_less(CLEAR.bottom - 0.03, rise * SUN[2])
    np.testing.assert_array_less(rise * SUN[2], CLEAR.top + 0.03)
    np.testing.assert_array_less(CLEAR.start - 0.03, x + rise * SUN[0])
    np.testing.assert_array_less(x + rise * SUN[0], CLEAR.end + 0.03)


def test_patterns_of_a_share_of_the_materials_are_swapped_and_shapes_and_labels_stay():
    wood = [block((0, 0, 0), (1, 1, 1), SemanticClass.TABLE) for _ in range(300)]
    named = [
        Thing(item.label, tuple((sheet, replace(m, pattern="wood", seed=i)) for sheet, m in item.parts))
        for i, item in enumerate(wood)
    ]
    done = swapped(np.random.default_rng(0), named, 0.3)
    changed = [item.parts[0][1].pattern != "wood" for item in done]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.07)
    assert all(len({m for _, m in item.parts}) == 1 for item in done), "a material changes as a whole"
    assert all(
        a.label == b.label and a.bounds().tolist() == b.bounds().tolist() for a, b in zip(named, done, strict=True)
    )
    assert swapped(np.random.default_rng(0), named, 0) is named
