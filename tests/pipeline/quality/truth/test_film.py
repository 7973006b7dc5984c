"""Pixels of a film's picture as pixels of what is stored of it, and worlds that are turned upright."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import Box, MetricScene
from pipeline.quality.truth.film import SOME_CLASS, Picture, picture_of, true_clip_of_surfaces
from tests.pipeline.box_room import INTRINSICS, film, looking
from tests.pipeline.room_video import write_room_video
from tests.pipeline.stored_room import CAMERAS, ROOM


def test_a_wide_picture_loses_its_sides_and_keeps_its_focal_length_in_rows():
    picture = Picture(1280, 720, np.array([[900, 0, 640], [0, 900, 360], [0, 0, 1]]))
    # 960 of 1280 columns are kept, so that three pixels become two.
    np.testing.assert_allclose(picture.stored(), [[600, 0, 320], [0, 600, 240], [0, 0, 1]], rtol=1e-6)


def test_bars_are_cut_away_before_the_middle_is():
    picture = Picture(640, 480, np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1]]))
    # 360 rows are left between the bars, and 480 columns of them.
    found = picture.stored(Box(0, 0.125, 1, 0.875))
    np.testing.assert_allclose(found, [[500 * 4 / 3, 0, 320], [0, 500 * 4 / 3, 240], [0, 0, 1]], rtol=1e-6)


def test_depth_lies_where_the_stored_picture_shows_it():
    picture = Picture(1280, 720, np.eye(3))
    depth = np.zeros((360, 640))
    depth[:, 320:] = 2  # the right half, at half the picture's size
    stored = picture.stored_depth(depth)
    assert stored.shape == (480, 640)
    assert (stored[:, :320] == 0).all()
    assert (stored[:, 320:] == 2).all()


def test_published_principal_points_have_pixel_centres_at_integers(tmp_path: Path):
    write_room_video(tmp_path / "room.mp4", 2)
    picture = picture_of(tmp_path / "room.mp4", np.array([[500, 0, 319.5], [0, 500, 239.5], [0, 0, 1]]))
    assert (picture.width, picture.height) == (640, 480)
    np.testing.assert_allclose(picture.stored(), INTRINSICS)


@pytest.mark.parametrize("world", [np.diag([1.0, -1, -1, 1]), looking((3, 2, 1), (0, 1, 4), 0.4)])
def test_a_world_is_turned_upright_and_keeps_its_size(world: np.ndarray):
    scene, _ = film(ROOM, CAMERAS, (96, 128))
    turned = MetricScene.known(scene.intrinsics, (world @ scene.camera_to_world).astype(np.float32), scene.depth)
    found = true_clip_of_surfaces(turned, level=True).scene.camera_to_world
    np.testing.assert_allclose(found[:, 2, 3], scene.camera_to_world[:, 2, 3], atol=0.03)  # metres above the floor
    np.testing.assert_allclose(found[:, 2, :3], scene.camera_to_world[:, 2, :3], atol=0.02)
    steps, true_steps = (np.linalg.norm(np.diff(c[:, :3, 3], axis=0), axis=1) for c in (found, scene.camera_to_world))
    np.testing.assert_allclose(steps, true_steps, rtol=1e-3)


def test_a_single_wall_is_turned_upright_by_its_cameras():
    cameras = np.repeat(np.eye(4)[None], 2, axis=0)  # y down
    cameras[1, 0, 3] = 0.5
    depth = np.full((2, 48, 64), 2.0, np.float32)
    scene = MetricScene.known(np.repeat(INTRINSICS[None], 2, axis=0), cameras.astype(np.float32), depth)
    found = true_clip_of_surfaces(scene, level=True).scene.camera_to_world
    np.testing.assert_allclose(found[:, :3, 1], [[0, 0, -1]] * 2, atol=1e-6)
    # The lowest that is seen is 240 / 500 of 2 m below the cameras.
    np.testing.assert_allclose(found[:, 2, 3], 0.96, atol=0.02)


def test_every_surface_is_of_some_class_and_the_rest_unknown():
    scene, _ = film(ROOM, CAMERAS[:2], (48, 64))
    scene.depth[:, :4] = 0
    labels = true_clip_of_surfaces(scene, level=False).semantics.labels
    assert (labels[:, :4] == 255).all()
    assert (labels[:, 4:] == SOME_CLASS).all()
