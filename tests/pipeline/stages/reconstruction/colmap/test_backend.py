import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.errors import ProcessKilled, ReconstructionCrashed, TooFewRegistered, TooLittleParallax
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import depth_errors, focal_error, pose_errors, resize_nearest
from pipeline.stages.failures import record_failure
from pipeline.stages.reconstruction.backends import SETTINGS, reconstructor
from pipeline.stages.reconstruction.colmap.backend import (
    ColmapReconstructor,
    check_end,
    find_cameras,
    spread,
)
from pipeline.stages.reconstruction.colmap.notes import alone_notes, notes_on
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings
from pipeline.store.store import Store
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, TourClip
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model

QUICK = ColmapSettings(sparse=SparseSettings(max_features=1500))


@pytest.fixture(scope="module")
def clip(tour_clip: MakesClips) -> TourClip:
    return tour_clip(seed=2, shot=1, count=9)


@pytest.fixture(scope="module")
def result(clip: TourClip, tmp_path_factory: pytest.TempPathFactory):
    return reconstructor(SETTINGS(colmap=QUICK)).reconstruct(clip.rgb, tmp_path_factory.mktemp("clip"))


def test_cameras_of_a_tour_are_found(clip: TourClip, result: Reconstruction):
    assert result.registered.all()
    errors = pose_errors(result.camera_to_world, np.stack([truth.camera_to_world for truth in clip.truth]))
    # The pipeline's targets on tours.
    assert errors.rotation_auc(5) >= 0.9
    assert errors.auc(10) >= 0.8
    assert focal_error(result.intrinsics, np.stack([truth.intrinsics for truth in clip.truth])) <= 0.03


def test_depth_of_a_tour_is_found(clip: TourClip, result: Reconstruction):
    truth = np.stack([truth.depth for truth in clip.truth])
    errors = depth_errors(result.depth, resize_nearest(truth, result.depth.shape[1:]))
    # The pipeline's targets on tours.
    assert errors.absolute_relative <= 0.05
    assert errors.given >= 0.6


def test_confidence_goes_with_depth_and_with_accuracy(clip: TourClip, result: Reconstruction):
    assert np.all((result.confidence > 0) <= (result.depth > 0))
    assert result.confidence.max() <= 1
    truth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), result.depth.shape[1:])
    sure = result.confidence > np.median(result.confidence[result.depth > 0])
    unsure = (result.depth > 0) & ~sure
    errors, errors_unsure = (depth_errors(np.where(part, result.depth, 0), truth) for part in (sure, unsure))
    assert errors.absolute_relative < errors_unsure.absolute_relative


def test_sure_cameras_wait_for_the_vote_and_have_the_same_depth_then(
    clip: TourClip, result: Reconstruction, tmp_path: Path
):
    backend = ColmapReconstructor(QUICK)
    fit, nothing, cameras = backend.first_look(clip.rgb, tmp_path, None)
    assert nothing is None
    assert cameras is not None
    assert fit.focal == pytest.approx(result.intrinsics[0, 0, 0])
    found = backend.go_on(clip.rgb, tmp_path, None, cameras)
    for name in ("intrinsics", "camera_to_world", "depth", "confidence", "registered"):
        assert np.array_equal(getattr(found, name), getattr(result, name)), name


def test_square_pixels_are_taken_as_square(result: Reconstruction):
    assert result.intrinsics[0, 0, 0] == result.intrinsics[0, 1, 1]


def test_black_sides_of_an_upright_film_hold_no_depth_and_move_no_camera(clip: TourClip, tmp_path: Path):
    upright = np.zeros_like(clip.rgb)
    upright[:, :, 185:455] = clip.rgb[:, :, 185:455]
    found = reconstructor(SETTINGS(colmap=QUICK)).reconstruct(upright, tmp_path)
    assert found.registered.all()
    assert pose_errors(found.camera_to_world, np.stack([truth.camera_to_world for truth in clip.truth])).auc(10) >= 0.8
    assert focal_error(found.intrinsics, np.stack([truth.intrinsics for truth in clip.truth])) <= 0.05
    columns = (np.arange(found.depth.shape[2]) + 0.5) * 640 / found.depth.shape[2]
    assert not found.depth[:, :, (columns < 185) | (columns > 455)].any()
    truth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), found.depth.shape[1:])
    assert depth_errors(found.depth, truth).absolute_relative <= 0.05
    # the sides go with the camera, and match each other: beside them nothing may be believed that others do not see
    beside = (columns < 205) | (columns > 435)
    scale = np.median((truth / np.where(found.depth > 0, found.depth, np.nan))[found.depth > 0])
    off = np.abs(found.depth * scale / truth - 1)[..., beside][found.depth[..., beside] > 0]
    assert np.mean(off > 0.2) < 0.05


def test_the_same_frames_give_the_same_cameras(clip: TourClip, tmp_path: Path):
    settings = ColmapSettings(sparse=SparseSettings(max_features=800))
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first, second = (find_cameras(clip.rgb[:5], tmp_path / name, settings) for name in ("first", "second"))
    np.testing.assert_array_equal(first.camera_to_world, second.camera_to_world)


def test_of_two_rooms_the_larger_part_is_kept_and_the_rest_named(clip: TourClip, tour_clip: MakesClips, tmp_path: Path):
    other = tour_clip(seed=2, shot=0, count=5)
    mixed = np.concatenate([clip.rgb, other.rgb])
    kept = ColmapReconstructor(QUICK).reconstruct(mixed, tmp_path)
    assert kept.registered[:9].sum() >= 7
    assert not kept.registered[9:].any()
    assert np.all(kept.depth[9:] == 0)
    assert any("found no camera" in note for note in kept.notes)


def test_frames_of_one_colour_match_nothing(tmp_path: Path):
    with pytest.raises(TooFewRegistered):
        ColmapReconstructor(QUICK).reconstruct(np.full((6, 480, 640, 3), 128, np.uint8), tmp_path)


def test_a_still_camera_has_no_parallax(clip: TourClip, tmp_path: Path):
    with pytest.raises(TooLittleParallax):
        ColmapReconstructor(QUICK).reconstruct(np.repeat(clip.rgb[:1], 5, axis=0), tmp_path)


def test_a_camera_that_only_turns_has_no_parallax(clip: TourClip, tmp_path: Path):
    intrinsics = clip.truth[0].intrinsics.astype(np.float64)
    turns = [Rotation.from_rotvec([0.02 * k, 0.06 * k, 0]).as_matrix() for k in range(6)]
    frames = [
        cv2.warpPerspective(clip.rgb[0], intrinsics @ turn @ np.linalg.inv(intrinsics), (640, 480)) for turn in turns
    ]
    with pytest.raises(TooLittleParallax):
        ColmapReconstructor(QUICK).reconstruct(np.stack(frames), tmp_path)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_frames_are_too_few(clip: TourClip, tmp_path: Path, count: int):
    with pytest.raises(TooFewRegistered, match=f"{count} frames"):
        ColmapReconstructor(QUICK).reconstruct(clip.rgb[:count], tmp_path)


def _solves(process: psutil.Process) -> bool:
    try:
        return "pipeline.stages.reconstruction.colmap.sparse" in process.cmdline()
    except psutil.Error:
        return False


def test_a_process_that_dies_leaves_out_the_clip_alone(clip: TourClip, tmp_path: Path):
    def break_child() -> None:
        while not (solvers := [child for child in psutil.Process().children() if _solves(child)]):
            time.sleep(0.05)
        for child in solvers:
            child.send_signal(signal.SIGSEGV)

    killer = threading.Thread(target=break_child)
    killer.start()
    with pytest.raises(ReconstructionCrashed, match="-11"):
        ColmapReconstructor(QUICK).reconstruct(clip.rgb, tmp_path)
    killer.join()


def test_a_process_that_works_too_long_is_stopped(clip: TourClip, tmp_path: Path):
    hurried = ColmapSettings(sparse=SparseSettings(timeout_s=0.2))
    with pytest.raises(ReconstructionCrashed, match="0 s of processor time"):
        ColmapReconstructor(hurried).reconstruct(clip.rgb, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_somebody_ends_says_nothing_of_the_clip(clip: TourClip, tmp_path: Path, number: signal.Signals):
    def end() -> None:
        while not (found := [child for child in psutil.Process().children() if str(tmp_path) in child.cmdline()]):
            time.sleep(0.02)
        found[0].send_signal(number)

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(ProcessKilled, match=number.name):
        ColmapReconstructor(QUICK).reconstruct(clip.rgb, tmp_path)
    thread.join()


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (os.EX_TEMPFAIL, b"MemoryError: ", MemoryError),
        (-signal.SIGABRT, b"terminate called\n  what():  std::bad_alloc\n", MemoryError),
        (os.EX_IOERR, b"OSError: [Errno 28] No space left on device", OSError),
        (1, b"Traceback\nValueError: no camera", ReconstructionCrashed),
        (-signal.SIGSEGV, b"", ReconstructionCrashed),
    ],
)
def test_whose_fault_the_end_of_a_process_is(status: int, said: bytes, error: type[Exception]):
    with pytest.raises(error, match=f"ended with status {status}"):
        check_end(status, said, QUICK)
    check_end(0, b"a warning of CUDA", QUICK)


def test_a_full_disk_is_no_fault_of_the_clip(tmp_path: Path):
    (tmp_path / "sparse.npz").mkdir()  # nothing can be written there
    with pytest.raises(OSError, match="sparse"):
        find_cameras(np.full((3, 480, 640, 3), 128, np.uint8), tmp_path, QUICK)


def test_frames_that_are_alone_are_named():
    assert alone_notes(np.zeros(4, bool)) == ()
    (note,) = alone_notes(np.array([False, True, False, True]))
    assert "left out: 1, 3 (of 0 to 3)" in note


def test_of_a_killed_process_another_try_is_worth_it(tmp_path: Path):
    failure = record_failure(Store(tmp_path).video("v"), "reconstruction", "f", ProcessKilled("killed"))
    assert failure.may_pass


@pytest.mark.parametrize("shape", [(4, 240, 320, 3), (4, 480, 640)])
def test_frames_of_another_shape_are_refused(shape: tuple[int, ...], tmp_path: Path):
    with pytest.raises(ValueError, match="need frames"):
        ColmapReconstructor(QUICK).reconstruct(np.zeros(shape, np.uint8), tmp_path)


def test_maps_of_registered_frames_take_their_places_among_all():
    registered = np.array([True, False, True, True, False, True])
    maps = np.arange(1, 5, dtype=np.float32)[:, None, None] * np.ones((4, 2, 3), np.float32)
    placed = spread(maps, replace(good_model(), registered=registered))
    assert placed.shape == (FRAMES, 2, 3)
    assert placed[:, 0, 0].tolist() == [1, 0, 2, 3, 0, 4]


def test_a_sound_clip_has_nothing_to_note():
    assert notes_on(good_model()) == ()


def test_what_the_user_should_know_is_noted_in_sentences():
    model = replace(
        good_model(),
        registered=np.arange(FRAMES) < 4,
        model_sizes=(4, 2),
        intrinsics=np.array([[500.0, 0, 320], [0, 600, 240], [0, 0, 1]]),
    )
    assert notes_on(model) == (
        "The clip fell into 2 models of 4 and 2 frames; the largest was kept.",
        "2 of 6 frames found no camera.",
        "Pixels are not square: the vertical focal length is 1.200 times the horizontal one.",
    )
