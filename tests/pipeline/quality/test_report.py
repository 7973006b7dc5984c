"""The report on a built tour, and figures of scores that are written down here."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.quality import QualityReport, tour_quality
from pipeline.quality.report import Figure
from pipeline.quality.scores import ClipErrors, CutCounts, Overlap, TourScores
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from tests.pipeline.small_tour import small_settings
from tests.pipeline.stored_room import store_room

NOTHING = Overlap.of(OverlapCounts.nothing())


def clip_of(clip_id: int = 0, **errors: float) -> ClipErrors:
    perfect = dict.fromkeys(ClipErrors.model_fields, 0.0) | {"frames": 10, "registered": 10, "places": 1}
    return ClipErrors.model_validate({**perfect, "video_id": "tour-1", "clip_id": clip_id, **errors})


def scores_of(video_id: str = "tour-1", **given: object) -> TourScores:
    perfect = {
        "fingerprint": "0",
        "cuts": CutCounts(found=4, true=4, matched=4),
        "transition_frames": 0,
        "indoor_right": 3,
        "indoor_clips": 3,
        "indoor_shots": 2,
        "shots_reconstructed": 2,
        "clips": (clip_of(),),
        "pixels": NOTHING,
        "grids": NOTHING,
        "grids_true_scale": NOTHING,
    }
    return TourScores.model_validate({"video_id": video_id, **perfect, **given})


def figure(report: QualityReport, name: str) -> float:
    return next(row.value for row in report.figures() if row.name == name)


def report_on(*tours: TourScores) -> QualityReport:
    return QualityReport(profile="classic", tours=tours)


def test_a_tour_scores_within_the_targets_of_the_plan(report: QualityReport):
    # One short clip of ten frames: cameras and depth must hold, averages over many tours are for the report.
    assert figure(report, "cut F1") == 1
    assert figure(report, "kept frames inside transitions") == 0
    assert figure(report, "accuracy per clip") == 1
    assert figure(report, "focal error, median") <= 0.03
    assert figure(report, "rotation AUC@5") >= 0.9
    assert figure(report, "depth AbsRel") <= 0.05
    assert figure(report, "depth given") >= 0.6


def test_scores_are_kept_beside_the_video_and_read_again(built_tour: Workbench, report: QualityReport):
    stored = built_tour.video.read_json("quality.json")
    assert stored["fingerprint"] == report.tours[0].fingerprint
    again = tour_quality(built_tour.video.files, [built_tour.video.video_id], built_tour.settings)
    assert again == report


def test_kept_scores_are_read_and_not_measured_again(copied_tour: Workbench, report: QualityReport):
    video, told = copied_tour.video, []
    other = report.tours[0].model_copy(update={"indoor_right": 77})
    video.write_json("quality.json", other.model_dump(mode="json"))
    again = tour_quality(video.files, [video.video_id], copied_tour.settings, lambda *args: told.append(args))
    assert again.tours == (other,)
    assert told == [], "nothing was scored"


def test_videos_that_are_no_tours_or_not_built_are_left_out(tmp_path: Path):
    video = store_room(tmp_path)
    report = tour_quality(Store(tmp_path), [video.video_id, "not-there"], small_settings())
    assert report.tours == ()
    assert report.figures() == []


def test_the_report_is_a_table_with_what_is_missed_in_bold():
    table = report_on(scores_of(), scores_of("tour-2", transition_frames=3)).markdown()
    head, _, columns, *rows = table.splitlines()
    assert head == "profile classic on tour-1, tour-2"
    assert columns == "| stage | figure | value | target | reached | what it says |"
    assert len(rows) == 1 + len(report_on(scores_of()).figures())
    assert "| clips | cut F1 | 1.000 | >= 0.95 | yes | both as one number |" in rows
    assert any(row.startswith("| clips | kept frames inside transitions | 3.000 | <= 0 | **no** | ") for row in rows)
    assert "| clips | cut precision | 1.000 |  |  | cuts that are there, of those found |" in rows
    assert rows[1].startswith("| occupancy | IoU, estimated scale |"), "what lies in the data comes first"
    assert all(row.says for row in report_on(scores_of()).figures())
    assert report_on().markdown().startswith("profile classic on no tours")


def test_counts_are_added_over_tours_before_they_are_divided():
    few = scores_of(cuts=CutCounts(found=1, true=1, matched=1), indoor_right=1, indoor_clips=1)
    many = scores_of(cuts=CutCounts(found=10, true=7, matched=5), indoor_right=3, indoor_clips=7, shots_reconstructed=0)
    report = report_on(few, many)
    assert figure(report, "cut precision") == pytest.approx(6 / 11)
    assert figure(report, "cut recall") == pytest.approx(6 / 8)
    assert figure(report, "cut F1") == pytest.approx(2 * 6 / (11 + 8))
    assert figure(report, "accuracy per clip") == pytest.approx(4 / 8)
    assert figure(report, "indoor shots that came through") == pytest.approx(2 / 4)


def test_errors_of_clips_are_medians_and_means_over_all_of_them():
    clips = [
        clip_of(0, focal_error=0.01, depth_abs_rel=0.02, registered=5),
        clip_of(1, focal_error=0.02, depth_abs_rel=0.04),
        clip_of(2, focal_error=0.9, depth_abs_rel=0.3),
    ]
    report = report_on(scores_of(clips=clips[:1]), scores_of(clips=clips[1:]))
    assert figure(report, "focal error, median") == 0.02
    assert figure(report, "depth AbsRel") == pytest.approx(0.12)
    assert figure(report, "frames registered") == pytest.approx(25 / 30)


def test_grids_are_counted_together():
    right = overlap(np.array([1, 2], np.uint8), np.array([1, 2], np.uint8))
    wrong = overlap(np.array([0, 0, 0], np.uint8), np.array([5, 5, 5], np.uint8))
    report = report_on(scores_of(grids=Overlap.of(right)), scores_of(grids=Overlap.of(wrong)))
    assert figure(report, "IoU, estimated scale") == pytest.approx(2 / 5)
    assert figure(report, "mIoU, estimated scale") == pytest.approx(2 / 11)


def test_tours_of_which_nothing_came_through_have_no_errors():
    report = report_on(scores_of(clips=()))
    assert np.isnan(figure(report, "focal error, median"))
    assert figure(report, "frames registered") == 0


@pytest.mark.parametrize(
    ("row", "target", "reached"),
    [
        (Figure("s", "n", 0.95, at_least=0.95), ">= 0.95", True),
        (Figure("s", "n", 0.94, at_least=0.95), ">= 0.95", False),
        (Figure("s", "n", 2.0, at_most=2.0), "<= 2", True),
        (Figure("s", "n", 2.1, at_most=2.0), "<= 2", False),
        (Figure("s", "n", float("nan"), at_most=2.0), "<= 2", False),
        (Figure("s", "n", 2.1), "", None),
    ],
)
def test_a_target_is_reached_or_not_or_there_is_none(row: Figure, target: str, reached: bool | None):
    assert (row.target, row.reached) == (target, reached)


def test_a_plot_has_three_panels_a_row_for_the_figures_with_a_target():
    report = report_on(scores_of(), scores_of("tour-2"))
    targeted = sum(row.reached is not None for row in report.figures())
    picture = Image.open(io.BytesIO(report.plot()))
    assert picture.size == (3 * 4 * 80, int(2.2 * 80 * -(-targeted // 3)))


def test_probabilities_are_set_against_how_many_of_the_clips_are_right():
    clips = (
        clip_of(0, probability_right=0.95),
        clip_of(1, probability_right=1.0),
        clip_of(2, probability_right=0.92, direction_median=7.0),
        clip_of(3, probability_right=0.8, rotation_most=5.1),
        clip_of(4, probability_right=0.3, depth_abs_rel=0.2),
        clip_of(5, probability_right=0.76, places=2),
        clip_of(6).model_copy(update={"probability_right": None}),
        clip_of(7, probability_right=0.9).model_copy(update={"rotation_most": None}),
    )
    rows = {row.name: row for row in report_on(scores_of(clips=clips)).figures() if row.name.startswith("right where")}
    assert {name: row.value for name, row in rows.items()} == {
        "right where P is 0 to 0.5": 0,
        "right where P is 0.75 to 0.9": 0,
        "right where P is 0.9 to 1": pytest.approx(2 / 3),
    }
    assert rows["right where P is 0.9 to 1"].says.startswith("2 of 3 clips")


def test_where_no_probability_is_known_nothing_is_said_of_it():
    clip = clip_of().model_copy(update={"probability_right": None})
    assert not any(row.name.startswith("right where") for row in report_on(scores_of(clips=(clip,))).figures())
