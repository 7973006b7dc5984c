import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.errors import NoUpDirection
from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import moved_cameras, to_metric, world_from_reconstruction
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

HEIGHT = 2.6
ROOM = Room(
    Box((-1.53, -1.07, 0.0), (2.13, 2.91, HEIGHT)),
    (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)), Box((-1.53, 1.5, 0.0), (-0.9, 2.91, 2.0))),
)
WALK = [looking((-0.6 + 0.12 * i, -0.6 + 0.05 * i, 1.5), (0.5 - 0.15 * i, 2.0, 1.2), 0.01 * i) for i in range(8)]
DOWNWARDS = [looking((-0.6 + 0.12 * i, -0.6, 1.5), (0.3, 2.0, 0.3)) for i in range(8)]
UPWARDS = [looking((-0.6 + 0.12 * i, -0.6, 1.5), (0.3, 1.6, 2.4)) for i in range(8)]
SMALL = SceneSettings(samples=10_000)


@pytest.fixture(scope="module")
def walk() -> MetricScene:
    return film(ROOM, WALK, (120, 160))[0]


def similarity_of(scene: MetricScene, disguised: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Rotation and scale from the true world to the estimated one."""
    matrix = (scene.world_from_reconstruction @ disguised)[:3, :3]
    scale = float(np.cbrt(np.linalg.det(matrix)))
    return matrix / scale, scale


def up_error_deg(rotation: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(rotation[2, 2], -1, 1))))


def wall_error_deg(rotation: NDArray[np.float64]) -> float:
    yaw = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(abs((yaw + 45) % 90 - 45))


@pytest.mark.parametrize("seed", range(4))
def test_an_exact_reconstruction_in_any_frame_comes_back_upright_and_in_scale(walk: MetricScene, seed: int):
    reconstruction, disguised = disguise(walk, seed)
    scene = to_metric(reconstruction, SMALL)
    rotation, scale = similarity_of(scene, disguised)
    # Exact depth leaves float32 and edges inside windows: a fifth of a degree, half a per cent.
    assert up_error_deg(rotation) < 0.2
    assert wall_error_deg(rotation) < 0.2
    assert scene.scale_source == ScaleSource.FLOOR_TO_CEILING
    assert scale == pytest.approx(2.8 / HEIGHT, rel=0.005)
    assert scene.ceiling_height == 2.8
    heights = scene.camera_to_world[:, 2, 3]
    assert np.allclose(heights, 1.5 * 2.8 / HEIGHT, atol=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_noise_holes_and_stray_points_leave_up_within_two_degrees(walk: MetricScene, seed: int):
    reconstruction, disguised = disguise(walk, seed, noise=0.015, holes=0.35, stray=0.005)
    scene = to_metric(reconstruction, SMALL)
    rotation, scale = similarity_of(scene, disguised)
    assert up_error_deg(rotation) < 2.0
    assert wall_error_deg(rotation) < 2.0
    assert scale == pytest.approx(2.8 / HEIGHT, rel=0.05)
    assert scene.camera_to_world[:, 2, 3] == pytest.approx(1.5 * 2.8 / HEIGHT, abs=0.1)


def test_depth_and_cameras_move_together(walk: MetricScene):
    reconstruction, _ = disguise(walk, 5)
    scene = to_metric(reconstruction, SMALL)
    before = pointmap(reconstruction.depth[3], reconstruction.intrinsics[3], reconstruction.camera_to_world[3])
    after = pointmap(scene.depth[3], scene.intrinsics[3], scene.camera_to_world[3])
    kept = scene.depth[3] > 0
    matrix = scene.world_from_reconstruction
    assert np.allclose(before[kept] @ matrix[:3, :3].T + matrix[:3, 3], after[kept], atol=1e-4)
    assert np.allclose(
        scene.camera_to_world[:, :3, :3] @ scene.camera_to_world[:, :3, :3].swapaxes(1, 2), np.eye(3), atol=1e-5
    )


def test_stray_points_lose_their_depth_and_surfaces_keep_theirs(walk: MetricScene):
    reconstruction, _ = disguise(walk, 2)
    stray = reconstruction.depth.copy()
    stray[::3, ::40, ::40] *= 0.35
    scene = to_metric(dataclasses.replace(reconstruction, depth=stray), SMALL)
    moved = stray != reconstruction.depth
    assert (scene.depth[moved] == 0).mean() > 0.9
    assert (scene.confidence[moved] == 0).mean() > 0.9
    assert (scene.depth[~moved] > 0).mean() > 0.97


def test_without_a_ceiling_the_camera_height_or_the_wall_tops_set_the_scale():
    reconstruction, disguised = disguise(film(ROOM, DOWNWARDS, (120, 160))[0], 0)
    scene = to_metric(reconstruction, SMALL)
    assert scene.scale_source == ScaleSource.CAMERA_HEIGHT
    assert np.isnan(scene.ceiling_height)
    assert similarity_of(scene, disguised)[1] == pytest.approx(1.0, rel=0.01)


def test_without_a_floor_the_ceiling_is_where_walls_end():
    reconstruction, disguised = disguise(film(ROOM, UPWARDS, (120, 160))[0], 0)
    scene = to_metric(reconstruction, SMALL)
    ceiling = np.quantile(pointmap(scene.depth[0], scene.intrinsics[0], scene.camera_to_world[0])[..., 2], 0.99)
    assert up_error_deg(similarity_of(scene, disguised)[0]) < 0.3
    assert ceiling == pytest.approx(2.8, abs=0.02)
    assert scene.scale_source in {ScaleSource.CAMERA_HEIGHT, ScaleSource.CEILING_AND_BOTTOM}


def test_a_table_that_hides_the_floor_is_not_taken_for_it():
    table = Room(ROOM.walls, (Box((-1.53, -1.07, 0.7), (2.13, 1.6, 0.75)),))
    cameras = [looking((-0.6 + 0.12 * i, -0.6, 1.5), (0.3, 2.0, 0.9)) for i in range(8)]
    true = film(table, cameras, (120, 160))[0]
    reconstruction, disguised = disguise(true, 0)
    scale = similarity_of(to_metric(reconstruction, SMALL), disguised)[1]
    views = zip(true.depth, true.intrinsics, true.camera_to_world, strict=True)
    lowest = np.stack([pointmap(*view)[..., 2] for view in views]).min()
    # Walls are seen below the table, not down to the floor, and bound the scale; the table as floor would give 2.0.
    assert 1.5 / (1.5 - lowest) < scale < 1.6


def test_unregistered_frames_stay_zero(walk: MetricScene):
    reconstruction, _ = disguise(walk, 1)
    registered = np.ones(len(WALK), np.bool_)
    registered[2] = False
    poses, depth = reconstruction.camera_to_world.copy(), reconstruction.depth.copy()
    poses[2], depth[2] = 0, 0
    scene = to_metric(
        dataclasses.replace(reconstruction, registered=registered, camera_to_world=poses, depth=depth), SMALL
    )
    assert not scene.camera_to_world[2].any()
    assert not scene.depth[2].any()
    assert np.isfinite(scene.camera_to_world).all()


def test_the_same_input_gives_the_same_scene(walk: MetricScene):
    reconstruction, _ = disguise(walk, 3, noise=0.01, holes=0.3)
    first, second = to_metric(reconstruction, SMALL), to_metric(reconstruction, SMALL)
    assert np.array_equal(first.world_from_reconstruction, second.world_from_reconstruction)
    assert np.array_equal(first.depth, second.depth)


def test_a_single_wall_does_not_tell_up():
    """The camera looks straight at a wall that fills the picture: the wall may hang either way."""
    wall = Room(Box((-50.0, -50.0, -50.0), (50.0, 2.0, 50.0)))
    reconstruction, _ = disguise(
        film(wall, [looking((0.1 * i, 0, 1.5), (0.1 * i, 2, 1.5)) for i in range(4)], (60, 80))[0], 0
    )
    with pytest.raises(NoUpDirection, match="single wall"):
        to_metric(reconstruction, SMALL)


def test_shapeless_depth_is_refused(walk: MetricScene):
    reconstruction, _ = disguise(walk, 0)
    shapeless = np.random.default_rng(0).uniform(0.5, 4, reconstruction.depth.shape).astype(np.float32)
    nothing = np.zeros_like(shapeless)
    for depth in (shapeless, nothing):
        with pytest.raises(NoUpDirection):
            to_metric(
                Reconstruction(reconstruction.intrinsics, reconstruction.camera_to_world, depth, depth, walk.registered)
            )


def test_the_first_camera_comes_to_stand_over_the_origin_and_the_floor_at_zero():
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    scale = Scale(metres=2.0, zero=-0.7, source=ScaleSource.FLOOR_TO_CEILING, cues=ScaleCue.FLOOR)
    similarity = world_from_reconstruction(quarter, scale, np.array([3.0, 4.0, 0.1]))
    first, on_floor = np.array([3.0, 4, 0.1, 1]), np.array([5.0, 4, -0.7, 1])
    # 0.8 units above the floor are 1.6 m; two units along x are four metres along y.
    assert (similarity @ first)[:3] == pytest.approx([0, 0, 1.6])
    assert (similarity @ on_floor)[:3] == pytest.approx([0, 4, 0])


def test_cameras_move_with_the_world_and_stay_rotations():
    similarity = world_from_reconstruction(
        np.eye(3), Scale(3.0, 0.0, ScaleSource.CAMERA_HEIGHT, ScaleCue.FLOOR), np.zeros(3)
    )
    poses = np.stack(WALK).astype(np.float32)
    registered = np.arange(len(WALK)) != 1
    moved = moved_cameras(poses, registered, similarity)
    assert moved.dtype == np.float32
    assert np.allclose(moved[registered, :3, :3], poses[registered, :3, :3], atol=1e-6)
    assert np.allclose(moved[registered, :3, 3], 3 * poses[registered, :3, 3], atol=1e-5)
    assert not moved[1].any()
