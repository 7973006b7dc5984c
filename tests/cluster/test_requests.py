"""What a bucket is asked for: the requests of a build and of a reader are counted, and may not become more."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from pipeline.store.frames import FrameReader
from pipeline.store.store import Store
from tests.assets.workplace import Workplace
from tests.cluster.conftest import Bucket
from tests.paths import ROOT
from tests.pipeline.stored_room import FRAMES, store_room

NEW, AGAIN = 190, 9
"""Requests for a new rendered tour of one clip through Dagster, which is scored too, and for a build that finds it."""

A_FRAME = 2.0
"""Requests for a frame of four arrays, of 25 that are drawn from a video."""


def test_a_build_asks_for_no_more_than_its_budget(bucket: Bucket, tmp_path: Path):
    place = Workplace(tmp_path / "work", "tour://3")
    environment = {**bucket.environment(tmp_path / "home"), **place.environment, "YOUTUBE_OCC_DATA": bucket.url}
    environment["HOME"] = str(tmp_path / "home")
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "job", "execute", "-j", "build_dataset"]
    asked = []
    for _ in range(2):
        before = len(bucket.requests())
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        asked.append([line for line in bucket.requests()[before:] if "/leases/" not in line])  # as long as it takes
    assert len(asked[0]) <= NEW, kinds(asked[0])
    assert len(asked[1]) <= AGAIN, kinds(asked[1])
    assert Store(bucket.url).video("tour-3").has_group("occupancy")


def test_frames_at_random_are_read_in_few_requests_and_without_a_right_to_write(bucket: Bucket, tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    video_id = store_room(data).video_id
    files = [path for path in (data / "videos").rglob("*") if path.is_file()]
    Store(bucket.url).place_all({path.relative_to(data).parts: path for path in files})
    before = len(bucket.requests())
    reader, drawn = FrameReader(Store(bucket.url)), np.random.default_rng(0).integers(0, FRAMES, 25)
    with bucket.having("read_only"):
        for row in drawn.tolist():
            for array in ("frames/rgb", "scene/depth", "semantics/labels", "occupancy/labels"):
                assert reader.read(video_id, array, row).size
    asked = bucket.requests()[before:]
    assert len(asked) <= A_FRAME * len(drawn), kinds(asked)


def kinds(asked: list[str]) -> str:
    """Return how often each thing was asked for, the most frequent first."""
    return json.dumps(Counter(line.partition("?")[0] for line in asked).most_common(40), indent=1)
