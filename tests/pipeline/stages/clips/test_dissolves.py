"""Dissolves between scenes, and what looks like one and is none."""

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.clips.bars import BarSearch
from pipeline.stages.clips.dissolves import PARTS, DissolveSearch, pattern_left
from pipeline.stages.clips.settings import ClipsSettings
from tests.pipeline.stages.clips.test_bars import with_blurred_sides
from tests.pipeline.videos import blend, walk

SIZE = (160, 120)
FPS = 10


def searched(frames: list[Images], fps: float = FPS, **settings: float) -> list[tuple[int, int]]:
    bars = BarSearch(fps)
    search = DissolveSearch(ClipsSettings(**settings), fps, bars.box)
    for number, frame in enumerate(frames):
        gray = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
        bars.add(number, gray)
        small = cv2.resize(gray, SIZE, interpolation=cv2.INTER_AREA)
        search.add(number, np.asarray(small, np.uint8), np.asarray(cv2.Laplacian(gray, cv2.CV_32F), np.float32))
    return search.ranges()


def crisp(frames: list[Images]) -> list[Images]:
    """Frames with the detail of a film that is in focus; the walls of ``walk`` are soft."""
    blurred = [cv2.GaussianBlur(frame, (0, 0), 2) for frame in frames]
    return [cv2.addWeighted(frame, 2.5, soft, -1.5, 0) for frame, soft in zip(frames, blurred, strict=True)]


def shot(seed: int, count: int = 24, step: float = 1.0) -> list[Images]:
    return crisp(walk(seed, count, step=step, size=SIZE))


@pytest.mark.parametrize("length", [4, 8, 12])
def test_a_dissolve_is_found_where_it_is(length: int):
    frames, start, end = blend(shot(1), shot(2), length)
    ((first, last),) = searched(frames)
    # The outermost blended frames show little of the other shot, so that they may be missed or the next be taken in.
    assert first == pytest.approx(start, abs=3)
    assert last == pytest.approx(end, abs=3)
    assert first <= start + length // 2 < last


def test_two_dissolves_are_two():
    once, first_start, _ = blend(shot(1), shot(2, 40), 6)
    twice, second_start, _ = blend(once, shot(3), 6)
    found = searched(twice)
    assert [start for start, _ in found] == pytest.approx([first_start, second_start], abs=3)


@pytest.mark.parametrize("step", [0.0, 1.0, 5.0])
def test_one_shot_holds_none_however_it_moves(step: float):
    assert searched(shot(4, 40, step)) == []


def test_a_cut_is_no_dissolve():
    assert searched([*shot(5), *shot(6)]) == []


def test_a_blur_that_comes_and_goes_is_no_dissolve():
    frames = shot(7, 40)
    for number, sigma in zip(range(15, 24), (0.6, 1, 1.5, 2, 2.5, 2, 1.5, 1, 0.6), strict=True):
        frames[number] = np.asarray(cv2.GaussianBlur(frames[number], (0, 0), sigma), np.uint8)
    assert searched(frames) == [], "what was there before is there afterwards"


def turn(fastest: float) -> list[Images]:
    """A camera that turns, up to ``fastest`` pixels a frame, past a long wall."""
    speeds = np.array([2.0] * 12 + [fastest / 2] + [fastest] * 4 + [fastest / 2] + [2.0] * 12)
    frames = []
    wall = np.hstack([walk(seed, 1, size=SIZE)[0] for seed in range(20, 20 + int(speeds.sum() / SIZE[0]) + 3)])
    for right, blur in zip(np.cumsum(speeds).astype(int), speeds, strict=True):
        exposed = [wall[:, right + i : right + i + SIZE[0]].astype(np.float32) for i in range(max(1, int(blur / 3)))]
        frames.append(np.mean(exposed, axis=0).astype(np.uint8))
    return frames


@pytest.mark.parametrize("fastest", [8, 16, 24, 32])
def test_a_turn_that_blurs_is_no_dissolve(fastest: float):
    assert searched(turn(fastest)) == []


def past_a_plain_wall(wide: int) -> list[Images]:
    """A camera that turns slowly from one wall past another with little on it, so many pixels wide, to a third."""
    first, plain, third = (walk(seed, 1, size=(320, 240))[0] for seed in (31, 32, 33))
    wall = np.hstack([first, np.asarray(cv2.GaussianBlur(plain[:, :wide], (0, 0), 1.5), np.uint8), third])
    return [np.ascontiguousarray(wall[:, right : right + 320]) for right in range(0, 320 + wide, 6)]


@pytest.mark.parametrize("wide", [160, 320])
def test_a_turn_of_an_upright_film_is_no_dissolve_though_its_blurred_sides_run_ahead(wide: int):
    assert searched(with_blurred_sides(past_a_plain_wall(wide), 95)) == []


def sparse(seed: int, things: int) -> Images:
    """A wall 320 wide with few things on it, all else without texture, however faint."""
    bare = np.full((240, 320, 3), 120 + 8 * seed % 60, np.uint8)
    rich, rng = walk(seed, 1, size=(320, 240))[0], np.random.default_rng(seed)
    for _ in range(things):
        x, y = rng.integers(0, 260), rng.integers(0, 180)
        bare[y : y + 60, x : x + 60] = rich[y : y + 60, x : x + 60]
    return bare


def past_a_bare_wall(step: int) -> list[Images]:
    """A camera that turns from things past a wall that holds nothing to other things."""
    wall = np.hstack([sparse(41, 12), sparse(42, 0), sparse(43, 12)])
    return [np.ascontiguousarray(wall[:, right : right + 320]) for right in range(0, 640, step)]


@pytest.mark.parametrize("step", [4, 6, 8, 12])
def test_a_turn_past_a_wall_without_texture_is_no_dissolve(step: int):
    assert searched(past_a_bare_wall(step)) == []
    assert searched(with_blurred_sides(past_a_bare_wall(step), 95)) == []


def upright(seed: int, count: int, blur: float = 0.8) -> list[Images]:
    """A film without hard edges, so that letters outdo it, upright before a blurred enlargement of itself."""
    film = crisp(walk(seed, count, 3.0, (320, 240)))
    soft = [np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), np.uint8) if blur else frame for frame in film]
    return with_blurred_sides(soft, 95)


def captioned(frames: list[Images], shown: range) -> list[Images]:
    """Frames some of which have a line of letters."""
    written = [frame.copy() for frame in frames]
    for number in shown:
        cv2.putText(written[number], "KITCHEN", (98, 200), cv2.FONT_HERSHEY_DUPLEX, 0.9, (255, 255, 255), 2)
    return written


@pytest.mark.parametrize("shown", [range(14), range(8, 20), range(20, 40)])
def test_a_caption_that_comes_or_goes_in_an_upright_film_is_no_dissolve(shown: range):
    assert searched(captioned(upright(11, 40), shown)) == []


@pytest.mark.parametrize("shown", [range(0), range(8, 14)])
def test_a_dissolve_of_an_upright_film_is_found_after_a_caption_too(shown: range):
    frames, start, end = blend(upright(11, 30, blur=0), upright(12, 30, blur=0), 6)
    ((first, last),) = searched(captioned(frames, shown))
    assert (first, last) == pytest.approx((start, end), abs=3)


@pytest.mark.parametrize("length", [6, 12])
def test_a_dissolve_is_found_under_a_caption_that_stays(length: int):
    frames, start, end = blend(crisp(walk(13, 30, 2.0)), crisp(walk(14, 30, 2.0)), length)
    ((first, last),) = searched(captioned(frames, range(len(frames))))
    assert (first, last) == pytest.approx((start, end), abs=3)


def test_one_longer_than_asked_for_is_not_looked_for():
    frames, _, _ = blend(shot(1, 40, 0.3), shot(2, 40, 0.3), 30)
    assert searched(frames, dissolve_max_s=0.4) == []
    assert searched(frames, dissolve_max_s=4.0)


def test_many_frames_a_second_are_thinned_to_ten():
    frames, start, end = blend(shot(1, 72, 0.33), shot(2, 72, 0.33), 24)
    ((first, last),) = searched(frames, fps=30)
    # A sample is three frames, and three samples are what the ends may be off.
    assert first == pytest.approx(start, abs=9)
    assert last == pytest.approx(end, abs=9)


def test_nothing_is_found_in_nothing():
    assert searched([]) == []
    assert searched(shot(1, 1)) == []


def levels_of(frames: list[Images]) -> np.ndarray:
    """Levels of frames in 20 x 15 parts, as they are mixed."""
    return np.stack(
        [cv2.resize(frame, PARTS, interpolation=cv2.INTER_AREA)[..., 1].astype(float).ravel() for frame in frames]
    )


@pytest.mark.parametrize("brighter", [1.0, 3.0])
def test_patterns_of_a_dissolve_are_mixtures_however_bright_its_ends_are(brighter: float):
    first, second = levels_of([shot(1, 1)[0], shot(2, 1)[0]]) * np.array([[1.0], [brighter]])
    share = np.linspace(0, 1, 9)[:, None]
    assert pattern_left((1 - share) * first + share * second) < 1e-9


@pytest.mark.parametrize("step", [2.0, 3.0])
def test_a_dissolve_between_shots_that_move_is_found_though_patterns_are_no_mixtures(step: float):
    frames, start, end = blend(shot(1, step=step), shot(2, step=step), 8)
    ((first, last),) = searched(frames)
    assert first <= (start + end) // 2 < last
    assert pattern_left(levels_of(frames[start - 1 : end + 1])) > ClipsSettings().dissolve_left_max


@pytest.mark.parametrize("step", [2, 4])
def test_patterns_of_a_turn_are_none_though_the_camera_adapts_to_the_light(step: int):
    wall = np.hstack([crisp(walk(seed, 1, size=SIZE))[0] for seed in (61, 62, 63)])
    panned = levels_of([wall[:, step * n : step * n + SIZE[0]] for n in range(20)])
    levels = (60 + 0.3 * panned) * np.linspace(0.3, 1, 20)[:, None]
    change, since = levels[-1] - levels[0], levels[1:-1] - levels[0]
    share = since @ change / (change @ change)
    left = ((since - share[:, None] * change) ** 2).sum(axis=1) / (change @ change)
    assert left.mean() < ClipsSettings().dissolve_left_max, "by its levels, which mostly brighten, it is one"
    assert pattern_left(levels) > ClipsSettings().dissolve_left_max
