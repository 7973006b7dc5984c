"""Scores of a built tour, and scores that must be perfect because what is scored is the truth itself."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.quality import QualityReport, plot_side_by_side, side_by_side, tour_quality
from pipeline.quality.measures import overlaps, scale_to_truth
from pipeline.stages.base import Workbench
from pipeline.tours.truth import TrueClip, tour_of, true_clip


@pytest.fixture(scope="module")
def report(built_tour: Workbench) -> QualityReport:
    return tour_quality(built_tour.video.files, [built_tour.video.video_id], built_tour.settings)


@pytest.fixture(scope="module")
def truth(built_tour: Workbench) -> TrueClip:
    tour = tour_of(built_tour.video)
    assert tour is not None
    return true_clip(tour, built_tour.video.read("frames", "frame_index")[:4])


def figure(report: QualityReport, name: str) -> float:
    return next(row.value for row in report.figures() if row.name == name)


def test_a_tour_scores_within_the_targets_of_the_plan(report: QualityReport):
    # One short clip of ten frames: cameras and depth must hold, averages over many tours are for the report.
    assert figure(report, "cut F1") == 1
    assert figure(report, "kept frames inside transitions") == 0
    assert figure(report, "accuracy per clip") == 1
    assert figure(report, "focal error, median") <= 0.03
    assert figure(report, "rotation AUC@5") >= 0.9
    assert figure(report, "depth AbsRel") <= 0.05
    assert figure(report, "depth given") >= 0.6


def test_the_report_is_a_table_and_a_picture(report: QualityReport):
    table = report.markdown()
    assert table.count("\n|") == len(report.figures()) + 2
    assert "| occupancy | IoU, true scale |" in table
    assert report.plot().startswith(b"\x89PNG")


def test_scores_are_kept_beside_the_video_and_read_again(built_tour: Workbench, report: QualityReport):
    stored = built_tour.video.read_json("quality.json")
    assert stored["fingerprint"] == report.tours[0].fingerprint
    again = tour_quality(built_tour.video.files, [built_tour.video.video_id], built_tour.settings)
    assert again == report


def test_the_truth_scores_one(built_tour: Workbench, truth: TrueClip):
    pixels, grids, grids_true_scale = overlaps(truth.scene, truth.semantics, truth, built_tour.settings.occupancy)
    assert grids.iou == grids_true_scale.iou == 1
    present = truth.semantics.labels[(truth.semantics.labels > 0) & (truth.semantics.labels < 255)]
    assert pixels.miou == pytest.approx(len(np.unique(present)) / 11)


def test_a_scene_of_the_wrong_size_is_put_right_by_the_true_scale_alone(built_tour: Workbench, truth: TrueClip):
    cameras = truth.scene.camera_to_world.copy()
    cameras[:, :3, 3] *= 1.25
    large = replace(truth.scene, depth=truth.scene.depth * 1.25, camera_to_world=cameras)
    assert scale_to_truth(large, truth) == pytest.approx(0.8, rel=1e-6)
    _, grids, grids_true_scale = overlaps(large, truth.semantics, truth, built_tour.settings.occupancy)
    # Points on the border of a voxel may change sides by rounding of the scale.
    assert grids.iou < 0.5
    assert grids_true_scale.iou > 0.99


def test_reports_stand_side_by_side_and_say_what_is_missing(report: QualityReport):
    nothing = QualityReport(profile="unbuilt", tours=())
    table = side_by_side([report, nothing])
    assert "classic: 1 tours; unbuilt: 0 tours" in table
    assert "| stage | figure | classic | unbuilt | target |" in table
    assert "| occupancy | IoU, true scale | " in table
    assert table.count(" | - | ") == len(report.figures())
    assert plot_side_by_side([report, nothing]).startswith(b"\x89PNG")


def test_nothing_built_is_an_empty_table():
    nothing = QualityReport(profile="unbuilt", tours=())
    assert side_by_side([nothing, nothing]).count("\n|") == 2
    assert plot_side_by_side([nothing]).startswith(b"\x89PNG")
