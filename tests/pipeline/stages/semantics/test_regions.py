"""Regions: superpixels of colour, cut where depth jumps, numbered in reading order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import label as connected

from pipeline.stages.semantics.regions import cut_superpixels, joined, numbered
from pipeline.stages.semantics.settings import RegionSettings
from tests.pipeline.box_room import Box, Room, looking

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
DEPTH, LABELS = ROOM.view(looking((-0.6, -0.6, 1.5), (0.5, 2.0, 1.2)), (60, 80))
GREY = np.full((60, 80, 3), 128, np.uint8)
PAINTED = (LABELS[..., None] * np.array([20, 11, 5])).astype(np.uint8)


@pytest.mark.parametrize("picture", [GREY, PAINTED], ids=["grey", "painted"])
def test_regions_are_connected_numbered_in_reading_order_and_not_small(picture: NDArray[np.uint8]):
    region_settings = RegionSettings(count=20)
    regions = cut_superpixels(picture, DEPTH, region_settings)
    assert regions.dtype == np.uint16
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


def test_colours_separate_regions_of_one_depth():
    picture = GREY.copy()
    picture[:, 40:] = (250, 30, 30)
    regions = cut_superpixels(picture, np.full((60, 80), 2.0, np.float32), RegionSettings(count=8))
    # Superpixels are smoothed by a pixel before they are cut.
    assert not set(np.unique(regions[:, :37])) & set(np.unique(regions[:, 43:])) - {0}


def test_more_superpixels_give_more_regions():
    flat = np.full((60, 80), 2.0, np.float32)
    few, many = (cut_superpixels(GREY, flat, RegionSettings(count=count)).max() for count in (6, 40))
    assert 4 <= few < many <= 60


def test_neighbours_are_joined_within_a_superpixel_and_along_a_surface():
    pixel = np.arange(6).reshape(2, 3)
    superpixel = np.array([[1, 1, 2], [1, 1, 2]])
    depth = np.array([[2.0, 2.05, 2.05], [2.0, 4.0, 2.05]], np.float32)
    across = joined(pixel, superpixel, depth, 0.06, axis=1)
    down = joined(pixel, superpixel, depth, 0.06, axis=0)
    assert across.T.tolist() == [[0, 1]], "1 and 2 differ in superpixel, 3 and 4 in depth"
    assert down.T.tolist() == [[0, 3], [2, 5]]


def test_pixels_without_depth_are_joined_to_one_another_and_to_no_surface():
    depth = np.array([[0.0, 0.0, 2.0]], np.float32)
    links = joined(np.arange(3).reshape(1, 3), np.ones((1, 3), np.int64), depth, 0.06, axis=1)
    assert links.T.tolist() == [[0, 1]]


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


def test_beyond_what_a_number_can_count_nothing_is_numbered():
    piece = np.arange(70_000).reshape(700, 100)
    regions = numbered(piece, 1)
    assert regions.max() == 65_535
    assert (regions.ravel()[65_535:] == 0).all()
    assert regions.ravel()[:3].tolist() == [1, 2, 3]
