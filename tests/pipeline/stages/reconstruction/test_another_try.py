"""Clips that are refused are tried again, with what their video knows and with other samples."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.contract.errors import (
    ClipError,
    InconsistentReconstruction,
    TooFewRegistered,
    TooLittleParallax,
    UnlikelyReconstruction,
)
from pipeline.geometry.distortion import STRAIGHT
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.stage import reconstruction
from tests.pipeline.stages.filling import filled
from tests.pipeline.stages.reconstruction.measuring import Measuring


def test_clips_that_are_refused_are_tried_with_the_focal_length_of_those_that_came_through(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals = {30: 540.0, 40: 560.0}
    backend.ends["look", 50] = UnlikelyReconstruction("with a focal length of its own")
    backend.ends["look", 60] = TooLittleParallax("which no focal length helps")
    backend.ends["look", 70] = backend.ends["known", 70] = InconsistentReconstruction("with any focal length")
    workbench = bench(*((STRAIGHT, level) for level in (30, 40, 50, 60, 70)))
    left_out = filled(reconstruction, workbench).left_out
    assert [(item.clip_id, item.detail) for item in left_out] == [
        (3, "which no focal length helps"),
        (4, "with any focal length"),
    ]
    assert workbench.video.read("reconstruction", "registered").tolist() == [True] * 6 + [False] * 4
    focal = workbench.video.read("reconstruction", "intrinsics")[:6, 0, 0]
    np.testing.assert_allclose(focal, [540, 540, 560, 560, *[np.sqrt(540 * 560)] * 2], rtol=1e-6)


def test_clips_that_are_refused_are_tried_without_a_focal_length_where_nobody_is_sure_of_one(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.ends["look", 50] = UnlikelyReconstruction("with a focal length of its own")
    backend.vague, backend.focals = {30}, {30: 540.0}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 50))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [540, 540, 500, 500]


def test_every_further_try_of_a_refused_clip_draws_other_samples_and_the_first_that_comes_through_counts(
    bench: Callable[..., Workbench], backend: Measuring
):
    for level in (40, 50, 60):
        backend.ends["look", level] = InconsistentReconstruction("as it was drawn first")
    backend.lucky = {50: 2, 60: 9}
    left_out = filled(reconstruction, bench(*((STRAIGHT, level) for level in (30, 40, 50, 60)))).left_out
    assert backend.draws == {40: [1], 50: [1, 2], 60: [1, 2]}
    assert [(item.clip_id, item.detail) for item in left_out] == [(3, "as it was drawn first")]


def test_a_stop_in_the_second_try_loses_nothing_of_the_first(bench: Callable[..., Workbench], backend: Measuring):
    for level in (40, 50):
        backend.ends["look", level] = UnlikelyReconstruction("alone")
    backend.ends["known", 50] = KeyboardInterrupt()
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["known", 50]
    assert filled(reconstruction, workbench).left_out == ()
    assert [(what, level) for what, level, _ in backend.asked] == [("look", 30), ("known", 40), ("known", 50)]


LOOK, TRY, LAST = "look", "known", "last resort"
FEW, STILL = TooFewRegistered("few"), TooLittleParallax("still")


@pytest.mark.parametrize(
    ("ends", "lucky", "attempts", "comes_through"),
    [
        ({LOOK: FEW}, 2, [LOOK, TRY, TRY], True),
        ({LOOK: FEW, TRY: FEW}, 0, [LOOK, TRY, TRY, LAST], True),
        ({LOOK: STILL}, 0, [LOOK, LAST], True),
        ({LOOK: FEW, TRY: FEW, LAST: FEW}, 0, [LOOK, TRY, TRY, LAST], False),
        ({LOOK: FEW, TRY: UnlikelyReconstruction("with these samples")}, 0, [LOOK, TRY, TRY], False),
        ({LOOK: UnlikelyReconstruction("few"), TRY: FEW}, 0, [LOOK, TRY, TRY], False),
    ],
)
def test_the_last_resort_is_asked_once_every_try_was_refused_and_none_told_of_the_clip_itself(
    bench: Callable[..., Workbench],
    backend: Measuring,
    ends: dict[str, ClipError],
    lucky: int,
    attempts: list[str],
    comes_through: bool,
):
    backend.helped = {"TooFewRegistered", "TooLittleParallax", "InconsistentReconstruction"}
    backend.lucky = {50: lucky}
    backend.ends = {(what, 50): error for what, error in ends.items()}
    result = filled(reconstruction, bench((STRAIGHT, 30), (STRAIGHT, 50)))
    assert backend.attempts == {30: [LOOK], 50: attempts}
    assert [item.detail for item in result.left_out] == ([] if comes_through else ["few"])
    first = ends[LOOK]
    noted = [f"clip 1: after {first.code}: {first}"] if comes_through and LAST in attempts else []
    assert [note for note in result.notes if "after" in note] == noted


def test_a_stop_in_the_last_resort_loses_nothing_of_the_tries(bench: Callable[..., Workbench], backend: Measuring):
    backend.helped = {"TooFewRegistered"}
    backend.ends = {(LOOK, 50): FEW, (TRY, 50): FEW, (LAST, 50): KeyboardInterrupt()}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 50))
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends[LAST, 50]
    assert filled(reconstruction, workbench).left_out == ()
    assert backend.attempts[50] == [LOOK, TRY, TRY, LAST, LAST]
