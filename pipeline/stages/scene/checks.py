"""Checks of the stage ``scene``."""

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.base import Finding
from pipeline.store.groups import SCENE
from pipeline.store.video import VideoStore

LEAST_DEPTH = 0.3
"""Share of pixels with depth below which a video's grids are mostly holes: half of what the tours reach."""

LEAST_UP_CONFIDENCE = 0.5
"""Share of the evidence that must agree on 'up': below one half, most of it disagrees."""


def depth_share(video: VideoStore) -> Finding:
    """Most frames have depth on enough of their pixels."""
    share = float(np.median(_registered(video, "depth_share")))
    return Finding(share >= LEAST_DEPTH, f"the median frame has depth on {share:.0%} of its pixels", {"median": share})


def up_confidence(video: VideoStore) -> Finding:
    """Every clip's up direction rests on evidence that agrees."""
    least = float(_registered(video, "up_confidence").min())
    return Finding(least >= LEAST_UP_CONFIDENCE, f"the least certain clip has confidence {least:.2f}", {"least": least})


def _registered(video: VideoStore, name: str) -> NDArray[np.float32]:
    values: NDArray[np.float32] = video.read(SCENE, name)[video.read(SCENE, "registered")]
    return values
