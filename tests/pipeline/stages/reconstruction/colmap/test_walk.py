"""The rungs of finding cameras: when a further one is tried, with which frames, and what is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import ReconstructionCrashed
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, WalkSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, Task
from pipeline.stages.reconstruction.colmap.walk import best, find_walk, frames_wanted, interleaved, is_enough
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model

SETTINGS = ColmapSettings()
GOOD = good_model()
FAST = replace(GOOD, signs=replace(GOOD.signs, median_turn=12.0))
ALONE = replace(FAST, turns=np.full(FRAMES - 1, 12.0), signs=replace(FAST.signs, agreement_rotation=30.0))
HINGED = replace(GOOD, turns=np.full(FRAMES - 1, 12.0), signs=replace(GOOD.signs, epipolar_p90=9.0))
RGB = np.arange(FRAMES, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)


def in_time(count: int) -> SparseModel:
    """A good model of ``count`` frames that step sideways as those of ``good_model``."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 1, count)
    points = len(GOOD.points)
    return replace(
        GOOD,
        zoom=np.ones(count),
        zoom_asked=np.ones(count),
        camera_to_world=poses,
        registered=np.ones(count, bool),
        observed_frame=np.repeat(np.arange(count), points),
        observed_point=np.tile(np.arange(points), count),
        turns=np.full(count - 1, 6.0),
    )


@pytest.mark.parametrize(
    ("model", "enough"),
    [
        (GOOD, True),
        (FAST, True),
        (ALONE, False),
        (HINGED, False),
        (replace(GOOD, registered=np.arange(FRAMES) < 3), False),
    ],
)
def test_what_is_trusted_is_enough_where_most_frames_are_placed_and_of_a_fast_walk_two_agree(
    model: SparseModel, enough: bool
):
    assert is_enough(model, SETTINGS) == enough


def test_more_frames_are_wanted_where_the_camera_turns_or_nothing_tells():
    turns = np.array([2.0, 8.0, 12.0, 17.0, 90.0, np.nan])
    assert frames_wanted(turns, WalkSettings()) == [0, 0, 1, 2, 3, 2]


def test_frames_between_stand_between():
    extra = [np.full((k, 4, 4, 3), 100 + place, np.uint8) for place, k in enumerate([2, 0, 1, 0, 0])]
    frames, own = interleaved(RGB, extra)
    assert frames[:, 0, 0, 0].tolist() == [0, 100, 100, 1, 2, 102, 3, 4, 5]
    np.testing.assert_array_equal(frames[own], RGB)


def test_an_easy_clip_is_one_rung():
    asked: list[Task] = []

    def solve(_: Images, __: Path, ___: ColmapSettings, task: Task) -> SparseModel:
        asked.append(task)
        return GOOD

    assert find_walk(solve, RGB, Path("x"), SETTINGS, None) is GOOD
    assert asked == [OWN_FRAMES]


def test_frames_between_place_those_of_the_clip_and_are_left_out_again():
    looked_at: list[int] = []

    def between(wanted: object) -> list[Images]:
        assert wanted == [1] * (FRAMES - 1)
        return [RGB[:1]] * (FRAMES - 1)

    def solve(rgb: Images, *_: object) -> SparseModel:
        looked_at.append(len(rgb))
        return HINGED if len(rgb) == FRAMES else in_time(len(rgb))

    model = find_walk(solve, RGB, Path("x"), SETTINGS, between)
    assert looked_at == [FRAMES, 2 * FRAMES - 1]
    np.testing.assert_allclose(model.camera_to_world, GOOD.camera_to_world)
    assert len(model.registered) == FRAMES
    assert model.observed_frame.max() == FRAMES - 1


def test_where_the_source_has_no_more_the_clip_is_judged_by_its_own_frames():
    def solve(rgb: Images, *_: object) -> SparseModel:
        assert len(rgb) == FRAMES
        return HINGED

    assert find_walk(solve, RGB, Path("x"), SETTINGS, lambda _: []) is HINGED


def test_a_rung_that_crashes_leaves_what_earlier_ones_found():
    def solve(rgb: Images, *_: object) -> SparseModel:
        if len(rgb) > FRAMES:
            raise ReconstructionCrashed("more than 300 s of processor time")
        return ALONE

    assert find_walk(solve, RGB, Path("x"), SETTINGS, lambda wanted: [RGB[:1] for _ in wanted]) is ALONE


def test_a_trusted_piece_counts_more_than_a_whole_that_is_not():
    piece = replace(GOOD, registered=np.arange(FRAMES) < 4)
    assert best([piece, HINGED], SETTINGS) is piece
    assert best([piece, GOOD], SETTINGS) is GOOD
    assert best([GOOD, FAST], SETTINGS) is FAST, "of equals the later rung, which has more to go by"


def test_only_some_frames_keep_the_points_that_two_of_them_see():
    model = replace(
        GOOD,
        observed_frame=np.append(GOOD.observed_frame[50:], 1),
        observed_point=np.append(GOOD.observed_point[50:], 0),
    )
    kept = model.only(np.array([0, 2, 4]))
    np.testing.assert_allclose(kept.camera_to_world[:, 0, 3], [0, 0.4, 0.8])
    assert sorted(set(kept.observed_frame.tolist())) == [1, 2]
    assert len(kept.points) == 50
    assert kept.signs.fewest_observations == 0
