import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_centres, voxel_index
from pipeline.contract.records import FrameGrid, MetricScene, Semantics
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.voxels import fullest_window, grid_from_estimate, looking_along_y, voxelize, voxelize_frame
from tests.pipeline.box_room import Box, Room, film, looking

ROOM = Room(
    Box((-1.5, -1.0, 0.0), (2.1, 2.9, 2.6)),
    (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),),
)
CAMERAS = [
    looking((-0.4, -0.6, 1.5), (0.5, 2.0, 0.9)),
    looking((0.1, -0.5, 1.5), (0.5, 2.0, 0.9)),
    looking((0.6, -0.6, 1.6), (0.2, 2.0, 1.2)),
]
EVERY_RAY = VoxelSettings(ray_spacing=0)
Filmed = tuple[MetricScene, Semantics]


@pytest.fixture(scope="module")
def clip() -> Filmed:
    return film(ROOM, CAMERAS, (240, 320))


def random_clip(seed: int) -> Filmed:
    """Cameras and depths without any sense: noise has no ties to hide behind."""
    rng = np.random.default_rng(seed)
    scene, semantics = film(ROOM, CAMERAS, (24, 32))
    poses = np.tile(np.eye(4, dtype=np.float32), (len(CAMERAS), 1, 1))
    poses[:, :3, :3] = Rotation.random(len(CAMERAS), rng).as_matrix()
    poses[:, :3, 3] = rng.uniform(-1, 1, (len(CAMERAS), 3))
    depth = rng.uniform(-0.5, 3, scene.depth.shape).clip(0).astype(np.float32)
    labels = rng.choice(np.array([0, 1, 2, 3, 11, 255], np.uint8), depth.shape)
    confidence = np.where(labels == 255, 0, rng.integers(1, 256, depth.shape)).astype(np.uint8)
    scene = dataclasses.replace(scene, depth=depth, camera_to_world=poses)
    return scene, Semantics(labels, semantics.regions, confidence)


def brute_force_labels(scene: MetricScene, semantics: Semantics, weights: NDArray, origin: NDArray) -> dict:
    """The label of every voxel that holds a point, by adding up votes in a dictionary."""
    votes: dict[tuple[int, ...], dict[int, int]] = {}
    for frame in range(len(scene.depth)):
        seen = scene.depth[frame] > 0
        points = pointmap(scene.depth[frame], scene.intrinsics[frame], scene.camera_to_world[frame])[seen]
        indices = voxel_index(points, origin)
        for index, label, weight in zip(indices, semantics.labels[frame][seen], weights[frame][seen], strict=True):
            if ((index >= 0) & (index < GRID_SHAPE)).all():
                of_voxel = votes.setdefault(tuple(index), {})
                of_voxel[int(label)] = of_voxel.get(int(label), 0) + int(weight)
    return {index: winner(of_voxel) for index, of_voxel in votes.items()}


def winner(votes: dict[int, int]) -> int:
    classes = [label for label in votes if 1 <= label <= 11]
    return min(classes, key=lambda label: (-votes[label], label)) if classes else 12


@given(st.integers(0, 10_000), st.sampled_from(["majority", "confidence"]))
@settings(max_examples=16)
def test_occupied_voxels_and_their_labels_equal_brute_force(seed: int, vote: str):
    scene, semantics = random_clip(seed)
    origin = np.array([-2.0, -2.2, -1.4]) + np.random.default_rng(seed).uniform(0, 0.08, 3)
    labels = fill_grid(scene, semantics, origin, np.eye(4), VoxelSettings(vote=vote))
    assert semantics.confidence is not None
    weights = semantics.confidence if vote == "confidence" else np.ones_like(semantics.confidence)
    expected = brute_force_labels(scene, semantics, weights, origin)
    assert {tuple(index): labels[tuple(index)] for index in np.argwhere((labels > 0) & (labels < 255))} == expected


def test_one_certain_point_outvotes_two_doubtful_ones_only_where_confidence_counts(clip: Filmed):
    scene, _ = clip
    scene = dataclasses.replace(scene, depth=np.zeros((3, 1, 3), np.float32))
    scene.depth[0, 0] = 2.0
    labels = np.array([[[SemanticClass.WALL, SemanticClass.SOFA, SemanticClass.SOFA]]], np.uint8).repeat(3, axis=0)
    confidence = np.array([[[200, 90, 90]]], np.uint8).repeat(3, axis=0)
    semantics = Semantics(labels, np.zeros_like(labels, np.uint16), confidence)
    # A grid so far enlarged that the three points share a voxel.
    shrink = np.diag([1e-3, 1e-3, 1e-3, 1.0])
    found = {
        vote: set(np.unique(fill_grid(scene, semantics, np.full(3, -1.0), shrink, VoxelSettings(vote=vote)))) - {0, 255}
        for vote in ("majority", "confidence")
    }
    assert found == {"majority": {SemanticClass.SOFA}, "confidence": {SemanticClass.WALL}}


def test_without_confidence_every_vote_counts_alike(clip: Filmed):
    scene, semantics = clip
    weighted = voxelize_frame(scene, semantics, 0, VoxelSettings(vote="confidence"))
    assert np.array_equal(weighted.labels, voxelize_frame(scene, semantics, 0).labels)


@given(st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=20)
def test_turning_the_world_by_a_right_angle_turns_the_grid_with_it(seed: int, quarter: int):
    scene, semantics = random_clip(seed)
    turn = np.eye(4)
    turn[:2, :2] = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarter)
    turned = dataclasses.replace(scene, camera_to_world=(turn @ scene.camera_to_world).astype(np.float32))
    before, after = voxelize_frame(scene, semantics, 0), voxelize_frame(turned, semantics, 0)
    assert np.array_equal(before.grid_from_world, after.grid_from_world @ turn)
    assert np.array_equal(before.origin, after.origin)
    assert np.array_equal(before.labels, after.labels)


def label_at(grid: FrameGrid, point: tuple[float, float, float]) -> int:
    index = voxel_index(np.array(point), grid.origin)
    assert ((index >= 0) & (index < GRID_SHAPE)).all()
    return int(grid.labels[tuple(index)])


def test_a_room_has_its_surfaces_exactly_where_they_are(clip: Filmed):
    grid = voxelize_frame(*clip, 0, EVERY_RAY)
    assert np.array_equal(grid.grid_from_world, np.eye(4))
    assert label_at(grid, (-0.9, 1.9, 0.0)) == SemanticClass.FLOOR
    assert label_at(grid, (-0.5, 2.9, 1.3)) == SemanticClass.WALL
    assert label_at(grid, (0.6, 1.2, 0.9)) == SemanticClass.FURNITURE
    assert (np.argwhere(grid.labels == SemanticClass.FLOOR)[:, 2] == 0).all()
    walls = voxel_centres(grid.origin)[grid.labels == SemanticClass.WALL]
    to_planes = np.abs(walls[:, [0, 0, 1, 1]] - [-1.5, 2.1, -1.0, 2.9]).min(axis=1)
    assert to_planes.max() <= VOXEL_SIZE / 2 + 1e-6


def test_space_before_surfaces_is_empty_and_space_behind_them_is_unknown(clip: Filmed):
    grid = voxelize_frame(*clip, 0, EVERY_RAY)
    assert label_at(grid, (0.3, 1.9, 1.2)) == SemanticClass.EMPTY
    inside_box, behind_box, behind_wall = (0.6, 1.25, 0.4), (0.6, 1.7, 0.1), (0.5, 3.1, 1.2)
    for hidden in (inside_box, behind_box, behind_wall):
        assert label_at(grid, hidden) == SemanticClass.UNKNOWN


def test_the_origin_is_the_smallest_corner_seen_on_the_common_lattice(clip: Filmed):
    scene, semantics = clip
    grid = voxelize_frame(scene, semantics, 0)
    points = pointmap(scene.depth[0], scene.intrinsics[0], scene.camera_to_world[0]).reshape(-1, 3)
    assert np.array_equal(voxel_index(points, grid.origin)[:, :2].min(axis=0), [0, 0])
    assert grid.origin[2] == -0.05
    assert np.allclose(grid.origin[:2] / VOXEL_SIZE, np.round(grid.origin[:2] / VOXEL_SIZE), atol=1e-9)


def test_grids_of_one_clip_agree_where_they_overlap(clip: Filmed):
    """Every frame looks along +y here, so that grids differ by whole voxels; float32 poses may move border points."""
    occupancy = voxelize(*clip)
    shift = np.round((occupancy.origin[1] - occupancy.origin[0]) / VOXEL_SIZE).astype(int)
    low = np.maximum(shift, 0)
    size = GRID_SHAPE - np.abs(shift)
    first = crop(occupancy.labels[0], low, size)
    second = crop(occupancy.labels[1], low - shift, size)
    assert (first == second).mean() > 0.999


def crop(labels: NDArray[np.uint8], low: NDArray, size: NDArray) -> NDArray[np.uint8]:
    return labels[tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))]


def test_the_camera_looks_along_y_in_its_grid():
    for degrees in range(0, 360, 7):
        eye, yaw = (0.0, 0.0, 1.5), np.radians(degrees)
        pose = looking(eye, (np.cos(yaw), np.sin(yaw), 1.4))
        forward = (looking_along_y(pose) @ pose)[:3, 2]
        assert forward[1] > abs(forward[0])


def test_a_seen_extent_wider_than_the_grid_keeps_the_fullest_window():
    counts = np.zeros((250, 250), np.int64)
    counts[[10, 10, 60, 80, 110], [20, 21, 25, 25, 25]] = [1, 1, 1, 3, 1]
    assert fullest_window(counts, 60, 60).tolist() == [51, 20]
    assert fullest_window(counts[:61], 60, 60).tolist() == [10, 20]
    assert fullest_window(np.zeros_like(counts), 60, 60).tolist() == [125, 125]


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=50)
def test_no_window_holds_more_than_the_fullest(seed: int, width: int, length: int):
    draw = np.random.default_rng(seed)
    counts = draw.integers(0, 5, (17, 13)) * (draw.random((17, 13)) < 0.2)
    x, y = fullest_window(counts, width, length)
    sums = {(i, j): counts[i : i + width, j : j + length].sum() for i in range(17) for j in range(13)}
    assert sums[x, y] == max(sums.values())


def test_unknown_pixels_do_not_vote_but_hold_their_voxel(clip: Filmed):
    scene, semantics = clip
    unknown = Semantics(np.full_like(semantics.labels, 255), semantics.regions)
    labelled, unlabelled = voxelize_frame(scene, semantics, 0), voxelize_frame(scene, unknown, 0)
    occupied = (labelled.labels > 0) & (labelled.labels < 255)
    assert (unlabelled.labels[occupied] == SemanticClass.UNNAMED).all()
    assert np.array_equal(unlabelled.labels[~occupied], labelled.labels[~occupied])
    as_before = voxelize_frame(scene, unknown, 0, unlabelled=SemanticClass.UNKNOWN)
    assert (as_before.labels[occupied] == SemanticClass.UNKNOWN).all()


@given(st.integers(0, 10_000), st.floats(0, 1))
@settings(max_examples=12)
def test_a_voxel_that_holds_a_point_is_occupied_whatever_the_labels_are(seed: int, unknown_share: float):
    scene, semantics = random_clip(seed)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 256, semantics.labels.shape).astype(np.uint8)
    labels[rng.random(labels.shape) < unknown_share] = SemanticClass.UNKNOWN
    origin = np.array([-2.0, -2.2, -1.4])
    grid = fill_grid(scene, Semantics(labels, semantics.regions), origin, np.eye(4))
    held = brute_force_labels(scene, semantics, np.ones_like(labels), origin)
    assert len(held) > 100
    assert {tuple(index) for index in np.argwhere(np.isin(grid, FILLED_LABELS))} == held.keys()


def test_fewer_rays_change_only_empty_voxels_to_unknown(clip: Filmed):
    scene, semantics = clip
    dense, sparse = voxelize_frame(scene, semantics, 0, EVERY_RAY), voxelize_frame(scene, semantics, 0)
    changed = dense.labels != sparse.labels
    assert (dense.labels[changed] == 0).all()
    assert (sparse.labels[changed] == 255).all()
    # A ray in every fourth of 320 columns leaves gaps of 0.07 m at 4.5 m: few voxels slip through.
    assert changed.sum() < 0.02 * (dense.labels == 0).sum()


def test_frames_without_camera_or_depth_are_unknown_and_add_nothing(clip: Filmed):
    scene, semantics = clip
    lost = dataclasses.replace(scene, registered=np.array([True, True, False]))
    blind = dataclasses.replace(scene, depth=scene.depth * np.array([1, 1, 0], np.float32)[:, None, None])
    for occupancy in (voxelize(lost, semantics), voxelize(blind, semantics)):
        assert (occupancy.labels[2] == 255).all()
    assert np.array_equal(voxelize(lost, semantics).labels[:2], voxelize(blind, semantics).labels[:2])


def test_an_estimate_in_another_world_fills_the_true_grid_alike(clip: Filmed):
    scene, semantics = clip
    truth = voxelize_frame(scene, semantics, 1)
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = Rotation.from_euler("xyz", [0.3, -0.2, 1.9]).as_matrix(), [5, -3, 1]
    poses = motion @ scene.camera_to_world
    poses[:, :3, 3] *= 0.5
    estimate = dataclasses.replace(scene, camera_to_world=poses.astype(np.float32), depth=scene.depth * np.float32(0.5))
    matrix = grid_from_estimate(truth.grid_from_world, scene.camera_to_world[1], estimate.camera_to_world[1], scale=2.0)
    labels = fill_grid(estimate, semantics, truth.origin, matrix)
    # float32 poses five metres from the origin move points by 1e-6 m: only those on a voxel border may change sides.
    assert (labels == truth.labels).mean() > 0.999
