"""Shots of one room from unlike places: the similarity is found among false matches, and other rooms are refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.records import Reconstruction
from pipeline.geometry.relocation import FEWEST, LookAlikes, Relocation, Shown, relocated
from tests.pipeline.box_room import INTRINSICS, Box, Room, film, looking
from tests.pipeline.disguise import disguise

SHAPE = (60, 80)
WALLS = Box((-2.0, -1.5, 0.0), (2.0, 3.0, 2.6))
TABLE, BED = Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)), Box((-2.0, 1.6, 0.0), (-0.6, 3.0, 0.5))
ROOM = Room(WALLS, (TABLE, BED))
FROM_THE_LEFT = [looking((-1.2 + 0.1 * i, -1.0, 1.5), (0.3, 2.0, 0.9)) for i in range(4)]
FROM_THE_RIGHT = [looking((1.5 - 0.1 * i, -0.7, 1.4), (0.0, 2.0, 0.8)) for i in range(4)]


def shown(room: Room, cameras: list[NDArray[np.float64]], seed: int, paper: int = 0) -> tuple[Shown, NDArray]:
    """A room in a frame and unit of its own, with its grey pictures, and how it got there. paper: on its walls."""
    scene = film(room, cameras, SHAPE)[0]
    found, similarity = disguise(scene, seed, noise=0.004)
    grey = {row: painted(pointmap(scene.depth[row], INTRINSICS, cameras[row]), paper) for row in range(len(cameras))}
    return Shown(found, grey), similarity


def painted(points: NDArray[np.float64], paper: int) -> NDArray[np.float32]:
    """Grey values of points (..., 3): waves of half a metre and more in directions that a seed draws."""
    waves = np.random.default_rng(paper).normal(0, 6, (8, 3))
    return np.asarray(128 + 15 * np.sin(points @ waves.T + np.arange(8)).sum(axis=-1), np.float32)


def matches(
    one: Shown, other: Shown, at: NDArray, by: NDArray, seed: int, true: int = 60, false: int = 60
) -> LookAlikes:
    """Places of a room that frames of both show, with some that are none. at, by: how the room got to either frame."""
    draw = np.random.default_rng(seed)
    found: list[tuple[int, NDArray, int, NDArray]] = []
    while len(found) < true:
        row, other_row = (int(draw.integers(len(side.found.depth))) for side in (one, other))
        pixel = draw.uniform((0, 0), (640, 480))
        point = lifted(one.found, row, pixel)
        there = seen(other.found, other_row, by @ np.linalg.inv(at) @ point)
        if there is not None:
            found.append((row, pixel, other_row, there))
    wild = [
        (int(draw.integers(4)), draw.uniform(0, 480, 2), int(draw.integers(4)), draw.uniform(0, 480, 2))
        for _ in range(false)
    ]
    rows, pixels, other_rows, others = zip(*(found + wild), strict=True)
    return LookAlikes(np.array(rows), np.array(pixels), np.array(other_rows), np.array(others))


def lifted(found: Reconstruction, row: int, pixel: NDArray) -> NDArray[np.float64]:
    depth = found.depth[row, int(pixel[1] * SHAPE[0] / 480), int(pixel[0] * SHAPE[1] / 640)]
    ray = np.linalg.inv(INTRINSICS.astype(float)) @ [*pixel, 1]
    return np.append(found.camera_to_world[row, :3, :3] @ (ray * depth) + found.camera_to_world[row, :3, 3], 1)


def seen(found: Reconstruction, row: int, point: NDArray) -> NDArray[np.float64] | None:
    """Where a frame shows a point; None where it does not, or something is before it."""
    camera = (np.linalg.inv(found.camera_to_world[row].astype(float)) @ point)[:3]
    x, y = camera[:2] / camera[2] * 500 + (320, 240)
    if camera[2] <= 0 or not (0 <= x < 640 and 0 <= y < 480):
        return None
    surface = found.depth[row, int(y * SHAPE[0] / 480), int(x * SHAPE[1] / 640)]
    return np.array([x, y]) if abs(np.log(camera[2] / surface)) < 0.03 else None


def off(found: Relocation, at: NDArray, by: NDArray) -> float:
    """How far the room's middle comes to lie from where it should, in metres."""
    middle = np.array([0.0, 1.0, 1.2, 1.0])
    apart = found.similarity @ by @ middle - at @ middle
    return float(np.linalg.norm(apart[:3]) / np.cbrt(np.linalg.det(at[:3, :3])))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_similarity_between_two_shots_of_a_room_is_undone_among_as_many_false_matches(first: int, second: int):
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, first), shown(ROOM, FROM_THE_RIGHT, second)
    found = relocated(one, other, matches(one, other, at, by, first))
    assert found.refused == ""
    assert off(found, at, by) < 0.03
    assert found.matches >= 50
    assert found.agreeing > 0.95


def test_both_directions_say_the_same():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    alike = matches(one, other, at, by, 3)
    ahead = relocated(one, other, alike)
    back = relocated(other, one, LookAlikes(alike.other_rows, alike.other_at, alike.rows, alike.at))
    assert np.linalg.inv(back.similarity)[:3] == pytest.approx(ahead.similarity[:3], abs=0.02)
    assert (ahead.refused, back.refused) == ("", "")


def test_a_table_that_stands_in_two_rooms_does_not_make_them_one():
    """All that matches is the table; around it are other walls and another bed."""
    elsewhere = Room(Box((-0.6, -1.5, 0.0), (3.4, 2.2, 2.4)), (TABLE, Box((1.8, -0.5, 0.0), (3.4, 1.4, 0.6))))
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(elsewhere, FROM_THE_RIGHT, 2)
    alike = on_the_table(one, other, at, by)
    found = relocated(one, other, alike)
    assert found.matches >= FEWEST, "the table itself agrees"
    assert "sees through" in found.refused


def on_the_table(one: Shown, other: Shown, at: NDArray, by: NDArray) -> LookAlikes:
    found = matches(one, other, at, by, 5, true=3000, false=0)
    room = np.array([np.linalg.inv(at) @ lifted(one.found, *pair) for pair in zip(found.rows, found.at, strict=True)])
    low, high = np.array(TABLE.low) - 0.05, np.array(TABLE.high) + 0.05
    on = ((room[:, :3] > low) & (room[:, :3] < high)).all(axis=1) & (room[:, 2] > 0.1)
    return LookAlikes(*(part[on] for part in found))


def test_a_room_of_the_same_shape_with_another_wallpaper_is_another_room():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2, paper=9)
    assert "does not look alike" in relocated(one, other, matches(one, other, at, by, 3)).refused


def test_matches_that_agree_on_nothing_are_refused():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    found = relocated(one, other, matches(one, other, at, by, 3, true=0, false=200))
    assert "places that look alike agree" in found.refused


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_few_matches_are_not_enough_however_well_they_agree(count: int):
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    assert relocated(one, other, matches(one, other, at, by, 3, true=max(count, 1), false=0)).refused


def test_where_there_is_no_depth_there_is_no_match():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    alike = matches(one, other, at, by, 3)
    blind = Shown(replace(one.found, depth=np.zeros_like(one.found.depth)), one.grey)
    assert relocated(blind, other, alike).matches == 0


def test_frames_without_depth_show_nothing_that_could_agree():
    """Matches agree, but the frames that are to be compared have no depth."""
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    alike = matches(one, other, at, by, 3, true=200, false=0)
    early = (alike.rows < 3) & (alike.other_rows < 3)
    found = relocated(blind_in_the_last(one), blind_in_the_last(other), LookAlikes(*(part[early] for part in alike)))
    assert found.matches >= FEWEST
    assert "at most 0% of a frame" in found.refused


def blind_in_the_last(side: Shown) -> Shown:
    depth = side.found.depth.copy()
    depth[3] = 0
    return Shown(replace(side.found, depth=depth), {3: side.grey[3]})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e4, np.inf]), st.sampled_from([1, 3, 200]))
def test_reconstructions_of_noise_are_never_one_place_and_never_an_error(seed: int, far: float, places: int):
    draw = np.random.default_rng(seed)
    sides = []
    for own in (seed, seed + 1):
        side, _ = shown(ROOM, FROM_THE_LEFT, own)
        wild = draw.choice([0, far, *draw.uniform(0.1, 9, 5)], side.found.depth.shape).astype(np.float32)
        sides.append(Shown(replace(side.found, depth=wild), side.grey))
    where = draw.uniform(0, 480, (places, 2))[draw.integers(0, places, 300)]
    rows = draw.integers(0, 4, (2, 300))
    assert relocated(*sides, LookAlikes(rows[0], where, rows[1], where[draw.permutation(300)])).refused


def test_one_place_many_times_is_no_similarity():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    single = LookAlikes(*(np.repeat(part[:1], 50, axis=0) for part in matches(one, other, at, by, 3)))
    assert relocated(one, other, single).refused


def test_the_same_seed_gives_the_same_similarity():
    (one, at), (other, by) = shown(ROOM, FROM_THE_LEFT, 1), shown(ROOM, FROM_THE_RIGHT, 2)
    alike = matches(one, other, at, by, 3)
    assert np.array_equal(relocated(one, other, alike).similarity, relocated(one, other, alike).similarity)
