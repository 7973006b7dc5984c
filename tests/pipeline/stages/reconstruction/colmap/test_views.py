"""What dense matching looks at: pictures, cameras, who helps whom, and how far to look."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from pipeline.stages.reconstruction.colmap.views import ClipViews, views_of
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model
from tests.pipeline.stages.reconstruction.colmap.walls import INTRINSICS, sideways, wall_views

SETTINGS = SweepSettings(width=160)
RGB = np.arange(FRAMES, dtype=np.uint8)[:, None, None, None] * 40 * np.ones((FRAMES, 480, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def views() -> ClipViews:
    return views_of(RGB, good_model(), SETTINGS)


def test_pictures_are_small_grey_and_between_zero_and_one(views: ClipViews):
    assert (views.grey.shape, views.grey.dtype) == ((FRAMES, 120, 160), np.float32)
    assert views.grey[:, 60, 80] == pytest.approx(np.arange(FRAMES) * 40 / 255)


def test_intrinsics_belong_to_the_small_pictures(views: ClipViews):
    assert views.intrinsics.tolist() == [[[125, 0, 80], [0, 125, 60], [0, 0, 1]]] * len(views.grey)


def test_black_sides_are_cut_off_and_given_back(views: ClipViews):
    upright = np.zeros_like(RGB)
    upright[:, :, 185:455] = 100
    narrow = views_of(upright, good_model(), SETTINGS)
    assert narrow.grey.shape == (FRAMES, 120, 160 - sum(narrow.beside))
    assert narrow.grey.min() == narrow.grey.max()
    assert narrow.beside == (48, 48)  # columns 192 to 448: one small column is black in part, one next to that
    assert np.array_equal(narrow.intrinsics - views.intrinsics, [[[0, 0, -48], [0, 0, 0], [0, 0, 0]]] * FRAMES)
    whole = narrow.with_sides(narrow.grey)
    assert whole.shape == views.grey.shape
    assert np.array_equal(whole[..., 48:112], narrow.grey)
    assert not whole[..., :48].any()
    assert not whole[..., 112:].any()


def test_frames_without_a_camera_are_left_out(views: ClipViews):
    model = good_model()
    kept = np.arange(FRAMES) != 2
    seen = kept[model.observed_frame]
    part = replace(
        model,
        registered=kept,
        observed_frame=model.observed_frame[seen],
        observed_point=model.observed_point[seen],
        observed_pixel=model.observed_pixel[seen],
    )
    fewer = views_of(RGB, part, SETTINGS)
    assert np.array_equal(fewer.camera_to_world, model.camera_to_world[kept])
    assert fewer.grey[2, 60, 80] == views.grey[3, 60, 80]
    assert max(max(sources) for sources in fewer.sources) == FRAMES - 2


def test_no_view_helps_itself_and_no_more_are_asked_than_wanted(views: ClipViews):
    assert all(view not in sources for view, sources in enumerate(views.sources))
    two = views_of(RGB, good_model(), SweepSettings(width=160, sources=2))
    assert all(len(sources) == 2 for sources in two.sources)
    assert all(few == many[:2] for few, many in zip(two.sources, views.sources, strict=True))


def test_the_best_source_sees_under_the_angle_that_tells_depth_best():
    # Cameras 0.2 m apart and points 2 to 4 m away: one step is 3 to 6 degrees, five steps are 14 to 28.
    narrow = views_of(RGB, good_model(), SweepSettings(width=160, best_angle=4.0))
    wide = views_of(RGB, good_model(), SweepSettings(width=160, best_angle=20.0))
    assert narrow.sources[0][0] == 1
    assert wide.sources[0][0] == FRAMES - 1


def test_views_that_share_no_point_are_no_sources():
    model = good_model()
    half = model.observed_frame < 3
    apart = replace(model, observed_point=np.where(half, model.observed_point % 25, 25 + model.observed_point % 25))
    found = views_of(RGB, apart, SETTINGS)
    assert all(set(sources) == {0, 1, 2} - {view} for view, sources in enumerate(found.sources[:3]))


def test_depth_is_looked_for_a_little_beyond_what_points_say(views: ClipViews):
    depth = good_model().points[:, 2]
    near, far = np.percentile(depth, (2, 98))
    assert np.allclose(views.depth_range, (0.6 * near, 1.5 * far))


def test_a_frame_whose_points_all_lie_behind_it_looks_anywhere():
    model = good_model()
    found = views_of(RGB, replace(model, points=model.points * (1, 1, -1)), SETTINGS)
    assert np.allclose(found.depth_range, (0.6 * 1, 1.5 * 10))


@given(st.integers(0, 1000), st.floats(0.5, 5))
@settings(max_examples=25)
def test_a_projection_is_that_of_the_point_through_both_cameras(seed: int, depth: float):
    draw = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(draw.uniform(-0.2, 0.2, (2, 3))).as_matrix()
    poses[:, :3, 3] = draw.uniform(-0.3, 0.3, (2, 3))
    views = ClipViews(
        np.zeros((2, 120, 160), np.float32), np.stack([INTRINSICS] * 2), poses, ((1,), (0,)), np.ones((2, 2))
    )
    pixel = np.array([*draw.uniform((0, 0), (160, 120)), 1.0])
    turn, shift = views.projection(0, 1)
    point = poses[0, :3, :3] @ (np.linalg.inv(INTRINSICS) @ pixel * depth) + poses[0, :3, 3]
    expected = INTRINSICS @ poses[1, :3, :3].T @ (point - poses[1, :3, 3])
    found = turn @ pixel + shift / depth
    assert found[:2] / found[2] == pytest.approx(expected[:2] / expected[2], abs=1e-6)


def test_a_step_to_the_side_moves_a_pixel_by_focal_length_over_depth():
    views = wall_views(sideways(0, 0.2), (0.0, 0.0, 1.0), 2.0)
    turn, shift = views.projection(0, 1)
    moved = turn @ np.array([80, 60, 1.0]) + shift / 2.0
    assert moved[:2] / moved[2] == pytest.approx([80 - 0.2 * 140 / 2, 60])
