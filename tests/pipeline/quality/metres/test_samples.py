"""Clips with exact cameras and depth: in their own unit, with what that is in metres."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.quality.metres.judge import judge
from pipeline.quality.metres.samples import by_video, exact_clips, kept
from pipeline.tours.settings import TourSettings

ONE_ROOM = TourSettings(rooms_max=3, indoor_shots=1, outdoor_shots=0, title=False, shot_seconds=2)


def test_a_shot_of_a_tour_is_a_clip_whose_size_is_known_and_is_kept(tmp_path: Path):
    path = tmp_path / "deep" / "5.jsonl"
    clips = kept(path, exact_clips("rooms", 5, ONE_ROOM))
    assert len(clips) == 1
    assert kept(path, iter(())) == clips
    assert [len(group) for group in by_video(clips)] == [1]
    assert 0.5 < np.exp(clips[0].log_metres) < 8, "the median depth of a room"
    judged = judge(clips, "evidence")
    assert abs(judged.error[0]) < 3 * judged.sigma[0]
    assert judged.error[0] == pytest.approx(0, abs=0.4)
