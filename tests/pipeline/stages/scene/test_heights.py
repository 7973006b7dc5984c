"""Floor, ceiling and scale, from surfaces whose heights are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene.heights import Levels, Scale, bottom_level, find_levels, find_scale, plausible
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

SMALL = SceneSettings(samples=10_000)
UP = np.array([0.0, 0.0, 1.0])
CAMERAS = np.array([[0, 0, 1.5], [0.5, 0, 1.6], [1, 0, 1.4]])

Points = NDArray[np.float64]


def level_at(height: float, facing: float, count: int = 1000, seed: int = 0) -> tuple[Points, Points]:
    """Points and normals of a level surface that looks up (1) or down (-1)."""
    draw = np.random.default_rng(seed)
    points = np.column_stack([draw.uniform(-2, 2, (count, 2)), height + draw.normal(0, 0.005, count)])
    return points, np.tile([0.0, 0.0, facing], (count, 1))


def wall(bottom: float, top: float, count: int = 2000) -> tuple[Points, Points]:
    draw = np.random.default_rng(9)
    points = np.column_stack([draw.uniform(-2, 2, count), np.full(count, 2.0), draw.uniform(bottom, top, count)])
    return points, np.tile([0.0, -1.0, 0.0], (count, 1))


def surfaces(*parts: tuple[Points, Points]) -> SurfaceSamples:
    return SurfaceSamples(np.concatenate([p for p, _ in parts]), np.concatenate([n for _, n in parts]))


def test_floor_and_ceiling_are_the_lowest_and_the_highest_level():
    room = surfaces(level_at(0, 1), level_at(0.7, 1, seed=1), level_at(2.6, -1, seed=2), wall(0, 2.6))
    levels = find_levels(room, UP, CAMERAS, SMALL)
    assert levels.floor == pytest.approx(0, abs=0.01)
    assert levels.ceiling == pytest.approx(2.6, abs=0.01)
    assert levels.cameras == 1.5
    assert (levels.lowest, levels.highest) == (pytest.approx(0, abs=0.02), pytest.approx(2.6, abs=0.02))


def test_a_level_that_faces_away_is_neither_floor_nor_ceiling():
    shelf = surfaces(level_at(0, -1), level_at(2.6, 1, seed=1), wall(0, 2.6))
    levels = find_levels(shelf, UP, CAMERAS, SMALL)
    assert levels.floor is None
    assert levels.ceiling is None


def test_a_level_between_the_cameras_is_neither():
    table = surfaces(level_at(1.5, 1), wall(0, 2.6))
    assert find_levels(table, UP, CAMERAS, SMALL).floor is None


def test_heights_are_measured_along_up_whatever_that_is():
    room = surfaces(level_at(0, 1), level_at(2.6, -1, seed=2), wall(0, 2.6))
    turned = SurfaceSamples(np.roll(room.points, 1, axis=1), np.roll(room.normals, 1, axis=1))
    levels = find_levels(turned, np.array([1.0, 0, 0]), np.roll(CAMERAS, 1, axis=1), SMALL)
    assert (levels.floor, levels.ceiling) == (pytest.approx(0, abs=0.01), pytest.approx(2.6, abs=0.01))


def test_the_bottom_is_the_lowest_height_at_which_surfaces_pile_up():
    draw = np.random.default_rng(0)
    floor, bed = draw.normal(-1.5, 0.005, 500), draw.normal(-1.0, 0.005, 900)
    everything = np.concatenate([floor, bed, draw.uniform(-1.5, 1.1, 3000)])
    assert bottom_level(np.concatenate([floor, bed]), everything, SMALL) == pytest.approx(-1.5, abs=0.01)


@pytest.mark.parametrize("kind", ["too little", "spread out", "much below"])
def test_what_is_no_pile_or_has_much_below_it_is_no_bottom(kind: str):
    draw = np.random.default_rng(0)
    everything = draw.uniform(-1.5, 1.1, 4000)
    level = {
        "too little": np.full(5, -1.5),
        "spread out": draw.uniform(-1.5, -0.2, 500),
        "much below": draw.normal(-0.8, 0.005, 500),
    }[kind]
    assert bottom_level(level, everything, SMALL) is None


@pytest.mark.parametrize(("camera", "kept"), [(0.9, False), (1.0, True), (1.6, True), (2.2, True), (2.3, False)])
def test_a_ceiling_that_nobody_could_film_under_is_dropped(camera: float, kept: bool):
    # Hand-held cameras are between 0.35 and 0.8 of the way up a room of 2.8: 0.98 to 2.24.
    found = plausible(Levels(camera, 0, 2.8, 0, 2.8), SMALL)
    assert (found.ceiling is not None) == kept
    assert (found.floor, found.cameras, found.highest) == (0, camera, 2.8)


@pytest.mark.parametrize(("floor", "ceiling"), [(0.0, None), (None, 2.8), (None, None)])
def test_with_one_level_alone_nothing_speaks_against_it(floor: float | None, ceiling: float | None):
    levels = Levels(0.1, 0, 2.8, floor, ceiling)
    assert plausible(levels, SMALL) is levels


def test_a_room_from_floor_to_ceiling_is_as_high_as_rooms_are():
    assert find_scale(Levels(1.5, 0, 2.6, 0, 2.6), SMALL) == Scale(
        pytest.approx(2.8 / 2.6), 0, ScaleSource.FLOOR_TO_CEILING, cues=ScaleCue.FLOOR | ScaleCue.CEILING, ceiling=2.8
    )


@pytest.mark.parametrize(
    ("levels", "source"),
    [
        (Levels(1.5, 0, 2.0, 0, None), ScaleSource.CAMERA_HEIGHT),
        (Levels(1.0, 0, 2.6, 0, None), ScaleSource.FLOOR_AND_TOP),
        (Levels(1.5, 1.0, 2.6, None, 2.6), ScaleSource.CAMERA_HEIGHT),
        (Levels(1.5, -1.0, 2.6, None, 2.6), ScaleSource.CEILING_AND_BOTTOM),
        (Levels(1.5, 0.5, 2.0, None, None), ScaleSource.CAMERA_HEIGHT),
    ],
)
def test_what_the_scale_rests_on_is_told(levels: Levels, source: ScaleSource):
    scale = find_scale(levels, SMALL)
    assert scale.source is source
    assert np.isfinite(scale.ceiling) == (levels.ceiling is not None)


@given(st.floats(0.3, 0.9), st.floats(0.5, 20))
@settings(max_examples=50)
def test_scale_is_read_from_whatever_levels_are_seen(share: float, height: float):
    camera = share * height
    both = find_scale(Levels(camera, 0, height, 0, height), SMALL)
    assert both.metres * height == pytest.approx(2.8)
    floor_only = find_scale(Levels(camera, 0, height, 0, None), SMALL)
    assert floor_only.metres == pytest.approx(min(1.5 / camera, 2.8 / height))
    ceiling_only = find_scale(Levels(camera, 0, height, None, height), SMALL)
    assert ceiling_only.metres * (height - ceiling_only.zero) == pytest.approx(2.8)
    neither = find_scale(Levels(camera, 0, height, None, None), SMALL)
    assert neither.metres == pytest.approx(min(1.5 / camera, 1.3 / (height - camera)))
    assert neither.metres * (camera - neither.zero) == pytest.approx(1.5)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.sampled_from([(0.0, 2.6), (0.0, None), (None, 2.6), (None, None)]))
@settings(max_examples=40)
def test_another_unit_and_another_zero_give_the_same_metres(unit: float, zero: float, seen: tuple):
    plain = find_scale(Levels(1.4, 0.1, 2.5, *seen), SMALL)
    moved = [None if value is None else unit * value + zero for value in (1.4, 0.1, 2.5, *seen)]
    other = find_scale(Levels(*moved), SMALL)  # type: ignore[arg-type]
    assert other.metres * unit == pytest.approx(plain.metres)
    assert (other.zero - zero) / unit == pytest.approx(plain.zero, abs=1e-6)
    assert other.source is plain.source
