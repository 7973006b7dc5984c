"""Where pictures are taken from: inside, outside, and where something is to be seen."""

import numpy as np
import torch

from training.settings import LoopSettings
from training.small.houses import VariedHouse
from training.small.settings import ViewpointSettings
from training.small.viewpoints import cameras_at, garden_poses, looking, renderer_of, room_poses, sees_enough


def test_cameras_stand_in_rooms_and_see_something(house: VariedHouse):
    chosen = ViewpointSettings(median_depth_min=1.2)
    for camera in room_poses(np.random.default_rng(1), house, 12, chosen):
        x, y, z = camera[:3, 3] / house.stretch
        assert any(b[0] < x < b[2] and b[1] < y < b[3] for b in (room.bounds for room in house.plan.rooms))
        assert chosen.eye_height[0] <= z * house.stretch[2] <= chosen.eye_height[1]
        assert sees_enough(house.lit.caster, camera, 1.2)


def test_some_cameras_are_held_as_few_are_and_all_below_the_ceiling(house: VariedHouse):
    chosen = ViewpointSettings(unusual=0.5, unusual_height=(0.4, 5.0), pitch=(-5, 5), unusual_pitch=(-60, -40))
    poses = room_poses(np.random.default_rng(1), house, 24, chosen)
    steep = np.degrees(np.arcsin(poses[:, 2, 2])) < -30
    assert 6 <= steep.sum() <= 18
    assert ((poses[~steep, 2, 3] >= 1.1) & (poses[~steep, 2, 3] <= 1.8)).all()
    highest = max(room.ceiling_height for room in house.plan.rooms) * house.stretch[2]
    assert poses[steep, 2, 3].min() < 1.1
    assert 1.8 < poses[steep, 2, 3].max() <= highest - 0.2


def test_where_nothing_is_far_enough_any_pose_is_taken(house: VariedHouse):
    poses = room_poses(np.random.default_rng(1), house, 2, ViewpointSettings(median_depth_min=1000))
    assert poses.shape == (2, 4, 4)


def test_cameras_in_the_garden_are_outside(house: VariedHouse):
    x1, y1 = np.max([room.bounds[2:] for room in house.plan.rooms], axis=0) * house.stretch[:2]
    for camera in garden_poses(np.random.default_rng(1), house, 12, ViewpointSettings()):
        assert not (0 < camera[0, 3] < x1 and 0 < camera[1, 3] < y1)


def test_one_lens_serves_a_whole_walk_and_several_differ():
    poses = np.repeat(np.eye(4)[None], 5, axis=0)
    chosen = ViewpointSettings(width=64, height=48, field_of_view=(50, 70))
    one = cameras_at(np.random.default_rng(0), poses, chosen, one_lens=True).intrinsics
    several = cameras_at(np.random.default_rng(0), poses, chosen).intrinsics
    assert len(one[:, 0, 0].unique()) == 1
    assert len(several[:, 0, 0].unique()) == 5
    for intrinsics in (one, several):
        angles = 2 * np.degrees(np.arctan(32 / intrinsics[:, 0, 0].numpy()))
        assert ((angles >= 50) & (angles <= 70)).all()
        assert (intrinsics[:, :2, 2] == torch.tensor([32.0, 24.0])).all()


def test_the_horizon_is_tilted_and_the_camera_pitched_within_what_is_chosen(house: VariedHouse):
    chosen = ViewpointSettings(pitch=(-10, 5), roll=2)
    for number in range(20):
        pose = looking(np.random.default_rng(number), house, np.zeros(2), number / 3, chosen)
        forward, right = pose[:3, 2], pose[:3, 0]
        assert -10 - 1e-6 <= np.degrees(np.arcsin(forward[2])) <= 5 + 1e-6
        assert abs(np.degrees(np.arcsin(right[2]))) <= 2 + 1e-6
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))


def test_a_recipe_on_the_cpu_renders_there(house: VariedHouse):
    loop = LoopSettings(accelerator="cpu")
    views = renderer_of(house, loop).render(
        cameras_at(
            np.random.default_rng(0),
            room_poses(np.random.default_rng(1), house, 1, ViewpointSettings()),
            ViewpointSettings(width=32, height=32),
        )
    )
    assert views.pictures.device.type == "cpu"
    assert (views.depth > 0).all(), "a room is closed on all sides"
