"""A shot that is cut into pieces comes through the real stages as one world, and that world is as the tour was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from defusedxml import ElementTree

from pipeline.contract.records import MetricScene
from pipeline.geometry.poses import resize_nearest, similarity_scale
from pipeline.quality.measures import rows_of
from pipeline.quality.metres.__main__ import main
from pipeline.quality.metres.judge import factors, joined_members, judge
from pipeline.quality.metres.samples import stored_sizes
from pipeline.quality.truth.rendered import TourFilm
from pipeline.quality.worlds import WorldErrors, similarity_to_truth, world_errors
from pipeline.stages.base import Workbench
from pipeline.stages.run import process_video
from pipeline.stages.scene.settings import SceneSettings
from pipeline.store.groups import FRAMES
from pipeline.store.rows import clip_rows, read_scene
from pipeline.store.video import VideoStore
from pipeline.tours.truth import tour_of, true_clip
from tests.pipeline.small_tour import small_workbench

SEED = 940_001
ONE_SHOT: dict[str, Any] = {
    "video": {
        "tour": {
            "fps": 6,
            "rooms_max": 3,
            "indoor_shots": 1,
            "outdoor_shots": 0,
            "title": False,
            "shot_seconds": 5.0,
        }
    },
    "clips": {"keep_all_up_to": 0, "frames_per_second": 3.0, "frames_max": 10, "shared_frames": 2},
    "reconstruction": {"colmap": {"sweep": {"width": 128}}},
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    workbench = small_workbench(tmp_path_factory.mktemp("one_shot"), f"tour://{SEED}", **ONE_SHOT)
    list(process_video(workbench, until="scene"))
    return workbench


def with_truth(video: VideoStore, rows: slice) -> tuple[MetricScene, MetricScene]:
    """The registered frames of a clip, and what is true of them at the size of their depth."""
    tour, scene = tour_of(video), read_scene(video, rows)
    assert tour is not None
    true = true_clip(tour, video.read(FRAMES, "frame_index", rows)).scene
    true = MetricScene.known(true.intrinsics, true.camera_to_world, resize_nearest(true.depth, scene.depth.shape[1:]))
    return rows_of(scene, scene.registered), rows_of(true, scene.registered)


@pytest.fixture(scope="module")
def errors(film: Workbench) -> WorldErrors:
    return world_errors([with_truth(film.video, rows) for _, rows in clip_rows(film.video)])


def test_pieces_of_the_shot_have_one_world_and_share_two_frames(film: Workbench):
    video = film.video
    (first, second) = (video.read(FRAMES, "frame_index", rows) for _, rows in clip_rows(video))
    assert first[-2:].tolist() == second[:2].tolist()
    assert np.unique(video.read("scene", "world_id")).tolist() == [0]
    assert video.read("scene", "registered").all()


def test_their_scales_and_turns_agree_with_the_truth(errors: WorldErrors):
    assert errors.factor < 1.03, "the factor wanted between clips of one video"
    assert errors.turn < 1


def test_sizes_of_pieces_are_judged_joined_and_apart(film: Workbench):
    video, tour = film.video, tour_of(film.video)
    assert tour is not None
    joined, apart = stored_sizes(video, TourFilm(video.video_id, tour), "tours", SceneSettings())
    assert [clip.world_id for clip in joined] == [0, 0]
    assert [clip.world_id for clip in apart] == [0, 1]
    judged = judge(joined, "evidence")
    stored = [read_scene(video, rows) for _, rows in clip_rows(video)]
    assert judged.sigma == pytest.approx([scene.scale_sigma for scene in stored], abs=1e-3)
    sizes = [np.log(similarity_scale(similarity_to_truth(*with_truth(video, rows)))) for _, rows in clip_rows(video)]
    assert judged.error == pytest.approx(-np.array(sizes), abs=0.02)
    (factor,) = factors(judged, joined_members(joined))
    assert factor == pytest.approx(np.exp(np.ptp(judged.error)))


def test_the_command_prints_tables_and_writes_a_diagram(
    film: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    main(tmp_path, "", [str(film.video.files.root)], None)
    said = capsys.readouterr().out
    assert "| tours | 2 |" in said
    assert "paper, joined: median factor between scales 1.00" in said
    ElementTree.parse(tmp_path / "metres.svg")


def test_points_of_the_last_piece_are_where_the_first_one_has_them(errors: WorldErrors):
    assert errors.apart < 0.08, "a voxel"
