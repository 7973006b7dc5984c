"""One built tour on all rulers: the tour's own truth, and the same truth as published real footage has it."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.media import read_frames
from pipeline.quality import QualityReport
from pipeline.quality.rulers.measure import measure_film
from pipeline.quality.rulers.records import ShotScores
from pipeline.quality.rulers.uncut import would_be_kept
from pipeline.quality.truth.realestate10k import realestate10k_films
from pipeline.quality.truth.rendered import TourFilm
from pipeline.quality.truth.tum import tum_films
from pipeline.stages.base import Workbench
from pipeline.stages.clips.stage import clips
from pipeline.stages.run import run_stage
from pipeline.store.groups import FRAMES
from pipeline.store.rows import stored_clips
from pipeline.tours.truth import tour_of
from tests.pipeline.quality.truth.exports import source_of, to_realestate10k, to_tum
from tests.pipeline.small_tour import small_settings, small_workbench
from tests.pipeline.videos import walk, write_video

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


def lettered(frame: Images) -> Images:
    written = frame.copy()
    for row in range(5):
        cv2.putText(
            written, "BEAUTIFUL HOME TOUR", (10, 70 + row * 80), cv2.FONT_HERSHEY_DUPLEX, 1.6, (255, 255, 255), 3
        )
    return written


def another_place(frame: Images) -> Images:
    return walk(7, 1, size=frame.shape[1::-1])[0]


def black(frame: Images) -> Images:
    return np.zeros_like(frame)


def cut_with(source: Path, folder: Path, **settings: object) -> Workbench:
    """Run the stages up to ``clips`` on a file."""
    made = small_workbench(folder, str(source), clips={"keep_all_up_to": 0, "frames_per_second": 4.0, **settings})
    run_stage("video", made)
    run_stage("clips", made)
    return made


@pytest.mark.parametrize(
    ("spoilt", "frames", "reason"),
    [
        (lettered, range(32, 48), "TextOverlay"),
        (lettered, range(16), "TextOverlay"),
        (another_place, range(18, 26), "TooShort"),
        (black, range(18, 28), "transition"),
    ],
)
def test_parts_of_a_shot_that_became_no_clip_are_lost_and_say_why(
    tmp_path: Path, spoilt: Callable[[Images], Images], frames: range, reason: str
):
    pictures = [spoilt(each) if i in frames else each for i, each in enumerate(walk(1, 48, 6.0, (640, 480)))]
    write_video(tmp_path / "abc.mp4", pictures, fps=8)
    pose = " ".join(map(str, np.eye(4)[:3].ravel()))
    (tmp_path / "abc.pose.txt").write_text("url\n" + "".join(f"{i} 0.8 1 0.5 0.5 0 0 {pose}\n" for i in range(48)))
    (film,) = realestate10k_films(tmp_path)
    made = cut_with(tmp_path / "abc.mp4", tmp_path / "data", frames_max=12)
    (shot,) = measure_film(made.video, film, made.settings, "Stopped: before cameras")
    chosen = {frame for clip in stored_clips(made.video) for frame in clip.frame_index.tolist()}
    possible = would_be_kept(film.shots[0], film.fps, made.settings.of(clips))
    # A piece may have a frame more than its share of the shot.
    assert len(chosen) + 3 < shot.frames == pytest.approx(len(possible), abs=3)
    assert shot.reason.startswith("Stopped: before cameras; no clip was cut from ")
    assert reason in shot.reason


def test_what_the_grids_of_a_lost_part_hold_is_missed(
    built_tour: Workbench, film: TourFilm, indoors: ShotScores, tmp_path: Path
):
    (shot,) = [shot for shot in film.shots if shot.wanted]
    frames = list(read_frames(source_of(built_tour.video), np.arange(shot.end)))
    middle = (shot.start + shot.end) // 2
    frames[middle:] = [lettered(frame) for frame in frames[middle:]]
    # The title card before it becomes no clip, so that the two pieces of the shot are those that there are.
    source = write_video(tmp_path / "film.mp4", frames, fps=8)
    made = cut_with(source, tmp_path / "data", clip_min_s=1.0, frames_min=4, frames_max=6, shared_frames=0)
    (found,) = [shot for shot in measure_film(made.video, film, made.settings, "Stopped: early") if shot.wanted]
    assert "TextOverlay" in found.reason
    assert found.frames == pytest.approx(indoors.frames, abs=2)
    missed = found.missed.either_occupied / found.frames
    assert missed == pytest.approx(sum(indoors.grids.true[1:]) / indoors.frames, rel=0.1)
