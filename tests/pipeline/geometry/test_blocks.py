"""Grids that are cut out of blocks are those that are filled one by one."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.classes import FILLED_LABELS
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import MetricScene, Semantics
from pipeline.geometry.blocks import MOST_VOXELS, grid_blocks, grid_place
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.guesses import with_guesses
from pipeline.geometry.voxels import grid_origin, looking_along_y, voxelize, voxelize_frame
from tests.pipeline.box_room import INTRINSICS

FRAMES = 6


def wandering(seed: int, metres: float) -> tuple[MetricScene, Semantics]:
    """Noise from cameras that look anywhere, within some metres, on three floors: it has no ties to hide behind."""
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, :3] = Rotation.random(FRAMES, rng).as_matrix()
    poses[:, :3, 3] = rng.uniform(-metres, metres, (FRAMES, 3)) * [1, 1, 0.2]
    depth = rng.uniform(-0.5, 3, (FRAMES, 24, 32)).clip(0).astype(np.float32)
    scene = MetricScene.known(np.tile(INTRINSICS, (FRAMES, 1, 1)), poses.astype(np.float32), depth)
    floors = rng.choice(np.array([0.0, 0.31, -1.7], np.float32), FRAMES)
    scene = replace(scene, floor_height=floors, guessed=rng.random(depth.shape) < 0.5)
    labels = rng.choice(np.array([0, 1, 2, 3, 11, 255], np.uint8), depth.shape)
    return scene, Semantics(labels, np.zeros(labels.shape, np.uint16))


@given(st.integers(0, 10_000), st.sampled_from([0.5, 3.0, 40.0]), st.sampled_from(["points", "rays"]))
@settings(max_examples=16, deadline=None)
def test_they_are_the_grids_that_each_frame_has_by_itself(seed: int, metres: float, rule: str):
    scene, semantics = wandering(seed, metres)
    other, chosen = wandering(seed + 1, metres), VoxelSettings.model_validate({"occupied_by": rule})
    grids = voxelize(scene, semantics, chosen, beside=[other])
    for frame in range(FRAMES):
        alone = voxelize_frame(scene, semantics, frame, chosen, beside=[other])
        assert np.array_equal(grids.labels[frame], alone.labels)
        assert np.array_equal(grids.origin[frame], alone.origin.astype(np.float32))
        assert np.array_equal(grids.grid_from_world[frame], alone.grid_from_world)


@given(st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_a_voxel_is_guessed_where_it_holds_points_and_none_was_measured(seed: int):
    scene, semantics = wandering(seed, 2.0)
    guessed = with_guesses(scene, voxelize(scene, semantics)).guessed
    assert scene.guessed is not None
    assert guessed is not None
    of_measured = replace(scene, depth=np.where(scene.guessed, 0, scene.depth))
    for frame in range(FRAMES):
        turn = looking_along_y(scene.camera_to_world[frame])
        origin = grid_origin(scene, frame, turn, VoxelSettings())
        all_points, sure = (fill_grid(one, semantics, origin, turn) for one in (scene, of_measured))
        only_guessed = np.isin(all_points, FILLED_LABELS) & ~np.isin(sure, FILLED_LABELS)
        assert np.array_equal(guessed[frame], only_guessed)


def test_blocks_stay_small_however_far_a_camera_goes():
    places = [grid_place(n, np.array([4.8 * n, 0.8, -0.05]), np.eye(4)) for n in range(30)]
    blocks = list(grid_blocks(places))
    assert [place.frame for block in blocks for place in block.places] == list(range(30))
    assert 1 < len(blocks) < 30
    assert all(np.prod(block.shape) <= MOST_VOXELS for block in blocks)
    assert list(grid_blocks([])) == []


def test_a_turned_grid_is_the_voxels_that_it_covers():
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    places = [grid_place(0, np.array([0.0, 0.0, -0.05]), np.eye(4)), grid_place(1, np.array([-4.8, 0.8, 0.03]), turn)]
    block = next(grid_blocks(places))
    assert block.shape == (70, 60, 37)
    voxels = np.stack(np.indices(block.shape), axis=-1)
    low, high = (block.cut(voxels, places[1])[corner] for corner in ((0, 0, 0), (-1, -1, -1)))
    assert (low.tolist(), high.tolist()) == ([10, 59, 1], [69, 0, 36])
    assert block.cut(voxels, places[1]).shape[:3] == GRID_SHAPE
