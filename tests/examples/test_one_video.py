import re

import numpy as np
import pyarrow.parquet as pq

import pipeline
from pipeline.contract.classes import FILLED_LABELS
from pipeline.tours.settings import TourSettings
from tests.examples.conftest import Built

FARTHEST_CEILING = 3.0 / 2.8
"""A tour's ceilings are 2.4 to 3.0 m high and taken for 2.8 m, so that metres are off by so much, and a little more."""


def test_its_frames_are_those_of_the_dataset(one_video: Built):
    frames = pipeline.Dataset(one_video.data)
    assert f"{len(frames)} frames of 1 clips" in one_video.printed
    assert len(frames) >= 6, "a shot of 2.5 s at 3 frames a second"
    assert frames[0].picture.shape == (480, 640, 3)


def test_the_camera_is_held_at_the_height_of_eyes(one_video: Built):
    heights = [float(found) for found in re.findall(r"camera ([\d.]+) m above the floor", one_video.printed)]
    settings = TourSettings()
    assert len(heights) == 3
    assert min(heights) > 0.9 * settings.eye_height_min / FARTHEST_CEILING
    assert max(heights) < 1.1 * settings.eye_height_max * 2.8 / 2.4


def test_it_counts_every_voxel(one_video: Built):
    printed = dict(re.findall(r"^(\w+) +(\d+) voxels$", one_video.printed, re.MULTILINE))
    index = pq.read_table(one_video.data / "dataset" / "index.parquet")
    counted = {c.name.lower(): str(np.sum(index[f"voxels_{c.name.lower()}"].to_numpy())) for c in FILLED_LABELS}
    assert printed == counted
    assert int(printed["wall"]) > 0
