"""Dense depth of walls whose depth is a formula: swept, believed where views agree, filled where they cannot tell."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.records import DepthSource
from pipeline.stages.reconstruction.colmap.dense import (
    DenseMaps,
    believed,
    dense_depth,
    sweep,
    without_lone_values,
)
from pipeline.stages.reconstruction.colmap.plane_sweep import inverse_depths
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SweepSettings
from pipeline.stages.reconstruction.colmap.views import ClipViews
from tests.pipeline.stages.reconstruction.colmap.walls import sideways, wall_depth, wall_views, without_texture

SWEEP = SweepSettings(max_planes=48, min_support=2)
SETTINGS = ColmapSettings(threads=1, sweep=SWEEP)
NORMAL = (0.2, 0.0, 0.98)
POSES = sideways(0, 0.2, -0.2)
TRUTH = np.stack([wall_depth(pose, NORMAL, 2.0) for pose in POSES]).astype(np.float32)
INSIDE = (slice(10, -10), slice(40, -40))
PATCH = (slice(50, 70), slice(70, 90))


@pytest.fixture(scope="module")
def views() -> ClipViews:
    return wall_views(POSES, NORMAL, 2.0)


@pytest.fixture(scope="module")
def found(views: ClipViews) -> tuple[np.ndarray, np.ndarray]:
    maps = dense_depth(views, SETTINGS)
    assert np.array_equal(maps.source > 0, maps.depth > 0)
    return maps.depth, maps.confidence


def test_depth_of_a_wall_is_found_in_every_view(found: tuple[np.ndarray, np.ndarray]):
    depth, _ = found
    assert (depth.shape, depth.dtype) == (TRUTH.shape, np.float32)
    for view in range(3):
        given = depth[view][INSIDE]
        assert (given > 0).mean() > 0.95
        error = np.abs(given / TRUTH[view][INSIDE] - 1)[given > 0]
        # 14 pixels of parallax at 2 m: 1 % is a seventh of a pixel.
        assert np.median(error) < 0.01


def test_confidence_lies_between_zero_and_one_and_only_where_depth_is(found: tuple[np.ndarray, np.ndarray]):
    depth, confidence = found
    assert confidence.dtype == np.float32
    assert ((confidence > 0) <= (depth > 0)).all()
    assert 0.8 < np.median(confidence[0][INSIDE]) <= 1, "texture that all views see matches nearly perfectly"
    assert confidence.min() >= 0


def test_an_even_patch_of_a_wall_is_filled_with_the_wall_at_half_the_confidence():
    # Two thirds of a picture are even: windows tell nothing there, and colour says that it is one surface.
    even = without_texture(wall_views(POSES, NORMAL, 2.0), slice(30, 90), slice(45, 115))
    depth, confidence, source = dense_depth(even, SETTINGS)
    filled = depth[0][PATCH]
    assert (filled > 0).mean() > 0.9
    assert np.median(np.abs(filled[filled > 0] / TRUTH[0][PATCH][filled > 0] - 1)) < 0.03
    assert np.median(confidence[0][PATCH]) <= 0.5
    assert (source[0][INSIDE][:15] == DepthSource.MATCHED).mean() > 0.9
    assert (source == DepthSource.PLANE).any()
    assert (confidence[source == DepthSource.PLANE] <= 0.5).all()


def test_a_bare_wall_that_no_view_can_match_has_no_depth():
    bare = without_texture(wall_views(POSES, NORMAL, 2.0), slice(0, 120), slice(0, 160))
    found = dense_depth(bare, SETTINGS)
    assert not found.depth.any()
    assert not found.confidence.any()


@pytest.mark.parametrize("range_of_depth", [(3.0, 9.0), (0.3, 1.2)])
def test_what_lies_beyond_the_range_is_not_taken_for_its_end(views: ClipViews, range_of_depth: tuple[float, float]):
    elsewhere = replace(views, depth_range=np.tile(range_of_depth, (len(POSES), 1)))
    assert (dense_depth(elsewhere, SETTINGS).depth > 0).mean() < 0.2


def test_a_sweep_gives_depth_and_how_well_it_matches(views: ClipViews):
    planes = inverse_depths(views, 0, SWEEP)
    depth, correlation = sweep(views, 0, planes, SWEEP)
    assert np.median(np.abs(depth / TRUTH[0] - 1)[INSIDE]) < 0.01
    assert (correlation >= 0).all()
    assert (correlation <= 1).all()
    assert np.median(correlation[INSIDE]) > 0.9


def test_depth_is_believed_where_enough_views_agree_with_it(views: ClipViews):
    planes = [inverse_depths(views, view, SWEEP) for view in range(3)]
    wrong = TRUTH.copy()
    wrong[0][PATCH] *= 1.4
    depth, support = believed(views, wrong, planes, SWEEP)
    assert not depth[0][PATCH].any()
    assert not support[0][PATCH].any()
    around = depth[0][INSIDE][:20]
    assert np.allclose(around, TRUTH[0][INSIDE][:20], rtol=0.01)
    assert (support[0][INSIDE][:20] == 2).all()


def test_with_fewer_views_asked_for_more_is_believed(views: ClipViews):
    planes = [inverse_depths(views, view, SWEEP) for view in range(3)]
    strict, _ = believed(views, TRUTH, planes, SWEEP)
    lenient, _ = believed(views, TRUTH, planes, SWEEP.model_copy(update={"min_support": 1}))
    # The outer columns of a view are seen by one of its neighbours alone.
    assert (lenient > 0).sum() > (strict > 0).sum()
    assert ((lenient > 0) >= (strict > 0)).all()


def test_the_number_of_threads_changes_nothing(views: ClipViews, found: tuple[np.ndarray, np.ndarray]):
    depth, confidence, _ = dense_depth(views, SETTINGS.model_copy(update={"threads": 2}))
    assert np.array_equal(depth, found[0])
    assert np.array_equal(confidence, found[1])


def test_values_that_stand_alone_are_left_out_and_surfaces_stay_to_their_edges():
    by_chance = np.random.default_rng(0).random((1, 120, 160)) < 0.25
    by_chance[:, :, :90] = False
    surface = np.zeros((1, 120, 160), bool)
    surface[:, :, :60] = True
    depth = np.where(surface | by_chance, np.float32(2), np.float32(0))
    maps = DenseMaps(depth, depth / 4, np.where(depth > 0, DepthSource.MATCHED, DepthSource.NONE).astype(np.uint8))
    left = without_lone_values(maps, SWEEP.model_copy(update={"width": 160}))
    assert np.array_equal(left.depth > 0, surface)
    for part in left:
        assert np.array_equal(part > 0, surface)


def test_holes_of_a_surface_cost_nothing_around_them():
    depth = np.where(np.random.default_rng(0).random((1, 120, 160)) < 0.8, np.float32(2), np.float32(0))
    maps = DenseMaps(depth, depth, (depth > 0).astype(np.uint8))
    assert np.array_equal(without_lone_values(maps, SWEEP).depth, depth)
