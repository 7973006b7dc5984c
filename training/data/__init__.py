"""Frames to learn from: our store, NYUv2 and OccScanNet through one type of sample."""

from training.data.batch import Batch, collate
from training.data.chain import Chained
from training.data.monoscene import MonoSceneRooms
from training.data.nyu import NyuRooms
from training.data.occscannet import OccScanNetFrames
from training.data.sample import Frames, Sample
from training.data.stored import StoredFrames
from training.data.subset import check_learnable, fraction

__all__ = [
    "Batch",
    "Chained",
    "Frames",
    "MonoSceneRooms",
    "NyuRooms",
    "OccScanNetFrames",
    "Sample",
    "StoredFrames",
    "check_learnable",
    "collate",
    "fraction",
]
