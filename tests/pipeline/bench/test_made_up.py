"""A made-up video is finished, as far as anybody who gathers videos can tell."""

from pathlib import Path

import numpy as np

from pipeline.bench.made_up import finish_made_up
from pipeline.contract.records import LeftOut
from pipeline.stages.chain import finished, finished_fingerprint
from pipeline.stages.registry import stages
from pipeline.store.store import Store


def test_every_stage_has_a_result_made_from_the_one_before(tmp_path: Path):
    video = Store(tmp_path).video("a")
    left_out = (LeftOut("occupancy", 0, "TooFewRegistered", "2 of 9 frames"),)
    arrays = {"frames": {"clip_id": np.zeros(5, np.int32)}}
    finish_made_up(video, "f0", arrays, left_out, {"semantics": {"san.pth": "1" * 64}})
    made = finished(video)
    assert made is not None
    assert list(made) == list(stages())
    assert finished_fingerprint(video) == "f0"
    assert made["occupancy"].left_out == left_out
    assert made["semantics"].weights == {"san.pth": "1" * 64}
    assert np.array_equal(video.read("frames", "clip_id"), np.zeros(5))
