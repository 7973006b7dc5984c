"""What makes a voxel occupied: any point, or a share of the rays that lead to it."""

import dataclasses

import numpy as np
import pytest

from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.overlap import overlap
from pipeline.contract.records import MetricScene, Semantics
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.guesses import with_guesses
from pipeline.geometry.voxels import voxelize, voxelize_frame
from tests.pipeline.box_room import Box, Room, film, looking

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.1, 2.9, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
CAMERAS = [looking((0.1 * step - 0.4, -0.6, 1.5), (0.5, 2.0, 0.9)) for step in range(8)]
POINTS = VoxelSettings(occupied_by="points")
RAYS = VoxelSettings(occupied_by="rays")


@pytest.fixture(scope="module")
def clip() -> tuple[MetricScene, Semantics]:
    return film(ROOM, CAMERAS, (120, 160))


def filled(scene: MetricScene, semantics: Semantics, rule: VoxelSettings, like: tuple | None = None) -> np.ndarray:
    place = like or (scene, semantics)
    grid = voxelize_frame(*place, 0, POINTS)
    return fill_grid(scene, semantics, grid.origin, grid.grid_from_world, rule)


@pytest.mark.parametrize("deviation", [0.004, 0.008, 0.015])
@pytest.mark.parametrize("seed", range(3))
def test_of_noisy_depth_rays_tell_more_of_the_truth_than_points(clip: tuple, seed: int, deviation: float):
    scene, semantics = clip
    noise = 1 + deviation * np.random.default_rng(seed).standard_normal(scene.depth.shape)
    noisy = dataclasses.replace(scene, depth=(scene.depth * noise).astype(np.float32))
    truth = filled(scene, semantics, POINTS)
    rules = POINTS, RAYS.model_copy(update={"depth_deviation": deviation})
    points, rays = (overlap(filled(noisy, semantics, rule, clip), truth) for rule in rules)
    assert rays.iou > points.iou
    assert rays.precision > points.precision


def test_a_stray_point_fills_no_voxel_that_other_frames_see_through(clip: tuple):
    scene, semantics = clip
    stray = dataclasses.replace(scene, depth=scene.depth.copy())
    stray.depth[3, 20, 80] *= 0.75
    by_points, by_rays = (filled(stray, semantics, rule, clip) for rule in (POINTS, RAYS))
    false = np.isin(by_points, FILLED_LABELS) & ~np.isin(filled(scene, semantics, POINTS), FILLED_LABELS)
    assert false.sum() == 1
    assert (by_rays[false] == SemanticClass.EMPTY).all()


def test_a_point_that_nothing_contradicts_stays(clip: tuple):
    scene, semantics = clip
    alone = dataclasses.replace(scene, depth=np.zeros_like(scene.depth))
    alone.depth[3, 60, 80] = scene.depth[3, 60, 80]
    by_points, by_rays = (np.isin(filled(alone, semantics, rule, clip), FILLED_LABELS) for rule in (POINTS, RAYS))
    assert by_points.sum() == 1
    assert by_rays[by_points].all()


def test_surfaces_of_exact_depth_are_held_by_both(clip: tuple):
    by_points, by_rays = (filled(*clip, rule) for rule in (POINTS, RAYS))
    held = np.isin(by_points, FILLED_LABELS)
    assert np.isin(by_rays[held], FILLED_LABELS).mean() > 0.97, "but for what a surface cuts a corner of"
    both = held & np.isin(by_rays, FILLED_LABELS)
    assert (by_points[both] == by_rays[both]).mean() > 0.99


def test_labels_of_certain_pixels_weigh_more_by_rays_too(clip: tuple):
    scene, semantics = clip
    labels = np.where(np.arange(160) % 3 == 0, np.uint8(SemanticClass.SOFA), np.uint8(SemanticClass.WALL))
    labels = np.broadcast_to(labels, scene.depth.shape).copy()
    confidence = np.where(labels == SemanticClass.SOFA, np.uint8(255), np.uint8(20))
    named = Semantics(labels, semantics.regions, confidence)
    found = {vote: filled(scene, named, RAYS.model_copy(update={"vote": vote})) for vote in ("majority", "confidence")}
    walls, sofas = (np.count_nonzero(found["majority"] == one) for one in (SemanticClass.WALL, SemanticClass.SOFA))
    assert walls > sofas
    walls, sofas = (np.count_nonzero(found["confidence"] == one) for one in (SemanticClass.WALL, SemanticClass.SOFA))
    assert sofas > walls


def test_pixels_without_a_label_hold_their_voxels(clip: tuple):
    scene, semantics = clip
    nameless = Semantics(np.full_like(semantics.labels, SemanticClass.UNKNOWN), semantics.regions)
    by_name, unnamed = filled(scene, semantics, RAYS), filled(scene, nameless, RAYS)
    assert np.array_equal(np.isin(by_name, FILLED_LABELS), unnamed == SemanticClass.UNNAMED)
    assert np.array_equal(by_name == SemanticClass.EMPTY, unnamed == SemanticClass.EMPTY)


def test_a_voxel_is_guessed_that_guessed_rays_fill(clip: tuple):
    scene, semantics = clip
    left = np.broadcast_to(np.arange(160) < 80, scene.depth.shape)
    for all_guessed in (np.ones_like(left), np.zeros_like(left), left):
        grids = voxelize(dataclasses.replace(scene, guessed=all_guessed), semantics, RAYS)
        found = with_guesses(dataclasses.replace(scene, guessed=all_guessed), grids, RAYS).guessed
        occupied = np.isin(grids.labels, FILLED_LABELS)
        if not all_guessed.any():
            assert found is None
            continue
        assert found is not None
        assert not (found & ~occupied).any()
        assert np.array_equal(found, occupied) == bool(all_guessed.all())
        assert found.any()


@pytest.mark.parametrize(
    "values", [{"occupied_by": "hope"}, {"depth_deviation": 0}, {"least_share": 0}, {"least_share": 1.5}]
)
def test_values_out_of_bounds_are_refused(values: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(values))):
        VoxelSettings.model_validate(values)
