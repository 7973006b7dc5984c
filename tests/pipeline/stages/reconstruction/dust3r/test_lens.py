"""A zoom that a network did not see is found in the pictures, and nothing is found where there is none."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import LensZooms
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.dust3r.lens import check_lens, enlargement
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, TourClip

COUNT = 10


@pytest.fixture(scope="module")
def clip(tour_clip: MakesClips) -> TourClip:
    return tour_clip(11, 0, COUNT)


def true_reconstruction(clip: TourClip, zoom: np.ndarray | None = None) -> Reconstruction:
    """The truth, whose intrinsics follow a zoom where one is given."""
    intrinsics = np.stack([frame.intrinsics for frame in clip.truth])
    if zoom is not None:
        intrinsics[:, [0, 1], [0, 1]] *= zoom[:, None]
    depth = np.stack([frame.depth for frame in clip.truth]).astype(np.float32)
    return Reconstruction(
        intrinsics=intrinsics.astype(np.float32),
        camera_to_world=np.stack([frame.camera_to_world for frame in clip.truth]).astype(np.float32),
        depth=depth if zoom is None else enlarged(depth, zoom),
        confidence=(depth > 0).astype(np.float32),
        registered=np.ones(COUNT, np.bool_),
    )


def enlarged(maps: np.ndarray, zoom: np.ndarray) -> np.ndarray:
    """Pictures or depth maps as a longer lens would have taken them from the same place."""
    flags = cv2.INTER_LINEAR if maps.dtype == np.uint8 else cv2.INTER_NEAREST
    moves = [np.array([[z, 0, 320 - 320 * z], [0, z, 240 - 240 * z]]) for z in zoom]
    return np.stack([cv2.warpAffine(one, move, (640, 480), flags=flags) for one, move in zip(maps, moves, strict=True)])


def with_depth(clip: TourClip, zoom: np.ndarray) -> tuple[Images, Reconstruction]:
    """Zoomed pictures, and cameras and depth of a network that saw no zoom."""
    blind = replace(true_reconstruction(clip), depth=true_reconstruction(clip, zoom).depth)
    return enlarged(clip.rgb, zoom), blind


@pytest.mark.parametrize("zoom", [np.linspace(1, 1.6, COUNT), np.linspace(1.4, 1, COUNT)])
def test_a_zoom_that_the_cameras_do_not_follow_is_refused_by_its_extent(clip: TourClip, zoom: np.ndarray):
    with pytest.raises(LensZooms, match="the lens zooms by") as refused:
        check_lens(*with_depth(clip, zoom))
    told = float(str(refused.value).partition("zooms by ")[2].partition(",")[0])
    assert told == pytest.approx(zoom.max() / zoom.min(), rel=0.1)


def test_a_zoom_that_the_cameras_follow_is_none_to_speak_of(clip: TourClip):
    zoom = np.linspace(1, 1.6, COUNT)
    check_lens(enlarged(clip.rgb, zoom), true_reconstruction(clip, zoom))
    found = enlargement(enlarged(clip.rgb, zoom), true_reconstruction(clip, zoom), 3, 4)
    assert found is not None
    assert abs(found.log_ratio) < 0.01


def test_a_walk_without_a_zoom_passes(clip: TourClip):
    check_lens(clip.rgb, true_reconstruction(clip))


def test_pictures_without_corners_say_nothing(clip: TourClip):
    check_lens(np.full_like(clip.rgb, 127), true_reconstruction(clip))
