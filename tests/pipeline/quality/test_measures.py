"""Errors of an analytic room that is moved, tilted and scaled by known amounts, and of a built tour."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy.spatial.transform import Rotation

from pipeline.contract.records import MetricScene, Semantics
from pipeline.geometry.distortion import Distortion
from pipeline.geometry.filling import VoxelSettings
from pipeline.quality import QualityReport
from pipeline.quality.measures import _registered_only, clip_errors, measure_tour, overlaps, scale_to_truth
from pipeline.quality.scores import ClipErrors, CutCounts
from pipeline.stages.base import Workbench
from pipeline.store.rows import read_scene
from pipeline.store.video import VideoStore
from pipeline.tours.truth import TrueClip, as_stored, tour_of
from tests.pipeline.box_room import film
from tests.pipeline.provenances import provenance
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import CAMERAS, FRAMES, ROOM, store_room

SETTINGS = VoxelSettings()
ALL = slice(0, FRAMES)


@pytest.fixture(scope="module")
def truth() -> TrueClip:
    scene, semantics = film(ROOM, CAMERAS, (96, 128))
    none = np.zeros(FRAMES, np.bool_)
    return TrueClip(scene, semantics, np.zeros(FRAMES, np.int64), ("indoor",) * FRAMES, none)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    return store_room(tmp_path_factory.mktemp("room"))


def moved(scene: MetricScene, motion: np.ndarray, scale: float = 1.0) -> MetricScene:
    """The same scene in another world, ``scale`` times as large."""
    cameras = motion @ scene.camera_to_world.astype(float)
    cameras[:, :3, 3] *= scale
    return replace(scene, camera_to_world=cameras.astype(np.float32), depth=scene.depth * np.float32(scale))


def errors_of(video: VideoStore, scene: MetricScene, truth: TrueClip) -> ClipErrors:
    return clip_errors(video, 0, ALL, scene, truth)


def test_the_truth_scores_one(truth: TrueClip):
    pixels, grids, grids_true_scale = overlaps(truth.scene, truth.semantics, truth, SETTINGS)
    assert grids.iou == grids_true_scale.iou == 1
    present = truth.semantics.labels[(truth.semantics.labels > 0) & (truth.semantics.labels < 255)]
    assert pixels.miou == pytest.approx(len(np.unique(present)) / 11)


def test_the_truth_of_a_bent_film_is_that_of_the_straightened_pictures(tmp_path: Path):
    video, lens = store_room(tmp_path), Distortion(-0.08)
    scene, semantics = film(ROOM, CAMERAS[:2], (480, 640))
    seen = TrueClip(scene, semantics, np.zeros(2, np.int64), ("indoor",) * 2, np.zeros(2, np.bool_))
    assert as_stored(video, seen, slice(0, 2)) is seen, "nothing was straightened"
    replaced(video, "reconstruction", rgb=video.read("frames", "rgb"), distortion=np.tile(lens.as_row(), (FRAMES, 1)))
    stored = as_stored(video, seen, slice(0, 2))
    film_corner = lens.bent(np.array([[0.5, 0.5]]))[0].astype(int)
    assert stored.scene.depth[0, 0, 0] == scene.depth[0, film_corner[1], film_corner[0]] != scene.depth[0, 0, 0]
    assert np.array_equal(stored.scene.depth[:, 240, 320], scene.depth[:, 240, 320])
    assert stored.semantics.labels[1, 0, 0] == semantics.labels[1, film_corner[1], film_corner[0]]
    assert stored.scene.intrinsics == pytest.approx(scene.intrinsics), "a barrel's middle is not enlarged"
    assert stored.for_grids().scene is scene, "grids are filled from what is exact"


def test_a_scene_of_the_wrong_size_is_put_right_by_the_true_scale_alone(truth: TrueClip):
    large = moved(truth.scene, np.eye(4), 1.25)
    assert scale_to_truth(large, truth) == pytest.approx(0.8, rel=1e-6)
    _, grids, grids_true_scale = overlaps(large, truth.semantics, truth, SETTINGS)
    # Points on the border of a voxel may change sides by rounding of the scale: this room's walls lie on borders.
    assert grids.iou < 0.5
    assert grids_true_scale.iou > 0.85
    assert grids_true_scale.recall > grids.recall


def test_another_world_changes_no_grid_because_grids_are_laid_on_the_camera(truth: TrueClip):
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = Rotation.from_euler("z", 0.7).as_matrix(), (5, -3, 0.2)
    _, grids, _ = overlaps(moved(truth.scene, turn), truth.semantics, truth, SETTINGS)
    assert grids.iou > 0.85


def test_wrong_labels_cost_classes_but_no_completion(truth: TrueClip):
    swapped = truth.semantics.labels.copy()
    swapped[truth.semantics.labels == 2], swapped[truth.semantics.labels == 3] = 3, 2
    pixels, grids, _ = overlaps(truth.scene, Semantics(swapped, truth.semantics.regions), truth, SETTINGS)
    assert grids.iou == 1
    assert pixels.class_iou[2] == pixels.class_iou[3] == 0
    assert grids.miou < 0.9


def test_labels_of_another_resolution_are_compared_where_their_pixels_are(truth: TrueClip):
    small = Semantics(truth.semantics.labels[:, 1::2, 1::2], truth.semantics.regions[:, 1::2, 1::2])
    half = replace(
        truth.scene, depth=truth.scene.depth[:, 1::2, 1::2], confidence=truth.scene.confidence[:, 1::2, 1::2]
    )
    pixels, _, _ = overlaps(half, small, truth, SETTINGS)
    assert pixels.matched.sum() == pixels.true.sum() == FRAMES * 48 * 64


def test_the_stored_truth_of_a_room_has_no_errors(video: VideoStore, truth: TrueClip):
    errors = errors_of(video, read_scene(video, ALL), truth)
    assert (errors.frames, errors.registered, errors.depth_given) == (FRAMES, FRAMES, 1)
    assert errors.focal_error == errors.rotation_median == 0
    assert errors.auc5 == errors.auc20 == errors.rotation_auc5 == errors.depth_delta == 1
    # Depth is stored in half floats: eleven bits.
    assert errors.depth_abs_rel < 2**-11
    assert errors.scale_error < 2**-10
    assert errors.floor_m < 1e-3
    assert errors.up_degrees < 0.1  # arccos near 1 makes 1e-3 radians of float32


@pytest.mark.parametrize("degrees", [1.0, 5.0, 40.0])
def test_the_up_error_is_the_angle_by_which_the_world_is_tilted(video: VideoStore, truth: TrueClip, degrees: float):
    tilt = np.eye(4)
    tilt[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    errors = errors_of(video, moved(truth.scene, tilt), truth)
    assert errors.up_degrees == pytest.approx(degrees, abs=0.05)
    assert errors.rotation_median == pytest.approx(0, abs=0.05), "relative poses do not know which way is up"


def test_the_floor_error_is_how_far_cameras_are_too_high_at_true_scale(video: VideoStore, truth: TrueClip):
    lifted = np.eye(4)
    lifted[2, 3] = 0.3
    assert errors_of(video, moved(truth.scene, lifted), truth).floor_m == pytest.approx(0.3, abs=1e-4)
    twice = errors_of(video, moved(truth.scene, lifted, 2.0), truth)
    assert twice.floor_m == pytest.approx(0.3, abs=1e-4)


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.1])
def test_the_scale_error_is_how_much_too_large_or_small_the_scene_is(video: VideoStore, truth: TrueClip, scale: float):
    errors = errors_of(video, moved(truth.scene, np.eye(4), scale), truth)
    assert errors.scale_error == pytest.approx(abs(scale - 1), abs=1e-5)


def test_what_is_seen_through_panes_is_no_depth_of_the_room(video: VideoStore, truth: TrueClip):
    pane = np.zeros(truth.scene.depth.shape, np.bool_)
    pane[:, 20:50, 30:70] = True
    garden = replace(truth.scene, depth=np.where(pane, 9 * truth.scene.depth, truth.scene.depth))
    behind = replace(truth, scene=garden)
    assert errors_of(video, truth.scene, behind).depth_abs_rel > 0.05
    through = replace(behind, elsewhere=pane)
    assert errors_of(video, truth.scene, through).depth_abs_rel < 0.01
    assert scale_to_truth(truth.scene, replace(through, elsewhere=~pane)) == pytest.approx(9)


def test_only_registered_frames_are_compared(truth: TrueClip):
    seen = np.array([True, False, True, True, False, True])
    confident = replace(truth.semantics, confidence=np.full(truth.semantics.labels.shape, 9, np.uint8))
    scene, semantics, true = _registered_only(replace(truth.scene, registered=seen), confident, truth)
    assert len(scene.depth) == len(semantics.labels) == len(true.scene.depth) == len(true.shot_id) == 4
    np.testing.assert_array_equal(scene.depth, true.scene.depth)
    assert semantics.confidence is not None
    assert len(semantics.confidence) == 4
    assert semantics.moving is None


def test_a_built_tour_is_measured_stage_by_stage(built_tour: Workbench, report: QualityReport):
    tour, (scores,) = tour_of(built_tour.video), report.tours
    assert tour is not None
    assert scores.video_id == built_tour.video.video_id
    # A title card, a shot from outside and one of a room: two changes, and what is cut hard is found.
    hard = sum(change.kind == "cut" for change in tour.transitions)
    assert scores.cuts == CutCounts(found=hard, true=hard, matched=hard)
    assert (scores.indoor_shots, scores.shots_reconstructed, len(scores.clips)) == (1, 1, 1)
    assert scores.indoor_right == scores.indoor_clips
    assert scores.transition_frames == 0
    assert scores.pixels.counts().true.sum() > 0
    assert scores.grids_true_scale.counts().iou >= scores.grids.counts().iou - 0.05


@pytest.mark.parametrize("registered", [0, 1])
def test_a_clip_without_two_cameras_has_no_errors_to_count(copied_tour: Workbench, registered: int):
    video, tour = copied_tour.video, tour_of(copied_tour.video)
    assert tour is not None
    scene = zarr.open_group(Path(video.files.root, "videos", video.video_id, "scene.zarr", "scene"), mode="r+")
    scene["registered"][registered:] = False
    del scene.attrs["files"]  # as of release 0.1, which kept no list
    made = provenance("occupancy", fingerprint="a fingerprint")
    scores = measure_tour(video, tour, copied_tour.settings, made)
    assert scores.fingerprint == "a fingerprint"
    assert scores.clips == ()
    assert scores.shots_reconstructed == 0
    assert scores.grids.counts().true.sum() == 0
