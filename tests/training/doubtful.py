"""The analytic room as a dataset that says how sure it is: its scale by a tenth, its names by where they stand."""

from pathlib import Path

import numpy as np

from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import store_room
from training.data import StoredFrames

SIGMA = 0.1
LEFT, RIGHT = 51, 204
"""Confidence of names in the left and the right half of each picture; the room's upper rows have none."""


def doubtful_frames(folder: Path, every: int = 1) -> StoredFrames:
    """Store the room of six frames as one video, doubted."""
    folder.mkdir(parents=True, exist_ok=True)
    video = store_room(folder)
    labels = video.read("semantics", "labels")
    confidence = np.full(labels.shape, LEFT, np.uint8)
    confidence[:, :, labels.shape[2] // 2 :] = RIGHT
    confidence[:, :8] = 0
    replaced(video, "semantics", confidence=confidence)
    replaced(video, "scene", scale_sigma=np.full(len(labels), SIGMA, np.float32))
    build_dataset(Store(folder), DatasetSettings())
    return StoredFrames(Store(folder), "all", every=every)
