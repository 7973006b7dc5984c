"""One built tour on all rulers: the tour's own truth, and the same truth as published real footage has it."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.quality import QualityReport
from pipeline.quality.rulers.measure import measure_film, shot_of, would_be_kept
from pipeline.quality.rulers.records import ShotScores
from pipeline.quality.truth.film import TrueShot
from pipeline.quality.truth.realestate10k import realestate10k_films
from pipeline.quality.truth.rendered import TourFilm
from pipeline.quality.truth.tum import tum_films
from pipeline.stages.base import Workbench
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.store.groups import FRAMES
from pipeline.tours.truth import tour_of
from tests.pipeline.quality.truth.exports import source_of, to_realestate10k, to_tum
from tests.pipeline.small_tour import small_settings, small_workbench

SETTINGS = small_settings()


@pytest.fixture(scope="module")
def film(built_tour: Workbench) -> TourFilm:
    tour = tour_of(built_tour.video)
    assert tour is not None
    return TourFilm("tour://5", tour)


@pytest.fixture(scope="module")
def indoors(built_tour: Workbench, film: TourFilm) -> ShotScores:
    (found,) = [shot for shot in measure_film(built_tour.video, film, SETTINGS) if shot.wanted]
    return found


def test_a_tour_is_measured_as_in_the_quality_report(built_tour: Workbench, indoors: ShotScores, report: QualityReport):
    (scores,) = report.tours
    assert indoors.errors == scores.clips
    assert (indoors.grids, indoors.grids_true_scale) == (scores.grids, scores.grids_true_scale)
    assert indoors.kept == indoors.frames == len(built_tour.video.read(FRAMES, "frame_index"))
    assert indoors.missed.either_occupied == 0
    assert indoors.reason == ""


def test_a_shot_outdoors_is_left_out_and_says_why(built_tour: Workbench, film: TourFilm):
    (outdoors,) = [shot for shot in measure_film(built_tour.video, film, SETTINGS) if not shot.wanted]
    assert not outdoors.through
    assert not outdoors.wrong
    assert "NotIndoor" in outdoors.reason


def test_the_same_tour_as_tum_publishes_it_has_the_same_figures(
    built_tour: Workbench, film: TourFilm, indoors: ShotScores, tmp_path: Path
):
    kept = built_tour.video.read(FRAMES, "frame_index").tolist()
    to_tum(film.tour, source_of(built_tour.video), kept, tmp_path / "tum")
    (scores,) = measure_film(built_tour.video, tum_films(tmp_path / "tum")[0], SETTINGS)
    (errors,), (expected,) = scores.errors, indoors.errors
    for name, value in expected.model_dump(exclude={"video_id", "clip_id"}).items():
        # Depth in fifths of a millimetre; what has no name, as the garden behind a window, has no depth there.
        assert getattr(errors, name) == pytest.approx(value, rel=0.02, abs=2e-3), name
    assert scores.grids_true_scale.counts().iou == pytest.approx(indoors.grids_true_scale.counts().iou, abs=0.02)
    assert scores.grids.counts().iou == pytest.approx(indoors.grids.counts().iou, abs=0.02)


def test_the_same_tour_as_realestate10k_publishes_it_has_the_same_cameras_and_nothing_else(
    built_tour: Workbench, film: TourFilm, indoors: ShotScores, tmp_path: Path
):
    kept = built_tour.video.read(FRAMES, "frame_index").tolist()
    to_realestate10k(film.tour, source_of(built_tour.video), kept, tmp_path / "clips")
    (scores,) = measure_film(built_tour.video, realestate10k_films(tmp_path / "clips")[0], SETTINGS)
    (errors,), (expected,) = scores.errors, indoors.errors
    for name in ("auc5", "auc10", "rotation_median", "direction_median", "focal_error"):
        assert getattr(errors, name) == pytest.approx(getattr(expected, name), abs=2e-3), name
    assert np.isnan([errors.depth_abs_rel, errors.scale_error]).all()
    assert scores.grids.either_occupied == scores.missed.either_occupied == 0
    assert not scores.wrong


def test_a_film_that_failed_is_lost_as_a_whole_and_its_grids_are_missed(
    built_tour: Workbench, film: TourFilm, indoors: ShotScores
):
    lost, *_ = [shot for shot in measure_film(built_tour.video, film, SETTINGS, "NoLuck: none") if shot.wanted]
    assert (lost.kept, lost.frames, lost.reason) == (0, indoors.frames, "NoLuck: none")
    assert lost.errors == ()
    # The same frames, of which nothing is predicted: all that was true of them is missed.
    assert lost.missed.either_occupied == sum(indoors.grids.true[1:])
    assert lost.missed.both_occupied == 0


def test_a_shot_of_which_no_clip_was_cut_is_missed_all_the_same(film: TourFilm, indoors: ShotScores, tmp_path: Path):
    # No clip at all is stored of this video, as if the file could not be read.
    found = measure_film(small_workbench(tmp_path, "tour://6").video, film, SETTINGS, "BrokenVideo: cut off")
    (lost,) = [shot for shot in found if shot.wanted]
    assert (lost.kept, lost.reason) == (0, "BrokenVideo: cut off")
    # The stage trims a tenth of a second at either end, which is less than a frame of the clip each.
    assert lost.frames == pytest.approx(indoors.frames, abs=2)
    # Other frames of the same walk see nearly as much each.
    missed = lost.missed.either_occupied / lost.frames
    assert missed == pytest.approx(sum(indoors.grids.true[1:]) / indoors.frames, rel=0.05)


def test_a_clip_belongs_to_the_shot_that_most_of_its_frames_show():
    shots = (TrueShot("a", 0, 10), TrueShot("b", 12, 30))
    assert shot_of(np.array([8, 9, 13, 14, 15]), shots) == 1
    assert shot_of(np.array([10, 11]), shots) is None


@pytest.mark.parametrize(("end", "fps", "count"), [(16, 30.0, 16), (120, 30.0, 12), (40, 30.0, 8), (600, 30.0, 60)])
def test_as_many_frames_are_possible_as_the_stage_would_choose(end: int, fps: float, count: int):
    frames = would_be_kept(TrueShot("a", 100, 100 + end), fps, ClipsSettings())
    assert len(frames) == count
    assert frames.min() >= 100
    assert frames.max() < 100 + end
    assert (np.diff(frames) > 0).all()
