import numpy as np
import pytest

from pipeline.bench import voxelize as bench
from pipeline.bench.voxelize import (
    GRID_ORIGIN,
    INTRINSICS,
    ROOM_HIGH,
    ROOM_LOW,
    GridTiming,
    clip_points,
    measure,
    panning_camera,
    room_clip,
    room_depth,
    table,
    with_add_at,
    with_open3d,
    with_ours,
    with_unique,
)
from pipeline.contract.camera import pointmap
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_index
from pipeline.geometry.filling import VoxelSettings, fill_grid

SMALL = (48, 64)


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SHAPE", SMALL)
    monkeypatch.setattr(bench, "REPEATS", 1)


def test_the_camera_is_level_and_pans():
    for frame in (0, 7, 19):
        pose = panning_camera(frame)
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert (pose[2, 2], pose[2, 3]) == (0, 1.5)
        assert np.arctan2(pose[0, 2], pose[1, 2]) == pytest.approx(0.02 * frame)


def test_every_pixel_sees_a_surface_of_the_room():
    pose = panning_camera(3).astype(np.float32)
    depth = room_depth(pose)
    assert depth.shape == SMALL
    points = pointmap(depth, INTRINSICS, pose)
    gaps = np.minimum(np.abs(points - ROOM_LOW), np.abs(points - ROOM_HIGH)).min(axis=-1)
    assert gaps.max() < 1e-5
    assert (points > ROOM_LOW - 1e-5).all()
    assert (points < ROOM_HIGH + 1e-5).all()


def test_a_clip_has_as_many_frames_as_asked_and_every_class():
    scene, semantics = room_clip(frames=2)
    assert scene.depth.shape == semantics.labels.shape == (2, *SMALL)
    assert set(np.unique(semantics.labels)) <= set(range(1, 12))
    assert sum(len(points) for points in clip_points(scene)) == 2 * 48 * 64


def test_all_contenders_that_deliver_majorities_deliver_the_same():
    scene, semantics = room_clip(frames=3)
    by_add, by_unique = with_add_at(scene, semantics), with_unique(scene, semantics)
    ours = fill_grid(scene, semantics, GRID_ORIGIN, np.eye(4), VoxelSettings(ray_spacing=0.1))
    np.testing.assert_array_equal(by_add, by_unique)
    occupied = by_add != 255
    assert occupied.sum() > 500
    # Poses are float32 in the one and points float64 in the other: points on a voxel's border may change sides.
    assert (ours[occupied] == by_add[occupied]).mean() > 0.99
    assert ((ours > 0) & (ours < 255)).sum() == pytest.approx(occupied.sum(), rel=0.01)


def test_ours_places_its_grid_and_open3d_finds_as_many_voxels():
    scene, semantics = room_clip(frames=1)
    assert with_ours(scene, semantics).labels.shape == GRID_SHAPE
    points = np.concatenate(clip_points(scene))
    # Open3D begins its grid half a voxel below the smallest point.
    expected = len(np.unique(voxel_index(points, points.min(axis=0) - VOXEL_SIZE / 2), axis=0))
    assert len(with_open3d(scene, semantics)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", list(bench.CONTENDERS))
def test_every_contender_is_timed(name: str):
    seconds, mebibytes = measure(name)
    assert seconds >= 0
    assert mebibytes >= 0


def test_the_table_has_a_line_for_every_contender():
    timings = [GridTiming("ours", 0.25, 1.0, 12.4, "majority"), GridTiming("numpy", 1.5, 6.0, 900.0, "less")]
    head, first, second = table(timings).splitlines()
    assert head.split() == ["one", "grid", "ratio", "memory", "delivers"]
    assert first.split() == ["ours", "250", "ms", "1.0x", "12", "MiB", "majority"]
    assert second.split() == ["numpy", "1500", "ms", "6.0x", "900", "MiB", "less"]
