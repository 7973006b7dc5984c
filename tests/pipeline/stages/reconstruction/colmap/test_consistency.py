import numpy as np

from pipeline.stages.reconstruction.colmap.consistency import agreement, seen_by_others, seen_from
from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from tests.pipeline.stages.reconstruction.colmap.walls import sideways, wall_depth, wall_views

NORMAL = (0.3, 0.0, 0.954)
POSES = sideways(0, 0.2, -0.2)
VIEWS = wall_views(POSES, NORMAL, 2.0)
DEPTH = np.stack([wall_depth(pose, NORMAL, 2.0) for pose in POSES]).astype(np.float32)
SETTINGS = SweepSettings()


def test_views_of_one_wall_see_each_other_where_they_overlap():
    seen = seen_from(VIEWS, DEPTH, 0, 1)
    # The nearest pixel is up to half a pixel off: on this slant 0.2 % of depth.
    np.testing.assert_allclose(seen[:, 30:-30], DEPTH[0][:, 30:-30], rtol=0.003)


def test_true_depth_is_supported_by_every_source_that_sees_it():
    assert np.all(agreement(VIEWS, DEPTH, 0, 0, SETTINGS).support[:, 30:-30] == 2)


def test_a_depth_that_only_one_view_has_finds_no_support():
    wrong = DEPTH.copy()
    wrong[0, 40:60, 60:80] *= 1.3
    check = agreement(VIEWS, wrong, 0, 0, SETTINGS)
    assert np.all(check.support[40:60, 60:80] == 0)


def test_far_away_views_may_differ_by_a_step_between_planes():
    near_miss = DEPTH.copy()
    near_miss[0] *= 1.04
    assert np.all(agreement(VIEWS, near_miss, 0, 0, SETTINGS).support == 0)
    # 0.03 of inverse depth is 6 % at 2 m.
    assert np.all(agreement(VIEWS, near_miss, 0.03, 0, SETTINGS).support[:, 40:-40] == 2)


def test_agreeing_views_average_their_errors():
    noisy = DEPTH * np.array([1.01, 0.995, 0.995], np.float32)[:, None, None]
    fused = agreement(VIEWS, noisy, 0, 0, SETTINGS).depth[:, 40:-40]
    # Errors of 1, -0.5 and -0.5 % cancel but for the half pixel of sampling.
    np.testing.assert_allclose(fused, DEPTH[0][:, 40:-40], rtol=0.003)


def test_no_value_stays_no_value():
    gaps = DEPTH.copy()
    gaps[0, :20] = 0
    check = agreement(VIEWS, gaps, 0, 0, SETTINGS)
    assert np.all(check.depth[:20] == 0)
    assert np.all(check.support[:20] == 0)


def test_depth_of_other_views_falls_where_it_is():
    alone = DEPTH.copy()
    alone[0] = 0
    carried = seen_by_others(VIEWS, alone, 0)
    given = carried > 0
    assert given[:, 5:-5].mean() > 0.9
    np.testing.assert_allclose(carried[given], DEPTH[0][given], rtol=0.006)


def test_the_nearest_of_what_falls_on_a_pixel_counts_and_a_views_own_depth_does_not():
    depth = DEPTH.copy()
    depth[1, 50:60, 70:90] *= 0.5
    nearer = seen_by_others(VIEWS, depth, 0)
    assert (nearer < 0.7 * DEPTH[0])[nearer > 0].any()
    depth[0] *= 0.1
    assert np.array_equal(seen_by_others(VIEWS, depth, 0), nearer)


def test_what_lies_behind_a_camera_or_beside_it_is_not_carried():
    turned = np.diag([-1.0, 1, -1, 1])
    away = wall_views((POSES[0], POSES[0] @ turned), NORMAL, 2.0)
    assert not seen_by_others(away, DEPTH[:2], 0).any()
    assert not seen_by_others(VIEWS, np.zeros_like(DEPTH), 0).any()
