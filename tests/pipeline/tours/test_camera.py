import numpy as np

from pipeline.tours.camera import Walk, intrinsics_of, pose, ray_directions

WALK = Walk((0.0, 0.0), (0.8, 0.1), (1.5, 0.0), 1.5, (1.5, 1.8), (-0.1, -0.05), 5.0, (0.005, 0.004), 3)


def test_a_level_camera_has_x_right_y_down_z_forward():
    camera = pose(np.zeros(3), yaw=np.pi / 2, pitch=0, roll=0)
    np.testing.assert_allclose(camera[:3, :3], [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-12)


def test_poses_are_rotations():
    for seconds in np.linspace(0, 5, 11):
        turn = WALK.at(float(seconds))[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) > 0


def test_a_ray_through_a_pixel_projects_back_onto_it():
    intrinsics, camera = intrinsics_of(60), WALK.at(2.0)
    pixels = np.array([[0.5, 0.5], [320.0, 240.0], [639.5, 100.5]], np.float32)
    directions = ray_directions(intrinsics, camera, pixels).astype(np.float64)
    seen = directions @ camera[:3, :3]
    projected = seen @ intrinsics.astype(np.float64).T
    np.testing.assert_allclose(projected[:, :2] / projected[:, 2:], pixels, atol=1e-3)  # float32 of 640
    np.testing.assert_allclose(seen[:, 2], 1, atol=1e-6)


def test_field_of_view_is_that_of_the_picture_width():
    focal = intrinsics_of(90)[0, 0]
    assert abs(focal - 320) < 1e-3  # tan 45 degrees is 1


def test_the_hand_is_steady_between_frames():
    steps = [
        np.linalg.norm(np.diff([WALK.at(t)[:3, 3], WALK.at(t + 1 / 12)[:3, 3]], axis=0)) for t in np.arange(0, 4.9, 0.1)
    ]
    assert max(steps) < 0.06  # 2.5 cm of walking, at most 3 cm of shake
