import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import label as connected

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import overlap
from pipeline.contract.records import MetricScene, Semantics
from pipeline.stages.semantics.backends import segmenter
from pipeline.stages.semantics.furniture import furniture_labels
from pipeline.stages.semantics.regions import cut_superpixels, numbered
from pipeline.stages.semantics.settings import RegionSettings
from pipeline.stages.semantics.walls import runs
from tests.pipeline.box_room import Box, Room, film, looking

ROOM = Room(
    Box((-1.53, -1.07, 0.0), (2.13, 2.91, 2.8)),
    (
        Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),
        Box((-1.53, 1.5, 0.0), (-0.9, 2.91, 2.0)),
        Box((1.4, 0.7, 0.0), (1.7, 1.0, 0.4), SemanticClass.OBJECTS),
    ),
)
WALK = [looking((-0.6 + 0.15 * i, -0.6, 1.5), (0.5 - 0.1 * i, 2.0, 1.3)) for i in range(6)]


@pytest.fixture(scope="module")
def walk() -> tuple[MetricScene, Semantics]:
    return film(ROOM, WALK, (120, 160))


@pytest.fixture(scope="module")
def rgb(walk: tuple[MetricScene, Semantics]) -> NDArray[np.uint8]:
    """Pictures in which every label has a colour of its own."""
    small = np.repeat(walk[1].labels[..., None] * np.array([20, 11, 5], np.uint8), 1, axis=0)
    return small.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(scope="module")
def semantics(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]) -> Semantics:
    return segmenter().segment(rgb, walk[0])


def test_floor_ceiling_and_walls_are_told_apart(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    iou = overlap(semantics.labels, walk[1].labels).class_iou
    # What is lost lies within 0.12 m of floor and walls: feet and backs of furniture, by construction.
    assert iou[SemanticClass.FLOOR] > 0.9
    assert iou[SemanticClass.WALL] > 0.85
    assert iou[SemanticClass.CEILING] > 0.8


def test_what_is_named_is_right_and_the_rest_stays_unknown(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    truth = walk[1].labels
    counts = overlap(semantics.labels, truth)
    named = counts.predicted > 0
    named[SemanticClass.EMPTY] = False
    assert np.flatnonzero(named).tolist() == [1, 2, 3, SemanticClass.FURNITURE]
    assert (counts.matched / np.maximum(counts.predicted, 1))[named].min() > 0.85
    # Nothing tells a box of 0.3 m from a seat, a bag or a step.
    assert (semantics.labels[truth == SemanticClass.OBJECTS] == SemanticClass.UNKNOWN).mean() > 0.75


def test_a_wardrobe_with_the_wall_seen_above_it_is_no_wall(walk: tuple[MetricScene, Semantics], semantics: Semantics):
    scene, truth = walk
    points = np.stack(
        [pointmap(*view) for view in zip(scene.depth, scene.intrinsics, scene.camera_to_world, strict=True)]
    )
    front = (np.abs(points[..., 0] + 0.9) < 0.01) & (points[..., 2] > 0.3) & (truth.labels == SemanticClass.FURNITURE)
    assert front.sum() > 100
    assert (semantics.labels[front] == SemanticClass.UNKNOWN).mean() > 0.9


def test_pixels_without_depth_and_frames_without_camera_stay_unknown(
    walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]
):
    depth, registered = walk[0].depth.copy(), walk[0].registered.copy()
    depth[0, :50], depth[1], registered[1] = 0, 0, False
    semantics = segmenter().segment(rgb, dataclasses.replace(walk[0], depth=depth, registered=registered))
    assert (semantics.labels[depth == 0] == SemanticClass.UNKNOWN).all()
    assert (semantics.labels[2:] != SemanticClass.UNKNOWN).mean() > 0.7


def test_without_any_depth_everything_is_unknown(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]):
    blind = dataclasses.replace(walk[0], depth=np.zeros_like(walk[0].depth))
    assert (segmenter().segment(rgb, blind).labels == SemanticClass.UNKNOWN).all()


def test_labels_and_regions_repeat(walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8], semantics: Semantics):
    again = segmenter().segment(rgb, walk[0])
    assert np.array_equal(again.labels, semantics.labels)
    assert np.array_equal(again.regions, semantics.regions)


def test_regions_are_connected_numbered_in_reading_order_and_cut_at_depth_edges(
    walk: tuple[MetricScene, Semantics], rgb: NDArray[np.uint8]
):
    grey = np.full((120, 160, 3), 128, np.uint8)
    region_settings = RegionSettings(count=20)
    for picture in (grey, rgb[0, ::4, ::4]):
        regions = cut_superpixels(picture, walk[0].depth[0], region_settings)
        ids, first = np.unique(regions[regions > 0], return_index=True)
        assert np.array_equal(ids, np.arange(1, len(ids) + 1))
        assert (np.diff(first) > 0).all()
        for one in ids:
            assert (regions == one).sum() >= region_settings.pixels_min
            assert connected(regions == one, connectivity=1).max() == 1


def test_a_depth_edge_separates_regions_of_one_colour():
    depth = np.full((60, 80), 2.0, np.float32)
    depth[:, 33:] = 3.0
    depth[:20, :20] = 0.0
    regions = cut_superpixels(np.full((60, 80, 3), 90, np.uint8), depth, RegionSettings(count=4))
    parts = [set(np.unique(part)) - {0} for part in (regions[depth == 2], regions[depth == 3], regions[depth == 0])]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]


@given(st.integers(0, 1000), st.integers(1, 8))
@settings(max_examples=30)
def test_numbering_keeps_pieces_and_drops_small_ones(seed: int, pixels_min: int):
    piece = np.random.default_rng(seed).integers(5, 25, (8, 9))
    regions = numbered(piece, pixels_min)
    for one in np.unique(piece):
        inside = regions[piece == one]
        assert (inside == inside[0]).all()
        assert (inside[0] > 0) == ((piece == one).sum() >= pixels_min)
    assert len(np.unique(regions[regions > 0])) == regions.max()


def slab(low: tuple[float, float], high: tuple[float, float], z: float) -> NDArray[np.float32]:
    """Points every 2 cm of a level surface."""
    x, y = np.meshgrid(np.arange(low[0], high[0], 0.02), np.arange(low[1], high[1], 0.02))
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "height", "label"),
    [
        ((1.5, 2.0), 0.55, SemanticClass.BED),
        ((1.4, 0.8), 0.74, SemanticClass.TABLE),
        ((1.9, 0.8), 0.44, SemanticClass.SOFA),
        ((0.5, 0.5), 0.46, SemanticClass.EMPTY),
        ((1.4, 0.6), 0.90, SemanticClass.FURNITURE),
        ((1.4, 0.2), 0.90, SemanticClass.EMPTY),
        ((1.4, 0.6), 0.82, SemanticClass.EMPTY),
        ((0.3, 0.3), 0.60, SemanticClass.EMPTY),
    ],
)
def test_level_surfaces_are_named_where_height_and_size_decide(
    size: tuple[float, float], height: float, label: SemanticClass
):
    surface = slab((0, 0), size, height)
    assert (furniture_labels(surface, np.ones(len(surface), np.bool_)) == label).all()


def test_runs_close_gaps_and_drop_single_columns():
    flags = np.array([0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0], np.bool_)
    assert runs(flags, 2) == [(1, 7)]
    assert runs(flags, 1) == [(1, 3), (5, 7)]
    assert runs(np.zeros(5, np.bool_), 1) == []
