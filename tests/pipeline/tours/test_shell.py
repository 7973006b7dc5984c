import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import INNER_WALL, Opening, Room, plan_rooms
from pipeline.tours.settings import TourSettings
from pipeline.tours.shell import PANE_DEPTH, build_shell
from pipeline.tours.surfaces import Thing

from .shapes import DOORWAY, WINDOW, area, plain_room

BOARD = 0.015
"""Metres that a skirting board stands out from its wall."""


def shell_of(room: Room, seed: int = 0) -> list[Thing]:
    return build_shell(np.random.default_rng(seed), room)


def labelled(things: list[Thing], label: SemanticClass) -> list[Thing]:
    return [piece for piece in things if piece.label == label]


def sheets_only(piece: Thing, pattern: str) -> Thing:
    return Thing(piece.label, tuple((s, m) for s, m in piece.parts if (m.pattern == "smooth") == (pattern == "smooth")))


def test_a_bare_room_has_a_floor_a_ceiling_and_four_walls_of_its_size():
    things = shell_of(plain_room(height=2.5))
    assert [piece.label for piece in things] == [SemanticClass.FLOOR, SemanticClass.CEILING, *[SemanticClass.WALL] * 4]
    floor, ceiling, *walls = things
    assert area(floor) == pytest.approx(12)
    assert area(ceiling) == pytest.approx(12)
    np.testing.assert_allclose(ceiling.bounds(), [[0, 0, 2.5], [4, 3, 2.5]])
    for wall, length in zip(walls, (4, 3, 4, 3), strict=True):
        assert area(sheets_only(wall, "wall")) == pytest.approx(length * 2.5)


@settings(max_examples=10)
@given(st.integers(0, 99_999))
def test_walls_leave_exactly_their_openings_free(seed: int):
    room = plan_rooms(np.random.default_rng(seed), TourSettings())[0]
    walls = labelled(shell_of(room, seed), SemanticClass.WALL)[:4]
    for side, wall in enumerate(walls):
        holes = sum((h.end - h.start) * (h.top - h.bottom) for h in room.openings if h.side == side)
        whole = room.side_length(side) * room.ceiling_height
        assert area(sheets_only(wall, "wall")) == pytest.approx(whole - holes, rel=1e-5)


def test_walls_look_into_the_room_and_lie_on_its_bounds():
    room = plain_room(WINDOW, DOORWAY)
    for side, wall in enumerate(labelled(shell_of(room), SemanticClass.WALL)[:4]):
        to_wall = np.linalg.inv(room.side_frame(side))
        for sheet, _ in sheets_only(wall, "wall").parts:
            points = sheet.moved(to_wall).vertices
            np.testing.assert_allclose(points[..., 1], 0, atol=1e-12)
            normal = np.cross(points[0, 1] - points[0, 0], points[1, 0] - points[0, 0])
            assert normal[1] > 0


def test_skirting_boards_run_along_the_floor_but_not_through_doorways():
    room = plain_room(DOORWAY)
    wall = labelled(shell_of(room), SemanticClass.WALL)[0]
    boards = sheets_only(wall, "smooth").bounds()
    np.testing.assert_allclose(boards, [[0, 0, 0], [4, BOARD, 0.08]], atol=1e-12)
    across = np.array([sheet.vertices[..., 0].mean() for sheet, m in wall.parts if m.pattern == "smooth"])
    assert not ((across > DOORWAY.start + 1e-6) & (across < DOORWAY.end - 1e-6)).any()


def test_the_floor_reaches_half_way_below_a_doorway():
    floor = shell_of(plain_room(DOORWAY))[0]
    np.testing.assert_allclose(floor.bounds(), [[0, -INNER_WALL / 2, 0], [4, 3, 0]], atol=1e-12)
    assert area(floor) == pytest.approx(12 + 0.9 * INNER_WALL / 2)


def test_kitchens_are_tiled_and_other_rooms_have_boards():
    for kind, pattern in (("kitchen", "tiles"), ("bedroom", "planks")):
        floor = shell_of(plain_room(kind=kind))[0]
        assert {material.pattern for _, material in floor.parts} == {pattern}


def test_a_window_has_a_shining_pane_behind_the_wall_within_its_opening():
    window = next(piece for piece in shell_of(plain_room(WINDOW)) if piece.label == SemanticClass.WINDOW)
    ((pane, _),) = [(sheet, material) for sheet, material in window.parts if material.glows]
    inside = pane.moved(np.linalg.inv(plain_room().side_frame(2))).vertices.reshape(-1, 3)
    np.testing.assert_allclose(inside.min(axis=0), [1.0, -PANE_DEPTH, 0.9], atol=1e-9)
    np.testing.assert_allclose(inside.max(axis=0), [2.2, -PANE_DEPTH, 2.1], atol=1e-9)


def test_some_windows_have_curtains_that_hang_before_the_wall():
    shells = [labelled(shell_of(plain_room(WINDOW), seed), SemanticClass.WINDOW) for seed in range(20)]
    curtained = [windows[1] for windows in shells if len(windows) == 2]
    assert 6 <= len(curtained) <= 18  # six in ten are drawn
    for curtain in curtained:
        low, high = curtain.moved(np.linalg.inv(plain_room().side_frame(2))).bounds()
        folds = 0.022 * np.sin(np.pi / 3)  # the crest that 25 samples of four waves reach
        assert (low[1], high[1]) == (pytest.approx(0.06 - folds), pytest.approx(0.06 + folds))
        assert low[2] < WINDOW.bottom < WINDOW.top < high[2]


def leaves(room: Room) -> list[Thing]:
    things = labelled(shell_of(room), SemanticClass.OBJECTS)
    return [piece for piece in things if any(material.pattern == "panels" for _, material in piece.parts)]


def test_the_open_leaf_of_a_door_hangs_in_one_of_its_two_rooms():
    assert len(leaves(plain_room(DOORWAY))) == 1
    here = Opening("doorway", 0, 1.5, 2.4, 0.0, 2.05, leads_to=0)
    assert not leaves(plain_room(here)), "room 0 is no smaller than the room it leads to"


@pytest.mark.parametrize(
    "openings",
    [
        (Opening("doorway", 0, 0.9, 1.8, 0.0, 2.05, leads_to=1),),
        (DOORWAY, Opening("window", 0, 0.6, 1.2, 0.9, 2.0)),
    ],
)
def test_a_door_leaf_needs_bare_wall_beside_its_doorway(openings: tuple[Opening, ...]):
    assert not leaves(plain_room(*openings))
