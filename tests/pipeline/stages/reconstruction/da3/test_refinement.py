"""Exact cameras and depth of a rendered tour, perturbed as a network errs, and what matches make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import depth_errors, focal_error, pose_errors
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings
from pipeline.stages.reconstruction.da3.refinement import refined
from tests.pipeline.stages.reconstruction.colmap.clips import TourClip

QUICK = ColmapSettings(sparse=SparseSettings(max_features=800))
DEGREES, SHARE, FOCAL_OFF = 1.0, 0.02, 1.03


def perturbed(truth: Reconstruction) -> Reconstruction:
    """Cameras turned by a degree and moved by 2 % of the depth, depth of each frame off by 2 %, focal length by 3 %."""
    rng, count = np.random.default_rng(0), len(truth.depth)
    poses, intrinsics = truth.camera_to_world.astype(np.float64), truth.intrinsics.copy()
    axes = rng.standard_normal((count, 3))
    turns = np.radians(DEGREES) * axes / np.linalg.norm(axes, axis=1, keepdims=True)
    poses[:, :3, :3] = poses[:, :3, :3] @ Rotation.from_rotvec(turns).as_matrix()
    poses[:, :3, 3] += SHARE * np.median(truth.depth) * rng.standard_normal((count, 3)) / np.sqrt(3)
    depth = truth.depth * np.exp(SHARE * rng.standard_normal((count, 1, 1)))
    intrinsics[:, (0, 1), (0, 1)] *= FOCAL_OFF
    return replace(
        truth, intrinsics=intrinsics, camera_to_world=poses.astype(np.float32), depth=depth.astype(np.float32)
    )


def test_perturbed_cameras_end_nearer_the_truth(clip: TourClip, truth: Reconstruction, tmp_path: Path):
    start = perturbed(truth)
    found = refined(clip.rgb, start, tmp_path, QUICK).found
    assert "were adjusted to matches" in found.notes[-1]
    before, after = (pose_errors(one.camera_to_world, truth.camera_to_world) for one in (start, found))
    assert np.median(before.rotation) > 1
    assert np.median(after.rotation) < 0.2
    assert np.median(after.translation_direction) < 0.5 * np.median(before.translation_direction)
    assert focal_error(found.intrinsics, truth.intrinsics) < 0.015
    old, new = (depth_errors(one.depth, truth.depth).absolute_relative for one in (start, found))
    assert new < old
    assert np.array_equal(start.camera_to_world, perturbed(truth).camera_to_world), "what was given stays"


def test_exact_cameras_are_not_made_worse(clip: TourClip, truth: Reconstruction, tmp_path: Path):
    found = refined(clip.rgb, truth, tmp_path, QUICK).found
    assert pose_errors(found.camera_to_world, truth.camera_to_world).rotation.max() < 0.2
    assert depth_errors(found.depth, truth.depth).absolute_relative < 0.01


def test_frames_without_matches_stay_as_they_were(truth: Reconstruction, tmp_path: Path):
    bare = np.full((len(truth.depth), 480, 640, 3), 128, np.uint8)
    found = refined(bare, truth, tmp_path, QUICK).found
    assert "too few matches" in found.notes[-1]
    for name in ("intrinsics", "camera_to_world", "depth"):
        assert np.array_equal(getattr(found, name), getattr(truth, name))


def test_cameras_that_are_nonsense_are_not_replaced_by_nonsense(clip: TourClip, truth: Reconstruction, tmp_path: Path):
    rng = np.random.default_rng(1)
    poses = truth.camera_to_world.copy()
    poses[:, :3, :3] = Rotation.random(len(poses), random_state=rng).as_matrix()
    found = refined(clip.rgb, replace(truth, camera_to_world=poses), tmp_path, QUICK).found
    errors = pose_errors(found.camera_to_world, truth.camera_to_world)
    stayed = np.array_equal(found.camera_to_world, poses)
    assert stayed or np.median(errors.rotation) < 2
