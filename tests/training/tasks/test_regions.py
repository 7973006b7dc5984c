"""From superpixels to supervoxels: which voxel a pixel shows, and which region a voxel belongs to."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.camera import pointmap
from pipeline.contract.grid import voxel_index
from tests.training.rooms import RoomFrames
from training.data import collate
from training.tasks.regions import pixel_voxels, region_means, slic_regions, supervoxels
from training.tasks.supervise import views_of


def test_a_pixels_voxel_is_the_floor_of_its_point():
    sample = RoomFrames(1)[0]
    points = pointmap(sample.depth, sample.intrinsics, sample.camera_to_world)
    index = voxel_index(points, sample.origin)
    within = (points - sample.origin) / 0.08 - index
    clear = ((within > 0.01) & (within < 0.99)).all(axis=-1)
    inside = ((index >= 0) & (index < (60, 60, 36))).all(axis=-1) & (sample.depth > 0)
    expected = np.where(inside, (index[..., 0] * 60 + index[..., 1]) * 36 + index[..., 2], -1)
    found = pixel_voxels(views_of(collate([sample])))[0].numpy()
    assert clear.mean() > 0.3, "the room's walls lie on borders of voxels, where float32 may go either way"
    assert np.array_equal(found[clear], expected[clear])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_voxel_belongs_to_the_region_of_most_of_its_pixels(pairs: list[tuple[int, int]]):
    voxels, regions = (torch.tensor(column)[None] for column in zip(*pairs, strict=True))
    expected = {}
    for voxel in sorted({v for v, r in pairs if v >= 0 and r > 0}):
        votes = [r for v, r in pairs if v == voxel and r > 0]
        expected[voxel] = max(sorted(set(votes)), key=votes.count)
    found, winner = supervoxels(voxels, regions)
    assert dict(zip(found.tolist(), winner.tolist(), strict=True)) == expected


def test_region_means_weigh_patches_by_their_pixels():
    features = torch.arange(4.0).view(1, 2, 2)
    regions = torch.zeros(4, 4, dtype=torch.int32)
    regions[:, 2:] = 2
    means, there = region_means(features, regions, 3)
    assert means[:, 0].tolist() == [1.0, 0.0, 2.0]
    assert there.tolist() == [True, False, True]


def test_pixels_without_a_region_do_not_vote_and_without_any_there_is_nothing():
    voxels = torch.tensor([[3, 3, 3, -1]])
    found, winner = supervoxels(voxels, torch.tensor([[0, 0, 7, 7]]))
    assert (found.tolist(), winner.tolist()) == ([3], [7])
    for regions in (torch.zeros(1, 4, dtype=torch.int32), torch.tensor([[0, 0, 0, 7]])):
        found, winner = supervoxels(voxels, regions)
        assert (len(found), len(winner)) == (0, 0)


def test_superpixels_cover_a_picture_and_follow_its_edges():
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:, 70:] = 255
    regions = slic_regions(picture, 12)
    assert (regions.shape, regions.dtype, regions.min()) == ((120, 160), np.int32, 1)
    assert 6 <= len(np.unique(regions)) <= 24
    white = picture[..., 0] > 0
    astray = sum(min((white & (regions == n)).sum(), (~white & (regions == n)).sum()) for n in np.unique(regions))
    assert astray / regions.size < 0.02, "a pixel or two beside the edge, which is blurred by three"
