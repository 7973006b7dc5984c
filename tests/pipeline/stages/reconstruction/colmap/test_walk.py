"""The rungs of finding cameras: when a further one is tried, with which frames, and what is kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import ReconstructionCrashed
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, WalkSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, Task
from pipeline.stages.reconstruction.colmap.walk import best, frames_wanted, interleaved, is_enough, is_sure, rungs
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model, turning

SETTINGS = ColmapSettings()
GOOD = good_model()
FAST = turning(GOOD, 12.0)
ALONE = replace(FAST, turns=np.full(FRAMES - 1, 12.0), signs={**FAST.signs, "apart": 30.0})
HINGED = replace(GOOD, turns=np.full(FRAMES - 1, 12.0), signs={**GOOD.signs, "epipolar": 9.0})
RGB = np.arange(FRAMES, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)


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


@pytest.mark.parametrize(
    ("model", "sure"),
    [
        (GOOD, True),
        (HINGED, False),
        (replace(GOOD, zoom=np.linspace(1, 1.2, FRAMES)), False),
        (replace(GOOD, intrinsics=np.diag([500.0, 590, 1])), False),
        (replace(GOOD, zoom_asked=np.linspace(1, 1.12, FRAMES), zoom_statistic=20.0), False),
    ],
)
def test_cameras_are_sure_that_are_enough_by_far_and_have_one_square_lens(model: SparseModel, sure: bool):
    assert is_sure(model, SETTINGS) == sure


def test_more_frames_are_wanted_where_the_camera_turns_or_nothing_tells():
    turns = np.array([2.0, 8.0, 12.0, 17.0, 90.0, np.nan])
    assert frames_wanted(turns, WalkSettings()) == [0, 0, 1, 2, 3, 2]


def test_frames_between_stand_between():
    extra = [np.full((k, 4, 4, 3), 100 + place, np.uint8) for place, k in enumerate([2, 0, 1, 0, 0])]
    frames, own = interleaved(RGB, extra)
    assert frames[:, 0, 0, 0].tolist() == [0, 100, 100, 1, 2, 102, 3, 4, 5]
    np.testing.assert_array_equal(frames[list(own)], RGB)


def found_by(solve: Callable[..., SparseModel], between: Callable[..., list[Images]] | None) -> list[SparseModel]:
    return list(rungs(solve, RGB, Path("x"), SETTINGS, between))


def test_a_further_rung_is_only_tried_where_it_is_asked_for():
    asked: list[Task] = []

    def solve(_: Images, __: Path, ___: ColmapSettings, task: Task) -> SparseModel:
        asked.append(task)
        return HINGED

    assert next(rungs(solve, RGB, Path("x"), SETTINGS, lambda wanted: [RGB[:1] for _ in wanted])) is HINGED
    assert asked == [OWN_FRAMES]


def test_the_first_rung_is_not_climbed_again():
    asked: list[Task] = []

    def solve(_: Images, __: Path, ___: ColmapSettings, task: Task) -> SparseModel:
        asked.append(task)
        return GOOD

    climb = rungs(solve, RGB, Path("x"), SETTINGS, lambda wanted: [RGB[:1] for _ in wanted], HINGED)
    assert next(climb) is HINGED
    assert asked == []
    assert next(climb).signs["apart"] == 0, "the first one is compared with"
    assert [task.own for task in asked] == [tuple(range(0, 2 * FRAMES, 2))]


def test_frames_between_help_with_the_focal_length_that_was_found_and_models_are_compared():
    asked: list[tuple[int, Task]] = []

    def between(wanted: object) -> list[Images]:
        assert wanted == [1] * (FRAMES - 1)
        return [RGB[:1]] * (FRAMES - 1)

    def solve(rgb: Images, _: Path, __: ColmapSettings, task: Task) -> SparseModel:
        asked.append((len(rgb), task))
        return HINGED if task == OWN_FRAMES else replace(GOOD, signs={})

    first, second = found_by(solve, between)
    assert first is HINGED
    assert second.signs["apart"] == pytest.approx(0, abs=1e-6)
    (_, (count, task)) = asked
    assert count == 2 * FRAMES - 1
    assert task.own == (0, 2, 4, 6, 8, 10)
    assert task.priors == (500 / 640,)


def test_where_the_source_has_no_more_there_is_no_further_rung():
    assert found_by(lambda *_: HINGED, lambda _: []) == [HINGED]
    assert found_by(lambda *_: HINGED, None) == [HINGED]


def test_a_camera_that_stands_still_needs_no_further_rung():
    still = SparseModel.empty(FRAMES, 0.4)
    assert found_by(lambda *_: still, lambda wanted: [RGB[:1] for _ in wanted]) == [still]


def test_a_rung_that_crashes_leaves_what_earlier_ones_found():
    def solve(rgb: Images, *_: object) -> SparseModel:
        if len(rgb) > FRAMES:
            raise ReconstructionCrashed("more than 300 s of processor time")
        return ALONE

    assert found_by(solve, lambda wanted: [RGB[:1] for _ in wanted]) == [ALONE]


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
        observed_pixel=np.vstack([GOOD.observed_pixel[50:], [[1.0, 2.0]]]),
    )
    kept = model.only(np.array([0, 2, 4]))
    np.testing.assert_allclose(kept.camera_to_world[:, 0, 3], [0, 0.4, 0.8])
    assert sorted(set(kept.observed_frame.tolist())) == [1, 2]
    assert len(kept.points) == 50
    assert kept.turns.shape == (2,)
