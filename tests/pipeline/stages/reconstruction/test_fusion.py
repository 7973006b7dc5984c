"""A room whose depth is a formula, of which matching gives a part and a network all, up to scale and shift."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contract.camera import depth_intrinsics, pixel_rays
from pipeline.contract.records import DepthSource
from pipeline.geometry.normals import fit_planes
from pipeline.stages.reconstruction.colmap.dense import DenseMaps
from pipeline.stages.reconstruction.colmap.views import ClipViews
from pipeline.stages.reconstruction.fusion import Fused, Sight, fuse
from pipeline.stages.reconstruction.fusion_settings import FusionSettings
from tests.pipeline.box_room import INTRINSICS, Box, Room, looking

SHAPE = (72, 96)
ROOM = Room(Box((-2, -3, 0), (2, 3, 2.6)), (Box((-0.8, 1.0, 0.0), (0.4, 1.8, 0.9)),))
CAMERAS = [looking((-0.4 + 0.25 * i, -2.0, 1.5), (0.2 * i - 0.3, 2.0, 1.1)) for i in range(4)]
TRUTH = np.stack([ROOM.view(camera, SHAPE)[0] for camera in CAMERAS])
HOLE = (slice(8, 40), slice(40, 80))
"""Pixels of a bare wall, which matching does not give."""
NOTHING = np.zeros_like(TRUTH)


@dataclass(frozen=True)
class World:
    views: ClipViews
    measured: DenseMaps


@pytest.fixture(scope="module")
def world() -> World:
    return matched_but_for_a_hole()


def matched_but_for_a_hole() -> World:
    count = len(CAMERAS)
    others = tuple(tuple(source for source in range(count) if source != view) for view in range(count))
    views = ClipViews(
        grey=np.full(TRUTH.shape, 0.5, np.float32),
        intrinsics=np.tile(depth_intrinsics(INTRINSICS, SHAPE), (count, 1, 1)),
        camera_to_world=np.stack(CAMERAS),
        sources=others,
        depth_range=np.tile((1.0, 8.0), (count, 1)),
    )
    depth = TRUTH.copy()
    depth[:, HOLE[0], HOLE[1]] = 0
    source = np.where(depth > 0, DepthSource.MATCHED, DepthSource.NONE).astype(np.uint8)
    return World(views, DenseMaps(depth, (depth > 0).astype(np.float32), source))


def said(seed: int, noise: float = 0.0) -> NDArray[np.float32]:
    """The true depth with another scale and shift in every frame, and smooth relative noise."""
    rng = np.random.default_rng(seed)
    scale, shift = np.exp(rng.uniform(-2, 2, (2, len(TRUTH), 1, 1)))
    rough = np.exp(noise * rng.standard_normal((len(TRUTH), 6, 8))).repeat(12, 1).repeat(12, 2)
    return ((TRUTH * rough + 0.3 * shift) / scale).astype(np.float32)


BY_ITSELF = FusionSettings(carried=0)
"""Without what other frames have matched, so that all that is filled is the network's."""


def fused(
    world: World,
    depth: NDArray[np.float32],
    normals: NDArray[np.float32] | None = None,
    rules: FusionSettings = BY_ITSELF,
) -> Fused:
    return fuse(world.views, world.measured, NOTHING, Sight(depth, normals), rules)


def true_normals() -> NDArray[np.float32]:
    rays = pixel_rays(INTRINSICS, SHAPE)
    return np.stack([fit_planes(depth, rays, 0.03, 0.02).normals for depth in TRUTH]).astype(np.float32)


def off(found: DenseMaps, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.abs(found.depth[where] / TRUTH[where] - 1)


@given(seed=st.integers(0, 999_999))
@settings(max_examples=8, deadline=None)
def test_a_bare_wall_is_filled_exactly_from_depth_of_other_units(world: World, seed: int):
    maps = fused(world, said(seed)).maps
    filled = maps.source == DepthSource.NETWORK
    assert filled[:, HOLE[0], HOLE[1]].mean() > 0.98
    assert off(maps, filled).max() < 1e-3
    assert not filled[world.measured.depth > 0].any()
    assert np.array_equal((maps.depth > 0), maps.source > 0)


@given(seed=st.integers(0, 999_999))
@settings(max_examples=8, deadline=None)
def test_with_noise_what_is_filled_errs_by_the_noise_and_measured_depth_stays(world: World, seed: int):
    maps = fused(world, said(seed, noise=0.02)).maps
    filled = maps.source == DepthSource.NETWORK
    assert filled[:, HOLE[0], HOLE[1]].mean() > 0.7
    assert np.median(off(maps, filled)) < 0.03
    known = world.measured.depth > 0
    assert np.array_equal(maps.depth[known], world.measured.depth[known])
    assert np.array_equal(maps.confidence[known], world.measured.confidence[known])
    assert maps.confidence[filled].max() <= 0.5
    assert maps.confidence[filled].min() > 0


def test_depth_that_does_not_foretell_what_is_measured_is_not_taken(world: World):
    turned = np.stack([ROOM.view(looking((1.5, 2.0, 1.2), (-1.5, -1.0, 0.2)), SHAPE)[0]] * len(TRUTH))
    for wrong in (turned, TRUTH[:, ::-1].copy(), 5 / TRUTH, np.ones_like(TRUTH), NOTHING):
        found = fused(world, wrong.astype(np.float32))
        assert not any(found.fits)
        for kept, before in zip(found.maps, world.measured, strict=True):
            assert np.array_equal(kept, before)


def test_a_surface_that_other_views_look_through_is_not_taken(world: World):
    wrong = TRUTH.copy()
    wrong[0, 15:35, 50:70] *= 0.75
    maps = fused(world, wrong).maps
    inside = maps.source[0, 17:33, 52:68]
    assert (inside == DepthSource.NONE).mean() > 0.95
    assert (maps.source[1:, 15:35, 50:70] == DepthSource.NETWORK).mean() > 0.8


def test_where_measured_pixels_nearby_disagree_nothing_is_filled(world: World):
    depth = world.measured.depth.copy()
    # every third row of the hole is measured, and nearer than the network has it
    depth[:, HOLE[0], HOLE[1]][:, ::3] = 0.8 * TRUTH[:, HOLE[0], HOLE[1]][:, ::3]
    source = np.where(depth > 0, DepthSource.MATCHED, DepthSource.NONE).astype(np.uint8)
    maps = fused(World(world.views, DenseMaps(depth, (depth > 0).astype(np.float32), source)), said(1)).maps
    inner = maps.source[:, 14:34, 46:74]
    assert (inner == DepthSource.NETWORK).mean() < 0.02


def test_triangulated_points_do_where_matching_gave_nothing(world: World):
    measured = DenseMaps(*(np.zeros_like(part) for part in world.measured))
    points = np.where(np.random.default_rng(0).random(TRUTH.shape) < 0.1, TRUTH, 0).astype(np.float32)
    maps = fuse(world.views, measured, points, Sight(said(2)), FusionSettings()).maps
    assert (maps.source == DepthSource.NETWORK).mean() > 0.9
    assert np.percentile(off(maps, maps.depth > 0), 99) < 1e-3


def test_a_plane_of_another_slope_than_the_network_sees_gives_way(world: World):
    depth, source = world.measured.depth.copy(), world.measured.source.copy()
    ramp = np.linspace(0.5, 1.1, HOLE[1].stop - HOLE[1].start, dtype=np.float32)
    depth[:, HOLE[0], HOLE[1]] = TRUTH[:, HOLE[0], HOLE[1]] * ramp
    source[:, HOLE[0], HOLE[1]] = DepthSource.PLANE
    crooked = World(world.views, DenseMaps(depth, (depth > 0).astype(np.float32), source))
    maps = fused(crooked, said(3), true_normals()).maps
    inner = (slice(None), slice(12, 36), slice(46, 74))
    replaced = maps.source[inner] == DepthSource.NETWORK
    assert replaced.mean() > 0.9
    assert off(maps, maps.source == DepthSource.NETWORK).max() < 1e-3


def test_normals_that_measured_surfaces_do_not_have_change_nothing(world: World):
    depth, source = TRUTH.copy(), world.measured.source.copy()
    source[:, HOLE[0], HOLE[1]] = DepthSource.PLANE
    planes = World(world.views, DenseMaps(depth, np.ones_like(depth), source))
    wrong = np.random.default_rng(4).standard_normal((*TRUTH.shape, 3)).astype(np.float32)
    wrong /= np.linalg.norm(wrong, axis=-1, keepdims=True)
    maps = fused(planes, said(4), wrong).maps
    assert np.array_equal(maps.depth, depth)
    assert np.array_equal(maps.source, source)


def test_a_lone_view_is_filled_where_no_other_has_depth(world: World):
    alone = replace(world.views, sources=((),) * len(CAMERAS))
    maps = fuse(alone, world.measured, NOTHING, Sight(said(5)), BY_ITSELF).maps
    assert (maps.source[:, HOLE[0], HOLE[1]] == DepthSource.NETWORK).mean() > 0.98


@given(seed=st.integers(0, 999_999))
@settings(max_examples=4, deadline=None)
def test_what_other_frames_matched_is_carried_over_and_not_bent_by_the_network(world: World, seed: int):
    maps = fused(world, said(seed, noise=0.03), rules=FusionSettings()).maps
    carried = maps.source == DepthSource.CARRIED
    assert not carried[world.measured.depth > 0].any()
    assert carried[:, HOLE[0], HOLE[1]].mean() > 0.15
    # where it falls is off by up to half a pixel, which on this slant is less than the noise of the network
    assert np.median(off(maps, carried)) < 0.005
    assert np.median(off(maps, maps.source == DepthSource.NETWORK)) > 0.005


def test_a_wall_is_not_carried_through_something_nearer_that_nobody_matched(world: World):
    stands = (slice(12, 36), slice(44, 76))
    seen = TRUTH.copy()
    seen[0][stands] *= 0.6
    maps = fused(world, seen, rules=FusionSettings()).maps
    assert not (maps.source[0][stands] == DepthSource.CARRIED).any()
    assert (maps.source[1] == DepthSource.CARRIED).any()


def test_a_wall_that_the_network_bends_goes_on_as_the_plane_that_it_is(world: World):
    bent = TRUTH * np.exp(0.08 * np.cos(np.arange(SHAPE[1]) / 12))
    rules = BY_ITSELF.model_copy(update={"follow": 0.0, "max_around": 0.2, "max_held_out": 0.2, "max_far_off": 0.4})
    before = fused(world, bent, rules=rules).maps
    maps = fused(world, bent, rules=rules.model_copy(update={"planes": 0.15})).maps
    flat = maps.source == DepthSource.PLANE
    assert flat[:, HOLE[0], HOLE[1]].mean() > 0.7
    assert np.percentile(off(maps, flat), 95) < 5e-3
    assert np.median(off(before, flat)) > 0.02
