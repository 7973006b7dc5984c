"""Where voxels are in a picture: the field's rule, voxel by voxel."""

import numpy as np

from pipeline.contract.grid import GRID_SHAPE
from tests.training.rooms import RoomFrames
from training.data.projection import project_voxels

ROOM = RoomFrames(1)[0]


def test_a_voxel_behind_the_camera_or_at_its_plane_is_not_in_view():
    backwards = ROOM.camera_to_world @ np.diag([-1, 1, -1, 1]).astype(np.float32)
    ahead, behind = (project_voxels(ROOM.intrinsics, pose, ROOM.origin) for pose in (ROOM.camera_to_world, backwards))
    assert not (ahead.in_view & behind.in_view).any()
    assert (ahead.depth[ahead.in_view] > 0).all()
    assert np.allclose(ahead.depth, -behind.depth, atol=1e-4)
    assert not ahead.pixels[~ahead.in_view].any()


def test_what_a_surface_hides_is_not_visible_and_pixels_without_depth_hide_nothing():
    projection = ROOM.projection
    middle = float(np.median(projection.depth[projection.in_view]))
    wall = np.full((480, 640), middle, np.float32)
    visible = projection.visible(wall)
    assert (projection.depth[visible] <= middle + 0.08 * 3**0.5 / 2 + 1e-6).all()
    assert np.array_equal(projection.visible(np.zeros_like(wall)), projection.in_view)
    assert np.array_equal(projection.visible(np.full_like(wall, 100)), projection.in_view)
    assert 0 < visible.sum() < projection.in_view.sum()


def test_between_two_pixels_the_even_one_is_taken_as_numpy_rounds():
    flat = np.array([[0, 0, 0.5 + 0.5], [0, 518.9, 240.5], [0, 0, 1]])
    projection = project_voxels(flat, ROOM.camera_to_world, ROOM.origin)
    assert projection.in_view.sum() > 1000
    assert set(projection.pixels[projection.in_view, 0].tolist()) == {0}, "column 0.5, which is as near to 1"


def test_projection_follows_the_field_voxel_by_voxel():
    """One voxel after the other: centre to camera, times intrinsics, rounded; in view if in front and inside."""
    projection = ROOM.projection
    world_to_camera = np.linalg.inv(ROOM.camera_to_world.astype(float))
    ordinary = ROOM.intrinsics.astype(float) - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]
    for index in range(0, 129600, 997):
        cell = np.array(np.unravel_index(index, GRID_SHAPE))
        centre = world_to_camera @ [*(ROOM.origin + (cell + 0.5) * 0.08), 1]
        u, v = (ordinary @ centre[:3])[:2] / centre[2]
        if min(abs(u % 1 - 0.5), abs(v % 1 - 0.5), abs(centre[2])) < 1e-3:
            continue
        inside = centre[2] > 0 and 0 <= np.round(u) < 640 and 0 <= np.round(v) < 480
        assert projection.in_view[index] == inside
        if inside:
            assert projection.pixels[index].tolist() == [round(u), round(v)]
