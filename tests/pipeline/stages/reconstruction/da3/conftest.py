"""A rendered clip and what is true of it."""

import numpy as np
import pytest

from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import resize_nearest
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, TourClip


@pytest.fixture(scope="module")
def clip(tour_clip: MakesClips) -> TourClip:
    return tour_clip(seed=2, shot=1, count=6)


@pytest.fixture(scope="module")
def truth(clip: TourClip) -> Reconstruction:
    depth = resize_nearest(np.stack([one.depth for one in clip.truth]), (120, 160)).astype(np.float32)
    return Reconstruction(
        intrinsics=np.stack([one.intrinsics for one in clip.truth]).astype(np.float32),
        camera_to_world=np.stack([one.camera_to_world for one in clip.truth]).astype(np.float32),
        depth=depth,
        confidence=np.ones_like(depth),
        registered=np.ones(len(depth), bool),
    )
