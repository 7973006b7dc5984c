"""Figures of scores that are written down here."""

import json

import numpy as np
import pytest

from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.quality.rulers.records import FilmScores, PartScores, RulerReport, RulerRow, ShotScores
from pipeline.quality.scores import ClipErrors, Overlap

NOTHING = Overlap.of(OverlapCounts.nothing())
RIGHT = Overlap.of(overlap(np.array([1, 2, 0], np.uint8), np.array([1, 2, 0], np.uint8)))
MISSED = Overlap.of(overlap(np.array([255, 255], np.uint8), np.array([3, 5], np.uint8)))


def errors(**given: float) -> ClipErrors:
    good = dict.fromkeys(ClipErrors.model_fields, 0.0) | {"frames": 10, "registered": 10, "auc5": 0.9, "auc10": 0.95}
    return ClipErrors.model_validate({**good, "video_id": "v", "clip_id": 0, **given})


def shot(*clips: ClipErrors, **given: object) -> ShotScores:
    whole = {"name": "shot 1", "wanted": True, "frames": 10, "kept": 10 if clips else 0, "errors": clips}
    grids = {"grids": NOTHING, "grids_true_scale": NOTHING, "missed": NOTHING}
    return ShotScores.model_validate({**whole, **grids, **given})


def test_lost_grids_count_in_the_second_column_alone():
    lost = shot(missed=MISSED, reason="TooFewRegistered: none")
    row = RulerRow.of("easy", [shot(errors(), grids_true_scale=RIGHT), lost])
    assert (row.clips, row.through, row.frames, row.kept) == (2, 1, 20, 10)
    assert row.iou_true_scale == 1
    assert row.iou_lost == pytest.approx(2 / 4)
    assert row.reason == "", "a reason is that of one shot"
    assert RulerRow.of("lost", [lost]).reason == "TooFewRegistered: none"


@pytest.mark.parametrize(
    ("wrong", "scores"),
    [
        (False, shot(errors())),
        (True, shot(errors(auc10=0.49))),
        (True, shot(errors(), errors(depth_abs_rel=0.21))),
        (False, shot(errors(depth_abs_rel=float("nan")))),
        (True, shot(kept=8, wanted=False)),
        (False, shot(wanted=False)),
        (False, shot()),
    ],
)
def test_what_is_wrong_is_what_should_have_been_left_out(wrong: bool, scores: ShotScores):
    assert scores.wrong == wrong


def test_figures_that_nothing_tells_take_no_part_and_are_null_in_json():
    row = RulerRow.of("real", [shot(errors(depth_abs_rel=float("nan"))), shot(errors(depth_abs_rel=0.1, auc10=0.75))])
    assert row.abs_rel == 0.1
    assert row.auc10 == pytest.approx(0.85)
    unknown = RulerRow.of("lost", [shot()]).plain()
    assert unknown["abs_rel"] is unknown["auc5"] is unknown["iou"] is None
    assert json.loads(json.dumps(unknown, allow_nan=False)) == unknown


def test_what_should_be_left_out_stands_apart():
    films = (
        FilmScores(name="a", video_id="a", made_from="", shots=(shot(errors()), shot(name="shot 2", wanted=False))),
        FilmScores(name="b", video_id="b", made_from="", shots=(shot(errors(), name=""),)),
    )
    report = RulerReport(suite="tours", profile="classic", parts=(PartScores(name="easy", films=films),))
    assert [(total.name, [row.name for row in rows]) for total, rows in report.blocks()] == [
        ("easy", ["a shot 1", "b"]),
        ("easy: should be left out", ["a shot 2"]),
    ]
    assert [part["clips"] for part in report.plain()["parts"]] == [2, 1]


def test_kept_scores_come_back_with_what_nothing_tells():
    film = FilmScores(name="a", video_id="a", made_from="x", shots=(shot(errors(scale_error=float("nan"))),))
    back = FilmScores.model_validate(json.loads(json.dumps(film.model_dump(mode="json"))))
    assert np.isnan(back.shots[0].errors[0].scale_error)
