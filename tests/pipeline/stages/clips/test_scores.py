"""Scores of clips: each measures what it says, on clips made for it."""

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.clips.scores import MOVES, clip_scores
from tests.pipeline.videos import walk

WIDTH, HEIGHT = 320, 240


def moving(seed: int = 1, count: int = 6, step: float = 6.0) -> Images:
    return np.stack(walk(seed, count, step=step))


def painted(frames: Images, draw: str) -> Images:
    """Frames with letters or a frame line laid over every one of them, in the same place."""
    marked = frames.copy()
    for frame in marked:
        if draw == "letters":
            cv2.putText(frame, "SUBSCRIBE", (20, 215), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 6)
            cv2.putText(frame, "SUBSCRIBE", (20, 215), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
        else:
            frame[:, WIDTH // 2 - 3 : WIDTH // 2 + 3] = 255
    return marked


@pytest.mark.parametrize("step", [2.0, 6.0])
def test_motion_is_the_step_in_picture_widths(step: float):
    scores = clip_scores(moving(step=step))
    # Flow at 160 columns is good to a quarter of a pixel.
    assert scores.motion == pytest.approx(step / WIDTH, abs=0.25 / 160)
    assert scores.shake < 0.2 * scores.motion + 0.001, "a steady pan"


def test_a_still_camera_neither_moves_nor_shakes():
    scores = clip_scores(np.repeat(moving(count=1), 4, axis=0))
    assert scores.motion == pytest.approx(0, abs=1e-4)
    assert scores.shake == pytest.approx(0, abs=1e-4)


def test_a_camera_that_jerks_shakes():
    wall = np.stack(walk(2, 40, step=1.0))
    jerky = wall[[0, 8, 10, 18, 20, 28]]
    steady = wall[[0, 5, 10, 15, 20, 25]]
    # Steps of 8, 2, 8, 2, 8 pixels change by 6 each time.
    assert clip_scores(jerky).shake == pytest.approx(6 / WIDTH, rel=0.3)
    assert clip_scores(steady).shake < 0.3 * clip_scores(jerky).shake


@pytest.mark.parametrize(("level", "clipped"), [(0, 1.0), (16, 1.0), (128, 0.0), (250, 1.0), (255, 1.0)])
def test_brightness_is_the_mean_and_clipped_what_is_black_or_white(level: int, clipped: float):
    scores = clip_scores(np.full((2, HEIGHT, WIDTH, 3), level, np.uint8))
    assert scores.brightness == pytest.approx(level / 255)
    assert scores.clipped == clipped


def test_half_a_picture_of_black_is_half_clipped():
    frames = np.full((2, HEIGHT, WIDTH, 3), 128, np.uint8)
    frames[:, : HEIGHT // 2] = 0
    assert clip_scores(frames).clipped == pytest.approx(0.5)


def test_what_is_drawn_is_flat_and_what_is_filmed_is_not():
    card = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    card[:] = np.linspace(40, 200, WIDTH).astype(np.uint8)[None, None, :, None]
    assert clip_scores(card).drawn > 0.5, "an even gradient"
    assert clip_scores(moving()).drawn < 0.1


@pytest.mark.parametrize("draw", ["letters", "line"])
def test_what_stays_while_the_scene_moves_lies_over_it(draw: str):
    bare, marked = clip_scores(moving()), clip_scores(painted(moving(), draw))
    assert bare.overlay is not None
    assert marked.overlay is not None
    assert bare.overlay < 0.01
    assert marked.overlay > 0.03


def test_a_line_from_edge_to_edge_splits_the_picture_and_letters_do_not():
    split, letters = clip_scores(painted(moving(), "line")), clip_scores(painted(moving(), "letters"))
    assert split.split is not None
    assert letters.split is not None
    assert split.split > 0.9
    assert letters.split < 0.5


def test_a_line_across_is_found_like_one_that_stands():
    frames = np.ascontiguousarray(moving())
    frames[:, HEIGHT // 2 - 3 : HEIGHT // 2 + 3] = 255
    found = clip_scores(frames).split
    assert found is not None
    assert found > 0.9


def test_black_bars_at_the_border_split_nothing():
    frames = moving()
    frames[:, :, :30] = frames[:, :, -30:] = 0
    found = clip_scores(frames).split
    assert found is not None
    assert found < 0.5


def test_where_the_scene_stands_still_nothing_tells_what_lies_over_it():
    still = clip_scores(np.repeat(painted(moving(count=1), "line"), 4, axis=0))
    assert still.motion < MOVES
    assert (still.overlay, still.split) == (None, None)


def test_shares_are_shares_and_a_clip_repeats_nothing_by_itself():
    scores = clip_scores(moving())
    shares = (scores.brightness, scores.clipped, scores.drawn, scores.overlay, scores.split)
    assert all(share is not None and 0 <= share <= 1 for share in shares)
    assert scores.repeats == 0
